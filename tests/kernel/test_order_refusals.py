"""What must not happen, each as the sequence that would make it happen."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.client.views import EventFilter
from core.domain import commands as cmd
from core.domain.policy import Policy
from core.domain.words import Actor, CancelReason, IntentState, ItemResult, RunState
from tests.kernel.shop import GCODE, GOOD_GATE, KernelShop

CANCEL = CancelReason.CUSTOMER_REQUEST


def _run(shop: KernelShop, run_id: str) -> RunState:
    run = shop.reader.run(run_id)
    assert run is not None
    return run.state


def _refused(shop: KernelShop, body: cmd.AnyCommand) -> str:
    result = shop.send(body, actor=Actor.CONTROLLER)
    assert result.refusal is not None
    return result.refusal.code


def test_a_canceled_order_ends_what_was_claimed_but_never_started(shop: KernelShop) -> None:
    shop.printer()
    intent_id, run_id = shop.queued()
    name = shop.claimed(run_id)
    shop.did(cmd.RunUploaded(run_id=run_id, remote_name=name, size=100), actor=Actor.CONTROLLER)
    shop.did(cmd.CancelOrder(intent_id=intent_id, reason=CANCEL))
    assert _run(shop, run_id) is RunState.ABORTED


@pytest.mark.parametrize("how", ["fence", "never_ran"])
def test_a_start_that_never_ran_is_not_queued_again_for_a_canceled_order(shop: KernelShop, how: str) -> None:
    shop.printer()
    intent_id, run_id = shop.queued()
    shop.intended(run_id)
    shop.did(cmd.CancelOrder(intent_id=intent_id, reason=CANCEL))
    if how == "fence":
        shop.did(cmd.FenceRun(run_id=run_id, evidence="no trace"), actor=Actor.CONTROLLER)
        shop.did(cmd.FenceHeld(run_id=run_id, evidence="gone"), actor=Actor.CONTROLLER)
    else:
        shop.did(cmd.AskAboutRun(run_id=run_id, question="?", evidence="e"), actor=Actor.CONTROLLER)
        shop.did(cmd.ResolveRun(run_id=run_id, answer="never_ran"))
    assert _run(shop, run_id) is RunState.ABORTED


def test_an_abort_is_not_forgotten_when_the_start_turns_out_unclear(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.intended(run_id)
    shop.did(cmd.AbortRun(run_id=run_id, reason="wrong_file"))
    shop.did(cmd.AskAboutRun(run_id=run_id, question="?", evidence="e"), actor=Actor.CONTROLLER)
    shop.did(cmd.ResolveRun(run_id=run_id, answer="never_ran"))
    run = shop.reader.run(run_id)
    assert run is not None
    assert (run.state, run.reason) == (RunState.ABORTED, "wrong_file")


def test_nothing_is_completed_on_the_evidence_of_another_print(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.printing(run_id)
    shop.did(cmd.AskAboutRun(run_id=run_id, question="?", evidence="e"), actor=Actor.CONTROLLER)
    foreign = cmd.ResolveRun(run_id=run_id, answer="adopt", observed="finished", observed_file="other.gcode")
    assert _refused(shop, foreign) == "NOT_OURS"


def test_what_is_started_is_what_the_gate_read(shop: KernelShop) -> None:
    intent_id = shop.drop().made["intent"]
    shop.prepare(intent_id)
    shop.did(cmd.ApproveOrder(intent_id=intent_id))
    plate = shop.reader.plates_of_intent(intent_id)[0]
    other = replace(GOOD_GATE, sha256="f" * 64)
    done = cmd.SliceDone(plate_id=plate.plate_id, key="k", gcode=GCODE, gate=other)
    assert _refused(shop, done) == "NOT_GATED"


def test_hands_in_the_machine_end_the_permit(shop: KernelShop) -> None:
    shop.printer()
    shop.did(cmd.TakeOutOfService(printer_id="p1", reason="nozzle"))
    shop.did(cmd.AcknowledgePrinter(printer_id="p1"))
    printer = shop.reader.printer("p1")
    assert printer is not None
    assert printer.permit is None


def test_a_refusing_decision_is_recorded_once_per_reason(shop: KernelShop) -> None:
    shop.printer()
    _, run_id = shop.queued()
    shop.did(cmd.TakeOutOfService(printer_id="p1", reason="nozzle"))
    claim = cmd.ClaimRun(run_id=run_id, printer_id="p1", expected_digest=GCODE.sha256)
    for _ in range(3):
        assert _refused(shop, claim) == "POLICY"
    told = shop.reader.events(EventFilter(run_id=run_id, text="DecisionMade BLOCK"))
    assert len(told) == 1


def test_one_impossible_command_does_not_end_the_writer(shop: KernelShop) -> None:
    shop.printer()
    strange = cmd.PrinterSeen(printer_id="p1", health="nonsense")
    assert _refused(shop, strange) == "INTERNAL"
    broken = cmd.TakeOutOfService(printer_id="p1", reason="\ud800")
    assert _refused(shop, broken) == "INTERNAL"
    shop.did(cmd.LoadMaterial(printer_id="p1", material="PLA"))


def test_outcomes_of_a_canceled_order_can_be_recorded_under_auto_reprint(tmp_path: Path) -> None:
    shop = KernelShop(tmp_path, Policy(version=1, auto_reprint=True))
    try:
        shop.printer()
        intent_id, run_id = shop.queued()
        shop.printing(run_id)
        shop.did(cmd.CancelOrder(intent_id=intent_id, reason=CANCEL))
        shop.did(cmd.RunEnded(run_id=run_id, result="failed", reason="clog"), actor=Actor.CONTROLLER)
        shop.judge(run_id, ItemResult.FAILED)
        intent = shop.reader.intent(intent_id)
        assert intent is not None
        assert intent.state is IntentState.CANCELED
    finally:
        shop.close()


def test_policy_may_leave_slicing_to_a_person(tmp_path: Path) -> None:
    shop = KernelShop(tmp_path, Policy(version=1, auto_slice=False))
    try:
        intent_id = shop.drop().made["intent"]
        shop.prepare(intent_id)
        shop.did(cmd.ApproveOrder(intent_id=intent_id))
        plate = shop.reader.plates_of_intent(intent_id)[0]
        assert not shop.reader.effects_pending(("slice",))
        shop.did(cmd.RetrySlice(plate_id=plate.plate_id))
        assert len(shop.reader.effects_pending(("slice",))) == 1
    finally:
        shop.close()


def test_a_closed_order_gets_no_further_attempt(shop: KernelShop) -> None:
    shop.printer()
    intent_id, run_id = shop.queued()
    shop.completed(run_id)
    shop.judge(run_id)
    plate = shop.reader.plates_of_intent(intent_id)[0]
    assert _refused(shop, cmd.QueuePlate(plate_id=plate.plate_id)) == "ORDER_CLOSED"
