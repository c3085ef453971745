"""How fast training goes: when a line is due, when the next comes at the latest, when all will be done."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

LINE_EVERY_S = 5.0
"""Besides the line at the end of each epoch. A run of days must not fill the disk with its own words."""
PATIENCE_S = 30.0
"""Promised on top of everything measured: a busy machine is not a dead one."""


FIRST_STEP_S = 300.0


@dataclass
class Pace:
    """`clock` counts seconds and never goes back."""

    clock: Callable[[], float] = time.monotonic
    resume_point_every_s: float = 300.0
    slowest_step_s: float = 0.0
    slowest_save_s: float = 30.0
    steps: int = 0
    samples: int = 0
    busy_s: float = 0.0
    stood_still_s: float = 0.0
    _last_step_at: float = field(init=False)
    _last_line_at: float = field(init=False)
    _last_save_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._last_step_at = self._last_line_at = self._last_save_at = self.clock()

    def begins(self) -> None:
        """The first step comes now. Loading, trying recipes and probing memory came before and are none."""
        self._last_step_at = self.clock()

    def stepped(self, samples: int) -> None:
        """An optimizer step ended just now."""
        now = self.clock()
        took_s = now - self._last_step_at
        self._last_step_at = now
        self.slowest_step_s = max(self.slowest_step_s, took_s)
        self.steps += 1
        self.samples += samples
        self.busy_s += took_s

    def stood_still(self, started_at: float) -> None:
        """Since `started_at` no step could go on, because something was copied."""
        self._last_step_at = self.clock()
        self.stood_still_s += self._last_step_at - started_at

    def saving(self) -> None:
        """A save is being written. When the next one is due counts from here."""
        self._last_save_at = self.clock()

    def saved(self, started_at: float) -> None:
        """A folder whose writing was begun at `started_at` is whole. Told by the thread that wrote it."""
        self.slowest_save_s = max(self.slowest_save_s, self.clock() - started_at)

    def line_due(self) -> bool:
        """True at most every LINE_EVERY_S; the caller then says one."""
        return self.clock() - self._last_line_at >= LINE_EVERY_S

    def said(self) -> None:
        self._last_line_at = self.clock()

    def resume_point_due(self) -> bool:
        return self.clock() - self._last_save_at >= self.resume_point_every_s

    def something_due(self) -> bool:
        return self.line_due() or self.resume_point_due()

    @property
    def first_promise_s(self) -> float:
        """For the first step, of which nothing is known yet."""
        return FIRST_STEP_S

    @property
    def promise_s(self) -> float:
        """Within this time the next line comes, though two saves, some usual steps and two as slow as the
        slowest lie between. One that was slow because the machine stood still says little of the others."""
        usual_s = self.busy_s / self.steps if self.steps else 0.0
        steps_s = 10 * usual_s + 2 * self.slowest_step_s
        return PATIENCE_S + LINE_EVERY_S + steps_s + 2 * self.slowest_save_s

    @property
    def samples_per_s(self) -> float:
        return self.samples / self.busy_s if self.busy_s else 0.0

    def share(self, seconds: float) -> float | None:
        """Of the time that all steps took; None before the first one."""
        return min(1.0, seconds / self.busy_s) if self.busy_s else None

    def eta_s(self, samples_left: int) -> float | None:
        """None before the first step."""
        return samples_left / self.samples_per_s if self.samples_per_s else None
