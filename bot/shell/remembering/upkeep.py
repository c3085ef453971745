"""The database kept safe, and put right when it is damaged. Nothing that was there is ever deleted."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.shell.remembering import tables
from bot.shell.remembering.store import StoreUnusable, damage_of, make, open_to_read

KEYS = {
    "state": "id",
    "inbox": "heard_id",
    "outbox": "seq",
    "owed": "seq",
    "cursor": "name",
    "journal": "seq",
}
"""Each table's primary key: read in its order, a table needs none of its indexes."""
TABLES = tuple(KEYS)
COMPANIONS = ("", "-wal", "-shm")
"""What belongs to a database file: its log and the log's index."""


def back_up(database: Path, to: Path) -> None:
    """A consistent copy, also while a daemon writes (sqlite.org/backup.html).

    Raises:
        StoreUnusable: one line; there is no copy.
    """
    if to.exists():
        raise StoreUnusable(f"{to} exists; name another file")
    if not database.is_file():
        raise StoreUnusable(f"{database} does not exist: name the daemon's folder by --state-dir")
    unfinished = to.with_name(f".{to.name}.unfinished")
    try:
        with closing(open_to_read(database)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
            damage = damage_of(copy)
    except (sqlite3.Error, OSError) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreUnusable(f"{database}: {error}; see `training-claw state repair`") from None
    if damage:
        unfinished.unlink()
        raise StoreUnusable(f"{database}: {damage}; see `training-claw state repair`")
    unfinished.replace(to)


def is_whole(database: Path) -> bool:
    try:
        with closing(open_to_read(database)) as db:
            return not damage_of(db)
    except sqlite3.Error:
        return False


@dataclass(frozen=True, slots=True)
class Repaired:
    """Where the damaged file is now, how many rows of each table were saved, which tables lack some."""

    kept: Path
    saved: dict[str, int]
    cut_short: tuple[str, ...]


def repair(database: Path, stamp: str) -> Repaired:
    """Put a new file of all rows that can still be read in the damaged one's place, which is kept beside it.

    Raises:
        StoreUnusable: the state itself cannot be read; nothing has changed.
    """
    fresh = database.with_name(f".{database.name}.repaired")
    fresh.unlink(missing_ok=True)
    with closing(make(fresh)) as target:
        cut_short = tuple(table for table in TABLES if not _rescue(database, target, table))
        saved = {table: _count(target, table) for table in TABLES}
        state = _state_of(target)
    if state is None:
        fresh.unlink()
        raise StoreUnusable(
            f"{database}: the state cannot be read any more; put a backup in its place, or move it away "
            "to begin anew"
        )
    kept = database.with_name(f"{database.name}.damaged-{stamp}")
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            os.rename(f"{database}{companion}", f"{kept}{companion}")  # noqa: PTH104  names, not paths
    fresh.replace(database)
    return Repaired(kept, saved, cut_short)


def _rescue(database: Path, target: sqlite3.Connection, table: str) -> bool:
    """Copy row after row until one cannot be read, then from the other end. False: some may be missing."""
    if _copied(database, target, table, "ASC"):
        return True
    _copied(database, target, table, "DESC")
    return False


def _copied(database: Path, target: sqlite3.Connection, table: str, order: str) -> bool:
    by = KEYS[table]
    try:
        with closing(open_to_read(database)) as source:
            for row in source.execute(f"SELECT * FROM {table} ORDER BY {by} {order}"):  # noqa: S608  our names
                columns, marks = ", ".join(row.keys()), ", ".join("?" * len(row))
                put = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608
                with suppress(sqlite3.IntegrityError):  # half a row
                    target.execute(put, tuple(row))
    except sqlite3.DatabaseError:
        return False
    return True


def _count(target: sqlite3.Connection, table: str) -> int:
    return target.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  our own names


def _state_of(target: sqlite3.Connection) -> object | None:
    try:
        return tables.load(target)
    except (StoreUnusable, ValueError):
        return None
