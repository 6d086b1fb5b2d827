"""What a printer's look means for the printer itself: health edges, foreign prints, the bed-clear permit, and
files of ours that are still there after their attempt ended (pure)."""

from core.contract import Observation
from core.controllers.evidence import describe, down_reason, foreign_name, has_our_name, shows_ours
from core.controllers.steps import DoDelete, Situation, Step, Submit
from core.domain.commands import BindPermit, NoteAnomaly, PrinterSeen, RemoteDeleted, RevokePermit
from core.domain.objects import Printer
from core.domain.text import clean
from core.domain.words import Health

DOWN_MS = 5_000
"""A link down for so long is an offline printer; a query that hung was down for as long already."""


def health_step(s: Situation) -> Submit | None:
    """Tell the ledger of an edge: offline, back again, a foreign print begun or over."""
    latest, printer = s.looks.latest, s.printer
    if latest is None:
        return None
    down_since = s.looks.down_since_ms
    if down_since is not None:
        if printer.health is Health.OK and (latest.hung or s.now_ms - down_since >= DOWN_MS):
            return _seen(s, printer, Health.OFFLINE, down_reason(latest), printer.foreign)
        return None
    if not latest.snapshot:
        return None
    foreign = foreign_name(s)
    if printer.health is Health.OFFLINE:
        return _seen(s, printer, Health.OK, "", foreign)
    if foreign != printer.foreign:
        return _seen(s, printer, printer.health, printer.health_reason, foreign)
    return None


def _seen(s: Situation, printer: Printer, health: Health, reason: str, foreign: str) -> Submit | None:
    return optional(
        s,
        Submit(
            command=PrinterSeen(
                printer_id=printer.printer_id, health=health.value, reason=reason, foreign=foreign
            ),
            key=f"printer:{printer.printer_id}:{printer.version}:{health.value}:{foreign}",
        ),
    )


def permit_step(s: Situation) -> Submit | None:
    """Bind a permit to the first look begun after it was given; revoke it when anything moved since."""
    permit, look = s.printer.permit, s.looks.evidence
    if permit is None or look is None:
        return None
    revoke = ""
    if look.obs.phase.running:
        name = clean(look.obs.printer_job.remote_file, 100) or "a file that it does not name"
        revoke = f"the printer works on {name} since the bed was called clear"
    elif s.run is not None and shows_ours(s.run, look.obs):
        revoke = f"the attempt's file was printed at the machine: {describe(look.obs)}"
    elif permit.signature is not None and permit.signature != look.obs.boot:
        revoke = f"the printer was used or switched off since the bed was called clear: {describe(look.obs)}"
    if revoke:
        return optional(
            s,
            Submit(
                command=RevokePermit(
                    printer_id=s.printer.printer_id, permit_id=permit.permit_id, evidence=revoke
                ),
                key=f"revoke:{permit.permit_id}",
            ),
        )
    known_since = s.memory.permits.get(permit.permit_id)
    if permit.signature is None and known_since is not None and look.at_ms > known_since:
        return optional(
            s,
            Submit(
                command=BindPermit(
                    printer_id=s.printer.printer_id, permit_id=permit.permit_id, signature=look.obs.boot
                ),
                key=f"bind:{permit.permit_id}",
            ),
        )
    return None


def leftover_step(s: Situation) -> Step | None:
    """Step 10: remove the file of an ended attempt, so that neither a power-on nor "print again" replays it.

    Before a permit is bound: on some servers a deletion changes the signature. A file that runs is left alone:
    it is a foreign print now (W16), and its second life is noted once.
    """
    look = s.looks.evidence
    if look is None:
        return None
    for run in s.leftovers:
        if look.obs.phase.running and has_our_name(run, look.obs):
            note = f"again:{run.run_id}:{look.obs.printer_job.job_id or look.obs.boot.boot}"
            if note not in s.memory.noted:
                text = f"The file of an ended attempt is running again: {describe(look.obs)}"
                anomaly = NoteAnomaly(subject_kind="run", subject_id=run.run_id, text=text)
                told = optional(s, Submit(command=anomaly, key=note))
                if told is not None:
                    return told
            continue
        if run.remote_name in s.memory.gone:
            done = optional(
                s, Submit(command=RemoteDeleted(run_id=run.run_id), key=f"deleted:{run.run_id}:{run.attempt}")
            )
            if done is not None:
                return done
        elif s.now_ms >= s.memory.trial(f"delete:{run.remote_name}").retry_ms:
            return DoDelete(run_id=run.run_id, name=run.remote_name)
    return _owed_step(s, look.obs)


def _owed_step(s: Situation, obs: Observation) -> Step | None:
    """Files of attempts that went back to the queue: nothing in the ledger waits for their removal."""
    running = obs.printer_job.remote_file if obs.phase.running else ""
    kept = {run.remote_name for run in s.leftovers} | {s.memory.name}
    for name in sorted(s.memory.owed - kept - s.memory.gone.keys()):
        if name != running and s.now_ms >= s.memory.trial(f"delete:{name}").retry_ms:
            return DoDelete(run_id="", name=name)
    return None


def optional(s: Situation, submit: Submit) -> Submit | None:
    """`submit`, unless the kernel refused it a moment ago: an edge must never hold up the protocol."""
    return submit if s.now_ms >= s.memory.trial(submit.key).retry_ms else None
