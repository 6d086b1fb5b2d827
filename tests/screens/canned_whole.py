"""One Order, one Build Plan, one sheet, and a log, whole."""

from core.client.views import (
    ApprovalSheet,
    ItemDetail,
    Missing,
    OrderDetail,
    OrderRow,
    OutcomeSheet,
    Pin,
)
from core.domain.findings import Finding
from core.domain.objects import (
    Drop,
    Evidence,
    GateSummary,
    LineItem,
    Plan,
    Plate,
    PlateItem,
    PreflightSummary,
    SlicerPin,
)
from core.domain.words import (
    PlanState,
    PlateState,
    RiskLevel,
    RunState,
    Verdict,
)
from tests.screens.canned_base import NOW, art, run
from tests.screens.canned_events import events

# --- one thing, whole --------------------------------------------------------------------------------------

THIN = Finding(
    code="THIN_WALL",
    severity=Verdict.WARN,
    what="Walls of 0.38 mm at the rim.",
    why="Thinner than one extrusion line of a 0.4 mm nozzle: the slicer leaves them out.",
    fix="Thicken the rim to 0.8 mm, or print with a 0.25 mm nozzle.",
    kiln_can="Turn on thin-wall detection for this plan.",
    where="x 12.0 y 3.1 z 44.2 mm",
)
OVERHANG = Finding(
    code="HIGH_OVERHANG",
    severity=Verdict.WARN,
    what="11 % of the surface hangs over by more than 55°.",
    why="It droops without supports.",
    fix="Turn the part, or allow supports.",
)
PIN = SlicerPin(name="PrusaSlicer", version="2.9.2", digest="sha256:4f0c9b")


def plan(intent_id: str, line: LineItem, state: PlanState = PlanState.APPROVED, **more: object) -> Plan:
    values: dict[str, object] = {
        "plan_id": f"plan-{line.item_id}",
        "version": 3,
        "intent_id": intent_id,
        "item_id": line.item_id,
        "revision": 1,
        "state": state,
        "kind": "model",
        "mesh": art(line.name),
        "model_id": "prusa_mk4",
        "fits_models": ("prusa_mk4", "voron_24_300"),
        "profile_ref": "PETG_0.4_Standard@1.8.3",
        "profile_checksum": "c1d2e3f4",
        "slicer": PIN,
        "preflight": PreflightSummary(
            verdict=Verdict.PASS,
            size_um=(42_000, 18_500, 9_000),
            volume_mm3=6_120,
            triangles=1_844,
            mass_low_mg=6_900,
            mass_high_mg=8_200,
        ),
        "approved_by": "ada" if state is PlanState.APPROVED else None,
    }
    return Plan(**{**values, **more})  # type: ignore[arg-type]  # as above


def order_detail(row: OrderRow) -> OrderDetail:
    draft = any(action.opens == "approve" for action in row.actions)
    state = PlanState.DRAFT if draft else PlanState.APPROVED
    items = tuple(
        ItemDetail(
            item=line,
            models=("Prusa MK4",),
            plan=plan(
                row.intent.intent_id,
                line,
                state,
                **(
                    {
                        "profile_ref": None,
                        "slicer": None,
                        "risk_level": RiskLevel.MEDIUM,
                        "risk_factors": ("THIN_WALL", "HIGH_OVERHANG"),
                        "preflight": PreflightSummary(
                            verdict=Verdict.WARN,
                            findings=(THIN, OVERHANG),
                            size_um=(120_000, 120_000, 95_000),
                            volume_mm3=88_000,
                            triangles=40_112,
                            mass_low_mg=92_000,
                            mass_high_mg=118_000,
                        ),
                    }
                    if draft
                    else {
                        "gate": GateSummary(
                            verdict=Verdict.PASS,
                            max_hotend=240,
                            max_bed=85,
                            time_s=6_700,
                            filament_mm=12_400,
                            mass_mg=38_000,
                            layers=212,
                            printer_model="Prusa MK4",
                            slicer="PrusaSlicer 2.9.2",
                        )
                    }
                ),
            ),
            good=row.good if index == 0 else 0,
            in_progress=row.in_progress if index == 0 else 0,
            to_make=row.to_make if index == 0 else line.quantity,
            missing=("material", "tier") if line.material is None else (),
        )
        for index, line in enumerate(row.intent.items)
    )
    runs = (
        ()
        if draft
        else (
            run("r5", RunState.PRINTING, "voron-2"),
            run("r6", RunState.FAILED, "mk4-2", number=1, reason="first_layer", ended_at=NOW - 7_000),
        )
    )
    return OrderDetail(
        row=row,
        items=items,
        plates=(),
        runs=runs,
        timeline=events()[4:],
        drop=Drop(
            drop_id="d1", version=1, name="bracket_x4_ABS.stl", state="accepted", dropped_at=NOW - 9_400
        ),
    )


def approval(answered: dict[str, object]) -> ApprovalSheet:
    missing = tuple(
        question
        for question in (
            Missing(
                item_id="l1",
                item_name="lamp-shade",
                field="material",
                question="Which material?",
                choices=("PLA", "PETG", "ABS", "ASA"),
            ),
            Missing(
                item_id="l1",
                item_name="lamp-shade",
                field="tier",
                question="Which quality?",
                choices=("draft", "standard", "fine", "functional"),
            ),
        )
        if question.field not in answered
    )
    return ApprovalSheet(
        intent_id="i1044",
        title="Order 1044 · lamp-shade",
        lines=("1 part, no due date, from lampshade.stl",),
        pins=(
            Pin(what="Part", value="lamp-shade.stl, 120.0 × 120.0 × 95.0 mm", why="content 9f9f9f9f"),
            Pin(what="Printer class", value="Prusa MK4 (4 here)", why="the smallest bed that it fits"),
            Pin(
                what="Material",
                value=str(answered.get("material", "?")),
                why="asked below" if missing else "as you said",
            ),
            Pin(
                what="Profile",
                value="PETG_0.4_Standard@1.8.3",
                why="default of material, quality and printer class",
            ),
            Pin(what="Slicer", value="PrusaSlicer 2.9.2", why="sha256:4f0c9b"),
        ),
        risk="MEDIUM: Thin walls, High overhangs",
        findings=(THIN, OVERHANG),
        estimate="5h40, 105 g (92 to 118 g before slicing)",
        missing=missing,
        policy=("Risk is MEDIUM and policy asks for approval from MEDIUM on.",),
        can_approve=not missing,
        problem="2 questions are open." if missing else "",
    )


def outcome_sheet(run_id: str, count: int = 9, *, state: RunState = RunState.COMPLETED) -> OutcomeSheet:
    names = tuple(
        PlateItem(
            item_id=f"{run_id}-{n}",
            line_item_id="k1",
            plan_id="plan-k1",
            plan_revision=1,
            intent_id="i1041",
            instance=n,
            name="knob",
        )
        for n in range(1, count + 1)
    )
    return OutcomeSheet(
        run=run(
            run_id,
            state,
            "mk4-4",
            ended_at=NOW - 1_260,
            reason="" if state is RunState.COMPLETED else "spaghetti",
            evidence=(Evidence(at=NOW - 1_260, text="printer says: finished after 2h11"),),
        ),
        plate=Plate(plate_id="p116", version=2, number=116, state=PlateState.APPROVED, items=names),
        printer_name="mk4-4",
        title=f"mk4-4 · knob ×{count}" if count > 1 else "mk4-4 · knob",
        suggestion="The printer finished it. It used 64 g. All good?"
        if state is RunState.COMPLETED
        else "It failed: spaghetti. Look which parts are whole.",
    )
