"""Decisions about Print Attempts: the ledger's side of the start protocol, and how attempts end."""

from core.domain import commands as cmd
from core.domain import events as ev
from core.domain.objects import Deadline, Plate, Run
from core.domain.reasons import is_code
from core.domain.words import DecisionOutcome, ItemResult, PlateState, RunState, Verdict
from core.kernel.orders import fulfil_if_complete
from core.kernel.plates import attempts_so_far, reprint_failed
from core.kernel.transaction import Blocked, Refused, Transaction

MAX_STARTS = 3
"""Start attempts of one Run under new names before a person is asked (kernel.md step 8)."""

_BEFORE_INTENT = (RunState.CLAIMED, RunState.UPLOADED)
_IN_WINDOW = (RunState.INTENDED, RunState.CONFIRMING, RunState.FENCING)
_UNDER_WAY = (RunState.PRINTING, RunState.PAUSED)


def approve_run(tx: Transaction, c: cmd.ApproveRun) -> None:
    """A person lets a parked attempt go."""
    run = tx.run(c.run_id)
    if run.state is not RunState.PENDING_APPROVAL:
        raise Refused("NOT_WAITING", "This attempt does not wait for approval.")
    tx.emit("run", run.run_id, ev.RunApproved(by=tx.who))


def claim_run(tx: Transaction, c: cmd.ClaimRun) -> None:
    """Step 1: this attempt takes this printer, under a remote name that was never used."""
    run, printer = tx.run(c.run_id), tx.printer(c.printer_id)
    if run.state is not RunState.QUEUED:
        raise Refused("NOT_QUEUED", f"This attempt is {run.state.on_screen}.")
    _somebody_waits(tx, run)
    other = tx.loader.active_run_of(printer.printer_id)
    if other is not None:
        raise Refused("PRINTER_TAKEN", f"{printer.name} has another attempt.")
    plate = tx.plate(run.plate_id)
    if plate.state is not PlateState.APPROVED or plate.gcode is None:
        raise Refused("NOT_APPROVED", "The Plate of this attempt is not approved.")
    if not plate.gcode.sha256 == c.expected_digest == run.gcode_sha256:
        raise Refused("DIGEST_CHANGED", "The G-code is not the one that was approved.")
    if run.pinned_printer not in (None, printer.printer_id):
        raise Refused("OTHER_PRINTER", "This attempt is meant for another printer.")
    if plate.model_id is not None and plate.model_id != printer.model_id:
        raise Refused("OTHER_MODEL", f"This was made for another printer model than {printer.name}.")
    ruling = tx.decide(
        "DispatchRun",
        "run",
        run.run_id,
        {
            "printer.health": printer.health.value,
            "bed": "permit" if printer.permit else printer.bed.value,
            "attempts": str(attempts_so_far(tx, plate)),
            "payment": tx.intent(run.intent_ids[0]).payment.value,
            "source": tx.intent(run.intent_ids[0]).source,
            "approved": "yes" if run.approved_by else "no",
        },
    )
    if ruling.outcome is DecisionOutcome.BLOCK:
        raise Blocked("POLICY", *ruling.explanations)
    if ruling.outcome is DecisionOutcome.REQUIRE_APPROVAL:
        parked = ev.ApprovalRequired(transition="DispatchRun", explanations=ruling.explanations)
        tx.emit("run", run.run_id, parked)
        return
    attempt = run.attempt + 1
    nonce = tx.ids.new("n")[-8:]
    tx.emit(
        "run",
        run.run_id,
        ev.RunClaimed(
            printer_id=printer.printer_id,
            attempt=attempt,
            remote_name=f"k_{run.run_id.removeprefix('run_')}_{attempt}_{nonce}.gcode",
            nonce=nonce,
        ),
    )


