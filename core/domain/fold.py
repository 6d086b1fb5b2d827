"""Projections as folds: the next state of an object from its present state and one event. Pure.

Every projection row equals the fold of its stream; a replay of the log rebuilds them (invariant 10).
"""

from typing import TypeVar

from msgspec.structs import replace

from core.domain import events as ev
from core.domain.objects import (
    Drop,
    Evidence,
    Intent,
    LineItem,
    Permit,
    Plan,
    Plate,
    Printer,
    Run,
    SliceStatus,
)
from core.domain.words import (
    Bed,
    Health,
    IntentState,
    PlanState,
    PlateState,
    RunState,
)

_T = TypeVar("_T")

MAX_EVIDENCE = 40
"""How many evidence lines a Run keeps in its projection; the log keeps all."""


class FoldError(Exception):
    """An event does not fit the state it is applied to: the log is damaged or the program is wrong."""


def fold_intent(state: Intent | None, event: ev.Event) -> Intent | None:
    """The next state of an Order."""
    body = event.body
    if isinstance(body, ev.IntentCreated):
        return Intent(
            intent_id=event.subject_id,
            version=event.subject_version,
            number=body.number,
            state=IntentState.CREATED,
            created_at=body.created_at,
            source=body.source,
            customer_ref=body.customer_ref,
            due_at=body.due_at,
            items=body.items,
            payment=body.payment,
            notes=body.notes,
            duplicate_of=body.duplicate_of,
        )
    state = replace(_must(state, event), version=event.subject_version)
    match body:
        case ev.IntentClarified():
            return replace(state, items=tuple(_clarified(i, body) for i in state.items))
        case ev.IntentFulfilled():
            return replace(state, state=IntentState.FULFILLED, fulfilled_at=body.at)
        case ev.IntentCanceled():
            return replace(state, state=IntentState.CANCELED, cancel_reason=body.reason)
    return state


def _clarified(item: LineItem, body: ev.IntentClarified) -> LineItem:
    if item.item_id != body.item_id:
        return item
    return replace(
        item,
        material=item.material if body.material is None else body.material,
        color=item.color if body.color is None else body.color,
        tier=item.tier if body.tier is None else body.tier,
        quantity=item.quantity if body.quantity is None else body.quantity,
        quantity_stated=item.quantity_stated or body.quantity is not None,
    )


def fold_plan(state: Plan | None, event: ev.Event) -> Plan | None:
    """The next state of a Build Plan revision."""
    body = event.body
    if isinstance(body, ev.PlanDrafted):
        return Plan(
            plan_id=event.subject_id,
            version=event.subject_version,
            intent_id=body.intent_id,
            item_id=body.item_id,
            revision=body.revision,
            state=PlanState.DRAFT,
            kind=body.kind,
            mesh=body.mesh,
            gcode=body.gcode,
            fits_models=body.fits_models,
            risk_level=body.risk_level,
            risk_factors=body.risk_factors,
        )
    state = replace(_must(state, event), version=event.subject_version)
    match body:
        case ev.PreflightRecorded():
            return replace(state, preflight=body.preflight)
        case ev.GateRecorded():
            return replace(state, gate=body.gate)
        case ev.PlanPrepared():
            return replace(
                state,
                model_id=body.model_id,
                profile_ref=body.profile_ref,
                profile_checksum=body.profile_checksum,
                slicer=body.slicer,
                problem=body.problem,
            )
        case ev.PlanApproved():
            return replace(
                state,
                state=PlanState.APPROVED,
                model_id=body.model_id,
                profile_ref=body.profile_ref,
                profile_checksum=body.profile_checksum,
                slicer=body.slicer,
                approved_by=body.by,
            )
        case ev.PlanVoided():
            return replace(state, state=PlanState.VOID)
    return state


