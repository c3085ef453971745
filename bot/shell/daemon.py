"""The daemon from its first event to its last. What it is made of is wired in wiring.py."""

import asyncio
import contextlib
import gc
import secrets
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog

from bot.core.events import DaemonWoke
from bot.core.state import expected_job
from bot.settings import Settings
from bot.shell import no_room
from bot.shell.bucket import ObjectStore, open_bucket
from bot.shell.bucket.errors import StoreError
from bot.shell.conversation.courier import Courier
from bot.shell.deciding.desk import STAMPED, Note
from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places
from bot.shell.machine.solitude import alone
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store, StoreUnusable
from bot.shell.stagehand import Stagehand
from bot.shell.wiring import House, furnish

log = structlog.stdlib.get_logger("daemon")

PROGRAM = Path(__file__).resolve().parents[2]
FLUSH_S = 5.0

type Task = asyncio.Task[Any]


class TaskDied(Exception):
    """A part of the daemon ended that never should."""


async def serve(settings: Settings, opened: Callable[..., ObjectStore] = open_bucket) -> None:
    """Run until SIGTERM or SIGINT. `opened` makes the store behind the bucket's URL.

    Raises:
        Fatal: a person has to put something right first.
        TaskDied: a fault of our own; the log has it.
    """
    places = Places(settings.state_dir)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with alone(places):
        async with AsyncExitStack() as stack:
            store = await _open_store(settings, places, stop)
            if store is None:
                return
            stack.push_async_callback(store.close)
            bucket = _open_bucket(settings, Stagehand(settings.rehearsal_dir).opening(opened))
            stack.push_async_callback(bucket.close)
            house = await _furnished(settings, places, store, bucket)
            gc.freeze()  # what is here by now stays; looking through it all stopped the loop for 0.5 s
            await live(house, stop)
    log.info("goodbye")


async def live(house: House, stop: asyncio.Event) -> None:
    """From the first event to the last flush. Every part runs in a task of its own, and none may end."""
    desk = asyncio.create_task(house.desk.run(), name="desk")
    try:
        if not await _awake(house, desk, stop):
            return
        house.clock.start()
        hearing = _tasks({"intake": house.intake.run(house.gateway)})
        working = _tasks(
            {
                "gateway": house.gateway.run(),
                "courier": house.courier.run(),
                "clock": house.clock.run(),
                "memory": house.memory.run(house.gateway),
                "jobs": house.jobs.run(),
                "pulse": house.pulse.run(),
                **({"window": house.window.run()} if house.window else {}),
                **{f"lane {lane.name}": lane.run() for lane in house.lanes},
            }
        )
        try:
            await _until_stopped([desk, *hearing, *working], stop)
            house.pulse.stopping()
            house.clock.stop()
            await _cancelled(hearing)
            await _flushed(house.courier)
        finally:
            await _cancelled([*hearing, *working])
    finally:
        await _cancelled([desk])


async def _awake(house: House, desk: Task, stop: asyncio.Event) -> bool:
    """The first event is taken; False: we were asked to stop before that.

    Raises what ended the desk, if it ends over it: nobody would answer.
    """
    waking = asyncio.create_task(_wake(house), name="waking")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait([waking, desk, stopping], return_when=asyncio.FIRST_COMPLETED)
        if desk.done():
            raise _ended(desk)
        if not waking.done():
            return False
        await waking
        return True
    finally:
        await _cancelled([waking, stopping])


async def _wake(house: House) -> None:
    """The first event: what became of the process that should be running?"""
    expected = expected_job(house.desk.state)
    verdict = "absent"
    if expected is not None:
        run, attempt = expected
        start_owed = await house.store.ask(tables.owes, f"start_job/{run}/{attempt}")
        verdict = house.jobs.adopt(run, attempt, start_owed=start_owed)
    log.info("awake", job=verdict, program=str(PROGRAM))
    await house.desk.tell(Note(event=DaemonWoke(at=STAMPED, house=secrets.token_hex(2), job=verdict)))


# --- what is opened -----------------------------------------------------------


async def _open_store(settings: Settings, places: Places, stop: asyncio.Event) -> Store | None:
    try:
        return await no_room.open_store(settings, places, stop)
    except StoreUnusable as error:
        raise Fatal(str(error)) from None


async def _furnished(settings: Settings, places: Places, store: Store, bucket: ObjectStore) -> House:
    try:
        return await furnish(settings, places, store, bucket)
    except StoreUnusable as error:
        raise Fatal(str(error)) from None


def _open_bucket(settings: Settings, opened: Callable[[str], ObjectStore]) -> ObjectStore:
    try:
        return opened(settings.bucket)
    except StoreError as error:
        raise Fatal(f"BUCKET: {error}") from None


# --- tasks --------------------------------------------------------------------


def _tasks(parts: dict[str, Coroutine[Any, Any, None]]) -> list[Task]:
    return [asyncio.create_task(part, name=name) for name, part in parts.items()]


async def _until_stopped(tasks: list[Task], stop: asyncio.Event) -> None:
    """Returns when asked to stop; raises as soon as any task ends by itself."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    for task in done - {stopping}:
        raise _ended(task)
    log.info("stopping")


def _ended(task: Task) -> Exception:
    """Why we end, too."""
    error = task.exception()
    if isinstance(error, Fatal):
        return error
    if isinstance(error, StoreUnusable):
        return Fatal(str(error))
    log.error("a part of the daemon ended", part=task.get_name(), exc_info=error)
    return TaskDied(f"{task.get_name()} ended: {error!r}")


async def _flushed(courier: Courier) -> None:
    """Say what there is to say, if that goes quickly; the rest waits in the outbox."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(courier.emptied(), FLUSH_S)


async def _cancelled(tasks: list[Task]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
