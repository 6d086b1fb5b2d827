"""From a drop to a fulfilled Order, and what is refused on the way; on the real ledger."""

import pytest
from msgspec.structs import replace

from core.client.views import EventFilter
from core.contract import BootSignature
from core.domain import commands as cmd
from core.domain.objects import Outcome
from core.domain.policy import ApprovalRequired, Policy
from core.domain.words import (
    Actor,
    Bed,
    CancelReason,
    IntentState,
    ItemResult,
    PlanState,
    PlateState,
    RunState,
    Verdict,
)
from core.ledger.verify import projections, replay, verify
from tests.kernel.shop import GCODE, GOOD_GATE, SIGNATURE, KernelShop

GOOD = GOOD_GATE
BAD = replace(GOOD_GATE, verdict=Verdict.FAIL)


def test_a_dropped_part_becomes_a_fulfilled_order(shop: KernelShop) -> None:
    shop.printer()
    intent_id, run_id = shop.queued()
    shop.completed(run_id)
    shop.judge(run_id)

    intent = shop.reader.intent(intent_id)
    assert intent is not None
    assert intent.state is IntentState.FULFILLED
    assert intent.number == 1001
    printer = shop.reader.printer("p1")
    assert printer is not None
    assert printer.bed is Bed.CLEAR, "marking the outcome gives the permit for the next start"
    assert verify(shop.path).ok
    assert replay(shop.path) == projections(shop.path)


def test_every_event_of_the_story_leads_back_to_a_command(shop: KernelShop) -> None:
    shop.printer()
    intent_id, run_id = shop.queued()
    shop.completed(run_id)
    shop.judge(run_id)
    story = shop.reader.story(intent_id)
    known = {e.event_id for e in shop.reader.events(EventFilter(limit=5000))}
    for event in story:
        assert event.causation_id is not None
        assert event.causation_id.startswith("cmd:") or event.causation_id in known, event.type
    wanted = [
        "IntentCreated",
        "PlanApproved",
        "Sliced",
        "RunClaimed",
        "StartIntended",
        "RunStarted",
        "RunCompleted",
    ]
    types = [e.type for e in story]
    assert [t for t in types if t in wanted] == wanted
    assert types[-1] == "IntentFulfilled"


def test_the_same_key_gives_the_same_result_and_one_effect(shop: KernelShop) -> None:
    first = shop.send(
        cmd.AddPrinter(printer_id="p1", name="p1", adapter="virtual", address="", model_id="prusa_mk4"),
        key="k",
    )
    again = shop.send(
        cmd.AddPrinter(printer_id="p1", name="p1", adapter="virtual", address="", model_id="prusa_mk4"),
        key="k",
    )
    other = shop.send(cmd.RemovePrinter(printer_id="p1"), key="k")
    assert first.event_ids == again.event_ids
    assert again.repeated
    assert other.refusal is not None
    assert other.refusal.code == "KEY_REUSED"
    assert len(shop.reader.printers()) == 1


def test_a_stale_version_changes_nothing(shop: KernelShop) -> None:
    shop.printer(ready=False)
    printer = shop.reader.printer("p1")
    assert printer is not None
    assert shop.send(cmd.LoadMaterial(printer_id="p1", material="PLA"), version=printer.version).ok
    stale = shop.send(cmd.LoadMaterial(printer_id="p1", material="PETG"), version=printer.version)
    assert stale.refusal is not None
    assert stale.refusal.code == "STALE"
    after = shop.reader.printer("p1")
    assert after is not None
    assert after.material == "PLA"


def test_the_same_content_asks_again_and_never_doubles_silently(shop: KernelShop) -> None:
    first = shop.drop("a", sha="same")
    second = shop.drop("b", sha="same", drop_id="drop_second")
    assert second.made["again"] == first.made["intent"]
    assert len(shop.reader.intents_open()) == 1
    assert [d.state for d in shop.reader.drops_attention()] == ["again"]
    made = shop.did(cmd.OrderAgain(drop_id="drop_second"))
    order = shop.reader.intent(made.made["intent"])
    assert order is not None
    assert order.duplicate_of == first.made["intent"]
    refused = shop.send(cmd.OrderAgain(drop_id="drop_second"))
    assert refused.refusal is not None
    assert refused.refusal.code == "NOT_WAITING"


