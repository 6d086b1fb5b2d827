"""Each crash window of the design that is decided by the pure start protocol, by its number."""

import pytest
from msgspec.structs import replace

from core.contract import Link, Phase, RemoteFile, Reply, ReplyKind
from core.controllers.invariants import Brake
from core.controllers.steps import SendStart, Submit, Wait
from core.domain import commands as c
from core.domain.words import Health, RunState
from tests.pure.start_protocol_bench import Bench

S = RunState


@pytest.fixture
def bench() -> Bench:
    return Bench()


def sent_commands(bench: Bench, kind: type) -> list:
    return [command for command in bench.ledger.log if isinstance(command, kind)]


def test_the_plain_story_from_claim_to_deletion(bench: Bench) -> None:
    bench.to_printing(job_id="j1")
    assert bench.run.printer_job == "j1"
    bench.show(Phase.FINISHED, bench.run.remote_name, "j1")
    bench.crank(5)
    assert bench.state is S.COMPLETED
    assert bench.run.remote_deleted
    assert bench.files == {}
    assert bench.sent == [bench.run.remote_name]


def test_w1_a_claim_that_was_committed_goes_on_after_a_restart(bench: Bench) -> None:
    bench.crank()
    bench.claim()
    bench.restart()
    bench.crank()
    assert bench.state is S.UPLOADED


def test_w2_killed_in_mid_upload_uploads_again_under_the_same_name_and_verifies(bench: Bench) -> None:
    bench.crank()
    bench.claim()
    bench.files[bench.run.remote_name] = 40
    bench.restart()
    bench.crank()
    assert bench.state is S.UPLOADED
    assert bench.files == {bench.run.remote_name: 100}


def test_w2_an_upload_that_stays_short_is_removed_and_given_back(bench: Bench) -> None:
    bench.crank()
    bench.upload_size = 40
    bench.claim()
    bench.crank(60)
    assert bench.state is S.QUEUED
    assert bench.files == {}
    assert "upload failed" in sent_commands(bench, c.RunBackToQueue)[0].evidence


def test_w2_a_file_started_before_it_was_verified_is_put_before_a_person(bench: Bench) -> None:
    bench.crank()
    bench.claim()
    bench.restart()
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank()
    assert bench.state is S.NEEDS_DECISION
    assert bench.files == {}, "nothing may be uploaded over a running file"


def test_w3_uploaded_and_restarted_goes_on_with_the_looks(bench: Bench) -> None:
    bench.to_uploaded()
    bench.ledger.clear_bed()
    bench.restart()
    bench.crank(6)
    assert bench.state is S.CONFIRMING
    assert len(bench.sent) == 1


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.PRINTING, Phase.PAUSED, Phase.FINISHED])
def test_w4_a_person_tapped_the_offered_file_is_adopted_and_never_sent(bench: Bench, phase: Phase) -> None:
    bench.to_uploaded()
    bench.ledger.clear_bed()
    bench.moved(job_counter=8)
    bench.show(phase, bench.run.remote_name)
    bench.crank(3)
    expected = {Phase.PAUSED: S.PAUSED, Phase.FINISHED: S.COMPLETED}.get(phase, S.PRINTING)
    assert bench.state is expected
    assert bench.sent == []
    assert bench.ledger.printers["p1"].permit is None


def test_w5_killed_between_intent_and_send_never_sends_and_fences_after_the_grace(bench: Bench) -> None:
    bench.to_intended()
    first = bench.run.remote_name
    bench.restart()
    bench.crank(15)
    assert bench.state is S.INTENDED
    assert bench.crank(12) == "Nothing is queued for it"
    assert bench.state is S.QUEUED
    assert bench.sent == []
    assert first not in bench.files
    bench.claim()
    assert bench.run.remote_name != first
    assert bench.crank(10) == "Bed not cleared"


def test_w5_after_a_reboot_of_this_computer_the_grace_counts_from_the_first_sight(bench: Bench) -> None:
    bench.to_intended()
    bench.restart()
    bench.boot_id = "computer_2"
    bench.mono_ms = 5_000
    bench.crank(19)
    assert bench.state is S.INTENDED
    bench.crank(6)
    assert bench.state is S.QUEUED


