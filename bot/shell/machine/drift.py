"""Does the machine's clock run beside time itself? A jump is what the two differ by between two looks.

A clock that is slowly put right never jumps. A machine that slept has: its monotonic clock stood still.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

JUMP_S = 60.0


@dataclass(slots=True)
class Drift:
    """`wall` is what the machine takes for the time, `monotonic` counts seconds and never jumps."""

    wall: Callable[[], datetime]
    monotonic: Callable[[], float]
    _wall: datetime = field(init=False)
    _monotonic: float = field(init=False)

    def __post_init__(self) -> None:
        self._wall, self._monotonic = self.wall(), self.monotonic()

    def jump_s(self) -> float | None:
        """By how much the clock has jumped since the last look, if by more than JUMP_S."""
        wall, monotonic = self.wall(), self.monotonic()
        by_s = (wall - self._wall).total_seconds() - (monotonic - self._monotonic)
        self._wall, self._monotonic = wall, monotonic
        return by_s if abs(by_s) > JUMP_S else None
