"""A second run of one cycle. Before anything of it appears, the first one's checkpoints stop existing for
readers; their files are kept until the second one's own best stands verified.

The flat `act_best/` is left out: it stands until the next HANDOFF replaces it.
"""

from bot.shell.bucket.gathering import DOWN, gather
from bot.shell.bucket.layout import MANIFEST, MARKER, superseded_prefix
from bot.shell.bucket.manifest import read_marker
from bot.shell.bucket.placing import look
from bot.shell.bucket.shelf import places_of, unpublish, verify
from bot.shell.bucket.store import ObjectStore
from protocol import paths


async def retire_others(store: ObjectStore, cycle: int, run: str) -> tuple[str, ...]:
    """Takes the manifests of other runs of this cycle away; answers the prefixes they lay in.

    Each marker says first who supersedes it, so that nobody takes the rest for a publish that died.
    """
    rivals = await _of_other_runs(store, cycle, run)
    await gather(lambda prefix: _retire(store, prefix, run), rivals, DOWN)
    return rivals


async def clear_superseded(store: ObjectStore, cycle: int, run: str) -> tuple[str, ...]:
    """Takes away what other runs of this cycle have left, once the best of `run` stands verified.

    Answers the prefixes that went. Raises NotFound or IntegrityError when the best does not stand.
    """
    runs = await store.list_dirs(superseded_prefix(cycle))
    kept = [prefix for each in runs for prefix in await store.list_dirs(each)]
    leftovers = (*await _of_other_runs(store, cycle, run), *kept)
    if not leftovers or (await verify(store, paths.act_best(cycle))).run != run:
        return ()
    for prefix in leftovers:
        await unpublish(store, prefix)
    return leftovers


async def _of_other_runs(store: ObjectStore, cycle: int, run: str) -> tuple[str, ...]:
    prefixes = await places_of(store, cycle)
    markers = await gather(lambda prefix: read_marker(store, prefix), prefixes, DOWN)
    return tuple(
        prefix
        for prefix, marker in zip(prefixes, markers, strict=True)
        if marker and marker.cycle == cycle and marker.run != run
    )


async def _retire(store: ObjectStore, prefix: str, run: str) -> None:
    standing = await look(store, prefix)
    if standing.marker and standing.marker.superseded_by != run:
        marker = standing.marker.model_copy(update={"superseded_by": run})
        await store.put_bytes(prefix + MARKER, marker.encoded(), if_generation=standing.generation(MARKER))
    if standing.manifest:
        await store.delete(prefix + MANIFEST, if_generation=standing.generation(MANIFEST))
