"""A first start: what did we say here before, on a machine that is gone?"""

import asyncio
from collections.abc import Callable

import structlog

from bot.core.channel.forgotten import unfinished
from bot.core.events import CycleForgotten
from bot.shell.conversation.channel import Channel, SendRefused
from bot.shell.deciding.desk import STAMPED, Desk, Note
from bot.shell.deciding.lanes import Later, pause_s
from protocol import Voice, read_said

log = structlog.stdlib.get_logger("memory")


class Memory:
    """`first`: nothing was saved here before. `voice` is ours."""

    def __init__(
        self, desk: Desk, voice: Voice, *, first: bool, pause: Callable[[int], float] = pause_s
    ) -> None:
        self._desk = desk
        self._voice = voice
        self._first = first
        self._pause = pause

    async def run(self, channel: Channel) -> None:
        """Look once, if there is need; then stay, until cancelled."""
        if self._first:
            await self._recall(channel)
        await asyncio.Event().wait()

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
        if cycle is not None:
            log.warning("the channel knows of a cycle that we do not", cycle=cycle)
            await self._desk.tell(Note(event=CycleForgotten(at=STAMPED, cycle=cycle)))
