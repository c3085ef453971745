import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

from bot.core.effects import Effect, FetchData, HandOn, PublishBest, PublishCheckpoint
from bot.core.events import PutOff
from bot.core.state import State
from bot.shell.deciding.lanes import LONGEST_PAUSE_S, Lane, Later, pause_s
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fetch(number: int) -> FetchData:
    return FetchData(cycle=number, source="gs://b/dataset/", asked=1)


async def owe(store: Store, *orders: Effect) -> None:
    await store.ask(tables.record, Record(at=NOON, state=State(), owed=orders))


@contextlib.asynccontextmanager
async def running(lane: Lane) -> AsyncIterator[None]:
    task = asyncio.create_task(lane.run())
    try:
        async with asyncio.timeout(10):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def lane(store: Store, carry: Callable[[Effect], Awaitable[None]], alarms: list[str]) -> Lane:
    async def alarm(order: Effect, error: Later) -> None:
        alarms.append(f"{order.key}: {error}")

    return Lane("data", ("fetch_data",), store, carry, alarm, pause=lambda _: 0)


def checkpoint(epoch: int) -> PublishCheckpoint:
    return PublishCheckpoint(cycle=1, run="r", epoch=epoch, folder=f"checkpoints/epoch_{epoch:03d}", meta={})


def best(epoch: int) -> PublishBest:
    return PublishBest(cycle=1, run="r", epoch=epoch, folder=f"checkpoints/best/epoch_{epoch:03d}", meta={})


class Shelf:
    """A lane of uploads. What is in `broken` fails by itself; `away` times the bucket cannot be reached."""

    def __init__(self, store: Store, pause: Callable[[int], float] = lambda _: 3600) -> None:
        self.store = store
        self.broken: dict[str, Later] = {}
        self.away = 0
        self.tried: list[str] = []
        self.carried: list[str] = []
        self.alarms: list[str] = []
        self.changed = asyncio.Condition()
        kinds = ("publish_checkpoint", "publish_best", "hand_on")
        self.lane = Lane("shelf", kinds, store, self.carry, self.alarm, pause, now=lambda: NOON)

    async def carry(self, order: Effect) -> None:
        self.tried.append(order.key)
        if self.away:
            self.away -= 1
            raise Later("the bucket cannot be reached")
        if order.key in self.broken:
            raise self.broken[order.key]
        await self.store.ask(tables.settle, order.key)
        self.carried.append(order.key)
        await self._tell()

    async def alarm(self, order: Effect, error: Later) -> None:
        self.alarms.append(f"{order.key}: {error}")
        await self._tell()

    async def until(self, *carried: Effect, alarms: int = 0) -> None:
        keys = [one.key for one in carried]
        async with self.changed:
            await self.changed.wait_for(lambda: self.carried == keys and len(self.alarms) >= alarms)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def empty() -> Later:
    return Later("holds no files", alarming=True)


async def test_what_is_owed_is_carried_in_order_and_what_comes_later_too(store: Store) -> None:
    carried: list[str] = []
    done = asyncio.Event()

    async def carry(order: Effect) -> None:
        carried.append(order.key)
        await store.ask(tables.settle, order.key)
        if len(carried) == 3:
            done.set()

    await owe(store, fetch(1), fetch(2))
    one = lane(store, carry, [])
    async with running(one):
        await owe(store, fetch(3))
        one.wake()
        await done.wait()
    assert carried == [fetch(n).key for n in (1, 2, 3)]


async def test_a_failure_is_tried_again_for_as_long_as_it_takes_and_told_once(store: Store) -> None:
    tries: list[str] = []
    alarms: list[str] = []
    done = asyncio.Event()

    async def carry(order: Effect) -> None:
        tries.append(order.key)
        if len(tries) < 5:
            raise Later("the role is missing", alarming=True)
        await store.ask(tables.settle, order.key)
        done.set()

    await owe(store, fetch(1))
    async with running(lane(store, carry, alarms)):
        await done.wait()
    assert tries == [fetch(1).key] * 5
    assert alarms == [f"{fetch(1).key}: the role is missing"]