def test_the_same_drop_delivered_twice_is_one_order(shop: KernelShop) -> None:
    body = cmd.AcceptDrop(drop_id="d", name="x", sha256="s", parts=())
    refused = shop.send(body, key="accept:d")
    assert refused.refusal is not None
    assert refused.refusal.code == "EMPTY_DROP"


def test_no_start_without_a_permit_that_is_bound_to_what_the_printer_shows(shop: KernelShop) -> None:
    shop.printer(ready=False)
    _, run_id = shop.queued()
    claim = cmd.ClaimRun(run_id=run_id, printer_id="p1", expected_digest=GCODE.sha256)
    refused = shop.send(claim, actor=Actor.CONTROLLER)
    assert refused.refusal is not None
    assert "clear" in refused.refusal.reasons[0]
    permit = shop.clear()
    name = shop.claimed(run_id)
    shop.did(cmd.RunUploaded(run_id=run_id, remote_name=name, size=100), actor=Actor.CONTROLLER)
    moved = BootSignature(boot="b1", last_name="other.gcode", job_counter=1)
    stale = cmd.IntendStart(run_id=run_id, permit_id=permit, baseline=moved, grace_ms=1)
    refused = shop.send(stale, actor=Actor.CONTROLLER)
    assert refused.refusal is not None
    assert refused.refusal.code == "PERMIT_STALE"
    revoked = cmd.RevokePermit(printer_id="p1", permit_id=permit, evidence="a foreign job")
    shop.did(revoked, actor=Actor.CONTROLLER)
    gone = cmd.IntendStart(run_id=run_id, permit_id=permit, baseline=SIGNATURE, grace_ms=1)
    refused = shop.send(gone, actor=Actor.CONTROLLER)
    assert refused.refusal is not None
    assert refused.refusal.code == "NO_PERMIT"


