"""What the daemon remembers: state, what was heard, what is owed, in one SQLite file and one transaction.

Every statement runs on the store's own thread, never on the event loop; WAL and synchronous=FULL make a
committed record survive a power cut. What is asked of the single tables stands in `bot.shell.tables`.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Concatenate, Self

from bot.core.state import SCHEMA

TABLES_VERSION = 1
BUSY_S = 10.0
REMEDY = "run `training-claw state repair`, or restore a backup"


class StoreUnusable(Exception):
    """The file cannot be used. One line: the thing, the place, the next step."""


class Store:
    """One database file; made by `Store.open`. Whatever is asked waits its turn on the one writer thread."""

    def __init__(self, db: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._db = db
        self._thread = thread

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file at `path`, or make it.

        Raises:
            StoreUnusable: a newer version of this program wrote it (it is left untouched), or it is damaged.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        loop = asyncio.get_running_loop()
        try:
            return cls(await loop.run_in_executor(thread, _open, path), thread)
        except sqlite3.Error as error:
            thread.shutdown()
            raise StoreUnusable(f"{path}: {error}; {REMEDY}") from None
        except StoreUnusable:
            thread.shutdown()
            raise

    async def ask[**P, T](
        self, question: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `question` in a transaction of its own. If it raises, nothing has changed.

        A caller who is cancelled does not undo it: what was asked is done.
        """

        def transact() -> T:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                answer = question(self._db, *args, **kwargs)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            return answer

        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, transact))

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown()


def _open(path: Path) -> sqlite3.Connection:
    if path.exists():
        _refuse_newer(path)
        _refuse_damaged(path)
    db = make(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def make(path: Path) -> sqlite3.Connection:
    """The file at `path`, with our tables in it. Every statement is a transaction unless one is begun."""
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
    db.row_factory = sqlite3.Row
    if _number(db, "PRAGMA user_version") == 0:
        schema = files("bot.shell").joinpath("schema.sql").read_text(encoding="utf-8")
        db.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {TABLES_VERSION};\nCOMMIT;")
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """The file at `path`, with a guarantee that nothing in it changes.

    Raises:
        StoreUnusable: a newer version of this program wrote it.
        sqlite3.Error: it cannot be read.
    """
    _refuse_newer(path)
    return _reading(path)


def _reading(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
    db.row_factory = sqlite3.Row
    return db


def _refuse_newer(path: Path) -> None:
    """Look before anything is opened for writing."""
    with closing(_reading(path)) as db:
        tables = _number(db, "PRAGMA user_version")
        state = _number(db, "SELECT max(schema) FROM state") if 0 < tables <= TABLES_VERSION else 0
    for what, found, known in (("tables", tables, TABLES_VERSION), ("state", state, SCHEMA)):
        if found > known:
            raise StoreUnusable(
                f"{path}: written by a newer version ({what} schema {found}, this version knows {known}); "
                "install that version again, or move the file away"
            )


def _refuse_damaged(path: Path) -> None:
    """A damage met later would stop the daemon in the middle of something, again and again."""
    with closing(_reading(path)) as db:
        if damage := damage_of(db):
            raise StoreUnusable(f"{path}: {damage}; {REMEDY}")


def damage_of(db: sqlite3.Connection) -> str:
    """The first thing wrong with the file, in one line; empty: it is whole. Raises sqlite3.DatabaseError."""
    said = " ".join(db.execute("PRAGMA integrity_check(1)").fetchone()[0].split())
    return "" if said == "ok" else said


def _number(db: sqlite3.Connection, query: str) -> int:
    return db.execute(query).fetchone()[0] or 0
