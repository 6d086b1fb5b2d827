"""The fleet thread with a scripted printer and a kernel in memory: what is performed, how often, and what one
printer's trouble does to the others. The order of the protocol itself is the pure tests' matter."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.contract import Phase, ReplyKind
from core.controllers.fleet import Fleet
from core.controllers.live import LiveStore
from core.domain import commands as c
from core.domain.words import Health, RunState
from core.kernel.system import SystemClock
from core.ledger.artifacts import FileArtifacts
from tests.kernel.fake_kernel import FakeKernel, FakeLedger
from tests.kernel.fake_printer import FakeAdapter, FakePrinter, gcode_in

S = RunState


class Site:
    """A kernel in memory, machines, and a fleet that can be killed and begun anew."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.ledger = FakeLedger(self.clock.stamp)
        self.kernel = FakeKernel(self.ledger)
        self.artifacts = FileArtifacts(folder / "artifacts")
        self.machines: dict[str, FakePrinter] = {}
        self.live = LiveStore()
        self.fleet: Fleet | None = None

    def add(self, printer_id: str = "p1") -> FakePrinter:
        self.machines[printer_id] = FakePrinter()
        self.ledger.add_printer(printer_id)
        return self.machines[printer_id]

    def start(self) -> None:
        self.fleet = Fleet(
            self.kernel,
            self.artifacts,
            lambda printer: FakeAdapter(self.machines[printer.printer_id]),
            self.clock,
            self.live,
        )
        self.fleet.start()

    def stop(self) -> None:
        if self.fleet is not None:
            self.fleet.stop()
            self.fleet = None

    def restart(self) -> None:
        """The core is gone and another life of it begins."""
        self.stop()
        self.kernel = FakeKernel(self.ledger, incarnation="life_2")
        self.live = LiveStore()
        self.start()

    def queue(self, run_id: str = "run_a", printer_id: str = "p1") -> None:
        self.ledger.queue(run_id, **gcode_in(self.artifacts))
        self.claim(run_id, printer_id)

    def claim(self, run_id: str = "run_a", printer_id: str = "p1") -> None:
        body = c.ClaimRun(run_id=run_id, printer_id=printer_id, expected_digest="")
        self.kernel.submit(c.Envelope(key=f"claim:{run_id}:{time.monotonic_ns()}", body=body))

    def clear(self, printer_id: str = "p1") -> None:
        with self.kernel.lock:
            self.ledger.clear_bed(printer_id)
        self.kernel.changed()

    def wish(self, kind: str, run_id: str = "run_a", incarnation: str = "") -> str:
        with self.kernel.lock:
            effect = self.ledger.wish(kind, run_id, incarnation or self.kernel.incarnation)
        self.kernel.changed()
        return effect.effect_id

    def state(self, run_id: str = "run_a") -> RunState:
        return self.ledger.runs[run_id].state

    def until(self, what: Callable[[], object], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, (self.ledger.runs, self.live.all(), self.ledger.log[-5:])
            time.sleep(0.02)

    def to_printing(self) -> None:
        self.queue()
        self.clear()
        self.until(lambda: self.state() is S.PRINTING)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.stop()


def test_from_the_claim_to_the_end_with_one_start(site: Site) -> None:
    machine = site.add()
    site.start()
    site.to_printing()
    name = site.ledger.runs["run_a"].remote_name
    assert machine.starts == [name]
    assert site.ledger.runs["run_a"].printer_job == "j1"
    machine.end()
    site.until(lambda: site.state() is S.COMPLETED and site.ledger.runs["run_a"].remote_deleted)
    assert machine.files == {}
    assert site.live.get("p1").observation is not None
    assert site.live.history("p1")


def test_the_reason_why_nothing_starts_is_visible(site: Site) -> None:
    site.add()
    site.start()
    site.queue()
    site.until(lambda: site.live.get("p1").block == "Bed not cleared")
    assert site.state() is S.UPLOADED


def test_a_core_that_dies_while_the_start_is_on_its_way_never_starts_again(site: Site) -> None:
    machine = site.add()
    machine.hang_start_s = 60
    site.start()
    site.queue()
    site.clear()
    site.until(lambda: machine.starts)
    site.restart()
    site.until(lambda: site.state() is S.PRINTING)
    assert len(machine.starts) == 1


def test_a_core_that_dies_before_the_send_fences_and_needs_a_new_permit(site: Site) -> None:
    machine = site.add()
    site.queue()
    site.clear()
    run = site.ledger.runs["run_a"]
    machine.files[run.remote_name] = b"G28\nG1 X10\n"
    site.ledger.apply(c.RunUploaded(run_id="run_a", remote_name=run.remote_name, size=run.gcode_size))
    permit = site.ledger.printers["p1"].permit
    assert permit is not None
    site.ledger.apply(c.BindPermit(printer_id="p1", permit_id=permit.permit_id, signature=machine.boot))
    site.ledger.apply(
        c.IntendStart(run_id="run_a", permit_id=permit.permit_id, baseline=machine.boot, grace_ms=1000)
    )
    site.start()
    site.until(lambda: site.state() is S.QUEUED)
    assert machine.starts == []
    assert machine.files == {}
    site.claim()
    site.until(lambda: site.live.get("p1").block == "Bed not cleared")
    site.clear()
    site.until(lambda: site.state() is S.PRINTING)
    assert len(machine.starts) == 1


def test_an_accepted_start_that_does_nothing_is_fenced(site: Site) -> None:
    machine = site.add()
    machine.start_works = False
    site.start()
    site.queue()
    site.clear()
    site.until(lambda: site.state() is S.QUEUED and machine.starts)
    assert len(machine.starts) == 1
    assert machine.files == {}


def test_an_intent_whose_answer_was_lost_is_never_sent(site: Site) -> None:
    machine = site.add()
    site.kernel.lose_answer_of = c.IntendStart
    site.start()
    site.queue()
    site.clear()
    site.until(lambda: site.ledger.runs["run_a"].attempt == 1 and site.state() is S.QUEUED)
    assert machine.starts == []
    assert machine.files == {}


def test_a_refusal_is_evidence_only(site: Site) -> None:
    machine = site.add()
    machine.reply = ReplyKind.REFUSED
    site.start()
    site.to_printing()
    site.until(lambda: site.ledger.runs["run_a"].reply == "refused")
    assert site.state() is S.PRINTING


def test_a_bug_in_start_never_leads_to_a_second_start(site: Site) -> None:
    machine = site.add()
    machine.bug_in = "start"
    machine.start_works = False
    site.start()
    site.queue()
    site.clear()
    site.until(lambda: site.state() is S.QUEUED and machine.starts, 15)
    assert len(machine.starts) == 1
    assert any("ZeroDivisionError" in text for text in site.ledger.anomalies)


def test_one_adapters_bug_stays_with_its_printer(site: Site) -> None:
    broken, well = site.add("p1"), site.add("p2")
    broken.bug_in = "observe"
    site.start()
    site.until(lambda: site.ledger.printers["p1"].health is Health.OFFLINE)
    assert "ZeroDivisionError" in site.live.get("p1").block
    site.ledger.queue("run_b", **gcode_in(site.artifacts))
    site.claim("run_b", "p2")
    site.clear("p2")
    site.until(lambda: site.state("run_b") is S.PRINTING)
    assert len(well.starts) == 1
    assert len(site.ledger.anomalies) == 1
    broken.bug_in = ""
    site.until(lambda: site.ledger.printers["p1"].health is Health.OK, 20)


def test_pause_resume_and_cancel_are_sent_once_and_set_aside(site: Site) -> None:
    machine = site.add()
    site.start()
    site.to_printing()
    paused = site.wish("pause")
    site.until(lambda: site.state() is S.PAUSED and paused in site.ledger.set_aside)
    resumed = site.wish("resume")
    site.until(lambda: site.state() is S.PRINTING and resumed in site.ledger.set_aside)
    site.wish("cancel")
    site.until(lambda: site.state() is S.ABORTED)
    assert machine.calls == ["pause", "resume", "cancel"]
    assert site.ledger.set_aside[paused] == "accepted"


def test_a_wish_of_a_former_life_is_set_aside_and_never_sent(site: Site) -> None:
    machine = site.add()
    site.start()
    site.to_printing()
    effect = site.wish("cancel", incarnation="life_0")
    site.until(lambda: effect in site.ledger.set_aside)
    assert site.ledger.set_aside[effect] == "lost with restart"
    assert machine.calls == []
    assert site.ledger.anomalies == ["cancel as asked for: lost with restart"]


def test_a_cancel_never_reaches_a_foreign_print(site: Site) -> None:
    machine = site.add()
    site.start()
    site.to_printing()
    machine.run("benchy.gcode")
    site.until(lambda: site.ledger.printers["p1"].foreign == "benchy.gcode")
    site.wish("cancel")
    site.until(lambda: site.state() is S.NEEDS_DECISION)
    time.sleep(0.6)
    assert machine.calls == []


def test_a_cancel_while_the_start_is_unclear_ends_an_attempt_that_never_ran(site: Site) -> None:
    machine = site.add()
    machine.start_works = False
    site.start()
    site.queue()
    site.clear()
    site.until(lambda: machine.starts)
    site.wish("cancel")
    site.until(lambda: site.state() is S.ABORTED)
    assert machine.calls == []


def test_an_aborted_upload_stops_and_leaves_nothing_behind(site: Site) -> None:
    machine = site.add()
    machine.upload_s = 3.0
    site.start()
    site.queue()
    site.until(lambda: site.live.get("p1").upload is not None and machine.uploads == 1)
    body = c.AbortRun(run_id="run_a")
    site.kernel.submit(c.Envelope(key="abort", body=body))
    site.until(lambda: site.ledger.runs["run_a"].remote_deleted)
    time.sleep(3.2)
    assert machine.files == {}
    assert site.live.get("p1").upload is None


def test_damaged_gcode_is_never_sent(site: Site) -> None:
    machine = site.add()
    site.start()
    site.ledger.queue("run_a", **gcode_in(site.artifacts))
    sha = site.ledger.runs["run_a"].gcode_sha256
    stored = site.artifacts.root / sha[:2] / sha
    stored.chmod(0o600)
    stored.write_bytes(b"G28\nG1 X99\n")
    site.claim()
    site.until(lambda: "damaged" in site.live.get("p1").block)
    assert machine.uploads == 0


def test_an_upload_that_keeps_failing_gives_the_printer_back_and_holds_it(site: Site) -> None:
    machine = site.add()
    machine.bug_in = ""
    site.start()
    site.until(lambda: site.live.get("p1").answered_at is not None)

    async def refuse(*_: object, **__: object) -> None:
        from core.contract import NotPossible

        raise NotPossible("the card is full")

    original = FakeAdapter.upload
    FakeAdapter.upload = refuse  # type: ignore[method-assign,assignment]  # a printer whose card is full
    try:
        site.queue()
        site.until(lambda: site.state() is S.QUEUED, 15)
    finally:
        FakeAdapter.upload = original  # type: ignore[method-assign]  # the good one again
    site.until(lambda: "card is full" in site.live.get("p1").hold_reason)
    assert site.live.get("p1").hold_until > site.clock.monotonic()


def test_switched_off_is_told_and_comes_back_by_itself(site: Site) -> None:
    machine = site.add()
    site.start()
    site.to_printing()
    machine.offline = True
    site.until(lambda: site.ledger.printers["p1"].health is Health.OFFLINE, 12)
    assert site.state() is S.PRINTING
    machine.offline = False
    assert site.fleet is not None
    site.fleet.refresh("p1")
    site.until(lambda: site.ledger.printers["p1"].health is Health.OK, 3)
    assert site.state() is S.PRINTING


def test_a_query_that_hangs_is_offline_and_blinds_nobody_else(site: Site) -> None:
    stuck, well = site.add("p1"), site.add("p2")
    stuck.hang = True
    site.start()
    site.until(lambda: site.ledger.printers["p1"].health is Health.OFFLINE, 12)
    assert "did not answer in time" in site.ledger.printers["p1"].health_reason
    assert well.looks > 10


def test_printers_come_and_go_while_it_runs(site: Site) -> None:
    site.start()
    site.add("p9")
    site.kernel.changed()
    site.until(lambda: site.live.get("p9").answered_at is not None)
    with site.kernel.lock:
        del site.ledger.printers["p9"]
    site.kernel.changed()
    site.until(lambda: "p9" not in site.live.all())


def test_stop_is_quick_even_with_a_hanging_printer(site: Site) -> None:
    site.add("p1").hang = True
    site.add("p2").upload_s = 60
    site.start()
    site.ledger.queue("run_b", **gcode_in(site.artifacts))
    site.claim("run_b", "p2")
    site.until(lambda: site.machines["p2"].uploads == 1)
    begun = time.monotonic()
    site.stop()
    assert time.monotonic() - begun < 3.0


def test_a_paused_machine_is_left_alone(site: Site) -> None:
    machine = site.add()
    machine.phase = Phase.PAUSED
    site.start()
    site.queue()
    site.clear()
    time.sleep(1.5)
    assert machine.starts == []
    assert site.state() is S.UPLOADED
    assert "paused" in site.live.get("p1").block


def test_a_removed_printer_is_let_go_even_if_its_library_swallows_a_cancellation(site: Site) -> None:
    machine = site.add("p1")
    machine.hang = machine.swallows_a_cancellation = True
    site.start()
    site.until(lambda: machine.looks)
    with site.kernel.lock:
        del site.ledger.printers["p1"]
    site.kernel.changed()
    site.until(lambda: not machine.swallows_a_cancellation and "p1" not in site.live.all())
    looks = machine.looks
    machine.hang = False
    time.sleep(1.0)
    assert machine.looks == looks


def test_a_tripped_guarantee_stops_starts_everywhere_and_watching_nowhere(site: Site) -> None:
    first, second = site.add("p1"), site.add("p2")
    site.start()
    assert site.fleet is not None
    site.to_printing()
    site.fleet._shared.brake._reason = "All starts are stopped: a test said so."
    site.ledger.queue("run_b", **gcode_in(site.artifacts))
    site.claim("run_b", "p2")
    site.clear("p2")
    site.until(lambda: "a test said so" in site.live.get("p2").block)
    assert second.starts == []
    first.end()
    site.until(lambda: site.state() is S.COMPLETED)
    assert "a test said so" in site.fleet.stopped_starts
