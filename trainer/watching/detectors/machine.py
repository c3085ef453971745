"""How the machine bears it: memory that will run out, a device that idles, frames that come too late."""

from itertools import pairwise
from statistics import median

from trainer.watching.facts import Figures, Reading, Seen

LEAST_READINGS = 10
"""Allocators grow in the first epochs and then stand still; before that nothing is said."""

GROWTH_SHARE = 0.01
"""Of all memory, over the readings looked at: less than that is noise."""
STEADY_SHARE = 0.8
"""So many of the steps from one reading to the next must go up: a slope, not a jump."""
FULL_WITHIN_S = 48 * 3600.0

IDLE_BELOW = 0.5
STARVING_ABOVE = 0.2


def memory_growing(seen: Seen) -> dict[str, Figures]:
    """Device memory rises steadily and will be used up: when, if nothing changes."""
    readings = [one for one in seen.readings if one.used_bytes is not None and one.total_bytes]
    last = readings[len(readings) // 2 :]
    if len(readings) < LEAST_READINGS:
        return {}
    slope, total = _slope(last), last[-1].total_bytes or 0
    grown = (last[-1].used_bytes or 0) - (last[0].used_bytes or 0)
    if slope <= 0 or grown < GROWTH_SHARE * total or not _rises(last):
        return {}
    full_in_s = (total - (last[-1].used_bytes or 0)) / slope
    if full_in_s > FULL_WITHIN_S:
        return {}
    return {
        "": {
            "bytes_per_hour": slope * 3600,
            "used_bytes": last[-1].used_bytes or 0,
            "total_bytes": total,
            "full_in_s": full_in_s,
            "epoch": len(seen.history),
        }
    }


def device_idle(seen: Seen) -> dict[str, Figures]:
    """The device computes only a part of the time."""
    shares = [one.busy_share for one in seen.readings if one.busy_share is not None][-LEAST_READINGS:]
    if len(shares) < LEAST_READINGS or max(shares) >= IDLE_BELOW:
        return {}
    return {"": {"busy_share": median(shares), "epoch": len(seen.history)}}


def feed_starving(seen: Seen) -> dict[str, Figures]:
    """A good part of the time is spent waiting for frames."""
    shares = [one.waiting_share for one in seen.readings if one.waiting_share is not None][-LEAST_READINGS:]
    if len(shares) < LEAST_READINGS or min(shares) <= STARVING_ABOVE:
        return {}
    return {"": {"waiting_share": median(shares), "epoch": len(seen.history)}}


def _slope(readings: list[Reading]) -> float:
    """Bytes a second, by least squares."""
    count = len(readings)
    at = sum(one.at_s for one in readings) / count
    used = sum(one.used_bytes or 0 for one in readings) / count
    spread = sum((one.at_s - at) ** 2 for one in readings)
    common = sum((one.at_s - at) * ((one.used_bytes or 0) - used) for one in readings)
    return common / spread if spread else 0.0


def _rises(readings: list[Reading]) -> bool:
    steps = [(later.used_bytes or 0) > (one.used_bytes or 0) for one, later in pairwise(readings)]
    return sum(steps) >= STEADY_SHARE * len(steps)
