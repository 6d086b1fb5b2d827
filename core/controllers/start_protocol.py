"""The start protocol of one printer, sans I/O: from what the ledger says and what the printer shows to the one
next step (kernel.md, steps 1 to 10 and windows W1 to W22).

It is level-triggered: called again with the same rows and looks it answers the same, and after a restart it
goes on from the rows alone. It answers `SendStart` only while the Memory of this incarnation says that the
intent was committed here and that nothing was sent yet.
"""

from core.contract import Reply
from core.controllers.evidence import ask, key, printer_block, shows_ours
from core.controllers.printer_edges import health_step, leftover_step, permit_step
from core.controllers.steps import DoDelete, DoReadBack, DoUpload, Situation, Step, Submit, Wait, verified
from core.controllers.windows import FRESH_MS, adopt, running_step, window_step
from core.domain.commands import IntendStart, RunBackToQueue, RunUploaded, StartReplied
from core.domain.objects import Run
from core.domain.text import clean
from core.domain.words import RunState

GIVE_BACK_MS = 30_000
"""A printer that is silent for so long before any byte was uploaded gives its attempt back to the queue."""
MAX_UPLOADS = 3
"""After so many failed uploads the attempt goes back to the queue, once its file is gone for certain."""


def next_step(s: Situation) -> Step:
    """The one next step for a printer. Total: every situation has an answer."""
    run = s.run
    if run is not None and s.memory.reply is not None and s.memory.name == run.remote_name:
        return _replied(run, s.memory.reply)
    if run is not None and run.state in (RunState.INTENDED, RunState.CONFIRMING, RunState.FENCING):
        # Nothing else may touch the printer between the intent and certainty.
        return health_step(s) or window_step(s, run)
    early = health_step(s) or leftover_step(s) or permit_step(s)
    if early is not None:
        return early
    if run is None:
        return Wait(reason=printer_block(s) or "Nothing is queued for it")
    if run.state is RunState.CLAIMED:
        return _claimed(s, run)
    if run.state is RunState.UPLOADED:
        return _uploaded(s, run)
    if run.state in (RunState.PRINTING, RunState.PAUSED):
        return running_step(s, run)
    return Wait(reason=run.question or f"The attempt is {run.state.on_screen}")


def _replied(run: Run, reply: Reply) -> Submit:
    """Step 6: evidence, recorded even when the looks were quicker (W8)."""
    return Submit(
        command=StartReplied(run_id=run.run_id, reply=reply.kind.value, detail=clean(reply.detail)),
        key=f"replied:{run.run_id}:{run.attempt}",
    )


def _claimed(s: Situation, run: Run) -> Step:
    look, m = s.looks.evidence, s.memory
    if look is not None and shows_ours(run, look.obs):
        return ask(
            run,
            "The file was started at the printer before Kiln had verified it. Is this print the attempt?",
            look,
        )
    if run.remote_name in m.gone:
        return _give_back(run, f"the upload failed: {m.trial('upload').why}")
    if s.looks.latest is None:
        return Wait(reason="Waiting for a first look")
    if s.looks.down_since_ms is not None:
        untouched = m.fresh_claim and not m.upload_begun
        if untouched and s.now_ms - s.looks.down_since_ms >= GIVE_BACK_MS:
            return _give_back(run, "the printer went away before anything was uploaded")
        return Wait(reason=printer_block(s))
    if look is None:
        return Wait(reason="Waiting for a full look")
    return _upload(s, run)


def _upload(s: Situation, run: Run) -> Step:
    m = s.memory
    if m.uploading:
        return Wait(reason="Uploading")
    if m.read_back is not None and m.read_back.remote is not None and verified(run, m.read_back):
        digest = m.read_back.remote.digest or ""
        return Submit(
            command=RunUploaded(
                run_id=run.run_id, remote_name=run.remote_name, size=run.gcode_size, digest=digest
            ),
            key=key("uploaded", run),
        )
    if m.uploaded and m.read_back is None:
        trial = m.trial("read_back")
        if s.now_ms < trial.retry_ms:
            return Wait(reason=f"The upload cannot be read back: {trial.why}")
        return DoReadBack(run=run)
    trial = m.trial("upload")
    if trial.failures >= MAX_UPLOADS:
        removal = m.trial(f"delete:{run.remote_name}")
        if s.now_ms < removal.retry_ms:
            return Wait(reason=f"The upload failed, and what is there cannot be removed: {removal.why}")
        return DoDelete(run_id=run.run_id, name=run.remote_name)
    if s.now_ms < trial.retry_ms:
        return Wait(reason=f"The upload failed and will be tried again: {trial.why}")
    return DoUpload(run=run)


def _uploaded(s: Situation, run: Run) -> Step:
    look = s.looks.evidence
    if look is not None and shows_ours(run, look.obs):
        return adopt(s, run, look, "started at the printer")  # W4
    blocked = printer_block(s)
    if blocked:
        return Wait(reason=blocked)
    permit = s.printer.permit
    if permit is None:
        return Wait(reason="Bed not cleared")
    if look is None or permit.signature is None or permit.signature != look.obs.boot:
        return Wait(reason="Waiting for a first look since the bed was cleared")
    if s.now_ms - look.at_ms > FRESH_MS:
        return Wait(reason="Waiting for a fresh look")
    if not s.looks.steady_for(s.lag_ms):
        return Wait(reason="Waiting for a second look")
    return Submit(
        command=IntendStart(
            run_id=run.run_id,
            permit_id=permit.permit_id,
            baseline=look.obs.boot,
            grace_ms=int(s.capability.grace_s * 1000),
        ),
        key=f"{key('intend', run)}:{permit.permit_id}",
    )


def _give_back(run: Run, evidence: str) -> Submit:
    return Submit(command=RunBackToQueue(run_id=run.run_id, evidence=evidence), key=key("back", run))
