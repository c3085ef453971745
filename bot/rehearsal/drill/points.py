"""Named points of the daemon (bot.shell.stagehand) at which a play can end it, and which ones to choose."""

import random
from collections.abc import Collection

ORDERS = (
    "post",
    "read_terms",
    "fetch_data",
    "start_job",
    "tell_arrived",
    "stop_job",
    "kill_job",
    "publish_checkpoint",
    "publish_best",
    "publish_curve",
    "forget_checkpoint",
    "hand_on",
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
}
"""Faults without which some points are hardly ever passed."""

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