class TestAnOrderThatFailsByItself:
    async def test_waits_for_its_own_time_while_the_others_go_on(self, store: Store) -> None:
        shelf = Shelf(store)
        shelf.broken = {checkpoint(50).key: empty()}
        await owe(store, checkpoint(50), checkpoint(100), best(90), checkpoint(150))
        async with running(shelf.lane):
            await shelf.until(checkpoint(100), best(90), checkpoint(150), alarms=1)
        assert shelf.tried.count(checkpoint(50).key) == 1
        assert shelf.alarms == [f"{checkpoint(50).key}: holds no files"]

    async def test_comes_through_once_somebody_has_helped(self, store: Store) -> None:
        shelf = Shelf(store, pause=lambda _: 0.01)
        shelf.broken = {checkpoint(50).key: empty()}
        await owe(store, checkpoint(50), checkpoint(100))
        async with running(shelf.lane):
            await shelf.until(checkpoint(100), alarms=1)
            shelf.broken = {}
            await shelf.until(checkpoint(100), checkpoint(50), alarms=1)
        assert shelf.lane.put_off() == ()
        assert len(shelf.alarms) == 1, "told once, however often it failed"

    async def test_holds_back_what_must_come_after_it(self, store: Store) -> None:
        shelf = Shelf(store)
        shelf.broken = {best(40).key: empty()}
        hand_on = HandOn(cycle=1, run="r")
        await owe(store, best(40), checkpoint(50), best(90), hand_on)
        async with running(shelf.lane):
            await shelf.until(checkpoint(50), alarms=1)
            shelf.lane.wake()
            await store.ask(tables.owes, hand_on.key)
        assert not {best(90).key, hand_on.key} & {*shelf.tried}

    async def test_says_what_waits_why_and_when_it_is_tried_next(self, store: Store) -> None:
        shelf = Shelf(store)
        shelf.broken = {checkpoint(50).key: empty()}
        await owe(store, checkpoint(50), checkpoint(100))
        async with running(shelf.lane):
            await shelf.until(checkpoint(100), alarms=1)
            (told,) = shelf.lane.put_off()
        at = NOON + timedelta(hours=1)
        assert told == PutOff(what="checkpoint 업로드 (cycle 1, epoch 50)", why="holds no files", again_at=at)
        (noted,) = await store.ask(tables.delays)
        assert (noted.effect, noted.why, noted.again_at) == (checkpoint(50), "holds no files", at)

    async def test_of_what_all_meet_alike_one_is_told(self, store: Store) -> None:
        shelf = Shelf(store)
        refused = Later("refused", alarming=True, about="access")
        shelf.broken = {checkpoint(50).key: refused, checkpoint(100).key: refused, best(40).key: empty()}
        await owe(store, checkpoint(50), checkpoint(100), best(40))
        async with running(shelf.lane):
            await shelf.until(alarms=2)
        assert shelf.alarms == [f"{checkpoint(50).key}: refused", f"{best(40).key}: holds no files"]


async def test_while_the_bucket_is_away_everybody_keeps_his_place(store: Store) -> None:
    shelf = Shelf(store, pause=lambda _: 0)
    shelf.away = 3
    await owe(store, checkpoint(50), checkpoint(100))
    async with running(shelf.lane):
        await shelf.until(checkpoint(50), checkpoint(100))
    assert shelf.tried == [checkpoint(50).key] * 4 + [checkpoint(100).key]
    assert shelf.alarms == []


def test_pauses_grow_but_not_for_ever() -> None:
    assert all(0 <= pause_s(failures) <= LONGEST_PAUSE_S for failures in (1, 5, 10_000))
    assert max(pause_s(1) for _ in range(50)) <= 2