def run_uploaded(tx: Transaction, c: cmd.RunUploaded) -> None:
    """Steps 2 and 3: our file is there, and what was read back is what was approved."""
    run = _expect(tx, c.run_id, RunState.CLAIMED)
    if c.remote_name != run.remote_name:
        raise Refused("OTHER_NAME", "This is not the name of this attempt's file.")
    if c.size != run.gcode_size:
        raise Refused("SHORT_FILE", f"The printer holds {c.size} of {run.gcode_size} bytes.")
    if c.digest.startswith("sha256:") and c.digest != f"sha256:{run.gcode_sha256}":
        raise Refused("DIGEST_CHANGED", "The file on the printer is not the one that was approved.")
    tx.emit("run", run.run_id, ev.RunUploaded(remote_name=c.remote_name, size=c.size, digest=c.digest))


def intend_start(tx: Transaction, c: cmd.IntendStart) -> None:
    """Steps 4 and 5: durable before any byte of the start; consumes the bed-clear permit."""
    run = _expect(tx, c.run_id, RunState.UPLOADED)
    if run.printer_id is None:
        raise Refused("NO_PRINTER", "This attempt has no printer.")
    printer, plate = tx.printer(run.printer_id), tx.plate(run.plate_id)
    _somebody_waits(tx, run)
    _gate_read_this(plate)
    permit = printer.permit
    if permit is None or permit.permit_id != c.permit_id:
        raise Refused("NO_PERMIT", f"Nobody said that the bed of {printer.name} is clear.")
    if permit.signature is None or permit.signature != c.baseline:
        raise Refused("PERMIT_STALE", f"{printer.name} moved since its bed was seen clear.")
    ruling = tx.decide(
        "StartPrint",
        "run",
        run.run_id,
        {
            "printer.health": printer.health.value,
            "bed": "permit",
            "gate": (plate.gate.verdict if plate.gate else Verdict.FAIL).value,
            "approved": "yes" if run.approved_by else "no",
        },
    )
    if ruling.outcome is not DecisionOutcome.ALLOW:
        raise Blocked("POLICY", *ruling.explanations)
    deadline = Deadline(mono_ms=tx.now.mono_ms + max(0, c.grace_ms), boot_id=tx.now.boot_id)
    consumed = ev.PermitConsumed(permit_id=c.permit_id, run_id=run.run_id)
    tx.emit("printer", printer.printer_id, consumed)
    tx.emit(
        "run",
        run.run_id,
        ev.StartIntended(permit_id=c.permit_id, baseline=c.baseline, deadline=deadline),
    )
    tx.effect("start", "run", run.run_id, remote_name=run.remote_name)


def start_replied(tx: Transaction, c: cmd.StartReplied) -> None:
    """Step 6: the answer to the one start is evidence, whatever it says."""
    run = tx.run(c.run_id)
    tx.settle("start", run.run_id, c.reply)
    tx.emit("run", run.run_id, ev.StartReplied(reply=c.reply, detail=c.detail))


def run_seen(tx: Transaction, c: cmd.RunSeen) -> None:
    """Step 7: our name is printing or paused."""
    run = tx.run(c.run_id)
    if run.state.terminal or run.state in (RunState.QUEUED, RunState.PENDING_APPROVAL, RunState.CLAIMED):
        raise Refused("OUT_OF_ORDER", f"This attempt is {run.state.on_screen}.")
    if run.state is RunState.NEEDS_DECISION:
        raise Refused("NEEDS_DECISION", "A person is being asked about this attempt.")
    if run.printer_job is not None and c.printer_job is not None and run.printer_job != c.printer_job:
        raise Refused("OTHER_EXECUTION", "The printer runs another execution of this file.")
    paused = c.phase == "paused"
    if run.state not in _UNDER_WAY:
        tx.settle("start", run.run_id, "seen")
        _started(tx, run, c.printer_job, c.snapshot, c.evidence)
        if paused:
            tx.emit("run", run.run_id, ev.RunPaused(evidence=c.evidence))
    elif paused and run.state is RunState.PRINTING:
        tx.emit("run", run.run_id, ev.RunPaused(evidence=c.evidence))
    elif not paused and run.state is RunState.PAUSED:
        tx.emit("run", run.run_id, ev.RunResumed(evidence=c.evidence))


def _started(
    tx: Transaction, run: Run, printer_job: str | None, snapshot: dict[str, str], evidence: str
) -> None:
    started = ev.RunStarted(printer_job=printer_job, snapshot=snapshot, evidence=evidence, at=tx.now.wall_s)
    tx.emit("run", run.run_id, started)


