"""The approval sheet: pins, risk, estimate, questions, and why not."""

import pytest

from core.client.views import ApprovalSheet, Missing, Pin
from core.domain.findings import Finding
from core.domain.objects import GateSummary, Intent, Plan, PreflightSummary
from core.domain.words import IntentState, PlanState, QualityTier, RiskLevel, Verdict
from core.views.approval import approval_sheet
from tests.pure import views_shop as make

MATERIALS = ("PETG", "PLA")
MODELS = {"mk4": "Prusa MK4", "mini": "Prusa MINI"}
ORDER = make.intent(items=(make.line(quantity=4, color="black"),))
DRAFT = make.plan(state=PlanState.DRAFT)
READY = make.plan(
    state=PlanState.DRAFT,
    kind="gcode",
    mesh=None,
    gcode=make.ref("bracket.gcode", "12" * 32),
    profile_ref=None,
    profile_checksum=None,
    slicer=None,
    preflight=None,
    gate=GateSummary(verdict=Verdict.PASS, time_s=6720, mass_mg=18_200, slicer="PrusaSlicer 2.7"),
)


def sheet(order: Intent = ORDER, *plans: Plan, **more: str) -> ApprovalSheet:
    return approval_sheet(order, plans or (DRAFT,), materials=MATERIALS, model_names=MODELS, **more)


def test_a_whole_sheet() -> None:
    made = sheet()
    assert made.title == "Order 1041 · bracket ×4"
    assert made.lines == ("bracket ×4 · PETG · black · standard · 80.0 × 40.0 × 12.5 mm",)
    assert made.pins == (
        Pin(what="slicer", value="PrusaSlicer 2.5.0 (efefefefefef)", why="this very program"),
        Pin(
            what="profile",
            value="petg_standard_mk4@1.0.0 (cdcdcdcdcdcd)",
            why="by material, quality and printer class; this version, never the latest",
        ),
        Pin(what="input", value="abababababab", why="the content of the file"),
        Pin(what="material", value="PETG", why="as ordered"),
        Pin(what="quality", value="standard", why="as ordered"),
        Pin(what="printer class", value="Prusa MK4", why="any printer of this kind"),
    )
    assert made.risk == "Low risk"
    assert made.estimate == "material: 68–78 g in all · time: known after slicing"
    assert (made.missing, made.can_approve, made.problem) == ((), True, "")


def test_ready_gcode_is_pinned_as_it_is() -> None:
    made = sheet(make.intent(items=(make.line(material=None, tier=None),)), READY)
    assert made.lines == ("bracket ×1 · ready G-code",)
    assert [(p.what, p.value) for p in made.pins] == [
        ("recipe", "ready G-code"),
        ("input", "121212121212"),
        ("printer class", "Prusa MK4"),
    ]
    assert made.estimate == "material: 18 g in all · time: 1 h 52 min, by the slicer"
    assert made.can_approve


def test_gcode_without_figures_claims_none() -> None:
    bare = make.plan(
        state=PlanState.DRAFT, kind="gcode", gcode=make.ref(), gate=GateSummary(verdict=Verdict.PASS)
    )
    assert sheet(ORDER, bare).estimate == "material: not stated in the file · time: not stated in the file"


def test_what_nobody_said_is_asked() -> None:
    made = sheet(make.intent(items=(make.line(material=None, tier=None),)), DRAFT)
    assert made.missing == (
        Missing(
            item_id="item_1",
            item_name="bracket",
            field="material",
            question="Which material?",
            choices=MATERIALS,
        ),
        Missing(
            item_id="item_1",
            item_name="bracket",
            field="tier",
            question="Which quality?",
            choices=("draft", "standard", "fine", "functional"),
        ),
    )
    assert made.lines[0].startswith("bracket ×1 · material: not stated · quality: not stated")
    assert not made.can_approve
    assert made.problem == "Answer first: bracket, material; bracket, tier."


def test_gcode_for_an_unknown_printer_is_asked_about() -> None:
    made = sheet(ORDER, make.plan(state=PlanState.DRAFT, kind="gcode", model_id=None, fits_models=()))
    assert [(m.field, m.choices) for m in made.missing] == [("model_id", ("mini", "mk4"))]


def test_risk_and_findings_with_the_worst_first() -> None:
    note = Finding(code="X", severity=Verdict.PASS, what="Fine", why="", fix="")
    risky = make.plan(
        state=PlanState.DRAFT,
        risk_level=RiskLevel.HIGH,
        risk_factors=("THIN_WALL", "NOT_WATERTIGHT"),
        preflight=PreflightSummary(verdict=Verdict.WARN, findings=(note, make.FINDING)),
    )
    made = sheet(ORDER, risky, policy=("preflight is WARN",))
    assert made.risk == "High risk — Thin walls · Mesh not watertight"
    assert made.findings == (make.FINDING, note)
    assert made.policy == ("Preflight is WARN.",)
    assert made.estimate == "material: known after slicing · time: known after slicing"
    unsaid = make.intent(items=(make.line(material=None),))
    assert sheet(unsaid, risky).estimate.startswith("material: not known before a material is chosen")


def test_two_items_name_theirs() -> None:
    order = make.intent(items=(make.line("1", name="lid"), make.line("2", name="box", tier=QualityTier.FINE)))
    made = sheet(order, DRAFT, make.plan("2", intent_id="int_1", state=PlanState.DRAFT))
    assert made.title == "Order 1041 · lid +1"
    assert made.pins[0].what == "lid: slicer"
    assert made.pins[6].what == "box: slicer"


BAD = Finding(code="TOO_BIG", severity=Verdict.FAIL, what="Too big", why="", fix="Cut it in two")


@pytest.mark.parametrize(
    ("order", "plan", "problem"),
    [
        (make.intent(state=IntentState.CANCELED), DRAFT, "This order is canceled."),
        (ORDER, make.plan(), "It is approved already."),
        (ORDER, make.plan(state=PlanState.VOID), "This order has no Build Plan."),
        (
            ORDER,
            make.plan(
                state=PlanState.DRAFT, preflight=PreflightSummary(verdict=Verdict.FAIL, findings=(BAD,))
            ),
            "Too big. Cut it in two.",
        ),
        (ORDER, make.plan(state=PlanState.DRAFT, problem="no profile fits"), "No profile fits."),
        (
            ORDER,
            make.plan(state=PlanState.DRAFT, model_id=None),
            "Kiln is still preparing what would be pinned; this takes a moment.",
        ),
    ],
)
def test_why_it_cannot_be_approved(order: Intent, plan: Plan, problem: str) -> None:
    made = sheet(order, plan)
    assert (made.can_approve, made.problem) == (False, problem)


def test_without_a_slicer_it_says_so() -> None:
    made = sheet(ORDER, make.plan(state=PlanState.DRAFT, model_id=None), slicer_problem="no slicer was found")
    assert made.problem == "No slicer was found."
