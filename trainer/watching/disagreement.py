"""Which episodes do otherwise than the others before the same picture: known from the data alone.

An episode that is learned badly may be hard or wrong, and its error is the same. What tells them apart: a
hard one looks like no other, a wrong one looks like others and does something else.
"""

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from trainer.learning.feed import Feed

MOST_FRAMES = 4096
"""Looked at, evenly spread: each is compared with each, a second's work for so many."""
ROWS, COLUMNS = 8, 12
"""Of the picture in which frames are compared: where things are, not how they shine."""
AT_ONCE = 64

ALIKE = 3
"""Other episodes that a frame is compared with, by that frame of each which is most like it. The middle one's
action is what they would do: one wrong episode does not make its neighbours wrong."""
CLOSE = 0.8
"""Of all frames: the fifth that resembles others least is left out, for it tells nothing of what is right."""
LEAST_CLOSE = 0.2
"""Of an episode's frames; with fewer left nothing is said of it."""


def disagreements(feed: Feed) -> tuple[float | None, ...]:
    """How far each episode's actions lie from those of frames that look alike, in standard deviations.

    None: hardly any of its frames looks like another's. The state is not compared: where the loader stands
    and what is left to do says nothing about what is right before a picture.
    """
    looked_at = torch.arange(0, len(feed), -(-len(feed) // MOST_FRAMES))
    action, episode = (values.cpu()[looked_at] for values in (feed.action, feed.episode))
    looks = torch.cat([_small(frames, looked_at) for frames in feed.frames.values()], 1)
    distance, alike = _most_alike(looks, episode)
    error = (action - action[alike].median(1).values).abs().mean(1)
    close = (distance <= distance.quantile(CLOSE)) & distance.isfinite()
    return tuple(_mean(error, close, episode == number) for number in range(feed.num_episodes))


def _most_alike(looks: Tensor, episode: Tensor) -> tuple[Tensor, Tensor]:
    """For each frame: how far away the frames (N, ALIKE) that are most like it are, and which they are."""
    apart = torch.cdist(looks, looks).masked_fill(episode[:, None] == episode, torch.inf)
    lengths = episode.unique_consecutive(return_counts=True)[1]
    nearest = [each.min(1) for each in apart.split(lengths.tolist(), 1)]
    starts = lengths.cumsum(0) - lengths
    away = torch.stack([each.values for each in nearest], 1)
    frame = torch.stack([each.indices for each in nearest], 1) + starts
    distances, which = away.topk(min(ALIKE, len(lengths)), largest=False)
    return distances.mean(1), frame.gather(1, which)


def _small(frames: Tensor, looked_at: Tensor) -> Tensor:
    """(N, H, W, 3) as rows of few numbers, about their mean."""
    small = [
        adaptive_avg_pool2d(frames[some].permute(0, 3, 1, 2).float(), (ROWS, COLUMNS)).flatten(1).cpu()
        for some in looked_at.to(frames.device).split(AT_ONCE)
    ]
    rows = torch.cat(small)
    return rows - rows.mean(0)


def _mean(error: Tensor, close: Tensor, mine: Tensor) -> float | None:
    told = close & mine
    return float(error[told].mean()) if told.sum() >= max(1, LEAST_CLOSE * mine.sum()) else None
