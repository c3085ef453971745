"""What of ours in the bucket may go, decided from its listing, and its going.

The rule for one cycle is bot.core.tracks.retention; here it meets what lies in the bucket: earlier cycles
keep their best and their last, the flat paths belong to the newest cycle, and a publish that died a day ago
is swept. Foreign checkpoints, and what a later run of the same cycle supersedes, are never even asked about.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.policy import KEEP
from bot.core.tracks.retention import superseded
from bot.shell.bucket.errors import StoreError
from bot.shell.bucket.gathering import DOWN, gather
from bot.shell.bucket.shelf import Listed, unpublish, verify
from bot.shell.bucket.store import ObjectStore
from protocol import paths

DEAD_AFTER_S = 24 * 3600

type Whole = dict[str, tuple[int, int]]
"""Cycle and epoch of each whole checkpoint of ours, by its path."""


@dataclass(frozen=True, slots=True)
class Surplus:
    """A prefix that may go, and why."""

    path: str
    cycle: int
    why: str


def surplus(listed: Iterable[Listed], newest: int, now: float, keep: int = KEEP) -> tuple[Surplus, ...]:
    """What may go while `newest` is the cycle at work; a flat path comes before its cycle's.

    `now` is in seconds since the epoch. Cycles after `newest` are left alone.
    """
    ours = [(each.cycle, each.epoch, each) for each in listed if each.ours]
    whole = {
        each.path: (cycle, epoch)
        for cycle, epoch, each in ours
        if each.complete and cycle is not None and epoch is not None and cycle <= newest
    }
    stale = tuple(
        drop
        for cycle in sorted({cycle for cycle, _ in whole.values()})
        for drop in _stale(whole, cycle, keep if cycle == newest else 1)
    )
    dead = (
        Surplus(each.path, cycle, "never finished, and untouched for a day")
        for cycle, _, each in ours
        if cycle is not None and cycle <= newest and _is_dead(each, now)
    )
    return (*_stale_flat(whole, {each.path for each in stale}, newest), *stale, *dead)


async def take_away(
    store: ObjectStore, listed: Iterable[Listed], drops: Iterable[Surplus]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Takes `drops` away, cycle by cycle, where everything that stays of the cycle is verified first.

    Answers the paths that went, and a line for each cycle whose drops had to stay.
    """
    drops = tuple(drops)
    dropped = {each.path for each in drops}
    gone: list[str] = []
    troubles: list[str] = []
    for cycle in sorted({each.cycle for each in drops}):
        kept = [
            each.path for each in listed if each.cycle == cycle and each.complete and each.path not in dropped
        ]
        try:
            await gather(lambda path: verify(store, path), kept, DOWN)
            for each in drops:
                if each.cycle == cycle:
                    await unpublish(store, each.path)
                    gone.append(each.path)
        except StoreError as error:
            troubles.append(f"cycle {cycle} keeps what could go: {error}")
    return tuple(gone), tuple(troubles)


def _stale(whole: Whole, cycle: int, keep: int) -> tuple[Surplus, ...]:
    own = [epoch for path, (_, epoch) in whole.items() if path == paths.act_epoch(epoch, cycle)]
    _, best = whole.get(paths.act_best(cycle), (cycle, None))
    why = f"neither the best of cycle {cycle} nor among its last {keep}"
    return tuple(Surplus(paths.act_epoch(epoch, cycle), cycle, why) for epoch in superseded(own, best, keep))


def _stale_flat(whole: Whole, stale: set[str], newest: int) -> tuple[Surplus, ...]:
    """Copies that go with their cycle's checkpoint, or whose cycle's stays while the newest has its first."""
    flat = {path: place for path, place in whole.items() if path == paths.act_epoch(place[1])}
    begun = any(cycle == newest for cycle, _ in flat.values())
    found: list[Surplus] = []
    for path, (cycle, epoch) in flat.items():
        own = paths.act_epoch(epoch, cycle)
        if own in stale:
            found.append(Surplus(path, cycle, f"goes with {own}"))
        elif begun and cycle < newest and own in whole:
            found.append(Surplus(path, cycle, f"cycle {newest} has begun, and {own} stays"))
    return tuple(found)


def _is_dead(one: Listed, now: float) -> bool:
    """A publish of ours that nobody goes on with; what a later run supersedes is not one."""
    return not one.complete and not one.superseded_by and now - one.written_at > DEAD_AFTER_S
