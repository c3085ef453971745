"""Everything wired together: the daemon from its first event to its last."""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bot.core import views
from bot.core.effects import Effect, KillJob, StartJob, StopJob
from bot.core.events import DaemonWoke
from bot.core.policy import Policy
from bot.core.state import State
from bot.core.step import step
from bot.settings import Settings, to_policy
from bot.shell import freight as kinds
from bot.shell.bucket import BucketUrl, ObjectStore, open_bucket
from bot.shell.bucket.errors import StoreError
from bot.shell.conversation.channel import id_at
from bot.shell.conversation.courier import Courier
from bot.shell.conversation.cramped import Cramped
from bot.shell.conversation.door import Door
from bot.shell.conversation.history import History, lookout
from bot.shell.conversation.intake import CURSOR, Intake
from bot.shell.conversation.memory import Memory
from bot.shell.conversation.speech import Speech
from bot.shell.deciding.clock import Clock
from bot.shell.deciding.desk import LATELY, STAMPED, Desk, Note, utc_now
from bot.shell.deciding.lanes import Lane
from bot.shell.discord.gateway import DEFAULT_LIMITS, Gateway
from bot.shell.discord.lifeline import Limits
from bot.shell.freight import Freight
from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places
from bot.shell.machine.pulse import Pulse
from bot.shell.machine.solitude import alone
from bot.shell.machine.supervisor import Supervisor
from bot.shell.remembering import tables
from bot.shell.remembering.store import NoRoom, Store, StoreUnusable
from bot.shell.stagehand import Stagehand
from bot.shell.supervising.jobs import Jobs
from bot.shell.supervising.launch import Process, Unit
from protocol import Voice

if TYPE_CHECKING:
    from bot.shell.outlook.window import Window

log = structlog.stdlib.get_logger("daemon")

PROGRAM = Path(__file__).resolve().parents[2]
FLUSH_S = 5.0
JOBS = ("start_job", "stop_job", "kill_job")
LAUNCHERS: dict[str, type[Process] | type[Unit]] = {"process": Process, "unit": Unit}
FIRST_LOOK_BACK = timedelta(minutes=1)
"""A first start listens to what was said just before it; later ones go on where the last one stopped."""
OLDEST_NEWS = timedelta(days=7)
"""What was said longer ago than this is no longer acted on."""


type Task = asyncio.Task[Any]


class TaskDied(Exception):
    """A part of the daemon ended that never should."""


@dataclass(slots=True)
class House:
    """The daemon's parts, wired."""

    store: Store
    desk: Desk
    intake: Intake
    gateway: Gateway
    courier: Courier
    jobs: Jobs
    clock: Clock
    pulse: Pulse
    memory: Memory
    window: "Window | None"
    lanes: list[Lane] = field(default_factory=list[Lane])

    def wake(self) -> None:
        """Something new may be owed."""
        self.courier.wake()
        for lane in self.lanes:
            lane.wake()
        self.clock.set()

    async def nudge(self) -> None:
        self.wake()
        await self.gateway.look_after()


async def serve(settings: Settings, opened: Callable[[str], ObjectStore] = open_bucket) -> None:
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
            store = await _open_store(places)
            stack.push_async_callback(store.close)
            bucket = _open_bucket(settings, opened)
            stack.push_async_callback(bucket.close)
            house = await furnish(settings, places, store, bucket)
            gc.freeze()  # what is here by now stays; looking through it all stopped the loop for 0.5 s
            await live(house, stop)
    log.info("goodbye")