def test_w6_sent_and_killed_before_the_reply_is_adopted(bench: Bench) -> None:
    bench.to_intended()
    bench.restart()
    bench.moved(job_counter=8)
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank()
    assert bench.state is S.PRINTING
    assert bench.sent == []


def test_w7_a_start_that_runs_late_is_adopted_within_the_grace(bench: Bench) -> None:
    bench.reply = Reply(kind=ReplyKind.NO_REPLY)
    bench.to_confirming()
    bench.crank(15)
    assert bench.state is S.CONFIRMING
    bench.moved(job_counter=8)
    bench.show(Phase.PREPARING, bench.run.remote_name)
    bench.crank(1)
    assert bench.state is S.PRINTING
    assert len(bench.sent) == 1


def test_w7_a_start_that_runs_while_fencing_is_adopted_too(bench: Bench) -> None:
    bench.delete_fails = True
    bench.to_confirming()
    bench.crank(21)
    assert bench.state is S.FENCING
    bench.moved(job_counter=8)
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank()
    assert bench.state is S.PRINTING
    assert bench.run.remote_name in bench.files


def test_w8_an_error_reply_is_only_evidence(bench: Bench) -> None:
    bench.reply = Reply(kind=ReplyKind.REFUSED, detail="409 Conflict")
    bench.to_confirming()
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank(1)
    assert bench.state is S.PRINTING
    assert bench.run.reply == "refused"


def test_w9_an_accepted_start_that_does_nothing_is_fenced_and_never_resent(bench: Bench) -> None:
    bench.to_confirming()
    bench.crank(30)
    assert bench.state is S.QUEUED
    assert len(bench.sent) == 1
    assert len(sent_commands(bench, c.FenceRun)) == 1


def test_w9_after_three_fenced_attempts_a_person_is_asked(bench: Bench) -> None:
    for _ in range(3):
        bench.crank(1)
        bench.claim()
        bench.ledger.clear_bed()
        bench.crank(40)
    assert bench.state is S.NEEDS_DECISION
    assert len(bench.sent) == len(set(bench.sent)) == 3


def test_w10_the_former_end_still_shown_is_waited_out(bench: Bench) -> None:
    bench.capability = replace(bench.capability, grace_s=90.0)
    bench.show(Phase.FINISHED, "former.gcode")
    bench.to_confirming()
    assert bench.crank(50) == "Waiting for the printer to show the start"
    assert bench.state is S.CONFIRMING
    bench.moved(job_counter=8)
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank(1)
    assert bench.state is S.PRINTING


def test_w11_a_foreign_print_before_the_intent_waits_revokes_and_is_recorded(bench: Bench) -> None:
    bench.to_uploaded()
    bench.ledger.clear_bed()
    bench.crank(1)
    bench.moved(job_counter=8)
    bench.show(Phase.PRINTING, "benchy.gcode")
    reason = bench.crank(3)
    assert "benchy.gcode" in reason
    assert bench.state is S.UPLOADED
    assert bench.ledger.printers["p1"].permit is None
    assert bench.ledger.printers["p1"].foreign == "benchy.gcode"
    bench.show(Phase.FINISHED, "benchy.gcode")
    assert bench.crank(30) == "Bed not cleared"
    assert bench.ledger.printers["p1"].foreign == ""
    assert bench.sent == []


def test_w11_a_foreign_print_that_came_and_went_unseen_revokes_by_the_signature(bench: Bench) -> None:
    bench.to_uploaded()
    bench.ledger.clear_bed()
    bench.look()
    bench.settle()
    bench.mono_ms += 1000
    bench.look()
    bench.settle()
    assert bench.ledger.printers["p1"].permit is not None
    bench.moved(job_counter=8)
    bench.mono_ms += 1000
    assert bench.crank(10) == "Bed not cleared"
    assert bench.sent == []


def test_w12_a_foreign_print_inside_the_window_is_fenced_at_once_and_asked_about(bench: Bench) -> None:
    bench.to_confirming()
    name = bench.run.remote_name
    bench.moved(job_counter=8)
    bench.show(Phase.PRINTING, "benchy.gcode")
    bench.crank(1)
    assert bench.state is S.FENCING
    assert name not in bench.files
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION
    assert bench.ledger.printers["p1"].foreign == "benchy.gcode"


