"""Rows of Orders and printers, an Order whole, and the sheet at the end of an attempt."""

import pytest

from core.client.views import OrderRow, PrinterRow, SliceProgress
from core.contract import Link, Phase, PrinterJob
from core.domain.objects import Outcome, SliceStatus
from core.domain.words import CancelReason, Health, IntentState, ItemResult, PlanState, RunState
from core.views.inputs import ShopInputs
from core.views.orders import order_detail, order_rows
from core.views.outcome import outcome_sheet
from core.views.printers import printer_rows
from tests.pure import views_shop as make
from tests.pure.views_shop import NOW, intent, line, plan, plate, printer, printing, run, seen, shop, with_run

OFF = seen(Phase.OFFLINE, link=Link.OFFLINE)


def order(inputs: ShopInputs) -> OrderRow:
    (row,) = order_rows(inputs)
    return row


STAGES: dict[str, tuple[ShopInputs, str, str, str]] = {
    "draft": (
        shop(plans=(plan(state=PlanState.DRAFT),), plates=()),
        "review",
        "Waits for approval",
        "Review & approve",
    ),
    "question": (
        shop(
            intents=(intent(items=(line(material=None),)),), plans=(plan(state=PlanState.DRAFT),), plates=()
        ),
        "review",
        "bracket: Which material?",
        "Review & approve",
    ),
    "approved": (shop(plates=()), "slice", "Its parts are being put together", "Open order"),
    "slicing": (
        shop(
            plates=(plate(gcode=None),),
            slicing=(SliceProgress(plate_id="plate_1", percent=37, text="", seconds=4),),
        ),
        "slice",
        "37 % sliced",
        "Open order",
    ),
    "slice failed": (
        shop(plates=(plate(gcode=None, slice=SliceStatus(state="failed", code="TIMEOUT")),)),
        "needs human",
        "Slicing took longer than the time limit and was stopped.",
        "Retry",
    ),
    "ready": (shop(plates=(plate(dispatch=False),)), "queue", "Nothing is queued yet", "Print"),
    "queued": (with_run(run(), seen(Phase.IDLE)), "queue", "mk4-1 when its bed is clear", "Open order"),
    "queued, printer off": (with_run(run(), OFF), "queue", "mk4-1: No answer", "Open order"),
    "uploading": (with_run(run(state=RunState.CLAIMED)), "printing", "Uploading on mk4-1", "Open order"),
    "printing": (with_run(run(state=RunState.PRINTING)), "printing", "", "Open order"),
    "paused": (with_run(run(state=RunState.PAUSED)), "needs human", "Paused on mk4-1", "Resume"),
    "undecided": (
        with_run(run(state=RunState.NEEDS_DECISION)),
        "needs human",
        "Nobody knows what mk4-1 did",
        "Open order",
    ),
    "done": (
        with_run(run(state=RunState.COMPLETED)),
        "QA",
        "bracket on mk4-1: say what came out",
        "What happened on the plate?",
    ),
    "failed": (
        with_run(run(state=RunState.COMPLETED, outcomes=make.outcomes(ItemResult.FAILED, reason="warping"))),
        "reprint",
        "1 part failed: warping",
        "Reprint failed",
    ),
    "good": (
        with_run(run(state=RunState.COMPLETED, outcomes=make.outcomes(ItemResult.SUCCESS))),
        "made",
        "All parts are good; close the order",
        "Close order",
    ),
    "unpaid": (
        shop(intents=(intent(state=IntentState.AWAITING_PAYMENT),), plans=(), plates=()),
        "payment",
        "Not paid yet",
        "Open order",
    ),
    "closed": (shop(intents=(intent(state=IntentState.FULFILLED),)), "closed", "", "Open order"),
    "canceled": (
        with_run(
            run(state=RunState.PRINTING),
            intents=(intent(state=IntentState.CANCELED, cancel_reason=CancelReason.CUSTOMER_REQUEST),),
        ),
        "canceled",
        "Customer request; 1 attempt still on a printer",
        "Open order",
    ),
}


