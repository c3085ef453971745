"""What a person asks of the bucket by hand; `command.py` words and shows it."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bot.core.policy import KEEP
from bot.shell.bucket.errors import BadContent, BadName, IntegrityError, NotFound, PreconditionFailed
from bot.shell.bucket.landing import TEMPORARY
from bot.shell.bucket.layout import cycle_of, epoch_of, holds_checkpoints, is_hidden
from bot.shell.bucket.manifest import Manifest, Meta, read_manifest
from bot.shell.bucket.names import check_prefix, check_writable
from bot.shell.bucket.placing import Label, Placed, look, place
from bot.shell.bucket.rereading import reread
from bot.shell.bucket.retention import Surplus, surplus
from bot.shell.bucket.shelf import Listed, fetch_checkpoint, list_checkpoints, verify
from bot.shell.bucket.sources import LocalSource
from bot.shell.bucket.store import Obj, ObjectStore, Progress
from bot.shell.bucket.trees import Fetched, fetch_dataset
from protocol.paths import CHECKPOINTS

BY_HAND = "by-hand"
"""The run that a checkpoint pushed by a person belongs to."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a listing: an object, or all that lies in a folder (its name ends in `/`)."""

    name: str
    objects: int
    bytes: int


async def rows_at(store: ObjectStore, name: str) -> tuple[Row, ...]:
    """The next level below `name`, or the one object of that name. Raises NotFound when there is neither."""
    folder, rows = check_prefix(name), dict[str, tuple[int, int]]()
    async for each in store.list(folder):
        head, slash, _ = each.name.removeprefix(folder).partition("/")
        objects, size = rows.get(folder + head + slash, (0, 0))
        rows[folder + head + slash] = (objects + 1, size + each.size)
    if not rows:
        single = await stat_at(store, name)
        return (Row(single.name, 1, single.size),)
    return tuple(Row(path, *found) for path, found in sorted(rows.items()))


async def stat_at(store: ObjectStore, name: str) -> Obj:
    found = await store.stat(name.removesuffix("/")) if name else None
    if not found:
        raise NotFound(f"{name or 'the bucket'} holds nothing: see `training-claw bucket ls` one level up")
    return found


async def published_below(store: ObjectStore, name: str) -> tuple[Listed, ...]:
    """The checkpoints at `name` or below it. Raises NotFound when there are none."""
    below = [each for each in await list_checkpoints(store) if each.path.startswith(check_prefix(name))]
    if not below:
        raise NotFound(
            f"{name or 'the bucket'} holds no checkpoint: see `training-claw bucket ls` one level up"
        )
    return tuple(below)


async def broken_manifest(store: ObjectStore, one: Listed) -> str:
    """Why one of ours that counts as unfinished is none: its manifest is there and says nothing."""
    try:
        await read_manifest(store, one.path)
    except BadContent as error:
        return str(error) if one.ours else ""
    return ""


async def faults_of(store: ObjectStore, prefix: str, progress: Progress, *, quick: bool) -> tuple[str, ...]:
    """What of a published checkpoint is not as its manifest says, a line each; `quick` stops at the first."""
    if not quick:
        return (await reread(store, prefix, progress)).faults
    try:
        await verify(store, prefix)
    except IntegrityError as error:
        return (str(error),)
    return ()


async def pull(
    store: ObjectStore, name: str, dest: Path, progress: Progress, *, mirror: bool
) -> tuple[Manifest | None, Fetched]:
    """A checkpoint by its manifest, anything else as it lies there.

    Raises:
        BadName: `dest` holds other files, and `mirror` does not say that they may go.
    """
    manifest = await read_manifest(store, name) if name.startswith(CHECKPOINTS) else None
    if not mirror:
        folder = check_prefix(name)
        wanted = [file.path for file in manifest.files] if manifest else await _below(store, folder)
        await asyncio.to_thread(_refuse_strays, dest, frozenset(wanted))
    if manifest:
        return await fetch_checkpoint(store, name, dest, progress)
    return None, await fetch_dataset(store, name, dest, progress)


async def push(
    store: ObjectStore, folder: Path, name: str, label: Label, progress: Progress, *, replace: bool
) -> Placed:
    """Publishes `folder` at `name`, as the daemon publishes: marker first, manifest last.

    Raises:
        BadName, WriteDenied: as place_for.
        PreconditionFailed: something else stands there, and `replace` does not say that it may go.
    """
    prefix = place_for(name)
    standing = await look(store, prefix)
    mine = standing.marker is not None and standing.marker.run == label.run
    if standing.objects and not mine and not replace:
        raise PreconditionFailed(f"{prefix} is taken: choose another place, or say --replace")
    return await place(store, prefix, LocalSource(store, folder), label, progress, replaces=replace)


def place_for(name: str) -> str:
    """The prefix that `name` means, if a checkpoint may lie there.

    Raises:
        BadName: none may.
        WriteDenied: nothing of ours may.
    """
    prefix = check_prefix(name)
    if prefix:
        check_writable(prefix.removesuffix("/"))
    above = prefix.removesuffix("/").rpartition("/")[0] + "/"
    if (above != CHECKPOINTS and cycle_of(above) is None) or holds_checkpoints(prefix) or is_hidden(prefix):
        raise BadName(
            f"{prefix or 'the bucket itself'} is no place for a checkpoint: say, {CHECKPOINTS}act_epoch_050/"
        )
    return prefix


def label_of(name: str, run: str, cycle: int | None, epoch: int | None) -> Label:
    """Cycle and epoch as given, or as the path says.

    Raises:
        BadName: neither says, or as place_for, which comes first: elsewhere nobody need say.
        WriteDenied: as place_for.
    """
    prefix = place_for(name)
    cycle = cycle if cycle is not None else cycle_of(prefix.removesuffix("/").rpartition("/")[0])
    epoch = epoch if epoch is not None else epoch_of(prefix)
    if cycle is None or epoch is None:
        missing = " ".join(f"--{what} N" for what, it in (("cycle", cycle), ("epoch", epoch)) if it is None)
        raise BadName(f"{name} does not say which it is: add {missing}")
    return Label(run, cycle, epoch, Meta())


async def droppable(store: ObjectStore, keep: int = KEEP) -> tuple[tuple[Listed, ...], tuple[Surplus, ...]]:
    """All checkpoints, and what of them retention would take away now."""
    listed = await list_checkpoints(store)
    newest = max((each.cycle for each in listed if each.ours and each.cycle is not None), default=0)
    return listed, surplus(listed, newest, time.time(), keep)


async def _below(store: ObjectStore, folder: str) -> list[str]:
    below = [each.name.removeprefix(folder) async for each in store.list(folder)]
    return below or [folder.removesuffix("/").rpartition("/")[2]]


def _refuse_strays(dest: Path, wanted: frozenset[str]) -> None:
    for where, _, files in os.walk(dest):
        for file in files:
            path = Path(where, file).relative_to(dest).as_posix()
            if path not in wanted and not file.startswith(TEMPORARY):
                raise BadName(
                    f"{dest} holds {path}, which the bucket does not: choose an empty folder, or say --mirror"
                )
