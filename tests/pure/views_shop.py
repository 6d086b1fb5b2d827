"""A small shop for the tests of the views: one builder per object, with plain defaults."""

from typing import Any

from core.contract import BootSignature, Capability, Link, Observation, Phase, PrinterJob
from core.domain.findings import Finding
from core.domain.objects import (
    ArtifactRef,
    Drop,
    Evidence,
    GateSummary,
    Intent,
    LineItem,
    Outcome,
    Permit,
    Plan,
    Plate,
    PlateItem,
    PreflightSummary,
    Printer,
    Run,
    SlicerPin,
    SliceStatus,
)
from core.domain.words import (
    Bed,
    Health,
    IntentState,
    ItemResult,
    PlanState,
    PlateState,
    QualityTier,
    RunState,
    Verdict,
)
from core.views.inputs import ShopInputs

NOW = 1_800_000_000
MONO = 5_000.0
REMOTE = "k_1_1_abcd.gcode"

FINDING = Finding(
    code="NOT_WATERTIGHT",
    severity=Verdict.WARN,
    what="The mesh has 3 open edges",
    why="The slicer may guess where the inside is.",
    fix="Repair it in the design program.",
)


def ref(name: str = "bracket.stl", sha: str = "ab" * 32) -> ArtifactRef:
    return ArtifactRef(sha256=sha, size=1234, mime="model/stl", name=name)


def line(key: str = "1", **more: Any) -> LineItem:
    fields: dict[str, Any] = {
        "name": "bracket",
        "part": ref(),
        "material": "PETG",
        "tier": QualityTier.STANDARD,
    }
    return LineItem(item_id=f"item_{key}", **{**fields, **more})


def intent(key: str = "1", **more: Any) -> Intent:
    fields: dict[str, Any] = {
        "version": 1,
        "number": 1040 + int(key),
        "state": IntentState.CREATED,
        "created_at": NOW - 3600,
        "source": "hot_folder",
        "items": (line(key),),
    }
    return Intent(intent_id=f"int_{key}", **{**fields, **more})


def plan(key: str = "1", **more: Any) -> Plan:
    fields: dict[str, Any] = {
        "version": 1,
        "intent_id": f"int_{key}",
        "item_id": f"item_{key}",
        "revision": 1,
        "state": PlanState.APPROVED,
        "kind": "model",
        "mesh": ref(),
        "model_id": "mk4",
        "fits_models": ("mk4",),
        "profile_ref": "petg_standard_mk4@1.0.0",
        "profile_checksum": "cd" * 32,
        "slicer": SlicerPin(name="PrusaSlicer", version="2.5.0", digest="ef" * 32),
        "preflight": PreflightSummary(
            verdict=Verdict.PASS, size_um=(80_000, 40_000, 12_500), mass_low_mg=17_000, mass_high_mg=19_500
        ),
    }
    return Plan(plan_id=f"plan_{key}", **{**fields, **more})


def part(key: str = "1", instance: int = 1, **more: Any) -> PlateItem:
    fields: dict[str, Any] = {
        "line_item_id": f"item_{key}",
        "plan_id": f"plan_{key}",
        "plan_revision": 1,
        "intent_id": f"int_{key}",
        "instance": instance,
        "name": "bracket",
    }
    return PlateItem(item_id=f"part_{key}_{instance}", **{**fields, **more})


def plate(key: str = "1", number: int = 1, **more: Any) -> Plate:
    fields: dict[str, Any] = {
        "version": 1,
        "number": 110 + int(key),
        "state": PlateState.APPROVED,
        "items": tuple(part(key, n) for n in range(1, number + 1)),
        "model_id": "mk4",
        "gcode": ref("plate.gcode"),
        "gate": GateSummary(verdict=Verdict.PASS, time_s=6720, mass_mg=18_200),
        "slice": SliceStatus(state="done"),
        "dispatch": True,
    }
    return Plate(plate_id=f"plate_{key}", **{**fields, **more})


def run(key: str = "1", state: RunState = RunState.QUEUED, **more: Any) -> Run:
    held = state.active or state.terminal
    started = state in (
        RunState.PRINTING,
        RunState.PAUSED,
        RunState.COMPLETED,
        RunState.FAILED,
        RunState.ABORTED,
    )
    fields: dict[str, Any] = {
        "version": 1,
        "plate_id": f"plate_{key}",
        "intent_ids": (f"int_{key}",),
        "number": 50 + int(key),
        "queued_at": NOW - 3000,
        "model_id": "mk4",
        "printer_id": "p1" if held else None,
        "remote_name": REMOTE if held else "",
        "started_at": NOW - 2400 if started else None,
        "ended_at": NOW - 360 if state.terminal else None,
    }
    return Run(run_id=f"run_{key}", state=state, **{**fields, **more})


def printer(key: str = "1", **more: Any) -> Printer:
    fields: dict[str, Any] = {
        "version": 1,
        "name": f"mk4-{key}",
        "adapter": "octoprint",
        "address": "http://printer",
        "model_id": "mk4",
        "health": Health.OK,
        "bed": Bed.UNKNOWN,
        "material": "PETG",
    }
    return Printer(printer_id=f"p{key}", **{**fields, **more})


def permit() -> Permit:
    return Permit(permit_id="permit_1", given_at=NOW - 60, given_by="ann", signature=BootSignature(boot="b"))


def drop(state: str, **more: Any) -> Drop:
    fields: dict[str, Any] = {"version": 1, "name": "bracket.stl", "dropped_at": NOW - 360}
    return Drop(drop_id="drop_1", state=state, **{**fields, **more})


def seen(phase: Phase, ago: float = 1.0, link: Link = Link.ONLINE, **more: Any) -> Observation:
    job = more.pop("job", PrinterJob(remote_file=REMOTE) if phase.running else PrinterJob())
    return Observation(
        seen_at=MONO - ago, link=link, phase=phase, full=link is Link.ONLINE, printer_job=job, **more
    )


def printing(**more: Any) -> Observation:
    job = PrinterJob(remote_file=REMOTE, progress=0.634, remaining_s=4320.0, layer=44, layers=120)
    return seen(Phase.PRINTING, job=job, **more)


def shop(**more: Any) -> ShopInputs:
    fields: dict[str, Any] = {
        "wall": float(NOW),
        "mono": MONO,
        "intents": (intent(),),
        "plans": (plan(),),
        "plates": (plate(),),
        "printers": (printer(),),
        "live": {"p1": seen(Phase.IDLE)},
        "capabilities": {"p1": Capability(adapter="octoprint")},
        "model_names": {"mk4": "Prusa MK4"},
    }
    return ShopInputs(**{**fields, **more})


def with_run(one: Run, observed: Observation | None = None, number: int = 1, **more: Any) -> ShopInputs:
    live = {} if observed is None else {"p1": observed}
    return shop(runs=(one,), plates=(plate(number=number),), live=live, **more)


def evidence(ago: int, text: str) -> Evidence:
    return Evidence(at=NOW - ago, text=text)


def outcomes(*results: ItemResult, reason: str = "") -> tuple[Outcome, ...]:
    return tuple(
        Outcome(item_id=f"part_1_{n}", result=r, reason=reason if r is ItemResult.FAILED else "")
        for n, r in enumerate(results, 1)
    )
