"""Waiting for something to happen without asking again and again."""

import asyncio
from collections.abc import Callable


class News:
    """Whoever waits wakes at the next announcement. For one event loop; announcing never blocks."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def announce(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def until(self, true: Callable[[], bool]) -> None:
        """Until `true()`, looked at now and after each announcement."""
        while not true():
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)
