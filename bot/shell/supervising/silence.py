"""How long a job has said nothing, measured against its own promise and hardly ever by the wall clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from protocol.progress import Line

FIRST_PROMISE_S = 600.0
"""Until the first line: Python, torch and LeRobot come from a disk that may be cold."""
BEGIN_S = 60.0
"""Until systemd has begun what it was asked for."""


@dataclass(slots=True)
class Silence:
    """`patience_s` says how long a promise of so many seconds is waited for.

    `heard_at` is when the newest word was said, by the job's own clock.
    """

    patience_s: Callable[[float], float]
    heard_at: datetime
    clock: Callable[[], float] = time.monotonic
    promised_s: float = FIRST_PROMISE_S
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def heard(self, line: Line, now: datetime | None = None) -> None:
        """`now` tells how old the line is, as after a restart. Half the patience is left however old that is:
        a clock that jumped makes lines look old, and a job that is well has spoken by then."""
        self.heard_at, self.promised_s = line.at, line.next_within_s
        old_s = (now - line.at).total_seconds() if now else 0.0
        self._since = self.clock() - min(max(0.0, old_s), self.patience_s(line.next_within_s) / 2)

    def is_too_long(self) -> bool:
        """True once, and then once more after each further silence of that length."""
        if self.clock() - self._since <= self.patience_s(self.promised_s):
            return False
        self._since = self.clock()
        return True
