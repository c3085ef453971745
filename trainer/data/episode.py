"""One episode: where it lies, what was read of it before anything is judged, what of it remains."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import Finding, TrainingConfig
from trainer.data.rows import Table
from trainer.data.video import NOTHING_KEPT, Footage, Keep, Picture


@dataclass(frozen=True)
class Episode:
    """What could be read of an episode; `damage` says what could not, and those parts are missing.

    `cameras` are those whose pictures are there to be looked at, `footage` what was seen in them.
    """

    name: str
    metadata: Mapping[str, Any] | None = None
    table: Table | None = None
    footage: tuple[Footage, ...] = ()
    damage: tuple[Problem, ...] = ()
    cameras: tuple[str, ...] = ()


class Source(Protocol):
    """Where one episode lies and how it is read. Sources travel to worker processes: plain values only."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> Path:
        """The folder or file it lies in, all of it."""
        ...

    @property
    def shares_its_file(self) -> bool:
        """Whether others lie there, too."""
        ...

    def read(self, config: TrainingConfig) -> Episode:
        """Everything but the pictures: quickly, and without `footage`."""
        ...

    def look(self, camera: str, config: TrainingConfig, keep: Keep) -> Footage | Problem:
        """Decode all pictures of one of `cameras`, once; `keep` gets those that it wants. Damage is told."""
        ...

    def made_of(self, camera: str) -> Path:
        """The file that the pictures of `camera` are in."""
        ...

    def table(self, config: TrainingConfig) -> Table:
        """The rows alone. Raises what `trainer.data.rows.read_table` raises."""
        ...

    def pictures(self, camera: str) -> Iterator[Picture]:
        """RGB pictures (H, W, 3). Raises trainer.data.video.VideoError."""
        ...


def seen(source: Source, episode: Episode, config: TrainingConfig) -> Episode:
    """`episode` as read from `source`, its pictures looked at."""
    found = [source.look(camera, config, NOTHING_KEPT) for camera in episode.cameras]
    footage = tuple(each for each in found if isinstance(each, Footage))
    damage = tuple(each for each in found if isinstance(each, Problem))
    return replace(episode, footage=footage, damage=(*episode.damage, *damage))


def kept_frames(frames: int, config: TrainingConfig) -> range:
    """Which of an episode's `frames` frames remain when head and tail are cut."""
    first, last = config.dataset.skip_first_frames, config.dataset.skip_last_frames
    return range(min(first, frames), max(frames - last, first, 0)) if frames > first + last else range(0)


def kept_rows(values: NDArray[np.float64], config: TrainingConfig) -> NDArray[np.float64]:
    """The rows of an episode's (T, …) values that remain when head and tail are cut."""
    remaining = kept_frames(len(values), config)
    return values[remaining.start : remaining.stop]


def refuse(check: str, message: str, frame: int | None = None) -> Problem:
    return Problem(severity="refuse", check=check, message=message, frame=frame)


def warn(check: str, message: str, frame: int | None = None) -> Problem:
    return Problem(severity="warn", check=check, message=message, frame=frame)


def finding(check: Finding, message: str, config: TrainingConfig, frame: int | None = None) -> Problem:
    """What statistics suggest: a warning, unless the config says that it refuses."""
    return (refuse if check in config.dataset.refuse_on else warn)(check, message, frame)


def unreadable(message: str, frame: int | None = None) -> Problem:
    """Damage: a part of the episode, in Korean, that cannot be read."""
    return refuse("readable", message, frame)
