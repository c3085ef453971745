import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from bot.core.effects import FetchData, StopJob
from bot.core.state import SCHEMA, State
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Backlog, Delay, InboxEntry, JournalLine, Part
from bot.shell.remembering.store import Store, StoreUnusable
from bot.shell.remembering.tables import Record

FETCH = FetchData(cycle=1, source="gs://ralphton-handoff/dataset/", asked=1)


def part(ref: str, number: int = 1, kind: str = "receipt") -> Part:
    return Part(ref=ref, part=number, parts=1, kind=kind, recipients=(7,), content=f"<@7> hi\n-# {ref}")


async def test_one_record_holds_everything(store: Store, noon: datetime) -> None:
    state = State(house="ab", said=3)
    saved = await store.ask(
        tables.record,
        Record(
            at=noon,
            state=state,
            parts=(part("ab1"),),
            owed=(FETCH,),
            inbox=InboxEntry(heard_id="55", author=7),
            cursors={"channel": "55"},
            journal=JournalLine(at=noon, event="Heard", headline="cycle 1"),
        ),
    )
    assert saved
    assert await store.ask(tables.load) == state
    assert await store.ask(tables.owed_effects, ("fetch_data",)) == (FETCH,)
    waiting = await store.ask(tables.next_part)
    assert waiting is not None
    assert waiting.part == part("ab1")
    assert await store.ask(tables.cursor, "channel") == "55"
    assert await store.ask(tables.backlog) == Backlog(parts=1, effects=1, parked=0)


async def test_what_was_heard_before_changes_nothing(store: Store, noon: datetime) -> None:
    heard = InboxEntry(heard_id="55", author=7)
    first, again = State(said=1), State(said=2)
    assert await store.ask(tables.record, Record(at=noon, state=first, inbox=heard))
    assert not await store.ask(tables.record, Record(at=noon, state=again, inbox=heard, parts=(part("x"),)))
    assert await store.ask(tables.load) == first
    assert await store.ask(tables.next_part) is None


async def test_an_effect_is_settled_once(store: Store, noon: datetime) -> None:
    await store.ask(tables.record, Record(at=noon, state=State(), owed=(FETCH,)))
    assert await store.ask(tables.record, Record(at=noon, state=State(said=1), settles=FETCH.key))
    assert not await store.ask(tables.record, Record(at=noon, state=State(said=2), settles=FETCH.key))
    assert await store.ask(tables.load) == State(said=1)


async def test_a_settled_effect_is_not_owed_again(store: Store, noon: datetime) -> None:
    await store.ask(tables.record, Record(at=noon, state=State(), owed=(FETCH,)))
    await store.ask(tables.settle, FETCH.key)
    await store.ask(tables.record, Record(at=noon, state=State(), owed=(FETCH,)))
    assert await store.ask(tables.owed_effects, ("fetch_data",)) == ()


async def test_effects_of_other_kinds_do_not_wait_for_each_other(store: Store, noon: datetime) -> None:
    stop = StopJob(run="r", attempt=1)
    await store.ask(tables.record, Record(at=noon, state=State(), owed=(FETCH, stop)))
    assert await store.ask(tables.owed_effects, ("start_job", "stop_job")) == (stop,)


async def test_what_did_not_work_is_known_until_it_has(store: Store, noon: datetime) -> None:
    await store.ask(tables.record, Record(at=noon, state=State(), owed=(FETCH, StopJob(run="r", attempt=1))))
    assert await store.ask(tables.delays) == ()
    await store.ask(tables.put_off, FETCH.key, "no room", noon)
    assert await store.ask(tables.delays) == (Delay(effect=FETCH, why="no room", again_at=noon),)
    await store.ask(tables.settle, FETCH.key)
    assert await store.ask(tables.delays) == ()


async def test_a_crash_in_the_middle_leaves_the_former_state(store: Store, noon: datetime) -> None:
    def crash(db: sqlite3.Connection) -> None:
        tables.record(db, Record(at=noon, state=State(said=2), parts=(part("x"),)))
        raise RuntimeError("power cut")

    await store.ask(tables.record, Record(at=noon, state=State(said=1)))
    with pytest.raises(RuntimeError):
        await store.ask(crash)
    assert await store.ask(tables.load) == State(said=1)
    assert await store.ask(tables.backlog) == Backlog(parts=0, effects=0, parked=0)


async def test_a_cancelled_caller_does_not_undo_a_record(store: Store, noon: datetime) -> None:
    saving = asyncio.create_task(store.ask(tables.record, Record(at=noon, state=State(said=9))))
    await asyncio.wait({saving}, timeout=0)
    saving.cancel()
    await asyncio.wait({saving})
    assert await store.ask(tables.load) == State(said=9)


