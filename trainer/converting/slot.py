"""Pictures on their way into the converted file: resized as they come, written to their place at once."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.converting.reuse import checksum
from trainer.data.store import checksum_map, key_map, picture_places
from trainer.data.video import Picture

type Size = tuple[int, int]


@dataclass
class Slot:
    """Takes the pictures of one camera of one episode, those of the frames in `kept`, in their order.

    `offset` is where the first one goes in the file, in bytes.
    """

    file: int
    offset: int
    kept: range
    size: Size
    taken: int = 0
    checksum: int = 0

    def wants(self, frame: int) -> bool:
        return frame in self.kept

    def put(self, picture: Picture) -> None:
        from trainer.data.pixels import resize  # noqa: PLC0415  # torch: seconds, and only where pictures are kept

        one = picture.reshape(
            1, *picture.shape
        )  # by an index of None torch would not see that it is in one piece
        small = np.ascontiguousarray(resize(one, self.size))
        os.pwrite(self.file, small.data, self.offset + self.taken * small.nbytes)
        self.checksum = checksum(small, self.checksum)
        self.taken += 1


@contextmanager
def slots(path: Path, kept: range, start: int) -> Iterator[Mapping[str, Slot]]:
    """By camera, for an episode whose first picture is frame `start` of the file at `path`."""
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        yield {
            camera: Slot(file, offset + start * height * width * 3, kept, (height, width))
            for camera, (offset, (_, height, width, *_)) in picture_places(path).items()
        }
    finally:
        os.close(file)


def settle(path: Path, number: int, checksums: list[int] | int) -> None:
    """Episode `number` is whole in there; with 0 it is not."""
    checksum_map(path, "r+")[number] = checksums


def key_at(path: Path, number: int) -> str:
    """What episode `number` in there is made of; empty where that is not known yet."""
    return bytes(key_map(path)[number]).decode()


def put_key(path: Path, number: int, key: str) -> None:
    """Episode `number` in there is whole, and made of this. Only then, and only once: see `key_at`."""
    key_map(path, "r+")[number] = key.encode()
