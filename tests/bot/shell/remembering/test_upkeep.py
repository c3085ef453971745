import asyncio
import json
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.core.effects import FetchData, read_effect
from bot.core.state import SCHEMA, State, expected_job
from bot.shell.commands.state import state as state_command
from bot.shell.commands.status import status
from bot.shell.machine.places import Places
from bot.shell.machine.solitude import alone
from bot.shell.remembering import tables, upkeep
from bot.shell.remembering.rows import JournalLine, Part
from bot.shell.remembering.store import TABLES_VERSION, Store, StoreUnusable
from bot.shell.remembering.tables import Record
from bot.shell.remembering.upcasts import UPCASTS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLDER_TABLES = sorted(Path(__file__).parent.joinpath("states").glob("tables_*.sql"))
OWED = sorted(Path(__file__).parent.joinpath("states").glob("owed_*.json"))
STORED = sorted(Path(__file__).parent.joinpath("states").glob("schema_*.json"))
PAGE = 4096


def schema_of(path: Path) -> int:
    return int(path.stem.removeprefix("schema_"))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A folder whose database holds a state, an owed effect, and many messages."""
    places = Places(tmp_path)

    async def fill() -> None:
        store = await Store.open(places.database)
        parts = [
            Part(ref=f"h0-{n}", part=1, parts=1, kind="receipt", recipients=(7,), content="x" * 900)
            for n in range(200)
        ]
        fetch = FetchData(cycle=1, source="dataset/", asked=1)
        line = JournalLine(at=NOW, event="Heard", headline="cycle 1")
        record = Record(at=NOW, state=State(house="h0", said=200), parts=parts, owed=(fetch,), journal=line)
        await store.ask(tables.record, record)
        await store.close()

    asyncio.run(fill())
    return places


def damage(places: Places, table: str, share: float = 1.0) -> None:
    """Overwrites the last of the pages that only `table` uses, or the one so far along."""
    with closing(sqlite3.connect(places.database)) as db:
        found = db.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno", (table,)).fetchall()
    page = found[round(share * (len(found) - 1))][0]
    with places.database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)


def told(places: Places, verb: str, *arguments: str) -> tuple[int, str]:
    ran = CliRunner().invoke(state_command, [verb, *arguments, "--state-dir", str(places.path)])
    return ran.exit_code, ran.output


def spoil(places: Places, statement: str) -> None:
    """Something that SQLite takes, and that we would never have written."""
    with closing(sqlite3.connect(places.database, isolation_level=None)) as db:
        db.execute(statement)


async def opened(places: Places) -> tuple[State | None, bool]:
    store = await Store.open(places.database)
    try:
        return await store.ask(tables.load), await store.ask(tables.owes, "fetch_data/1/1")
    finally:
        await store.close()


class TestADamagedFile:
    def test_it_is_refused_with_the_next_step(self, places: Places) -> None:
        damage(places, "outbox")
        before = places.database.read_bytes()
        with pytest.raises(StoreUnusable, match="training-claw state repair") as refused:
            asyncio.run(opened(places))
        assert "\n" not in str(refused.value)
        assert places.database.read_bytes() == before

    def test_repair_saves_what_can_be_read_and_keeps_the_damaged_file(self, places: Places) -> None:
        damage(places, "outbox")
        before = places.database.read_bytes()
        code, said = told(places, "repair")
        assert code == 0, said
        assert "state 1" in said
        assert "cut short: outbox; some rows are lost" in said
        (kept,) = places.path.glob("*.damaged-*[0-9]")
        assert kept.read_bytes() == before
        known, owes = asyncio.run(opened(places))
        assert known == State(house="h0", said=200)
        assert owes

    def test_rows_on_both_sides_of_the_damage_are_saved(self, places: Places) -> None:
        damage(places, "outbox", share=0.5)
        _, said = told(places, "repair")
        found = re.search(r"outbox (\d+)", said)
        assert found is not None
        assert 190 <= int(found[1]) < 200

    def test_a_state_that_is_lost_is_said_and_nothing_is_touched(self, places: Places) -> None:
        damage(places, "state")
        before = places.database.read_bytes()
        code, said = told(places, "repair")
        assert code == 1
        assert "put a backup in its place" in said
        assert places.database.read_bytes() == before
        assert not list(places.path.glob("*.damaged-*")) + list(places.path.glob("*.repaired"))

    def test_a_whole_file_is_left_alone(self, places: Places) -> None:
        code, said = told(places, "repair")
        assert (code, said.endswith("is whole; nothing was done\n")) == (0, True)

    @pytest.mark.parametrize(
        ("table", "spoilt"),
        [
            ("outbox", "UPDATE outbox SET content = CAST(x'78ff78' AS TEXT) WHERE seq = 7"),
            ("outbox", "UPDATE outbox SET created_at = '2026-03-01T00:00:71+00:00' WHERE seq = 7"),
            ("journal", "UPDATE journal SET at = 'yesterday'"),
            ("owed", "UPDATE owed SET effect = '{\"kind'"),
            ("owed", "DROP TABLE owed"),
        ],
    )
    def test_what_a_row_says_is_looked_at_and_all_but_that_row_is_saved(
        self, places: Places, table: str, spoilt: str
    ) -> None:
        before = {name: len(rows) for name, rows in rows_of(places).items()}
        spoil(places, spoilt)
        with pytest.raises(StoreUnusable, match=f"table {table}.*training-claw state repair"):
            asyncio.run(opened(places))
        code, said = told(places, "repair")
        assert (code, f"cut short: {table};" in said) == (0, True), said
        known, _ = asyncio.run(opened(places))
        assert known == State(house="h0", said=200)
        after = {name: len(rows) for name, rows in rows_of(places).items()}
        assert after == before | {table: before[table] - 1}

    @pytest.mark.parametrize(
        "spoilt",
        [
            "UPDATE state SET state = '{\"house'",
            "UPDATE state SET state = x'ff00'",
            "UPDATE state SET state = CAST(x'7bff7d' AS TEXT)",
            "UPDATE state SET schema = 0",
            "UPDATE state SET schema = 'one'",
            "UPDATE state SET state = '{\"hoose\": 1}'",
        ],
    )
    def test_a_state_that_says_nothing_is_told_in_a_line_wherever_it_is_met(
        self, places: Places, spoilt: str
    ) -> None:
        spoil(places, spoilt)
        with pytest.raises(StoreUnusable, match=r"put a backup in its place|state restore"):
            asyncio.run(opened(places))
        looked = CliRunner().invoke(status, ["--state-dir", str(places.path)])
        mended = told(places, "repair")
        for code, said in ((looked.exit_code, looked.output), mended):
            assert (code, said.count("\n")) == (1, 1), said
            assert len(said) < 500
        assert "backup in its place" in mended[1]
        assert not list(places.path.glob("*.damaged-*")) + list(places.path.glob(".*repaired*"))

    def test_an_emptied_file_is_not_called_whole(self, places: Places, tmp_path: Path) -> None:
        places.database.write_bytes(b"")
        code, said = told(places, "repair")
        assert (code, "put a backup in its place" in said) == (1, True)
        code, said = told(places, "backup", str(tmp_path / "copy"))
        assert (code, "is empty" in said) == (1, True)
        assert not (tmp_path / "copy").exists()

    @pytest.mark.parametrize("pages", [1, 20])
    def test_on_a_full_disk_nothing_is_left_out_for_want_of_room(
        self, places: Places, monkeypatch: pytest.MonkeyPatch, pages: int
    ) -> None:
        """SQLite's own limit answers like a full disk."""

        def make(path: Path) -> sqlite3.Connection:
            db = store_made(path)
            db.execute(f"PRAGMA max_page_count = {pages}")
            return db

        store_made = upkeep.make
        monkeypatch.setattr(upkeep, "make", make)
        damage(places, "outbox")
        before = places.database.read_bytes()
        code, said = told(places, "repair")
        assert (code, said.count("\n"), "the disk is full; make room" in said) == (1, 1, True), said
        assert places.database.read_bytes() == before
        assert not list(places.path.glob("*.damaged-*")) + list(places.path.glob(".*repaired*"))

    def test_nothing_is_repaired_under_a_daemon(self, places: Places) -> None:
        damage(places, "outbox")
        with alone(places):
            code, said = told(places, "repair")
        assert code == 1
        assert "`sudo systemctl stop training-claw` first" in said


