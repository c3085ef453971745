"""Pictures that were converted before, found again by what they were made of.

A converted file names for each episode its key, the hash of all its pictures were made from and of how, and
one checksum a camera, written last. So a file is at once its own list of what is done: one that a killed job
left behind is gone on with, and of an older data set the episodes that did not change are copied.
"""

import hashlib
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from protocol.training import TrainingConfig
from trainer.episode import Source
from trainer.fingerprint import hash_file, hash_folder
from trainer.store import KEYS, Frames, checksum_map, frame_maps


@dataclass(frozen=True)
class Known:
    """The episodes of a converted file by their keys: number, first and last (exclusive) frame."""

    path: Path | None = None
    places: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def find(self, key: str) -> dict[str, Frames] | None:
        """An episode's pictures by camera (T, H, W, 3), if they are there and as they were written."""
        if self.path is None or key not in self.places:
            return None
        number, start, end = self.places[key]
        pictures = {camera: frames[start:end] for camera, frames in frame_maps(self.path).items()}
        told = checksum_map(self.path)[number].tolist()
        return pictures if told == [checksum(frames) for frames in pictures.values()] else None


def known_in(path: Path) -> Known:
    """What the file at `path` has, however it came to be there; nothing when it is not one of ours."""
    try:
        with h5py.File(path, "r") as file:
            keys, ends = file[KEYS], file["episode_ends"]
            if not isinstance(keys, h5py.Dataset) or not isinstance(ends, h5py.Dataset):
                return Known()
            last = ends[:].tolist()
            first = [0, *last[:-1]]
            named = zip(keys.asstr()[:], range(len(last)), first, last, strict=True)
            return Known(path, {str(key): (number, start, end) for key, number, start, end in named})
    except (OSError, KeyError, ValueError):
        return Known()


def key_of(source: Source, content: str, kept: range, config: TrainingConfig) -> str:
    """Names an episode's pictures by what they are made of: `content`, which frames, cameras, what size.

    Its name counts, too: of two episodes with one content each has a place of its own.
    """
    how = (
        source.name,
        content,
        kept.start,
        kept.stop,
        config.dataset.camera_names,
        config.dataset.image_size,
    )
    return hashlib.sha256(repr(how).encode()).hexdigest()


def content_of(path: Path) -> str:
    """The hash of an episode's folder, or of the file that it lies in."""
    return hash_folder(path) if path.is_dir() else hash_file(path)


def checksum(frames: Frames) -> int:
    """CRC-32 of (T, H, W, 3) pictures."""
    return zlib.crc32(np.ascontiguousarray(frames).data)
