"""What is asked of the store's tables: plain functions, each to be run by `Store.ask`.

Every one takes the connection first and runs inside one transaction.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError

from bot.core.effects import Effect, read_effect
from bot.core.state import SCHEMA, State
from bot.shell.remembering.rows import Backlog, Delay, InboxEntry, JournalLine, OwedPart, Part, Waits
from bot.shell.remembering.soundness import is_no_text
from bot.shell.remembering.store import StoreUnusable
from bot.shell.remembering.upcasts import upcast
from protocol.messages import PERIODIC
from protocol.parts import Reference, reference

type Db = sqlite3.Connection

JOURNAL_LINES = 20_000
IN_DOUBT = "status = 'owed' AND tries > 0 AND discord_id IS NULL"
"""Parts that may have been sent, though nobody told us so."""
WITHOUT_A_STATE = (
    "put a backup in its place (`training-claw state restore FILE`), or move it away to begin anew"
)
PERIODIC_KINDS = tuple(one.model_fields["kind"].default for one in PERIODIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that one event changed. `inbox` and `settles` make it happen once at most."""

    at: datetime
    state: State
    parts: Sequence[Part] = ()
    owed: Sequence[Effect] = ()
    inbox: InboxEntry | None = None
    settles: str | None = None
    cursors: Mapping[str, str] = field(default_factory=dict[str, str])
    journal: JournalLine | None = None


# --- one event --------------------------------------------------------------


def record(db: Db, what: Record) -> bool:
    """Save it all. False, and nothing has changed: it was heard, or settled, before."""
    if what.inbox is not None and not _hear(db, what.inbox, what.at):
        return False
    if what.settles is not None and not settle(db, what.settles):
        return False
    db.execute(
        "INSERT OR REPLACE INTO state (id, schema, state) VALUES (1, ?, ?)",
        (SCHEMA, what.state.model_dump_json()),
    )
    owe_parts(db, what.parts, what.at)
    _owe_effects(db, what.owed, what.at)
    for name, value in what.cursors.items():
        move_cursor(db, name, value)
    if what.journal is not None:
        _note(db, what.journal)
    return True


def load(db: Db) -> State | None:
    """The latest state, brought to this version's shape; None in a new file.

    Raises:
        StoreUnusable: it does not fit this version, though its number does, or is damaged. One line.
    """
    try:
        row = db.execute("SELECT schema, state FROM state").fetchone()
        if row is None:
            return None
        known = upcast(json.loads(row["state"]), row["schema"])
        return State.model_validate_json(json.dumps(known))
    except ValidationError as error:
        raise StoreUnusable(_misfit(db, "the saved state", error)) from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise StoreUnusable(_damaged(db)) from None
    except sqlite3.OperationalError as error:
        if not is_no_text(error):
            raise
        raise StoreUnusable(_damaged(db)) from None


def _damaged(db: Db) -> str:
    return f"{_file(db)}: the saved state is damaged; {WITHOUT_A_STATE}"


def _file(db: Db) -> str:
    return db.execute("PRAGMA database_list").fetchone()[2]


def _misfit(db: Db, what: str, error: ValidationError) -> str:
    """In one line: the file, the first thing in it that is unknown here, and the next step."""
    first = error.errors()[0]
    where = ".".join(str(each) for each in first["loc"])
    return (
        f"{_file(db)}: {what} does not fit this version ({where}: {first['msg']}); install the version that "
        "wrote it again, or put a backup in its place"
    )


def _hear(db: Db, entry: InboxEntry, at: datetime) -> bool:
    new = db.execute(
        "INSERT OR IGNORE INTO inbox (heard_id, author, at, decision) VALUES (?, ?, ?, ?)",
        (entry.heard_id, entry.author, at.isoformat(), entry.decision),
    )
    return new.rowcount == 1


def _owe_effects(db: Db, effects: Sequence[Effect], at: datetime) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO owed (key, kind, effect, status, created_at) VALUES (?, ?, ?, 'owed', ?)",
        [(one.key, one.kind, one.model_dump_json(), at.isoformat()) for one in effects],
    )


def _note(db: Db, line: JournalLine) -> None:
    new = db.execute(
        "INSERT INTO journal (at, event, headline) VALUES (?, ?, ?)",
        (line.at.isoformat(), line.event, line.headline),
    )
    db.execute("DELETE FROM journal WHERE seq <= ?", ((new.lastrowid or 0) - JOURNAL_LINES,))


def journal(db: Db, lines: int) -> tuple[JournalLine, ...]:
    """The newest lines, the oldest of them first."""
    rows = db.execute(
        "SELECT at, event, headline FROM journal ORDER BY seq DESC LIMIT ?", (lines,)
    ).fetchall()
    return tuple(
        JournalLine(at=datetime.fromisoformat(row["at"]), event=row["event"], headline=row["headline"])
        for row in reversed(rows)
    )


