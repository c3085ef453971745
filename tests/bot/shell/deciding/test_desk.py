import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.effects import Effect, FetchData, Post
from bot.core.events import DataFetched, Event, Gauges, PutOff, Ticked
from bot.core.policy import Policy
from bot.core.state import State
from bot.shell.deciding.desk import STAMPED, Desk, Note
from bot.shell.remembering import tables
from bot.shell.remembering.rows import InboxEntry, Part
from bot.shell.remembering.store import Store
from protocol import Refused
from protocol.messages import Alert

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FETCH = FetchData(cycle=1, source="gs://b/dataset/", asked=1)
TICK = Note(event=Ticked(at=STAMPED))


@dataclass
class Scene:
    """A desk with a core that counts events, and orders what the scene says."""

    store: Store
    orders: list[Effect] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    woken: int = 0
    put_off: tuple[PutOff, ...] = ()
    clock: list[datetime] = field(default_factory=lambda: [NOON])

    def __post_init__(self) -> None:
        self.desk = Desk(
            self.store,
            State(),
            Policy(),
            step=self._step,
            speak=self._speak,
            alert=lambda told: (Part(ref="a", part=1, parts=1, kind="alert", recipients=(9,), content=told),),
            headline=lambda state, *_: f"said {state.said}",
            committed=self._committed,
            put_off=lambda: self.put_off,
            now=lambda: self.clock[-1],
        )

    def _step(self, state: State, event: Event, _: Policy) -> tuple[State, tuple[Effect, ...]]:
        if isinstance(event, DataFetched) and event.files < 0:
            raise ZeroDivisionError
        self.events.append(event)
        return state.model_copy(update={"said": state.said + 1}), tuple(self.orders)

    def _speak(self, post: Post) -> Sequence[Part]:
        message = post.message
        if "everyone" in str(message):
            raise Refused("everyone", "it would notify all")
        return [Part(ref=message.ref, part=1, parts=1, kind=message.kind, recipients=(7,), content="hi")]

    def _committed(self) -> None:
        self.woken += 1

    async def owed(self) -> list[Part]:
        found: list[Part] = []
        while (one := await self.store.ask(tables.next_part)) is not None:
            found.append(one.part)
            await self.store.ask(tables.park_part, one.seq)
        return found

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Scene"]:
        task = asyncio.create_task(self.desk.run())
        yield self
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def scene(store: Store) -> AsyncIterator[Scene]:
    async with Scene(store).open() as opened:
        yield opened


def say(body: str, ref: str = "x-1") -> Post:
    return Post(message=Alert(to=(7,), body=body, ref=ref))


async def test_an_event_is_saved_with_what_it_orders_before_anybody_is_woken(scene: Scene) -> None:
    scene.orders = [FETCH, say("hello")]
    assert await scene.desk.tell(TICK)
    assert scene.woken == 1
    assert await scene.store.ask(tables.load) == scene.desk.state == State(said=1)
    assert [one.ref for one in await scene.owed()] == ["x-1"]
    assert await scene.store.ask(tables.owes, FETCH.key)


async def test_what_was_heard_twice_happens_once(scene: Scene) -> None:
    heard = Note(event=Ticked(at=STAMPED), inbox=InboxEntry(heard_id="5", author=7))
    assert [await scene.desk.tell(heard), await scene.desk.tell(heard)] == [True, False]
    assert scene.desk.state.said == 1
    assert scene.woken == 1


async def test_notes_are_taken_in_order(scene: Scene) -> None:
    notes = [Note(event=DataFetched(at=STAMPED, cycle=n, files=0, size_bytes=0)) for n in range(20)]
    await asyncio.gather(*(scene.desk.tell(note) for note in notes))
    assert [one.cycle for one in scene.events if isinstance(one, DataFetched)] == list(range(20))


async def test_time_never_goes_back(scene: Scene) -> None:
    for moment in (NOON, NOON - timedelta(hours=1), NOON + timedelta(hours=1)):
        scene.clock.append(moment)
        await scene.desk.tell(TICK)
    assert [one.at for one in scene.events] == [NOON, NOON, NOON + timedelta(hours=1)]


async def test_a_tick_carries_the_gauges_and_what_was_put_off(scene: Scene) -> None:
    scene.desk.gauges = Gauges(counted=(3, 9, "episode"))
    scene.put_off = (PutOff(what="best", why="holds no files", again_at=NOON),)
    await scene.desk.tell(TICK)
    (tick,) = scene.events
    assert isinstance(tick, Ticked)
    assert tick.gauges.counted == (3, 9, "episode")
    assert tick.gauges.put_off == scene.put_off


async def test_a_refused_message_becomes_an_alert(scene: Scene) -> None:
    scene.orders = [say("@everyone"), say("fine", "x-2")]
    assert await scene.desk.tell(TICK)
    refused, fine = sorted(await scene.owed(), key=lambda part: part.ref)
    assert (refused.kind, fine.ref) == ("alert", "x-2")
    assert "x-1" in refused.content


async def test_an_event_the_core_cannot_take_does_not_stop_the_desk(scene: Scene) -> None:
    poison = DataFetched(at=STAMPED, cycle=1, files=-1, size_bytes=0)
    assert await scene.desk.tell(Note(event=poison, inbox=InboxEntry(heard_id="6", author=7)))
    assert scene.desk.state == State()
    assert [one.kind for one in await scene.owed()] == ["alert"]
    assert await scene.store.ask(tables.was_heard, "6")
    assert await scene.desk.tell(TICK)