@pytest.mark.parametrize("case", STAGES)
def test_stage_and_reason(case: str) -> None:
    inputs, stage, block, primary = STAGES[case]
    row = order(inputs)
    assert (row.stage, row.block, row.actions[0].label) == (stage, block, primary)
    assert [a.key for a in row.actions] == (["enter", "X"] if row.intent.open else ["enter"])


def test_parts_are_counted_from_outcomes() -> None:
    said = (
        Outcome(item_id="part_1_1", result=ItemResult.SUCCESS),
        Outcome(item_id="part_1_2", result=ItemResult.FAILED),
    )
    first = run(state=RunState.COMPLETED, outcomes=said, reprinted_by="plate_2")
    second = run("2", RunState.PRINTING, plate_id="plate_2", intent_ids=("int_1",), printer_id="p2")
    again = plate("2", items=(make.part("1", 3, source_item="part_1_2"),))
    inputs = shop(
        intents=(intent(items=(line(quantity=3),)),), plates=(plate(number=2), again), runs=(first, second)
    )
    row = order(inputs)
    assert (row.promised, row.good, row.in_progress, row.to_make) == (3, 1, 1, 1)
    assert (row.stage, row.title) == ("printing", "Order 1041 · bracket ×3")


def test_one_part_too_many_does_not_make_up_for_another() -> None:
    spare = run(state=RunState.COMPLETED, outcomes=make.outcomes(ItemResult.SUCCESS, ItemResult.SUCCESS))
    two_kinds = intent(items=(line("1"), line("2", name="lid")))
    row = order(shop(intents=(two_kinds,), plates=(plate(number=2),), runs=(spare,)))
    assert (row.promised, row.good, row.in_progress, row.to_make) == (2, 1, 0, 1)


def test_open_orders_come_first_by_due_time() -> None:
    closed = intent("9", state=IntentState.FULFILLED)
    rows = order_rows(shop(intents=(closed, intent("1"), intent("2", due_at=NOW + 60)), plans=(), plates=()))
    assert [row.intent.number for row in rows] == [1042, 1041, 1049]


def test_an_order_whole() -> None:
    detail = order_detail(with_run(run(state=RunState.PRINTING), printing()), "int_1")
    assert detail is not None
    (item,) = detail.items
    assert item.models == ("Prusa MK4",)
    assert (item.item.name, item.good, item.in_progress, item.to_make, item.missing) == (
        "bracket",
        0,
        1,
        0,
        (),
    )
    assert item.plan == plan()
    assert [r.run_id for r in detail.runs] == ["run_1"]
    assert order_detail(shop(), "int_9") is None


def test_an_order_names_what_is_missing() -> None:
    inputs = shop(
        intents=(intent(items=(line(tier=None),)),), plans=(plan(state=PlanState.DRAFT),), plates=()
    )
    detail = order_detail(inputs, "int_1")
    assert detail is not None
    assert detail.items[0].missing == ("tier",)


def row_of(inputs: ShopInputs) -> PrinterRow:
    (row,) = printer_rows(inputs)
    return row


def keys(row: PrinterRow) -> str:
    return " ".join(f"{a.key}:{a.label}" for a in row.actions)


