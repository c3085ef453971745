-- A database as a version with tables of number 2 wrote it (sqlite3's .dump).
BEGIN TRANSACTION;
CREATE TABLE cursor (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "cursor" VALUES('channel','1477300000000000055');
CREATE TABLE inbox (
    heard_id  TEXT PRIMARY KEY,
    author    INTEGER NOT NULL,
    at        TEXT NOT NULL,
    decision  TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "inbox" VALUES('1477300000000000055',1477205631927717900,'2026-03-01T03:00:00+00:00','taken');
CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    at        TEXT NOT NULL,
    event     TEXT NOT NULL,
    headline  TEXT NOT NULL
);
INSERT INTO "journal" VALUES(1,'2026-03-01T03:00:00+00:00','Spoke','cycle 1');
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
INSERT INTO "outbox" VALUES(1,'h0-1',1,1,0,'receipt','[1477205631927717900]','<@1477205631927717900> [RECEIPT] …','','','abc','sent',1477300000000000056,'2026-03-01T03:00:01+00:00','2026-03-01T03:00:02+00:00',1,'2026-03-01T03:00:00+00:00');
INSERT INTO "outbox" VALUES(2,'h0-2',1,1,0,'phase_report','[1477205631927717900]','<@1477205631927717900> [REPORT] …',NULL,NULL,'abd','owed',NULL,'2026-03-01T03:00:03+00:00',NULL,1,'2026-03-01T03:00:02+00:00');
CREATE TABLE owed (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    effect      TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('owed', 'settled')),
    tries       INTEGER NOT NULL DEFAULT 0,
    created_at  TEXT NOT NULL
);
INSERT INTO "owed" VALUES(1,'fetch_data/1/1','fetch_data','{"kind":"fetch_data","cycle":1,"source":"dataset/","asked":1}','settled',0,'2026-03-01T03:00:03+00:00');
INSERT INTO "owed" VALUES(2,'publish_checkpoint/r/50','publish_checkpoint','{"kind":"publish_checkpoint","cycle":1,"run":"r","epoch":50,"folder":"checkpoints/epoch_050","meta":{"cycle":1,"epoch":50}}','owed',3,'2026-03-01T04:00:03+00:00');
CREATE TABLE state (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    schema  INTEGER NOT NULL,
    state   TEXT NOT NULL
);
INSERT INTO "state" VALUES(1,3,'{"house":"h0","said":3}');
CREATE INDEX outbox_owed ON outbox (seq) WHERE status = 'owed';
CREATE INDEX outbox_said ON outbox (discord_id) WHERE discord_id IS NOT NULL;
CREATE INDEX owed_open ON owed (kind, seq) WHERE status = 'owed';
COMMIT;
PRAGMA user_version = 2;
