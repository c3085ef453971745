"""A disk that is full before anything has begun: said, waited for, and left at once when asked to.

Nothing can be remembered, so nothing is taken in; what is said meanwhile is read from the history later.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import structlog

from bot.settings import Settings, to_policy
from bot.shell.conversation.channel import Letter, Mark
from bot.shell.conversation.cramped import Cramped
from bot.shell.conversation.speech import Speech
from bot.shell.discord.gateway import DEFAULT_LIMITS, Gateway
from bot.shell.discord.lifeline import Limits
from bot.shell.machine.places import Places
from bot.shell.machine.supervisor import Supervisor
from bot.shell.remembering.store import ROOM_EVERY_S, NoRoom, Store

log = structlog.stdlib.get_logger("no room")


class Deaf:
    """Whoever speaks now is heard once there is room."""

    def heard(self, letter: Letter) -> None: ...

    def reread(self, letter: Letter) -> None: ...

    def saw(self, mark: Mark) -> None: ...

    def missed_some(self) -> None: ...

    def caught_on(self) -> None: ...


async def open_store(
    settings: Settings, places: Places, stop: asyncio.Event, limits: Limits = DEFAULT_LIMITS
) -> Store | None:
    """The store, as soon as something can be saved in it; None: we were asked to stop first.

    Raises:
        StoreUnusable: it will not do, room or no room.
        Fatal: Discord does not want us.
    """
    try:
        return await _roomy(places)
    except NoRoom as error:
        log.error("no room to save anything: waiting", why=str(error))
    since = datetime.now(UTC)
    waiting = asyncio.create_task(_until_room(places, stop), name="until room")
    saying = asyncio.create_task(_saying_so(settings, places, limits, since), name="saying so")
    try:
        await asyncio.wait([waiting, saying], return_when=asyncio.FIRST_COMPLETED)
        if saying.done():
            saying.result()
        return await waiting
    finally:
        for task in (waiting, saying):
            task.cancel()
        await asyncio.gather(waiting, saying, return_exceptions=True)


async def _roomy(places: Places) -> Store:
    store = await Store.open(places.database)
    if await store.has_room():
        return store
    await store.close()
    raise NoRoom(f"{places.database}: the disk is full; make room there")


async def _until_room(places: Places, stop: asyncio.Event) -> Store | None:
    while not stop.is_set():
        with suppress(NoRoom):
            return await _roomy(places)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), ROOM_EVERY_S)
    return None


async def _saying_so(settings: Settings, places: Places, limits: Limits, since: datetime) -> None:
    """To Watcher, the operators, systemd and whoever asks /healthz, until cancelled. Raises Fatal."""
    gateway = Gateway(settings, Deaf(), _logins(), warn=_logged, limits=limits)
    policy = to_policy(settings)
    cramped = Cramped(gateway, Speech(policy.voice()), _logged, places.path, lambda: "unknown")
    parts: list[Coroutine[Any, Any, None]] = [gateway.run(), _beating(places), cramped.begins()]
    if settings.metrics_port is not None:
        from bot.shell.outlook.window import Window  # noqa: PLC0415  where it is wanted

        window = Window(places, policy, settings.metrics_port, gateway.silent_s, lambda: since)
        parts.append(window.run())
    await asyncio.gather(*parts)


async def _beating(places: Places) -> None:
    """systemd sees a daemon that lives and waits, not one that does not come up."""
    supervisor = Supervisor.of(os.environ)
    supervisor.tell(READY="1")
    while True:
        supervisor.tell(STATUS=f"{places.path}: the disk is full, waiting for room", WATCHDOG="1")
        await asyncio.sleep(supervisor.beat_s)


def _logins() -> Callable[[], Awaitable[int]]:
    """Those of this wait; they cannot be added to the day's."""
    numbers = count(1)

    async def one_more() -> int:
        return next(numbers)

    return one_more


async def _logged(told: str) -> None:
    log.warning("told", what=told)
