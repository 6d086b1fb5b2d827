"""Canned shops for the screens: empty, six printers with every kind of card, and a farm of two hundred."""

from core.client.views import (
    Action,
    OrderRow,
    PrinterRow,
    Shop,
    SliceProgress,
)
from core.contract import Observation, Phase
from core.domain import commands as c
from core.domain.objects import (
    Intent,
    LineItem,
    Printer,
    Run,
)
from core.domain.words import (
    Bed,
    Health,
    IntentState,
    QualityTier,
    RunState,
)
from tests.screens.canned_base import (
    CAPABILITY,
    INBOX,
    NOW,
    finish_of,
    item,
    printer,
    printing,
    run,
    run_actions,
    seen,
    standing,
)
from tests.screens.canned_cards import card, every_card
from tests.screens.canned_events import events
from tests.screens.canned_whole import approval, order_detail, outcome_sheet, plan

__all__ = [
    "NOW",
    "approval",
    "empty",
    "events",
    "every_card",
    "farm",
    "full",
    "order_detail",
    "orders",
    "outcome_sheet",
    "plan",
    "six_printers",
]


def six_printers() -> tuple[PrinterRow, ...]:
    run2, run3 = run("r2", RunState.PRINTING, "mk4-2"), run("r3", RunState.PRINTING, "mk4-3")
    paused = run("r1", RunState.PAUSED, "mk4-1", reason="filament_runout")
    lost = run("r5", RunState.PRINTING, "voron-2")

    def row(
        p: Printer,
        model: str,
        live: Observation | None,
        age: float | None,
        r: Run | None = None,
        title: str = "",
        block: str = "",
        actions: tuple[Action, ...] = (),
    ) -> PrinterRow:
        return PrinterRow(
            printer=p,
            model_name=model,
            capability=CAPABILITY,
            live=live,
            age_s=age,
            run=r,
            run_title=title,
            block=block,
            actions=(*actions, *standing(p.name)),
            finish_at=finish_of(live),
        )

    clear = (Action(key="c", label="Bed is clear", command=c.ClearBed(printer_id="mk4-4")),)
    return (
        row(
            printer("mk4-1", material="PLA", color="white"),
            "Prusa MK4",
            seen(
                Phase.PAUSED,
                done=0.31,
                left=7_300,
                hot=181,
                target=215,
                bed=60,
                bed_target=60,
                layer=66,
                messages=("Filament runout detected",),
            ),
            1.2,
            paused,
            "hook ×12",
            actions=run_actions("r1", paused=True),
        ),
        row(
            printer("mk4-2"),
            "Prusa MK4",
            printing(0.63, 4_350),
            0.8,
            run2,
            "clip ×24",
            actions=run_actions("r2"),
        ),
        row(
            printer("mk4-3"),
            "Prusa MK4",
            printing(0.44, 7_100),
            0.9,
            run3,
            "clip ×24",
            actions=run_actions("r3"),
        ),
        row(
            printer("mk4-4", color="orange"),
            "Prusa MK4",
            seen(Phase.FINISHED, hot=61, bed=38),
            1.1,
            None,
            "",
            "the plate of knob ×9 is still on it",
            clear,
        ),
        row(
            printer("voron-2", material="ABS", model_id="voron_24_300"),
            "Voron 2.4 300",
            seen(Phase.IDLE, hot=188, bed=96),
            372.0,
            lost,
            "bracket ×4",
            actions=run_actions("r5"),
        ),
        row(
            printer(
                "x1c-3",
                bed=Bed.CLEAR,
                material="PA-CF",
                model_id="bambu_x1c",
                health=Health.DEGRADED,
                health_reason="3 failures in 6 h: first_layer, first_layer, clog",
            ),
            "Bambu Lab X1 Carbon",
            seen(Phase.IDLE),
            0.4,
            None,
            "",
            "degraded: 3 failures in 6 h; acknowledge it to go on",
            (Action(key="A", label="Acknowledge", command=c.AcknowledgePrinter(printer_id="x1c-3")),),
        ),
    )


