"""A run that goes on from a lost one takes over what that one has published of this cycle.

Nothing is superseded by that: the weights are those it would have come to itself. So the checkpoints go on
standing for readers, from now on under the name of the run that goes on, and retention counts them.
"""

from bot.shell.bucket.gathering import DOWN, gather
from bot.shell.bucket.layout import MANIFEST, MARKER
from bot.shell.bucket.manifest import Manifest
from bot.shell.bucket.placing import Standing, look
from bot.shell.bucket.shelf import places_of
from bot.shell.bucket.store import ObjectStore
from protocol import paths


async def adopt(store: ObjectStore, cycle: int, of: str, epoch: int, run: str) -> tuple[int, ...]:
    """What `of` has published of `cycle` up to `epoch`, checkpoints and best, is `run`'s from now on.

    Answers the epochs whose checkpoint stands whole at the cycle's path. Files stay as they are; what is not
    whole stays with `of`, to be superseded. Safe to repeat after any interruption.
    """
    prefixes = await places_of(store, cycle)

    async def taken_over(prefix: str) -> Manifest | None:
        standing = await look(store, prefix)
        there = standing.manifest
        if not there or there.cycle != cycle or there.epoch > epoch or there.run not in (of, run):
            return None
        return await _renamed(store, prefix, standing, there, run) if standing.is_whole() else None

    manifests = await gather(taken_over, prefixes, DOWN)
    found = zip(prefixes, manifests, strict=True)
    return tuple(one.epoch for prefix, one in found if one and prefix == paths.act_epoch(one.epoch, cycle))


async def _renamed(
    store: ObjectStore, prefix: str, standing: Standing, there: Manifest, run: str
) -> Manifest:
    """The marker first: whoever sweeps goes by it, and a manifest must never be without one."""
    marker = standing.marker
    assert marker is not None, "a manifest is only looked for where a marker stands"
    if marker.run != run:
        mine = marker.model_copy(update={"run": run})
        await store.put_bytes(prefix + MARKER, mine.encoded(), if_generation=standing.generation(MARKER))
    renamed = there.model_copy(update={"run": run})
    if renamed != there:
        await store.put_bytes(
            prefix + MANIFEST, renamed.encoded(), if_generation=standing.generation(MANIFEST)
        )
    return renamed
