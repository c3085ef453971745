"""What the daemon remembers: state, what was heard, what is owed, in one SQLite file and one transaction.

Every statement runs on the store's own thread, never on the event loop; WAL and synchronous=FULL make a
committed record survive a power cut. What is asked of the single tables stands in `tables.py`.
"""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Concatenate, Self

import structlog

from bot.core.state import SCHEMA
from bot.shell.remembering.soundness import damage_of, is_no_text

log = structlog.stdlib.get_logger("store")

TABLES_VERSION = 3
GROWN: Mapping[int, str] = {
    1: "ALTER TABLE outbox ADD COLUMN history_at TEXT;",
    2: "ALTER TABLE owed ADD COLUMN why TEXT; ALTER TABLE owed ADD COLUMN again_at TEXT;",
}
"""From a number of the tables to what makes them those of the next number; schema.sql has it all."""
BUSY_S = 10.0
REMEDY = "stop the daemon and run `training-claw state repair`, or `training-claw state restore BACKUP`"
ROOM_EVERY_S = 1.0
LEAST_ROOM_BYTES = 1 << 20
OUT_OF_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
"""What a full disk or a used-up quota looks like. A failed sync is none of it: what it kept is unknown."""


LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Somebody else writes just now: a backup of another's making, or a person in `sqlite3`."""


class StoreUnusable(Exception):
    """The file cannot be used. One line: the thing, the place, the next step."""


class NoRoom(StoreUnusable):
    """The disk is full. Nothing is wrong with the file."""


async def _silent() -> None:
    """Nobody wants to know."""


async def _untold(_: float) -> None:
    """Nobody wants to know."""


class Store:
    """One database file; made by `Store.open`. Whatever is asked waits its turn on the one writer thread.

    On a full disk everything that writes waits until there is room, since `cramped_since`. `cramped` is run
    when that begins, and ended when it is over (it may not write here); `relieved` is told how many seconds
    it took.
    """

    def __init__(
        self, db: sqlite3.Connection, thread: ThreadPoolExecutor, path: Path, room_every_s: float
    ) -> None:
        self.cramped: Callable[[], Awaitable[None]] = _silent
        self.relieved: Callable[[float], Awaitable[None]] = _untold
        self._db = db
        self._thread = thread
        self._path = path
        self._room_every_s = room_every_s
        self.cramped_since: datetime | None = None

    @classmethod
    async def open(cls, path: Path, room_every_s: float = ROOM_EVERY_S) -> Self:
        """Open the file at `path`, or make it.

        Raises:
            NoRoom: the disk is full.
            StoreUnusable: a newer version of this program wrote it (it is left untouched), or it is damaged.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        loop = asyncio.get_running_loop()
        try:
            return cls(await loop.run_in_executor(thread, _open, path), thread, path, room_every_s)
        except sqlite3.Error as error:
            thread.shutdown()
            if _is_out_of_room(error, path):
                raise NoRoom(f"{path}: the disk is full; make room there") from None
            if _is_locked(error):
                raise StoreUnusable(f"{path}: another program keeps it locked; end that one first") from None
            raise StoreUnusable(f"{path}: {error}; {REMEDY}") from None
        except StoreUnusable:
            thread.shutdown()
            raise

    async def ask[**P, T](
        self, question: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `question` in a transaction of its own. If it raises, nothing has changed.

        A caller who is cancelled does not undo it: what was asked is done. On a full disk, and while another
        program keeps the file locked, it is asked again until it can be saved.
        """

        def transact() -> T:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                answer = question(self._db, *args, **kwargs)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # some failures have rolled it back already
                    self._db.execute("ROLLBACK")
                raise
            return answer

        while True:
            try:
                return await self._unlocked(transact)
            except sqlite3.OperationalError as error:
                if is_no_text(error) or error.sqlite_errorcode not in OUT_OF_ROOM:
                    raise
                await self._room(str(error))

    async def _room(self, why: str) -> None:
        """Wait a moment. Who finds the disk full first says so, and stays until something can be saved."""
        if self.cramped_since is not None:
            await asyncio.sleep(self._room_every_s)
            return
        began, self.cramped_since = time.monotonic(), datetime.now(UTC)
        log.error("no room to save anything: waiting", path=str(self._path), why=why)
        telling = asyncio.create_task(self._tell(), name="cramped")
        try:
            while not await self.has_room():  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(self._room_every_s)
        finally:
            self.cramped_since = None
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        waited_s = time.monotonic() - began
        log.warning("room again", path=str(self._path), waited_s=round(waited_s))
        await self.relieved(waited_s)

    async def _tell(self) -> None:
        try:
            await self.cramped()
        except Exception:
            log.exception("nobody could be told that there is no room")

    async def has_room(self) -> bool:
        """Could more than any one record be saved now?"""
        return await self._unlocked(lambda: _has_room(self._db))

    async def _unlocked[T](self, transact: Callable[[], T]) -> T:
        """On the store's own thread, again and again for as long as somebody else has the file locked.

        SQLite waits for BUSY_S each time, and nothing is begun before the lock is ours.
        """
        while True:
            try:
                return await asyncio.shield(
                    asyncio.get_running_loop().run_in_executor(self._thread, transact)
                )
            except sqlite3.OperationalError as error:
                if not _is_locked(error):
                    raise
                log.warning("another program keeps the database locked: waiting", path=str(self._path))
                await asyncio.sleep(self._room_every_s)

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
    """The file at `path`, with today's tables in it. A statement is a transaction unless one is begun."""
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
    db.row_factory = sqlite3.Row
    try:
        if script := _missing(_number(db, "PRAGMA user_version")):
            db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {TABLES_VERSION};\nCOMMIT;")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _missing(version: int) -> str:
    if version == 0:
        return files("bot.shell.remembering").joinpath("schema.sql").read_text(encoding="utf-8")
    return "\n".join(GROWN[number] for number in range(version, TABLES_VERSION))


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
                "start that version again, or put the backup made before the upgrade in its place: "
                "`training-claw state restore BACKUP`"
            )


def _refuse_damaged(path: Path) -> None:
    """A damage met later would stop the daemon in the middle of something, again and again."""
    with closing(_reading(path)) as db:
        if damage := damage_of(db):
            raise StoreUnusable(f"{path}: {damage}; {REMEDY}")


def _has_room(db: sqlite3.Connection) -> bool:
    """Is there room for more than any one record takes?"""
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT OR REPLACE INTO cursor (name, value) VALUES ('room', hex(randomblob(524288)))")
        db.execute("DELETE FROM cursor WHERE name = 'room'")
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        if error.sqlite_errorcode not in OUT_OF_ROOM:
            raise
        return False
    return True


def _is_out_of_room(error: sqlite3.Error, path: Path) -> bool:
    """A file that cannot be opened may be for want of room for the files that go with it."""
    code = getattr(error, "sqlite_errorcode", None)
    unopened = code is not None and code & 0xFF == sqlite3.SQLITE_CANTOPEN
    return code in OUT_OF_ROOM or (unopened and shutil.disk_usage(path.parent).free < LEAST_ROOM_BYTES)


def _is_locked(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in LOCKED


def _number(db: sqlite3.Connection, query: str) -> int:
    """What is no number is a damage; whoever looks for damage says so."""
    found = db.execute(query).fetchone()[0]
    return found if isinstance(found, int) else 0
