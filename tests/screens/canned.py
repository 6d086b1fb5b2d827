"""Canned shops for the screens: empty, six printers, every kind of card, and a farm of two hundred."""

from core.client.views import (
    Action,
    ApprovalSheet,
    Card,
    EventRow,
    ItemDetail,
    Missing,
    OrderDetail,
    OrderRow,
    OutcomeSheet,
    Pin,
    PrinterRow,
    Shop,
    SliceProgress,
)
from core.contract import Capability, Heater, Link, Observation, Phase, PrinterJob
from core.domain import commands as c
from core.domain.findings import Finding
from core.domain.objects import (
    ArtifactRef,
    Drop,
    Evidence,
    GateSummary,
    Intent,
    LineItem,
    Plan,
    Plate,
    PlateItem,
    PreflightSummary,
    Printer,
    Run,
    SlicerPin,
)
from core.domain.words import (
    Bed,
    Health,
    IntentState,
    PlanState,
    PlateState,
    QualityTier,
    RiskLevel,
    RunState,
    Verdict,
)
from core.views import actions as act

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
        "attempts_done": 41,
        "attempts_failed": 2,
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


def card(
    card_id: str,
    section: str,
    severity: str,
    tag: str,
    where: str,
    what: str,
    brief: str,
    title: str,
    sentence: str,
    **more: object,
) -> Card:
    return Card(
        card_id=card_id,
        section=section,
        severity=severity,
        tag=tag,
        where=where,
        what=what,
        brief=brief,
        title=title,
        sentence=sentence,
        **more,
    )  # type: ignore[arg-type]  # as above