def run_ended(tx: Transaction, c: cmd.RunEnded) -> None:
    """The printer's evidence says that our printer job is over."""
    run = tx.run(c.run_id)
    if run.state.terminal or run.state in (RunState.QUEUED, RunState.PENDING_APPROVAL, RunState.CLAIMED):
        raise Refused("OUT_OF_ORDER", f"This attempt is {run.state.on_screen}.")
    if run.state is RunState.NEEDS_DECISION:
        raise Refused("NEEDS_DECISION", "A person is being asked about this attempt.")
    if run.started_at is None:
        _started(tx, run, None, {}, "first seen when it had already ended")
    for kind in ("start", "pause", "resume", "cancel"):
        tx.settle(kind, run.run_id, "over")
    _end(tx, run, c.result, c.reason, c.text, c.used_mg)


def _end(tx: Transaction, run: Run, result: str, reason: str, text: str, used_mg: int | None = None) -> None:
    now = tx.now.wall_s
    body: ev.AnyBody
    if result == "completed":
        body = ev.RunCompleted(at=now, text=text, used_mg=used_mg)
    elif result == "aborted":
        code = run.abort_reason or reason or "operator_abort"
        body = ev.RunAborted(at=now, reason=code, text=text, used_mg=used_mg)
    else:
        code = reason if is_code(reason) else "unknown"
        body = ev.RunFailed(at=now, reason=code, text=text, used_mg=used_mg)
    tx.emit("run", run.run_id, body)


def fence_run(tx: Transaction, c: cmd.FenceRun) -> None:
    """Step 8 begins."""
    run = tx.run(c.run_id)
    if run.state not in (RunState.INTENDED, RunState.CONFIRMING):
        raise Refused("OUT_OF_ORDER", f"This attempt is {run.state.on_screen}.")
    tx.settle("start", run.run_id, "fenced")
    tx.emit("run", run.run_id, ev.RunFencing(evidence=c.evidence))


def fence_held(tx: Transaction, c: cmd.FenceHeld) -> None:
    """Step 8 ends: our file is gone and the baseline still stands, so our start never ran."""
    run = _expect(tx, c.run_id, RunState.FENCING)
    if run.starts >= MAX_STARTS:
        question = f"The printer took {run.starts} starts of this file and ran none of them. What now?"
        tx.emit("run", run.run_id, ev.RunNeedsDecision(question=question, evidence=c.evidence))
        return
    _requeue(tx, run, c.evidence)


def _requeue(tx: Transaction, run: Run, evidence: str) -> None:
    """Back into the queue, unless a person asked to stop it or nobody waits for it any more."""
    if run.abort_reason:
        _end(tx, run, "aborted", run.abort_reason, f"stopped before it ran: {evidence}")
    elif not tx.any_open(run.intent_ids):
        _end(tx, run, "aborted", "operator_abort", f"its Order is closed: {evidence}")
    else:
        tx.emit("run", run.run_id, ev.RunRequeued(evidence=evidence))


def _somebody_waits(tx: Transaction, run: Run) -> None:
    if not tx.any_open(run.intent_ids):
        raise Refused("ORDER_CLOSED", "Its Order is closed; nothing is started for it any more.")


def _gate_read_this(plate: Plate) -> None:
    """What is started is the content that the gate read, byte for byte (invariant 8)."""
    if plate.gcode is None or plate.gate is None or plate.gate.sha256 not in ("", plate.gcode.sha256):
        raise Refused("NOT_GATED", "The G-code is not the file that passed the gate; it is not started.")


def ask_about_run(tx: Transaction, c: cmd.AskAboutRun) -> None:
    """What happened is unknown: a person decides."""
    run = tx.run(c.run_id)
    if not run.state.active or run.state is RunState.NEEDS_DECISION:
        raise Refused("OUT_OF_ORDER", f"This attempt is {run.state.on_screen}.")
    for kind in ("start", "pause", "resume", "cancel"):
        tx.settle(kind, run.run_id, "unclear")
    tx.emit("run", run.run_id, ev.RunNeedsDecision(question=c.question, evidence=c.evidence))