async def test_only_the_newest_unsent_report_goes_out(store: Store, noon: datetime) -> None:
    reports = [part(f"r{n}", kind="training_report") for n in range(3)]
    await store.ask(tables.owe_parts, (part("receipt"), *reports, part("done", kind="done")), noon)
    order: list[str] = []
    while (waiting := await store.ask(tables.next_part)) is not None:
        order.append(waiting.part.ref)
        await store.ask(tables.sent_part, waiting.seq, len(order), noon)
    assert order == ["receipt", "r2", "done"]


async def test_a_report_that_may_have_been_sent_is_not_folded(store: Store, noon: datetime) -> None:
    await store.ask(tables.owe_parts, [part(f"r{n}", kind="phase_report") for n in range(2)], noon)
    await store.ask(tables.try_part, 1, None)
    waiting = await store.ask(tables.next_part)
    assert waiting is not None
    assert (waiting.part.ref, waiting.tries) == ("r0", 1)


async def test_a_parked_part_does_not_hold_up_the_rest(store: Store, noon: datetime) -> None:
    await store.ask(tables.owe_parts, (part("bad"), part("good")), noon)
    await store.ask(tables.park_part, 1)
    waiting = await store.ask(tables.next_part)
    assert waiting is not None
    assert waiting.part.ref == "good"


async def test_our_messages_are_known_by_their_discord_id(store: Store, noon: datetime) -> None:
    await store.ask(tables.owe_parts, (part("p"),), noon)
    await store.ask(tables.sent_part, 1, 4711, noon)
    assert await store.ask(tables.ref_of, 4711) == "p"
    assert await store.ask(tables.discord_ids, ("p", "q")) == (4711,)


def test_a_nonce_is_short_and_stable() -> None:
    assert part("a").nonce == part("a").nonce
    assert len({part("a").nonce, part("b").nonce, part("a", 2).nonce}) == 3
    assert len(part("a").nonce) == 25


@pytest.mark.parametrize(
    ("newer", "number"),
    [("PRAGMA user_version = 99", ()), ("INSERT INTO state VALUES (1, ?, '{}')", (SCHEMA + 1,))],
)
async def test_a_newer_file_is_refused_and_left_untouched(
    tmp_path: Path, newer: str, number: tuple[int, ...]
) -> None:
    path = tmp_path / "claw.sqlite3"
    await (await Store.open(path)).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(newer, number)
        db.commit()
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match="newer version"):
        await Store.open(path)
    assert path.read_bytes() == before


async def test_a_shape_that_slipped_by_its_number_is_one_line(store: Store, noon: datetime) -> None:
    def grow(db: sqlite3.Connection) -> None:
        """As a newer version would, had it forgotten the number."""
        db.execute("UPDATE state SET state = json_insert(state, '$.to_come', 1)")
        db.execute("UPDATE owed SET effect = json_insert(effect, '$.to_come', 1)")

    await store.ask(tables.record, Record(at=noon, state=State(), owed=(FETCH,)))
    await store.ask(grow)
    with pytest.raises(StoreUnusable, match=r"^/.+: the saved state does not fit .+to_come.+backup.+$"):
        await store.ask(tables.load)
    with pytest.raises(StoreUnusable, match=r"^/.+: an order that is owed .+to_come.+backup.+$"):
        await store.ask(tables.owed_effects, ("fetch_data",))


async def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "claw.sqlite3"
    path.write_text("not a database, but long enough to look like one " * 50)
    with pytest.raises(StoreUnusable, match="state restore BACKUP"):
        await Store.open(path)


async def test_a_reopened_file_remembers(tmp_path: Path, noon: datetime) -> None:
    path = tmp_path / "claw.sqlite3"
    first = await Store.open(path)
    await first.ask(tables.record, Record(at=noon, state=State(said=5)))
    await first.close()
    second = await Store.open(path)
    assert await second.ask(tables.load) == State(said=5)
    await second.close()


class Told:
    """A log that tells when it was complained to."""

    def __init__(self) -> None:
        self.warned = asyncio.Event()

    def warning(self, *_: object, **__: object) -> None:
        self.warned.set()


async def test_what_another_program_keeps_locked_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    monkeypatch.setattr("bot.shell.remembering.store.BUSY_S", 0.01)
    monkeypatch.setattr("bot.shell.remembering.store.log", told)
    store = await Store.open(tmp_path / "claw.sqlite3", room_every_s=0.01)
    with closing(sqlite3.connect(tmp_path / "claw.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        saving = asyncio.create_task(store.ask(tables.move_cursor, "channel", "55"))
        looking = asyncio.create_task(store.has_room())
        async with asyncio.timeout(10):
            await told.warned.wait()
            assert not saving.done()
            other.execute("COMMIT")
            await saving
            assert await looking
    assert await store.ask(tables.cursor, "channel") == "55"
    await store.close()


async def test_a_file_that_is_another_s_alone_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.shell.remembering.store.BUSY_S", 0.01)
    await (await Store.open(tmp_path / "claw.sqlite3")).close()
    with closing(sqlite3.connect(tmp_path / "claw.sqlite3", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnusable, match="another program keeps it locked"):
            await Store.open(tmp_path / "claw.sqlite3")
