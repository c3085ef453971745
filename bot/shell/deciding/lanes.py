"""Carrying out what is owed: one lane a kind of work, so that none holds up another.

In a lane everything goes in order, and nothing is given up: what did not work is tried again, with pauses
that grow and are random, so that many who wait do not come back together.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection

import structlog

from bot.core.effects import Effect
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

    `alarming`: somebody has to do something about it first, so operators are told.
    """

    def __init__(self, why: str, *, alarming: bool = False) -> None:
        super().__init__(why)
        self.alarming = alarming


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures, 10)))  # noqa: S311  jitter


class Lane:
    """`alarm` is told (key, why) once for an effect that somebody has to help along."""

    def __init__(
        self,
        name: str,
        kinds: Collection[str],
        store: Store,
        carry: Carry,
        alarm: Callable[[str, str], Awaitable[None]],
        pause: Callable[[int], float] = pause_s,
    ) -> None:
        self.name = name
        self._kinds = kinds
        self._store = store
        self._carry = carry
        self._alarm = alarm
        self._pause = pause
        self._woken = asyncio.Event()
        self._alarmed: set[str] = set()

    def wake(self) -> None:
        """There may be something new to do."""
        self._woken.set()

    async def run(self) -> None:
        """Carry out what is owed, the oldest first, until cancelled."""
        failures = 0
        while True:
            self._woken.clear()
            owed = await self._store.ask(tables.next_effect, self._kinds)
            if owed is None:
                await self._woken.wait()
            elif await self._carried(owed.effect):
                failures = 0
            else:
                failures += 1
                await asyncio.sleep(self._pause(failures))

    async def _carried(self, effect: Effect) -> bool:
        try:
            await self._carry(effect)
        except Later as error:
            log.warning("later", lane=self.name, key=effect.key, why=str(error))
            await self._store.ask(tables.try_effect, effect.key)
            if error.alarming and effect.key not in self._alarmed:
                self._alarmed.add(effect.key)
                await self._alarm(effect.key, str(error))
            return False
        return True