def run_back_to_queue(tx: Transaction, c: cmd.RunBackToQueue) -> None:
    """Give the printer back; only while no start was ever intended under this name."""
    run = tx.run(c.run_id)
    if run.state not in _BEFORE_INTENT:
        raise Refused("OUT_OF_ORDER", f"This attempt is {run.state.on_screen}.")
    _requeue(tx, run, c.evidence)


def remote_deleted(tx: Transaction, c: cmd.RemoteDeleted) -> None:
    """Step 10 is done."""
    run = tx.run(c.run_id)
    if not run.remote_deleted:
        tx.emit("run", run.run_id, ev.RemoteFileDeleted(remote_name=run.remote_name))


def resolve_run(tx: Transaction, c: cmd.ResolveRun) -> None:
    """Step 9: a person's answer, with what the printer showed when it was given."""
    run = _expect(tx, c.run_id, RunState.NEEDS_DECISION)
    target = _resolution(run, c)
    answered = ev.RunReconciled(from_state=run.state.value, to_state=target.value, answer=c.answer, by=tx.who)
    text = f"{tx.who} decided: {c.answer.replace('_', ' ')}" + (
        f"; the printer showed {c.observed}" if c.observed else ""
    )
    match target:
        case RunState.QUEUED:
            tx.emit("run", run.run_id, answered)
            _requeue(tx, run, text)
        case RunState.COMPLETED | RunState.FAILED | RunState.ABORTED:
            if run.started_at is None:
                _started(tx, run, None, {}, text)
            tx.emit("run", run.run_id, answered)
            _end(tx, run, target.value, "unknown" if target is RunState.FAILED else "", text)
        case _:
            tx.emit("run", run.run_id, answered)


def _resolution(run: Run, c: cmd.ResolveRun) -> RunState:
    ours = c.observed_file.rsplit("/", 1)[-1].casefold() == run.remote_name.casefold()
    if c.answer == "adopt" and c.observed not in ("", "idle", "error") and not ours:
        shown = c.observed_file or "no file"
        raise Refused(
            "NOT_OURS",
            f"The printer shows {shown}, which is not this attempt's file; choose what happened.",
        )
    match c.answer:
        case "adopt" if c.observed in ("printing", "preparing", "resuming"):
            return RunState.PRINTING
        case "adopt" if c.observed in ("paused", "pausing"):
            return RunState.PAUSED
        case "adopt" if c.observed == "finished":
            return RunState.COMPLETED
        case "adopt" if c.observed == "cancelled":
            return RunState.ABORTED
        case "adopt" if c.observed in ("idle", "error"):
            return RunState.FAILED
        case "adopt":
            raise Refused(
                "NOTHING_TO_ADOPT",
                "The printer's state is not known now. Refresh it first, or choose what happened.",
            )
        case "keep":
            return RunState.PRINTING if run.started_at is not None else RunState.CONFIRMING
        case "never_ran" if run.started_at is not None:
            raise Refused("IT_DID_RUN", "This attempt was seen printing; it cannot have never run.")
        case "never_ran":
            return RunState.QUEUED
        case "it_ran":
            return RunState.COMPLETED
    raise Refused("BAD_ANSWER", "The answers are: adopt, keep, never_ran, it_ran.")


def pause_run(tx: Transaction, c: cmd.PauseRun) -> None:
    """Ask the printer to pause; what it does is seen, not assumed."""
    run = _expect(tx, c.run_id, RunState.PRINTING)
    _control(tx, run, "pause")


def resume_run(tx: Transaction, c: cmd.ResumeRun) -> None:
    """Ask the printer to resume."""
    run = _expect(tx, c.run_id, RunState.PAUSED)
    _control(tx, run, "resume")


def _control(tx: Transaction, run: Run, what: str, reason: str = "") -> None:
    tx.emit("run", run.run_id, ev.ControlRequested(what=what, reason=reason))
    tx.effect(what, "run", run.run_id)


