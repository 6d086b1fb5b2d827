""" "What happened on the plate?": the sheet at the end of an attempt, with what the evidence suggests."""

from core.client.views import OutcomeSheet
from core.domain.objects import Plate, Run
from core.domain.reasons import FAMILY_OF, Family
from core.domain.words import RunState
from core.views.endings import stopped_by, why_it_failed
from core.views.naming import parts
from core.views.words import grams, reason_word

_LOOK: dict[Family, str] = {
    Family.FIRST_LAYER: "Look whether the parts held to the bed from the first layer on.",
    Family.SPAGHETTI: "Look for loose strands, shifted layers and parts that came off.",
    Family.MATERIAL: "Look for layers that are thin, missing or of the wrong filament.",
    Family.THERMAL: "Let it cool and look at the hotend and the wiring before the next print.",
    Family.POWER: "Look where the print stopped; parts are rarely whole after a power cut.",
    Family.MACHINE: "Look where the print stopped and what the printer's own screen says.",
    Family.OPERATOR: "Look whether any part was finished before it was stopped.",
    Family.QUALITY: "Measure the parts and look at their surfaces.",
    Family.UNKNOWN: "Look where the print stopped and what the printer's own screen says.",
}


def outcome_sheet(run: Run, plate: Plate, printer_name: str) -> OutcomeSheet:
    """The sheet of an ended attempt."""
    what = parts(plate.items)
    return OutcomeSheet(
        run=run,
        plate=plate,
        printer_name=printer_name,
        title=f"{printer_name} · {what}" if printer_name else what,
        suggestion=suggestion(run, len(plate.items)),
    )


def suggestion(run: Run, number: int) -> str:
    """What the evidence suggests, as one or two sentences; `number` is how many parts are on the plate."""
    if run.state is RunState.COMPLETED:
        used = f" It used {grams(run.used_mg)}." if run.used_mg is not None else ""
        return (
            f"The printer finished it.{used} All good?"
            if number > 1
            else f"The printer finished it.{used} Good?"
        )
    if run.state is RunState.ABORTED:
        return f"{_stopped(run)} Look whether any part was finished before that."
    if run.state is RunState.FAILED:
        return f"It failed{_because(run)} {_LOOK[FAMILY_OF.get(run.reason, Family.UNKNOWN)]}"
    return f"It has not ended: {run.state.on_screen}."


def _because(run: Run) -> str:
    if run.reason in ("", "unknown") and not run.reason_text:
        return ", and nobody knows why."
    return f": {why_it_failed(run)}"


def _stopped(run: Run) -> str:
    who = stopped_by(run)
    why = "" if run.reason in ("", "unknown", "operator_abort") else f": {reason_word(run.reason).lower()}"
    return f"It was stopped by {who or 'hand'}{why}."
