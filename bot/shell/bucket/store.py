"""The one interface to a bucket; behind it a folder (folder.py) or GCS (gcs.py).

An object appears whole or not at all. A write declares its CRC32C and is refused if other bytes
arrive; a read is checked before the file takes its place. `if_generation` names what a write may
replace: None whatever is there, 0 nothing, N exactly that generation. Writes and deletes outside
`checkpoints/` raise WriteDenied.
"""

import math
import mimetypes
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.shell.bucket.crc import FileSums

type Progress = Callable[[int, int], None]
"""Told (bytes done, bytes in all), often. Done may fall when a transfer has to begin again."""

IN_MEMORY_BYTES = 16 << 20


def quiet(_done_bytes: int, _total_bytes: int) -> None:
    """Progress nobody watches."""


@dataclass(frozen=True, slots=True)
class Obj:
    """One object at one generation. `crc32c` is base64, `uid` names the write that made it, if known.

    `written_at` is in seconds since the epoch, infinite where nobody said: such an object is never old.
    """

    name: str
    size: int
    crc32c: str
    generation: int
    uid: str = ""
    written_at: float = field(default=math.inf, compare=False)

    def holds(self, size: int, crc32c: str) -> bool:
        return self.size == size and self.crc32c == crc32c


class ObjectStore(Protocol):
    """Every method may raise StoreError; `bot.shell.bucket.errors` says which means what."""

    @property
    def sums(self) -> FileSums:
        """Checksums of local files, remembered."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[Obj]:
        """Every object under `prefix`, in order of name. Raises BadName for one we could not name."""
        ...

    async def list_dirs(self, prefix: str) -> tuple[str, ...]:
        """The next level's prefixes under `prefix`, whole and with their closing `/`, in order."""
        ...

    async def stat(self, name: str) -> Obj | None: ...

    async def get_bytes(self, name: str, *, limit: int = IN_MEMORY_BYTES) -> tuple[bytes, Obj]:
        """Raises NotFound, or TooLarge over `limit` bytes."""
        ...

    async def get_file(
        self, name: str, dest: Path, *, want: Obj | None = None, progress: Progress = quiet
    ) -> Obj:
        """Puts the object at `dest` by one rename. `want` pins its generation, size and checksum.

        Raises:
            NotFound: it is gone, or another generation stands there now.
            IntegrityError: it could not be read as `want` says; what lay at `dest` lies there still.
        """
        ...

    async def put_bytes(self, name: str, data: bytes, *, if_generation: int | None = None) -> Obj: ...

    async def put_file(
        self, name: str, source: Path, *, if_generation: int | None = None, progress: Progress = quiet
    ) -> Obj: ...

    async def copy(
        self,
        source: str,
        dest: str,
        *,
        source_generation: int | None = None,
        if_generation: int | None = None,
    ) -> Obj:
        """Copies inside the bucket, without the bytes passing through here where that is possible."""
        ...

    async def delete(self, name: str, *, if_generation: int | None = None) -> None:
        """What is not there is deleted already."""
        ...

    async def may(self, permissions: Collection[str]) -> frozenset[str]:
        """Which of these IAM permissions (`storage.objects.create`, …) we hold on the whole bucket."""
        ...

    async def close(self) -> None: ...


def content_type(name: str) -> str:
    """The media type an object is stored with; never empty."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
