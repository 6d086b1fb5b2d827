"""What every Triage card of a Print Attempt shares: names, evidence with ages, progress as the printer tells it."""

from core.client.views import Action, Card
from core.contract import Capability, Observation
from core.domain.objects import Run
from core.views import actions as act
from core.views.inputs import Facts
from core.views.naming import attempt_name, orders_name, plate_what, run_title
from core.views.trust import is_ours
from core.views.words import age, clock

MAX_EVIDENCE = 8
"""How many evidence lines a card carries, the newest first."""


def run_row(
    run: Run,
    facts: Facts,
    *,
    section: str,
    severity: str,
    tag: str,
    brief: str,
    text: str,
    because: tuple[str, ...] = (),
    actions: tuple[Action, ...] = (),
    observed: Observation | None = None,
    progress: float | None = None,
) -> Card:
    """A card of this attempt; progress and times are taken from `observed` only when it shows our file running."""
    seen = observed.printer_job if observed is not None else None
    ours = observed is not None and observed.phase.running and is_ours(run, observed) is not False
    left = seen.remaining_s if seen is not None and ours else None
    return Card(
        card_id=f"run:{run.run_id}",
        section=section,
        severity=severity,
        tag=tag,
        where=facts.printer_name(run.printer_id) or orders_name(run.intent_ids, facts) or "Print Attempt",
        what=plate_what(facts.plates.get(run.plate_id)),
        brief=brief,
        title=run_title(run, facts),
        sentence=text,
        because=(attempt_name(run, facts), *because),
        evidence=_evidence(run, facts),
        actions=actions,
        progress=seen.progress if seen is not None and ours else progress,
        remaining_s=None if left is None else int(left),
        finish_at=facts.finish_at(run.printer_id, observed) if observed is not None and ours else None,
        subject_kind="run",
        subject_id=run.run_id,
    )


def _evidence(run: Run, facts: Facts) -> tuple[str, ...]:
    offset = facts.inputs.utc_offset_s
    return tuple(
        f"{clock(e.at, offset)} {e.text} ({age(facts.wall - e.at)})"
        for e in reversed(run.evidence[-MAX_EVIDENCE:])
    )


def live_of(run: Run, facts: Facts) -> Observation | None:
    """The newest look at the attempt's printer, or None."""
    return facts.inputs.live.get(run.printer_id or "")


def capability_of(run: Run, facts: Facts) -> Capability | None:
    """What the attempt's printer can do, or None where it is not known."""
    return facts.inputs.capabilities.get(run.printer_id or "")


def abort_of(run: Run, facts: Facts) -> Action:
    """The abort action of an attempt, disabled where it cannot work now."""
    return act.abort(run, capability_of(run, facts), live_of(run, facts))