def abort_run(tx: Transaction, c: cmd.AbortRun) -> None:
    """End an attempt: at once while nothing was started, else by asking the printer to cancel."""
    run = tx.run(c.run_id)
    reason = c.reason if is_code(c.reason) else "operator_abort"
    if run.state.terminal:
        raise Refused("ALREADY_OVER", f"This attempt is {run.state.on_screen}.")
    if run.state is RunState.NEEDS_DECISION:
        raise Refused("NEEDS_DECISION", "First say what happened on the printer (⏎ on its card).")
    if run.state in (RunState.QUEUED, RunState.PENDING_APPROVAL, *_BEFORE_INTENT):
        _end(tx, run, "aborted", reason, f"aborted by {tx.who} before any start")
        return
    _control(tx, run, "cancel", reason)


def record_outcomes(tx: Transaction, c: cmd.RecordOutcomes) -> None:
    """What became of each part; the Order is fulfilled when every promised part is good."""
    run = tx.run(c.run_id)
    plate = tx.plate(run.plate_id)
    if not run.state.terminal:
        raise Refused("NOT_OVER", f"This attempt is {run.state.on_screen}; its parts are not final.")
    if run.outcomes:
        raise Refused("ALREADY_RECORDED", "The outcome of this attempt is recorded already.")
    by_id = {item.item_id: item for item in plate.items}
    told = [outcome.item_id for outcome in c.outcomes]
    if sorted(told) != sorted(by_id):
        raise Refused("BAD_OUTCOMES", "Every part of the attempt needs exactly one outcome.")
    for outcome in c.outcomes:
        if outcome.reason and not is_code(outcome.reason):
            raise Refused("BAD_REASON", f"{outcome.reason} is not a reason code.")
        recorded = ev.ItemOutcomeRecorded(
            outcome=outcome, line_item_id=by_id[outcome.item_id].line_item_id, by=tx.who
        )
        tx.emit("run", run.run_id, recorded)
    if c.clear_bed and run.printer_id is not None:
        give_permit(tx, run.printer_id, run)
    for intent_id in plate.intent_ids:
        fulfil_if_complete(tx, intent_id)
    _maybe_reprint(tx, run, plate, c)


def _maybe_reprint(tx: Transaction, run: Run, plate: Plate, c: cmd.RecordOutcomes) -> None:
    failed = any(o.result is ItemResult.FAILED for o in c.outcomes)
    policy = tx.world.policy
    within = policy is not None and attempts_so_far(tx, plate) < policy.retry_ceiling
    wanted = any(
        tx.intent(item.intent_id).open
        for item in plate.items
        if any(o.item_id == item.item_id and o.result is ItemResult.FAILED for o in c.outcomes)
    )
    if failed and wanted and policy is not None and policy.auto_reprint and within:
        reprint_failed(tx, cmd.ReprintFailed(run_id=run.run_id))


def clear_bed(tx: Transaction, c: cmd.ClearBed) -> None:
    """A person saw the empty bed."""
    printer = tx.printer(c.printer_id)
    active = tx.loader.active_run_of(printer.printer_id)
    if active is not None and active.state not in _BEFORE_INTENT:
        raise Refused(
            "BED_IN_USE",
            f"{printer.name} has an attempt that is {active.state.on_screen}; its bed is in use.",
        )
    give_permit(tx, printer.printer_id, None)


def give_permit(tx: Transaction, printer_id: str, run: Run | None) -> None:
    """The bed-clear permit: single use, bound at the next full look to what the printer shows."""
    printer = tx.printer(printer_id)
    active = tx.loader.active_run_of(printer_id)
    if active is not None and active.state not in _BEFORE_INTENT:
        return
    permit_id = tx.ids.new("permit")
    given = ev.PlateCleared(
        permit_id=permit_id, at=tx.now.wall_s, by=tx.who, run_id=run.run_id if run else None
    )
    tx.emit("printer", printer.printer_id, given)
    tx.made["permit"] = permit_id


def _expect(tx: Transaction, run_id: str, state: RunState) -> Run:
    run = tx.run(run_id)
    if run.state is not state:
        raise Refused("OUT_OF_ORDER", f"This attempt is {run.state.on_screen}.")
    return run
