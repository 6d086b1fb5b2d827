"""Triage: what needs a person now, word for word."""

import pytest

from core.client.views import Card
from core.contract import Link, Phase, PrinterJob
from core.domain.objects import SliceStatus
from core.domain.words import Health, IntentState, ItemResult, PlanState, RunState
from core.views.inputs import ShopInputs
from core.views.triage import cards
from tests.pure import views_shop as make
from tests.pure.views_shop import (
    drop,
    evidence,
    intent,
    line,
    plan,
    plate,
    printer,
    printing,
    run,
    seen,
    shop,
    with_run,
)

OFF = seen(Phase.OFFLINE, link=Link.OFFLINE)
EMPTY = {"intents": (), "plans": (), "plates": ()}
DRAFT = plan(state=PlanState.DRAFT)


def only(inputs: ShopInputs) -> Card:
    (card,) = cards(inputs)
    return card


def shown(card: Card) -> tuple[str, str, str, str, str]:
    return card.section, card.severity, card.tag, card.brief, card.sentence


def keys(card: Card) -> list[tuple[str, str]]:
    return [(action.key, action.label) for action in card.actions]


ATTENTION: dict[str, tuple[ShopInputs, str, str, str, str, list[tuple[str, str]]]] = {
    "rejected": (
        shop(**EMPTY, drops=(drop("rejected", findings=(make.FINDING,), kept_at="rejected/bracket.stl"),)),
        "alert",
        "REJECTED",
        "6 min ago",
        "The mesh has 3 open edges. Repair it in the design program.",
        [("enter", "Dismiss")],
    ),
    "rejected without a finding": (
        shop(**EMPTY, drops=(drop("rejected"),)),
        "alert",
        "REJECTED",
        "6 min ago",
        "No reason was recorded.",
        [("enter", "Dismiss")],
    ),
    "again": (
        shop(
            intents=(intent(state=IntentState.FULFILLED),),
            plans=(),
            plates=(),
            drops=(drop("again", duplicate_of="int_1"),),
        ),
        "warn",
        "AGAIN?",
        "6 min ago",
        "The same content came in before as Order 1041. Nothing was ordered this time.",
        [("enter", "Order again"), ("d", "Dismiss")],
    ),
    "approval": (
        shop(plans=(DRAFT,), plates=()),
        "warn",
        "APPROVE",
        "approve",
        "Waits for approval; nothing stands against it.",
        [("enter", "Review & approve"), ("X", "Cancel Order")],
    ),
    "approval with open questions": (
        shop(intents=(intent(items=(line(material=None, tier=None),)),), plans=(DRAFT,), plates=()),
        "warn",
        "APPROVE",
        "question",
        "2 answers missing before it can be approved.",
        [("enter", "Review & approve"), ("X", "Cancel Order")],
    ),
    "approval that cannot be": (
        shop(plans=(plan(state=PlanState.DRAFT, problem="No profile for PETG on this printer"),), plates=()),
        "alert",
        "APPROVE",
        "problem",
        "Cannot be approved as it is. No profile for PETG on this printer.",
        [("enter", "Review & approve"), ("X", "Cancel Order")],
    ),
    "approval without a printer": (
        shop(
            plans=(
                plan(state=PlanState.DRAFT, model_id=None, problem="There is no printer yet: add one first."),
            ),
            plates=(),
            printers=(),
            live={},
        ),
        "alert",
        "APPROVE",
        "problem",
        "Cannot be approved as it is. There is no printer yet: add one first.",
        [("enter", "Add a printer"), ("X", "Cancel Order")],
    ),
    "slice failed": (
        shop(
            plates=(plate(gcode=None, slice=SliceStatus(state="failed", code="TIMEOUT", message="killed")),)
        ),
        "alert",
        "SLICE FAILED",
        "timeout",
        "Slicing took longer than the time limit and was stopped. "
        "Put fewer parts on the plate, simplify the model, or raise the time limit.",
        [("enter", "Retry")],
    ),
    "plan locked": (
        shop(plans=(plan(dispatch_blocked="2 first layer failures in 24 h, same revision"),), plates=()),
        "alert",
        "PLAN LOCKED",
        "review",
        "Plan locked, review required. 2 first layer failures in 24 h, same revision.",
        [("enter", "Show plan")],
    ),
    "parked by policy": (
        with_run(run(state=RunState.PENDING_APPROVAL, question="risk is high; material is ABS")),
        "warn",
        "APPROVE",
        "policy asks",
        "This attempt waits for your approval. Risk is high.",
        [("enter", "Approve"), ("x", "Take out of queue")],
    ),
    "runout": (
        with_run(run(state=RunState.PAUSED), seen(Phase.PAUSED, messages=("Filament runout detected",))),
        "warn",
        "PAUSED",
        "runout",
        "Filament ran out. Load a new spool of PETG, purge until the colour is clean, then resume.",
        [("enter", "Resume"), ("x", "Abort")],
    ),
    "paused with a message": (
        with_run(run(state=RunState.PAUSED), seen(Phase.PAUSED, messages=("Door open",))),
        "warn",
        "PAUSED",
        "paused",
        "Paused. The printer says: Door open.",
        [("enter", "Resume"), ("x", "Abort")],
    ),
    "paused for no known reason": (
        with_run(run(state=RunState.PAUSED), seen(Phase.PAUSED)),
        "warn",
        "PAUSED",
        "paused",
        "The printer paused and did not say why.",
        [("enter", "Resume"), ("x", "Abort")],
    ),
    "paused from here": (
        with_run(
            run(state=RunState.PAUSED, evidence=(evidence(9, "pause requested by ann"),)), seen(Phase.PAUSED)
        ),
        "warn",
        "PAUSED",
        "paused",
        "Paused from here.",
        [("enter", "Resume"), ("x", "Abort")],
    ),
    "failed": (
        with_run(run(state=RunState.FAILED, reason="power_loss", reason_text="the printer restarted")),
        "alert",
        "FAILED",
        "power loss",
        "Failed 6 min ago: Power loss — The printer restarted. "
        "Say what is on the plate, then reprint what is missing.",
        [("enter", "What happened on the plate?")],
    ),
    "failed before printing": (
        with_run(run(state=RunState.FAILED, reason="storage_full", started_at=None)),
        "alert",
        "FAILED",
        "storage full",
        "Failed before anything was printed: Storage full. Put that right, then print again.",
        [("enter", "Print again")],
    ),
    "needs decision": (
        with_run(run(state=RunState.NEEDS_DECISION, question="Did mk4-1 print this?"), seen(Phase.IDLE)),
        "alert",
        "NEEDS DECISION",
        "what happened?",
        "Did mk4-1 print this?",
        [
            ("enter", "Refresh state"),
            ("a", "Adopt printer state"),
            ("K", "Keep Kiln state"),
            ("n", "It never ran"),
            ("i", "It ran"),
        ],
    ),
    "desynced and silent": (
        with_run(run(state=RunState.PRINTING), OFF, heard={"p1": seen(Phase.IDLE, ago=361)}),
        "alert",
        "DESYNCED",
        "silent 6m",
        "This printer stopped reporting 6 min ago. Last poll says: Idle. Kiln thought: Printing.",
        [("enter", "Refresh state"), ("x", "Abort")],
    ),
    "desynced": (
        with_run(run(state=RunState.PRINTING), seen(Phase.IDLE)),
        "alert",
        "DESYNCED",
        "says idle",
        "This printer says: Idle. Kiln thought: Printing.",
        [("enter", "Refresh state"), ("x", "Abort")],
    ),
    "another file": (
        with_run(
            run(state=RunState.PRINTING), seen(Phase.PRINTING, job=PrinterJob(remote_file="benchy.gcode"))
        ),
        "alert",
        "DESYNCED",
        "another file",
        "This printer says: Printing benchy.gcode, another file. Kiln thought: Printing this attempt.",
        [("enter", "Refresh state"), ("x", "Abort")],
    ),
    "offline with work": (
        with_run(run(state=RunState.PRINTING), OFF, heard={"p1": printing(ago=361)}),
        "alert",
        "OFFLINE",
        "silent 6m",
        "This printer stopped reporting 6 min ago. Last poll says: Printing, 63 %. Kiln thought: Printing.",
        [("enter", "Refresh state"), ("x", "Abort")],
    ),
    "silent without a word": (
        with_run(run(state=RunState.PRINTING), printing(ago=40), heard={"p1": printing(ago=40)}),
        "alert",
        "OFFLINE",
        "silent 40s",
        "This printer stopped reporting 40 s ago. Last poll says: Printing, 63 %. Kiln thought: Printing.",
        [("enter", "Refresh state"), ("x", "Abort")],
    ),
    "never heard of": (
        with_run(run(state=RunState.PRINTING), OFF),
        "alert",
        "OFFLINE",
        "no answer",
        "This printer has not answered since Kiln started. Kiln thought: Printing.",
        [("enter", "Refresh state"), ("x", "Abort")],
    ),
    "wrong key with work": (
        with_run(run(state=RunState.PRINTING), seen(Phase.UNKNOWN, link=Link.UNAUTHORISED)),
        "alert",
        "NO ACCESS",
        "key refused",
        "mk4-1 refuses Kiln's key, so nobody watches this print. Put the right key in place.",
        [("enter", "Refresh state"), ("x", "Abort")],
    ),
    "wrong key without work": (
        shop(**EMPTY, live={"p1": seen(Phase.UNKNOWN, link=Link.UNAUTHORISED)}),
        "alert",
        "NO ACCESS",
        "key refused",
        "mk4-1 refuses Kiln's key, so nothing can start there. Put the right key in place.",
        [("enter", "Refresh state")],
    ),
    "degraded": (
        shop(**EMPTY, printers=(printer(health=Health.DEGRADED, health_reason="thermal_runaway"),)),
        "alert",
        "DEGRADED",
        "thermal runaway",
        "mk4-1 is degraded: Thermal runaway. Nothing starts there until somebody acknowledges it.",
        [("enter", "Acknowledge"), ("O", "Out of service")],
    ),
    "in error without an attempt": (
        shop(**EMPTY, live={"p1": seen(Phase.ERROR, messages=("Heating failed; it is off",))}),
        "alert",
        "ERROR",
        "printer error",
        "mk4-1 says: Heating failed; it is off.",
        [("enter", "Refresh state"), ("O", "Out of service")],
    ),
    "in error without a word": (
        shop(**EMPTY, live={"p1": seen(Phase.ERROR)}),
        "alert",
        "ERROR",
        "printer error",
        "mk4-1 reports an error and does not say which.",
        [("enter", "Refresh state"), ("O", "Out of service")],
    ),
    "foreign": (
        shop(
            **EMPTY,
            live={"p1": seen(Phase.PRINTING, job=PrinterJob(remote_file="benchy.gcode", progress=0.2))},
        ),
        "warn",
        "FOREIGN",
        "not Kiln's",
        "mk4-1 works on a printer job that Kiln did not start: benchy.gcode. Kiln leaves it alone.",
        [("enter", "Show printer"), ("g", "Refresh state")],
    ),
    "no slicer": (
        shop(**EMPTY, slicer_problem="no slicer was found; run kiln-tui slicer fetch"),
        "warn",
        "NO SLICER",
        "models wait",
        "No slicer was found; run kiln-tui slicer fetch.",
        [],
    ),
    "some failed": (
        with_run(
            run(
                state=RunState.COMPLETED,
                outcomes=make.outcomes(ItemResult.SUCCESS, ItemResult.FAILED, reason="warping"),
            ),
            number=2,
        ),
        "warn",
        "REPRINT",
        "1 failed",
        "1 of 2 parts failed: warping. Make the failed ones again.",
        [("enter", "Reprint failed")],
    ),
    "nothing goes on": (
        with_run(run(state=RunState.COMPLETED, outcomes=make.outcomes(ItemResult.UNKNOWN))),
        "warn",
        "STUCK",
        "1 to make",
        "1 part still to make, and nothing is queued. Decide what to do with it.",
        [("enter", "Show order"), ("X", "Cancel Order")],
    ),
}


@pytest.mark.parametrize("case", ATTENTION)
def test_attention(case: str) -> None:
    inputs, severity, tag, brief, sentence, actions = ATTENTION[case]
    card = only(inputs)
    assert shown(card) == ("attention", severity, tag, brief, sentence)
    assert keys(card) == actions
