"""A full disk under STATE_DIR: the store waits, says so, and goes on; nothing is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.rehearsal.cast import OPERATOR_ID
from bot.shell.conversation.channel import SendRefused, Sent
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
    assert not await store.has_room()
    saving = [asyncio.create_task(store.ask(tables.move_cursor, f"c{n}", LONG)) for n in range(3)]
    await cramped.wait()
    assert await store.ask(tables.cursor, "c0") is None, "who only reads need not wait"
    assert store.cramped_since is not None
    await on_its_thread(store, quota.lift)
    async with asyncio.timeout(10):
        await asyncio.gather(*saving)
    assert [await store.ask(tables.cursor, f"c{n}") for n in range(3)] == [LONG] * 3
    assert len(waited) == 1, "said once, however many waited"
    assert store.cramped_since is None


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

        speech = Speech(Voice(operators=(OPERATOR_ID,)))
        cramped = Cramped(channel, speech, warn, tmp_path, lambda: "absent")
        await cramped.begins()
        assert [part.kind for part in channel.said] == ["blocked", "alert"]
        assert all(str(tmp_path) in part.content for part in channel.said)
        await cramped.ends(90.4)
        assert "90초" in warned[0]

    async def test_the_trainer_is_spoken_of_as_it_is_when_somebody_hears_of_it(self, tmp_path: Path) -> None:
        """While Discord is away it is tried again: meanwhile the same disk may have ended the trainer."""
        channel, speech = Overheard(deaf=2), Speech(Voice(operators=(OPERATOR_ID,)))
        locks = iter(("alive", "alive", "dead", "dead"))
        cramped = Cramped(channel, speech, _no_warning, tmp_path, lambda: next(locks, "dead"), again_s=0.01)  # pyright: ignore[reportArgumentType]
        await cramped.begins()
        assert [part.kind for part in channel.said] == ["blocked", "alert"]
        assert all("학습 프로세스는 종료됨" in part.content for part in channel.said)

    async def test_what_discord_refuses_is_not_insisted_on(self, tmp_path: Path) -> None:
        channel = Overheard(refuses=True)
        await Cramped(channel, Speech(Voice()), _no_warning, tmp_path, lambda: "absent").begins()
        assert channel.said == []


async def _no_warning(_: str) -> None:
    raise AssertionError("not yet")


class Overheard:
    """A channel that takes everything, but is away for the first `deaf` times, or refuses it all."""

    def __init__(self, *, deaf: int = 0, refuses: bool = False) -> None:
        self.said: list[Part] = []
        self._deaf = deaf
        self._refuses = refuses

    async def send(self, part: Part, files: Sequence[Path]) -> Sent:  # noqa: ARG002  a channel takes it
        if self._refuses:
            raise SendRefused("Discord refuses it")
        if self._deaf:
            self._deaf -= 1
            raise Later("not connected to Discord")
        self.said.append(part)
        return Sent(len(self.said), frozenset(part.recipients))
