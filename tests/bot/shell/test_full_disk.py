"""A full disk under STATE_DIR: the store waits, says so, and goes on; nothing is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.rehearsal.cast import OPERATOR_ID
from bot.shell.conversation.channel import Sent
from bot.shell.conversation.cramped import Cramped
from bot.shell.conversation.speech import Speech
from bot.shell.deciding.lanes import Later
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Part
from bot.shell.remembering.store import NoRoom, Store
from protocol import Voice


class Quota:
    """As many pages as the file may have: SQLite's own limit answers like a full disk."""

    def __init__(self, store: Store) -> None:
        self._db = store._db

    def use_up(self) -> None:
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count = {pages}")

    def lift(self) -> None:
        self._db.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "claw.sqlite3", room_every_s=0.01)
    yield opened
    await opened.close()


@pytest.fixture
async def quota(store: Store) -> Quota:
    return await asyncio.get_running_loop().run_in_executor(store._thread, Quota, store)


async def on_its_thread(store: Store, what: object) -> None:
    await asyncio.get_running_loop().run_in_executor(store._thread, what)  # pyright: ignore[reportArgumentType]


LONG = "x" * 200_000


async def test_what_cannot_be_saved_now_is_saved_when_there_is_room(store: Store, quota: Quota) -> None:
    cramped, waited = asyncio.Event(), list[float]()

    async def told() -> None:
        cramped.set()

    async def relieved(seconds: float) -> None:
        waited.append(seconds)

    store.cramped, store.relieved = told, relieved
    await on_its_thread(store, quota.use_up)
    saving = [asyncio.create_task(store.ask(tables.move_cursor, f"c{n}", LONG)) for n in range(3)]
    await cramped.wait()
    assert await store.ask(tables.cursor, "c0") is None, "who only reads need not wait"
    await on_its_thread(store, quota.lift)
    async with asyncio.timeout(10):
        await asyncio.gather(*saving)
    assert [await store.ask(tables.cursor, f"c{n}") for n in range(3)] == [LONG] * 3
    assert len(waited) == 1, "said once, however many waited"


async def test_another_fault_is_not_waited_for(store: Store) -> None:
    def wrong(db: sqlite3.Connection) -> None:
        db.execute("SELECT * FROM nowhere")

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await store.ask(wrong)


async def test_a_full_disk_at_the_start_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await Store.open(tmp_path / "claw.sqlite3")).close()

    def full(_: Path) -> sqlite3.Connection:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("bot.shell.remembering.store._open", full)
    with pytest.raises(NoRoom, match="the disk is full; make room"):
        await Store.open(tmp_path / "claw.sqlite3")


class TestSayingSo:
    """Past the outbox, which is what cannot be written."""

    async def test_watcher_and_operators_hear_of_it_at_once(self, tmp_path: Path) -> None:
        channel, warned = Overheard(), list[str]()

        async def warn(told: str) -> None:
            warned.append(told)

        cramped = Cramped(channel, Speech(Voice(operators=(OPERATOR_ID,))), warn, tmp_path)
        await cramped.begins()
        assert [part.kind for part in channel.said] == ["blocked", "alert"]
        assert all(str(tmp_path) in part.content for part in channel.said)
        await cramped.ends(90.4)
        assert "90초" in warned[0]

    async def test_nobody_to_tell_is_no_reason_to_fall(self, tmp_path: Path) -> None:
        async def warn(_: str) -> None:
            raise AssertionError("not yet")

        await Cramped(Overheard(deaf=True), Speech(Voice()), warn, tmp_path).begins()


class Overheard:
    """A channel that takes everything, or is away."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.said: list[Part] = []
        self._deaf = deaf

    async def send(self, part: Part, files: Sequence[Path]) -> Sent:  # noqa: ARG002  a channel takes it
        if self._deaf:
            raise Later("not connected to Discord")
        self.said.append(part)
        return Sent(len(self.said), frozenset(part.recipients))
