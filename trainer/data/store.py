"""The converted data set: one HDF5 file with LeRobot's keys as names, contiguous, so it can be mapped.

    observation.images.<camera>   uint8    (N, H, W, 3)   RGB
    observation.state             float32  (N, S)
    action                        float32  (N, A)
    episode_ends                  int64    (E,)           exclusive; an episode starts where the last ended
    episode_names                 utf-8    (E,)
    episode_keys                  ascii    (E,)           what each was made of (trainer.converting.reuse), or
                                                          empty: nobody knows yet
    episode_firsts                int64    (E,)           how many frames were cut from each one's head
    episode_checksums             uint32   (E, cameras)   CRC-32C of each one's pictures; 0: not there yet
    attributes of the root        schema, fps, action_names, state_names, camera_names, certificate, config,
                                  stats, versions (all but schema, fps and certificate as JSON)

Frames are early-allocated and never filled (as HDF5 calls it): each converting process writes its own slice
through a memory map at the data set's offset, and the training process may map the file in the same way.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from protocol.training import TrainingConfig
from trainer.process.attempt import JobError

SCHEMA = 1
IMAGES = "observation.images."
STATE = "observation.state"
ACTION = "action"
KEYS = "episode_keys"
FIRSTS = "episode_firsts"
CHECKSUMS = "episode_checksums"
KEY = np.dtype("S64")
"""A hash in hexadecimal. Of a fixed length, so that one is written in its place while others are at work."""

type Frames = NDArray[np.uint8]
type Rows = NDArray[np.float32]
type Stats = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class FrameStore:
    """A converted data set, opened for reading. `frames` are memory maps (N, H, W, 3), by camera."""

    path: Path
    frames: dict[str, Frames]
    state: Rows
    action: Rows
    episode_ends: NDArray[np.int64]
    episode_names: tuple[str, ...]
    fps: int
    action_names: tuple[str, ...]
    state_names: tuple[str, ...]
    stats: Stats
    certificate: str
    config: TrainingConfig

    @property
    def num_frames(self) -> int:
        return len(self.action)

    @property
    def num_episodes(self) -> int:
        return len(self.episode_ends)

    @staticmethod
    def open(path: Path) -> "FrameStore":
        """Raises JobError("bad_data"): not there, not a file of ours, or of another schema."""
        try:
            with h5py.File(path, "r") as file:
                return _read(path, file)
        except FileNotFoundError as error:
            raise JobError(
                "bad_data", f"{path} is not there; convert a data set to it, or name another as `data`"
            ) from error
        except (OSError, KeyError, ValueError) as error:
            raise JobError("bad_data", f"{path}: {error}; convert the data set again") from error


def create(
    path: Path,
    *,
    config: TrainingConfig,
    state: Rows,
    action: Rows,
    episode_ends: Sequence[int],
    episode_names: Sequence[str],
    episode_keys: Sequence[str] = (),
    episode_firsts: Sequence[int] = (),
    certificate: str = "",
    versions: Mapping[str, str] | None = None,
) -> dict[str, Frames]:
    """Write everything but the pictures to `path`; returns writable maps for those, by camera.

    The file is whole once the maps are filled; to make it last, `flush` them. Whoever must not show half a
    file creates it under another name.

    Raises:
        OSError: the disk is full; nothing is promised of the file then.
    """
    height, width = config.dataset.image_size
    cameras = len(config.dataset.camera_names)
    shape = (len(action), height, width, 3)
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset(STATE, data=state.astype(np.float32))
        file.create_dataset(ACTION, data=action.astype(np.float32))
        file.create_dataset("episode_ends", data=np.asarray(episode_ends, dtype=np.int64))
        file.create_dataset("episode_names", data=list(episode_names), dtype=h5py.string_dtype())
        file.create_dataset(KEYS, data=np.array(list(episode_keys), KEY))
        file.create_dataset(FIRSTS, data=np.asarray(episode_firsts, dtype=np.int64))
        file.create_dataset(CHECKSUMS, data=np.zeros((len(episode_keys), cameras), np.uint32))
        for camera in config.dataset.camera_names:
            _allocate(file, IMAGES + camera, shape)
        file.attrs.update(_attributes(config, certificate, versions or {}))
        file.attrs["stats"] = json.dumps({ACTION: stats_of(action), STATE: stats_of(state)})
    _claim(path)
    return frame_maps(path, "r+")


def frame_maps(path: Path, mode: Literal["r", "r+", "c"] = "r") -> dict[str, Frames]:
    """The pictures of the file at `path` as memory maps, by camera; writable with `r+`; with `c` what is
    written stays in this process."""
    return {
        camera: np.memmap(path, np.uint8, mode, offset=offset, shape=shape)
        for camera, (offset, shape) in picture_places(path).items()
    }


def picture_places(path: Path) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Where in the file at `path` the pictures lie, in bytes, and their shape (N, H, W, 3), by camera."""
    with h5py.File(path, "r") as file:
        pictures = {
            camera: dataset_in(file, IMAGES + camera)
            for camera in json.loads(_attributes_of(file)["camera_names"])
        }
        return {camera: (each.id.get_offset(), each.shape) for camera, each in pictures.items()}


