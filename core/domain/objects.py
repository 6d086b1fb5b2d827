"""The objects of the ledger as the projections hold them (domain.md).

Lengths are µm, masses mg, times s, temperatures °C, all integers: hashed payloads hold no floats.
Wall times are Unix seconds.
"""

import msgspec

from core.contract import BootSignature
from core.domain.findings import Finding
from core.domain.words import (
    Bed,
    CancelReason,
    Health,
    IntentState,
    ItemResult,
    PaymentStatus,
    PlanState,
    PlateState,
    QualityTier,
    RiskLevel,
    RunState,
    Verdict,
)


class ArtifactRef(msgspec.Struct, frozen=True, kw_only=True):
    """A content-addressed, immutable file of the site."""

    sha256: str
    size: int
    mime: str
    name: str = ""
    store: str = "fs"

    @property
    def key(self) -> str:
        """Where the store keeps it."""
        return f"{self.sha256[:2]}/{self.sha256}"


class LineItem(msgspec.Struct, frozen=True, kw_only=True):
    """One part that was ordered; None means nobody said, and it is asked for at approval."""

    item_id: str
    name: str
    part: ArtifactRef
    part_index: int = 0
    quantity: int = 1
    quantity_stated: bool = True
    material: str | None = None
    color: str | None = None
    tier: QualityTier | None = None
    constraints: tuple[str, ...] = ()


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An Order: the append-only promise to a customer."""

    intent_id: str
    version: int
    number: int
    state: IntentState
    created_at: int
    source: str
    customer_ref: str = ""
    due_at: int | None = None
    items: tuple[LineItem, ...] = ()
    payment: PaymentStatus = PaymentStatus.NOT_REQUIRED
    notes: tuple[str, ...] = ()
    cancel_reason: CancelReason | None = None
    fulfilled_at: int | None = None
    duplicate_of: str | None = None

    @property
    def open(self) -> bool:
        """Neither fulfilled nor canceled."""
        return self.state not in (IntentState.FULFILLED, IntentState.CANCELED)


class PreflightSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What Gate A said of a part; the whole report is an artifact."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    size_um: tuple[int, int, int] = (0, 0, 0)
    volume_mm3: int = 0
    triangles: int = 0
    mass_low_mg: int = 0
    mass_high_mg: int = 0
    report: ArtifactRef | None = None


class SlicerPin(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly which engine an approval pinned."""

    name: str
    version: str
    digest: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A Build Plan: the revisioned recipe of one line item. `kind` is ``model`` or ``gcode`` (external recipe)."""

    plan_id: str
    version: int
    intent_id: str
    item_id: str
    revision: int
    state: PlanState
    kind: str
    mesh: ArtifactRef | None = None
    gcode: ArtifactRef | None = None
    model_id: str | None = None
    fits_models: tuple[str, ...] = ()
    profile_ref: str | None = None
    profile_checksum: str | None = None
    slicer: SlicerPin | None = None
    supports: str = "auto"
    preflight: PreflightSummary | None = None
    gate: "GateSummary | None" = None
    risk_level: RiskLevel = RiskLevel.LOW
    risk_factors: tuple[str, ...] = ()
    dispatch_blocked: str | None = None
    approved_by: str | None = None
    problem: str = ""
    """Why no approval is possible as things are ('' = nothing stands against it)."""


class GateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the G-code gate said; the whole report is an artifact."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    max_hotend: int | None = None
    max_bed: int | None = None
    time_s: int | None = None
    filament_mm: int | None = None
    mass_mg: int | None = None
    layers: int | None = None
    printer_model: str = ""
    slicer: str = ""
    sha256: str = ""
    """Of the file that was scanned: the gate speaks of exactly this content."""
    report: ArtifactRef | None = None


class PlateItem(msgspec.Struct, frozen=True, kw_only=True):
    """One physical part on a Plate. `source_item` names the failed instance that this one replaces."""

    item_id: str
    line_item_id: str
    plan_id: str
    plan_revision: int
    intent_id: str
    instance: int
    name: str = ""
    source_item: str | None = None


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where the centre of an instance lies on the bed (µm) and its rotation about z (degrees)."""

    item_id: str
    x_um: int
    y_um: int
    rotation: int = 0


class SliceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far slicing of a Plate is: none | waiting | done | failed."""

    state: str = "none"
    key: str = ""
    code: str = ""
    message: str = ""
    warnings: tuple[str, ...] = ()
    seconds: int = 0
    attempt: int = 0


class Plate(msgspec.Struct, frozen=True, kw_only=True):
    """A Plate: instances that are printed together; exists for a single part too."""

    plate_id: str
    version: int
    number: int
    state: PlateState
    items: tuple[PlateItem, ...]
    layout: tuple[Placement, ...] = ()
    model_id: str | None = None
    gcode: ArtifactRef | None = None
    gate: GateSummary | None = None
    slice: SliceStatus = SliceStatus()
    dispatch: bool = False
    reprint_of: str | None = None

    @property
    def intent_ids(self) -> tuple[str, ...]:
        """The Orders on this Plate, each once, in order."""
        return tuple(dict.fromkeys(item.intent_id for item in self.items))


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one instance."""

    item_id: str
    result: ItemResult
    reason: str = ""
    note: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One remembered fact about an attempt, in words for the operator; `at` is wall time."""

    at: int
    text: str


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A moment in monotonic milliseconds, valid only within one boot of this computer."""

    mono_ms: int
    boot_id: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A Print Attempt: exactly one Plate on one printer.

    `attempt` counts remote names, `starts` the starts that were intended under them; `baseline` is the boot
    signature that the start was intended against; `question` is the sentence of a needs_decision card.
    """

    run_id: str
    version: int
    plate_id: str
    state: RunState
    intent_ids: tuple[str, ...]
    number: int
    queued_at: int
    model_id: str | None = None
    printer_id: str | None = None
    pinned_printer: str | None = None
    attempt: int = 0
    starts: int = 0
    remote_name: str = ""
    nonce: str = ""
    gcode_sha256: str = ""
    gcode_size: int = 0
    permit_id: str | None = None
    baseline: BootSignature | None = None
    deadline: Deadline | None = None
    printer_job: str | None = None
    reply: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    reason: str = ""
    reason_text: str = ""
    question: str = ""
    evidence: tuple[Evidence, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    remote_deleted: bool = False
    used_mg: int | None = None
    printer_snapshot: dict[str, str] = {}
    reprinted_by: str | None = None
    abort_reason: str = ""
    """What a person said when they asked to stop this attempt ('' = nobody did)."""
    approved_by: str | None = None


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """The physical second lock: a person saw an empty bed. `signature` is what the printer showed then, or
    None when the printer was off: it is bound at the first full look afterwards."""

    permit_id: str
    given_at: int
    given_by: str
    signature: BootSignature | None = None


class Printer(msgspec.Struct, frozen=True, kw_only=True):
    """A printer of the site, as the ledger knows it (live telemetry is not part of the ledger)."""

    printer_id: str
    version: int
    name: str
    adapter: str
    address: str
    model_id: str
    options: dict[str, str] = {}
    health: Health = Health.OK
    health_reason: str = ""
    bed: Bed = Bed.UNKNOWN
    permit: Permit | None = None
    material: str | None = None
    color: str | None = None
    removed: bool = False
    foreign: str = ""


class DroppedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part found in a drop, with what the gates said and what its name or sidecar said."""

    name: str
    source: ArtifactRef
    part_index: int = 0
    kind: str = "model"
    mesh: ArtifactRef | None = None
    quantity: int = 1
    quantity_stated: bool = True
    material: str | None = None
    color: str | None = None
    tier: QualityTier | None = None
    constraints: tuple[str, ...] = ()
    preflight: PreflightSummary | None = None
    gate: GateSummary | None = None
    fits_models: tuple[str, ...] = ()


class Drop(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder that came through the hot folder or `kiln-tui drop`.

    state: accepted | rejected | again (same content as an earlier one, waiting for one key) | dismissed.
    """

    drop_id: str
    version: int
    name: str
    state: str
    dropped_at: int
    sha256: str = ""
    intent_id: str | None = None
    duplicate_of: str | None = None
    findings: tuple[Finding, ...] = ()
    kept_at: str = ""
    parts: tuple[DroppedPart, ...] = ()
    source: str = "hot_folder"
    customer_ref: str = ""
    due_at: int | None = None
    notes: tuple[str, ...] = ()
