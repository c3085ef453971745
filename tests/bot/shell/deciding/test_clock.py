import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.core.effects import Effect
from bot.core.events import ClockJumped, Event, Garbled, Ticked
from bot.core.policy import Policy
from bot.core.state import Awaited, Cycle, State, Unread
from bot.shell.deciding.clock import Clock
from bot.shell.deciding.desk import STAMPED, Desk, Note, utc_now
from bot.shell.remembering.store import Store


def due(after_s: float) -> State:
    now = utc_now()
    cycle = Cycle(
        number=1, opened_at=now, run_name="r", data=Awaited(since=now), terms=Unread(heard=(), since=now)
    )
    return State(cycle=cycle, report_due_at=now + timedelta(seconds=after_s))


class Tower:
    """A clock on a desk whose core wants `next_states`, one after each tick."""

    def __init__(self, store: Store, *next_states: State) -> None:
        self.next_states = list(next_states)
        self.ticks: list[Ticked] = []
        self.ticked = asyncio.Event()
        self.desk = Desk(
            store,
            State(),
            Policy(),
            step=self._step,
            speak=lambda _: (),
            alert=lambda _: (),
            headline=lambda *_: "",
            committed=self._committed,
        )
        self.clock = Clock(self.desk, Policy(), self._nudge)

    async def _nudge(self) -> None:
        return

    def _committed(self) -> None:
        self.clock.set()

    def _step(self, _: State, event: Event, __: Policy) -> tuple[State, tuple[Effect, ...]]:
        if isinstance(event, Ticked):
            self.ticks.append(event)
            self.ticked.set()
        return self.next_states.pop(0) if self.next_states else State(), ()

    async def happen(self) -> None:
        """Something that is no tick: a new state, and with it a new alarm."""
        await self.desk.tell(Note(event=Garbled(at=STAMPED, author=1, what="")))

    async def until_ticks(self, number: int) -> None:
        async with asyncio.timeout(10):
            while len(self.ticks) < number:
                self.ticked.clear()
                await self.ticked.wait()


@pytest.fixture
async def towers(store: Store) -> AsyncIterator[list[Tower]]:
    opened: list[Tower] = []
    yield opened
    for one in opened:
        one.clock.stop()


async def open_tower(towers: list[Tower], store: Store, *states: State) -> tuple[Tower, asyncio.Task[None]]:
    tower = Tower(store, *states)
    towers.append(tower)
    task = asyncio.create_task(tower.desk.run())
    tower.clock.start()
    await tower.happen()
    return tower, task


async def test_it_ticks_when_the_core_wants_it(towers: list[Tower], store: Store) -> None:
    wanted = due(0.6)
    tower, task = await open_tower(towers, store, wanted)
    await tower.until_ticks(1)
    task.cancel()
    assert wanted.report_due_at is not None
    assert tower.ticks[0].at >= wanted.report_due_at


async def test_a_missed_moment_is_made_up_for(towers: list[Tower], store: Store) -> None:
    tower, task = await open_tower(towers, store, due(-3600))
    await tower.until_ticks(1)
    task.cancel()


async def test_a_core_that_is_never_content_is_not_chased(towers: list[Tower], store: Store) -> None:
    tower, task = await open_tower(towers, store, due(-9), due(-9), due(-9))
    await tower.until_ticks(2)
    task.cancel()
    assert (tower.ticks[1].at - tower.ticks[0].at).total_seconds() >= 0.4


class Wrong:
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.by


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_jump_is_told_and_alarms_are_set_anew(store: Store, hours: int) -> None:
    wall, told, heard = Wrong(), list[Event](), asyncio.Event()

    def step(state: State, event: Event, _: Policy) -> tuple[State, tuple[Effect, ...]]:
        told.append(event)
        heard.set()
        return state if isinstance(event, ClockJumped) else due(0.2 + wall.by.total_seconds()), ()

    desk = Desk(
        store,
        State(),
        Policy(),
        step=step,
        speak=lambda _: (),
        alert=lambda _: (),
        headline=lambda *_: "",
        committed=lambda: None,
        now=wall,
    )
    clock = Clock(desk, Policy(), nudge, wall, look_s=0.05)
    clock.start()
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(clock.run())]
    before = desk.now()
    wall.by = timedelta(hours=hours)
    async with asyncio.timeout(10):
        await heard.wait()
    clock.stop()
    for task in tasks:
        task.cancel()
    jump = told[0]
    assert isinstance(jump, ClockJumped)
    assert abs(jump.by_s - hours * 3600) < 60
    assert (jump.at > before) == (hours > 0), "time may go back here, and here alone"


async def nudge() -> None:
    return
