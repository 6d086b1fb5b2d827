"""Triage cards of printers themselves, and of the slicer: trouble that no Print Attempt's card speaks of."""

from core.client.views import Action, Card
from core.contract import Link, Observation, Phase
from core.domain.objects import Printer
from core.domain.words import Health
from core.views import actions as act
from core.views.inputs import Facts
from core.views.starting import foreign_job
from core.views.words import age, percent, reason_word, sentence


def printer_card(printer: Printer, facts: Facts) -> Card | None:
    """Trouble of a printer that only a person can end; None for a healthy one, for one out of service (that was
    done by hand), and for one that is merely off without work on it (the Printers screen shows it)."""
    live = facts.inputs.live.get(printer.printer_id)
    busy = facts.active.get(printer.printer_id)
    if printer.health is Health.OUT_OF_SERVICE:
        return None
    if busy is None and live is not None and live.link is Link.UNAUTHORISED:
        said = f"{printer.name} refuses Kiln's key, so nothing can start there. Put the right key in place."
        return _card(
            printer, facts, "alert", "NO ACCESS", "key refused", said, (), (act.primary(act.refresh()),)
        )
    if printer.health is Health.DEGRADED:
        why = reason_word(printer.health_reason)
        said = f"{printer.name} is degraded: {why}. Nothing starts there until somebody acknowledges it."
        actions = (act.primary(act.acknowledge(printer)), act.out_of_service(printer))
        messages = tuple(sentence(m) for m in live.messages[-2:]) if live is not None else ()
        return _card(printer, facts, "alert", "DEGRADED", why.lower(), said, messages, actions)
    if busy is None and (name := foreign_job(printer, facts)):
        return _foreign(printer, name, facts)
    # An attempt that ended in this error speaks for the printer until somebody said what came out of it.
    idle = busy is None and printer.printer_id not in facts.unjudged
    if idle and live is not None and live.link is Link.ONLINE and live.phase is Phase.ERROR:
        return _in_error(printer, live, facts)
    return None


def _in_error(printer: Printer, live: Observation, facts: Facts) -> Card:
    words = " ".join(sentence(m) for m in live.messages[-2:])
    said = (
        f"{printer.name} says: {words}"
        if words
        else f"{printer.name} reports an error and does not say which."
    )
    where = "at the machine or in OctoPrint" if printer.adapter == "octoprint" else "at the machine"
    because = (
        "Nothing can start there while it is in error.",
        f"Look at the printer and clear its error {where}, then refresh.",
    )
    actions = (act.primary(act.refresh()), act.out_of_service(printer))
    return _card(printer, facts, "alert", "ERROR", "printer error", said, because, actions)


def _foreign(printer: Printer, name: str, facts: Facts) -> Card:
    live = facts.inputs.live.get(printer.printer_id)
    said = f"{printer.name} works on a printer job that Kiln did not start: {name}. Kiln leaves it alone."
    because: list[str] = []
    if live is not None:
        progress = live.printer_job.progress
        seen = age(facts.inputs.mono - live.seen_at)
        because.append(
            f"{percent(progress)} done ({seen})." if progress is not None else f"Last look {seen}."
        )
    because.append("Nothing starts here until it has ended and the bed is confirmed clear.")
    actions = (act.goto("Show printer"), act.refresh())
    return _card(printer, facts, "warn", "FOREIGN", "not Kiln's", said, tuple(because), actions)


def slicer_card(facts: Facts) -> Card | None:
    """No slicer on this machine; None when there is one. The remedy lies outside of Kiln, so it has no action."""
    problem = facts.inputs.slicer_problem
    if not problem:
        return None
    waiting = sum(p.gcode is None and p.slice.state != "done" for p in facts.plates.values())
    return Card(
        card_id="site:slicer",
        section="attention",
        severity="alert" if waiting else "warn",
        tag="NO SLICER",
        where="this site",
        what="slicer",
        brief="models wait",
        title="No slicer",
        sentence=sentence(problem),
        because=("Ready G-code works without it; models wait.",),
        subject_kind="site",
        subject_id="slicer",
    )


def _card(
    printer: Printer,
    facts: Facts,
    severity: str,
    tag: str,
    brief: str,
    said: str,
    because: tuple[str, ...],
    actions: tuple[Action, ...],
) -> Card:
    return Card(
        card_id=f"printer:{printer.printer_id}",
        section="attention",
        severity=severity,
        tag=tag,
        where=printer.name,
        what=facts.inputs.model_names.get(printer.model_id, printer.model_id),
        brief=brief,
        title=printer.name,
        sentence=said,
        because=because,
        actions=actions,
        subject_kind="printer",
        subject_id=printer.printer_id,
    )
