"""The episodes of a data set, and what is read of each before anything is judged."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.rows import RowError, Table, read_table
from trainer.video import Footage, Picture, VideoError, pictures, survey

ACTIONS, METADATA = "actions.jsonl", "metadata.json"
EPISODE_FOLDER = re.compile(r"(episode|ep)[_-]?\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Episode:
    """What could be read of an episode; `damage` says what could not, and those parts are missing."""

    name: str
    metadata: Mapping[str, Any] | None = None
    table: Table | None = None
    footage: tuple[Footage, ...] = ()
    damage: tuple[Problem, ...] = field(default=())


class Source(Protocol):
    """Where one episode lies and how it is read. Sources travel to worker processes: plain values only."""

    @property
    def name(self) -> str: ...

    def read(self, config: TrainingConfig) -> Episode:
        """Everything but the pictures, each of which has been decoded once."""
        ...

    def table(self, config: TrainingConfig) -> Table:
        """The rows alone. Raises what `trainer.rows.read_table` raises."""
        ...

    def pictures(self, camera: str) -> Iterator[Picture]:
        """RGB pictures (H, W, 3). Raises trainer.video.VideoError."""
        ...


def find_episodes(folder: Path) -> tuple[Source, ...]:
    """Every episode under `folder`, in the order of their numbers. Hidden folders are not looked at."""
    found = sorted({path for path in _folders(folder) if _is_episode(path)}, key=_by_number)
    short = [path.name for path in found]
    return tuple(
        SimulatorEpisode(
            path, path.name if short.count(path.name) == 1 else path.relative_to(folder).as_posix()
        )
        for path in found
    )


def kept(sources: tuple[Source, ...], config: TrainingConfig) -> tuple[Source, ...]:
    """The episodes the config does not leave out."""
    return tuple(source for source in sources if source.name not in config.dataset.exclude_episodes)


def kept_frames(frames: int, config: TrainingConfig) -> range:
    """Which of an episode's `frames` frames remain when head and tail are cut."""
    first, last = config.dataset.skip_first_frames, config.dataset.skip_last_frames
    return range(min(first, frames), max(frames - last, first, 0)) if frames > first + last else range(0)


def kept_rows(values: NDArray[np.float64], config: TrainingConfig) -> NDArray[np.float64]:
    """The rows of an episode's (T, …) values that remain when head and tail are cut."""
    remaining = kept_frames(len(values), config)
    return values[remaining.start : remaining.stop]


def _folders(folder: Path) -> Iterator[Path]:
    for path, below, _ in folder.walk(follow_symlinks=True):
        below[:] = [name for name in below if not name.startswith(".")]
        yield path


def _is_episode(path: Path) -> bool:
    named = EPISODE_FOLDER.fullmatch(path.name) is not None
    return named or (path / ACTIONS).is_file() or (path / METADATA).is_file()


def _by_number(path: Path) -> list[tuple[str, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", str(path))]


# --- the simulator's own output -----------------------------------------------


@dataclass(frozen=True)
class SimulatorEpisode:
    """A folder with `<camera>.mp4`, `actions.jsonl` and `metadata.json`."""

    path: Path
    name: str

    def read(self, config: TrainingConfig) -> Episode:
        damage: list[Problem] = []
        metadata = self._metadata(damage)
        return Episode(
            name=self.name,
            metadata=metadata,
            table=self._table(metadata or {}, config, damage),
            footage=tuple(self._footage(config, damage)),
            damage=tuple(damage),
        )

    def table(self, config: TrainingConfig) -> Table:
        return read_table(self.path / ACTIONS, self._metadata([]) or {}, config)

    def pictures(self, camera: str) -> Iterator[Picture]:
        return pictures(self.path / f"{camera}.mp4")

    def _metadata(self, damage: list[Problem]) -> Mapping[str, Any] | None:
        try:
            read = json.loads((self.path / METADATA).read_text("utf-8"))
        except FileNotFoundError:
            damage.append(_unreadable(f"{METADATA} 없음"))
        except (OSError, ValueError):
            damage.append(_unreadable(f"{METADATA} 읽기 불가"))
        else:
            if isinstance(read, dict):
                return read
            damage.append(_unreadable(f"{METADATA} 읽기 불가 (객체가 아님)"))
        return None

    def _table(
        self, metadata: Mapping[str, Any], config: TrainingConfig, damage: list[Problem]
    ) -> Table | None:
        try:
            return read_table(self.path / ACTIONS, metadata, config)
        except FileNotFoundError:
            damage.append(_unreadable(f"{ACTIONS} 없음"))
        except OSError:
            damage.append(_unreadable(f"{ACTIONS} 읽기 불가"))
        except RowError as error:
            damage.append(_not_understood(error))
        return None

    def _footage(self, config: TrainingConfig, damage: list[Problem]) -> Iterator[Footage]:
        for camera in config.dataset.camera_names:
            path = self.path / f"{camera}.mp4"
            if not path.is_file():
                damage.append(_unreadable(f"{path.name} 없음"))
                continue
            try:
                yield survey(path)
            except VideoError as error:
                reason = f"{path.name} 손상 (프레임 {error.frame}부터 디코딩 불가)"
                damage.append(_unreadable(reason, error.frame))


def _unreadable(message: str, frame: int | None = None) -> Problem:
    return Problem(severity="refuse", check="readable", message=message, frame=frame)


def _not_understood(error: RowError) -> Problem:
    if not error.missing:
        return _unreadable(f"{ACTIONS} 읽기 불가 ({error.line}번째 줄)", error.line - 1)
    lacking = ", ".join(error.missing)
    message = f"{ACTIONS} 형식을 알 수 없음 ({error.line}번째 줄에 {lacking} 없음, 예: {error.shown})"
    return Problem(severity="refuse", check="row_form", message=message, frame=error.line - 1)
