"""Triage: risk, receipts, keys, and who goes where."""

import pytest
from msgspec.structs import replace

from core.client.views import Card
from core.contract import Capability, Link, Observation, Phase, PrinterJob
from core.domain import commands as cmd
from core.domain.objects import Outcome, SliceStatus
from core.domain.words import ItemResult, PlanState, RiskLevel, RunState
from core.views.inputs import ShopInputs
from core.views.printers import printer_rows
from core.views.triage import cards
from tests.pure import views_shop as make
from tests.pure.views_shop import (
    NOW,
    REMOTE,
    drop,
    evidence,
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


def only(inputs: ShopInputs) -> Card:
    (card,) = cards(inputs)
    return card


@pytest.mark.parametrize(
    ("due", "tag", "brief", "receipt"),
    [
        (NOW - 7200, "LATE", "late 2h00 · 63% 1h12", "Due 2 h ago."),
        (NOW + 3600, "WILL BE LATE", "due 1h00 · 63% 1h12", "Due in 1 h; ends 12 min too late."),
        (NOW + 5400, "DUE SOON", "due 1h30 · 63% 1h12", "Due in 1 h 30 min."),
    ],
)
def test_due_times_put_a_running_print_at_risk(due: int, tag: str, brief: str, receipt: str) -> None:
    card = only(with_run(run(state=RunState.PRINTING), printing(), intents=(intent(due_at=due),)))
    assert (card.section, card.tag, card.brief, card.because[-1]) == ("at_risk", tag, brief, receipt)
    assert card.sentence == "63 % done, 1 h 12 min of print time left. Layer 44 of 120."


def test_time_enough_is_no_risk() -> None:
    card = only(with_run(run(state=RunState.PRINTING), printing(), intents=(intent(due_at=NOW + 86_400),)))
    assert card.section == "running"


def test_high_risk_is_shown_with_its_receipts() -> None:
    risky = plan(risk_level=RiskLevel.HIGH, risk_factors=("THIN_WALL", "TIP_OVER"))
    card = only(with_run(run(state=RunState.PRINTING), printing(), plans=(risky,)))
    assert (card.section, card.tag) == ("at_risk", "HIGH RISK")
    assert card.because[-1] == "High risk — Thin walls · Tall and narrow."


def test_what_needs_a_person_stays_there_when_it_is_late() -> None:
    card = only(with_run(run(state=RunState.PAUSED), seen(Phase.PAUSED), intents=(intent(due_at=NOW - 60),)))
    assert (card.section, card.tag, card.because[-1]) == ("attention", "PAUSED", "Due 1 min ago.")


def test_a_running_card_carries_its_figures() -> None:
    card = only(with_run(run(state=RunState.PRINTING), printing(), number=4))
    assert (card.where, card.what, card.title) == ("mk4-1", "bracket ×4", "mk4-1 · bracket ×4")
    assert (card.progress, card.remaining_s, card.finish_at) == (0.634, 4320, NOW + 4320)
    assert card.because == ("Print Attempt 51 · Order 1041 · Plate 111", "Material: PETG.")


def test_a_single_part_shows_no_plate() -> None:
    card = only(with_run(run(state=RunState.PRINTING), printing()))
    assert card.because[0] == "Print Attempt 51 · Order 1041"


def test_evidence_is_newest_first_with_its_age() -> None:
    said = (evidence(366, "socket closed (1006)"), evidence(364, "poll: standby, no file"))
    card = only(with_run(run(state=RunState.NEEDS_DECISION, evidence=said), seen(Phase.IDLE)))
    assert card.evidence == (
        "07:53:56 poll: standby, no file (6 min ago)",
        "07:53:54 socket closed (1006) (6 min ago)",
    )
    assert card.because[-1] == "The printer says: Idle (just now)."


@pytest.mark.parametrize(
    ("observed", "note", "disabled"),
    [
        (seen(Phase.IDLE), "it says Idle: counts as failed", ""),
        (
            seen(Phase.FINISHED, job=PrinterJob(remote_file=REMOTE)),
            "it says Finished: counts as completed",
            "",
        ),
        (seen(Phase.FINISHED), "", "The printer shows another file than this attempt's."),
        (seen(Phase.BUSY), "", "What the printer says is not clear now; refresh first."),
        (OFF, "", "The printer does not answer, so there is nothing to adopt."),
        (None, "", "The printer does not answer, so there is nothing to adopt."),
    ],
)
def test_adopting_says_what_it_means(observed: Observation | None, note: str, disabled: str) -> None:
    card = only(with_run(run(state=RunState.NEEDS_DECISION), observed))
    adopt = next(a for a in card.actions if a.key == "a")
    assert (adopt.note, adopt.disabled) == (note, disabled)
    assert adopt.command == cmd.ResolveRun(run_id="run_1", answer="adopt")
    assert adopt.opens == "resolve"


def test_what_was_seen_printing_cannot_have_never_run() -> None:
    ran = only(with_run(run(state=RunState.NEEDS_DECISION, started_at=NOW - 60), seen(Phase.IDLE)))
    never = next(a for a in ran.actions if a.key == "n")
    assert never.disabled == "It was seen printing, so it did run."


def test_keys_that_cannot_work_say_why() -> None:
    silent = only(with_run(run(state=RunState.PRINTING), OFF))
    assert silent.actions[-1].disabled == "The printer does not answer; go there."
    fixed = {"p1": Capability(adapter="x", pause=False, cancel=False)}
    running = only(with_run(run(state=RunState.PRINTING), printing(), capabilities=fixed))
    assert [a.disabled for a in running.actions[1:]] == [
        "This printer cannot be paused from here.",
        "This printer cannot be stopped from here.",
    ]
    pausing = only(with_run(run(state=RunState.PAUSED), seen(Phase.RESUMING)))
    assert pausing.actions[0].disabled == "The printer is still resuming."


def test_an_attempt_that_sent_nothing_can_be_stopped_while_the_printer_is_off() -> None:
    away = only(with_run(run(state=RunState.UPLOADED), OFF))
    assert (away.tag, away.actions[-1].key, away.actions[-1].disabled) == ("OFFLINE", "x", "")


def test_commands_name_the_right_things() -> None:
    bed = only(with_run(run(), seen(Phase.IDLE)))
    assert bed.actions[0].command == cmd.ClearBed(printer_id="p1")
    spool = only(with_run(run(), seen(Phase.IDLE), printers=(printer(material="PLA"),)))
    assert spool.actions[0].command == cmd.LoadMaterial(printer_id="p1", material="PETG")
    done = only(with_run(run(state=RunState.COMPLETED)))
    assert (done.actions[0].opens, done.actions[0].command) == (
        "outcome",
        cmd.RecordOutcomes(run_id="run_1", outcomes=()),
    )


def two_of(first: RunState, second: RunState, **more: object) -> ShopInputs:
    return shop(
        intents=(intent("1"), intent("2")),
        plans=(plan("1"), plan("2")),
        plates=(plate("1"), plate("2")),
        runs=(run("1", first), run("2", second, printer_id=None)),
        **more,
    )


def test_one_waits_behind_the_other() -> None:
    first, second = cards(two_of(RunState.QUEUED, RunState.QUEUED))
    assert (first.section, first.where, first.brief) == ("ready_start", "Order 1041", "mk4-1 when clear")
    assert (second.section, second.sentence) == ("waiting", "Queued behind Order 1041 on mk4-1.")


def test_one_waits_for_the_print_that_runs() -> None:
    first, second = cards(two_of(RunState.PRINTING, RunState.QUEUED, live={"p1": printing()}))
    assert (first.section, second.sentence) == ("running", "Queued behind Order 1041 on mk4-1.")


def test_the_earlier_promise_goes_first() -> None:
    inputs = two_of(RunState.QUEUED, RunState.QUEUED)
    dues = (intent("1"), intent("2", due_at=NOW + 10**6))
    urgent = shop(**{**{f: getattr(inputs, f) for f in inputs.__struct_fields__}, "intents": dues})
    assert {c.where: c.section for c in cards(urgent)} == {
        "Order 1041": "waiting",
        "Order 1042": "ready_start",
    }


def test_two_free_printers_take_one_each() -> None:
    both = (printer("1"), printer("2", permit=make.permit()))
    live = {"p1": seen(Phase.IDLE), "p2": seen(Phase.IDLE)}
    made = cards(two_of(RunState.QUEUED, RunState.QUEUED, printers=both, live=live))
    assert {c.where: c.brief for c in made} == {
        "Order 1041": "next on mk4-2",
        "Order 1042": "mk4-1 when clear",
    }


def test_the_last_plate_has_to_come_off_first() -> None:
    made = cards(two_of(RunState.COMPLETED, RunState.QUEUED, live={"p1": seen(Phase.FINISHED)}))
    assert [c.section for c in made] == ["ready_qa", "ready_start"]
    assert made[1].sentence == "Goes to mk4-1 when its bed is empty. Its bed still holds bracket."
    assert made[1].actions[0].command == cmd.RecordOutcomes(run_id="run_1", outcomes=())
    assert [a.key for a in made[1].actions] == ["enter", "c", "x"]


def test_a_reprint_under_way_says_nothing_more() -> None:
    failed = (Outcome(item_id="part_1_1", result=ItemResult.FAILED),)
    ended = run(state=RunState.COMPLETED, outcomes=failed, reprinted_by="plate_2")
    again = plate("2", items=(make.part("1", 2),), gcode=None, slice=SliceStatus(state="waiting"))
    card = only(shop(plates=(plate(), again), runs=(ended,)))
    assert (card.card_id, card.section) == ("plate:plate_2", "waiting")


def test_sections_and_tags_are_in_their_order() -> None:
    inputs = shop(
        intents=(intent("1"), intent("2"), intent("3")),
        plans=(plan("1"), plan("2"), plan("3", state=PlanState.DRAFT)),
        plates=(plate("1"), plate("2")),
        runs=(run("1", RunState.PRINTING), run("2", RunState.NEEDS_DECISION, printer_id="p2")),
        printers=(printer("1"), printer("2")),
        drops=(drop("rejected"),),
        live={"p1": printing(), "p2": seen(Phase.IDLE)},
    )
    assert [c.tag for c in cards(inputs)] == ["NEEDS DECISION", "APPROVE", "REJECTED", "PRINTING"]


@pytest.mark.parametrize(
    ("adapter", "scale", "ends_in"),
    [("virtual", "60", 72), ("virtual", "x", 4320), ("octoprint", "60", 4320)],
)
def test_the_finish_time_is_by_the_wall_also_where_simulated_time_runs_faster(
    adapter: str, scale: str, ends_in: int
) -> None:
    there = printer(adapter=adapter, options={"time_scale": scale})
    inputs = with_run(run(state=RunState.PRINTING), printing(), printers=(there,))
    card = only(inputs)
    assert (card.remaining_s, card.finish_at) == (4320, NOW + ends_in)
    assert printer_rows(inputs)[0].finish_at == NOW + ends_in


@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.PAUSING, Phase.CANCELLING])
def test_what_stands_still_has_no_finish_time(phase: Phase) -> None:
    inputs = with_run(run(state=RunState.PAUSED), replace(printing(), phase=phase))
    assert only(inputs).finish_at is None
    assert printer_rows(inputs)[0].finish_at is None


def test_a_missing_slicer_comes_first_with_its_whole_remedy() -> None:
    told = (
        "No slicer is installed. Install it with 'apt-get install prusa-slicer', or 'kiln-tui slicer fetch'."
    )
    waiting = plan(state=PlanState.DRAFT, model_id=None)
    inputs = shop(plans=(waiting,), plates=(), slicer_problem=told, live={"p1": seen(Phase.ERROR)})
    first, *others = cards(inputs)
    assert (first.tag, first.sentence) == ("NO SLICER", told)
    (approve,) = (card for card in others if card.tag == "APPROVE")
    assert approve.sentence == f"Cannot be approved as it is. {told}"
