"""Walking the log: verify the hash chain, and rebuild the projections from the events alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from core.client.views import VerifyReport
from core.ledger.chain import GENESIS, Link, link_hash
from core.ledger.store import EVENT_COLUMNS, event_of
from core.ledger.tables import KINDS, Stored


def verify(path: Path, *, expected_head: str = "") -> VerifyReport:
    """Walk the whole chain. With `expected_head` (as exported with a backup) a cut tail shows too."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    head, count, problem = GENESIS, 0, ""
    versions: dict[tuple[str, str], int] = {}
    seen_expected = not expected_head or expected_head == GENESIS
    try:
        for row in _rows(connection):
            problem = _problem(row, count, head, versions)
            if problem:
                break
            count += 1
            head = row[20]
            seen_expected = seen_expected or head == expected_head
    except apsw.Error as error:
        problem = f"the file cannot be read after event {count}: {error}"
    finally:
        connection.close()
    if not problem and not seen_expected:
        problem = "the exported head is not in this log: events at its end are missing"
    return VerifyReport(ok=not problem, events=count, head=head, problem=problem)


def replay(path: Path) -> dict[tuple[str, str], Stored]:
    """The projections that the log alone gives: {(kind, id): object}."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    states: dict[tuple[str, str], Stored] = {}
    try:
        for row in _rows(connection):
            event = event_of(row)
            kind = KINDS.get(event.subject_kind)
            if kind is not None:
                key = (event.subject_kind, event.subject_id)
                states[key] = kind.fold(states.get(key), event)
    finally:
        connection.close()
    return states


def projections(path: Path) -> dict[tuple[str, str], Stored]:
    """The projections as the tables hold them, in the shape of `replay`."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    states: dict[tuple[str, str], Stored] = {}
    try:
        for name, kind in KINDS.items():
            sql = f"SELECT id, doc FROM {kind.table}"  # noqa: S608 - a table name of ours
            for object_id, doc in connection.execute(sql):
                states[(name, str(object_id))] = kind.decode(doc if isinstance(doc, bytes) else b"")
    finally:
        connection.close()
    return states


def _rows(connection: apsw.Connection) -> Iterator[tuple[Any, ...]]:
    sql = f"SELECT {EVENT_COLUMNS} FROM events ORDER BY seq"  # noqa: S608 - column names of ours
    yield from connection.execute(sql)


def _problem(row: tuple[Any, ...], count: int, head: str, versions: dict[tuple[str, str], int]) -> str:
    seq, event_id = row[0], row[1]
    if seq != count + 1:
        return f"event {count + 1} is missing"
    if row[19] != head:
        return f"event {seq} ({event_id}) does not follow the event before it"
    stream = (row[6], row[7])
    if row[8] != versions.get(stream, 0) + 1:
        return f"event {seq}: the stream of {row[6]} {row[7]} has a gap before version {row[8]}"
    versions[stream] = row[8]
    try:
        link = Link(
            seq=seq,
            event_id=event_id,
            type=row[21],
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
            actor=row[16],
            who=row[17],
            payload=msgspec.Raw(bytes(row[18])),
            prev_hash=row[19],
        )
        digest = link_hash(link)
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        return f"event {seq} ({event_id}) is not readable: {error}"
    return "" if digest == row[20] else f"event {seq} ({event_id}) was changed after it was written"
