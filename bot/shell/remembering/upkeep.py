"""The database kept safe, and put right when it is damaged. Nothing that was there is ever deleted."""

import os
import sqlite3
import stat
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.shell.remembering import tables
from bot.shell.remembering.owner import give_to_its_folder_s
from bot.shell.remembering.store import OUT_OF_ROOM, StoreUnusable, damage_of, make, open_to_read

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
    _must_be_free(to)
    if not database.is_file():
        raise StoreUnusable(f"{database} does not exist: name the daemon's folder by --state-dir")
    _copy(database, to, remedy="see `training-claw state repair`")


def restore(database: Path, backup: Path, stamp: str) -> Path | None:
    """Put a copy of `backup` in the database's place. Where what was there is kept; None: nothing was.

    Raises:
        StoreUnusable: one line; nothing has changed.
    """
    if not backup.is_file():
        raise StoreUnusable(
            f"{backup} does not exist; name a file that `training-claw state backup` has made"
        )
    if not database.parent.is_dir():
        raise StoreUnusable(f"{database.parent} does not exist: name the daemon's folder by --state-dir")
    fresh = database.with_name(f".{database.name}.restored")
    fresh.unlink(missing_ok=True)
    _copy(backup, fresh, remedy="name another backup")
    with closing(open_to_read(fresh)) as copy:
        is_ours = set(TABLES) <= _tables_of(copy)
    if not is_ours:
        fresh.unlink()
        raise StoreUnusable(f"{backup} is no backup of training-claw's database; name another file")
    return _put_in_place(fresh, database, f"before-{stamp}")


def _must_be_free(to: Path) -> None:
    folder = to.absolute().parent
    if to.exists():
        raise StoreUnusable(f"{to} exists; name another file")
    if not folder.is_dir():
        raise StoreUnusable(f"{to}: there is no folder {folder}; make it, or name a file elsewhere")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreUnusable(
            f"{to}: this user may not write into {folder}; use sudo, or name a file elsewhere"
        )


def _copy(database: Path, to: Path, remedy: str) -> None:
    """A whole copy that only its owner can read, or none."""
    unfinished = to.with_name(f".{to.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600)
        with closing(open_to_read(database)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
            damage = damage_of(copy)
        if damage:
            raise StoreUnusable(f"{database}: {damage}; {remedy}")
        unfinished.replace(to)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in OUT_OF_ROOM:
            raise StoreUnusable(f"{to}: the disk is full; make room, or name a file elsewhere") from None
        raise StoreUnusable(f"{database}: {error}; {remedy}") from None
    except OSError as error:
        raise StoreUnusable(f"{to}: {error.strerror}; make room, or name a file elsewhere") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _tables_of(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in map(tuple, db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))}


def _put_in_place(fresh: Path, database: Path, suffix: str) -> Path | None:
    """`fresh`, as if the daemon had made it; what was there is kept under its name and `suffix`."""
    there = database.exists()
    fresh.chmod(stat.S_IMODE(database.stat().st_mode) if there else 0o600)
    give_to_its_folder_s(fresh)
    kept = database.with_name(f"{database.name}.{suffix}")
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            os.rename(f"{database}{companion}", f"{kept}{companion}")  # noqa: PTH104  names, not paths
    fresh.replace(database)
    return kept if there else None


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
            f"{database}: the state cannot be read any more; put a backup in its place "
            "(`training-claw state restore FILE`), or move it away to begin anew"
        )
    kept = _put_in_place(fresh, database, f"damaged-{stamp}") or database
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
