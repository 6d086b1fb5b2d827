"""Every command that the kernel takes. Screens send the first group; controllers the second.

A command is wrapped in an `Envelope` with its idempotency key: the same key and body gives the stored result,
the same key with another body is refused.
"""

import msgspec

from core.contract import BootSignature
from core.domain.findings import Finding
from core.domain.objects import ArtifactRef, DroppedPart, GateSummary, Outcome, Placement, SlicerPin
from core.domain.words import Actor, CancelReason, QualityTier


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all commands."""


# --- from people -------------------------------------------------------------------------------------------


class ClarifyItem(Command, frozen=True, kw_only=True):
    """Say what an Order left open about a line item; only fields that are given are set."""

    intent_id: str
    item_id: str
    material: str | None = None
    color: str | None = None
    tier: QualityTier | None = None
    quantity: int | None = None
    model_id: str | None = None


class ApproveOrder(Command, frozen=True, kw_only=True):
    """Approve every draft Build Plan of an Order: pins slicer, profile and inputs. With `dispatch`, the
    Print Attempts are queued as soon as the gates have passed; `similar_hours` leaves a standing approval."""

    intent_id: str
    dispatch: bool = True
    similar_hours: int = 0


class CancelOrder(Command, frozen=True, kw_only=True):
    """Cancel an Order; its queued attempts end, its running ones go on and are shown."""

    intent_id: str
    reason: CancelReason


class FulfilOrder(Command, frozen=True, kw_only=True):
    """Declare an Order fulfilled by hand."""

    intent_id: str


class OrderAgain(Command, frozen=True, kw_only=True):
    """Make a second Order from content that was dropped again."""

    drop_id: str


class DismissDrop(Command, frozen=True, kw_only=True):
    """Put a rejected or repeated drop out of sight; the file stays where it is."""

    drop_id: str


class QueuePlate(Command, frozen=True, kw_only=True):
    """Queue a Print Attempt of an approved Plate."""

    plate_id: str
    printer_id: str | None = None


class RetrySlice(Command, frozen=True, kw_only=True):
    """Slice a Plate: again after a failure, or for the first time where policy left that to a person."""

    plate_id: str


class ApproveRun(Command, frozen=True, kw_only=True):
    """Let an attempt go that policy parked in pending_approval."""

    run_id: str


class ClearBed(Command, frozen=True, kw_only=True):
    """A person saw the empty bed of a printer. With `run_id`, that attempt's plate was taken off."""

    printer_id: str


class RecordOutcomes(Command, frozen=True, kw_only=True):
    """What became of each instance of an ended attempt. `clear_bed` also gives the bed-clear permit."""

    run_id: str
    outcomes: tuple[Outcome, ...]
    clear_bed: bool = True


class ReprintFailed(Command, frozen=True, kw_only=True):
    """Compose a Plate of the failed instances of an attempt and queue it."""

    run_id: str


class PauseRun(Command, frozen=True, kw_only=True):
    """Ask the printer to pause."""

    run_id: str


class ResumeRun(Command, frozen=True, kw_only=True):
    """Ask the printer to resume."""

    run_id: str


class AbortRun(Command, frozen=True, kw_only=True):
    """Stop an attempt: cancels a queued one, asks the printer to cancel a running one."""

    run_id: str
    reason: str = "operator_abort"


class ResolveRun(Command, frozen=True, kw_only=True):
    """A person's answer to needs_decision: adopt | keep | never_ran | it_ran (kernel.md step 9)."""

    run_id: str
    answer: str
    observed: str = ""
    """What the printer showed when the person answered (a Phase); filled in by the client."""
    observed_file: str = ""
    """The file that the printer named then."""


class AddPrinter(Command, frozen=True, kw_only=True):
    """Make a printer known. The secret is not part of the command; it lives in secrets.yaml."""

    printer_id: str
    name: str
    adapter: str
    address: str
    model_id: str
    options: dict[str, str] = {}


class RemovePrinter(Command, frozen=True, kw_only=True):
    """Forget a printer without an active attempt."""

    printer_id: str


class LoadMaterial(Command, frozen=True, kw_only=True):
    """Say what filament is loaded; '' clears."""

    printer_id: str
    material: str
    color: str = ""


class TakeOutOfService(Command, frozen=True, kw_only=True):
    """No starts on this printer until it is put back."""

    printer_id: str
    reason: str


class AcknowledgePrinter(Command, frozen=True, kw_only=True):
    """End DEGRADED or OUT_OF_SERVICE."""

    printer_id: str


# --- from controllers --------------------------------------------------------------------------------------


class AcceptDrop(Command, frozen=True, kw_only=True):
    """Files were claimed and passed the gates: make the Order and its draft Build Plans."""

    drop_id: str
    name: str
    sha256: str
    source: str = "hot_folder"
    parts: tuple[DroppedPart, ...] = ()
    customer_ref: str = ""
    due_at: int | None = None
    notes: tuple[str, ...] = ()
    kept_at: str = ""


class RejectDrop(Command, frozen=True, kw_only=True):
    """A file was refused; it is kept in rejected/ beside its reason."""

    drop_id: str
    name: str
    findings: tuple[Finding, ...]
    sha256: str = ""
    kept_at: str = ""


class PlanReady(Command, frozen=True, kw_only=True):
    """A slicing controller's answer: what an approval of this draft would pin, or why it can't be made."""

    plan_id: str
    model_id: str | None = None
    profile_ref: str | None = None
    profile_checksum: str | None = None
    slicer: SlicerPin | None = None
    problem: str = ""
    effect_id: str = ""
    """The request that this answers; when another one took its place meanwhile, the answer is refused."""


