"""Which table holds which kind of object: its fold, its row and its columns."""

from collections.abc import Callable
from typing import Any

import msgspec

from core.domain import events as ev
from core.domain.fold import fold_drop, fold_intent, fold_plan, fold_plate, fold_printer, fold_run
from core.domain.objects import Drop, Intent, Plan, Plate, Printer, Run
from core.domain.site import SiteState, fold_site
from core.domain.words import PlateState

Stored = Intent | Plan | Plate | Run | Printer | Drop | SiteState


class Kind(msgspec.Struct, frozen=True):
    """How objects of one kind are folded and stored."""

    table: str
    fold: Callable[[Any, ev.Event], Any]
    decode: Callable[[bytes], Stored]
    columns: tuple[str, ...]
    row: Callable[[Any], tuple[Any, ...]]
    links: Callable[[Any], list[tuple[str, tuple[Any, ...]]]]
    refs: Callable[[Any], dict[str, str | None]]

    @property
    def upsert(self) -> str:
        """The statement that writes a row."""
        marks = ",".join("?" * len(self.columns))
        sets = ", ".join(f"{c} = excluded.{c}" for c in self.columns if c != "id")
        names = ", ".join(self.columns)
        return (
            f"INSERT INTO {self.table} ({names}) VALUES ({marks})"  # noqa: S608 - names of ours
            f" ON CONFLICT (id) DO UPDATE SET {sets}"
        )


_encode = msgspec.json.Encoder().encode


def run_is_live(run: Run) -> bool:
    """Whether anything about this attempt is still to be done by us or by a person."""
    if not run.state.terminal:
        return True
    started = run.started_at is not None
    return (started and not run.outcomes) or (bool(run.remote_name) and not run.remote_deleted)


def _no_links(_state: Any) -> list[tuple[str, tuple[Any, ...]]]:
    return []


def _plate_links(plate: Plate) -> list[tuple[str, tuple[Any, ...]]]:
    sql = "INSERT INTO plate_intents (plate_id, intent_id) VALUES (?,?) ON CONFLICT DO NOTHING"
    return [(sql, (plate.plate_id, intent_id)) for intent_id in plate.intent_ids]


def _first(ids: tuple[str, ...]) -> str | None:
    return ids[0] if ids else None


KINDS: dict[str, Kind] = {
    "intent": Kind(
        "intents",
        fold_intent,
        msgspec.json.Decoder(Intent).decode,
        ("id", "number", "open", "doc"),
        lambda i: (i.intent_id, i.number, int(i.open), _encode(i)),
        _no_links,
        lambda i: {"intent_id": i.intent_id},
    ),
    "plan": Kind(
        "plans",
        fold_plan,
        msgspec.json.Decoder(Plan).decode,
        ("id", "intent_id", "item_id", "revision", "state", "doc"),
        lambda p: (p.plan_id, p.intent_id, p.item_id, p.revision, p.state.value, _encode(p)),
        _no_links,
        lambda p: {"intent_id": p.intent_id, "plan_id": p.plan_id},
    ),
    "plate": Kind(
        "plates",
        fold_plate,
        msgspec.json.Decoder(Plate).decode,
        ("id", "number", "live", "doc"),
        lambda p: (
            p.plate_id,
            p.number,
            int(p.state in (PlateState.DRAFT, PlateState.APPROVED)),
            _encode(p),
        ),
        _plate_links,
        lambda p: {"build_plate_id": p.plate_id, "intent_id": _first(p.intent_ids)},
    ),
    "run": Kind(
        "runs",
        fold_run,
        msgspec.json.Decoder(Run).decode,
        ("id", "number", "plate_id", "printer_id", "state", "active", "live", "doc"),
        lambda r: (
            r.run_id,
            r.number,
            r.plate_id,
            r.printer_id,
            r.state.value,
            int(r.state.active and r.printer_id is not None),
            int(run_is_live(r)),
            _encode(r),
        ),
        _no_links,
        lambda r: {
            "run_id": r.run_id,
            "build_plate_id": r.plate_id,
            "intent_id": _first(r.intent_ids),
            "printer_id": r.printer_id,
        },
    ),
    "printer": Kind(
        "printers",
        fold_printer,
        msgspec.json.Decoder(Printer).decode,
        ("id", "name", "removed", "doc"),
        lambda p: (p.printer_id, p.name, int(p.removed), _encode(p)),
        _no_links,
        lambda p: {"printer_id": p.printer_id},
    ),
    "drop": Kind(
        "drops",
        fold_drop,
        msgspec.json.Decoder(Drop).decode,
        ("id", "state", "sha256", "dropped_at", "doc"),
        lambda d: (d.drop_id, d.state, d.sha256, d.dropped_at, _encode(d)),
        _no_links,
        lambda d: {"intent_id": d.intent_id},
    ),
    "site": Kind(
        "site",
        fold_site,
        msgspec.json.Decoder(SiteState).decode,
        ("id", "doc"),
        lambda s: (s.site_id, _encode(s)),
        _no_links,
        lambda _s: {},
    ),
}
