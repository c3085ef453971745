"""Blocking work in a thread that ends soon after its awaiter is cancelled, not some time later."""

import asyncio
import threading
from collections.abc import Callable

type Stopped = Callable[[], bool]


class Stopping(Exception):
    """Raised in the thread by work that has noticed it is no longer wanted; its awaiter is gone by then."""


async def run_stoppable[T](work: Callable[[Stopped], T]) -> T:
    """Runs `work(stopped)` in a thread; it should ask `stopped()` at least once a piece."""
    stop = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, stop.is_set))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running])
        running.exception()  # seen, so asyncio does not complain that nobody looked
        raise
