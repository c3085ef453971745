"""Episodes as HDF5 files with LeRobot's keys, one file an episode.

    observation.images.<camera>   uint8 (T, H, W, 3) RGB     observation.state   (T, S)
    action                        (T, A)                     timestamp, frame_index   (T,), if present

What the simulator puts into metadata.json stands in the attributes of the root, as JSON where it is more than
a number. The rule about the camera's resolution is for videos: pictures here may be resized already.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.episode import Episode, unreadable
from trainer.rows import Table
from trainer.store import ACTION, IMAGES, STATE
from trainer.video import Footage, Picture, VideoError

SUFFIXES = frozenset({".h5", ".hdf5"})
CLOCKS = ("timestamp", "frame_index")
PICTURES_AT_ONCE = 32


def is_hdf5_episode(path: Path) -> bool:
    return path.suffix in SUFFIXES and not path.name.startswith(".")


@dataclass(frozen=True)
class Hdf5Episode:
    """One such file."""

    path: Path
    name: str

    def read(self, config: TrainingConfig) -> Episode:
        try:
            with h5py.File(self.path, "r") as file:
                return self._read(file, config)
        except OSError:
            return Episode(self.name, damage=(unreadable(f"{self.path.name} 읽기 불가"),))

    def table(self, config: TrainingConfig) -> Table:
        with h5py.File(self.path, "r") as file:
            return _table(file, config)

    def pictures(self, camera: str) -> Iterator[Picture]:
        try:
            with h5py.File(self.path, "r") as file:
                frames = _dataset(file, IMAGES + camera)
                for start in range(0, len(frames), PICTURES_AT_ONCE):
                    yield from frames[start : start + PICTURES_AT_ONCE]
        except (OSError, KeyError) as error:
            raise VideoError(str(error), 0) from error

    def _read(self, file: h5py.File, config: TrainingConfig) -> Episode:
        metadata = {name: _plain(value) for name, value in file.attrs.items()}
        misfits = tuple(_misfits(file, config))
        if misfits:
            return Episode(self.name, metadata=metadata, damage=misfits)
        footage = tuple(_footage(file, camera, config) for camera in config.dataset.camera_names)
        return Episode(self.name, metadata=metadata, table=_table(file, config), footage=footage)


def _misfits(file: h5py.File, config: TrainingConfig) -> Iterator[Problem]:
    if "episode_ends" in file:
        yield unreadable("여러 에피소드가 든 파일 (한 파일에 한 에피소드)")
    for name, width in ((ACTION, len(config.action_names)), (STATE, len(config.state_names))):
        shape = _shape(file, name)
        if shape[1:] != (width,):
            yield _unknown(f"{name} {shape or '없음'}, 기준 (프레임 수, {width})")
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


def _table(file: h5py.File, config: TrainingConfig) -> Table:
    action = _dataset(file, ACTION)[:].astype(np.float64)
    counted = np.arange(len(action), dtype=np.float64)
    return Table(
        frame=_column(file, "frame_index", counted),
        timestamp=_column(file, "timestamp", counted / config.dataset.fps),
        action=action,
        state=_dataset(file, STATE)[:].astype(np.float64),
    )


def _footage(file: h5py.File, camera: str, config: TrainingConfig) -> Footage:
    """Stored pictures have no clock and no size that a rule is about."""
    times = np.arange(len(_dataset(file, IMAGES + camera))) / config.dataset.fps
    return Footage(IMAGES + camera, times, sizes=(), fps=float(config.dataset.fps))


def _column(file: h5py.File, name: str, otherwise: NDArray[np.float64]) -> NDArray[np.float64]:
    return _dataset(file, name)[:].astype(np.float64).reshape(-1) if name in file else otherwise


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
