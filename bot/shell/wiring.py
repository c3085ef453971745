"""The daemon's parts: made, and introduced to each other."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.effects import Effect, KillJob, StartJob, StopJob, TellArrived
from bot.core.events import PutOff
from bot.core.policy import Policy
from bot.core.showing.headline import headline
from bot.core.state import State
from bot.core.step import step
from bot.settings import Settings, to_policy
from bot.shell import freight as kinds
from bot.shell import translating
from bot.shell.bucket import BucketUrl, ObjectStore
from bot.shell.conversation.channel import id_at
from bot.shell.conversation.courier import Courier
from bot.shell.conversation.cramped import Cramped
from bot.shell.conversation.door import Door
from bot.shell.conversation.history import History, lookout
from bot.shell.conversation.intake import CURSOR, Intake
from bot.shell.conversation.memory import Memory
from bot.shell.conversation.speech import Speech
from bot.shell.deciding import troubles
from bot.shell.deciding.chronicle import MOST_LINES, Chronicle
from bot.shell.deciding.clock import Clock
from bot.shell.deciding.desk import Desk, utc_now
from bot.shell.deciding.lanes import Carry, Lane, Later
from bot.shell.discord.gateway import DEFAULT_LIMITS, Gateway
from bot.shell.discord.lifeline import Limits
from bot.shell.freight import Freight
from bot.shell.machine import log_warnings
from bot.shell.machine.places import Places
from bot.shell.machine.pulse import Pulse
from bot.shell.machine.supervisor import Supervisor
from bot.shell.outlook.looking import POLICY
from bot.shell.remembering import tables
from bot.shell.remembering.rows import JournalLine
from bot.shell.remembering.store import Store
from bot.shell.stagehand import Stagehand
from bot.shell.supervising.jobs import Jobs
from bot.shell.supervising.launch import Process, Unit
from bot.shell.translating import Translator

if TYPE_CHECKING:
    from bot.shell.outlook.window import Window

JOBS = ("start_job", "tell_arrived", "stop_job", "kill_job")
LAUNCHERS: dict[str, type[Process] | type[Unit]] = {"process": Process, "unit": Unit}
FIRST_LOOK_BACK = timedelta(minutes=1)
"""A first start listens to what was said just before it; later ones go on where the last one stopped."""
OLDEST_NEWS = timedelta(days=7)
"""What was said longer ago than this is no longer acted on."""


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


class Bell:
    """Rings for whoever carries out what is owed, and writes down for the operators what they must know."""

    def __init__(self, store: Store, speech: Speech) -> None:
        self.house: House | None = None
        self._store = store
        self._speech = speech

    def ring(self) -> None:
        if self.house:
            self.house.wake()

    async def nudge(self) -> None:
        if self.house:
            await self.house.nudge()

    async def warn(self, told: str) -> None:
        await self._store.ask(tables.owe_parts, self._speech.alert(told), utc_now())
        self.ring()

    async def alarm(self, order: Effect, error: Later) -> None:
        await self.warn(troubles.alert(order, str(error), error.where, error.remedy))

    def put_off(self) -> tuple[PutOff, ...]:
        """What did not work and is tried again, in any lane."""
        lanes = self.house.lanes if self.house else []
        return tuple(one for lane in lanes for one in lane.put_off())


async def furnish(
    settings: Settings, places: Places, store: Store, bucket: ObjectStore, limits: Limits = DEFAULT_LIMITS
) -> House:
    """Make the parts and introduce them to each other. `limits` are the gateway's."""
    policy = to_policy(settings)
    speech, hand = Speech(policy.voice()), Stagehand(settings.rehearsal_dir)
    bell = Bell(store, speech)
    loaded = await store.ask(tables.load)
    await store.ask(tables.move_cursor, POLICY, policy.model_dump_json())
    desk = await _desk(loaded or State(), policy, speech, store, hand, bell, places)
    history = History(lookout(desk, policy, settings.discord_channel_id))
    door = Door.of(policy, settings.discord_channel_id)
    intake = Intake(door, store, desk, policy, history=history, start_after=await _floor(store))
    gateway = Gateway(settings, intake, lambda: count_identify(store), warn=bell.warn, limits=limits)
    jobs = Jobs(places, policy, store, desk, launcher=hand.launcher(LAUNCHERS[settings.launch]()))
    freight = Freight(BucketUrl.parse(settings.bucket), bucket, places, desk)
    translator = Translator(settings.lesson_translator, desk)
    cramped = Cramped(gateway, speech, bell.warn, places.path, jobs.expected)
    store.cramped, store.relieved = cramped.begins, cramped.ends
    bell.house = House(
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
        jobs=jobs,
        clock=Clock(desk, policy, bell.nudge, hand.wall),
        window=_window(settings, places, policy, gateway.silent_s, lambda: store.cramped_since),
        pulse=Pulse(Supervisor.of(os.environ), store, lambda: _headline(desk, store)),
        memory=Memory(desk, store, policy.voice()),
        lanes=_lanes(store, jobs, freight, translator, hand, bell),
    )
    return bell.house