# --- what was heard, how far we have read ------------------------------------


def was_heard(db: Db, heard_id: str) -> bool:
    return db.execute("SELECT 1 FROM inbox WHERE heard_id = ?", (heard_id,)).fetchone() is not None


def cursor(db: Db, name: str) -> str | None:
    row = db.execute("SELECT value FROM cursor WHERE name = ?", (name,)).fetchone()
    return row["value"] if row else None


def move_cursor(db: Db, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, ?)", (name, value))


# --- the outbox -------------------------------------------------------------


def owe_parts(db: Db, parts: Sequence[Part], at: datetime) -> None:
    """A part that is owed or sent already is not owed again."""
    db.executemany(
        "INSERT OR IGNORE INTO outbox (ref, part, parts, correction, kind, recipients, content, show, run,"
        " nonce, status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'owed', ?)",
        [
            (
                *(one.ref, one.part, one.parts, one.correction, one.kind, json.dumps(one.recipients)),
                *(one.content, " ".join(one.show) or None, one.run, one.nonce, at.isoformat()),
            )
            for one in parts
        ],
    )


def next_part(db: Db) -> OwedPart | None:
    """The oldest part that is owed, after older periodic reports were folded into newer ones."""
    _fold_periodic(db)
    row = db.execute("SELECT * FROM outbox WHERE status = 'owed' ORDER BY seq LIMIT 1").fetchone()
    return _owed_part(row) if row else None


def answers_to(db: Db, people: Collection[int]) -> tuple[OwedPart, ...]:
    """What is owed to these and to nobody else, the oldest first."""
    rows = db.execute(
        "SELECT * FROM outbox WHERE status = 'owed' AND kind IN ('answer', 'alert') ORDER BY seq"
    )
    return tuple(one for one in map(_owed_part, rows) if {*one.part.recipients} <= {*people})


def try_part(db: Db, seq: int, history_at: datetime | None) -> None:
    """Note, before it is sent, that it may have been, and until when we knew what was said in the channel."""
    known = history_at and history_at.isoformat()
    db.execute("UPDATE outbox SET tries = tries + 1, history_at = ? WHERE seq = ?", (known, seq))


def sent_part(db: Db, seq: int, discord_id: int, at: datetime) -> None:
    db.execute(
        "UPDATE outbox SET status = 'sent', discord_id = ?, sent_at = ? WHERE seq = ?",
        (discord_id, at.isoformat(), seq),
    )


def park_part(db: Db, seq: int) -> None:
    """Discord will not have it; the rest goes on."""
    db.execute("UPDATE outbox SET status = 'parked' WHERE seq = ?", (seq,))


def ref_of(db: Db, discord_id: int) -> str | None:
    """The reference of our message with this Discord id."""
    row = db.execute("SELECT ref FROM outbox WHERE discord_id = ?", (discord_id,)).fetchone()
    return row["ref"] if row else None


def kind_of(db: Db, discord_id: int) -> str | None:
    """The kind of our message with this Discord id."""
    row = db.execute("SELECT kind FROM outbox WHERE discord_id = ?", (discord_id,)).fetchone()
    return row["kind"] if row else None


def discord_ids(db: Db, refs: Collection[str]) -> tuple[int, ...]:
    """The Discord messages that carried these references."""
    marks = ", ".join("?" * len(refs))
    query = f"SELECT discord_id FROM outbox WHERE discord_id IS NOT NULL AND ref IN ({marks}) ORDER BY seq"  # noqa: S608  question marks only
    return tuple(row["discord_id"] for row in db.execute(query, tuple(refs)))


def recognise(db: Db, discord_id: int, said: Reference) -> None:
    """We met a message of ours in the channel: if a part's sending is in doubt, this may be it."""
    for row in db.execute(f"SELECT seq, content FROM outbox WHERE {IN_DOUBT} ORDER BY seq").fetchall():  # noqa: S608
        if reference(row["content"]) == said:
            db.execute("UPDATE outbox SET discord_id = ? WHERE seq = ?", (discord_id, row["seq"]))
            return


def doubt_begins(db: Db) -> tuple[datetime, int | None] | None:
    """Of the oldest part in doubt: since when it is owed, and what `last_sent_before` says of it."""
    row = db.execute(
        f"SELECT seq, created_at FROM outbox WHERE {IN_DOUBT} ORDER BY seq LIMIT 1"  # noqa: S608
    ).fetchone()
    if row is None:
        return None
    created_at = datetime.fromisoformat(row["created_at"]).astimezone(UTC)
    return created_at, last_sent_before(db, row["seq"], created_at)


