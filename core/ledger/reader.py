"""Queries over the projections and the log, for every thread but the writer's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from peewee import Expression, Table

from core.client.views import EventFilter
from core.domain import events as ev
from core.domain.objects import Drop, Intent, Plan, Plate, Printer, Run
from core.domain.site import SiteState
from core.kernel.ports import Effect
from core.ledger.store import EVENT_COLUMNS, event_of, open_database
from core.ledger.tables import KINDS

_T = TypeVar("_T")


class SqlReader:
    """Implements `core.kernel.ports.Reader`. Each thread gets its own read-only connection."""

    def __init__(self, path: Path) -> None:
        self.database = open_database(path, query_only=True)
        self._intents = self._table("intents")
        self._plans = self._table("plans")
        self._plates = self._table("plates")
        self._plate_intents = self._table("plate_intents")
        self._runs = self._table("runs")
        self._printers = self._table("printers")
        self._drops = self._table("drops")

    def _table(self, name: str) -> Table:
        return Table(name, _database=self.database)

    def close(self) -> None:
        """Close this thread's connection."""
        self.database.close()

    def _one(self, kind: str, object_id: str) -> Any:
        sql = f"SELECT doc FROM {KINDS[kind].table} WHERE id = ?"  # noqa: S608 - a table name of ours
        row = self.database.execute_sql(sql, (object_id,)).fetchone()
        return KINDS[kind].decode(row[0]) if row else None

    def _many(
        self,
        table: Table,
        decode: Callable[[bytes], Any],
        where: Expression | None,
        order: Any,
        limit: int = 5000,
    ) -> tuple[Any, ...]:
        query = table.select(table.c.doc)
        if where is not None:
            query = query.where(where)
        return tuple(decode(row[0]) for row in query.order_by(order).limit(limit).tuples())

    def intent(self, intent_id: str) -> Intent | None:
        """An Order."""
        found: Intent | None = self._one("intent", intent_id)
        return found

    def plan(self, plan_id: str) -> Plan | None:
        """A Build Plan revision."""
        found: Plan | None = self._one("plan", plan_id)
        return found

    def plate(self, plate_id: str) -> Plate | None:
        """A Plate."""
        found: Plate | None = self._one("plate", plate_id)
        return found

    def run(self, run_id: str) -> Run | None:
        """A Print Attempt."""
        found: Run | None = self._one("run", run_id)
        return found

    def printer(self, printer_id: str) -> Printer | None:
        """A printer, also a removed one."""
        found: Printer | None = self._one("printer", printer_id)
        return found

    def drop(self, drop_id: str) -> Drop | None:
        """A drop."""
        found: Drop | None = self._one("drop", drop_id)
        return found

    def site(self) -> SiteState:
        """What concerns the site as a whole."""
        found: SiteState | None = self._one("site", "site")
        return found or SiteState(site_id="site")

    def printers(self) -> tuple[Printer, ...]:
        """Every printer that was not removed, by name."""
        t = self._printers
        return self._many(t, KINDS["printer"].decode, t.c.removed == 0, t.c.name)

    def runs_live(self) -> tuple[Run, ...]:
        """Runs about which something is still to be done, oldest first."""
        t = self._runs
        return self._many(t, KINDS["run"].decode, t.c.live == 1, t.c.number)

    def runs_of_plate(self, plate_id: str) -> tuple[Run, ...]:
        """The attempts of one Plate, oldest first."""
        t = self._runs
        return self._many(t, KINDS["run"].decode, t.c.plate_id == plate_id, t.c.number)

    def runs_recent(self, limit: int = 200) -> tuple[Run, ...]:
        """The newest attempts, newest first."""
        t = self._runs
        return self._many(t, KINDS["run"].decode, None, t.c.number.desc(), limit)

    def plates_live(self) -> tuple[Plate, ...]:
        """Plates that are draft or approved and hold a part of an open Order, oldest first."""
        t, links, intents = self._plates, self._plate_intents, self._intents
        open_orders = intents.select(intents.c.id).where(intents.c.open == 1)
        ids = links.select(links.c.plate_id).where(links.c.intent_id.in_(open_orders))
        return self._many(t, KINDS["plate"].decode, (t.c.live == 1) & t.c.id.in_(ids), t.c.number)

    def plates_of_intent(self, intent_id: str) -> tuple[Plate, ...]:
        """Every Plate that holds a part of this Order."""
        t, links = self._plates, self._plate_intents
        ids = links.select(links.c.plate_id).where(links.c.intent_id == intent_id)
        return self._many(t, KINDS["plate"].decode, t.c.id.in_(ids), t.c.number)

    def plans_of_intents(self, intent_ids: tuple[str, ...]) -> tuple[Plan, ...]:
        """Every Build Plan revision of these Orders."""
        return self._batched("plan", "intent_id IN ({})", intent_ids)

    def plates_of_intents(self, intent_ids: tuple[str, ...]) -> tuple[Plate, ...]:
        """Every Plate that holds a part of one of these Orders, oldest first."""
        sql = "id IN (SELECT plate_id FROM plate_intents WHERE intent_id IN ({}))"
        found: dict[str, Plate] = {p.plate_id: p for p in self._batched("plate", sql, intent_ids)}
        return tuple(sorted(found.values(), key=lambda p: p.number))

    def runs_of_plates(self, plate_ids: tuple[str, ...]) -> tuple[Run, ...]:
        """Every attempt of these Plates."""
        return self._batched("run", "plate_id IN ({})", plate_ids)

    def _batched(self, kind: str, where: str, ids: tuple[str, ...]) -> tuple[Any, ...]:
        found: list[Any] = []
        for start in range(0, len(ids), 500):
            batch = ids[start : start + 500]
            marks = where.format(",".join("?" * len(batch)))
            sql = f"SELECT doc FROM {KINDS[kind].table} WHERE {marks}"  # noqa: S608 - names of ours
            rows = self.database.execute_sql(sql, batch).fetchall()
            found += (KINDS[kind].decode(row[0]) for row in rows)
        return tuple(found)

    def plans_of_intent(self, intent_id: str) -> tuple[Plan, ...]:
        """Every Build Plan revision of an Order."""
        t = self._plans
        return self._many(t, KINDS["plan"].decode, t.c.intent_id == intent_id, t.c.id)

    def intents_open(self) -> tuple[Intent, ...]:
        """Orders that are neither fulfilled nor canceled, oldest first."""
        t = self._intents
        return self._many(t, KINDS["intent"].decode, t.c.open == 1, t.c.number)

    def intents_recent(self, limit: int = 500) -> tuple[Intent, ...]:
        """Orders of any state, newest first."""
        t = self._intents
        return self._many(t, KINDS["intent"].decode, None, t.c.number.desc(), limit)

    def drops_recent(self, limit: int = 200) -> tuple[Drop, ...]:
        """The latest drops, newest first."""
        t = self._drops
        return self._many(t, KINDS["drop"].decode, None, t.c.dropped_at.desc(), limit)

    def drops_attention(self) -> tuple[Drop, ...]:
        """Drops that wait for a person, oldest first."""
        t = self._drops
        return self._many(t, KINDS["drop"].decode, t.c.state.in_(("rejected", "again")), t.c.dropped_at)

    def intent_of_content(self, sha256: str) -> str | None:
        """The newest Order that was made of exactly this content."""
        sql = "SELECT doc FROM drops WHERE sha256 = ? AND state = 'accepted' ORDER BY dropped_at DESC LIMIT 1"
        row = self.database.execute_sql(sql, (sha256,)).fetchone()
        return msgspec.json.decode(row[0], type=Drop).intent_id if row else None

    def effects_pending(self, kinds: tuple[str, ...]) -> tuple[Effect, ...]:
        """Effects not yet performed, oldest first."""
        marks = ",".join("?" * len(kinds))
        sql = (
            "SELECT effect_id, kind, subject_kind, subject_id, incarnation, args FROM effects"  # noqa: S608
            f" WHERE result IS NULL AND kind IN ({marks}) ORDER BY seq LIMIT 1000"
        )
        return tuple(
            Effect(
                effect_id=row[0],
                kind=row[1],
                subject_kind=row[2],
                subject_id=row[3],
                incarnation=row[4],
                args=msgspec.json.decode(row[5], type=dict[str, str]),
            )
            for row in self.database.execute_sql(sql, kinds).fetchall()
        )

    def event(self, event_id: str) -> ev.Event | None:
        """One event."""
        found = self._events("event_id = ?", (event_id,), 1)
        return found[0] if found else None

    def events(self, query: EventFilter) -> tuple[ev.Event, ...]:
        """Events that match, newest first."""
        parts: list[str] = []
        values: list[object] = []
        for column in ("intent_id", "run_id", "printer_id"):
            wanted = getattr(query, column)
            if wanted is not None:
                parts.append(f"{column} = ?")
                values.append(wanted)
        if query.before_seq is not None:
            parts.append("seq < ?")
            values.append(query.before_seq)
        if query.after_seq is not None:
            parts.append("seq > ?")
            values.append(query.after_seq)
        for word in query.text.split()[:8]:
            like = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            columns = ("type", "subject_id", "actor", "who", "CAST(payload AS TEXT)")
            parts.append("(" + " OR ".join(f"{c} LIKE ? ESCAPE '\\'" for c in columns) + ")")
            values += [like] * len(columns)
        return self._events(" AND ".join(parts) or "1", tuple(values), max(1, min(query.limit, 5000)))

    def events_after(self, seq: int, query: EventFilter) -> tuple[ev.Event, ...]:
        """The next page of events behind `seq`, oldest first; of one Order where `query` names it."""
        where = "seq > ?"
        values: list[object] = [seq]
        if query.intent_id is not None:
            where, values = "seq > ? AND intent_id = ?", [seq, query.intent_id]
        sql = f"SELECT {EVENT_COLUMNS} FROM events WHERE {where} ORDER BY seq LIMIT 1000"  # noqa: S608
        return tuple(event_of(row) for row in self.database.execute_sql(sql, tuple(values)).fetchall())

    def story(self, intent_id: str, limit: int = 2000) -> tuple[ev.Event, ...]:
        """The events of one Order, oldest first."""
        return tuple(reversed(self._events("intent_id = ?", (intent_id,), limit)))

    def _events(self, where: str, values: tuple[object, ...], limit: int) -> tuple[ev.Event, ...]:
        sql = f"SELECT {EVENT_COLUMNS} FROM events WHERE {where} ORDER BY seq DESC LIMIT {limit}"  # noqa: S608
        return tuple(event_of(row) for row in self.database.execute_sql(sql, values).fetchall())