class TestABackup:
    def test_it_is_whole_while_the_daemon_works(self, places: Places, tmp_path: Path) -> None:
        with alone(places):
            code, said = told(places, "backup", str(tmp_path / "copy"))
        assert (code, said.endswith("whole\n")) == (0, True)
        assert asyncio.run(opened_at(tmp_path / "copy")) == State(house="h0", said=200)

    def test_a_file_that_exists_is_not_overwritten(self, places: Places, tmp_path: Path) -> None:
        (tmp_path / "copy").write_text("dear to somebody")
        assert told(places, "backup", str(tmp_path / "copy"))[0] == 1
        assert (tmp_path / "copy").read_text() == "dear to somebody"

    def test_a_damaged_file_makes_no_backup(self, places: Places, tmp_path: Path) -> None:
        damage(places, "outbox")
        code, said = told(places, "backup", str(tmp_path / "copy"))
        assert code == 1
        assert "state repair" in said
        assert not (tmp_path / "copy").exists()

    def test_only_its_owner_can_read_it(self, places: Places, tmp_path: Path) -> None:
        told(places, "backup", str(tmp_path / "copy"))
        assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600

    def test_a_target_that_cannot_be_written_is_named_and_not_the_database(
        self, places: Places, tmp_path: Path
    ) -> None:
        code, said = told(places, "backup", str(tmp_path / "nowhere" / "copy"))
        assert code == 1
        assert f"there is no folder {tmp_path / 'nowhere'}" in said
        assert "repair" not in said


