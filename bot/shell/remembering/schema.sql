-- What the daemon remembers. `PRAGMA user_version` numbers the shape of these tables, `state.schema` the
-- shape of the state in it (bot.core.state.SCHEMA). Times are UTC, ISO 8601.

-- The latest state: one row.
CREATE TABLE state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    schema  INTEGER NOT NULL,
    state   TEXT NOT NULL
);

-- What was heard and acted on: a Discord message by its id, a reaction by message, emoji and author.
CREATE TABLE inbox (
    heard_id  TEXT PRIMARY KEY,
    author    INTEGER NOT NULL,
    at        TEXT NOT NULL,
    decision  TEXT NOT NULL
) WITHOUT ROWID;

-- What we say: one row a part of a message, sent in order of seq.
CREATE TABLE outbox (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    ref         TEXT NOT NULL,
    part        INTEGER NOT NULL,
    parts       INTEGER NOT NULL,
    correction  INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    recipients  TEXT NOT NULL,
    content     TEXT NOT NULL,
    show        TEXT,
    run         TEXT,
    nonce       TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('owed', 'sent', 'parked', 'folded')),
    discord_id  INTEGER,
    created_at  TEXT NOT NULL,
    sent_at     TEXT,
    tries       INTEGER NOT NULL DEFAULT 0,
    history_at  TEXT,                        -- until when the channel was known when it was sent
    UNIQUE (ref, part, correction)
);
CREATE INDEX outbox_owed ON outbox (seq) WHERE status = 'owed';
CREATE INDEX outbox_said ON outbox (discord_id) WHERE discord_id IS NOT NULL;

-- What else we owe: every effect but messages, by its key.
CREATE TABLE owed (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    effect      TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('owed', 'settled')),
    tries       INTEGER NOT NULL DEFAULT 0,
    created_at  TEXT NOT NULL,
    why         TEXT,                        -- why it did not work the last time
    again_at    TEXT                         -- when it is tried again
);
CREATE INDEX owed_open ON owed (kind, seq) WHERE status = 'owed';

-- How far we have read: the channel, each attempt's events.jsonl.
CREATE TABLE cursor (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;

-- For people: what happened and what we made of it.
CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    at        TEXT NOT NULL,
    event     TEXT NOT NULL,
    headline  TEXT NOT NULL
);