IDLE = {"intents": (), "plans": (), "plates": ()}
PRINTERS: dict[str, tuple[ShopInputs, str, str]] = {
    "bed": (
        shop(**IDLE),
        "Bed not confirmed clear",
        "enter:Bed is clear L:Load material O:Out of service g:Refresh state",
    ),
    "free": (
        shop(**IDLE, printers=(printer(permit=make.permit()),)),
        "",
        "enter:Show printer L:Load material O:Out of service g:Refresh state",
    ),
    "free, empty": (
        shop(**IDLE, printers=(printer(permit=make.permit(), material=None),)),
        "",
        "enter:Load material O:Out of service g:Refresh state",
    ),
    "printing": (
        with_run(run(state=RunState.PRINTING), printing()),
        "Printing bracket",
        "enter:Show printer p:Pause x:Abort L:Load material O:Out of service g:Refresh state",
    ),
    "paused": (
        with_run(run(state=RunState.PAUSED), seen(Phase.PAUSED)),
        "Paused bracket",
        "enter:Resume x:Abort L:Load material O:Out of service g:Refresh state",
    ),
    "undecided": (
        with_run(run(state=RunState.NEEDS_DECISION), seen(Phase.IDLE)),
        "Needs decision bracket",
        "enter:Refresh state a:Adopt printer state K:Keep Kiln state n:It never ran i:It ran "
        "L:Load material O:Out of service",
    ),
    "uploaded": (
        with_run(run(state=RunState.UPLOADED), seen(Phase.IDLE)),
        "Uploaded bracket",
        "enter:Bed is clear x:Abort L:Load material O:Out of service g:Refresh state",
    ),
    "ended": (
        with_run(run(state=RunState.COMPLETED), seen(Phase.FINISHED)),
        "Its bed still holds bracket",
        "enter:What happened on the plate? c:Bed is clear L:Load material O:Out of service g:Refresh state",
    ),
    "degraded": (
        shop(**IDLE, printers=(printer(health=Health.DEGRADED, health_reason="thermal"),)),
        "Degraded: Thermal",
        "enter:Acknowledge c:Bed is clear L:Load material O:Out of service g:Refresh state",
    ),
    "out of service": (
        shop(**IDLE, printers=(printer(health=Health.OUT_OF_SERVICE, health_reason="new nozzle"),)),
        "Out of service: new nozzle",
        "enter:Put back in service c:Bed is clear L:Load material g:Refresh state",
    ),
    "off": (
        shop(**IDLE, live={"p1": OFF}, heard={"p1": seen(Phase.IDLE, ago=361)}),
        "No answer for 6 min",
        "enter:Refresh state c:Bed is clear L:Load material O:Out of service",
    ),
    "never looked at": (
        shop(**IDLE, live={}),
        "Not looked at yet",
        "enter:Refresh state c:Bed is clear L:Load material O:Out of service",
    ),
    "foreign": (
        shop(**IDLE, live={"p1": seen(Phase.PRINTING, job=PrinterJob(remote_file="benchy.gcode"))}),
        "Busy with a printer job that Kiln did not start: benchy.gcode",
        "enter:Refresh state c:Bed is clear L:Load material O:Out of service",
    ),
}


@pytest.mark.parametrize("case", PRINTERS)
def test_printers(case: str) -> None:
    inputs, block, actions = PRINTERS[case]
    row = row_of(inputs)
    assert (row.block, keys(row)) == (block, actions)


def test_a_printer_row_carries_its_look() -> None:
    row = row_of(
        with_run(run(state=RunState.CLAIMED), seen(Phase.IDLE, ago=3), uploads={"run_1": 0.4}, number=4)
    )
    assert (row.model_name, row.age_s, row.run_title, row.upload) == ("Prusa MK4", 3.0, "bracket ×4", 0.4)


@pytest.mark.parametrize(
    ("ended", "number", "said"),
    [
        (run(state=RunState.COMPLETED), 4, "The printer finished it. All good?"),
        (run(state=RunState.COMPLETED, used_mg=18_200), 1, "The printer finished it. It used 18 g. Good?"),
        (
            run(state=RunState.ABORTED, reason="operator_abort"),
            1,
            "It was stopped by hand. Look whether any part was finished before that.",
        ),
        (
            run(state=RunState.FAILED, reason="power_loss", reason_text="the printer restarted"),
            1,
            "It failed: Power loss — The printer restarted. "
            "Look where the print stopped; parts are rarely whole after a power cut.",
        ),
        (
            run(state=RunState.FAILED, reason="unknown"),
            1,
            "It failed, and nobody knows why. Look where the print stopped and what the printer's own screen says.",
        ),
    ],
)
def test_what_happened_on_the_plate(ended: object, number: int, said: str) -> None:
    sheet = outcome_sheet(ended, plate(number=number), "mk4-1")  # type: ignore[arg-type]  # a Run, by parametrize
    assert sheet.suggestion == said
    assert sheet.title == ("mk4-1 · bracket ×4" if number == 4 else "mk4-1 · bracket")