@pytest.mark.parametrize("name", ["", "benchy.gcode"])
def test_w13_a_paused_printer_is_never_started(bench: Bench, name: str) -> None:
    bench.to_uploaded()
    bench.ledger.clear_bed()
    bench.crank(1)
    bench.show(Phase.PAUSED, name)
    assert "paused" in bench.crank(60)
    assert bench.state is S.UPLOADED
    assert bench.sent == []


@pytest.mark.parametrize("sent", [False, True])
def test_w14_a_reboot_inside_the_window_is_asked_about(bench: Bench, sent: bool) -> None:
    if sent:
        bench.to_confirming()
    else:
        bench.to_intended()
        bench.restart()
    bench.moved(boot="b2")
    bench.crank(1)
    assert bench.state is S.NEEDS_DECISION
    assert "restarted" in bench.run.question


def test_w15_a_person_starting_our_file_while_our_start_is_in_flight_is_one_print(bench: Bench) -> None:
    bench.reply = Reply(kind=ReplyKind.REFUSED, detail="already printing")
    bench.to_intended()
    bench.moved(job_counter=8)
    bench.show(Phase.PRINTING, bench.run.remote_name, "j9")
    bench.crank()
    assert bench.state is S.PRINTING
    assert bench.run.printer_job == "j9"
    assert bench.sent == []


def test_w16_print_again_after_the_end_is_a_foreign_print(bench: Bench) -> None:
    bench.to_printing(job_id="j1")
    bench.delete_fails = True
    bench.show(Phase.FINISHED, bench.run.remote_name, "j1")
    bench.crank(2)
    assert bench.state is S.COMPLETED
    bench.delete_fails = False
    bench.show(Phase.PRINTING, bench.run.remote_name, "j2")
    bench.crank(5)
    assert bench.state is S.COMPLETED
    assert bench.ledger.printers["p1"].foreign == bench.run.remote_name
    assert len(bench.ledger.anomalies) == 1
    assert bench.run.remote_name in bench.files, "a running file is never deleted"
    bench.show(Phase.FINISHED, bench.run.remote_name, "j2")
    bench.crank(40)
    assert bench.run.remote_deleted


def test_w16_print_again_while_the_ledger_says_printing_is_asked_about(bench: Bench) -> None:
    bench.to_printing(job_id="j1")
    bench.show(Phase.PRINTING, bench.run.remote_name, "j2")
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION
    assert "second time" in bench.run.question


def test_w17_a_replay_at_power_on_is_never_taken_for_our_print(bench: Bench) -> None:
    bench.to_printing()
    bench.moved(boot="b2")
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION
    assert "restarted" in bench.run.question


def test_w17_after_the_end_a_replay_is_an_alarm_and_no_transition(bench: Bench) -> None:
    bench.to_printing()
    bench.delete_fails = True
    bench.show(Phase.CANCELLED, bench.run.remote_name)
    bench.crank(1)
    assert bench.state is S.ABORTED
    bench.moved(boot="b2")
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank(5)
    assert bench.state is S.ABORTED
    assert len(bench.ledger.anomalies) == 1


def test_w18_ended_while_we_were_down_is_settled_by_the_evidence(bench: Bench) -> None:
    bench.to_printing(job_id="j1")
    bench.restart()
    bench.show(Phase.FINISHED, bench.run.remote_name, "j1")
    bench.crank()
    assert bench.state is S.COMPLETED


def test_w18_started_and_ended_while_we_were_down(bench: Bench) -> None:
    bench.to_intended()
    bench.restart()
    bench.moved(job_counter=8)
    bench.show(Phase.FINISHED, bench.run.remote_name)
    bench.crank()
    assert bench.state is S.COMPLETED


def test_w18_a_finish_without_the_bound_job_id_needs_the_printers_own_proof(bench: Bench) -> None:
    bench.to_printing(job_id="j1")
    bench.show(Phase.FINISHED, bench.run.remote_name)
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION
    other = Bench()
    other.to_printing(job_id="j1")
    other.show(Phase.FINISHED, other.run.remote_name, complete_evidence=True)
    other.crank()
    assert other.state is S.COMPLETED


@pytest.mark.parametrize(
    ("phase", "name"), [(Phase.IDLE, ""), (Phase.FINISHED, "other.gcode"), (Phase.PRINTING, "other.gcode")]
)
def test_w19_ended_and_overwritten_is_asked_about_after_two_looks(
    bench: Bench, phase: Phase, name: str
) -> None:
    bench.to_printing()
    bench.show(phase, name)
    bench.mono_ms += 1000
    bench.crank()
    assert bench.state is S.PRINTING
    bench.crank(3)
    assert bench.state is S.NEEDS_DECISION
    assert bench.run.question