def every_card() -> tuple[Card, ...]:
    lost = run("r5", RunState.NEEDS_DECISION, "voron-2")
    resolve = act.resolve(lost, seen(Phase.IDLE))
    return (
        card(
            "run:r5",
            "attention",
            "alert",
            "DESYNCED",
            "voron-2",
            "bracket ×4",
            "silent 6m",
            "Print Attempt 2 of Order 1042",
            "This printer stopped reporting 6 min ago. Last poll says: Idle. Kiln thought: Printing.",
            because=(
                "The printer's server was restarted in mid-print.",
                "Its printer job 4711 is no longer in its history.",
            ),
            evidence=(
                "09:06:12 socket closed (1006)",
                "09:06:14 poll: standby, no file",
                "09:06:20 poll: standby, no file, other boot",
            ),
            actions=(
                act.primary(act.refresh()),
                *resolve,
            ),
            subject_kind="run",
            subject_id="r5",
        ),
        card(
            "run:r1",
            "attention",
            "alert",
            "PAUSED",
            "mk4-1",
            "hook ×12",
            "runout",
            "Print Attempt 1 of Order 1042",
            "The printer paused at layer 66 of 212: filament runout.",
            because=(
                "The sensor of mk4-1 reports no filament.",
                "Bed and nozzle are kept warm; the part stays on.",
            ),
            evidence=("08:58:41 printer says: Filament runout detected",),
            actions=run_actions("r1", paused=True),
            progress=0.31,
            remaining_s=7_300,
            subject_kind="run",
            subject_id="r1",
        ),
        card(
            "order:i1044",
            "attention",
            "warn",
            "APPROVE",
            "Order 1044",
            "lamp-shade",
            "2 questions",
            "dropped 4 min ago",
            "A new Order waits for approval.",
            because=("Material and quality were never said.", "Risk MEDIUM: thin walls (0.38 mm)."),
            actions=(
                Action(
                    key="a",
                    label="Open approval sheet",
                    opens="approve",
                    command=c.ApproveOrder(intent_id="i1044"),
                ),
                Action(key="X", label="Cancel Order", opens="cancel_order"),
            ),
            subject_kind="intent",
            subject_id="i1044",
        ),
        card(
            "drop:d9",
            "attention",
            "alert",
            "REJECTED",
            "inbox",
            "tower_v2_FINAL_really.stl",
            "larger than every bed",
            "File kept in rejected/",
            "The part is 412 mm tall; the tallest printer here prints 300 mm.",
            because=("x1c-3: 256 mm · mk4: 220 mm · voron-2: 300 mm",),
            actions=(Action(key="z", label="Put aside", command=c.DismissDrop(drop_id="d9")),),
            subject_kind="drop",
            subject_id="d9",
        ),
        card(
            "drop:d10",
            "attention",
            "warn",
            "AGAIN?",
            "inbox",
            "clip.stl",
            "same as Order 1043",
            "Dropped 2 min ago",
            "This file was dropped before: it is Order 1043.",
            actions=(
                Action(key="y", label="Make a second Order", command=c.OrderAgain(drop_id="d10")),
                Action(key="z", label="Put aside", command=c.DismissDrop(drop_id="d10")),
            ),
            subject_kind="drop",
            subject_id="d10",
        ),
        card(
            "run:r8",
            "attention",
            "alert",
            "DECIDE",
            "mk4-5",
            "clamp ×2",
            "start unclear",
            "Print Attempt 1 of Order 1040",
            "Kiln sent a start and cannot tell whether it was carried out.",
            because=("The reply was lost; the printer was switched off 3 s later.",),
            evidence=(
                "07:40:02 start sent as k_7f3a_1_9c.gcode",
                "07:40:05 no answer",
                "07:44:51 poll: idle, other boot",
            ),
            actions=(
                act.primary(act.refresh()),
                *act.resolve(run("r8", RunState.NEEDS_DECISION, "mk4-5", started_at=None), None),
            ),
            subject_kind="run",
            subject_id="r8",
        ),
        card(
            "order:i1039",
            "at_risk",
            "warn",
            "HIGH",
            "x1c-3",
            "gear ×1",
            "due 38m",
            "Order 1039 for Ada Lindqvist",
            "Due in 38 min, and its only printer is degraded.",
            because=("Printer confidence: Low (3 failures in 6 h).", "No other printer here prints PA-CF."),
            actions=(
                Action(
                    key="g",
                    label="Acknowledge x1c-3",
                    command=c.AcknowledgePrinter(printer_id="x1c-3"),
                    confirm="x1c-3 failed 3 times in 6 h: first layer, first layer, clog. "
                    "Let it print again all the same?",
                ),
            ),
            subject_kind="intent",
            subject_id="i1039",
        ),
        card(
            "run:r2",
            "running",
            "info",
            "PRINTING",
            "mk4-2",
            "clip ×24",
            "layer 133 of 212",
            "Print Attempt 1 of Order 1043",
            "Printing layer 133 of 212 in PETG black.",
            actions=run_actions("r2"),
            progress=0.63,
            remaining_s=4_350,
            finish_at=NOW + 4_350,
            subject_kind="run",
            subject_id="r2",
        ),
        card(
            "run:r3",
            "running",
            "info",
            "PRINTING",
            "mk4-3",
            "clip ×24",
            "layer 93 of 212",
            "Print Attempt 2 of Order 1043",
            "Printing layer 93 of 212 in PETG black.",
            actions=run_actions("r3"),
            progress=0.44,
            remaining_s=7_100,
            finish_at=NOW + 7_100,
            subject_kind="run",
            subject_id="r3",
        ),
        card(
            "run:r4",
            "ready_qa",
            "ok",
            "ENDED",
            "mk4-4",
            "knob ×9",
            "done 08:51 · clear plate",
            "Print Attempt 1 of Order 1041",
            "The printer says that all was printed. What happened on the plate?",
            actions=(
                Action(
                    key="e",
                    label="What happened?",
                    opens="outcome",
                    command=c.RecordOutcomes(run_id="r4", outcomes=()),
                ),
            ),
            subject_kind="run",
            subject_id="r4",
        ),
        card(
            "plate:118",
            "ready_start",
            "info",
            "NEXT",
            "mk4-1",
            "clip ×24",
            "when the bed is clear · no changeover",
            "Plate 118 of Order 1043",
            "Approved and sliced; it starts as soon as the bed of mk4-1 is clear.",
            actions=(
                Action(
                    key="c",
                    label="Bed is clear",
                    command=c.ClearBed(printer_id="mk4-1"),
                    disabled="mk4-1 is paused in the middle of hook ×12",
                ),
            ),
            subject_kind="plate",
            subject_id="p118",
        ),
        card(
            "slice:119",
            "waiting",
            "info",
            "SLICING",
            "slicer",
            "bracket ×4",
            "generating perimeters",
            "Plate 119 of Order 1042",
            "Slicing; about 20 s to go.",
            progress=0.4,
            remaining_s=20,
            subject_kind="plate",
            subject_id="p119",
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


def events() -> tuple[EventRow, ...]:
    def event(
        seq: int,
        kind: str,
        ago: int,
        actor: str,
        who: str,
        subject: tuple[str, str],
        summary: str,
        cause: str | None = None,
        payload: str = "{}",
        run_id: str | None = None,
    ) -> EventRow:
        return EventRow(
            seq=seq,
            event_id=f"e{seq}",
            type=kind,
            wall=NOW - ago,
            actor=actor,
            who=who,
            subject_kind=subject[0],
            subject_id=subject[1],
            summary=summary,
            intent_id="i1042",
            causation_id=cause,
            payload=payload,
            run_id=run_id,
        )

    rows = [
        event(
            901,
            "IntentCreated",
            9_400,
            "controller",
            "ingest",
            ("intent", "i1042"),
            "Order 1042 from bracket_x4_ABS.stl: bracket ×4, hook ×12",
        ),
        event(
            902,
            "PreflightPassed",
            9_399,
            "controller",
            "preflight",
            ("intent", "i1042"),
            "bracket: closed, 42.0 × 18.5 × 9.0 mm, about 7 g",
            "e901",
        ),
        event(
            903,
            "ApprovalRequired",
            9_398,
            "policy",
            "approvals 1.0",
            ("intent", "i1042"),
            "Order 1042 waits: quality tier functional",
            "e902",
        ),
        event(
            904,
            "PlanApproved",
            9_100,
            "operator",
            "ada",
            ("plan", "plan-b1"),
            "Build Plan r1 of bracket approved",
            "e903",
            '{"plan_id":"plan-b1","profile_ref":"ABS_0.4_Standard@1.4.0","revision":1,'
            '"slicer":{"digest":"sha256:4f0c9b","name":"PrusaSlicer","version":"2.9.2"}}',
        ),
        event(
            905,
            "Sliced",
            9_040,
            "controller",
            "slicing",
            ("build_plate", "p117"),
            "Plate 117 sliced in 41 s: 1h52, 38 g ABS",
            "e904",
        ),
        event(
            906,
            "DecisionMade",
            9_039,
            "policy",
            "dispatch 1.0",
            ("run", "r5"),
            "ALLOW: start on voron-2",
            "e905",
        ),
        event(
            907,
            "RunQueued",
            9_038,
            "controller",
            "dispatch",
            ("run", "r5"),
            "Print Attempt 2 of Order 1042 queued",
            "e906",
            run_id="r5",
        ),
        event(
            908,
            "RunUploading",
            5_430,
            "controller",
            "voron-2",
            ("run", "r5"),
            "Sending k_7f3a_1_9c.gcode (2.1 MB)",
            "e907",
            run_id="r5",
        ),
        event(
            909,
            "RunStarted",
            5_400,
            "controller",
            "voron-2",
            ("run", "r5"),
            "voron-2 prints bracket ×4",
            "e908",
            '{"attempt":1,"printer_job":"4711","remote_name":"k_7f3a_1_9c.gcode","run_id":"r5"}',
            run_id="r5",
        ),
        event(
            910,
            "PlateCleared",
            4_000,
            "operator",
            "ada",
            ("printer", "mk4-2"),
            "mk4-2: a person saw the empty bed",
        ),
        event(
            911,
            "RunPaused",
            799,
            "controller",
            "mk4-1",
            ("run", "r1"),
            "mk4-1 paused at layer 66: filament runout",
        ),
        event(
            912,
            "PrinterStateChanged",
            360,
            "controller",
            "voron-2",
            ("printer", "voron-2"),
            "voron-2 no longer answers",
            "e909",
        ),
        event(
            913,
            "AnomalyDetected",
            346,
            "controller",
            "voron-2",
            ("run", "r5"),
            "voron-2 says idle, Kiln thought printing",
            "e912",
            run_id="r5",
        ),
    ]
    return tuple(reversed(rows))


def order_detail(row: OrderRow) -> OrderDetail:
    draft = any(action.opens == "approve" for action in row.actions)
    state = PlanState.DRAFT if draft else PlanState.APPROVED
    items = tuple(
        ItemDetail(
            item=line,
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
