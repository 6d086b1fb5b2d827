"""Triage cards of Print Attempts that ended: what came out is not said yet, or something has to be made again."""

from core.client.views import Card
from core.domain.objects import Plate, Run
from core.domain.words import ItemResult, RunState
from core.views import actions as act
from core.views.endings import how_it_ended, why_it_failed
from core.views.inputs import Facts, may_have_printed
from core.views.run_row import run_row
from core.views.words import age, clock, count, listing, reason_word


def ended_card(run: Run, facts: Facts) -> Card | None:
    """The card of an attempt that ended: its outcome is missing, or something has to be made again."""
    if facts.awaits_outcome(run):
        return _unjudged(run, facts)
    if not any((i := facts.intents.get(k)) is not None and i.open for k in run.intent_ids):
        return None
    plate = facts.plates.get(run.plate_id)
    if plate is None or facts.runs_of[run.plate_id][-1] is not run:
        return None
    if not may_have_printed(run):
        return _never_printed(run, plate, facts)
    bad = [o for o in run.outcomes if o.result in (ItemResult.FAILED, ItemResult.SKIPPED)]
    if not bad or run.reprinted_by is not None:
        return None
    why = listing(dict.fromkeys(reason_word(o.reason).lower() for o in bad if o.reason))
    return run_row(
        run,
        facts,
        section="attention",
        severity="warn",
        tag="REPRINT",
        brief=f"{len(bad)} failed",
        text=f"{len(bad)} of {count(len(plate.items), 'part')} failed"
        + (f": {why}." if why else ".")
        + " Make the failed ones again.",
        actions=(act.primary(act.reprint(run)),),
    )


def _unjudged(run: Run, facts: Facts) -> Card:
    ended = f"{age(facts.wall - run.ended_at)}" if run.ended_at is not None else "at an unknown time"
    done = clock(run.ended_at, facts.inputs.utc_offset_s)[:5] if run.ended_at is not None else "ended"
    if run.state is RunState.FAILED:
        text = f"{how_it_ended(run, ended)} Say what is on the plate, then reprint what is missing."
        section, severity, tag, brief = "attention", "alert", "FAILED", reason_word(run.reason).lower()
    elif run.state is RunState.ABORTED:
        text = f"{how_it_ended(run, ended)} Take the plate off and say what is usable."
        section, severity, tag, brief = "ready_qa", "info", "ABORTED", f"{done} · clear plate"
    else:
        text = f"Done {ended}. Take the plate off and say what came out."
        section, severity, tag, brief = "ready_qa", "ok", "DONE", f"{done} · clear plate"
    return run_row(
        run,
        facts,
        section=section,
        severity=severity,
        tag=tag,
        brief=brief,
        text=text,
        actions=(act.primary(act.outcome(run)),),
    )


def _never_printed(run: Run, plate: Plate, facts: Facts) -> Card:
    failed = run.state is RunState.FAILED
    return run_row(
        run,
        facts,
        section="attention" if failed else "ready_start",
        severity="alert" if failed else "info",
        tag="FAILED" if failed else "STOPPED",
        brief=reason_word(run.reason).lower() if failed else "not printed",
        text=(
            f"Failed before anything was printed: {why_it_failed(run)} Put that right, then print again."
            if failed
            else "Stopped before anything was printed. Print it when you want it."
        ),
        actions=(act.primary(act.print_plate(plate, "Print again")),),
    )
