"""Two videos of one episode: another encoder or bitrate makes other bytes of the same pictures.

Compared are coarse glimpses of the brightness (data.looks). Encoding anew, even at a quarter of the size,
moves them by less than one grey level of 255 on the mean, another episode of the same scene by six and more.
A scene in which nothing moves says nothing, whoever filmed it.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.data.episode import finding

type Glimpses = NDArray[np.float64]

LEAST_MOTION = 0.5
"""Grey levels by which the glimpses of a video stray from their own mean, at least, for it to count."""


def lookalikes(
    seen: Mapping[str, Mapping[str, Glimpses]], contents: Mapping[str, Sequence[str]], config: TrainingConfig
) -> Iterator[Problem]:
    """No video is an earlier episode's, encoded anew. `seen` is by episode and video.

    Files that are the same to the byte, by `contents`, are `duplicates`' business.
    """
    for video in dict.fromkeys(name for videos in seen.values() for name in videos):
        moving = {
            episode: videos[video]
            for episode, videos in seen.items()
            if video in videos and motion(videos[video]) >= LEAST_MOTION
        }
        for episode, other, apart in _pairs(moving, config.dataset.alike_levels):
            if not set(_videos(contents[episode])) & set(_videos(contents[other])):
                message = f"{other}와 영상이 거의 같음 ({video}, 밝기 차이 평균 {apart:.1f}, 재인코딩 의심)"
                yield finding("duplicates", message, config).model_copy(update={"episode": episode})


def motion(glimpses: Glimpses) -> float:
    """By how much the pictures of one video stray from their mean, in grey levels."""
    return float(np.abs(glimpses - glimpses.mean(axis=0)).mean()) if len(glimpses) else 0.0


def _pairs(moving: Mapping[str, Glimpses], levels: float) -> Iterator[tuple[str, str, float]]:
    """Each episode with the one before it that is most like it, if that is nearly the same."""
    names, motions = list(moving), [motion(each) for each in moving.values()]
    for number, name in enumerate(names):
        mine = moving[name]
        earlier = [place for place in range(number) if moving[names[place]].shape == mine.shape]
        if not earlier:
            continue
        others = np.stack([moving[names[place]] for place in earlier])
        apart = np.abs(others - mine).mean(axis=(1, 2))
        nearest = int(np.argmin(apart))
        if apart[nearest] < min(levels, motions[number], motions[earlier[nearest]]):
            yield name, names[earlier[nearest]], float(apart[nearest])


def _videos(contents: Sequence[str]) -> list[str]:
    return [each for each in contents if not each.startswith("actions.jsonl:")]
