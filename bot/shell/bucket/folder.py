"""A bucket in a folder (`file:///…`): for rehearsals, tests and machines without GCS.

An object is a file; its generation is the file's time of change in nanoseconds, made to grow with
every write. What is being written, and the lock of the writers, lie in `.~bucket/` at the top, so a
plain copy of any folder in it sees whole files only.
"""

import asyncio
import contextlib
import fcntl
import io
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from bot.shell.bucket.crc import PIECE_BYTES, FileSums, crc32c
from bot.shell.bucket.errors import (
    AccessDenied,
    BadName,
    IntegrityError,
    NotFound,
    PreconditionFailed,
    TooLarge,
    Unavailable,
    WriteDenied,
)
from bot.shell.bucket.landing import TEMPORARY, Landing
from bot.shell.bucket.names import check_kind, check_name, check_prefix, check_writable, local_path
from bot.shell.bucket.stoppable import Stopped, Stopping, run_stoppable
from bot.shell.bucket.store import IN_MEMORY_BYTES, Obj, Progress, quiet

OWN = ".~bucket"
LEFT_BEHIND_S = 3600


class FolderStore:
    """See bot.shell.bucket.store.ObjectStore. Several processes may use one folder at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.sums = FileSums()

    async def list(self, prefix: str = "") -> AsyncIterator[Obj]:
        for name in await asyncio.to_thread(self._on_disk, lambda: self._names(check_prefix(prefix))):
            if found := await self.stat(name):
                yield found

    async def list_dirs(self, prefix: str) -> tuple[str, ...]:
        return await asyncio.to_thread(self._on_disk, lambda: self._dirs(check_prefix(prefix)))

    async def stat(self, name: str) -> Obj | None:
        return await asyncio.to_thread(self._on_disk, lambda: self._stat(name))

    async def get_bytes(self, name: str, *, limit: int = IN_MEMORY_BYTES) -> tuple[bytes, Obj]:
        return await asyncio.to_thread(self._on_disk, lambda: self._read(name, limit))

    async def get_file(
        self, name: str, dest: Path, *, want: Obj | None = None, progress: Progress = quiet
    ) -> Obj:
        got = await self._run(lambda stopped: self._fetch(name, dest, want, stopped))
        progress(got.size, got.size)
        return got

    async def put_bytes(self, name: str, data: bytes, *, if_generation: int | None = None) -> Obj:
        return await self._run(lambda stopped: self._put(name, io.BytesIO(data), if_generation, stopped))

    async def put_file(
        self, name: str, source: Path, *, if_generation: int | None = None, progress: Progress = quiet
    ) -> Obj:
        put = await self._run(lambda stopped: self._put_file(name, source, if_generation, stopped))
        progress(put.size, put.size)
        return put

    async def copy(
        self,
        source: str,
        dest: str,
        *,
        source_generation: int | None = None,
        if_generation: int | None = None,
    ) -> Obj:
        def work(stopped: Stopped) -> Obj:
            with self._opened(source, source_generation) as (file, _):
                return self._put(dest, file, if_generation, stopped)

        return await self._run(work)

    async def delete(self, name: str, *, if_generation: int | None = None) -> None:
        await self._run(lambda _stopped: self._delete(name, if_generation))

    async def may(self, permissions: Collection[str]) -> frozenset[str]:
        reads = {each for each in permissions if each.endswith((".get", ".list"))}
        allowed = reads if os.access(self._root, os.R_OK) else set[str]()
        if os.access(self._root, os.W_OK):
            allowed |= set(permissions) - reads
        return frozenset(allowed)

    async def close(self) -> None:
        """Nothing is held open."""

    def sweep(self) -> None:
        """Removes what processes that were killed have left half-written, an hour ago or more."""
        for path in (self._root / OWN).glob(f"{TEMPORARY}*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > LEFT_BEHIND_S:
                    path.unlink()

    # --- the folder itself ----------------------------------------------------

    async def _run[T](self, work: Callable[[Stopped], T]) -> T:
        return await run_stoppable(lambda stopped: self._on_disk(lambda: work(stopped)))

    def _on_disk[T](self, work: Callable[[], T]) -> T:
        """In a thread. A disk that is not mounted is no empty bucket: nothing is missing in it, nor written.

        Raises:
            Unavailable: the folder is away, or was meanwhile.
        """
        self._must_be_there()
        try:
            return work()
        finally:
            self._must_be_there()

    def _must_be_there(self) -> None:
        if not self._root.is_dir():
            raise Unavailable(f"the bucket's folder {self._root} is not there: is its disk mounted?")

    # --- reading, in a thread -------------------------------------------------

    def _names(self, prefix: str) -> tuple[str, ...]:
        return tuple(sorted(self._walk(self._root.joinpath(prefix))))

    def _walk(self, folder: Path) -> Iterator[str]:
        for where, folders, files in os.walk(folder):
            if OWN in folders and Path(where) == self._root:
                folders.remove(OWN)
            for file in (*files, *(each for each in folders if Path(where, each).is_symlink())):
                yield check_name(Path(where, file).relative_to(self._root).as_posix())

    def _dirs(self, prefix: str) -> tuple[str, ...]:
        folder = self._root.joinpath(prefix)
        if not folder.is_dir():
            return ()
        with_files = (each for each in folder.iterdir() if each.name != OWN and _holds_files(each))
        return tuple(sorted(f"{prefix}{each.name}/" for each in with_files))

    def _path(self, name: str) -> Path:
        path = local_path(self._root, name)
        if not _resolved(path, name).is_relative_to(self._root):
            raise BadName(f"{name} is a link that leaves the bucket's folder {self._root}: copy the data in")
        check_kind(path)
        return path

    def _stat(self, name: str) -> Obj | None:
        path = self._path(name)
        try:
            found = self.sums.of(path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except PermissionError as error:
            raise AccessDenied(f"{path} may not be read: correct its permissions") from error
        return Obj(name, found.size, found.crc32c, found.changed_ns, written_at=found.changed_ns / 1e9)

    @contextlib.contextmanager
    def _opened(self, name: str, generation: int | None) -> Generator[tuple[BinaryIO, int]]:
        """The file and its generation; later writes replace the file, never what is open here."""
        path = self._path(name)
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(
                f"{name} is not in the bucket's folder {self._root}: see `training-claw bucket ls`"
            ) from error
        except PermissionError as error:
            raise AccessDenied(f"{path} may not be read: correct its permissions") from error
        with file:
            found = os.fstat(file.fileno()).st_mtime_ns
            if generation is not None and found != generation:
                raise NotFound(f"{name} has been replaced since it was looked up: look again")
            yield file, found

    def _read(self, name: str, limit: int) -> tuple[bytes, Obj]:
        with self._opened(name, None) as (file, generation):
            data = file.read(limit + 1)
        if len(data) > limit:
            raise TooLarge(f"{name} is larger than {limit} bytes: is it the right file?")
        return data, Obj(name, len(data), crc32c(data), generation)

    def _fetch(self, name: str, dest: Path, want: Obj | None, stopped: Stopped) -> Obj:
        with (
            self._opened(name, want.generation if want else None) as (file, generation),
            Landing(dest) as landing,
        ):
            _pour(file, landing, stopped)
            if want and not want.holds(landing.size, landing.crc32c):
                raise IntegrityError(
                    f"{name} is not what its listing says: it was changed in place; try again"
                )
            landing.land()
            return Obj(name, landing.size, landing.crc32c, generation)

    # --- writing, in a thread -------------------------------------------------

    def _put_file(self, name: str, source: Path, if_generation: int | None, stopped: Stopped) -> Obj:
        declared = self.sums.of(source)
        with source.open("rb") as file:
            return self._put(name, file, if_generation, stopped, declared.crc32c)

    def _put(
        self, name: str, file: BinaryIO, if_generation: int | None, stopped: Stopped, declared: str = ""
    ) -> Obj:
        place = self._writable(name)
        (self._root / OWN).mkdir(exist_ok=True)  # and nothing above it
        with Landing(place, self._root / OWN) as landing:
            _pour(file, landing, stopped)
            if declared and landing.crc32c != declared:
                raise IntegrityError(f"{name}: the file changed while it was copied; try again")
            landing.close()
            with self._locked():
                generation = self._next_generation(place, name, if_generation)
                os.utime(landing.temporary, ns=(generation, generation))
                _sync(landing.temporary)
                landing.land()
            return Obj(name, landing.size, landing.crc32c, generation)

    def _writable(self, name: str) -> Path:
        place = local_path(self._root, check_writable(name))
        if _resolved(place.parent, name) != place.parent:
            raise WriteDenied(f"{name} would be written through a link: make it a real folder")
        return place

    def _next_generation(self, place: Path, name: str, if_generation: int | None) -> int:
        """Raises PreconditionFailed unless what stands there is what the writer expects."""
        standing = _generation(place)
        if if_generation is not None and standing != if_generation:
            raise PreconditionFailed(f"{name} was written by somebody else meanwhile: look again")
        return max(time.time_ns(), standing + 1)

    def _delete(self, name: str, if_generation: int | None) -> None:
        place = self._writable(name)
        if not place.exists():
            return
        with self._locked():
            self._next_generation(place, name, if_generation)
            place.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # not empty: the rest of the way up is in use
                for folder in place.parents[: len(Path(name).parents) - 2]:
                    folder.rmdir()

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        (self._root / OWN).mkdir(exist_ok=True)
        with (self._root / OWN / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _resolved(path: Path, name: str) -> Path:
    """Raises BadName."""
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:  # the former up to Python 3.12, for links that lead in a circle
        raise BadName(f"{name} cannot be followed to a file ({error}): put it there itself") from error


def _pour(file: BinaryIO, landing: Landing, stopped: Stopped) -> None:
    while piece := file.read(PIECE_BYTES):
        if stopped():
            raise Stopping
        landing.write(piece)


def _holds_files(folder: Path) -> bool:
    return any(files for _, _, files in os.walk(folder))


def _generation(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