def checksum_map(path: Path, mode: Literal["r", "r+"] = "r") -> NDArray[np.uint32]:
    """The checksums (E, cameras) of the file at `path`, through a memory map."""
    with h5py.File(path, "r") as file:
        told = dataset_in(file, CHECKSUMS)
        offset, shape = told.id.get_offset(), told.shape
    return np.memmap(path, np.uint32, mode, offset=offset, shape=shape)


def key_map(path: Path, mode: Literal["r", "r+"] = "r") -> NDArray[np.bytes_]:
    """The keys (E,) of the file at `path`, through a memory map.

    Raises:
        ValueError: an older version wrote them.
    """
    with h5py.File(path, "r") as file:
        told = dataset_in(file, KEYS)
        offset, shape, kind = told.id.get_offset(), told.shape, told.dtype
    if kind != KEY:
        raise ValueError(f"{path}: keys of another form")
    return np.memmap(path, KEY, mode, offset=offset, shape=shape)


def complete(path: Path, keys: Sequence[str], certificate: str) -> None:
    """Put in what was not known when the file was created."""
    key_map(path, "r+")[:] = np.array(list(keys), KEY)
    with h5py.File(path, "r+", libver="latest") as file:
        file.attrs["certificate"] = certificate


def stats_of(rows: Rows) -> dict[str, list[float]]:
    """LeRobot's statistics of (N, D) values in float64: population deviation, and one count of frames."""
    exact = rows.astype(np.float64)
    return {
        "mean": exact.mean(axis=0).tolist(),
        "std": exact.std(axis=0).tolist(),
        "min": exact.min(axis=0).tolist(),
        "max": exact.max(axis=0).tolist(),
        "count": [len(exact)],
    }


def sync(path: Path) -> None:
    """Wait until the file is on the disk, what was written through its maps included."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _claim(path: Path) -> None:
    """Take the disk space now, as an error: a full disk under a memory map is a killed process."""
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _allocate(file: h5py.File, name: str, shape: tuple[int, ...]) -> None:
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_layout(h5py.h5d.CONTIGUOUS)
    how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_UINT8, space, how)


def _attributes(config: TrainingConfig, certificate: str, versions: Mapping[str, str]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "fps": config.dataset.fps,
        "action_names": json.dumps(config.action_names),
        "state_names": json.dumps(config.state_names),
        "camera_names": json.dumps(config.dataset.camera_names),
        "certificate": certificate,
        "config": config.model_dump_json(),
        "versions": json.dumps(dict(versions)),
    }


def _read(path: Path, file: h5py.File) -> FrameStore:
    told = _attributes_of(file)
    if told["schema"] != SCHEMA:
        raise ValueError(f"schema {told['schema']}, this version reads {SCHEMA}")
    return FrameStore(
        path=path,
        frames=frame_maps(path),
        state=dataset_in(file, STATE)[:],
        action=dataset_in(file, ACTION)[:],
        episode_ends=dataset_in(file, "episode_ends")[:],
        episode_names=tuple(dataset_in(file, "episode_names").asstr()[:]),
        fps=int(told["fps"]),
        action_names=tuple(json.loads(told["action_names"])),
        state_names=tuple(json.loads(told["state_names"])),
        stats=json.loads(told["stats"]),
        certificate=told["certificate"],
        config=TrainingConfig.model_validate_json(told["config"]),
    )


def dataset_in(file: h5py.File, name: str) -> h5py.Dataset:
    """Raises KeyError."""
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"{name} is not a data set")
    return found


def _attributes_of(file: h5py.File) -> dict[str, Any]:
    return dict(file.attrs)
