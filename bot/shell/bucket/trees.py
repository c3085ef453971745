"""A folder of the bucket on disk, kept like the original with as little traffic as possible."""

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.shell.bucket.arriving import RowsHere, nobody_waits, videos_of_rows
from bot.shell.bucket.crc import FileSums
from bot.shell.bucket.errors import BadContent, BadName, NotFound, Unavailable
from bot.shell.bucket.gathering import DOWN, gather
from bot.shell.bucket.names import check_prefix, local_path
from bot.shell.bucket.store import Obj, ObjectStore, Progress, quiet
from bot.shell.bucket.tally import Tally

TEXT_BYTES = 256 << 10
TRIES = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """`files` and `bytes` are all there is now; `new_*` what had to travel; `removed` local extras gone."""

    files: int
    bytes: int
    new_files: int
    new_bytes: int
    removed: int


async def fetch_dataset(
    store: ObjectStore,
    prefix: str,
    dest: Path,
    progress: Progress = quiet,
    rows_here: RowsHere = nobody_waits,
) -> Fetched:
    """Makes the folder `dest` equal to `prefix` in the bucket (or to the one object of that name).

    Unchanged files stay, what else lies in `dest` is removed, and then each other appears whole and verified
    by one rename: whatever is there is right. `rows_here` is told between a simulator's rows and its videos,
    once more if it has to begin again. Safe to repeat after any interruption.

    Raises:
        NotFound: nothing lies there.
        Unavailable: it keeps changing while it is read.
        BadName: an object's name cannot be a file here.
        StoreError: see bot.shell.bucket.errors.
    """
    for _ in range(TRIES):
        folder, objects = await _dataset_at(store, prefix)
        with contextlib.suppress(NotFound):  # replaced since it was listed
            return await fetch_tree(store, folder, objects, dest, progress, rows_here)
    raise Unavailable(f"{prefix} keeps changing while it is read: finish the upload, then hand over again")


async def _dataset_at(store: ObjectStore, prefix: str) -> tuple[str, list[Obj]]:
    """The prefix below which the data's objects lie, and they. Raises NotFound when there are none."""
    if not prefix:
        raise BadName("the whole bucket is no data set: name the folder, say dataset/")
    folder = check_prefix(prefix)
    if objects := [each async for each in store.list(folder)]:
        return folder, objects
    if single := await store.stat(folder.removesuffix("/")):
        return single.name[: single.name.rfind("/") + 1], [single]
    raise NotFound(f"{prefix} holds nothing: upload the data, or name the right folder")


async def fetch_tree(
    store: ObjectStore,
    prefix: str,
    objects: Sequence[Obj],
    dest: Path,
    progress: Progress = quiet,
    rows_here: RowsHere = nobody_waits,
) -> Fetched:
    """Makes `dest` equal to `objects`, all of which lie under `prefix`; each is pinned to its generation."""
    places = {local_path(dest, each.name.removeprefix(prefix)): each for each in objects}
    removed = await asyncio.to_thread(_remove_extras, dest, frozenset(places))
    tally = Tally(sum(each.size for each in objects), progress)
    missing = await _missing(store.sums, places, tally)

    async def fetch(place: Path) -> None:
        wanted = places[place]
        await store.get_file(wanted.name, place, want=wanted, progress=tally.of(wanted.name))

    last = videos_of_rows(places)
    await gather(fetch, [place for place in missing if place not in last], DOWN)
    videos = [place for place in missing if place in last]
    if coming_bytes := sum(places[place].size for place in videos):
        await rows_here(coming_bytes)
    await gather(fetch, videos, DOWN)
    total, new = sum(each.size for each in objects), sum(places[place].size for place in missing)
    return Fetched(len(objects), total, len(missing), new, removed)


async def _missing(sums: FileSums, places: Mapping[Path, Obj], tally: Tally) -> list[Path]:
    """Which are not there as they should be."""

    async def is_there(place: Path) -> bool:
        there = await asyncio.to_thread(_keeps_only, sums, place, places[place])
        if there:
            tally.settled(places[place].name, places[place].size)
        return there

    there = await gather(is_there, places, DOWN)
    return [place for place, found in zip(places, there, strict=True) if not found]


def settle(folder: Path) -> None:
    """Has the disk keep what was fetched into `folder`, names and all: a rename alone does not outlive a

    power cut with the bytes it names, and data that arrived whole would be refused as damaged.
    Blocks; raises OSError, also for a disk that only now proves to be full.
    """
    for where, _, files in os.walk(folder):
        for path in (*(Path(where, file) for file in files), Path(where)):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


async def read_text(store: ObjectStore, name: str, limit: int = TEXT_BYTES) -> str | None:
    """The text of an object, or None when there is no such object.

    Raises:
        TooLarge: it is longer than `limit` bytes.
        BadContent: it is not UTF-8.
    """
    try:
        data, _ = await store.get_bytes(name, limit=limit)
    except NotFound:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadContent(f"{name} is not UTF-8 text (byte {error.start}): save it as UTF-8") from error


def _keeps_only(sums: FileSums, place: Path, wanted: Obj) -> bool:
    """Whether just that lies there; what else does is removed, but for a folder: who fetches says so."""
    if _holds(sums, place, wanted):
        return True
    if not place.is_dir():
        place.unlink(missing_ok=True)
    return False


def _holds(sums: FileSums, place: Path, wanted: Obj) -> bool:
    if not place.is_file() or place.stat().st_size != wanted.size:
        return False
    return wanted.holds(wanted.size, sums.of(place).crc32c)


def _remove_extras(dest: Path, wanted: frozenset[Path]) -> int:
    """Removes every file and link not `wanted`, and folders left empty. Links are never followed."""
    removed = 0
    for where, folders, files in os.walk(dest, topdown=False):
        links = [each for each in folders if Path(where, each).is_symlink()]
        for path in (Path(where, each) for each in (*files, *links)):
            if path not in wanted or path.is_symlink():
                path.unlink()
                removed += 1
        if Path(where) != dest and not any(Path(where).iterdir()):
            Path(where).rmdir()
    return removed