def test_w20_cancelled_at_the_screen_is_an_operators_abort(bench: Bench) -> None:
    bench.to_printing()
    bench.show(Phase.CANCELLED, bench.run.remote_name)
    bench.crank(1)
    assert bench.state is S.ABORTED
    assert bench.run.reason == "operator_abort"


def test_an_error_with_our_name_fails_after_two_looks(bench: Bench) -> None:
    bench.to_printing()
    bench.show(Phase.ERROR, bench.run.remote_name)
    bench.mono_ms += 1000
    bench.crank()
    assert bench.state is S.PRINTING
    bench.crank(3)
    assert bench.state is S.FAILED
    assert bench.run.reason == "printer_error"


@pytest.mark.parametrize("state", ["uploaded", "confirming", "printing"])
def test_w21_what_is_not_a_full_look_moves_nothing(bench: Bench, state: str) -> None:
    {"uploaded": bench.to_uploaded, "confirming": bench.to_confirming, "printing": bench.to_printing}[state]()
    before = bench.state
    bench.ledger.clear_bed()
    bench.full = False
    bench.show(Phase.IDLE)
    bench.crank(60)
    assert bench.state is before
    bench.full = True
    bench.show(Phase.UNKNOWN)
    bench.crank(60)
    assert bench.state is before


def test_w21_an_older_look_changes_nothing(bench: Bench) -> None:
    bench.to_printing()
    bench.look()
    newest = bench.looks
    bench.mono_ms -= 5000
    bench.show(Phase.IDLE)
    bench.look()
    assert bench.looks == newest


@pytest.mark.parametrize("at", ["to_uploaded", "to_intended", "to_confirming", "to_printing"])
def test_w22_a_restart_anywhere_with_a_finishing_printer_comes_to_rest(bench: Bench, at: str) -> None:
    getattr(bench, at)()
    sent = len(bench.sent)
    bench.restart()
    bench.crank(60)
    assert bench.state in (S.UPLOADED, S.QUEUED, S.PRINTING)
    assert len(bench.sent) == sent


@pytest.mark.parametrize("at", ["to_confirming", "to_printing"])
def test_a_lost_link_alone_ends_nothing(bench: Bench, at: str) -> None:
    getattr(bench, at)()
    before = bench.state
    bench.link = Link.OFFLINE
    reason = bench.crank(3600)
    assert bench.state is before
    assert "offline" in reason
    assert bench.ledger.printers["p1"].health is Health.OFFLINE
    bench.link = Link.ONLINE
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank(1)
    assert bench.state is S.PRINTING
    assert bench.ledger.printers["p1"].health is Health.OK


def test_offline_is_told_after_five_seconds_and_a_hang_at_once(bench: Bench) -> None:
    bench.crank(1)
    bench.link = Link.OFFLINE
    bench.mono_ms += 1000
    bench.crank(4)
    assert bench.ledger.printers["p1"].health is Health.OK
    bench.mono_ms += 1000
    bench.crank()
    assert bench.ledger.printers["p1"].health is Health.OFFLINE
    other = Bench()
    other.crank(1)
    other.mono_ms += 1000
    other.look(hung=True)
    other.settle()
    assert other.ledger.printers["p1"].health is Health.OFFLINE


def test_a_server_without_its_printer_is_offline_in_plain_words(bench: Bench) -> None:
    bench.phase = Phase.OFFLINE
    bench.crank(6)
    assert bench.ledger.printers["p1"].health is Health.OFFLINE
    assert "behind it" in bench.ledger.printers["p1"].health_reason


def test_a_silent_printer_gives_an_untouched_claim_back_but_never_a_begun_one(bench: Bench) -> None:
    bench.crank(1)
    bench.claim()
    bench.link = Link.OFFLINE
    bench.crank(40)
    assert bench.state is S.QUEUED
    other = Bench()
    other.crank(1)
    other.claim()
    other.restart()
    other.link = Link.OFFLINE
    other.crank(600)
    assert other.state is S.CLAIMED


