"""The single writer: commands in, one durable transaction per group, results and changes out.

One thread owns the only writing connection. It takes what waits in its queue, handles each command under its
own savepoint, commits once for the group (group commit), and only then answers and publishes.
"""

import asyncio
import concurrent.futures
import hashlib
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import apsw
import msgspec

from core.domain import events as ev
from core.domain.commands import Envelope, Refusal, Result, SetAsideEffect
from core.domain.objects import Plan, Plate, Printer, Run
from core.domain.words import Actor
from core.kernel.handlers import decide
from core.kernel.ports import Clock, Ids, Reader
from core.kernel.transaction import SITE_ID, Blocked, Refused, Transaction, World
from core.ledger.chain import canonical
from core.ledger.reader import SqlReader
from core.ledger.schema import NewerSchema
from core.ledger.store import Store
from core.ledger.tables import KINDS, Stored

log = logging.getLogger(__name__)

GROUP = 256
"""Most commands in one commit."""
CHECKPOINT_EVERY = 5000
"""Events between two ChainCheckpoint events."""


class KernelStopped(Exception):
    """The kernel does not take commands any more; nothing was carried out."""


class LedgerUnavailable(Exception):
    """The group could not be made durable (disk full, file damaged); nothing of it was carried out."""


class _Work:
    __slots__ = ("envelope", "future")

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.future: concurrent.futures.Future[Result] = concurrent.futures.Future()


