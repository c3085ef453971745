"""The daemon's heartbeat: felt by the supervisor for as long as the loop turns and the store answers."""

import asyncio
from collections.abc import Callable

from bot.shell.machine.supervisor import Supervisor
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Backlog
from bot.shell.remembering.store import Store


class Pulse:
    """`headline` says in one line what the daemon is doing."""

    def __init__(self, supervisor: Supervisor, store: Store, headline: Callable[[], str]) -> None:
        self._supervisor = supervisor
        self._store = store
        self._headline = headline

    async def run(self) -> None:
        """Ready from now on; then a beat now and again, until cancelled.

        The store is asked before every beat: a loop that turns and can save nothing is not alive.
        """
        self._supervisor.tell(READY="1")
        while True:
            backlog = await self._store.ask(tables.backlog)
            self._supervisor.tell(STATUS=f"{self._headline()} ({owed(backlog)})", WATCHDOG="1")
            await asyncio.sleep(self._supervisor.beat_s)

    def stopping(self) -> None:
        self._supervisor.tell(STOPPING="1", STATUS="stopping; trainers go on")


def owed(backlog: Backlog) -> str:
    """
    >>> owed(Backlog(parts=2, effects=1, parked=0))
    'owed: 2 messages, 1 other'
    """
    parked = f", parked: {backlog.parked}" if backlog.parked else ""
    return f"owed: {backlog.parts} messages, {backlog.effects} other{parked}"
