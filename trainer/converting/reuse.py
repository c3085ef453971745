"""Pictures that were converted before, found again by what they were made of.

A converted file names for each episode its key, the hash of all its pictures were made from and of how, and
one checksum a camera, written last. So a file is at once its own list of what is done: one that a killed job
left behind is gone on with, and of an older data set the episodes that did not change are copied, whole or
with more of them cut off.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c
import h5py
import numpy as np

from protocol.training import TrainingConfig
from trainer.data.store import FIRSTS, KEYS, Frames, checksum_map, dataset_in, frame_maps

VERSION = 1
"""Raised when the same file would give other pictures than before."""

PIECE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Where:
    """Episode `number` of a file: frames `start` to `end` (exclusive) of it are its own from `first`."""

    number: int
    start: int
    end: int
    first: int


@dataclass(frozen=True)
class Known:
    """The episodes of a converted file by their keys."""

    path: Path | None = None
    places: dict[str, Where] = field(default_factory=dict)

    def only(self, key: str) -> "Known":
        return Known(self.path, {key: self.places[key]}) if key in self.places else Known()

    def find(self, key: str, kept: range) -> dict[str, Frames] | None:
        """An episode's frames `kept` by camera (T, H, W, 3), if they are there and as they were written."""
        if self.path is None or key not in self.places:
            return None
        where = self.places[key]
        own = range(where.first, where.first + where.end - where.start)
        told = checksum_map(self.path)[where.number].tolist()
        if not any(told) or kept.start < own.start or kept.stop > own.stop:
            return None
        pictures = {camera: all_[where.start : where.end] for camera, all_ in frame_maps(self.path).items()}
        if told != [checksum(frames) for frames in pictures.values()]:
            return None
        first = kept.start - own.start
        return {camera: frames[first : first + len(kept)] for camera, frames in pictures.items()}


def known_in(path: Path) -> Known:
    """What the file at `path` has, however it came to be there; nothing when it is not one of ours."""
    return Known(path, {key: where for key, where in episodes_of(path) if key})


def episodes_of(path: Path) -> list[tuple[str, Where]]:
    """The same, one episode after the other; the key of one that is still to come may be empty."""
    try:
        with h5py.File(path, "r") as file:
            keys = dataset_in(file, KEYS).asstr()[:]
            ends = dataset_in(file, "episode_ends")[:].tolist()
            firsts = dataset_in(file, FIRSTS)[:].tolist()
            named = zip(keys, [0, *ends[:-1]], ends, firsts, strict=True)
            return [(str(key), Where(number, *where)) for number, (key, *where) in enumerate(named)]
    except (OSError, KeyError, ValueError):
        return []


def done_in(path: Path) -> int:
    """How many episodes of the file at `path` are whole; 0 when it is not one of ours."""
    try:
        return int(checksum_map(path).any(axis=1).sum())
    except (OSError, KeyError, ValueError):
        return 0


def key_of(name: str, contents: Sequence[str], config: TrainingConfig) -> str:
    """Names an episode's pictures by what they are made of: its cameras' files, and to what size.

    Its name counts, too: of two episodes with one content each has a place of its own. Empty where a content
    is not known.
    """
    how = VERSION, name, tuple(contents), config.dataset.camera_names, config.dataset.image_size
    return hashlib.sha256(repr(how).encode()).hexdigest() if all(contents) else ""


def checksum(frames: Frames, before: int = 0) -> int:
    """CRC-32C of (T, H, W, 3) pictures that come after others; five times as fast as CRC-32."""
    pieces = np.ascontiguousarray(frames).reshape(-1)
    for start in range(
        0, len(pieces), PIECE_BYTES
    ):  # the library takes bytes alone: no second copy of it all
        before = google_crc32c.extend(before, pieces[start : start + PIECE_BYTES].tobytes())
    return before
