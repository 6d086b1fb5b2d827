"""Every event type with its payload: the public contract of the ledger (domain.md).

Payloads hold no floats (hashed fields are integers and strings). Types are past tense and small; `version`
of a type grows when its payload changes, and old versions are upcast on read.
"""

import msgspec

from core.contract import BootSignature
from core.domain.findings import Finding
from core.domain.objects import (
    ArtifactRef,
    Deadline,
    DroppedPart,
    GateSummary,
    LineItem,
    Outcome,
    Placement,
    PlateItem,
    PreflightSummary,
    SlicerPin,
)
from core.domain.words import Actor, CancelReason, PaymentStatus, QualityTier, RiskLevel


class Body(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all payloads; the tag is the event type."""


class SiteOpened(Body, frozen=True, kw_only=True):
    """A core began to work on this site."""

    incarnation: str
    version: str


class ChainCheckpoint(Body, frozen=True, kw_only=True):
    """Everything before this was verified up to `head`; makes later verification quick."""

    events: int
    head: str


class ArtifactStored(Body, frozen=True, kw_only=True):
    """`child` was made of `parent` by `how` (lineage)."""

    child: ArtifactRef
    parent: str
    how: str


class IntentCreated(Body, frozen=True, kw_only=True):
    """An Order came in."""

    number: int
    source: str
    customer_ref: str = ""
    due_at: int | None = None
    items: tuple[LineItem, ...] = ()
    payment: PaymentStatus = PaymentStatus.NOT_REQUIRED
    notes: tuple[str, ...] = ()
    duplicate_of: str | None = None
    created_at: int = 0


class IntentClarified(Body, frozen=True, kw_only=True):
    """Something that the Order left open was said."""

    item_id: str
    material: str | None = None
    color: str | None = None
    tier: QualityTier | None = None
    quantity: int | None = None


class IntentFulfilled(Body, frozen=True, kw_only=True):
    """Every promised part is good, or a person said so."""

    at: int
    by_hand: bool = False


class IntentCanceled(Body, frozen=True, kw_only=True):
    """The promise ended."""

    reason: CancelReason


class PreflightRecorded(Body, frozen=True, kw_only=True):
    """Gate A said this about the part of a Build Plan."""

    preflight: PreflightSummary


class GateRecorded(Body, frozen=True, kw_only=True):
    """The G-code gate said this about ready G-code."""

    gate: GateSummary


class PlanDrafted(Body, frozen=True, kw_only=True):
    """Revision `revision` of a Build Plan was drafted."""

    intent_id: str
    item_id: str
    revision: int
    kind: str
    mesh: ArtifactRef | None = None
    gcode: ArtifactRef | None = None
    fits_models: tuple[str, ...] = ()
    risk_level: RiskLevel = RiskLevel.LOW
    risk_factors: tuple[str, ...] = ()


class PlanPrepared(Body, frozen=True, kw_only=True):
    """What an approval of this draft would pin, or why it cannot be made."""

    model_id: str | None = None
    profile_ref: str | None = None
    profile_checksum: str | None = None
    slicer: SlicerPin | None = None
    problem: str = ""


class PlanApproved(Body, frozen=True, kw_only=True):
    """Slicer, profile and inputs are pinned from here on."""

    model_id: str | None
    profile_ref: str | None
    profile_checksum: str | None
    slicer: SlicerPin | None
    inputs: tuple[str, ...]
    by: str


class PlanVoided(Body, frozen=True, kw_only=True):
    """This will not be made."""

    reason: str


class PlateDrafted(Body, frozen=True, kw_only=True):
    """Instances were put together on a Plate."""

    number: int
    items: tuple[PlateItem, ...]
    model_id: str | None
    dispatch: bool
    gcode: ArtifactRef | None = None
    gate: GateSummary | None = None
    reprint_of: str | None = None


class PlateSplit(Body, frozen=True, kw_only=True):
    """Not everything fits one bed: these instances stay, the others went to plates of their own."""

    keep: tuple[str, ...]


class SlicingRequested(Body, frozen=True, kw_only=True):
    """The slicer is to make this Plate's G-code."""

    attempt: int


class Sliced(Body, frozen=True, kw_only=True):
    """The slicer's product passed verification and the G-code gate."""

    key: str
    gcode: ArtifactRef
    gate: GateSummary
    layout: tuple[Placement, ...]
    warnings: tuple[str, ...]
    seconds: int


class SliceFailed(Body, frozen=True, kw_only=True):
    """Slicing ended without a product."""

    key: str
    code: str
    message: str


class PlateApproved(Body, frozen=True, kw_only=True):
    """Exact instances, layout and G-code are pinned."""

    gcode_sha256: str


class PlateVoided(Body, frozen=True, kw_only=True):
    """This Plate will not be printed."""

    reason: str


class RunQueued(Body, frozen=True, kw_only=True):
    """A Print Attempt waits for a printer."""

    plate_id: str
    number: int
    intent_ids: tuple[str, ...]
    gcode: ArtifactRef
    model_id: str | None
    pinned_printer: str | None = None
    queued_at: int = 0
    item_ids: tuple[str, ...] = ()


class ApprovalRequired(Body, frozen=True, kw_only=True):
    """Policy parked this until a person decides."""

    transition: str
    explanations: tuple[str, ...]


class RunApproved(Body, frozen=True, kw_only=True):
    """A person let the parked attempt go."""

    by: str


class RunClaimed(Body, frozen=True, kw_only=True):
    """This printer, this attempt number, this remote name (kernel.md step 1)."""

    printer_id: str
    attempt: int
    remote_name: str
    nonce: str


class RunUploaded(Body, frozen=True, kw_only=True):
    """The file is on the printer and was read back."""

    remote_name: str
    size: int
    digest: str


class StartIntended(Body, frozen=True, kw_only=True):
    """Durable before any byte of the start is sent; consumes the permit."""

    permit_id: str
    baseline: BootSignature
    deadline: Deadline


class StartReplied(Body, frozen=True, kw_only=True):
    """How the one start was answered; evidence only."""

    reply: str
    detail: str


class RunStarted(Body, frozen=True, kw_only=True):
    """The printer was seen printing our file."""

    printer_job: str | None
    snapshot: dict[str, str]
    evidence: str
    at: int


class RunPaused(Body, frozen=True, kw_only=True):
    """The printer was seen paused."""

    evidence: str


class RunResumed(Body, frozen=True, kw_only=True):
    """The printer was seen printing again."""

    evidence: str


class RunFencing(Body, frozen=True, kw_only=True):
    """No trace of our start: our file is being removed so that it can't run later."""

    evidence: str


class RunRequeued(Body, frozen=True, kw_only=True):
    """The former attempt provably never started; a new one needs a new permit."""

    evidence: str


class RunNeedsDecision(Body, frozen=True, kw_only=True):
    """What happened is unknown; a person resolves it with this evidence."""

    question: str
    evidence: str


class RunReconciled(Body, frozen=True, kw_only=True):
    """A person answered, or evidence settled, what the ledger and the printer disagreed on."""

    from_state: str
    to_state: str
    answer: str
    by: str


class RunCompleted(Body, frozen=True, kw_only=True):
    """The printer's own evidence says our printer job completed."""

    at: int
    text: str
    used_mg: int | None = None


class RunFailed(Body, frozen=True, kw_only=True):
    """The attempt ended without completing."""

    at: int
    reason: str
    text: str
    used_mg: int | None = None


class RunAborted(Body, frozen=True, kw_only=True):
    """A person ended the attempt."""

    at: int
    reason: str
    text: str
    used_mg: int | None = None


class ControlRequested(Body, frozen=True, kw_only=True):
    """A person asked the printer for pause, resume or cancel."""

    what: str
    reason: str = ""


class RemoteFileDeleted(Body, frozen=True, kw_only=True):
    """Our file is gone from the printer (stops replay at power-on and "print again")."""

    remote_name: str


class ItemOutcomeRecorded(Body, frozen=True, kw_only=True):
    """What became of one instance, as a person saw it."""

    outcome: Outcome
    line_item_id: str
    by: str


class ReprintCreated(Body, frozen=True, kw_only=True):
    """The failed instances of this attempt are made again."""

    plate_id: str
    items: tuple[str, ...]


class PrinterAdded(Body, frozen=True, kw_only=True):
    """A printer is known from now on."""

    name: str
    adapter: str
    address: str
    model_id: str
    options: dict[str, str] = {}


class PrinterRemoved(Body, frozen=True, kw_only=True):
    """The printer is no longer part of the site."""


class PrinterStateChanged(Body, frozen=True, kw_only=True):
    """Health changed, with what was seen."""

    health: str
    reason: str
    foreign: str = ""


class PlateCleared(Body, frozen=True, kw_only=True):
    """A person saw the empty bed: the bed-clear permit."""

    permit_id: str
    at: int
    by: str
    run_id: str | None = None


class PermitBound(Body, frozen=True, kw_only=True):
    """What the printer showed when the permit was first seen with it."""

    permit_id: str
    signature: BootSignature


class PermitRevoked(Body, frozen=True, kw_only=True):
    """Something moved since the bed was seen clear."""

    permit_id: str
    evidence: str


class PermitConsumed(Body, frozen=True, kw_only=True):
    """A start was intended with this permit; it is used up."""

    permit_id: str
    run_id: str


class MaterialLoaded(Body, frozen=True, kw_only=True):
    """What a person says is loaded; '' for nothing."""

    material: str
    color: str


class AnomalyDetected(Body, frozen=True, kw_only=True):
    """Something that does not fit."""

    text: str


class DropReceived(Body, frozen=True, kw_only=True):
    """Files were dropped; state: accepted | rejected | again."""

    name: str
    state: str
    sha256: str
    dropped_at: int
    intent_id: str | None = None
    duplicate_of: str | None = None
    findings: tuple[Finding, ...] = ()
    kept_at: str = ""
    parts: tuple[DroppedPart, ...] = ()
    source: str = "hot_folder"
    customer_ref: str = ""
    due_at: int | None = None
    notes: tuple[str, ...] = ()


class DropSettled(Body, frozen=True, kw_only=True):
    """A person dealt with a rejected or repeated drop."""

    state: str
    intent_id: str | None = None


class DecisionMade(Body, frozen=True, kw_only=True):
    """What policy said, with exactly the inputs it used; replaying them gives the same outcome."""

    decision_id: str
    policy_id: str
    policy_version: str
    transition: str
    inputs: dict[str, str]
    outcome: str
    explanations: tuple[str, ...]


class StandingApproval(Body, frozen=True, kw_only=True):
    """Similar Orders are approved without asking until then."""

    scope: dict[str, str]
    until: int
    by: str


AnyBody = (
    SiteOpened | ChainCheckpoint | ArtifactStored | IntentCreated | IntentClarified | IntentFulfilled
    | IntentCanceled | PreflightRecorded | GateRecorded | PlanDrafted | PlanPrepared | PlanApproved | PlanVoided
    | PlateDrafted | PlateSplit | SlicingRequested | Sliced | SliceFailed | PlateApproved | PlateVoided
    | RunQueued | ApprovalRequired | RunApproved | RunClaimed | RunUploaded | StartIntended | StartReplied
    | RunStarted | RunPaused | RunResumed | RunFencing | RunRequeued | RunNeedsDecision | RunReconciled
    | RunCompleted | RunFailed | RunAborted | ControlRequested | RemoteFileDeleted | ItemOutcomeRecorded
    | ReprintCreated | PrinterAdded | PrinterRemoved | PrinterStateChanged | PlateCleared | PermitBound
    | PermitRevoked | PermitConsumed | MaterialLoaded | AnomalyDetected | DropReceived | DropSettled
    | DecisionMade | StandingApproval
)  # fmt: skip


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is stored: the envelope and its payload."""

    seq: int
    event_id: str
    version: int
    wall_ns: int
    mono_ns: int
    boot_id: str
    subject_kind: str
    subject_id: str
    subject_version: int
    intent_id: str | None
    plan_id: str | None
    build_plate_id: str | None
    run_id: str | None
    printer_id: str | None
    correlation_id: str | None
    causation_id: str | None
    actor: Actor
    who: str
    body: AnyBody
    prev_hash: str = ""
    hash: str = ""

    @property
    def type(self) -> str:
        """The event type."""
        return type(self.body).__name__
