"""The two kinds of bucket a contract test runs on, and hands that write in them besides ours."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from bot.rehearsal.gcs import FakeGcs, served
from bot.shell.bucket import ObjectStore
from bot.shell.bucket.folder import FolderStore
from bot.shell.bucket.gcs import GcsStore
from bot.shell.bucket.patience import Policy
from bot.shell.bucket.wire import Pace, Wire

HASTE = Pace(
    policy=Policy(base_s=0.001, cap_s=0.002, attempts=4, idle_s=20),
    stall_s=0.2,
    small_s=0.4,
    copy_s=0.4,
    chunk_bytes=256 << 10,
    multipart_bytes=64 << 10,
)
"""As in production, only with smaller pieces and less patience."""


class Bench(Protocol):
    store: ObjectStore

    def seed(self, name: str, data: bytes) -> None:
        """Somebody else writes an object."""
        ...

    def contents(self, prefix: str = "") -> dict[str, bytes]: ...

    def age(self, prefix: str, seconds: float) -> None:
        """What lies there was written so long ago."""
        ...


class FolderBench:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.store: ObjectStore = FolderStore(root)

    def seed(self, name: str, data: bytes) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def contents(self, prefix: str = "") -> dict[str, bytes]:
        return {name: data for name, data in files_in(self._root).items() if _shows(name, prefix)}

    def age(self, prefix: str, seconds: float) -> None:
        for name in self.contents(prefix):
            changed = (self._root / name).stat().st_mtime_ns - int(seconds * 1e9)
            os.utime(self._root / name, ns=(changed, changed))


class GcsBench:
    def __init__(self, fake: FakeGcs, pace: Pace = HASTE) -> None:
        self.fake = fake
        self.wire = Wire(fake.bucket, pace, fake.address)
        self.store: ObjectStore = GcsStore(self.wire)

    def seed(self, name: str, data: bytes) -> None:
        self.fake.put(name, data)

    def contents(self, prefix: str = "") -> dict[str, bytes]:
        return {name: each.data for name, each in self.fake.objects.items() if _shows(name, prefix)}

    def age(self, prefix: str, seconds: float) -> None:
        for name in self.contents(prefix):
            self.fake.objects[name].written_at -= seconds


@asynccontextmanager
async def gcs_bench() -> AsyncIterator[GcsBench]:
    async with fake_gcs() as fake:
        bench = GcsBench(fake)
        try:
            yield bench
        finally:
            await bench.store.close()


@asynccontextmanager
async def fake_gcs() -> AsyncIterator[FakeGcs]:
    async with served(FakeGcs()) as fake:
        yield fake


def _shows(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and not name.startswith(".~")


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path relative to it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def payload(bench: Bench, prefix: str) -> dict[str, bytes]:
    """What lies at a prefix, without our marker and manifest."""
    own = (".training-claw.json", "manifest.json")
    files = {name.removeprefix(prefix): data for name, data in bench.contents(prefix).items()}
    return {name: data for name, data in files.items() if name not in own}