async def _desk(
    state: State,
    policy: Policy,
    speech: Speech,
    store: Store,
    hand: Stagehand,
    bell: Bell,
    places: Places,
) -> Desk:
    def committed() -> None:
        hand.at_rest(desk.state)
        bell.ring()

    desk = Desk(
        store,
        state,
        policy,
        step=hand.stepping(step),
        speak=speech.parts,
        alert=speech.alert,
        headline=lambda state, gauges, _: headline(state, gauges),
        committed=committed,
        disk=places.disk,
        put_off=bell.put_off,
        now=hand.wall,
        chronicle=Chronicle(policy, await store.ask(tables.journal, MOST_LINES), _complaints),
    )
    return desk


def _lanes(
    store: Store, jobs: Jobs, freight: Freight, translator: Translator, hand: Stagehand, bell: Bell
) -> list[Lane]:
    work: tuple[tuple[str, tuple[str, ...], Carry], ...] = (
        ("jobs", JOBS, lambda order: _carry_job(jobs, order)),
        ("terms", kinds.TERMS, freight.carry),
        ("translating", translating.KINDS, translator.carry),
        ("data", kinds.DATA, freight.carry),
        ("shelf", kinds.SHELF, freight.carry),
        ("verifying", kinds.VERIFYING, freight.carry),
    )
    return [
        Lane(name, of, store, hand.carrying(carry), bell.alarm, now=hand.wall) for name, of, carry in work
    ]


def _complaints() -> Iterable[JournalLine]:
    for one in log_warnings.LATELY.newest():
        yield JournalLine(at=one.at, event="log", headline=one.told)


async def _carry_job(jobs: Jobs, order: Effect) -> None:
    match order:
        case StartJob():
            await jobs.start(order)
        case TellArrived():
            await jobs.tell_arrived(order)
        case StopJob() | KillJob():
            await jobs.stop(order)
        case _:
            raise AssertionError(f"{order.kind} is no matter of processes")


def _window(
    settings: Settings,
    places: Places,
    policy: Policy,
    silent_s: Callable[[], float],
    cramped_since: Callable[[], datetime | None],
) -> "Window | None":
    if settings.metrics_port is None:
        return None
    from bot.shell.outlook.window import Window  # noqa: PLC0415  a server and Prometheus's format, where they are wanted

    return Window(places, policy, settings.metrics_port, silent_s, cramped_since)


def _headline(desk: Desk, store: Store) -> str:
    """While nothing can be saved, that comes first."""
    doing = headline(desk.state, desk.gauges)
    return f"disk full since {store.cramped_since:%H:%M} UTC; {doing}" if store.cramped_since else doing


async def count_identify(store: Store) -> int:
    """One more login today (UTC); answers how many that makes."""
    today = utc_now().date().isoformat()
    day, _, count = (await store.ask(tables.cursor, "identifies") or "").partition(" ")
    number = int(count) + 1 if day == today else 1
    await store.ask(tables.move_cursor, "identifies", f"{today} {number}")
    return number


async def _floor(store: Store) -> int:
    """The Discord id before which nothing concerns us; a first start remembers its own."""
    if await store.ask(tables.cursor, CURSOR) is None:
        await store.ask(tables.move_cursor, CURSOR, str(id_at(utc_now() - FIRST_LOOK_BACK)))
    return id_at(utc_now() - OLDEST_NEWS)