def orders() -> tuple[OrderRow, ...]:
    def order(
        number: int,
        title: str,
        stage: str,
        *,
        due: int | None,
        promised: int,
        good: int = 0,
        going: int = 0,
        block: str = "",
        items: tuple[LineItem, ...] = (),
        actions: tuple[Action, ...] = (),
        state: IntentState = IntentState.CREATED,
    ) -> OrderRow:
        return OrderRow(
            intent=Intent(
                intent_id=f"i{number}",
                version=4,
                number=number,
                state=state,
                created_at=NOW - 86_400,
                source="hot_folder",
                customer_ref="Ada Lindqvist" if number % 2 else "",
                due_at=due,
                items=items,
            ),
            stage=stage,
            block=block,
            title=title,
            promised=promised,
            good=good,
            in_progress=going,
            to_make=promised - good - going,
            actions=actions,
        )

    cancel = Action(key="X", label="Cancel Order", opens="cancel_order", note="asks for the reason")
    return (
        order(
            1039,
            "gear ×1",
            "queue",
            due=NOW + 2_280,
            promised=1,
            going=1,
            block="x1c-3 is degraded",
            items=(item("g1", "gear", 1, material="PA-CF", tier=QualityTier.FUNCTIONAL),),
            actions=(cancel,),
        ),
        order(
            1042,
            "bracket ×4, hook ×12",
            "printing",
            due=NOW + 20_000,
            promised=16,
            good=2,
            going=14,
            items=(
                item("b1", "bracket", 4, material="ABS"),
                item("h1", "hook", 12, material="PLA", color="white"),
            ),
            actions=(cancel,),
        ),
        order(
            1043,
            "clip ×48",
            "printing",
            due=NOW + 90_000,
            promised=48,
            going=48,
            items=(item("c1", "clip", 48),),
            actions=(cancel,),
        ),
        order(
            1044,
            "lamp-shade",
            "review",
            due=None,
            promised=1,
            block="waits for your approval",
            items=(item("l1", "lamp-shade", 1, tier=None, material=None),),
            actions=(
                Action(key="a", label="Approve", opens="approve", command=c.ApproveOrder(intent_id="i1044")),
                cancel,
            ),
        ),
        order(
            1041,
            "knob ×9",
            "QA",
            due=NOW + 7_000,
            promised=9,
            good=0,
            going=9,
            items=(item("k1", "knob", 9),),
            actions=(cancel,),
        ),
        order(
            1038,
            "spacer ×100",
            "closed",
            due=NOW - 90_000,
            promised=100,
            good=100,
            items=(item("s1", "spacer", 100),),
            state=IntentState.FULFILLED,
        ),
    )


def empty(*, printers: bool = False) -> Shop:
    return Shop(
        revision=1,
        wall=NOW,
        site="workshop",
        inbox=INBOX,
        cards=(),
        orders=(),
        printers=six_printers()[1:2] if printers else (),
        slicer="PrusaSlicer 2.9.2",
    )


def full() -> Shop:
    return Shop(
        revision=7,
        wall=NOW,
        site="workshop",
        inbox=INBOX,
        cards=every_card(),
        printers=six_printers(),
        orders=orders(),
        slicer="PrusaSlicer 2.9.2",
        slicing=(SliceProgress(plate_id="p119", percent=40, text="Generating perimeters", seconds=14),),
    )


def farm(count: int = 200, tick: int = 0) -> Shop:
    """Two hundred printers, three quarters of them printing; `tick` moves telemetry by a quarter second."""
    rows, cards = [], []
    seconds = tick / 4
    for index in range(count):
        name = f"farm-{index:03d}"
        if index % 4 == 3:
            live, r, title = seen(Phase.IDLE, hot=25 + index % 3, bed=24), None, ""
        else:
            length = 3_600 + 60 * (index % 60)
            done = ((seconds + index * 37) % length) / length
            wobble = ((tick * 7 + index * 13) % 10) / 10
            live = seen(
                Phase.PRINTING,
                done=done,
                left=length * (1 - done),
                hot=239.5 + wobble,
                target=240,
                bed=84.6 + wobble,
                bed_target=85,
                layer=int(done * 200) or 1,
            )
            r, title = run(f"r{index}", RunState.PRINTING, name), f"clip ×{index % 30 + 1}"
            cards.append(
                card(
                    f"run:r{index}",
                    "running",
                    "info",
                    "PRINTING",
                    name,
                    title,
                    "",
                    f"Print Attempt 1 of Order {2000 + index}",
                    "Printing.",
                    actions=run_actions(f"r{index}"),
                    progress=done,
                    remaining_s=int(length * (1 - done)),
                    finish_at=NOW + int(length * (1 - done)),
                    subject_kind="run",
                    subject_id=f"r{index}",
                )
            )
        rows.append(
            PrinterRow(
                printer=printer(name, bed=Bed.CLEAR if r is None else Bed.OCCUPIED),
                model_name="Prusa MK4",
                capability=CAPABILITY,
                live=live,
                age_s=0.5,
                run=r,
                run_title=title,
                actions=(*(run_actions(f"r{index}") if r else ()), *standing(name)),
                finish_at=finish_of(live),
            )
        )
    return Shop(
        revision=tick + 1,
        wall=NOW + seconds,
        site="farm",
        inbox=INBOX,
        cards=tuple(cards),
        printers=tuple(rows),
        orders=(),
        slicer="PrusaSlicer 2.9.2",
    )
