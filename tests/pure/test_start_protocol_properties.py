"""Random worlds against the pure start protocol: whatever the printer shows and whenever we are killed, no name
is started twice, nothing is started without an own intent, on a busy printer, or without a permit."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.contract import Link, Phase, PrinterJob, Reply, ReplyKind
from core.controllers.steps import SendStart, Step, Submit
from core.domain import commands as c
from core.domain.words import RunState
from tests.kernel.fake_kernel import Refused
from tests.pure.start_protocol_bench import Bench

NAMES = st.sampled_from(["", "ours", "benchy.gcode", "k_older_1_n1.gcode"])


class Judge(Bench):
    """A bench that checks each start at the moment when it would leave."""

    def __init__(self) -> None:
        super().__init__()
        self.intended_here: set[str] = set()
        self.last_seen: list[tuple[int, Phase]] = []

    def restart(self) -> None:
        super().restart()
        self.intended_here.clear()
        self.last_seen.clear()

    def look(self, hung: bool = False) -> None:
        super().look(hung)
        latest = self.looks.latest
        assert latest is not None
        if latest.at_ms == self.mono_ms:
            self.last_seen.append((latest.at_ms, latest.obs.phase if latest.snapshot else Phase.UNKNOWN))

    def perform(self, step: Step) -> None:
        if isinstance(step, Submit) and isinstance(step.command, c.IntendStart):
            self.intended_here.add(self.run.remote_name)
            self.check_two_looks()
        if isinstance(step, SendStart):
            assert step.name not in self.sent, "a second start under one name"
            assert step.name in self.intended_here, "a start without an intent of this incarnation"
            assert self.run.state is RunState.INTENDED
            assert self.run.permit_id is not None
            assert self.last_seen[-1][1].startable, "a start on a printer that is not known to be at rest"
            assert self.mono_ms - self.last_seen[-1][0] <= 6_000, "a start on an old look"
            assert self.looks.latest is not None
            assert self.looks.latest.obs.boot == self.run.baseline, "a start on a printer that was used since"
            deadline = self.run.deadline
            assert deadline is not None
            assert self.mono_ms < deadline.mono_ms, "a start after its own deadline"
        if isinstance(step, Submit) and isinstance(step.command, c.FenceHeld):
            assert self.run.remote_name not in self.files, "a fence with the file still there"
            assert self.boot == self.run.baseline, "a fence on a printer that was used since"
            assert self.phase.startable
            gone_at = self.memory.gone[self.run.remote_name]
            assert self.last_seen[-1][0] - gone_at >= 2_000, "a fence without a look after the removal"
        super().perform(step)

    def check_two_looks(self) -> None:
        newest = self.last_seen[-1][0]
        for at, phase in reversed(self.last_seen):
            assert phase.startable, "an intent after an interrupted series of looks"
            if newest - at >= 2_000:
                return
        raise AssertionError("an intent without two looks the accept-lag apart")


class Worlds(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.bench = Judge()
        self.bench.ledger.queue()

    @rule(
        phase=st.sampled_from(list(Phase)),
        name=NAMES,
        job=st.sampled_from([None, "j1", "j2"]),
        done=st.booleans(),
        full=st.sampled_from([True, True, True, False]),
        link=st.sampled_from([Link.ONLINE] * 5 + [Link.OFFLINE, Link.UNAUTHORISED]),
        seconds=st.integers(0, 30),
    )
    def printer_shows(
        self, phase: Phase, name: str, job: str | None, done: bool, full: bool, link: Link, seconds: int
    ) -> None:
        b = self.bench
        b.phase, b.full, b.link = phase, full, link
        shown = b.run.remote_name if name == "ours" else name
        b.job = PrinterJob(remote_file=shown, job_id=job, complete_evidence=done)
        b.crank(seconds)

    @rule(seconds=st.integers(1, 40))
    def rests(self, seconds: int) -> None:
        self.bench.full, self.bench.link = True, Link.ONLINE
        self.bench.show(Phase.IDLE)
        self.bench.crank(seconds)

    @rule(seconds=st.integers(0, 9))
    def time_passes_unobserved(self, seconds: int) -> None:
        self.bench.mono_ms += seconds * 1000
        self.bench.settle()

    @rule()
    def one_step_only(self) -> None:
        self.bench.perform(self.bench.decide())

    @rule(
        first=st.sampled_from(["nothing", "other phase", "moved", "unseen", "restart", "late"]),
        phase=st.sampled_from(list(Phase)),
        name=NAMES,
    )
    def in_the_window(self, first: str, phase: Phase, name: str) -> None:
        """A fresh world right after its intent was committed; something happens before the start leaves."""
        b = self.bench = Judge()
        b.to_intended()
        shown = b.run.remote_name if name == "ours" else name
        match first:
            case "other phase":
                b.show(phase, shown)
                b.look()
            case "moved":
                b.moved(job_counter=99)
                b.look()
            case "unseen":
                b.mono_ms += 8_000
            case "late":
                b.mono_ms += 60_000
                b.look()
            case "restart":
                b.restart()
                b.look()
        b.settle()
        if first == "nothing":
            b.show(phase, shown)
        b.look()
        b.settle()

    @rule()
    def killed(self) -> None:
        self.bench.restart()

    @rule()
    def computer_reboots(self) -> None:
        self.bench.restart()
        self.bench.boot_id += "'"
        self.bench.mono_ms = 10_000

    @rule()
    def signature_moves(self) -> None:
        self.bench.moved(job_counter=(self.bench.boot.job_counter or 0) + 1)

    @rule()
    def printer_reboots(self) -> None:
        self.bench.moved(boot=self.bench.boot.boot + "'")

    @rule(kind=st.sampled_from(list(ReplyKind)))
    def replies_change(self, kind: ReplyKind) -> None:
        self.bench.reply = Reply(kind=kind)

    @rule(fails=st.booleans())
    def deletes_change(self, fails: bool) -> None:
        self.bench.delete_fails = fails

    @rule()
    def bed_cleared(self) -> None:
        self.bench.ledger.clear_bed()

    @precondition(lambda self: self.bench.state is RunState.QUEUED)
    @rule()
    def claimed(self) -> None:
        self.bench.claim()

    @precondition(lambda self: self.bench.state.terminal or self.bench.state is RunState.NEEDS_DECISION)
    @rule()
    def a_new_attempt_takes_its_place(self) -> None:
        b = self.bench
        old = b.run
        b.ledger.runs = {
            "run_a": b.ledger.queue("run_a", version=old.version + 1, attempt=old.attempt),
        }

    @invariant()
    def each_name_started_once(self) -> None:
        assert len(self.bench.sent) == len(set(self.bench.sent))

    @invariant()
    def no_command_was_out_of_order(self) -> None:
        """The ledger of the bench refuses what is out of order; the protocol must not even ask."""
        refused = [key for key in self.bench.memory.tries if ":" in key and not key.startswith("delete")]
        assert refused == []


class Quiet(RuleBasedStateMachine):
    """After the faults stop, every attempt comes to rest in a bound (invariant 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Worlds()

    @rule(data=st.data(), steps=st.integers(1, 12))
    def chaos_then_quiet(self, data: st.DataObject, steps: int) -> None:
        b = self.inner.bench
        for _ in range(steps):
            act = data.draw(st.sampled_from(["claim", "bed", "kill", "run", "idle", "other", "off", "move"]))
            match act:
                case "claim":
                    try:
                        b.claim()
                    except Refused:
                        continue
                case "bed":
                    b.ledger.clear_bed()
                case "kill":
                    b.restart()
                case "run":
                    b.link = Link.ONLINE
                    b.show(Phase.PRINTING, b.run.remote_name)
                case "idle":
                    b.link = Link.ONLINE
                    b.show(Phase.IDLE)
                case "other":
                    b.link = Link.ONLINE
                    b.show(Phase.PRINTING, "benchy.gcode")
                case "off":
                    b.link = Link.OFFLINE
                case "move":
                    b.moved(job_counter=(b.boot.job_counter or 0) + 1)
            b.crank(data.draw(st.integers(0, 30)))
        b.link, b.full, b.delete_fails = Link.ONLINE, True, False
        b.show(Phase.IDLE)
        b.ledger.clear_bed()
        b.crank(150)
        at_rest = (RunState.QUEUED, RunState.NEEDS_DECISION)
        assert b.state in at_rest or b.state.terminal, b.state


TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQuiet = Quiet.TestCase
TestQuiet.settings = settings(max_examples=60, stateful_step_count=3, deadline=None)
