"""The left track: what a machine that was lost has left of this cycle in the bucket, to go on from.

A checkpoint of ours that this installation knows nothing of is gone on from exactly as if it lay here, if it
was learned with the same config from the same data; all that its run has published is our run's from then on.
Otherwise the run begins anew and supersedes it.
"""

from datetime import datetime

from bot.core.effects import BringBack
from bot.core.events import BroughtBack, TermsRead
from bot.core.moves import Move, now
from bot.core.state import (
    Admitted,
    Bringing,
    Cycle,
    Here,
    LeftBehind,
    NothingLeft,
    Settled,
    Unstarted,
)
from bot.core.tracks import shelf


def noticed(cycle: Cycle, event: TermsRead) -> Cycle:
    """The bucket was looked at for the terms, and so for this."""
    if event.left is None or not isinstance(cycle.left, NothingLeft):
        return cycle
    return now(cycle, left=event.left)


def is_ours_to_go_on_from(cycle: Cycle) -> bool:
    """Is a run about to begin that had begun before?"""
    match cycle.left, cycle.data, cycle.terms, cycle.run:
        case LeftBehind() as left, Admitted() as data, Settled() as terms, Unstarted():
            return (left.certificate, left.config) == (data.certificate, terms.config.hash)
        case _:
            return False


def is_awaited(cycle: Cycle) -> bool:
    return isinstance(cycle.left, Bringing)


def bring_back(cycle: Cycle, at: datetime) -> Move:
    assert isinstance(cycle.left, LeftBehind), "the guard has looked"
    of, epoch, asked = cycle.left.run, cycle.left.epoch, cycle.asked + 1
    order = BringBack(cycle=cycle.number, run=cycle.run_name, of=of, epoch=epoch, asked=asked)
    return now(cycle, left=Bringing(run=of, epoch=epoch, since=at), asked=asked), (order,)


def brought_back(cycle: Cycle, event: BroughtBack) -> Move:
    """What turned out to be gone or damaged is no reason to wait: the run begins anew."""
    match cycle.left:
        case Bringing(run=run, epoch=event.epoch):
            if not event.whole:
                return now(cycle, left=NothingLeft()), ()
            return now(
                cycle,
                left=Here(run=run, epoch=event.epoch),
                shelf=shelf.adopted(cycle.shelf, event.epochs, event.at),
            ), ()
        case _:
            return cycle, ()
