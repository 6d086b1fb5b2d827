"""The small things that canned shops are made of."""

from core.client.views import (
    Action,
)
from core.contract import Capability, Heater, Link, Observation, Phase, PrinterJob
from core.domain import commands as c
from core.domain.objects import (
    ArtifactRef,
    LineItem,
    Printer,
    Run,
)
from core.domain.words import (
    Bed,
    QualityTier,
    RunState,
)

NOW = 1_773_047_520
"""2026-03-09 09:12 UTC, a Monday."""

INBOX = "/home/ada/kiln/inbox"
CAPABILITY = Capability(adapter="octoprint", job_id=False, pause=True, cancel=True)


def art(name: str, size: int = 48_213) -> ArtifactRef:
    return ArtifactRef(sha256="9f" * 32, size=size, mime="model/stl", name=name)


def printer(name: str, **more: object) -> Printer:
    values: dict[str, object] = {
        "printer_id": name,
        "version": 3,
        "name": name,
        "adapter": "octoprint",
        "address": f"http://{name}.local",
        "model_id": "prusa_mk4",
        "material": "PETG",
        "color": "black",
        "bed": Bed.OCCUPIED,
    }
    return Printer(**{**values, **more})  # type: ignore[arg-type]  # a table of fields with their types beside it


def run(run_id: str, state: RunState, printer_id: str | None, **more: object) -> Run:
    values: dict[str, object] = {
        "run_id": run_id,
        "version": 5,
        "plate_id": f"plate-{run_id}",
        "state": state,
        "intent_ids": ("i1042",),
        "number": 2,
        "queued_at": NOW - 9_000,
        "printer_id": printer_id,
        "started_at": NOW - 5_400,
        "attempt": 1,
        "remote_name": "k_7f3a_1_9c.gcode",
    }
    return Run(**{**values, **more})  # type: ignore[arg-type]  # as above


def seen(
    phase: Phase,
    *,
    done: float | None = None,
    left: float | None = None,
    hot: float = 26.0,
    bed: float = 24.0,
    target: float = 0.0,
    bed_target: float = 0.0,
    layer: int | None = None,
    messages: tuple[str, ...] = (),
    link: Link = Link.ONLINE,
) -> Observation:
    return Observation(
        seen_at=100.0,
        link=link,
        phase=phase,
        full=True,
        printer_job=PrinterJob(
            remote_file="k_7f3a_1_9c.gcode",
            progress=done,
            remaining_s=left,
            layer=layer,
            layers=212 if layer else None,
            elapsed_s=3_000.0 if done else None,
        ),
        heaters=(
            Heater(name="tool0", actual=hot, target=target),
            Heater(name="bed", actual=bed, target=bed_target),
        ),
        messages=messages,
    )


def printing(done: float, left: float) -> Observation:
    return seen(
        Phase.PRINTING,
        done=done,
        left=left,
        hot=239.6,
        target=240,
        bed=84.8,
        bed_target=85,
        layer=int(212 * done),
    )


def finish_of(live: Observation | None) -> int | None:
    """When what prints will end, by the wall."""
    left = None if live is None or live.phase is not Phase.PRINTING else live.printer_job.remaining_s
    return None if left is None else NOW + int(left)


def run_actions(run_id: str, *, paused: bool = False) -> tuple[Action, ...]:
    first = (
        Action(key="enter", label="Resume", command=c.ResumeRun(run_id=run_id))
        if paused
        else Action(key="p", label="Pause", command=c.PauseRun(run_id=run_id))
    )
    return first, Action(
        key="x", label="Abort", command=c.AbortRun(run_id=run_id), opens="abort", note="asks first"
    )


def standing(name: str) -> tuple[Action, ...]:
    return (
        Action(
            key="L",
            label="Load material",
            opens="load_material",
            command=c.LoadMaterial(printer_id=name, material=""),
        ),
        Action(
            key="O",
            label="Out of service",
            opens="out_of_service",
            command=c.TakeOutOfService(printer_id=name, reason=""),
        ),
    )


def item(item_id: str, name: str, quantity: int, **more: object) -> LineItem:
    values: dict[str, object] = {
        "item_id": item_id,
        "name": name,
        "part": art(f"{name}.stl"),
        "quantity": quantity,
        "material": "PETG",
        "color": "black",
        "tier": QualityTier.STANDARD,
    }
    return LineItem(**{**values, **more})  # type: ignore[arg-type]  # as above
