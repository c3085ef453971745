"""The checkpoints that lie in the bucket: listing, checking, fetching, taking away."""

import asyncio
import math
from dataclasses import dataclass, field
from pathlib import Path

from bot.shell.bucket.errors import BadContent, IntegrityError, NotFound, WriteDenied
from bot.shell.bucket.gathering import DOWN, gather
from bot.shell.bucket.layout import (
    MANIFEST,
    MARKER,
    cycle_of,
    epoch_of,
    holds_checkpoints,
    is_hidden,
)
from bot.shell.bucket.manifest import Manifest, read_manifest, read_marker
from bot.shell.bucket.names import check_prefix, check_writable, is_nameable
from bot.shell.bucket.placing import look
from bot.shell.bucket.store import ObjectStore, Progress, quiet
from bot.shell.bucket.trees import Fetched, fetch_tree
from protocol.paths import CHECKPOINTS, checkpoints

TRIES = 5
PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Listed:
    """A checkpoint's folder in the bucket.

    `complete` means it has our manifest. One that is not `ours` is foreign: usable as a starting
    point, never touched; its cycle and epoch are what its path says, and `run` is empty. `written_at`
    (seconds since the epoch) is when one of ours that is not complete was last written to.
    """

    path: str
    cycle: int | None
    epoch: int | None
    ours: bool
    complete: bool
    run: str = ""
    superseded_by: str = ""
    written_at: float = field(default=math.inf, compare=False)


async def list_checkpoints(store: ObjectStore) -> tuple[Listed, ...]:
    """Every checkpoint under `checkpoints/`, the cycles' and what was set aside too, in order of path."""
    prefixes = await _checkpoints_under(store, CHECKPOINTS)
    return await gather(lambda prefix: _listed(store, prefix), sorted(prefixes), DOWN)


async def places_of(store: ObjectStore, cycle: int) -> list[str]:
    """The prefixes in which checkpoints of `cycle` may lie, in order: its own, and the card's flat ones."""
    flat = [each for each in await store.list_dirs(CHECKPOINTS) if epoch_of(each) is not None]
    own = [each for each in await store.list_dirs(checkpoints(cycle)) if not is_hidden(each)]
    return sorted(each for each in (*flat, *own) if is_nameable(each))


async def _checkpoints_under(store: ObjectStore, above: str) -> list[str]:
    seen = [each for each in await store.list_dirs(above) if not is_hidden(each)]
    holders = [each for each in seen if holds_checkpoints(each)]
    below = await gather(lambda holder: _checkpoints_under(store, holder), holders, DOWN)
    return [each for each in seen if each not in holders] + [each for group in below for each in group]


async def _listed(store: ObjectStore, prefix: str) -> Listed:
    marker = await read_marker(store, prefix) if is_nameable(prefix) else None
    if not marker:
        parent = prefix.removesuffix("/").rpartition("/")[0]
        return Listed(prefix, cycle_of(parent), epoch_of(prefix), ours=False, complete=False)
    try:
        manifest = await read_manifest(store, prefix)
    except BadContent:  # a file of the content we are just replacing
        manifest = None
    if manifest:
        return Listed(prefix, manifest.cycle, manifest.epoch, True, True, manifest.run)
    written_at = max([each.written_at async for each in store.list(prefix)], default=math.inf)
    return Listed(
        prefix, marker.cycle, marker.epoch, True, False, marker.run, marker.superseded_by, written_at
    )


async def verify(store: ObjectStore, prefix: str) -> Manifest:
    """Looks whether every file of a published checkpoint stands there as its manifest says.

    One that is being replaced meanwhile is looked at again, as it is by then.

    Raises:
        NotFound: nothing is published there (any more).
        IntegrityError: names the first file that is missing or other.
    """
    folder = check_prefix(prefix)
    while True:
        manifest = await read_manifest(store, folder)
        if not manifest:
            raise NotFound(f"{folder} is not published: see `training-claw bucket ls`")
        try:
            return await _hold_against(store, folder, manifest)
        except IntegrityError:
            if await read_manifest(store, folder) == manifest:
                raise


async def _hold_against(store: ObjectStore, folder: str, manifest: Manifest) -> Manifest:
    there = {each.name: each async for each in store.list(folder)}
    for file in manifest.files:
        found = there.get(folder + file.path)
        if not found:
            raise IntegrityError(f"{folder}{file.path} is missing: publish that checkpoint anew")
        if not found.holds(file.size, file.crc32c) or found.generation != file.generation:
            raise IntegrityError(
                f"{folder}{file.path} is not what was published: publish that checkpoint anew"
            )
    return manifest


async def fetch_checkpoint(
    store: ObjectStore, prefix: str, dest: Path, progress: Progress = quiet, *, pause_s: float = PAUSE_S
) -> tuple[Manifest, Fetched]:
    """Makes `dest` equal to a published checkpoint; never a mix of two, though one is being replaced.

    While there is none it looks again, `pause_s` seconds later and then at growing intervals.

    Raises:
        NotFound: nothing is published there, or it was replaced again and again while we read.
    """
    folder = check_prefix(prefix)
    for tried in range(1, TRIES + 1):
        try:
            manifest = await read_manifest(store, folder)
            if not manifest:
                raise NotFound(f"{folder} is not published: see `training-claw bucket ls`")
            objects = [file.object_under(folder) for file in manifest.files]
            return manifest, await fetch_tree(store, folder, objects, dest, progress)
        except NotFound:
            if tried == TRIES:
                raise
            await asyncio.sleep(pause_s * 2 ** (tried - 1))
    raise AssertionError("the last try raises")


async def unpublish(store: ObjectStore, prefix: str) -> int:
    """Takes a checkpoint of ours away, its manifest first; answers how many files that were.

    Only what we wrote goes. Nothing there is nothing to do.

    Raises:
        WriteDenied: the prefix is not ours.
    """
    folder = check_prefix(prefix)
    check_writable(folder + MANIFEST)
    standing = await look(store, folder)
    if not standing.objects:
        return 0
    if not standing.marker:
        raise WriteDenied(f"{folder} carries no marker of ours: what we did not write is never deleted")
    owned = sorted(standing.objects.keys() & set(standing.marker.owns))
    if standing.manifest:
        await store.delete(folder + MANIFEST, if_generation=standing.generation(MANIFEST))
    await gather(
        lambda path: store.delete(folder + path, if_generation=standing.generation(path)), owned, DOWN
    )
    await store.delete(folder + MARKER, if_generation=standing.generation(MARKER))
    return len(owned)
