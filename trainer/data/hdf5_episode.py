"""Episodes as HDF5 files with LeRobot's keys, one file an episode or one for all.

    observation.images.<camera>   uint8 (T, H, W, 3) RGB     observation.state   (T, S)
    action                        (T, A)                     timestamp, frame_index   (T,), if present

One for all has besides, N being the frames of all episodes,

    episode_ends   (E,) exclusive end frames   or   episode_index   (N,) whose frame each one is

What the simulator puts into metadata.json stands in the attributes of the root, as JSON where it is more than
a number; a list of as many entries as there are episodes has one for each. The rule about the camera's
resolution is for videos: pictures here may be resized already.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.data.episode import Episode, unreadable
from trainer.data.rows import Table
from trainer.data.store import ACTION, IMAGES, STATE, Frames
from trainer.data.tree import shown
from trainer.data.video import MAX_FRAMES, MAX_PIXELS, Footage, Keep, Picture, VideoError, watch

SUFFIXES = frozenset({".h5", ".hdf5"})
CLOCKS = ("timestamp", "frame_index")
PICTURES_AT_ONCE = 32
MAX_DIVIDED = 10_000_000
"""Frames that one file may say the episodes of."""


def is_hdf5_episode(path: Path) -> bool:
    return path.suffix in SUFFIXES and not path.name.startswith(".")


@dataclass(frozen=True)
class Hdf5Episode:
    """Frames `start` to `stop` (exclusive) of such a file; it is episode `number` of the `of` in there."""

    path: Path
    name: str
    number: int = 0
    of: int = 1
    start: int = 0
    stop: int | None = None

    @property
    def shares_its_file(self) -> bool:
        return self.of > 1

    def read(self, config: TrainingConfig) -> Episode:
        try:
            with h5py.File(self.path, "r") as file:
                return self._read(file, config)
        except (OSError, ValueError, TypeError, KeyError):
            return Episode(self.name, damage=(unreadable(f"{self.path.name} 읽기 불가"),))

    def look(self, camera: str, config: TrainingConfig, keep: Keep) -> Footage | Problem:
        try:
            return watch(IMAGES + camera, self.pictures(camera), config.dataset.fps, keep)
        except VideoError as error:
            reason = f"{IMAGES}{camera} 손상 (프레임 {error.frame}부터 읽기 불가)"
            return unreadable(reason, error.frame)

    def made_of(self, camera: str) -> Path:  # noqa: ARG002
        return self.path

    def table(self, config: TrainingConfig) -> Table:
        with h5py.File(self.path, "r") as file:
            return self._table(file, config)

    def pictures(self, camera: str) -> Iterator[Picture]:
        try:
            with h5py.File(self.path, "r") as file:
                yield from self._pictures(_dataset(file, IMAGES + camera))
        except (OSError, KeyError) as error:
            raise VideoError(str(error), 0) from error

    def _read(self, file: h5py.File, config: TrainingConfig) -> Episode:
        metadata = {name: self._own(_plain(value)) for name, value in file.attrs.items()}
        damage = [*_foreign(file)] or [*_misfits(file, config), *self._excess(file, config)]
        if damage:
            return Episode(self.name, metadata=metadata, damage=tuple(damage))
        return Episode(self.name, metadata, self._table(file, config), cameras=config.dataset.camera_names)

    def _own(self, told: Any) -> Any:
        return told[self.number] if self.of > 1 and isinstance(told, list) and len(told) == self.of else told

    def _excess(self, file: h5py.File, config: TrainingConfig) -> Iterator[Problem]:
        """It is no larger than an episode can be."""
        names = (ACTION, STATE, *(IMAGES + camera for camera in config.dataset.camera_names))
        for name, shape in ((name, _shape(file, name)) for name in names):
            frames = len(range(self.start, shape[0])[: self._length]) if shape else 0
            if frames > MAX_FRAMES or (len(shape) == 4 and shape[1] * shape[2] > MAX_PIXELS):
                yield unreadable(f"{name} 너무 큼 {(frames, *shape[1:])}")

    @property
    def _length(self) -> int | None:
        return None if self.stop is None else self.stop - self.start

    def _table(self, file: h5py.File, config: TrainingConfig) -> Table:
        action = self._values(file, ACTION)
        counted = np.arange(len(action), dtype=np.float64)
        told = {name: self._values(file, name).reshape(-1) for name in CLOCKS if name in file}
        return Table(
            frame=told.get("frame_index", counted),
            timestamp=told.get("timestamp", counted / config.dataset.fps),
            action=action,
            state=self._values(file, STATE),
        )

    def _values(self, file: h5py.File, name: str) -> NDArray[np.float64]:
        return _dataset(file, name)[self.start : self.stop].astype(np.float64)

    def _pictures(self, frames: h5py.Dataset) -> Iterator[Picture]:
        stop = len(frames) if self.stop is None else min(self.stop, len(frames))
        for first in range(self.start, stop, PICTURES_AT_ONCE):
            try:
                block: Frames = frames[first : min(first + PICTURES_AT_ONCE, stop)]
            except OSError as error:
                raise VideoError(str(error), first - self.start) from error
            yield from block


def episodes_in(path: Path) -> list[Hdf5Episode]:
    """Those of one file, named by their numbers where there are several, else by the file."""
    try:
        with h5py.File(path, "r") as file:
            ends = [] if any(_foreign(file)) else _ends(file)
    except (OSError, ValueError, TypeError):  # to be said when it is read
        ends = []
    if not ends:
        return [Hdf5Episode(path, path.stem)]
    starts = [0, *ends[:-1]]
    return [
        Hdf5Episode(path, f"episode_{number:03d}", number, len(ends), start, end)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _ends(file: h5py.File) -> list[int]:
    """Exclusive end frames; empty where the file does not divide its frames into a row of episodes."""
    ends = [int(end) for end in _row(file, "episode_ends")]
    index = _row(file, "episode_index")
    if not ends and len(index):
        ends = [*(np.flatnonzero(np.diff(index)) + 1).tolist(), len(index)]
    return ends if all(start < end for start, end in pairwise([0, *ends])) else []


def _row(file: h5py.File, name: str) -> NDArray[np.int64]:
    """A data set of one number each; empty where there is none, or one of another form."""
    shape = _shape(file, name)
    is_row = len(shape) == 1 and shape[0] <= MAX_DIVIDED
    return _dataset(file, name)[:].astype(np.int64) if is_row else np.empty(0, np.int64)


def _foreign(file: h5py.File) -> Iterator[Problem]:
    """Nothing in the file is kept in another one, by a link or by HDF5's other ways of pointing elsewhere."""
    for name in map(str, file):
        if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
            yield unreadable(f"다른 파일을 가리킴 ({shown(name)})")
            continue
        found = file.get(name)
        if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
            yield unreadable(f"다른 파일을 가리킴 ({shown(name)})")