def fold_plate(state: Plate | None, event: ev.Event) -> Plate | None:
    """The next state of a Plate."""
    body = event.body
    if isinstance(body, ev.PlateDrafted):
        return Plate(
            plate_id=event.subject_id,
            version=event.subject_version,
            number=body.number,
            state=PlateState.DRAFT,
            items=body.items,
            model_id=body.model_id,
            dispatch=body.dispatch,
            gcode=body.gcode,
            gate=body.gate,
            reprint_of=body.reprint_of,
        )
    state = replace(_must(state, event), version=event.subject_version)
    match body:
        case ev.PlateSplit():
            return replace(state, items=tuple(i for i in state.items if i.item_id in body.keep))
        case ev.SlicingRequested():
            return replace(state, slice=SliceStatus(state="waiting", attempt=body.attempt))
        case ev.Sliced():
            done = SliceStatus(
                state="done",
                key=body.key,
                warnings=body.warnings,
                seconds=body.seconds,
                attempt=state.slice.attempt,
            )
            return replace(state, slice=done, gcode=body.gcode, gate=body.gate, layout=body.layout)
        case ev.SliceFailed():
            failed = SliceStatus(
                state="failed",
                key=body.key,
                code=body.code,
                message=body.message,
                attempt=state.slice.attempt,
            )
            return replace(state, slice=failed)
        case ev.PlateApproved():
            return replace(state, state=PlateState.APPROVED)
        case ev.PlateVoided():
            return replace(state, state=PlateState.VOID)
    return state


def fold_run(state: Run | None, event: ev.Event) -> Run | None:
    """The next state of a Print Attempt."""
    body = event.body
    if isinstance(body, ev.RunQueued):
        return Run(
            run_id=event.subject_id,
            version=event.subject_version,
            plate_id=body.plate_id,
            state=RunState.QUEUED,
            intent_ids=body.intent_ids,
            number=body.number,
            queued_at=body.queued_at,
            model_id=body.model_id,
            pinned_printer=body.pinned_printer,
            gcode_sha256=body.gcode.sha256,
            gcode_size=body.gcode.size,
        )
    state = replace(_must(state, event), version=event.subject_version)
    moved = _run_protocol(state, event)
    return _run_life(state, event) if moved is None else moved


def _run_protocol(state: Run, event: ev.Event) -> Run | None:
    """Steps 1 to 8 of the start protocol; None when the event is another one."""
    body = event.body
    match body:
        case ev.RunClaimed():
            return replace(
                state,
                state=RunState.CLAIMED,
                printer_id=body.printer_id,
                attempt=body.attempt,
                remote_name=body.remote_name,
                nonce=body.nonce,
                permit_id=None,
                baseline=None,
                deadline=None,
                printer_job=None,
                reply="",
                remote_deleted=False,
            )
        case ev.RunUploaded():
            return replace(state, state=RunState.UPLOADED)
        case ev.StartIntended():
            return replace(
                state,
                state=RunState.INTENDED,
                permit_id=body.permit_id,
                baseline=body.baseline,
                deadline=body.deadline,
                starts=state.starts + 1,
            )
        case ev.StartReplied():
            text = f"start {body.reply.replace('_', ' ')}" + (f": {body.detail}" if body.detail else "")
            moved = RunState.CONFIRMING if state.state is RunState.INTENDED else state.state
            return _noted(replace(state, state=moved, reply=body.reply), event, text)
        case ev.RunFencing():
            return _noted(replace(state, state=RunState.FENCING), event, body.evidence)
        case ev.RunRequeued():
            back = replace(
                state, state=RunState.QUEUED, printer_id=None, permit_id=None, baseline=None, deadline=None
            )
            return _noted(back, event, body.evidence)
        case ev.RunNeedsDecision():
            asked = replace(state, state=RunState.NEEDS_DECISION, question=body.question)
            return _noted(asked, event, body.evidence)
    return None


