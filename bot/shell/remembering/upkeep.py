"""The database kept safe, and put right when it is damaged. Nothing that was there is ever deleted."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.shell.remembering import tables
from bot.shell.remembering.owner import give_to_its_folder_s
from bot.shell.remembering.soundness import KEYS, TABLES, damage_of, fault_of, tables_of
from bot.shell.remembering.store import OUT_OF_ROOM, StoreUnusable, make, open_to_read

COMPANIONS = ("", "-wal", "-shm")
"""What belongs to a database file: its log and the log's index."""
NOT_OURS = "is empty, or no database of training-claw's"


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
            damage = damage_of(copy) or ("" if _is_ours(copy) else NOT_OURS)
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


def _is_ours(db: sqlite3.Connection) -> bool:
    return tables_of(db) >= {*TABLES}


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
    """
    Raises:
        StoreUnusable: the file is, but not what is saved in it: the state.
    """
    try:
        with closing(open_to_read(database)) as db:
            if damage_of(db) or not _is_ours(db):
                return False
            tables.load(db)
    except sqlite3.Error:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Repaired:
    """Where the damaged file is now, how many rows of each table were saved, which tables lack some."""

    kept: Path
    saved: dict[str, int]
    cut_short: tuple[str, ...]


def repair(database: Path, stamp: str) -> Repaired:
    """Put a new file of all rows that can still be read in the damaged one's place, which is kept beside it.

    Raises:
        StoreUnusable: the state itself cannot be read, or nothing can be written; nothing has changed.
    """
    fresh = database.with_name(f".{database.name}.repaired")
    try:
        fresh.unlink(missing_ok=True)
        saved, cut_short = _saved(database, fresh)
        kept = _put_in_place(fresh, database, f"damaged-{stamp}") or database
    except sqlite3.Error as error:
        raise StoreUnusable(_unwritten(fresh, error)) from None
    except OSError as error:
        raise StoreUnusable(f"{fresh}: {error.strerror}; make room there, or use sudo, then again") from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return Repaired(kept, saved, cut_short)


def _saved(database: Path, fresh: Path) -> tuple[dict[str, int], tuple[str, ...]]:
    """How many rows of each table are in `fresh` now, and which tables lack some.

    Raises:
        StoreUnusable: the state itself cannot be read.
        sqlite3.Error: `fresh` cannot be written.
    """
    with closing(make(fresh)) as target:
        target.execute("BEGIN IMMEDIATE")  # one for all: a disk has to be waited for after each
        cut_short = tuple(table for table in TABLES if not _rescue(database, target, table))
        target.execute("COMMIT")
        saved = {table: _count(target, table) for table in TABLES}
        if _state_of(target) is None:
            raise StoreUnusable(f"{database}: the state cannot be read any more; {tables.WITHOUT_A_STATE}")
    return saved, cut_short


def _unwritten(fresh: Path, error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorcode", None) in OUT_OF_ROOM:
        return f"{fresh}: the disk is full; make room there, then again. Nothing was changed"
    return f"{fresh}: {error}; use sudo, or correct the owner of {fresh.parent}. Nothing was changed"


def _rescue(database: Path, target: sqlite3.Connection, table: str) -> bool:
    """Copy row after row until one cannot be read, then from the other end. False: some may be missing.

    Raises:
        sqlite3.Error: what was read cannot be written. That is no damage: the rows are still there.
    """
    whole = True
    for order in ("ASC", "DESC"):
        for row in _readable(database, table, order):
            if row is None or fault_of(zip(row.keys(), tuple(row), strict=True)):
                whole = False
            else:
                _put(target, table, row)
        if whole:
            break
    return whole


def _readable(database: Path, table: str, order: str) -> Iterator[sqlite3.Row | None]:
    """The rows up to the first that cannot be read, which is None."""
    try:
        with closing(open_to_read(database)) as source:
            yield from source.execute(f"SELECT * FROM {table} ORDER BY {KEYS[table]} {order}")  # noqa: S608  our names
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # the latter: of a column's name
        yield None


def _put(target: sqlite3.Connection, table: str, row: sqlite3.Row) -> None:
    columns, marks = ", ".join(row.keys()), ", ".join("?" * len(row))
    put = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608  our own names
    with suppress(sqlite3.IntegrityError):  # half a row
        target.execute(put, tuple(row))


def _count(target: sqlite3.Connection, table: str) -> int:
    return target.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  our own names


def _state_of(target: sqlite3.Connection) -> object | None:
    try:
        return tables.load(target)
    except (StoreUnusable, ValueError):
        return None
