"""CRC32C as GCS writes it: base64 of four big-endian bytes.

https://cloud.google.com/storage/docs/json_api/v1/objects#crc32c
"""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import google_crc32c

from bot.shell.bucket.errors import IntegrityError
from bot.shell.bucket.names import check_kind

PIECE_BYTES = 1 << 20

_RACY_NS = 50_000_000
"""A file touched this recently may change again without its time of change showing it."""

_extend = cast("Callable[[int, bytes], int]", google_crc32c.extend)  # pyright: ignore[reportUnknownMemberType]


class Crc32c:
    """A checksum that grows with the bytes it is shown."""

    def __init__(self, data: bytes = b"") -> None:
        self._value = _extend(0, data)

    def update(self, piece: bytes) -> None:
        self._value = _extend(self._value, piece)

    @property
    def text(self) -> str:
        return base64.b64encode(self._value.to_bytes(4, "big")).decode()


def crc32c(data: bytes) -> str:
    return Crc32c(data).text


@dataclass(frozen=True, slots=True)
class FileSum:
    """What a file held at one moment: bytes, checksum, and its time of change in ns since the epoch."""

    size: int
    crc32c: str
    changed_ns: int


class FileSums:
    """Checksums of local files, remembered, so that an unchanged 1 GB tree is read once in a process."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, FileSum]] = {}

    def of(self, path: Path) -> FileSum:
        """Reads the file unless it is known and unchanged. Blocks: call it in a thread.

        Raises:
            IntegrityError: it changed while being read.
            BadName: it is no file.
            FileNotFoundError: there is no such file.
        """
        inode, known = self._known.get(str(path), (-1, None))
        state = path.stat()
        if known and (inode, known.size, known.changed_ns) == (
            state.st_ino,
            state.st_size,
            state.st_mtime_ns,
        ):
            return known
        read = _read(path)
        if time.time_ns() - read.changed_ns > _RACY_NS:
            self._known[str(path)] = (state.st_ino, read)
        return read


def _read(path: Path) -> FileSum:
    check_kind(path)
    crc, size = Crc32c(), 0
    before = path.stat()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            crc.update(piece)
            size += len(piece)
    after = path.stat()
    if size != after.st_size or before.st_mtime_ns != after.st_mtime_ns or before.st_ino != after.st_ino:
        raise IntegrityError(f"{path} changed while it was read: wait until it is written, then try again")
    return FileSum(size, crc.text, after.st_mtime_ns)
