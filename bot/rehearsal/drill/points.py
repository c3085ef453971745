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
    "freeze trainer": ("run stalled", "kill_job before", "kill_job during", "kill_job done"),
    "stop, resume": ("run held", "run stopping", "stop_job before", "stop_job during", "stop_job done"),
    "disk full (runs)": ("data refused",),
    "machine lost": (
        *(f"bring_back {moment}" for moment in ("before", "during", "done")),
        *(f"left {phase}" for phase in ("behind", "bringing", "here")),
    ),
}
"""Faults without which some points are hardly ever passed."""

DOUBTED = ("verify_checkpoint before", "verify_checkpoint during", "verify_checkpoint done")
"""Passed only if somebody doubts a checkpoint."""

FETCHED = "data fetched"
"""Passed only if the terms cannot be read so long."""

POINTS = (*(f"{order} {moment}" for order in ORDERS for moment in ("before", "during", "done")), *STATES)


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
