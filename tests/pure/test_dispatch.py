"""Which attempt goes where, and the one reason why another does not (pure)."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.contract import Link, Observation, Phase
from core.controllers.dispatch import propose
from core.controllers.live import LivePrinter
from core.domain.objects import ArtifactRef, Intent, LineItem, Permit, Plan, Plate, PlateItem, Printer, Run
from core.domain.words import Health, IntentState, PlanState, PlateState, RunState

NOW = 1000.0
MODEL = "prusa_mk3s"
GCODE = ArtifactRef(sha256="ab" * 32, size=100, mime="text/x.gcode")


def run(n: int, **fields: object) -> Run:
    made = Run(
        run_id=f"run_{n}",
        version=1,
        plate_id=f"plate_{n}",
        state=RunState.QUEUED,
        intent_ids=(f"intent_{n}",),
        number=n,
        queued_at=n,
    )
    return replace(made, **fields)


def plate(n: int, **fields: object) -> Plate:
    item = PlateItem(
        item_id=f"i{n}",
        line_item_id=f"li{n}",
        plan_id=f"plan_{n}",
        plan_revision=1,
        intent_id=f"intent_{n}",
        instance=1,
    )
    made = Plate(
        plate_id=f"plate_{n}",
        version=1,
        number=n,
        state=PlateState.APPROVED,
        items=(item,),
        model_id=MODEL,
        gcode=GCODE,
    )
    return replace(made, **fields)


def intent(n: int, due: int | None = None, material: str | None = "PLA", color: str | None = None) -> Intent:
    item = LineItem(item_id=f"li{n}", name=f"part {n}", part=GCODE, material=material, color=color)
    return Intent(
        intent_id=f"intent_{n}",
        version=1,
        number=n,
        state=IntentState.CREATED,
        created_at=0,
        source="manual",
        due_at=due,
        items=(item,),
    )


def printer(name: str = "a", **fields: object) -> Printer:
    made = Printer(
        printer_id=name,
        version=1,
        name=name,
        adapter="fake",
        address="",
        model_id=MODEL,
        permit=Permit(permit_id="permit", given_at=0, given_by="tess"),
    )
    return replace(made, **fields)


def seen(
    phase: Phase = Phase.IDLE, link: Link = Link.ONLINE, age: float = 1.0, **fields: object
) -> LivePrinter:
    obs = Observation(seen_at=NOW - age, link=link, phase=phase, full=True)
    return replace(LivePrinter(observation=obs, answered_at=NOW - age), **fields)


def decide(
    runs: tuple[Run, ...],
    printers: tuple[Printer, ...],
    live: dict[str, LivePrinter] | None = None,
    plates: tuple[Plate, ...] | None = None,
    intents: tuple[Intent, ...] | None = None,
    plans: tuple[Plan, ...] = (),
    refused: dict[tuple[str, str], str] | None = None,
) -> tuple[dict[str, str], dict[str, str]]:
    numbers = [r.number for r in runs]
    assigned, blocks = propose(
        runs,
        printers,
        live if live is not None else {p.printer_id: seen() for p in printers},
        {p.plate_id: p for p in (plates if plates is not None else [plate(n) for n in numbers])},
        {i.intent_id: i for i in (intents if intents is not None else [intent(n) for n in numbers])},
        {p.plan_id: p for p in plans},
        NOW,
        refused,
    )
    return {a.run_id: a.printer_id for a in assigned}, blocks


def block(p: Printer, live: LivePrinter | None = None, **kwargs: object) -> str:
    assigned, blocks = decide((run(1),), (p,), {p.printer_id: live or seen()}, **kwargs)  # type: ignore[arg-type]
    assert assigned == {}
    return blocks["run_1"]


def test_a_free_printer_of_the_class_takes_it() -> None:
    assert decide((run(1),), (printer(),)) == ({"run_1": "a"}, {})


def test_due_dates_go_before_the_queue() -> None:
    runs = (run(1), run(2), run(3))
    intents = (intent(1), intent(2, due=500), intent(3, due=400))
    assert decide(runs, (printer(),), intents=intents)[0] == {"run_3": "a"}
    assert decide(runs, (printer("a"), printer("b")), intents=intents)[0] == {"run_3": "a", "run_2": "b"}


def test_one_attempt_per_printer_and_the_other_knows_why() -> None:
    assigned, blocks = decide((run(1), run(2)), (printer(),))
    assert assigned == {"run_1": "a"}
    assert blocks == {"run_2": "Another attempt goes first on a"}


def test_each_reason_in_plain_words() -> None:
    assert block(printer(model_id="other")) == f"No printer of model {MODEL} here"
    assert "out of service: nozzle" in block(printer(health=Health.OUT_OF_SERVICE, health_reason="nozzle"))
    assert "acknowledgement" in block(printer(health=Health.DEGRADED))
    assert block(printer(health=Health.OFFLINE)) == "a is offline"
    assert block(printer(), seen(link=Link.OFFLINE)) == "a is offline"
    assert block(printer(), LivePrinter()) == "Waiting for a fresh look at a"
    assert block(printer(), seen(age=11)) == "Waiting for a fresh look at a"
    assert block(printer(), seen(hold_until=NOW + 5, hold_reason="full card")).endswith("full card")
    assert block(printer(), seen(phase=Phase.PAUSED)) == "a is paused"
    assert "benchy" in block(printer(foreign="benchy.gcode"), seen(phase=Phase.PRINTING))
    assert block(printer(material="PETG")) == "Load PLA on a (PETG is loaded)"
    assert block(printer(permit=None)) == "Bed of a not cleared"
    assert block(printer(), refused={("run_1", "a"): "The Order is not paid."}) == "The Order is not paid."
    assert block(printer(), plates=(plate(1, gcode=None),)) == "Waiting for slicing"
    assert block(printer(), plates=()) == "Its Plate is not there any more"


def test_the_reason_is_that_of_the_printer_nearest_to_taking_it() -> None:
    printers = (printer("a", health=Health.OFFLINE), printer("b", permit=None), printer("c", model_id="x"))
    assert decide((run(1),), printers)[1] == {"run_1": "Bed of b not cleared"}


def test_a_printer_with_an_active_attempt_is_taken() -> None:
    active = run(9, state=RunState.NEEDS_DECISION, printer_id="a")
    _, blocks = decide((run(1), active), (printer(),))
    assert blocks == {"run_1": "a is needs decision"}


def test_material_is_compared_only_where_known() -> None:
    assert decide((run(1),), (printer(material=None),))[0] == {"run_1": "a"}
    assert decide((run(1),), (printer(material="pla"),))[0] == {"run_1": "a"}
    unknown = (intent(1, material=None),)
    assert decide((run(1),), (printer(material="PETG"),), intents=unknown)[0] == {"run_1": "a"}


def test_a_printer_with_the_material_known_to_be_loaded_comes_first() -> None:
    assert decide((run(1),), (printer("a"), printer("b", material="PLA")))[0] == {"run_1": "b"}


def test_colour_counts_where_both_sides_are_known() -> None:
    black = (intent(1, color="black"),)
    assert decide((run(1),), (printer(color="white"),), intents=black)[1] == {
        "run_1": "Load black on a (white is loaded)"
    }
    assert decide((run(1),), (printer(color="Black"),), intents=black)[0] == {"run_1": "a"}


def test_a_pinned_printer_is_the_only_one() -> None:
    pinned = run(1, pinned_printer="b")
    assert decide((pinned,), (printer("a"), printer("b")))[0] == {"run_1": "b"}
    assert "not there" in decide((pinned,), (printer("a"),))[1]["run_1"]


def test_ready_gcode_goes_where_it_fits() -> None:
    plan = Plan(
        plan_id="plan_1",
        version=1,
        intent_id="intent_1",
        item_id="li1",
        revision=1,
        state=PlanState.APPROVED,
        kind="gcode",
        fits_models=("other", MODEL),
    )
    plates = (plate(1, model_id=None),)
    assert decide((run(1),), (printer(),), plates=plates, plans=(plan,))[0] == {"run_1": "a"}
    unsaid = decide((run(1),), (printer(),), plates=plates)
    assert unsaid == ({}, {"run_1": "Nobody said which printer model this is for"})


_PRINTERS = st.lists(
    st.builds(
        lambda health, permit, material, phase, age: (health, permit, material, phase, age),
        st.sampled_from(list(Health)),
        st.booleans(),
        st.sampled_from([None, "PLA", "PETG"]),
        st.sampled_from(list(Phase)),
        st.sampled_from([0.0, 9.0, 10.0, 60.0]),
    ),
    max_size=6,
)


@given(_PRINTERS, st.lists(st.sampled_from([None, 100, 200]), max_size=8))
def test_every_attempt_is_assigned_once_or_has_a_reason(
    shop: list[tuple[Health, bool, str | None, Phase, float]], dues: list[int | None]
) -> None:
    printers, live = [], {}
    for number, (health, permit, material, phase, age) in enumerate(shop):
        made = printer(f"p{number}", health=health, material=material)
        printers.append(made if permit else replace(made, permit=None))
        live[f"p{number}"] = seen(phase=phase, age=age)
    runs = tuple(run(n) for n in range(len(dues)))
    intents = tuple(intent(n, due=due) for n, due in enumerate(dues))
    assigned, blocks = decide(runs, tuple(printers), live, intents=intents)
    assert set(assigned) | set(blocks) == {r.run_id for r in runs}
    assert not set(assigned) & set(blocks)
    assert len(set(assigned.values())) == len(assigned)
    assert all(blocks.values())
    for printer_id in assigned.values():
        chosen = next(p for p in printers if p.printer_id == printer_id)
        assert chosen.health is Health.OK
        assert chosen.permit is not None
        assert chosen.material in (None, "PLA")
        obs = live[printer_id].observation
        assert obs is not None
        assert obs.phase.startable
        assert NOW - obs.seen_at < 10