async def furnish(
    settings: Settings, places: Places, store: Store, bucket: ObjectStore, limits: Limits = DEFAULT_LIMITS
) -> House:
    """Make the parts and introduce them to each other. `limits` are the gateway's."""
    policy = to_policy(settings)
    voice = Voice(roster=policy.roster, operators=policy.operators, timezone=settings.timezone)
    speech = Speech(voice)
    loaded = await store.ask(tables.load)
    state = loaded or State()
    hand = Stagehand(settings.rehearsal_dir)

    def committed() -> None:
        hand.at_rest(house.desk.state)
        house.wake()

    async def warn(told: str) -> None:
        await store.ask(tables.owe_parts, speech.alert(told), utc_now())
        house.wake()

    async def alarm(key: str, why: str) -> None:
        await warn(f"도움이 필요함: {key}. {why}")

    async def nudge() -> None:
        await house.nudge()

    desk = Desk(
        store,
        state,
        policy,
        step=hand.stepping(step),
        speak=speech.parts,
        alert=speech.alert,
        headline=lambda state, gauges, _: views.headline(state, gauges),
        committed=committed,
        now=hand.wall,
        journal=await store.ask(tables.journal, LATELY),
    )
    history = History(lookout(desk, policy, settings.discord_channel_id))
    intake = Intake(
        Door.of(policy, settings.discord_channel_id),
        store,
        desk,
        policy,
        history=history,
        start_after=await _floor(store),
    )
    gateway = Gateway(settings, intake, lambda: count_identify(store), warn=warn, limits=limits)
    house = House(
        store=store,
        desk=desk,
        intake=intake,
        gateway=gateway,
        courier=Courier(
            hand.speaking(gateway),
            store,
            places,
            settings.training_id,
            history=history,
            people=settings.operator_ids,
            alert=speech.alert,
        ),
        jobs=Jobs(places, policy, store, desk, launcher=hand.launcher(LAUNCHERS[settings.launch]())),
        clock=Clock(desk, policy, nudge, hand.wall),
        window=_window(settings, places, policy, gateway.silent_s),
        pulse=Pulse(Supervisor.of(os.environ), store, lambda: views.headline(desk.state, desk.gauges)),
        memory=Memory(desk, voice, first=loaded is None),
    )
    freight = Freight(BucketUrl.parse(settings.bucket), bucket, places, desk)
    cramped = Cramped(gateway, speech, warn, places.path)
    store.cramped, store.relieved = cramped.begins, cramped.ends
    carry = hand.carrying(freight.carry)
    house.lanes = [
        Lane("jobs", JOBS, store, hand.carrying(lambda order: _carry_job(house.jobs, order)), alarm),
        Lane("terms", kinds.TERMS, store, carry, alarm),
        Lane("data", kinds.DATA, store, carry, alarm),
        Lane("shelf", kinds.SHELF, store, carry, alarm),
        Lane("verifying", kinds.VERIFYING, store, carry, alarm),
    ]
    return house


async def live(house: House, stop: asyncio.Event) -> None:
    """From the first event to the last flush. Every part runs in a task of its own, and none may end."""
    desk = asyncio.create_task(house.desk.run(), name="desk")
    try:
        await _awake(house, desk)
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


async def count_identify(store: Store) -> int:
    """One more login today (UTC); answers how many that makes."""
    today = utc_now().date().isoformat()
    day, _, count = (await store.ask(tables.cursor, "identifies") or "").partition(" ")
    number = int(count) + 1 if day == today else 1
    await store.ask(tables.move_cursor, "identifies", f"{today} {number}")
    return number


async def _awake(house: House, desk: Task) -> None:
    """The first event is taken. Raises what ended the desk, if it ends over it: nobody would answer."""
    waking = asyncio.create_task(_wake(house), name="waking")
    try:
        await asyncio.wait([waking, desk], return_when=asyncio.FIRST_COMPLETED)
        if desk.done():
            raise _ended(desk)
        await waking
    finally:
        await _cancelled([waking])


async def _wake(house: House) -> None:
    """The first event: what became of the process that should be running?"""
    expected = views.expected_job(house.desk.state)
    verdict = "absent"
    if expected is not None:
        run, attempt = expected
        start_owed = await house.store.ask(tables.owes, f"start_job/{run}/{attempt}")
        verdict = house.jobs.adopt(run, attempt, start_owed=start_owed)
    log.info("awake", job=verdict, program=str(PROGRAM))
    await house.desk.tell(Note(event=DaemonWoke(at=STAMPED, house=secrets.token_hex(2), job=verdict)))


async def _carry_job(jobs: Jobs, order: Effect) -> None:
    match order:
        case StartJob():
            await jobs.start(order)
        case StopJob() | KillJob():
            await jobs.stop(order)
        case _:
            raise AssertionError(f"{order.kind} is no matter of processes")


async def _floor(store: Store) -> int:
    """The Discord id before which nothing concerns us; a first start remembers its own."""
    if await store.ask(tables.cursor, CURSOR) is None:
        await store.ask(tables.move_cursor, CURSOR, str(id_at(utc_now() - FIRST_LOOK_BACK)))
    return id_at(utc_now() - OLDEST_NEWS)


# --- what is opened -----------------------------------------------------------


async def _open_store(places: Places) -> Store:
    """A full disk is no reason to stay down: the supervisor starts us again, after pauses that grow."""
    try:
        return await Store.open(places.database)
    except NoRoom as error:
        raise TaskDied(str(error)) from None
    except StoreUnusable as error:
        raise Fatal(str(error)) from None


def _open_bucket(settings: Settings, opened: Callable[[str], ObjectStore]) -> ObjectStore:
    try:
        return opened(settings.bucket)
    except StoreError as error:
        raise Fatal(f"BUCKET: {error}") from None


def _window(
    settings: Settings, places: Places, policy: Policy, silent_s: Callable[[], float]
) -> "Window | None":
    if settings.metrics_port is None:
        return None
    from bot.shell.outlook.window import Window  # noqa: PLC0415  a server and Prometheus's format, where they are wanted

    return Window(places, policy, settings.metrics_port, silent_s)


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