def test_no_start_without_two_looks_the_accept_lag_apart(bench: Bench) -> None:
    bench.to_uploaded()
    bench.ledger.clear_bed()
    bench.restart()
    bench.look()
    bench.settle()
    bench.mono_ms += 1000
    bench.look()
    assert bench.settle() == "Waiting for a second look"
    bench.mono_ms += 1001
    bench.look()
    step = bench.decide()
    assert isinstance(step, Submit)
    assert isinstance(step.command, c.IntendStart)


def test_an_interrupted_series_of_looks_begins_anew(bench: Bench) -> None:
    bench.to_uploaded()
    bench.ledger.clear_bed()
    bench.crank(1)
    bench.show(Phase.BUSY)
    bench.mono_ms += 1000
    bench.look()
    bench.settle()
    bench.show(Phase.IDLE)
    bench.mono_ms += 1000
    bench.look()
    assert bench.settle() == "Waiting for a second look"


def test_a_stale_look_starts_nothing(bench: Bench) -> None:
    bench.to_intended()
    bench.mono_ms += 7_000
    assert not isinstance(bench.decide(), SendStart)


def test_a_permit_is_bound_only_by_a_look_begun_after_it(bench: Bench) -> None:
    bench.crank(3)
    bench.ledger.clear_bed()
    assert bench.settle() == "Nothing is queued for it"
    permit = bench.ledger.printers["p1"].permit
    assert permit is not None
    assert permit.signature is None
    bench.mono_ms += 1000
    bench.crank()
    permit = bench.ledger.printers["p1"].permit
    assert permit is not None
    assert permit.signature == bench.boot


def test_a_permit_given_while_a_print_runs_is_revoked(bench: Bench) -> None:
    bench.show(Phase.PRINTING, "benchy.gcode")
    bench.crank(1)
    bench.ledger.clear_bed()
    bench.crank(2)
    assert bench.ledger.printers["p1"].permit is None


def test_the_file_of_an_ended_attempt_goes_before_a_permit_is_bound(bench: Bench) -> None:
    bench.to_printing()
    bench.show(Phase.FINISHED, bench.run.remote_name)
    bench.delete_fails = True
    bench.crank(1)
    bench.delete_fails = False
    bench.ledger.clear_bed()
    bench.crank(10)
    deleted = next(i for i, x in enumerate(bench.ledger.log) if isinstance(x, c.RemoteDeleted))
    bound = max(i for i, x in enumerate(bench.ledger.log) if isinstance(x, c.BindPermit))
    assert deleted < bound


@pytest.mark.parametrize(
    ("health", "word"), [(Health.DEGRADED, "acknowledgement"), (Health.OUT_OF_SERVICE, "Out of service")]
)
def test_a_printer_out_of_trust_starts_nothing_and_says_why(bench: Bench, health: Health, word: str) -> None:
    bench.to_uploaded()
    bench.ledger.add_printer(health=health, health_reason="thermal")
    bench.ledger.clear_bed()
    assert word in bench.crank(20)
    assert bench.sent == []


def test_a_start_on_its_way_is_not_fenced_before_it_is_answered(bench: Bench) -> None:
    bench.reply = None
    bench.to_intended()
    bench.settle()
    assert len(bench.sent) == 1
    assert bench.crank(40) == "The start is on its way"
    bench.memory.in_flight = False
    bench.memory.reply = Reply(kind=ReplyKind.NO_REPLY)
    bench.crank(10)
    assert bench.state is S.QUEUED


def test_a_file_that_cannot_be_removed_is_put_before_a_person(bench: Bench) -> None:
    bench.delete_fails = True
    bench.to_confirming()
    bench.crank(120)
    assert bench.state is S.NEEDS_DECISION
    assert "may still start" in bench.run.question


def test_the_fence_holds_only_at_the_baseline(bench: Bench) -> None:
    bench.to_confirming()
    bench.crank(19)
    bench.moved(job_counter=8)
    bench.crank(10)
    assert bench.state is S.NEEDS_DECISION


def test_a_refused_edge_never_holds_up_the_protocol(bench: Bench) -> None:
    bench.to_uploaded()
    bench.show(Phase.PRINTING, "benchy.gcode")
    bench.look()
    step = bench.decide()
    assert isinstance(step, Submit)
    bench.memory.failed(step.key, "refused", bench.mono_ms)
    assert isinstance(bench.decide(), Wait)


