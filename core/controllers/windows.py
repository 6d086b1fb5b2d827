"""Decisions from the intent to the end: observe, adopt, fence, ask (pure; kernel.md steps 6 to 9)."""

from core.contract import Observation, Phase
from core.controllers.evidence import (
    UNNAMED,
    ask,
    describe,
    error_words,
    has_our_name,
    key,
    other_execution,
    printer_block,
    rebooted,
    shows_ours,
)
from core.controllers.looks import Look, facts
from core.controllers.steps import DoDelete, DoWitness, SendStart, Situation, Step, Submit, Wait
from core.domain.commands import AskAboutRun, FenceHeld, FenceRun, RunEnded, RunSeen
from core.domain.objects import Run
from core.domain.text import clean
from core.domain.words import RunState

FRESH_MS = 6_000
"""A look older than this is no ground for a start."""
STUCK_MS = 120_000
"""After so long without anything that can be understood, a person is asked."""
MIN_ASK_MS = 2_000
MAX_DELETES = 4
MAX_WITNESS_READS = 2
JOB_ID_MS = 5_000
"""How long a printer that has job ids may take to show ours before it is bound without one."""


def window_step(s: Situation, run: Run) -> Step:
    """INTENDED, CONFIRMING or FENCING: between the durable intent and certainty."""
    look = s.looks.evidence
    if look is None:
        silent = printer_block(s) or "The printer is silent"
        return Wait(reason=f"{silent}; whether the start was carried out is unknown")
    obs = look.obs
    if shows_ours(run, obs):
        if rebooted(run, obs):  # W17
            return ask(
                run,
                "The printer was restarted and shows this attempt's file. Nobody can tell whether this is the "
                "print that Kiln started.",
                look,
            )
        return adopt(s, run, look, "seen after the start")
    if rebooted(run, obs):  # W14
        return ask(
            run, "The printer was restarted just when the start was sent, so its evidence is lost.", look
        )
    if run.state is RunState.FENCING:
        return _fencing(s, run, look)
    if s.memory.in_flight:
        return Wait(reason="The start is on its way")  # the worker bounds this call by the deadline
    name = obs.printer_job.remote_file
    if obs.phase.running and name:  # W12
        return _fence(run, f"another print was started at the machine: {describe(obs)}")
    if _may_send(s, run, look):
        return SendStart(run_id=run.run_id, name=run.remote_name, nonce=run.nonce)
    if not _grace_over(s, run, look):
        return Wait(reason="Waiting for the printer to show the start")
    if obs.phase.running:
        return ask(run, "The printer is working on something that it does not name.", look)
    return _fence(run, f"no trace of the start after the grace time: {describe(obs)}")


def _may_send(s: Situation, run: Run, look: Look) -> bool:
    """Only this incarnation, only once, only on what was just seen, only within the deadline."""
    deadline = run.deadline
    return (
        run.state is RunState.INTENDED
        and s.memory.name == run.remote_name
        and s.memory.unsent
        and not s.memory.sent
        and look.obs.phase.startable
        and look.obs.boot == run.baseline
        and s.now_ms - look.at_ms <= FRESH_MS
        and deadline is not None
        and deadline.boot_id == s.now.boot_id
        and s.now_ms < deadline.mono_ms
    )


def _grace_over(s: Situation, run: Run, look: Look) -> bool:
    """Whether a look begun after the deadline still shows nothing. A deadline of another boot of this computer
    says nothing: then the grace counts from when this incarnation first saw the row."""
    deadline = run.deadline
    if deadline is not None and deadline.boot_id == s.now.boot_id:
        return look.at_ms >= deadline.mono_ms
    return look.at_ms >= s.memory.entered_ms + int(s.capability.grace_s * 1000)


def _fence(run: Run, evidence: str) -> Submit:
    return Submit(command=FenceRun(run_id=run.run_id, evidence=evidence), key=key("fence", run))


