"""Named points of the daemon (bot.shell.stagehand) at which a play can end it, and which ones to choose."""

import random
from collections.abc import Collection
from typing import get_args

from bot.core.effects import Effect

UNPLAYED = {
    "fetch_weights": "another cycle's weights to begin with would be another training",
    "translate_lesson": "no translator plays along",
}
"""Orders no play gives, and why."""

ORDERS = tuple(
    kind
    for order in get_args(get_args(Effect)[0])
    if (kind := order.model_fields["kind"].default) not in UNPLAYED
)


def around(order: str) -> tuple[str, ...]:
    """
    >>> around("post")
    ('post before', 'post during', 'post done')
    """
    return tuple(f"{order} {moment}" for moment in ("before", "during", "done"))


STATES = (
    "cycle none",
    "data awaited",
    "data fetching",
    "data arriving",
    "data checking_ahead",
    "data abandoning",
    "data fetched",
    "data checking",
    "data converting",
    "data admitted",
    "data refused",
    "terms unread",
    "terms judged",
    "terms settled",
    "left nothing",
    "left behind",
    "left bringing",
    "left here",
    "run unstarted",
    "run starting",
    "run training",
    "run stalled",
    "run stopping",
    "run cooling",
    "run held",
    "run ended",
)
"""Phases a play on a processor can come to rest in: no device is probed there."""

LEADING = {
    "freeze trainer": ("run stalled", *around("kill_job")),
    "stop, resume": ("run held", "run stopping", *around("stop_job")),
    "disk full (runs)": ("data refused",),
    "machine lost": (
        *around("bring_back"),
        *(f"left {phase}" for phase in ("behind", "bringing", "here")),
    ),
}
"""Faults without which some points are hardly ever passed."""

DOUBTED = around("verify_checkpoint")
"""Passed only if somebody doubts a checkpoint."""

FETCHED = "data fetched"
"""Passed only if the terms cannot be read so long."""

POINTS = (*(point for order in ORDERS for point in around(order)), *STATES)


def chosen(dice: random.Random, passed: Collection[str], number: int) -> list[str]:
    """Points for one play: those nobody has died at yet come first."""
    fresh = [point for point in POINTS if point not in passed]
    known = [point for point in POINTS if point in passed]
    dice.shuffle(fresh)
    dice.shuffle(known)
    return [*fresh, *known][:number]


def leads_to(fault: str, wanted: Collection[str]) -> bool:
    """Does this fault bring about a point somebody waits for?"""
    return any(point in wanted for point in LEADING.get(fault, ()))
