"""The tables, and the ordered steps that bring an older file up to date."""

from pathlib import Path

import apsw

SCHEMA_VERSION = 1

_STEP_1 = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, version INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL, mono_ns INTEGER NOT NULL, boot_id TEXT NOT NULL,
    subject_kind TEXT NOT NULL, subject_id TEXT NOT NULL, subject_version INTEGER NOT NULL,
    intent_id TEXT, plan_id TEXT, build_plate_id TEXT, run_id TEXT, printer_id TEXT,
    correlation_id TEXT, causation_id TEXT, actor TEXT NOT NULL, who TEXT NOT NULL,
    payload BLOB NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL,
    UNIQUE (subject_kind, subject_id, subject_version)
) STRICT;
CREATE INDEX events_intent ON events (intent_id, seq) WHERE intent_id IS NOT NULL;
CREATE INDEX events_run ON events (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX events_printer ON events (printer_id, seq) WHERE printer_id IS NOT NULL;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never rewritten'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TABLE commands (
    key TEXT PRIMARY KEY, body_hash TEXT NOT NULL, result BLOB NOT NULL, wall_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE effects (
    effect_id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_id TEXT NOT NULL,
    incarnation TEXT NOT NULL, args BLOB NOT NULL, seq INTEGER NOT NULL, result TEXT
) STRICT;
CREATE INDEX effects_pending ON effects (seq) WHERE result IS NULL;
CREATE TABLE intents (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, open INTEGER NOT NULL, doc BLOB NOT NULL
) STRICT;
CREATE INDEX intents_open ON intents (number) WHERE open = 1;
CREATE TABLE plans (
    id TEXT PRIMARY KEY, intent_id TEXT NOT NULL, item_id TEXT NOT NULL, revision INTEGER NOT NULL,
    state TEXT NOT NULL, doc BLOB NOT NULL, UNIQUE (item_id, revision)
) STRICT;
CREATE INDEX plans_intent ON plans (intent_id);
CREATE TABLE plates (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, live INTEGER NOT NULL, doc BLOB NOT NULL
) STRICT;
CREATE INDEX plates_live ON plates (number) WHERE live = 1;
CREATE TABLE plate_intents (
    plate_id TEXT NOT NULL, intent_id TEXT NOT NULL, PRIMARY KEY (intent_id, plate_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, plate_id TEXT NOT NULL, printer_id TEXT,
    state TEXT NOT NULL, active INTEGER NOT NULL, live INTEGER NOT NULL, doc BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX runs_one_active_per_printer ON runs (printer_id) WHERE active = 1;
CREATE INDEX runs_live ON runs (number) WHERE live = 1;
CREATE INDEX runs_plate ON runs (plate_id);
CREATE TABLE printers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, removed INTEGER NOT NULL, doc BLOB NOT NULL
) STRICT;
CREATE TABLE drops (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, sha256 TEXT NOT NULL, dropped_at INTEGER NOT NULL,
    doc BLOB NOT NULL
) STRICT;
CREATE INDEX drops_sha ON drops (sha256);
CREATE INDEX drops_attention ON drops (dropped_at) WHERE state IN ('rejected', 'again');
CREATE TABLE site (id TEXT PRIMARY KEY, doc BLOB NOT NULL) STRICT;
"""

STEPS = (_STEP_1,)
"""Step n brings user_version n-1 to n."""

PROJECTIONS = ("intents", "plans", "plates", "plate_intents", "runs", "printers", "drops", "site")
"""Tables that a replay of the log rebuilds."""


class NewerSchema(Exception):
    """The file was written by a newer program; it is left alone."""


def migrate(connection: apsw.Connection, path: Path) -> None:
    """Bring the file to SCHEMA_VERSION; an existing file is copied beside itself before each step."""
    row = connection.execute("PRAGMA user_version").fetchone()
    present = int(row[0]) if row else 0
    if present > SCHEMA_VERSION:
        raise NewerSchema(
            f"{path.name} was written by a newer kiln-tui (schema {present}, this one knows {SCHEMA_VERSION}). "
            "Install that version, or restore a backup of this one."
        )
    for version in range(present + 1, SCHEMA_VERSION + 1):
        if present:
            connection.execute("VACUUM INTO ?", (str(path.with_suffix(f".before-{version}.db")),))
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(STEPS[version - 1])
            connection.execute(f"PRAGMA user_version = {version}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
