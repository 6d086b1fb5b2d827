"""Triage: everything on the floor as one list of cards, each with the one next thing to do (screens.md, 1).

Which object speaks, so that nothing is shown twice and nothing is left out:

- Drop: its own card; none when accepted or dismissed.
- Order: an APPROVE card while a Build Plan is a draft; else its Plates and Print Attempts speak for it; where none
  does, a leftover card. None when closed.
- Build Plan: its Order's APPROVE card; a PLAN LOCKED card; else none.
- Plate: its own card until it has a Print Attempt; none while its Order's approval comes first.
- Print Attempt: its own card in every state that is not terminal, then until its outcomes are in, then only if
  something failed and is not made again.
- Printer: its attempt's card; a card of its own for trouble that only a person ends. None when it is well, off
  without work, or out of service (that was done by hand).

A late or risky card moves from running, ready or waiting to AT RISK; what needs a person already stays where it is.
"""

from msgspec.structs import replace

from core.client.views import SECTIONS, Card
from core.domain.objects import Plate, Run
from core.domain.words import RiskLevel, RunState
from core.views.inputs import Facts, ShopInputs
from core.views.order_cards import approval_card, drop_card, leftover_card, locked_plan_card, plate_card
from core.views.printer_cards import printer_card, slicer_card
from core.views.run_cards import run_card
from core.views.starting import Place, Starts
from core.views.words import duration, risk_words, short_duration

DUE_SOON_S = 2 * 3600
"""An Order that is due within this time and not done is at risk."""

TAGS = (
    "NO SLICER",
    "NEEDS DECISION",
    "DESYNCED",
    "OFFLINE",
    "NO ACCESS",
    "FAILED",
    "PAUSED",
    "ERROR",
    "DEGRADED",
    "FOREIGN",
    "PLAN LOCKED",
    "SLICE FAILED",
    "REPRINT",
    "APPROVE",
    "STUCK",
    "REJECTED",
    "AGAIN?",
    "LATE",
    "WILL BE LATE",
    "DUE SOON",
    "HIGH RISK",
    "MADE",
    "DONE",
    "ABORTED",
    "READY",
    "NO PRINTER",
    "STOPPED",
    "STARTING",
    "START UNCLEAR",
    "PRINTING",
    "UPLOADING",
    "SLICING",
    "SLICE",
    "QUEUEING",
    "QUEUED",
    "PREPARING",
    "PAYMENT",
)
"""The words of cards, the most pressing first; within a section, cards are shown in this order."""
_TAG_RANK = {tag: rank for rank, tag in enumerate(TAGS)}
_SECTION_RANK = {section: rank for rank, section in enumerate(SECTIONS)}
_MAY_BE_AT_RISK = ("running", "ready_start", "waiting")


def cards(inputs: ShopInputs) -> tuple[Card, ...]:
    """Every card of Triage, by section, the most pressing first. Pure."""
    facts = Facts(inputs)
    return cards_of(facts, places_of(facts))


def places_of(facts: Facts) -> dict[str, Place]:
    """Where each queued attempt would go, by run id: by due time, then by time in the queue."""
    starts = Starts(facts)
    queued = [r for r in facts.inputs.runs if r.state is RunState.QUEUED]
    queued.sort(key=lambda r: (_due(r, facts), r.queued_at, r.number, r.run_id))
    return {r.run_id: starts.place(r) for r in queued}


def cards_of(facts: Facts, places: dict[str, Place]) -> tuple[Card, ...]:
    """The same, from indexed inputs."""
    made: list[Card] = []
    spoken: set[str] = set()
    for run in facts.inputs.runs:
        card = run_card(run, facts, places.get(run.run_id))
        if card is not None:
            made.append(_at_risk(card, run.intent_ids, facts.plates.get(run.plate_id), facts))
            spoken.update(run.intent_ids)
    for plate in facts.inputs.plates:
        card = plate_card(plate, facts)
        if card is not None:
            made.append(_at_risk(card, plate.intent_ids, plate, facts))
            spoken.update(plate.intent_ids)
    for plan in facts.inputs.plans:
        card = locked_plan_card(plan, facts)
        if card is not None:
            made.append(card)
            spoken.add(plan.intent_id)
    for intent in facts.inputs.intents:
        if not intent.open:
            continue
        card = approval_card(intent, facts)
        if card is not None:
            made.append(_at_risk(card, (intent.intent_id,), None, facts))
        elif intent.intent_id not in spoken:
            made.append(_at_risk(leftover_card(intent, facts), (intent.intent_id,), None, facts))
    others = [drop_card(drop, facts) for drop in facts.inputs.drops]
    others += [printer_card(printer, facts) for printer in facts.printers.values()]
    others.append(slicer_card(facts))
    made.extend(card for card in others if card is not None)
    return tuple(sorted(made, key=_order))


def _order(card: Card) -> tuple[int, int, float, str, str]:
    left = float(card.remaining_s) if card.remaining_s is not None else float("inf")
    return (_SECTION_RANK[card.section], _TAG_RANK.get(card.tag, 99), left, card.where, card.card_id)


def _due(run: Run, facts: Facts) -> float:
    due = facts.due_at(run.intent_ids)
    return float("inf") if due is None else float(due)


def _at_risk(card: Card, intent_ids: tuple[str, ...], plate: Plate | None, facts: Facts) -> Card:
    """The same card with what threatens its promise; moved to AT RISK where nobody is asked for anything else."""
    due = facts.due_at(intent_ids)
    risk = _late(card, due, facts) or _high(plate, facts)
    if risk is None:
        return card
    tag, brief, receipt = risk
    because = (*card.because, receipt)
    if card.section not in _MAY_BE_AT_RISK:
        return replace(card, because=because)
    return replace(
        card,
        section="at_risk",
        severity="warn",
        tag=tag,
        brief=f"{brief} · {card.brief}" if card.brief else brief,
        because=because,
    )


def _late(card: Card, due: int | None, facts: Facts) -> tuple[str, str, str] | None:
    if due is None:
        return None
    left = due - facts.wall
    if left < 0:
        return "LATE", f"late {short_duration(-left)}", f"Due {duration(-left)} ago."
    if card.finish_at is not None and card.finish_at > due:
        over = card.finish_at - due
        return (
            "WILL BE LATE",
            f"due {short_duration(left)}",
            f"Due in {duration(left)}; ends {duration(over)} too late.",
        )
    if left < DUE_SOON_S:
        return "DUE SOON", f"due {short_duration(left)}", f"Due in {duration(left)}."
    return None


def _high(plate: Plate | None, facts: Facts) -> tuple[str, str, str] | None:
    if plate is None:
        return None
    plans = {item.plan_id: plan for item in plate.items if (plan := facts.plan_of(item))}
    high = [p for p in plans.values() if p.risk_level is RiskLevel.HIGH]
    if not high:
        return None
    words = risk_words(RiskLevel.HIGH, dict.fromkeys(f for p in high for f in p.risk_factors))
    return "HIGH RISK", "high risk", f"{words}."
