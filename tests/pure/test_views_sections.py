"""Triage: everything that does not need a person at once, word for word."""

import pytest

from core.client.views import Card, SliceProgress
from core.contract import Link, Phase, PrinterJob
from core.domain.objects import SliceStatus
from core.domain.words import Health, IntentState, ItemResult, PlanState, RunState
from core.views.inputs import ShopInputs
from core.views.triage import cards
from tests.pure import views_shop as make
from tests.pure.views_shop import (
    drop,
    intent,
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
    (card,) = (
        c for c in cards(inputs) if c.tag != "ERROR"
    )  # the printer's own card is test_views_attention's
    return card


def keys(card: Card) -> list[tuple[str, str]]:
    return [(action.key, action.label) for action in card.actions]


CALM: dict[str, tuple[ShopInputs, str, str, str, str, list[str]]] = {
    "printing": (
        with_run(run(state=RunState.PRINTING), printing()),
        "running",
        "PRINTING",
        "63% 1h12",
        "63 % done, 1 h 12 min of print time left. Layer 44 of 120.",
        ["enter", "p", "x"],
    ),
    "printing, little known": (
        with_run(run(state=RunState.PRINTING), seen(Phase.PRINTING)),
        "running",
        "PRINTING",
        "printing",
        "Progress unknown, time left unknown.",
        ["enter", "p", "x"],
    ),
    "printing, file not told": (
        with_run(run(state=RunState.PRINTING), seen(Phase.PRINTING, job=PrinterJob(progress=0.5))),
        "running",
        "PRINTING",
        "50%",
        "50 % done, time left unknown.",
        ["enter", "p", "x"],
    ),
    "printing, not looked at yet": (
        with_run(run(state=RunState.PRINTING)),
        "running",
        "PRINTING",
        "not seen yet",
        "Kiln has not looked at this printer yet since it started.",
        ["enter", "p", "x"],
    ),
    "just ended": (
        with_run(run(state=RunState.PRINTING), seen(Phase.FINISHED)),
        "running",
        "PRINTING",
        "finished",
        "The printer says: Finished. Kiln is taking that down.",
        ["enter", "p", "x"],
    ),
    "confirming": (
        with_run(run(state=RunState.CONFIRMING), seen(Phase.IDLE)),
        "running",
        "STARTING",
        "starting",
        "The start was sent once; Kiln waits to see the printer begin.",
        ["enter", "x"],
    ),
    "fencing": (
        with_run(run(state=RunState.FENCING), seen(Phase.IDLE)),
        "running",
        "START UNCLEAR",
        "checking",
        "The start left no trace on the printer. "
        "Kiln removes the file so that it cannot run later, then looks again.",
        ["enter", "x"],
    ),
    "done": (
        with_run(run(state=RunState.COMPLETED), seen(Phase.FINISHED)),
        "ready_qa",
        "DONE",
        "07:54 · clear plate",
        "Done 6 min ago. Take the plate off and say what came out.",
        ["enter"],
    ),
    "aborted": (
        with_run(run(state=RunState.ABORTED, reason="operator_abort"), seen(Phase.IDLE)),
        "ready_qa",
        "ABORTED",
        "07:54 · clear plate",
        "Stopped at the printer 6 min ago. Take the plate off and say what is usable.",
        ["enter"],
    ),
    "all good": (
        with_run(run(state=RunState.COMPLETED, outcomes=make.outcomes(ItemResult.SUCCESS))),
        "ready_qa",
        "MADE",
        "1 good",
        "The part is good. Close the order.",
        ["enter"],
    ),
    "bed": (
        with_run(run(), seen(Phase.IDLE)),
        "ready_start",
        "READY",
        "mk4-1 when clear",
        "Goes to mk4-1 when its bed is clear. Look at the bed, then say so.",
        ["enter", "x"],
    ),
    "wrong material": (
        with_run(run(), seen(Phase.IDLE), printers=(printer(material="PLA"),)),
        "ready_start",
        "READY",
        "mk4-1 wrong material",
        "Goes to mk4-1 when the filament is right. PLA is loaded; PETG is needed.",
        ["enter", "x"],
    ),
    "wrong color": (
        with_run(
            run(),
            seen(Phase.IDLE),
            intents=(intent(items=(make.line(color="black"),)),),
            printers=(printer(color="white"),),
        ),
        "ready_start",
        "READY",
        "mk4-1 wrong material",
        "Goes to mk4-1 when the filament is right. White filament is loaded; black is needed.",
        ["enter", "x"],
    ),
    "material never said": (
        with_run(run(), seen(Phase.IDLE), printers=(printer(material=None),)),
        "ready_start",
        "READY",
        "mk4-1 when clear",
        "Goes to mk4-1 when its bed is clear. Look at the bed, then say so.",
        ["enter", "L", "x"],
    ),
    "refused by the kernel": (
        with_run(
            run(),
            seen(Phase.IDLE),
            printers=(printer(permit=make.permit()),),
            run_blocks={"run_1": "the order is not paid"},
        ),
        "waiting",
        "QUEUED",
        "next on mk4-1",
        "Next on mk4-1. The order is not paid.",
        ["enter", "x"],
    ),
    "two materials": (
        shop(
            intents=(intent(items=(make.line("1"), make.line("2", material="PLA"))),),
            plates=(plate(items=(make.part("1"), make.part("2", intent_id="int_1"))),),
            runs=(run(),),
        ),
        "ready_start",
        "READY",
        "not ready",
        "This Plate mixes PETG and PLA.",
        ["enter", "x"],
    ),
    "offline": (
        with_run(run(), OFF, heard={"p1": seen(Phase.IDLE, ago=361)}),
        "ready_start",
        "READY",
        "mk4-1 offline",
        "Goes to mk4-1 once it answers again. No answer for 6 min.",
        ["enter", "x"],
    ),
    "out of service": (
        with_run(run(), printers=(printer(health=Health.OUT_OF_SERVICE, health_reason="new nozzle"),)),
        "ready_start",
        "READY",
        "mk4-1 out of service",
        "Goes to mk4-1 once it is back in service. Out of service: new nozzle.",
        ["enter", "x"],
    ),
    "error": (
        with_run(run(), seen(Phase.ERROR)),
        "ready_start",
        "READY",
        "mk4-1 not ready",
        "Goes to mk4-1 once it is ready. The printer says: Error.",
        ["enter", "x"],
    ),
    "no printer": (
        with_run(run(), printers=()),
        "ready_start",
        "NO PRINTER",
        "no printer",
        "Nothing can print this: there is no printer yet.",
        ["enter", "x"],
    ),
    "no printer of its kind": (
        with_run(run(), printers=(printer(model_id="mini"),)),
        "ready_start",
        "NO PRINTER",
        "no printer",
        "Nothing can print this: no Prusa MK4 is part of the site.",
        ["enter", "x"],
    ),
    "not queued": (
        shop(plates=(plate(dispatch=False),)),
        "ready_start",
        "READY",
        "ready",
        "Ready to print; nothing is queued yet.",
        ["enter"],
    ),
    "stopped in the queue": (
        with_run(run(state=RunState.ABORTED, started_at=None, printer_id=None)),
        "ready_start",
        "STOPPED",
        "not printed",
        "Stopped before anything was printed. Print it when you want it.",
        ["enter"],
    ),
    "uploaded": (
        with_run(run(state=RunState.UPLOADED), seen(Phase.IDLE)),
        "ready_start",
        "READY",
        "when clear",
        "The file is on the printer. It starts when the bed is clear. Look at the bed, then say so.",
        ["enter", "x"],
    ),
    "starting": (
        with_run(run(state=RunState.UPLOADED), seen(Phase.IDLE), printers=(printer(permit=make.permit()),)),
        "waiting",
        "STARTING",
        "starting",
        "The file is on the printer. It starts when the printer has been looked at twice.",
        ["enter", "x"],
    ),
    "next": (
        with_run(run(), seen(Phase.IDLE), printers=(printer(permit=make.permit()),)),
        "waiting",
        "QUEUED",
        "next on mk4-1",
        "Next on mk4-1. It starts now.",
        ["enter", "x"],
    ),
    "uploading": (
        with_run(
            run(state=RunState.CLAIMED),
            seen(Phase.IDLE),
            printers=(printer(permit=make.permit()),),
            uploads={"run_1": 0.42},
        ),
        "waiting",
        "UPLOADING",
        "42%",
        "Uploading, 42 % sent. It starts when the printer has been looked at twice.",
        ["enter", "x"],
    ),
    "slicing": (
        shop(
            plates=(plate(gcode=None, slice=SliceStatus(state="waiting")),),
            slicing=(SliceProgress(plate_id="plate_1", percent=37, text="Generating perimeters", seconds=4),),
        ),
        "waiting",
        "SLICING",
        "37%",
        "Slicing, 37 %. Generating perimeters.",
        ["enter"],
    ),
    "waits for the slicer": (
        shop(plates=(plate(gcode=None, slice=SliceStatus(state="waiting")),)),
        "waiting",
        "SLICE",
        "waiting",
        "Waits for its turn at the slicer.",
        ["enter"],
    ),
    "approved": (
        shop(plates=()),
        "waiting",
        "PREPARING",
        "preparing",
        "Approved; its parts are being put together.",
        ["enter", "X"],
    ),
    "unpaid": (
        shop(intents=(intent(state=IntentState.AWAITING_PAYMENT),), plans=(), plates=()),
        "waiting",
        "PAYMENT",
        "unpaid",
        "Waits for payment; it can be reviewed once it is paid.",
        ["enter", "X"],
    ),
}


@pytest.mark.parametrize("case", CALM)
def test_the_other_sections(case: str) -> None:
    inputs, section, tag, brief, sentence, pressed = CALM[case]
    card = only(inputs)
    assert (card.section, card.tag, card.brief, card.sentence) == (section, tag, brief, sentence)
    assert [key for key, _ in keys(card)] == pressed


@pytest.mark.parametrize(
    "inputs",
    [
        shop(**EMPTY),
        shop(**EMPTY, live={"p1": OFF}),
        shop(**EMPTY, printers=(printer(health=Health.OUT_OF_SERVICE),)),
        shop(**EMPTY, drops=(drop("accepted"),)),
        shop(**EMPTY, drops=(drop("dismissed"),)),
        shop(intents=(intent(state=IntentState.CANCELED),)),
        with_run(
            run(state=RunState.COMPLETED, outcomes=make.outcomes(ItemResult.FAILED)),
            intents=(intent(state=IntentState.CANCELED),),
        ),
    ],
    ids=[
        "empty",
        "off without work",
        "out of service",
        "accepted",
        "dismissed",
        "canceled",
        "canceled after a print",
    ],
)
def test_nothing_to_say(inputs: ShopInputs) -> None:
    assert cards(inputs) == ()