class StoreLoader:
    """Implements `core.kernel.transaction.Loader` on the writer's own connection."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def load(self, kind: str, object_id: str) -> Stored | None:
        """The projection of one object."""
        return self.store.load(kind, object_id)

    def _many(self, kind: str, sql: str, *values: object) -> tuple[Any, ...]:
        rows = self.store.connection.execute(f"SELECT doc FROM {KINDS[kind].table} {sql}", values)  # noqa: S608
        return tuple(KINDS[kind].decode(cast("bytes", row[0])) for row in rows)

    def plans_of_intent(self, intent_id: str) -> tuple[Plan, ...]:
        """The Build Plans of an Order."""
        return self._many("plan", "WHERE intent_id = ? ORDER BY id", intent_id)

    def plates_of_intent(self, intent_id: str) -> tuple[Plate, ...]:
        """The Plates with parts of an Order."""
        sql = "WHERE id IN (SELECT plate_id FROM plate_intents WHERE intent_id = ?) ORDER BY number"
        return self._many("plate", sql, intent_id)

    def runs_of_plate(self, plate_id: str) -> tuple[Run, ...]:
        """The attempts of a Plate."""
        return self._many("run", "WHERE plate_id = ? ORDER BY number", plate_id)

    def active_run_of(self, printer_id: str) -> Run | None:
        """The attempt that owns a printer."""
        found = self._many("run", "WHERE printer_id = ? AND active = 1", printer_id)
        return found[0] if found else None

    def intent_of_content(self, sha256: str) -> str | None:
        """The newest Order that was made of exactly this content."""
        sql = "WHERE sha256 = ? AND state = 'accepted' ORDER BY dropped_at DESC LIMIT 1"
        found = self._many("drop", sql, sha256) if sha256 else ()
        return found[0].intent_id if found else None

    def printer_named(self, name: str) -> Printer | None:
        """A printer of the site by its name."""
        found = self._many("printer", "WHERE name = ? AND removed = 0", name)
        return found[0] if found else None

    def next_number(self, table: str) -> int:
        """The next number of a kind."""
        return self.store.next_number(table)

    def effect_open(self, effect_id: str) -> bool:
        """Whether an effect is neither performed nor superseded."""
        sql = "SELECT 1 FROM effects WHERE effect_id = ? AND result IS NULL"
        return self.store.connection.execute(sql, (effect_id,)).fetchone() is not None

    def last_decision(self, kind: str, subject_id: str) -> ev.DecisionMade | None:
        """The newest decision about a subject."""
        sql = (
            "SELECT payload FROM events WHERE subject_kind = ? AND subject_id = ? AND type = 'DecisionMade'"
            " ORDER BY subject_version DESC LIMIT 1"
        )
        row = self.store.connection.execute(sql, (kind, subject_id)).fetchone()
        return msgspec.json.decode(cast("bytes", row[0]), type=ev.DecisionMade) if row else None

    def last_event_of(self, kind: str, subject_id: str) -> str | None:
        """The newest event in a stream."""
        return self.store.last_event_of(kind, subject_id)


class LedgerKernel:
    """Implements `core.kernel.ports.Kernel` over a SQLite ledger."""

    def __init__(
        self, path: Path, clock: Clock, ids: Ids, world: Callable[[str], World], program: str = ""
    ) -> None:
        self._clock, self._ids = clock, ids
        self._incarnation = ids.new("core")
        self.world = world(self._incarnation)
        self._path, self._program = path, program
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._listeners: list[Callable[[tuple[str, ...]], None]] = []
        self._stopping = threading.Event()
        self._opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._write_forever, name="kernel-writer", daemon=True)
        self._thread.start()
        self._opened.result(timeout=60)
        self._reader = SqlReader(path)

    @property
    def incarnation(self) -> str:
        """The name of this process's life of the core."""
        return self._incarnation

    @property
    def reader(self) -> Reader:
        """Queries, from any thread."""
        return self._reader

    @property
    def queries(self) -> SqlReader:
        """Queries including the log's own, from any thread."""
        return self._reader

    def submit(self, envelope: Envelope, timeout: float = 30.0) -> Result:
        """Carry out a command and wait until it is durable."""
        return self._enqueue(envelope).result(timeout=timeout)

    async def submit_async(self, envelope: Envelope) -> Result:
        """The same, awaitable."""
        return await asyncio.wrap_future(self._enqueue(envelope))

    def _enqueue(self, envelope: Envelope) -> "concurrent.futures.Future[Result]":
        if self._stopping.is_set():
            raise KernelStopped
        work = _Work(envelope)
        self._queue.put(work)
        return work.future

    def on_change(self, callback: Callable[[tuple[str, ...]], None]) -> Callable[[], None]:
        """Call back after each commit with the types of its events."""
        self._listeners.append(callback)

        def forget() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return forget

    def close(self) -> None:
        """Finish what waits, checkpoint and close the file."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(timeout=30)
        self._reader.close()

    # --- the writer's thread ---

    def _write_forever(self) -> None:
        try:
            store = Store(self._path)
            self._open_site(store)
        except (OSError, NewerSchema) as error:
            self._opened.set_exception(error)
            return
        except Exception as error:
            # whoever opens the site waits for this thread: whatever is wrong with the file must reach them
            log.exception("the ledger can't be opened")
            said = f"{self._path} can't be opened as a ledger: {error}. It was left as it is."
            self._opened.set_exception(
                LedgerUnavailable(f"{said} Try kiln-tui doctor, or put a backup of it in its place.")
            )
            return
        self._opened.set_result(None)
        while True:
            group = self._take()
            if group is None:
                break
            self._handle(store, group)
        store.close()

    def _take(self) -> list[_Work] | None:
        first = self._queue.get()
        group = [first] if first is not None else []
        while first is not None and len(group) < GROUP:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._queue.put(None)
                break
            group.append(more)
        return group or None

    def _open_site(self, store: Store) -> None:
        opened = ev.SiteOpened(incarnation=self._incarnation, version=self._program)
        store.connection.execute("BEGIN IMMEDIATE")
        tx = self._transaction(store, _own_envelope(f"open:{self._incarnation}"))
        tx.emit("site", SITE_ID, opened)
        self._write(store, tx)
        store.connection.execute("COMMIT")

    def _transaction(self, store: Store, envelope: Envelope) -> Transaction:
        return Transaction(StoreLoader(store), self.world, self._clock.stamp(), self._ids, envelope)

    def _handle(self, store: Store, group: list[_Work]) -> None:
        group = [work for work in group if work.future.set_running_or_notify_cancel()]
        seq, head = store.seq, store.head
        answers: list[tuple[_Work, Result]] = []
        types: list[str] = []
        try:
            store.connection.execute("BEGIN IMMEDIATE")
            for work in group:
                result, happened = self._one(store, work.envelope)
                answers.append((work, result))
                types += happened
            self._checkpoint(store, seq)
            store.connection.execute("COMMIT")
        except (apsw.Error, OSError) as error:
            log.exception("the ledger could not be written")
            store.seq, store.head = seq, head
            _roll_back(store)
            for work in group:
                work.future.set_exception(LedgerUnavailable(f"the ledger could not be written: {error}"))
            return
        for work, result in answers:
            work.future.set_result(result)
        if types:
            self._publish(tuple(types))

    def _one(self, store: Store, envelope: Envelope) -> tuple[Result, list[str]]:
        try:
            body_hash = hashlib.sha256(canonical(envelope.body)).hexdigest()
            stored = store.stored_command(envelope.key)
            if stored is not None:
                return _repeated(stored, body_hash), []
            with store.savepoint():
                tx = self._transaction(store, envelope)
                self._check_version(tx, envelope)
                try:
                    decide(tx, envelope.body)
                except Blocked as blocked:
                    if tx.only_the_decision():
                        self._write(store, tx)
                    return Result(refusal=blocked.refusal), [e.type for e in tx.events]
                self._write(store, tx)
                result = Result(event_ids=tuple(e.event_id for e in tx.events), made=tx.made)
                store.store_command(envelope.key, body_hash, msgspec.json.encode(result), tx.now.wall_ns)
                return result, [e.type for e in tx.events]
        except Refused as refused:
            return Result(refusal=refused.refusal), []
        except apsw.ConstraintError as error:
            # The unique indexes are the last line of defence (one active attempt per printer, one version).
            log.warning("a command was refused by a constraint: %s", error)
            reason = "Something else changed this at the same moment; look again."
            return Result(refusal=Refusal(code="CONFLICT", reasons=(reason,))), []
        except (apsw.Error, OSError):
            raise
        except Exception as error:
            # the outermost loop of the only writer: one impossible command must not end the site's ledger
            log.exception("the command %s failed", type(envelope.body).__name__)
            reason = (
                f"Kiln could not carry this out ({type(error).__name__}); nothing was changed. See the log."
            )
            return Result(refusal=Refusal(code="INTERNAL", reasons=(reason,))), []

    def _check_version(self, tx: Transaction, envelope: Envelope) -> None:
        if envelope.expected_version is None:
            return
        kind, object_id = _subject(envelope)
        found = tx.loader.load(kind, object_id) if kind else None
        if found is None or found.version != envelope.expected_version:
            raise Refused("STALE", "This changed since you looked at it; look again and decide anew.")

    def _write(self, store: Store, tx: Transaction) -> None:
        for event in tx.events:
            store.append(event)
        for (kind, _), state in tx.changed.items():
            store.save(kind, state)
        for effect_kind, subject_id, result in tx.settled_kinds:
            store.settle_effects_of(effect_kind, subject_id, result)
        for effect_id, result in tx.settled:
            store.settle_effect(effect_id, result)
        for effect in tx.effects:
            store.add_effect(effect)

    def _checkpoint(self, store: Store, before: int) -> None:
        if before // CHECKPOINT_EVERY == store.seq // CHECKPOINT_EVERY:
            return
        tx = self._transaction(store, _own_envelope(f"checkpoint:{store.seq}"))
        tx.emit("site", SITE_ID, ev.ChainCheckpoint(events=store.seq, head=store.head))
        self._write(store, tx)

    def _publish(self, types: tuple[str, ...]) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(types)
            except Exception:
                log.exception("a listener failed")


def _own_envelope(key: str) -> Envelope:
    return Envelope(key=key, body=SetAsideEffect(effect_id=""), actor=Actor.CONTROLLER, who="kernel")


def _repeated(stored: tuple[str, bytes], body_hash: str) -> Result:
    if stored[0] != body_hash:
        reason = "This command's key was used before for something else; nothing was done."
        return Result(refusal=Refusal(code="KEY_REUSED", reasons=(reason,)))
    return msgspec.structs.replace(msgspec.json.decode(stored[1], type=Result), repeated=True)


_SUBJECTS = (
    ("run_id", "run"),
    ("plate_id", "plate"),
    ("plan_id", "plan"),
    ("intent_id", "intent"),
    ("printer_id", "printer"),
    ("drop_id", "drop"),
)


def _subject(envelope: Envelope) -> tuple[str, str]:
    for field, kind in _SUBJECTS:
        value = getattr(envelope.body, field, None)
        if isinstance(value, str):
            return kind, value
    return "", ""


def _roll_back(store: Store) -> None:
    try:
        store.connection.execute("ROLLBACK")
    except apsw.Error:
        log.warning("there was no transaction to roll back")
