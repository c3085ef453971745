"""Discord's ids: milliseconds since 2015 in the upper bits, so that they sort by time.

Format: https://discord.com/developers/docs/reference#snowflakes
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

EPOCH_MS = 1_420_070_400_000
_COUNTER_BITS = 22

REAL_TIME = partial(datetime.now, UTC)


class Mint:
    """Gives out ids, each above the last."""

    def __init__(self, now: Callable[[], datetime] = REAL_TIME) -> None:
        self._now = now
        self._last = 0

    def new(self) -> int:
        since_epoch_ms = int(self._now().timestamp() * 1000) - EPOCH_MS
        self._last = max(self._last + 1, since_epoch_ms << _COUNTER_BITS)
        return self._last
