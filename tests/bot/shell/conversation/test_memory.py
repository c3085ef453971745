"""On a first start the channel is looked at once for what was never ended."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.core.effects import Effect
from bot.core.events import CycleForgotten, Event
from bot.core.policy import Policy
from bot.core.state import Finished, State
from bot.shell.conversation.channel import Letter
from bot.shell.conversation.memory import Memory
from bot.shell.deciding.desk import Desk
from bot.shell.deciding.lanes import Later
from bot.shell.remembering.store import Store
from protocol import CARD_VOICE, render
from protocol.messages import PhaseReport
from protocol.training import TrainingConfig

NOTHING = State()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS, OTHER = CARD_VOICE.roster.training, CARD_VOICE.roster.watcher
REPORT = PhaseReport(
    phase="fetching", cycle=7, waiting_for="다운로드", since=NOW, now=NOW, next_step="검증", ref="h0-1"
)
TOLD = render(REPORT, voice=CARD_VOICE)[0]


class Past:
    """A channel that remembers, once it can be reached."""

    def __init__(self, *said: tuple[int, str], away: int = 0) -> None:
        self._said = said
        self.away = away

    async def latest(self) -> tuple[Letter, ...]:
        if self.away:
            self.away -= 1
            raise Later("not connected to Discord")
        return tuple(
            Letter(id=number, channel_id=1, author_id=author, content=text, at=NOW)
            for number, (author, text) in enumerate(self._said)
        )


async def remembered(store: Store, past: Past, state: State = NOTHING) -> list[Event]:
    """What the desk is told."""
    told: list[Event] = []

    def step(state: State, event: Event, _: Policy) -> tuple[State, tuple[Effect, ...]]:
        told.append(event)
        return state, ()

    desk = Desk(
        store,
        state,
        Policy(),
        step=step,
        speak=lambda _: (),
        alert=lambda _: (),
        headline=lambda *_: "",
        committed=lambda: None,
    )
    memory = Memory(desk, store, CARD_VOICE, pause=lambda _: 0.0)
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(memory.run(past))]  # pyright: ignore[reportArgumentType]
    for _ in range(200):
        await asyncio.sleep(0)
        if told:
            break
        await asyncio.sleep(0.001)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return told


async def test_a_cycle_that_was_not_ended_is_told(store: Store) -> None:
    (event,) = await remembered(store, Past((OTHER, "hello"), (OURS, TOLD), away=2))
    assert isinstance(event, CycleForgotten)
    assert event.cycle == 7


@pytest.mark.parametrize("said", [(), ((OTHER, TOLD),), ((OURS, "hello"),)])
async def test_what_is_not_ours_is_no_memory(store: Store, said: tuple[tuple[int, str], ...]) -> None:
    assert await remembered(store, Past(*said)) == []


@pytest.mark.parametrize("last", [(OURS, TOLD), (OTHER, "hello")])
async def test_the_channel_is_looked_at_once(store: Store, last: tuple[int, str]) -> None:
    await remembered(store, Past(last))
    assert await remembered(store, Past((OURS, TOLD))) == []


async def test_a_start_that_was_cut_short_leaves_the_look_to_the_next(store: Store) -> None:
    assert await remembered(store, Past((OURS, TOLD), away=1_000_000)) == []
    (event,) = await remembered(store, Past((OURS, TOLD)))
    assert isinstance(event, CycleForgotten)


async def test_a_daemon_that_remembers_does_not_look(store: Store) -> None:
    done = Finished(number=7, done=True, source="dataset/", certificate="", config=TrainingConfig())
    assert await remembered(store, Past((OURS, TOLD)), State(finished=(done,))) == []
