import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from bot.core.effects import Effect, FetchData
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
    async def alarm(key: str, why: str) -> None:
        alarms.append(f"{key}: {why}")

    return Lane("data", ("fetch_data",), store, carry, alarm, pause=lambda _: 0)


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


def test_pauses_grow_but_not_for_ever() -> None:
    assert all(0 <= pause_s(failures) <= LONGEST_PAUSE_S for failures in (1, 5, 10_000))
    assert max(pause_s(1) for _ in range(50)) <= 2
