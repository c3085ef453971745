"""Is a database sound, down to what its rows say? SQLite looks after pages, not after what stands on them."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

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
TIMES = frozenset({"at", "created_at", "sent_at", "history_at", "again_at"})
OBJECTS = frozenset({"state", "effect", "recipients"})
SHOWN = 80


def damage_of(db: sqlite3.Connection) -> str:
    """The first thing wrong with the file, in one line; empty: it is whole. Raises sqlite3.DatabaseError.

    A file with none of our tables in it is whole: it is new, or not ours.
    """
    said = " ".join(db.execute("PRAGMA integrity_check(1)").fetchone()[0].split())
    if said != "ok":
        return said
    there = tables_of(db)
    missing = [table for table in TABLES if table not in there]
    if len(missing) == len(TABLES):
        return ""
    if missing:
        return f"the table {missing[0]} is missing"
    return next(filter(None, (_damage_in(db, table) for table in TABLES)), "")


def tables_of(db: sqlite3.Connection) -> frozenset[str]:
    """The names of all tables of the file, ours and others."""
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return frozenset(name for (name,) in map(tuple, found))


def fault_of(row: Iterable[tuple[str, object]]) -> str:
    """What in a row cannot be what was written there, by its column's name; empty: nothing.

    >>> fault_of([("seq", 1), ("at", "2026-03-01T00:00:00+00:00"), ("sent_at", None), ("recipients", "[7]")])
    ''
    >>> fault_of([("at", "2026-03-01T00:00:71+00:00")])
    'at: second must be in 0..59'
    """
    for name, value in row:
        try:
            if name in TIMES and value is not None:
                datetime.fromisoformat(value)  # type: ignore[arg-type]
            elif name in OBJECTS:
                json.loads(value)  # type: ignore[arg-type]
        except (ValueError, TypeError, RecursionError) as error:
            return f"{name}: {error}"[:SHOWN]
    return ""


def is_no_text(error: sqlite3.Error) -> bool:
    """Has Python met a value that is not UTF-8? What SQLite itself says has a code."""
    return not hasattr(error, "sqlite_errorcode")


def _damage_in(db: sqlite3.Connection, table: str) -> str:
    try:
        rows = db.execute(f"SELECT * FROM {table} ORDER BY {KEYS[table]}")  # noqa: S608  our own names
        names = [column[0] for column in rows.description]
        fault = next(filter(None, (fault_of(zip(names, tuple(row), strict=True)) for row in rows)), "")
    except UnicodeDecodeError:
        return f"the columns of the table {table} have no names any more"
    except sqlite3.OperationalError as error:
        if not is_no_text(error):
            raise
        fault = "its bytes are no text"
    return f"a row of the table {table} cannot be read ({fault})" if fault else ""
