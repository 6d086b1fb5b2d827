"""What screens see: immutable, revisioned snapshots; formatted by the screens, decided by the core."""

import msgspec

from core.contract import Capability, Observation
from core.domain.commands import AnyCommand
from core.domain.findings import Finding
from core.domain.objects import Drop, Intent, LineItem, Plan, Plate, Printer, Run


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person may do with a row: the one key, the words, and the command it sends.

    `opens` names a sheet to show first instead of sending (``approve``, ``outcome``, ``cancel_order``,
    ``abort``, ``resolve``, ``add_printer``, ``clarify``, ``load_material``, ``out_of_service``, ``goto``);
    `confirm` is a question to ask before sending ('' = reversible, just do it). `disabled` is the reason why
    the key does not work now ('' = it works).
    """

    key: str
    label: str
    command: AnyCommand | None = None
    opens: str = ""
    confirm: str = ""
    disabled: str = ""
    note: str = ""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A row of Triage: what it is about, one plain sentence, the evidence, and its actions (first = primary).

    `tag` is the word shown with the icon (DESYNCED, PAUSED, APPROVE …), `severity` is one of
    ``alert | warn | info | ok``. `age_s`, `progress` and `remaining_s` are None where unknown.
    `remaining_s` is print time as the printer counts it; `finish_at` is wall time.
    """

    card_id: str
    section: str
    severity: str
    tag: str
    where: str
    what: str
    brief: str
    title: str
    sentence: str
    because: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    progress: float | None = None
    remaining_s: int | None = None
    finish_at: int | None = None
    subject_kind: str = ""
    subject_id: str = ""


SECTIONS = ("attention", "at_risk", "running", "ready_qa", "ready_start", "waiting")
"""Triage sections in their order; ``waiting`` is work that needs nobody now (slicing, queued)."""

SECTION_TITLES = {
    "attention": "ATTENTION NOW",
    "at_risk": "AT RISK",
    "running": "RUNNING",
    "ready_qa": "READY FOR QA",
    "ready_start": "READY TO START",
    "waiting": "ON ITS WAY",
}


class PrinterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A printer with its live observation (None until the first look) and its age in seconds; `finish_at` is
    the wall time at which the print under way will end, None where unknown or while it stands still."""

    printer: Printer
    model_name: str
    capability: Capability | None
    live: Observation | None
    age_s: float | None
    run: Run | None
    run_title: str = ""
    block: str = ""
    actions: tuple[Action, ...] = ()
    upload: float | None = None
    finish_at: int | None = None


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An Order with its derived stage and the one reason it is not further."""

    intent: Intent
    stage: str
    block: str
    title: str
    promised: int
    good: int
    in_progress: int
    to_make: int
    actions: tuple[Action, ...] = ()


class SliceProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A slice under way: percent and the slicer's own words."""

    plate_id: str
    percent: int
    text: str
    seconds: float


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the list screens show, of one moment. `revision` grows when anything changed."""

    revision: int
    wall: float
    site: str
    inbox: str
    cards: tuple[Card, ...]
    printers: tuple[PrinterRow, ...]
    orders: tuple[OrderRow, ...]
    slicing: tuple[SliceProgress, ...] = ()
    ingesting: tuple[str, ...] = ()
    banner: str = ""
    slicer: str = ""
    slicer_problem: str = ""
    demo: str = ""
    time_scale: float = 1.0


class ItemDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A line item with its Build Plan and what was made of it; `models` are the names of the printer classes that
    the plan is for."""

    item: LineItem
    plan: Plan | None
    good: int
    in_progress: int
    to_make: int
    missing: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Order, whole."""

    row: OrderRow
    items: tuple[ItemDetail, ...]
    plates: tuple[Plate, ...]
    runs: tuple[Run, ...]
    drop: Drop | None = None
    timeline: tuple["EventRow", ...] = ()


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an approval pins: what, the exact value, and where it comes from."""

    what: str
    value: str
    why: str = ""


class ApprovalSheet(msgspec.Struct, frozen=True, kw_only=True):
    """All that a person needs to approve an Order: what is pinned, risk with receipts, time and material.

    `missing` lists what was never said (field, question, choices); approving is disabled until answered.
    """

    intent_id: str
    title: str
    lines: tuple[str, ...]
    pins: tuple[Pin, ...]
    risk: str
    findings: tuple[Finding, ...]
    estimate: str
    missing: tuple["Missing", ...]
    policy: tuple[str, ...]
    can_approve: bool
    problem: str = ""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A question that must be answered before approval; `field` is one of ClarifyItem's."""

    item_id: str
    item_name: str
    field: str
    question: str
    choices: tuple[str, ...]


class OutcomeSheet(msgspec.Struct, frozen=True, kw_only=True):
    """ "What happened on the plate?": an ended attempt and its instances."""

    run: Run
    plate: Plate
    printer_name: str
    title: str
    suggestion: str


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the Events screen shows it; `payload` is JSON text."""

    seq: int
    event_id: str
    type: str
    wall: float
    actor: str
    who: str
    subject_kind: str
    subject_id: str
    summary: str
    intent_id: str | None = None
    plan_id: str | None = None
    build_plate_id: str | None = None
    run_id: str | None = None
    printer_id: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    payload: str = "{}"


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: text matches type prefix, subject, order number or actor; '' = all."""

    text: str = ""
    intent_id: str | None = None
    run_id: str | None = None
    printer_id: str | None = None
    before_seq: int | None = None
    after_seq: int | None = None
    limit: int = 200


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of walking the hash chain."""

    ok: bool
    events: int
    head: str
    problem: str = ""


class ProbeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of trying an address: what was tried, whether it worked, and what to do if not."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


class ProbeView(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at an address."""

    ok: bool
    adapter: str
    steps: tuple[ProbeStep, ...]
    suggested_name: str = ""
