"""Carrying out what is owed: one lane a kind of work, so that none holds up another.

In a lane everything goes in order, and nothing is given up: what did not work is tried again, with pauses
that grow and are random, so that many who wait do not come back together. Where the other side is away
everybody waits; what fails by itself waits for its own time, and what need not stay behind it goes on.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.core.effects import Effect
from bot.core.events import PutOff
from bot.shell.deciding.desk import utc_now
from bot.shell.deciding.precedence import stays_behind
from bot.shell.deciding.troubles import named
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store

log = structlog.stdlib.get_logger("lanes")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""What was away for hours is taken up again within a minute of its return."""

type Carry = Callable[[Effect], Awaitable[None]]
"""Carries an effect out and settles it; raises Later when it did not work this time."""


class Later(Exception):
    """It did not work now and may work later. `str()` is one line.

    `alarming`: not by itself, so it waits for its own time, and operators are told `where` to look and the
    `remedy`. What many orders meet at once goes by one name, `about`, and is told once.
    """

    def __init__(
        self, why: str, *, alarming: bool = False, about: str = "", where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(why)
        self.alarming = alarming
        self.about = about
        self.where = where
        self.remedy = remedy


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures, 10)))  # noqa: S311  jitter


@dataclass(frozen=True, slots=True)
class _Delay:
    """Of an order that failed so often: not before `again` on the loop's clock; `about` is its alarm."""

    failures: int
    again: float
    about: str
    told: PutOff


class Lane:
    """`alarm` is told once of what somebody has to help along, with the order that met it first.

    `now` is what the daemon takes for the time.
    """

    def __init__(
        self,
        name: str,
        kinds: Collection[str],
        store: Store,
        carry: Carry,
        alarm: Callable[[Effect, Later], Awaitable[None]],
        pause: Callable[[int], float] = pause_s,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name
        self._kinds = kinds
        self._store = store
        self._carry = carry
        self._alarm = alarm
        self._pause = pause
        self._now = now
        self._woken = asyncio.Event()
        self._delays: dict[str, _Delay] = {}

    def wake(self) -> None:
        """There may be something new to do."""
        self._woken.set()

    def put_off(self) -> tuple[PutOff, ...]:
        """What did not work and is tried again, the longest owed first."""
        return tuple(delay.told for delay in self._delays.values())

    async def run(self) -> None:
        """Carry out what is owed, until cancelled."""
        while True:
            self._woken.clear()
            owed = await self._store.ask(tables.owed_effects, self._kinds)
            self._delays = {one.key: self._delays[one.key] for one in owed if one.key in self._delays}
            order = self._due(owed)
            if order is None:
                await self._rest()
            else:
                await self._carried(order)

    def _due(self, owed: Sequence[Effect]) -> Effect | None:
        """The oldest whose time has come and that stays behind none before it."""
        now, before = asyncio.get_running_loop().time(), list[Effect]()
        for order in owed:
            delay = self._delays.get(order.key)
            is_due = delay is None or delay.again <= now
            if is_due and not any(stays_behind(order, one) for one in before):
                return order
            before.append(order)
        return None

    async def _rest(self) -> None:
        """Until there may be something new, or the next one's time has come."""
        now = asyncio.get_running_loop().time()
        soonest = min((one.again for one in self._delays.values() if one.again > now), default=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(soonest):
                await self._woken.wait()

    async def _carried(self, order: Effect) -> None:
        try:
            await self._carry(order)
        except Later as error:
            pause = await self._delayed(order, error)
            if not error.alarming:
                await asyncio.sleep(pause)
        else:
            self._delays.pop(order.key, None)

    async def _delayed(self, order: Effect, error: Later) -> float:
        """Note it, and tell operators of what is new to them. Returns the pause in seconds."""
        former, what = self._delays.get(order.key), named(order)
        failures = former.failures + 1 if former else 1
        pause = self._pause(failures)
        log.warning(
            "later", what=what, why=str(error), key=order.key, lane=self.name, pause_s=round(pause, 1)
        )
        again_at = self._now() + timedelta(seconds=pause)
        await self._store.ask(tables.put_off, order.key, str(error), again_at)
        about = (error.about or order.key) if error.alarming else former.about if former else ""
        is_known = any(one.about == about for one in self._delays.values())
        self._delays[order.key] = _Delay(
            failures=failures,
            again=asyncio.get_running_loop().time() + pause if error.alarming else 0,
            about=about,
            told=PutOff(what=what, why=str(error), again_at=again_at),
        )
        if error.alarming and not is_known:
            await self._alarm(order, error)
        return pause
