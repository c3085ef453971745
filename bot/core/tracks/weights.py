"""The weights track: what a run starts from, if not from its own seed or ImageNet's weights.

A lesson or PLAN.md may name an earlier checkpoint; a fresh run waits until it is here.
"""

from datetime import datetime

from bot.core.effects import FetchWeights
from bot.core.events import WeightsFetched, WeightsRefused
from bot.core.moves import Move, now, say
from bot.core.saying import blocked
from bot.core.state import (
    Cycle,
    FetchingWeights,
    OwnWeights,
    Settled,
    Unstarted,
    WeightsHere,
    WeightsMissing,
)


def wanted(cycle: Cycle) -> str | None:
    """The checkpoint that a run about to start is to start from."""
    if not isinstance(cycle.terms, Settled) or not isinstance(cycle.run, Unstarted):
        return None
    return cycle.terms.config.training.start_from


def unasked(cycle: Cycle) -> bool:
    """Is one wanted that nobody has asked the bucket for? One that is missing is asked for at a retry."""
    path = wanted(cycle)
    return path is not None and (isinstance(cycle.weights, OwnWeights) or cycle.weights.path != path)


def are_here(cycle: Cycle) -> bool:
    """Is nothing wanted, or is it here?"""
    path = wanted(cycle)
    return path is None or cycle.weights == WeightsHere(path=path)


def fetch(cycle: Cycle, at: datetime) -> Move:
    path, asked = wanted(cycle), cycle.asked + 1
    assert path is not None, "the guard has looked"
    order = FetchWeights(cycle=cycle.number, run=cycle.run_name, path=path, asked=asked)
    return now(cycle, weights=FetchingWeights(path=path, since=at), asked=asked), (order,)


def fetched(cycle: Cycle, event: WeightsFetched) -> Move:
    if _awaits(cycle, event.path):
        return now(cycle, weights=WeightsHere(path=event.path)), ()
    return cycle, ()


def refused(cycle: Cycle, event: WeightsRefused) -> Move:
    if not _awaits(cycle, event.path):
        return cycle, ()
    missing = WeightsMissing(path=event.path, why=event.problem, since=event.at)
    return now(cycle, weights=missing), say(blocked.no_checkpoint_to_start_from(event.problem))


def _awaits(cycle: Cycle, path: str) -> bool:
    return isinstance(cycle.weights, FetchingWeights) and cycle.weights.path == path