class TestARestore:
    @pytest.fixture
    def backup(self, places: Places, tmp_path: Path) -> Path:
        assert told(places, "backup", str(tmp_path / "copy"))[0] == 0
        return tmp_path / "copy"

    def test_it_is_the_state_of_the_backup_and_what_was_there_is_kept(
        self, places: Places, backup: Path
    ) -> None:
        damage(places, "state")
        before = places.database.read_bytes()
        code, said = told(places, "restore", str(backup))
        assert code == 0, said
        assert asyncio.run(opened(places)) == (State(house="h0", said=200), True)
        (kept,) = places.path.glob("*.before-*[0-9]")
        assert kept.read_bytes() == before
        assert str(kept) in said
        assert backup.exists()

    def test_no_log_of_the_former_database_is_left_to_be_played_over_it(
        self, places: Places, backup: Path
    ) -> None:
        for companion in upkeep.COMPANIONS[1:]:
            Path(f"{places.database}{companion}").write_bytes(b"old")
        assert told(places, "restore", str(backup))[0] == 0
        assert [path.name for path in places.path.glob(f"{places.database.name}-*")] == []

    def test_mode_and_owner_are_those_that_the_daemon_needs(self, places: Places, backup: Path) -> None:
        places.database.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(places.path, 65534, 65534)
        told(places, "restore", str(backup))
        found = places.database.stat()
        assert found.st_mode & 0o777 == 0o640
        assert (found.st_uid, found.st_gid) == (places.path.stat().st_uid, places.path.stat().st_gid)
        assert places.lock.stat().st_uid == found.st_uid

    def test_a_folder_without_a_database_gets_one(self, backup: Path, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        code, said = told(Places(tmp_path / "new"), "restore", str(backup))
        assert (code, "nothing was there before" in said) == (0, True)

    @pytest.mark.parametrize(
        ("make", "why"),
        [
            (Path.exists, "does not exist"),
            (
                lambda path: path.write_text("not a database at all " * 99),
                "not a database; name another backup",
            ),
            (
                lambda path: sqlite3.connect(path).execute("CREATE TABLE other (x)"),
                "no database of training-claw's",
            ),
            (lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 99"), "newer version"),
        ],
        ids=["absent", "no database", "another's", "newer"],
    )
    def test_what_is_no_backup_is_refused_and_nothing_changes(
        self, places: Places, tmp_path: Path, make: Callable[[Path], object], why: str
    ) -> None:
        make(tmp_path / "odd")
        before = places.database.read_bytes()
        code, said = told(places, "restore", str(tmp_path / "odd"))
        assert code == 1
        assert why in said
        assert said.count("\n") == 1
        assert places.database.read_bytes() == before
        assert list(places.path.glob("*.before-*")) + list(places.path.glob(".*restored*")) == []

    def test_nothing_is_restored_under_a_daemon(self, places: Places, backup: Path) -> None:
        with alone(places):
            code, said = told(places, "restore", str(backup))
        assert code == 1
        assert "`sudo systemctl stop training-claw` first" in said


class TestOlderStates:
    def test_there_is_a_stored_row_of_every_older_schema(self) -> None:
        assert [schema_of(path) for path in STORED] == list(range(1, SCHEMA)) == sorted(UPCASTS)

    @pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
    async def test_a_row_of_an_older_version_is_read(self, store: Store, path: Path) -> None:
        def insert(db: sqlite3.Connection) -> None:
            row = (schema_of(path), path.read_text(encoding="utf-8"))
            db.execute("INSERT INTO state (id, schema, state) VALUES (1, ?, ?)", row)

        await store.ask(insert)
        known = await store.ask(tables.load)
        assert known is not None
        await store.ask(tables.record, Record(at=NOW, state=known))
        assert await store.ask(tables.load) == known

    @pytest.mark.parametrize("path", OWED, ids=lambda path: path.stem)
    def test_what_an_older_version_owed_is_still_understood(self, path: Path) -> None:
        owed = json.loads(path.read_text(encoding="utf-8"))
        assert [read_effect(json.dumps(each)).kind for each in owed] == [each["kind"] for each in owed]

    def test_a_training_of_schema_1_does_not_begin_with_a_probe(self) -> None:
        old = json.loads(STORED[0].read_text(encoding="utf-8"))
        known = State.model_validate_json(json.dumps(UPCASTS[1](old)))
        assert known.cycle is not None
        assert (known.cycle.device.phase, known.cycle.run.phase) == ("proven", "training")
        assert expected_job(known) == (known.cycle.run_name, known.cycle.attempts)


class TestOlderTables:
    @pytest.mark.parametrize("path", OLDER_TABLES, ids=lambda path: path.stem)
    def test_a_file_of_an_older_version_keeps_every_row(self, places: Places, path: Path) -> None:
        before = written_anew(places, path)
        asyncio.run(opened(places))
        assert rows_of(places) == before

    def test_there_is_a_stored_file_of_every_older_number(self) -> None:
        assert [int(path.stem.removeprefix("tables_")) for path in OLDER_TABLES] == [
            *range(1, TABLES_VERSION)
        ]

    @pytest.mark.parametrize("path", OLDER_TABLES, ids=lambda path: path.stem)
    def test_what_an_update_makes_is_what_a_new_file_has(
        self, places: Places, tmp_path: Path, path: Path
    ) -> None:
        written_anew(places, path)
        asyncio.run(opened(places))
        asyncio.run(opened_at(tmp_path / "new"))
        with (
            closing(sqlite3.connect(tmp_path / "new")) as new,
            closing(sqlite3.connect(places.database)) as old,
        ):
            assert columns_of(old) == columns_of(new)

    @pytest.mark.parametrize("path", OLDER_TABLES, ids=lambda path: path.stem)
    def test_a_damaged_one_is_repaired_all_the_same(self, places: Places, path: Path) -> None:
        before = written_anew(places, path)
        damage(places, "journal")
        code, said = told(places, "repair")
        assert code == 0, said
        assert rows_of(places) == before | {"journal": []}


def written_anew(places: Places, dump: Path) -> dict[str, list[tuple[object, ...]]]:
    places.database.unlink()
    with closing(sqlite3.connect(places.database)) as db:
        db.executescript(dump.read_text(encoding="utf-8"))
    return rows_of(places)


def rows_of(places: Places) -> dict[str, list[tuple[object, ...]]]:
    """All rows, by table, in the columns that all versions have."""
    shared = {
        "outbox": "seq, ref, content, status, discord_id, created_at, tries",
        "owed": "seq, key, kind, effect, status, tries, created_at",
    }
    with closing(sqlite3.connect(places.database)) as db:
        return {
            table: db.execute(f"SELECT {shared.get(table, '*')} FROM {table}").fetchall()  # noqa: S608  ours
            for table in upkeep.TABLES
        }


def columns_of(db: sqlite3.Connection) -> dict[str, set[tuple[object, ...]]]:
    return {
        table: {tuple(row[1:]) for row in db.execute(f"PRAGMA table_info({table})")}
        for table in upkeep.TABLES
    }


async def opened_at(path: Path) -> State | None:
    store = await Store.open(path)
    try:
        return await store.ask(tables.load)
    finally:
        await store.close()
