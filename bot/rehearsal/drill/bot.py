"""The daemon as its supervisor keeps it: what ends by itself is started again, and noted."""

import asyncio
import time
from collections.abc import Callable

from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.processes import Daemon
from protocol.roster import Roster

UP_S = 120.0
REFUSED = 2
_ROSTER = Roster()


class Refused(Exception):
    """It will not run (exit 2); the message is what it said last."""


class Bot:
    """`fell(status)` is told of every end that nobody here brought about."""

    def __init__(self, daemon: Daemon, discord: DiscordServer, fell: Callable[[int], None]) -> None:
        self._daemon = daemon
        self._discord = discord
        self._fell = fell
        self._mutex = asyncio.Lock()
        self._wanted = asyncio.Event()
        self.born_at = 0.0

    @property
    def pid(self) -> int:
        return self._daemon.pid

    async def keep(self) -> None:
        """Start it again whenever it ends by itself, until cancelled.

        Raises:
            Refused: it will not run without a person's help.
        """
        while True:
            await self._wanted.wait()
            await self._daemon.wait()
            async with self._mutex:
                status = self._daemon.status
                if status is None or not self._wanted.is_set():
                    continue  # somebody here has ended it, and perhaps started it again
                self._fell(status)
                if status == REFUSED:
                    raise Refused(self._daemon.last_words())
                await self._started()

    async def start(self) -> None:
        """Start it and wait until it is in the channel."""
        async with self._mutex:
            await self._started()
        await self.in_the_channel()

    async def kill(self) -> None:
        async with self._mutex:
            self._wanted.clear()
            await self._daemon.kill()
        await self._gone()

    async def stop(self) -> None:
        """SIGTERM, patience, SIGKILL."""
        async with self._mutex:
            self._wanted.clear()
            await self._daemon.stop()
        await self._gone()

    async def refuses(self) -> str:
        """Start it where it must not run: what it says before it exits with status 2.

        Raises:
            Refused: it runs, or leaves with another status.
        """
        async with self._mutex:
            await self._daemon.start()
            try:
                async with asyncio.timeout(UP_S):
                    status = await self._daemon.wait()
            except TimeoutError:
                await self._daemon.kill()
                raise Refused("it runs, and should have refused") from None
        if status != REFUSED:
            raise Refused(f"it left with status {status}: {self._daemon.last_words()}")
        return self._daemon.last_words()

    async def in_the_channel(self) -> None:
        async with asyncio.timeout(UP_S):
            await self._discord.gateway.until_connected(_ROSTER.training)

    async def _started(self) -> None:
        await self._gone()
        await self._daemon.start()
        self.born_at = time.monotonic()
        self._wanted.set()

    async def _gone(self) -> None:
        """Wait until its connection has ended: else the old one would pass for the new."""
        async with asyncio.timeout(UP_S):
            await self._discord.gateway.until(lambda: not self._discord.gateway.connected(_ROSTER.training))