def _misfits(file: h5py.File, config: TrainingConfig) -> Iterator[Problem]:
    ends, frames = _ends(file), _shape(file, ACTION)[:1]
    told = [name for name in ("episode_ends", "episode_index") if name in file]
    if told and not ends:
        yield _unknown(f"{told[0]}가 에피소드를 차례로 나누지 않음")
    if ends and frames and ends[-1] != frames[0]:
        yield _unknown(f"{told[0]} {ends[-1]}프레임, {ACTION} {frames[0]}프레임")
    for name, width in ((ACTION, len(config.action_names)), (STATE, len(config.state_names))):
        shape = _shape(file, name)
        if shape[1:] != (width,):
            yield _unknown(f"{name} {shape or '없음'}, 기준 (프레임 수, {width})")
        elif _dataset(file, name).dtype.kind == "c":
            yield _unknown(f"{name} 복소수")
    counts = {name: _shape(file, name)[0] for name in (ACTION, STATE, *CLOCKS) if _shape(file, name)}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}프레임" for name, count in counts.items())
        yield Problem(severity="refuse", check="frame_count", message=f"프레임 수 불일치 ({told})")
    for camera in config.dataset.camera_names:
        shape = _shape(file, IMAGES + camera)
        if len(shape) != 4 or shape[3] != 3 or _dataset(file, IMAGES + camera).dtype != np.uint8:
            yield _unknown(f"{IMAGES}{camera} {shape or '없음'}, 기준 uint8 (프레임 수, 높이, 너비, 3)")


def _unknown(what: str) -> Problem:
    return Problem(severity="refuse", check="row_form", message=f"HDF5 형식을 알 수 없음 ({what})")


def _shape(file: h5py.File, name: str) -> tuple[int, ...]:
    """Empty when there is no such data set."""
    found = file.get(name)
    return found.shape if isinstance(found, h5py.Dataset) else ()


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"{name} is not a data set")
    return found


def _plain(value: Any) -> Any:
    """An attribute as metadata.json would hold it."""
    if isinstance(value, np.generic):
        return value.item()
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value