def last_sent_before(db: Db, seq: int, at: datetime) -> int | None:
    """The Discord id of the newest of our messages that were there before `at`, when part `seq` was not yet.

    Both moments are of our own clock, so it may be as wrong as it likes.
    """
    row = db.execute(
        "SELECT max(discord_id) FROM outbox WHERE seq < ? AND sent_at <= ?", (seq, at.isoformat())
    ).fetchone()
    return row[0]


def _fold_periodic(db: Db) -> None:
    """Of several periodic reports nobody tried to send yet, only the newest is worth reading."""
    kinds = ", ".join("?" * len(PERIODIC_KINDS))
    waiting = f"status = 'owed' AND tries = 0 AND kind IN ({kinds})"
    db.execute(
        f"UPDATE outbox SET status = 'folded' WHERE {waiting}"  # noqa: S608  question marks only
        f" AND ref != (SELECT ref FROM outbox WHERE {waiting} ORDER BY seq DESC LIMIT 1)"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS one WHERE one.ref = outbox.ref AND one.tries > 0)",
        (*PERIODIC_KINDS, *PERIODIC_KINDS),
    )


def _owed_part(row: sqlite3.Row) -> OwedPart:
    part = Part(
        ref=row["ref"],
        part=row["part"],
        parts=row["parts"],
        correction=row["correction"],
        kind=row["kind"],
        recipients=tuple(json.loads(row["recipients"])),
        content=row["content"],
        show=tuple((row["show"] or "").split()),
        run=row["run"],
    )
    created_at = datetime.fromisoformat(row["created_at"]).astimezone(UTC)
    return OwedPart(
        seq=row["seq"],
        part=part,
        tries=row["tries"],
        created_at=created_at,
        met_as=row["discord_id"],
    )


# --- everything else we owe --------------------------------------------------


def owed_effects(db: Db, kinds: Collection[str]) -> tuple[Effect, ...]:
    """What is owed of these kinds, the oldest first."""
    marks = ", ".join("?" * len(kinds))
    query = f"SELECT effect FROM owed WHERE status = 'owed' AND kind IN ({marks}) ORDER BY seq"  # noqa: S608  question marks only
    return tuple(_effect(db, row) for row in db.execute(query, tuple(kinds)))


def put_off(db: Db, key: str, why: str, again_at: datetime) -> None:
    """It did not work, and is tried again then."""
    db.execute(
        "UPDATE owed SET tries = tries + 1, why = ?, again_at = ? WHERE key = ?",
        (why, again_at.isoformat(), key),
    )


def delays(db: Db) -> tuple[Delay, ...]:
    """What is owed and did not work so far, the oldest first. Tables that are older know of none."""
    rows = db.execute("SELECT * FROM owed WHERE status = 'owed' ORDER BY seq").fetchall()
    return tuple(
        Delay(effect=_effect(db, row), why=row["why"], again_at=datetime.fromisoformat(row["again_at"]))
        for row in rows
        if "why" in row.keys() and row["why"] is not None  # noqa: SIM118  a row iterates over its values
    )


def _effect(db: Db, row: sqlite3.Row) -> Effect:
    try:
        return read_effect(row["effect"])
    except ValidationError as error:
        raise StoreUnusable(_misfit(db, "an order that is owed", error)) from None


def settle(db: Db, key: str) -> bool:
    """It is done. False: it was before, or was never owed."""
    return (
        db.execute("UPDATE owed SET status = 'settled' WHERE key = ? AND status = 'owed'", (key,)).rowcount
        == 1
    )


def owes(db: Db, key: str) -> bool:
    return db.execute("SELECT 1 FROM owed WHERE key = ? AND status = 'owed'", (key,)).fetchone() is not None


def backlog(db: Db) -> Backlog:
    count = "SELECT count(*) FROM {} WHERE status = '{}'"

    def counted(table: str, status: str) -> int:
        return db.execute(count.format(table, status)).fetchone()[0]

    return Backlog(
        parts=counted("outbox", "owed"), effects=counted("owed", "owed"), parked=counted("outbox", "parked")
    )


def waits(db: Db) -> Waits:
    oldest = "SELECT created_at FROM {} WHERE status = 'owed' {} ORDER BY seq LIMIT 1"

    def since(table: str, which: str = "") -> datetime | None:
        found = db.execute(oldest.format(table, which)).fetchone()
        return None if found is None else datetime.fromisoformat(found[0])

    uploads = "AND (kind LIKE 'publish_%' OR kind = 'hand_on')"
    return Waits(message_since=since("outbox"), upload_since=since("owed", uploads))
