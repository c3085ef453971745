"""A first start: what did we say here before, on a machine that is gone?"""

import asyncio
from collections.abc import Callable

import structlog

from bot.core.channel.forgotten import unfinished
from bot.core.events import CycleForgotten
from bot.shell.conversation.channel import Channel, SendRefused
from bot.shell.deciding.desk import STAMPED, Desk, Note
from bot.shell.deciding.lanes import Later, pause_s
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store
from protocol import Voice, read_said

log = structlog.stdlib.get_logger("memory")


LOOKED = "memory"
"""The cursor that says that the channel was looked at: a start that is cut short leaves it to the next."""


class Memory:
    """`voice` is ours."""

    def __init__(
        self, desk: Desk, store: Store, voice: Voice, pause: Callable[[int], float] = pause_s
    ) -> None:
        self._desk = desk
        self._store = store
        self._voice = voice
        self._pause = pause

    async def run(self, channel: Channel) -> None:
        """Look once, if there is need; then stay, until cancelled."""
        if self._knows_nothing() and await self._store.ask(tables.cursor, LOOKED) is None:
            await self._recall(channel)
        await asyncio.Event().wait()

    def _knows_nothing(self) -> bool:
        return self._desk.state.cycle is None and not self._desk.state.finished

    async def _recall(self, channel: Channel) -> None:
        failures = 0
        while True:
            try:
                letters = await channel.latest()
                break
            except SendRefused as error:
                log.warning("the channel's past cannot be read", why=str(error))
                return
            except Later:
                failures += 1
                await asyncio.sleep(self._pause(failures))
        ours = (one for one in letters if one.author_id == self._voice.roster.training)
        read = (read_said(one.content, self._voice) for one in ours)
        cycle = unfinished(said for said in read if said is not None)
        if cycle is None:
            await self._store.ask(tables.move_cursor, LOOKED, "")
            return
        log.warning("the channel knows of a cycle that we do not", cycle=cycle)
        forgotten = CycleForgotten(at=STAMPED, cycle=cycle)
        await self._desk.tell(Note(event=forgotten, cursors={LOOKED: str(cycle)}))
