"""Which frames a step has learned from, in the words of those who made them."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.store import FrameStore
from trainer.learning.feed import Feed

MOST_NAMED = 64


def suspects(feed: Feed, samples: Tensor) -> list[int]:
    """Of a batch's samples (B,) those whose state or actions are not finite; all of them when none is."""
    ahead, _ = feed.chunks(samples)
    sound = torch.isfinite(feed.state[samples]).all(1) & torch.isfinite(feed.action[ahead]).flatten(1).all(1)
    blamed = samples if bool(sound.all()) else samples[~sound]
    return sorted(blamed.tolist())


def named(store: FrameStore, samples: Sequence[int]) -> str:
    """Frames by episode, numbered as they came, cut heads included: `episode_003: 12, 40; episode_007: 3`."""
    shown = samples[:MOST_NAMED]
    skipped = store.config.dataset.skip_first_frames
    told = [
        f"{store.episode_names[episode]}: {', '.join(str(frame + skipped) for _, frame in frames)}"
        for episode, frames in groupby(_places(store.episode_ends, shown), key=lambda place: place[0])
    ]
    more = f" and {len(samples) - len(shown)} more" if len(samples) > len(shown) else ""
    return "; ".join(told) + more


def _places(episode_ends: NDArray[np.int64], samples: Sequence[int]) -> list[tuple[int, int]]:
    """Each sample's episode by number, and its frame in it."""
    episodes = np.searchsorted(episode_ends, samples, side="right")
    starts = np.concatenate([[0], episode_ends])
    return [
        (int(episode), int(frame - starts[episode])) for frame, episode in zip(samples, episodes, strict=True)
    ]