def _run_life(state: Run, event: ev.Event) -> Run:
    """From the queue to the end, apart from the start protocol."""
    body = event.body
    match body:
        case ev.ApprovalRequired():
            return replace(
                state,
                state=RunState.PENDING_APPROVAL,
                question="; ".join(body.explanations),
            )
        case ev.RunApproved():
            return replace(state, state=RunState.QUEUED, question="", approved_by=body.by)
        case ev.RunStarted():
            return _noted(
                replace(
                    state,
                    state=RunState.PRINTING,
                    printer_job=body.printer_job,
                    started_at=body.at,
                    printer_snapshot=body.snapshot,
                    question="",
                ),
                event,
                body.evidence,
            )
        case ev.RunPaused():
            return _noted(replace(state, state=RunState.PAUSED), event, body.evidence)
        case ev.RunResumed():
            return _noted(replace(state, state=RunState.PRINTING), event, body.evidence)
        case ev.RunReconciled():
            text = f"{body.by} answered: {body.answer.replace('_', ' ')}"
            return _noted(replace(state, state=RunState(body.to_state), question=""), event, text)
        case ev.RunCompleted():
            done = replace(state, state=RunState.COMPLETED, ended_at=body.at, used_mg=body.used_mg)
            return _noted(replace(done, question=""), event, body.text)
        case ev.RunFailed() | ev.RunAborted():
            over = RunState.FAILED if isinstance(body, ev.RunFailed) else RunState.ABORTED
            ended = replace(
                state,
                state=over,
                ended_at=body.at,
                reason=body.reason,
                reason_text=body.text,
                used_mg=body.used_mg,
                question="",
            )
            return _noted(ended, event, body.text)
        case ev.RemoteFileDeleted():
            return replace(state, remote_deleted=True)
        case ev.ItemOutcomeRecorded():
            others = tuple(o for o in state.outcomes if o.item_id != body.outcome.item_id)
            return replace(state, outcomes=(*others, body.outcome))
        case ev.ReprintCreated():
            return replace(state, reprinted_by=body.plate_id)
        case ev.ControlRequested():
            wanted = body.reason if body.what == "cancel" else state.abort_reason
            return _noted(
                replace(state, abort_reason=wanted),
                event,
                f"{body.what} requested by {event.who or event.actor}",
            )
        case ev.AnomalyDetected():
            return _noted(state, event, body.text)
    return state


def fold_printer(state: Printer | None, event: ev.Event) -> Printer | None:
    """The next state of a printer."""
    body = event.body
    if isinstance(body, ev.PrinterAdded):
        return Printer(
            printer_id=event.subject_id,
            version=event.subject_version,
            name=body.name,
            adapter=body.adapter,
            address=body.address,
            model_id=body.model_id,
            options=body.options,
        )
    state = replace(_must(state, event), version=event.subject_version)
    match body:
        case ev.PrinterRemoved():
            return replace(state, removed=True, permit=None)
        case ev.PrinterStateChanged():
            return replace(state, health=Health(body.health), health_reason=body.reason, foreign=body.foreign)
        case ev.PlateCleared():
            permit = Permit(permit_id=body.permit_id, given_at=body.at, given_by=body.by)
            return replace(state, bed=Bed.CLEAR, permit=permit)
        case ev.PermitBound() if state.permit and state.permit.permit_id == body.permit_id:
            return replace(state, permit=replace(state.permit, signature=body.signature))
        case ev.PermitRevoked() if state.permit and state.permit.permit_id == body.permit_id:
            return replace(state, permit=None, bed=Bed.UNKNOWN)
        case ev.PermitConsumed() if state.permit and state.permit.permit_id == body.permit_id:
            return replace(state, permit=None, bed=Bed.OCCUPIED)
        case ev.MaterialLoaded():
            return replace(state, material=body.material or None, color=body.color or None)
    return state


def fold_drop(state: Drop | None, event: ev.Event) -> Drop | None:
    """The next state of a drop."""
    body = event.body
    if isinstance(body, ev.DropReceived):
        return Drop(
            drop_id=event.subject_id,
            version=event.subject_version,
            name=body.name,
            state=body.state,
            dropped_at=body.dropped_at,
            sha256=body.sha256,
            intent_id=body.intent_id,
            duplicate_of=body.duplicate_of,
            findings=body.findings,
            kept_at=body.kept_at,
            parts=body.parts,
            source=body.source,
            customer_ref=body.customer_ref,
            due_at=body.due_at,
            notes=body.notes,
        )
    state = replace(_must(state, event), version=event.subject_version)
    if isinstance(body, ev.DropSettled):
        return replace(state, state=body.state, intent_id=body.intent_id or state.intent_id)
    return state


def _noted(run: Run, event: ev.Event, text: str) -> Run:
    if not text:
        return run
    line = Evidence(at=event.wall_ns // 1_000_000_000, text=text)
    return replace(run, evidence=(*run.evidence, line)[-MAX_EVIDENCE:])


def _must(state: _T | None, event: ev.Event) -> _T:
    if state is None:
        raise FoldError(f"{event.type} for {event.subject_kind} {event.subject_id}, which does not exist")
    return state
