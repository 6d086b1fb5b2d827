"""The event store: one SQLite file, one writing connection, events and projections in one transaction.

Only the kernel's writer thread uses a `Store`; everybody else reads through `core.ledger.reader`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec
from playhouse.apsw_ext import APSWDatabase

from core.domain import events as ev
from core.domain.words import Actor
from core.kernel.ports import Effect
from core.ledger.chain import GENESIS, Link, canonical, link_hash
from core.ledger.schema import migrate
from core.ledger.tables import KINDS, Stored

log = logging.getLogger(__name__)

_BODY = msgspec.json.Decoder(ev.AnyBody)

_INSERT_EVENT = (
    "INSERT INTO events (seq, event_id, type, version, wall_ns, mono_ns, boot_id, subject_kind, subject_id,"
    " subject_version, intent_id, plan_id, build_plate_id, run_id, printer_id, correlation_id, causation_id,"
    " actor, who, payload, prev_hash, hash)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
EVENT_COLUMNS = (
    "seq, event_id, version, wall_ns, mono_ns, boot_id, subject_kind, subject_id, subject_version, intent_id,"
    " plan_id, build_plate_id, run_id, printer_id, correlation_id, causation_id, actor, who, payload,"
    " prev_hash, hash, type"
)


def open_database(path: Path, *, query_only: bool) -> APSWDatabase:
    """A peewee database on the site's file; writers sync every commit, readers can't write or checkpoint."""
    pragmas: dict[str, Any] = {"busy_timeout": 5000, "cache_size": -16000, "temp_store": "memory"}
    if query_only:
        pragmas |= {"query_only": 1, "wal_autocheckpoint": 0}
    else:
        pragmas |= {"journal_mode": "wal", "synchronous": "full", "wal_autocheckpoint": 2000}
    return APSWDatabase(str(path), pragmas=pragmas)


def event_of(row: tuple[Any, ...]) -> ev.Event:
    """An event from its EVENT_COLUMNS."""
    return ev.Event(
        seq=row[0],
        event_id=row[1],
        version=row[2],
        wall_ns=row[3],
        mono_ns=row[4],
        boot_id=row[5],
        subject_kind=row[6],
        subject_id=row[7],
        subject_version=row[8],
        intent_id=row[9],
        plan_id=row[10],
        build_plate_id=row[11],
        run_id=row[12],
        printer_id=row[13],
        correlation_id=row[14],
        causation_id=row[15],
        actor=Actor(row[16]),
        who=row[17],
        body=_BODY.decode(row[18]),
        prev_hash=row[19],
        hash=row[20],
    )


class Store:
    """The writing side of the ledger."""

    def __init__(self, path: Path) -> None:
        self.path = path
        fresh = not path.exists()
        self.database = open_database(path, query_only=False)
        self.database.connect()
        self.connection: apsw.Connection = self.database.connection()
        if fresh:
            # A journal of the creation that a power cut resurrects would wipe the new file: close, sync, reopen.
            self.connection.execute("CREATE TABLE fresh (x); DROP TABLE fresh")
            self.database.close()
            _sync_directory(path.parent)
            self.database.connect()
            self.connection = self.database.connection()
        migrate(self.connection, path)
        row = self.connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        self.seq: int = row[0] if row else 0
        self.head: str = row[1] if row else GENESIS

    def close(self) -> None:
        """Checkpoint and close; on a full disk the write-ahead log stays, and the next opening takes it in."""
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except apsw.Error as error:
            log.warning("the write-ahead log could not be taken into the ledger: %s", error)
        self.database.close()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Inside a transaction: all of the block or nothing of it, also of the chain's head."""
        seq, head = self.seq, self.head
        self.connection.execute("SAVEPOINT one")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO one; RELEASE one")
            self.seq, self.head = seq, head
            raise
        self.connection.execute("RELEASE one")

    def append(self, event: ev.Event) -> ev.Event:
        """Write an event behind the chain's head; answers it with its sequence number and hashes."""
        payload = canonical(event.body)
        link = Link(
            seq=self.seq + 1,
            event_id=event.event_id,
            type=event.type,
            version=event.version,
            wall_ns=event.wall_ns,
            mono_ns=event.mono_ns,
            boot_id=event.boot_id,
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            subject_version=event.subject_version,
            intent_id=event.intent_id,
            plan_id=event.plan_id,
            build_plate_id=event.build_plate_id,
            run_id=event.run_id,
            printer_id=event.printer_id,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
            actor=event.actor.value,
            who=event.who,
            payload=msgspec.Raw(payload),
            prev_hash=self.head,
        )
        digest = link_hash(link)
        self.connection.execute(
            _INSERT_EVENT,
            (
                link.seq,
                link.event_id,
                link.type,
                link.version,
                link.wall_ns,
                link.mono_ns,
                link.boot_id,
                link.subject_kind,
                link.subject_id,
                link.subject_version,
                link.intent_id,
                link.plan_id,
                link.build_plate_id,
                link.run_id,
                link.printer_id,
                link.correlation_id,
                link.causation_id,
                link.actor,
                link.who,
                payload,
                link.prev_hash,
                digest,
            ),
        )
        self.seq, self.head = link.seq, digest
        return msgspec.structs.replace(event, seq=link.seq, prev_hash=link.prev_hash, hash=digest)

    def load(self, kind: str, object_id: str) -> Stored | None:
        """The projection of one object, or None."""
        table = KINDS[kind]
        row = self.connection.execute(
            f"SELECT doc FROM {table.table} WHERE id = ?",  # noqa: S608 - a table name of ours
            (object_id,),
        ).fetchone()
        return table.decode(row[0]) if row else None

    def save(self, kind: str, state: Stored) -> None:
        """Write the projection of one object."""
        table = KINDS[kind]
        self.connection.execute(table.upsert, table.row(state))
        for sql, values in table.links(state):
            self.connection.execute(sql, values)

    def add_effect(self, effect: Effect) -> None:
        """Record work that the transition being written asks for."""
        self.connection.execute(
            "INSERT INTO effects (effect_id, kind, subject_kind, subject_id, incarnation, args, seq)"
            " VALUES (?,?,?,?,?,?,?)",
            (
                effect.effect_id,
                effect.kind,
                effect.subject_kind,
                effect.subject_id,
                effect.incarnation,
                canonical(effect.args),
                self.seq,
            ),
        )

    def settle_effect(self, effect_id: str, result: str) -> bool:
        """Mark an effect as performed; False when it is unknown or already settled."""
        self.connection.execute(
            "UPDATE effects SET result = ? WHERE effect_id = ? AND result IS NULL", (result, effect_id)
        )
        return self.connection.changes() > 0

    def settle_effects_of(self, kind: str, subject_id: str, result: str) -> None:
        """Mark every pending effect of one kind for one subject as performed."""
        self.connection.execute(
            "UPDATE effects SET result = ? WHERE kind = ? AND subject_id = ? AND result IS NULL",
            (result, kind, subject_id),
        )

    def last_event_of(self, kind: str, subject_id: str) -> str | None:
        """The id of the newest event in a stream."""
        row = self.connection.execute(
            "SELECT event_id FROM events WHERE subject_kind = ? AND subject_id = ?"
            " ORDER BY subject_version DESC LIMIT 1",
            (kind, subject_id),
        ).fetchone()
        return row[0] if row else None

    def stored_command(self, key: str) -> tuple[str, bytes] | None:
        """(body hash, result) of a command that was carried out."""
        return self.connection.execute(
            "SELECT body_hash, result FROM commands WHERE key = ?", (key,)
        ).fetchone()

    def store_command(self, key: str, body_hash: str, result: bytes, wall_ns: int) -> None:
        """Remember a command's result under its key."""
        self.connection.execute(
            "INSERT INTO commands (key, body_hash, result, wall_ns) VALUES (?,?,?,?)",
            (key, body_hash, result, wall_ns),
        )

    def next_number(self, table: str) -> int:
        """The next number of Orders, Plates or Print Attempts, as people say them."""
        first = {"intents": 1001, "plates": 1, "runs": 1}[table]
        row = self.connection.execute(f"SELECT max(number) FROM {table}").fetchone()  # noqa: S608 - ours
        return first if row is None or row[0] is None else int(row[0]) + 1


def _sync_directory(path: Path) -> None:
    import os

    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
