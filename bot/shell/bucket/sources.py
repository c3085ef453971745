"""What is published: a folder of this machine, or a checkpoint that lies in the bucket already."""

import asyncio
import os
from pathlib import Path
from typing import Protocol

from bot.shell.bucket.errors import NotFound
from bot.shell.bucket.gathering import COPIES, UP
from bot.shell.bucket.landing import TEMPORARY
from bot.shell.bucket.layout import MANIFEST, MARKER
from bot.shell.bucket.manifest import File, Manifest
from bot.shell.bucket.names import check_name
from bot.shell.bucket.store import Obj, ObjectStore, Progress


class Source(Protocol):
    at_once: int

    async def files(self) -> tuple[File, ...]:
        """What is to stand in the bucket, in order of path. Raises NotFound when there is nothing."""
        ...

    async def send(self, file: File, name: str, if_generation: int, progress: Progress) -> Obj: ...


class LocalSource:
    """A folder. Files still being written, and a manifest it was fetched with, are left out."""

    at_once = UP

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store, self._folder = store, folder

    async def files(self) -> tuple[File, ...]:
        files = await asyncio.to_thread(self._read)
        if not files:
            raise NotFound(f"{self._folder} holds no files to publish: was the checkpoint saved?")
        return files

    def _read(self) -> tuple[File, ...]:
        paths = (Path(where, file) for where, _, files in os.walk(self._folder) for file in files)
        names = sorted(path.relative_to(self._folder).as_posix() for path in paths)
        return tuple(self._file(check_name(name)) for name in names if not _is_left_out(name))

    def _file(self, name: str) -> File:
        found = self._store.sums.of(self._folder / name)
        return File(path=name, size=found.size, crc32c=found.crc32c)

    async def send(self, file: File, name: str, if_generation: int, progress: Progress) -> Obj:
        path = self._folder / file.path
        return await self._store.put_file(name, path, if_generation=if_generation, progress=progress)


class BucketSource:
    """A checkpoint of ours under `prefix`, copied inside the bucket."""

    at_once = COPIES

    def __init__(self, store: ObjectStore, prefix: str, manifest: Manifest) -> None:
        self._store, self._prefix, self._manifest = store, prefix, manifest

    async def files(self) -> tuple[File, ...]:
        return self._manifest.files

    async def send(self, file: File, name: str, if_generation: int, progress: Progress) -> Obj:
        copied = await self._store.copy(
            self._prefix + file.path, name, source_generation=file.generation, if_generation=if_generation
        )
        progress(copied.size, copied.size)
        return copied


def _is_left_out(name: str) -> bool:
    return name in (MANIFEST, MARKER) or name.rpartition("/")[2].startswith(TEMPORARY)