def test_w8_a_reply_that_comes_after_the_looks_is_recorded_all_the_same(bench: Bench) -> None:
    bench.reply = None
    bench.to_intended()
    bench.settle()
    bench.show(Phase.PRINTING, bench.run.remote_name)
    bench.crank(1)
    assert bench.state is S.PRINTING
    bench.memory.in_flight = False
    bench.memory.reply = Reply(kind=ReplyKind.REFUSED, detail="no")
    bench.crank()
    assert bench.state is S.PRINTING
    assert bench.run.reply == "refused"


def test_a_person_who_adopted_is_not_asked_the_same_again(bench: Bench) -> None:
    bench.to_printing(job_id="j1")
    bench.moved(boot="b2")
    bench.show(Phase.PRINTING, bench.run.remote_name, "j2")
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION
    bench.ledger._set(bench.run, state=S.PRINTING, question="")
    bench.crank(30)
    assert bench.state is S.PRINTING
    bench.moved(boot="b3")
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION


def test_a_person_who_keeps_is_asked_again_only_when_something_changes(bench: Bench) -> None:
    bench.to_printing()
    bench.show(Phase.IDLE)
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION
    bench.ledger._set(bench.run, state=S.PRINTING, question="")
    bench.crank(30)
    assert bench.state is S.PRINTING
    bench.show(Phase.FINISHED, "other.gcode")
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION


def test_the_file_of_an_attempt_that_never_ran_is_removed_when_it_goes_back(bench: Bench) -> None:
    bench.to_confirming()
    name = bench.run.remote_name
    bench.moved(boot="b2")
    bench.crank(1)
    assert bench.state is S.NEEDS_DECISION
    assert name in bench.files
    bench.ledger._set(bench.run, state=S.QUEUED, printer_id=None)
    bench.crank(1)
    assert name not in bench.files


def test_w19_the_printers_record_of_our_file_settles_what_was_overwritten(bench: Bench) -> None:
    bench.to_printing()
    bench.record = RemoteFile(name=bench.run.remote_name, size=100, successes=1, failures=0)
    bench.show(Phase.FINISHED, "other.gcode")
    bench.crank(5)
    assert bench.state is S.COMPLETED
    assert "1 finished" in bench.run.reason_text


def test_w19_an_unfinished_print_on_record_is_put_before_a_person(bench: Bench) -> None:
    bench.to_printing()
    bench.record = RemoteFile(name=bench.run.remote_name, size=100, successes=0, failures=1)
    bench.show(Phase.IDLE)
    bench.crank(5)
    assert bench.state is S.NEEDS_DECISION
    assert "ended early" in bench.run.question


def test_w19_started_ended_and_overwritten_while_we_were_down(bench: Bench) -> None:
    bench.to_intended()
    bench.restart()
    bench.record = RemoteFile(name=bench.run.remote_name, size=100, successes=1, failures=0)
    bench.moved(job_counter=9)
    bench.show(Phase.FINISHED, "other.gcode")
    bench.crank(40)
    assert bench.state is S.COMPLETED


def test_the_brake_lets_a_name_go_once_and_stops_everything_after_a_breach(bench: Bench) -> None:
    bench.to_intended()
    step = bench.decide()
    assert isinstance(step, SendStart)
    brake = Brake()
    assert brake.release(bench.situation(), step)
    assert brake.reason == ""
    assert not brake.release(bench.situation(), step)
    assert "second time" in brake.reason
    other = Bench()
    other.to_intended()
    fine = other.decide()
    assert isinstance(fine, SendStart)
    assert not brake.release(other.situation(), replace(fine, name="k_other"))


@pytest.mark.parametrize(
    ("breach", "words"),
    [("busy", "not known to rest"), ("state", "without a committed intent"), ("permit", "bed-clear permit")],
)
def test_the_brake_knows_each_breach(bench: Bench, breach: str, words: str) -> None:
    bench.to_intended()
    step = bench.decide()
    assert isinstance(step, SendStart)
    match breach:
        case "busy":
            bench.show(Phase.PRINTING, "benchy.gcode")
            bench.look()
        case "state":
            bench.ledger._set(bench.run, state=S.CONFIRMING)
        case "permit":
            bench.ledger._set(bench.run, permit_id=None)
    brake = Brake()
    assert not brake.release(bench.situation(), step)
    assert words in brake.reason