def test_a_permit_is_consumed_by_one_intent(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.intended(run_id)
    printer = shop.reader.printer("p1")
    assert printer is not None
    assert printer.permit is None
    assert printer.bed is Bed.OCCUPIED


def test_one_active_attempt_per_printer(shop: KernelShop) -> None:
    shop.printer()
    _, first = shop.queued("one")
    _, second = shop.queued("two")
    shop.claimed(first)
    claim = cmd.ClaimRun(run_id=second, printer_id="p1", expected_digest=GCODE.sha256)
    refused = shop.send(claim, actor=Actor.CONTROLLER)
    assert refused.refusal is not None
    assert refused.refusal.code == "PRINTER_TAKEN"


def test_remote_names_never_repeat_and_the_fourth_start_asks_a_person(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    names = set()
    for attempt in range(1, 4):
        if attempt > 1:
            shop.clear()
        shop.intended(run_id)
        run = shop.reader.run(run_id)
        assert run is not None
        names.add(run.remote_name)
        assert run.attempt == attempt
        shop.did(cmd.FenceRun(run_id=run_id, evidence="no trace"), actor=Actor.CONTROLLER)
        shop.did(cmd.FenceHeld(run_id=run_id, evidence="file gone"), actor=Actor.CONTROLLER)
    run = shop.reader.run(run_id)
    assert run is not None
    assert run.state is RunState.NEEDS_DECISION
    assert len(names) == 3


@pytest.mark.parametrize(
    ("answer", "observed", "state"),
    [
        ("adopt", "printing", RunState.PRINTING),
        ("adopt", "paused", RunState.PAUSED),
        ("adopt", "finished", RunState.COMPLETED),
        ("adopt", "cancelled", RunState.ABORTED),
        ("adopt", "idle", RunState.FAILED),
        ("keep", "", RunState.CONFIRMING),
        ("never_ran", "", RunState.QUEUED),
        ("it_ran", "", RunState.COMPLETED),
    ],
)
def test_every_answer_to_needs_decision_is_an_event(
    shop: KernelShop, answer: str, observed: str, state: RunState
) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.intended(run_id)
    shop.did(cmd.AskAboutRun(run_id=run_id, question="?", evidence="boot changed"), actor=Actor.CONTROLLER)
    before = shop.reader.run(run_id)
    assert before is not None
    file = before.remote_name
    shop.did(cmd.ResolveRun(run_id=run_id, answer=answer, observed=observed, observed_file=file))
    run = shop.reader.run(run_id)
    assert run is not None
    assert run.state is state
    types = [e.type for e in shop.reader.events(EventFilter(run_id=run_id))]
    assert "RunReconciled" in types
    assert replay(shop.path) == projections(shop.path)


def test_a_seen_print_cannot_have_never_run(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.printing(run_id)
    shop.did(cmd.AskAboutRun(run_id=run_id, question="?", evidence="gone"), actor=Actor.CONTROLLER)
    refused = shop.send(cmd.ResolveRun(run_id=run_id, answer="never_ran"))
    assert refused.refusal is not None
    assert refused.refusal.code == "IT_DID_RUN"


def test_another_execution_of_our_name_is_not_ours(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.printing(run_id)
    other = cmd.RunSeen(run_id=run_id, phase="printing", printer_job="8")
    refused = shop.send(other, actor=Actor.CONTROLLER)
    assert refused.refusal is not None
    assert refused.refusal.code == "OTHER_EXECUTION"


def test_terminal_states_never_leave(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.completed(run_id)
    for body in (
        cmd.RunSeen(run_id=run_id, phase="printing", printer_job="7"),
        cmd.RunEnded(run_id=run_id, result="failed"),
        cmd.FenceRun(run_id=run_id, evidence=""),
        cmd.AbortRun(run_id=run_id),
    ):
        assert not shop.send(body, actor=Actor.CONTROLLER).ok


def test_failed_parts_are_reprinted_and_name_what_they_replace(shop: KernelShop) -> None:
    shop.printer()
    intent_id, run_id = shop.queued(quantity=2)
    shop.completed(run_id)
    plate = shop.reader.plates_of_intent(intent_id)[0]
    good, bad = plate.items
    outcomes = (
        Outcome(item_id=good.item_id, result=ItemResult.SUCCESS),
        Outcome(item_id=bad.item_id, result=ItemResult.FAILED, reason="warping"),
    )
    shop.did(cmd.RecordOutcomes(run_id=run_id, outcomes=outcomes))
    made = shop.did(cmd.ReprintFailed(run_id=run_id)).made["plate"]
    reprint = shop.reader.plate(made)
    assert reprint is not None
    assert [i.source_item for i in reprint.items] == [bad.item_id]
    refused = shop.send(cmd.ReprintFailed(run_id=run_id))
    assert refused.refusal is not None
    assert refused.refusal.code == "ALREADY_REPRINTED"
    again = shop.did(
        cmd.SliceDone(plate_id=made, key="k2", gcode=GCODE, gate=GOOD), actor=Actor.CONTROLLER
    ).made["run"]
    shop.bind()
    shop.completed(again)
    shop.judge(again)
    intent = shop.reader.intent(intent_id)
    assert intent is not None
    assert intent.state is IntentState.FULFILLED


def test_ready_gcode_needs_no_slicer_and_one_plate_per_copy(shop: KernelShop) -> None:
    intent_id = shop.drop_gcode(quantity=2).made["intent"]
    shop.prepare(intent_id)
    shop.did(cmd.ApproveOrder(intent_id=intent_id))
    plates = shop.reader.plates_of_intent(intent_id)
    assert [p.state for p in plates] == [PlateState.APPROVED] * 2
    assert not shop.reader.effects_pending(("slice",))
    assert len(shop.reader.runs_live()) == 2


def test_canceling_voids_what_is_not_printing_and_leaves_what_is(shop: KernelShop) -> None:
    shop.printer()
    intent_id, run_id = shop.queued()
    shop.printing(run_id)
    other, waiting = shop.queued("other")
    shop.did(cmd.CancelOrder(intent_id=intent_id, reason=CancelReason.CUSTOMER_REQUEST))
    shop.did(cmd.CancelOrder(intent_id=other, reason=CancelReason.CUSTOMER_REQUEST))
    runs = {r: shop.reader.run(r) for r in (run_id, waiting)}
    running, ended = runs[run_id], runs[waiting]
    assert running is not None
    assert running.state is RunState.PRINTING
    assert ended is not None
    assert ended.state is RunState.ABORTED
    assert {p.state for p in shop.reader.plans_of_intent(intent_id)} == {PlanState.VOID}


def test_an_answer_to_a_question_that_was_asked_anew_is_refused(shop: KernelShop) -> None:
    intent_id = shop.drop(material=None).made["intent"]
    plan = shop.reader.plans_of_intent(intent_id)[0]
    (stale,) = shop.reader.effects_pending(("prepare",))
    item = shop.reader.intents_open()[0].items[0]
    shop.did(cmd.ClarifyItem(intent_id=intent_id, item_id=item.item_id, material="PETG"))
    old = cmd.PlanReady(plan_id=plan.plan_id, model_id="prusa_mk3s", effect_id=stale.effect_id)
    refused = shop.send(old, actor=Actor.CONTROLLER)
    assert refused.refusal is not None
    assert refused.refusal.code == "SUPERSEDED"
    (fresh,) = shop.reader.effects_pending(("prepare",))
    assert fresh.effect_id != stale.effect_id
    early = shop.send(cmd.ApproveOrder(intent_id=intent_id))
    assert early.refusal is not None
    assert early.refusal.code == "NOT_PREPARED"


def test_an_unsafe_product_is_never_pinned(shop: KernelShop) -> None:
    intent_id = shop.drop().made["intent"]
    shop.prepare(intent_id)
    shop.did(cmd.ApproveOrder(intent_id=intent_id))
    plate = shop.reader.plates_of_intent(intent_id)[0]
    unsafe = cmd.SliceDone(plate_id=plate.plate_id, key="k", gcode=GCODE, gate=BAD)
    refused = shop.send(unsafe, actor=Actor.CONTROLLER)
    assert refused.refusal is not None
    assert refused.refusal.code == "UNSAFE_GCODE"


def test_policy_decides_who_approves(tmp_path_factory: pytest.TempPathFactory) -> None:
    policy = Policy(version=2, auto_approve=True, approval_required=ApprovalRequired(material=("ABS",)))
    shop = KernelShop(tmp_path_factory.mktemp("auto"), policy)
    try:
        easy = shop.drop("easy").made["intent"]
        hard = shop.drop("hard", material="ABS").made["intent"]
        shop.prepare(easy)
        shop.prepare(hard)
        states = [shop.reader.plans_of_intent(i)[0].state for i in (easy, hard)]
        assert states == [PlanState.APPROVED, PlanState.DRAFT]
        decisions = shop.reader.events(EventFilter(text="DecisionMade ApprovePlan"))
        assert {d.body.outcome for d in decisions} == {"ALLOW", "REQUIRE_APPROVAL"}  # type: ignore[union-attr]
    finally:
        shop.close()


def test_the_fourth_try_of_the_same_part_waits_for_a_person(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    for _ in range(3):
        shop.printing(run_id)
        shop.did(cmd.RunEnded(run_id=run_id, result="failed", reason="clog"), actor=Actor.CONTROLLER)
        shop.judge(run_id, ItemResult.FAILED)
        plate_id = shop.did(cmd.ReprintFailed(run_id=run_id)).made["plate"]
        run_id = shop.did(
            cmd.SliceDone(plate_id=plate_id, key="k", gcode=GCODE, gate=GOOD), actor=Actor.CONTROLLER
        ).made["run"]
        shop.bind()
    claim = cmd.ClaimRun(run_id=run_id, printer_id="p1", expected_digest=GCODE.sha256)
    shop.did(claim, actor=Actor.CONTROLLER)
    run = shop.reader.run(run_id)
    assert run is not None
    assert run.state is RunState.PENDING_APPROVAL
    shop.did(cmd.ApproveRun(run_id=run_id))
    shop.claimed(run_id)
