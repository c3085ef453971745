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
from trainer.looks import Eye
from trainer.rows import Table
from trainer.store import ACTION, IMAGES, STATE, Frames
from trainer.tree import shown
from trainer.video import MAX_FRAMES, MAX_PIXELS, Footage, Picture, VideoError

SUFFIXES = frozenset({".h5", ".hdf5"})
CLOCKS = ("timestamp", "frame_index")
PICTURES_AT_ONCE = 32
GREEN = 1
"""Of the three colours the one nearest to brightness."""


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
                yield from _pictures(_dataset(file, IMAGES + camera))
        except (OSError, KeyError) as error:
            raise VideoError(str(error), 0) from error

    def _read(self, file: h5py.File, config: TrainingConfig) -> Episode:
        metadata = {name: _plain(value) for name, value in file.attrs.items()}
        damage = [*_foreign(file)] or [*_misfits(file, config)]
        if damage:
            return Episode(self.name, metadata=metadata, damage=tuple(damage))
        footage: list[Footage] = []
        for camera in config.dataset.camera_names:
            try:
                footage.append(_footage(file, camera, config))
            except VideoError as error:
                reason = f"{IMAGES}{camera} 손상 (프레임 {error.frame}부터 읽기 불가)"
                damage.append(unreadable(reason, error.frame))
        return Episode(self.name, metadata, _table(file, config), tuple(footage), tuple(damage))


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
        elif shape[0] > MAX_FRAMES or shape[1] * shape[2] > MAX_PIXELS:
            yield unreadable(f"{IMAGES}{camera} 너무 큼 {shape}")
    if max(counts.values(), default=0) > MAX_FRAMES:
        yield unreadable(f"너무 김 (최대 {MAX_FRAMES}프레임)")


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
    """Stored pictures have no clock and no size that a rule is about. Raises VideoError."""
    eye = Eye()
    for picture in _pictures(_dataset(file, IMAGES + camera)):
        eye.see(picture[..., GREEN])
    times = np.arange(len(eye.change)) / config.dataset.fps
    return Footage(IMAGES + camera, times, sizes=(), fps=float(config.dataset.fps), looks=eye.seen())


def _pictures(frames: h5py.Dataset) -> Iterator[Picture]:
    for start in range(0, len(frames), PICTURES_AT_ONCE):
        try:
            block: Frames = frames[start : start + PICTURES_AT_ONCE]
        except OSError as error:
            raise VideoError(str(error), start) from error
        yield from block


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