class SliceDone(Command, frozen=True, kw_only=True):
    """The slicer's product passed verification."""

    plate_id: str
    key: str
    gcode: ArtifactRef
    gate: GateSummary
    layout: tuple[Placement, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: int = 0


class SliceFailed(Command, frozen=True, kw_only=True):
    """Slicing ended without a product; `code` is a SliceOutcome."""

    plate_id: str
    key: str
    code: str
    message: str


class SplitPlate(Command, frozen=True, kw_only=True):
    """Not all instances fit one bed: the plate keeps `keep`, the rest goes to plates of their own."""

    plate_id: str
    keep: tuple[str, ...]
    rest: tuple[tuple[str, ...], ...]


class ClaimRun(Command, frozen=True, kw_only=True):
    """Step 1: this run on this printer, under a new remote name."""

    run_id: str
    printer_id: str
    expected_digest: str


class RunUploaded(Command, frozen=True, kw_only=True):
    """Steps 2 and 3: the file is there and was read back."""

    run_id: str
    remote_name: str
    size: int
    digest: str = ""


class IntendStart(Command, frozen=True, kw_only=True):
    """Steps 4 and 5: two looks agree with the permit; after this commit one start may be sent."""

    run_id: str
    permit_id: str
    baseline: BootSignature
    grace_ms: int


class StartReplied(Command, frozen=True, kw_only=True):
    """Step 6: how the one start was answered (evidence only)."""

    run_id: str
    reply: str
    detail: str = ""


class RunSeen(Command, frozen=True, kw_only=True):
    """Step 7: our name is printing or paused; `printer_job` binds this execution."""

    run_id: str
    phase: str
    printer_job: str | None = None
    snapshot: dict[str, str] = {}
    evidence: str = ""


class RunEnded(Command, frozen=True, kw_only=True):
    """The printer's evidence says our printer job ended: completed | failed | aborted."""

    run_id: str
    result: str
    reason: str = ""
    text: str = ""
    used_mg: int | None = None


class FenceRun(Command, frozen=True, kw_only=True):
    """Step 8 begins: no trace of our start after the grace, or a foreign job appeared."""

    run_id: str
    evidence: str


class FenceHeld(Command, frozen=True, kw_only=True):
    """Step 8 ends: our file is gone, and the printer still shows the baseline: a new attempt may be made."""

    run_id: str
    evidence: str


class AskAboutRun(Command, frozen=True, kw_only=True):
    """What happened is unknown: put the attempt in front of a person with this evidence."""

    run_id: str
    question: str
    evidence: str


class RunBackToQueue(Command, frozen=True, kw_only=True):
    """Give the printer back before any intent was committed (e.g. the printer went away during upload)."""

    run_id: str
    evidence: str


class RemoteDeleted(Command, frozen=True, kw_only=True):
    """Step 10: our file is gone from the printer."""

    run_id: str


class BindPermit(Command, frozen=True, kw_only=True):
    """The first full look since the permit was given: from now on anything that moves revokes it."""

    printer_id: str
    permit_id: str
    signature: BootSignature


class RevokePermit(Command, frozen=True, kw_only=True):
    """Something moved since the permit was given."""

    printer_id: str
    permit_id: str
    evidence: str


class PrinterSeen(Command, frozen=True, kw_only=True):
    """Health by link and phase changed (edges only): ok | offline, or degraded with a reason code."""

    printer_id: str
    health: str
    reason: str = ""
    foreign: str = ""


class SetAsideEffect(Command, frozen=True, kw_only=True):
    """Mark an effect as performed (or given up) by its controller."""

    effect_id: str
    result: str = "done"


class NoteAnomaly(Command, frozen=True, kw_only=True):
    """Record something that does not fit, about a run or a printer."""

    subject_kind: str
    subject_id: str
    text: str


AnyCommand = (
    ClarifyItem | ApproveOrder | CancelOrder | FulfilOrder | OrderAgain | DismissDrop | QueuePlate | RetrySlice
    | ApproveRun | ClearBed | RecordOutcomes | ReprintFailed | PauseRun | ResumeRun | AbortRun | ResolveRun
    | AddPrinter | RemovePrinter | LoadMaterial | TakeOutOfService | AcknowledgePrinter
    | AcceptDrop | RejectDrop | PlanReady | SliceDone | SliceFailed | SplitPlate | ClaimRun | RunUploaded
    | IntendStart | StartReplied | RunSeen | RunEnded | FenceRun | FenceHeld | AskAboutRun | RunBackToQueue
    | RemoteDeleted | BindPermit | RevokePermit | PrinterSeen | SetAsideEffect | NoteAnomaly
)  # fmt: skip


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A command on its way to the kernel. `who` is the operator's name or the controller's."""

    key: str
    body: AnyCommand
    actor: Actor = Actor.OPERATOR
    who: str = ""
    expected_version: int | None = None
    causation_id: str | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a command was not carried out: a stable code and sentences, most actionable first."""

    code: str
    reasons: tuple[str, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command: the ids of its events, or a refusal. `made` names objects it created."""

    event_ids: tuple[str, ...] = ()
    made: dict[str, str] = {}
    refusal: Refusal | None = None
    repeated: bool = False

    @property
    def ok(self) -> bool:
        """Whether it was carried out."""
        return self.refusal is None