def _fencing(s: Situation, run: Run, look: Look) -> Step:
    obs = look.obs
    if obs.phase.running and not obs.printer_job.remote_file:
        return ask(run, "The printer is working on something that it does not name.", look)
    gone_at = s.memory.gone.get(run.remote_name)
    if gone_at is None and not (obs.phase.running or obs.boot == run.baseline):
        told = _witness(s, run, look, "The start was not confirmed, but the printer was used since.")
        if told is not None:
            return told
    if gone_at is None:
        trial = s.memory.trial(f"delete:{run.remote_name}")
        if trial.failures >= MAX_DELETES:
            return ask(
                run,
                f"The start was not confirmed, and its file cannot be removed: {trial.why}. It may still start.",
                look,
            )
        if s.now_ms < trial.retry_ms:
            return Wait(reason=f"Removing the file failed and will be tried again: {trial.why}")
        return DoDelete(run_id=run.run_id, name=run.remote_name)
    if look.at_ms < gone_at + s.lag_ms:
        return Wait(reason="Making sure that nothing was started")
    if run.baseline is None or obs.phase.running or obs.boot != run.baseline:
        return ask(
            run,
            "The start was not confirmed, and the printer has been used since. Did this attempt print?",
            look,
        )
    if obs.phase.startable:
        return Submit(
            command=FenceHeld(
                run_id=run.run_id,
                evidence=f"file removed, and the printer is as before the start: {describe(obs)}",
            ),
            key=key("held", run),
        )
    if s.now_ms - s.memory.entered_ms >= STUCK_MS:
        return ask(run, "The start was not confirmed, and the printer does not come to rest.", look)
    return Wait(reason=printer_block(s) or "Making sure that nothing was started")


def adopt(s: Situation, run: Run, look: Look, how: str) -> Step:
    """Our name runs or ran: bind this execution. The end, if it ended already, is told as the next step."""
    job = look.obs.printer_job
    if s.capability.job_id and job.job_id is None and not s.looks.steady_for(JOB_ID_MS):
        return Wait(reason="Waiting for the printer to show its job number")
    snapshot = {"boot": look.obs.boot.boot, "adapter": s.capability.adapter}
    return Submit(
        command=RunSeen(
            run_id=run.run_id,
            phase="paused" if look.obs.phase is Phase.PAUSED else "printing",
            printer_job=job.job_id,
            snapshot={k: clean(v) for k, v in snapshot.items() if v},
            evidence=f"{how}: {describe(look.obs)}",
        ),
        key=key("seen", run),
    )


def running_step(s: Situation, run: Run) -> Step:
    """PRINTING or PAUSED in the ledger: follow, end by evidence, or ask. A lost link alone ends nothing."""
    look = s.looks.evidence
    if look is None:
        return Wait(reason=printer_block(s) or "The printer is silent")
    obs = look.obs
    settled = s.looks.steady_for(max(s.lag_ms, MIN_ASK_MS))
    if has_our_name(run, obs):
        question = _doubt(s, run, obs)
        if question:
            return ask(run, question, look) if settled else Wait(reason="Waiting for a second look")
        return _ours(s, run, look, settled)
    if obs.phase.running and not obs.printer_job.remote_file:
        if s.looks.steady_for(STUCK_MS):
            return ask(run, f"The printer is working on {UNNAMED}.", look)
        return Wait(reason="The printer does not name what it works on")
    if not (obs.phase.running or obs.phase.startable or obs.phase is Phase.ERROR):
        return Wait(reason=printer_block(s) or "Printing")
    if s.memory.accepted == facts(obs):
        return Wait(reason="A person said that this attempt goes on; the printer shows something else")
    if not settled:
        return Wait(reason="The printer shows something else; waiting for a second look")
    return _witness(s, run, look, _lost(run, obs)) or ask(run, _lost(run, obs), look)  # W19


