"""Wakes the core at the moments it asks for, and makes everybody look around now and then."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # pyright: ignore[reportMissingTypeStubs]

from bot.core.events import ClockJumped, Ticked
from bot.core.policy import Policy
from bot.core.rhythm.ticks import wake_at
from bot.shell.deciding.desk import STAMPED, Desk, Note, utc_now
from bot.shell.machine.drift import Drift

log = structlog.stdlib.get_logger("clock")

NUDGE_S = 30
LOOK_S = 5.0
SPACING = timedelta(seconds=0.5)
"""A moment that lies in the past comes this much later, so that two ticks never chase each other."""


class Clock:
    """`nudge` looks after what is owed; it runs every NUDGE_S seconds, whatever else happens.

    `wall` is what is taken for the time. `run` must be running for a jump of it to be seen.
    """

    def __init__(
        self,
        desk: Desk,
        policy: Policy,
        nudge: Callable[[], Awaitable[None]],
        wall: Callable[[], datetime] = utc_now,
        look_s: float = LOOK_S,
    ) -> None:
        self._desk = desk
        self._policy = policy
        self._nudge = nudge
        self._wall = wall
        self._drift = Drift(wall, time.monotonic)
        self._look_s = look_s
        self._set_for: datetime | None = None
        self._scheduler: Any = AsyncIOScheduler(  # the library has no types
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        self._scheduler.start()
        self._set_alarms()

    async def run(self) -> None:
        """Look at the clock itself, until cancelled."""
        while True:
            await asyncio.sleep(self._look_s)
            by_s = self._drift.jump_s()
            if by_s is not None:
                log.warning("the clock jumped", by_s=round(by_s))
                await self._desk.tell(Note(event=ClockJumped(at=STAMPED, by_s=by_s)))
                self._set_alarms()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    def set(self) -> None:
        """Set the alarm for what the core wants now. Cheap when nothing has changed."""
        wanted = wake_at(self._desk.state, self._policy)
        if wanted == self._set_for or not self._scheduler.running:
            return
        self._set_for = wanted
        if wanted is None:
            if self._scheduler.get_job("wake"):
                self._scheduler.remove_job("wake")
            return
        moment = datetime.now(UTC) + max(wanted - self._wall(), SPACING)
        self._scheduler.add_job(self._tick, "date", run_date=moment, id="wake", replace_existing=True)

    def _set_alarms(self) -> None:
        """Anew, too: an alarm that was set by the former time would go off at a wrong moment."""
        self._scheduler.add_job(
            self._look_around, "interval", seconds=NUDGE_S, id="nudge", replace_existing=True
        )
        self._set_for = None
        self.set()

    async def _tick(self) -> None:
        self._set_for = None
        await self._desk.tell(Note(event=Ticked(at=STAMPED)))
        self.set()

    async def _look_around(self) -> None:
        self.set()
        await self._nudge()
