"""What looks mean for an attempt, and the plain sentences that say so (pure)."""

from core.contract import Link, Observation, Phase
from core.controllers.looks import Look
from core.controllers.steps import Situation, Submit
from core.domain.commands import AskAboutRun
from core.domain.objects import Run
from core.domain.text import clean
from core.domain.words import Health, RunState

UNNAMED = "(a file that the printer does not name)"

_PRE_START = (RunState.INTENDED, RunState.CONFIRMING, RunState.FENCING)


def key(verb: str, run: Run) -> str:
    """A deterministic idempotency key: the same row leads to the same key, also after a restart."""
    return f"{verb}:{run.run_id}:{run.attempt}:{run.version}"


def has_our_name(run: Run, obs: Observation) -> bool:
    """Whether the printer names our file."""
    return bool(run.remote_name) and obs.printer_job.remote_file == run.remote_name


def shows_ours(run: Run, obs: Observation) -> bool:
    """Whether the printer shows our name as running or ended; a file merely selected does not count."""
    return has_our_name(run, obs) and (
        obs.phase.running or obs.phase in (Phase.FINISHED, Phase.CANCELLED, Phase.ERROR)
    )


def other_execution(run: Run, obs: Observation) -> bool:
    """Whether the printer's job id says that this is another execution than the one we bound."""
    seen = obs.printer_job.job_id
    return run.printer_job is not None and seen is not None and seen != run.printer_job


def rebooted(run: Run, obs: Observation) -> bool:
    """Whether the printer was started anew since the start was intended (or since we adopted the print)."""
    before = run.baseline.boot if run.baseline is not None else run.printer_snapshot.get("boot", "")
    return bool(before) and bool(obs.boot.boot) and before != obs.boot.boot


def foreign_name(s: Situation) -> str:
    """The name of a print that is not ours and runs now, '' when there is none or it cannot be told yet."""
    look = s.looks.evidence
    if look is None or not look.obs.phase.running:
        return ""
    name, run = look.obs.printer_job.remote_file, s.run
    if run is not None and has_our_name(run, look.obs) and not other_execution(run, look.obs):
        return ""
    if name:
        return clean(name, 120)
    may_be_ours = run is not None and (
        run.state in _PRE_START or run.state in (RunState.PRINTING, RunState.PAUSED)
    )
    return "" if may_be_ours else UNNAMED


def printer_block(s: Situation) -> str:
    """The one reason why this printer starts nothing at present, '' when nothing speaks against it."""
    latest = s.looks.latest
    if latest is None:
        return "Waiting for a first look"
    if s.looks.down_since_ms is not None:
        return down_reason(latest)
    health = s.printer.health
    if health is Health.OUT_OF_SERVICE:
        return _with_reason("Out of service", s.printer.health_reason)
    if health is Health.DEGRADED:
        return _with_reason("Waiting for acknowledgement", s.printer.health_reason)
    if not latest.snapshot:
        return "The printer does not say what it is doing"
    obs, foreign = latest.obs, foreign_name(s)
    if foreign:
        paused = " and paused" if obs.phase is Phase.PAUSED else ""
        return f"Busy{paused} with a print that was started at the machine: {foreign}"
    if obs.phase is Phase.PAUSED:
        return "Printer is paused"
    if obs.phase is Phase.ERROR:
        return _with_reason("Printer reports an error", "; ".join(obs.messages[:2]))
    if not obs.phase.startable:
        return f"Printer is {obs.phase.value}"
    return ""


def down_reason(look: Look) -> str:
    """Why nothing can be known of the printer."""
    if look.hung:
        return "Printer is offline: it did not answer in time"
    if look.obs.link is Link.UNAUTHORISED:
        return "The printer's server refuses the key"
    if look.obs.link is Link.ONLINE:
        return "The printer's server answers, but the printer behind it is off or not connected"
    return "Printer is offline"


def describe(obs: Observation) -> str:
    """One line of evidence: what the printer said."""
    job = obs.printer_job
    parts = [f"printer says {obs.phase.value}", f"file {clean(job.remote_file, 100) or 'none'}"]
    if job.job_id is not None:
        parts.append(f"printer job {clean(job.job_id, 60)}")
    if job.progress is not None:
        parts.append(f"{int(job.progress * 100)} %")
    if obs.boot.boot:
        parts.append(f"session {clean(obs.boot.boot, 60)}")
    if obs.boot.job_counter is not None:
        parts.append(f"its prints so far {obs.boot.job_counter}")
    if obs.messages:
        parts.append("; ".join(clean(m, 100) for m in obs.messages[:3]))
    return clean(", ".join(parts), 500)


def error_words(obs: Observation) -> str:
    """What a printer said of its own error, in one sentence for the operator."""
    said = "; ".join(clean(m, 160) for m in obs.messages[:2])
    done = obs.printer_job.progress
    at = f" (at {int(done * 100)} %)" if done is not None else ""
    return (said or "the printer reports an error and does not say which") + at


def ask(run: Run, question: str, look: Look) -> Submit:
    """Put the attempt in front of a person, with what the printer showed."""
    return Submit(
        command=AskAboutRun(run_id=run.run_id, question=question, evidence=describe(look.obs)),
        key=key("ask", run),
    )


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: {clean(reason, 160)}" if reason else text