def _doubt(s: Situation, run: Run, obs: Observation) -> str:
    accepted = s.memory.accepted
    if other_execution(run, obs) and (accepted is None or accepted[2] != obs.printer_job.job_id):
        return "This attempt's file was started a second time; what became of the first print is unknown."
    if rebooted(run, obs) and (accepted is None or accepted[3].boot != obs.boot.boot):  # W17
        return "The printer was restarted during this attempt. Look at the machine before anything goes on."
    return ""


def _ours(s: Situation, run: Run, look: Look, settled: bool) -> Step:
    obs = look.obs
    if obs.phase.running:
        if obs.phase is Phase.PAUSED and run.state is RunState.PRINTING:
            return adopt(s, run, look, "seen")
        if obs.phase in (Phase.PRINTING, Phase.PREPARING) and run.state is RunState.PAUSED:
            return adopt(s, run, look, "seen")
        return Wait(reason="Printing" if run.state is RunState.PRINTING else "Printer is paused")
    accepted = s.memory.accepted
    same_job = obs.printer_job.job_id == (run.printer_job if accepted is None else accepted[2])
    if (obs.phase is Phase.FINISHED and same_job) or (
        obs.phase.startable and obs.printer_job.complete_evidence
    ):
        return _ended(run, "completed", "", f"finished: {describe(obs)}")
    if obs.phase is Phase.CANCELLED:  # W20
        return _ended(run, "aborted", "operator_abort", _stopped(run, obs))
    if not (obs.phase is Phase.ERROR or obs.phase.startable):
        return Wait(reason=printer_block(s) or "Printing")
    if not settled:
        return Wait(reason="The printer stopped; waiting for a second look")
    if obs.phase is Phase.ERROR:
        return _ended(run, "failed", "printer_error", error_words(obs))
    if s.memory.accepted == facts(obs):
        return Wait(reason="A person said that this attempt goes on; the printer is idle")
    question = "The printer is idle again, and nothing shows how this attempt ended."
    return _witness(s, run, look, question) or ask(run, question, look)


def _witness(s: Situation, run: Run, look: Look, question: str) -> Step | None:
    """What the printer's own record of our file tells: read it first, then complete or ask; None when it tells
    nothing. The name is used for one start only, so a finished print of it is ours; an unfinished one may have
    been cancelled or have failed, and a person says which."""
    if s.memory.witness is None:
        trial = s.memory.trial("witness")
        if trial.failures >= MAX_WITNESS_READS:
            return None
        if s.now_ms < trial.retry_ms:
            return Wait(reason="Reading the printer's record of this file")
        return DoWitness(run=run)
    remote = s.memory.witness.remote
    if remote is None or not (remote.successes or remote.failures):
        return None
    record = f"the printer's record of our file: {remote.successes or 0} finished, {remote.failures or 0} not"
    if remote.successes == 1 and not remote.failures:
        return _ended(run, "completed", "", f"{record}; {describe(look.obs)}")
    return Submit(
        command=AskAboutRun(
            run_id=run.run_id,
            question=f"{question} Its record says that the print ended early.",
            evidence=f"{record}; {describe(look.obs)}",
        ),
        key=key("ask", run),
    )


def _ended(run: Run, result: str, reason: str, text: str) -> Submit:
    return Submit(
        command=RunEnded(run_id=run.run_id, result=result, reason=reason, text=text), key=key("ended", run)
    )


def _stopped(run: Run, obs: Observation) -> str:
    done = obs.printer_job.progress
    how = "stopped as asked" if run.abort_reason else "cancelled at the printer"
    return how + (f", {int(done * 100)} % done" if done is not None else "")


def _lost(run: Run, obs: Observation) -> str:
    name = clean(obs.printer_job.remote_file, 80)
    restarted = " It was restarted in between." if rebooted(run, obs) else ""
    if obs.phase is Phase.ERROR:
        return f"The printer reports an error and no longer says what it was printing.{restarted}"
    if obs.phase.running:
        return f"The printer works on {name} now; what became of this attempt is unknown.{restarted}"
    return (
        f"Kiln thought that this attempt was printing, but the printer is {obs.phase.value}"
        f"{' with ' + name if name else ''}.{restarted}"
    )
