"""What follows from several tracks at once: the only place where one moves by itself because of another.

Events that concern several go to each (`step._job_ended`), and so does a person's `retry`.

After each event the joins are tried in order until none applies; the diagram in the docs is drawn from JOINS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.core.effects import Effect, HandOn
from bot.core.moves import Move, now, say
from bot.core.saying import blocked
from bot.core.state import (
    Admitted,
    Arriving,
    Cycle,
    Ended,
    Fetched,
    Named,
    Proven,
    Settled,
    Unproven,
    Unread,
    Unstarted,
    all_safe,
    would_repeat,
)
from bot.core.tracks import data, device, left, mending, run, shelf, weights


@dataclass(frozen=True, slots=True)
class Join:
    """`when` says it in the words of the tracks, `then` what follows."""

    when: str
    then: str
    applies: Callable[[Cycle], bool]
    move: Callable[[Cycle, datetime], Move]


def _named_on_an_unproven_device(cycle: Cycle) -> bool:
    return isinstance(cycle.data, Named) and isinstance(cycle.device, Unproven)


def _named_on_a_proven_device(cycle: Cycle) -> bool:
    return isinstance(cycle.data, Named) and isinstance(cycle.device, Proven)


def _arriving_under_known_terms(cycle: Cycle) -> bool:
    return isinstance(cycle.data, Arriving) and not isinstance(cycle.terms, Unread)


def _fetched_under_known_terms(cycle: Cycle) -> bool:
    return isinstance(cycle.data, Fetched) and not isinstance(cycle.terms, Unread)


def _admitted_under_another_rule(cycle: Cycle) -> bool:
    match cycle.data, cycle.terms, cycle.run:
        case Admitted() as admitted, Settled() as settled, Unstarted():
            return data.rule(admitted.config) != data.rule(settled.config)
        case _:
            return False


def _ready(cycle: Cycle) -> bool:
    match cycle.data, cycle.terms, cycle.run:
        case Admitted() as admitted, Settled() as settled, Unstarted():
            same_rule = data.rule(admitted.config) == data.rule(settled.config)
            here = weights.are_here(cycle) and not left.is_awaited(cycle)
            return not cycle.on_hold and same_rule and here and not would_repeat(cycle)
        case _:
            return False


def _would_repeat_unasked(cycle: Cycle) -> bool:
    return would_repeat(cycle) and cycle.own == "unsaid"


def _best_unsent(cycle: Cycle) -> bool:
    best = cycle.shelf.best
    return isinstance(cycle.run, Ended) and best is not None and best.epoch != best.asked_epoch


def _everything_safe(cycle: Cycle) -> bool:
    return isinstance(cycle.run, Ended) and all_safe(cycle.shelf) and not cycle.shelf.handing_on


def _fetch(cycle: Cycle, at: datetime) -> Move:
    assert isinstance(cycle.data, Named), "the guard has looked"
    return data.fetch(cycle, cycle.data.source, cycle.data.announced, at)


def _probe(cycle: Cycle, at: datetime) -> Move:
    return device.probe(cycle, at)


def _check_ahead(cycle: Cycle, _: datetime) -> Move:
    assert isinstance(cycle.data, Arriving), "the guard has looked"
    assert not isinstance(cycle.terms, Unread), "the guard has looked"
    return data.check_ahead(cycle, cycle.data, cycle.terms.config)


def _check(cycle: Cycle, at: datetime) -> Move:
    assert not isinstance(cycle.terms, Unread), "the guard has looked"
    return data.check(cycle, cycle.terms.config, at)


def _start(cycle: Cycle, at: datetime) -> Move:
    assert isinstance(cycle.terms, Settled), "the guard has looked"
    return run.start(cycle, cycle.terms.config, at)


def _ask_whether_to_repeat(cycle: Cycle, _: datetime) -> Move:
    return now(cycle, own="asked"), say(blocked.repeats(cycle))


def _publish_best(cycle: Cycle, _: datetime) -> Move:
    return shelf.publish_best(cycle)


def _hand_on(cycle: Cycle, _: datetime) -> Move:
    handing_on = now(cycle, shelf=now(cycle.shelf, handing_on=True))
    return handing_on, (HandOn(cycle=cycle.number, run=cycle.run_name),)


JOINS = (
    Join("Named ∧ device Unproven", "Probing", _named_on_an_unproven_device, _probe),
    Join("Named ∧ device Proven", "Fetching", _named_on_a_proven_device, _fetch),
    Join("Arriving ∧ not Unread", "CheckingAhead", _arriving_under_known_terms, _check_ahead),
    Join("Fetched ∧ not Unread", "Checking", _fetched_under_known_terms, _check),
    Join(
        "Admitted ∧ Settled under another data rule ∧ Unstarted",
        "Checking again",
        _admitted_under_another_rule,
        _check,
    ),
    Join(
        "Admitted ∧ Settled ∧ Unstarted ∧ a lost run learned just that",
        "Bringing",
        left.is_ours_to_go_on_from,
        left.bring_back,
    ),
    Join(
        "Admitted ∧ Settled ∧ Unstarted ∧ just as the last cycle was ∧ nobody numbered it",
        "ask first",
        _would_repeat_unasked,
        _ask_whether_to_repeat,
    ),
    Join("Settled to start from a checkpoint ∧ Unstarted", "FetchingWeights", weights.unasked, weights.fetch),
    Join("Admitted ∧ Settled ∧ Unstarted ∧ its weights are here ∧ no hold", "Starting", _ready, _start),
    Join("Held for memory or divergence ∧ Settled otherwise ∧ no hold", "Starting", mending.mended, run.lift),
    Join("Ended ∧ best not sent", "send the best", _best_unsent, _publish_best),
    Join("Ended ∧ all safe", "hand on, then DONE and HANDOFF", _everything_safe, _hand_on),
)


def joined(cycle: Cycle, at: datetime) -> Move:
    """Apply joins until none applies. Each leads forward, so this many rounds always suffice."""
    orders: tuple[Effect, ...] = ()
    for _ in range(len(JOINS) + 1):
        join = next((one for one in JOINS if one.applies(cycle)), None)
        if join is None:
            return cycle, orders
        cycle, more = join.move(cycle, at)
        orders = (*orders, *more)
    raise AssertionError("the joins never come to rest")
