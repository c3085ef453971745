"""What a superseded run wrote is kept aside before a later run of the same cycle writes in its place."""

from collections.abc import Mapping

from bot.shell.bucket.gathering import COPIES, gather
from bot.shell.bucket.layout import MARKER, superseded_prefix
from bot.shell.bucket.manifest import Marker
from bot.shell.bucket.store import Obj, ObjectStore
from protocol import paths


async def keep_former(
    store: ObjectStore, prefix: str, objects: Mapping[str, Obj], former: Marker, run: str
) -> str:
    """Copies `former`'s files among `objects` (keyed by path relative to `prefix`); answers where to.

    Safe to repeat: what is there already stays. A flat path needs none of this, its cycle's copy is kept;
    it answers "" then.
    """
    if not prefix.startswith(paths.checkpoints(former.cycle)):
        return ""
    aside = f"{superseded_prefix(former.cycle)}{former.run}/{prefix.rstrip('/').rpartition('/')[2]}/"
    there = {each.name.removeprefix(aside): each async for each in store.list(aside)}
    files = sorted(objects.keys() & set(former.owns))
    await _mark(store, aside, there, former, tuple(files), run)

    async def copy(path: str) -> None:
        original, copied = objects[path], there.get(path)
        if not copied or not copied.holds(original.size, original.crc32c):
            standing = copied.generation if copied else 0
            await store.copy(
                original.name, aside + path, source_generation=original.generation, if_generation=standing
            )

    await gather(copy, files, COPIES)
    return aside


async def _mark(
    store: ObjectStore, aside: str, there: Mapping[str, Obj], former: Marker, files: tuple[str, ...], run: str
) -> None:
    owned = tuple(sorted({*files, *there} - {MARKER}))
    marker = former.model_copy(update={"path": aside, "owns": owned, "superseded_by": run})
    standing = there[MARKER].generation if MARKER in there else 0
    await store.put_bytes(aside + MARKER, marker.encoded(), if_generation=standing)
