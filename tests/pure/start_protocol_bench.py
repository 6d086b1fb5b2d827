"""A bench for the pure start protocol: a ledger in memory, a printer whose looks the test writes by hand, and a
hand-turned crank that performs each step at once."""

from msgspec.structs import replace

from core.contract import (
    BootSignature,
    Capability,
    Link,
    Observation,
    Phase,
    PrinterJob,
    RemoteFile,
    Reply,
    ReplyKind,
)
from core.controllers.looks import Look, Looks
from core.controllers.start_protocol import next_step
from core.controllers.steps import (
    DoDelete,
    DoReadBack,
    DoUpload,
    DoWitness,
    Memory,
    ReadBack,
    SendStart,
    Situation,
    Step,
    Submit,
    Wait,
)
from core.domain.commands import ClaimRun, IntendStart, NoteAnomaly, StartReplied
from core.domain.objects import Run
from core.domain.words import RunState
from core.kernel.ports import Stamp
from tests.kernel.fake_kernel import FakeLedger, Refused

CAPABILITY = Capability(adapter="bench", accept_lag_s=2.0, grace_s=20.0, poll_s=1.0)


class Bench:
    """Time, the printer's face and its files; `sent` are the starts that left us."""

    def __init__(self) -> None:
        self.mono_ms = 1_000_000
        self.boot_id = "computer_1"
        self.ledger = FakeLedger(self.stamp)
        self.ledger.add_printer()
        self.memory = Memory()
        self.looks = Looks()
        self.capability = CAPABILITY
        self.files: dict[str, int] = {}
        self.sent: list[str] = []
        self.reply: Reply | None = Reply(kind=ReplyKind.ACCEPTED)
        self.delete_fails = False
        self.record: RemoteFile | None = None
        self.upload_size: int | None = None
        self.phase = Phase.IDLE
        self.job = PrinterJob()
        self.boot = BootSignature(boot="b1", job_counter=7)
        self.link = Link.ONLINE
        self.full = True
        self.steps: list[Step] = []

    def stamp(self) -> Stamp:
        return Stamp(
            wall_ns=1_700_000_000 * 10**9 + self.mono_ms * 10**6,
            mono_ns=self.mono_ms * 10**6,
            boot_id=self.boot_id,
        )

    @property
    def run(self) -> Run:
        return self.ledger.runs["run_a"]

    @property
    def state(self) -> RunState:
        return self.run.state

    def show(self, phase: Phase, name: str = "", job_id: str | None = None, **more: object) -> None:
        """From now on the printer shows this."""
        self.phase = phase
        self.job = PrinterJob(remote_file=name, job_id=job_id, **more)

    def moved(self, **fields: object) -> None:
        """The printer's signature changes."""
        self.boot = replace(self.boot, **fields)

    def look(self, hung: bool = False) -> None:
        obs = Observation(
            seen_at=self.mono_ms / 1000,
            link=self.link,
            phase=self.phase if self.link is Link.ONLINE else Phase.OFFLINE,
            full=self.full and self.link is Link.ONLINE,
            printer_job=self.job,
            boot=self.boot,
        )
        self.looks = self.looks.after(Look(at_ms=self.mono_ms, obs=obs, hung=hung))

    def situation(self) -> Situation:
        printer, run, leftovers = self.ledger.rows()
        self.memory.enter(run, printer, self.looks, self.mono_ms)
        return Situation(
            printer=printer,
            run=run,
            leftovers=leftovers,
            looks=self.looks,
            capability=self.capability,
            now=self.stamp(),
            memory=self.memory,
        )

    def decide(self) -> Step:
        return next_step(self.situation())

    def perform(self, step: Step) -> None:
        m = self.memory
        match step:
            case Submit(command=command, key=key):
                try:
                    self.ledger.apply(command)
                except Refused as refused:
                    m.failed(key, str(refused), self.mono_ms)
                    return
                if isinstance(command, IntendStart):
                    m.unsent = True
                if isinstance(command, StartReplied):
                    m.reply = None
                if isinstance(command, NoteAnomaly):
                    m.noted.add(key)
            case DoUpload(run=run):
                m.upload_begun = True
                m.read_back = None
                self.files[run.remote_name] = self.upload_size or run.gcode_size
                m.uploaded = True
            case DoReadBack(run=run):
                size = self.files.get(run.remote_name)
                found = None if size is None else RemoteFile(name=run.remote_name, size=size)
                m.read_back = ReadBack(remote=found)
                if size != run.gcode_size:
                    m.uploaded = False
                    m.failed("upload", "read back differs", self.mono_ms)
            case DoWitness(run=run):
                m.witness = ReadBack(remote=self.record)
            case DoDelete(name=name):
                if self.delete_fails:
                    m.failed(f"delete:{name}", "refused", self.mono_ms)
                else:
                    self.files.pop(name, None)
                    m.gone[name] = self.mono_ms
            case SendStart(name=name):
                m.unsent = False
                m.sent = True
                self.sent.append(name)
                m.reply = self.reply
                m.in_flight = self.reply is None
            case Wait():
                pass

    def crank(self, seconds: float = 0.0) -> str:
        """Look once a second for so long, performing everything; answers the last reason to wait."""
        until = self.mono_ms + int(seconds * 1000)
        while True:
            self.look()
            reason = self.settle()
            if self.mono_ms >= until:
                return reason
            self.mono_ms += 1000

    def settle(self) -> str:
        """Perform until there is nothing to do with what was seen."""
        for _ in range(20):
            step = self.decide()
            self.steps.append(step)
            if isinstance(step, Wait):
                return step.reason
            self.perform(step)
        raise AssertionError(f"does not come to rest: {self.steps[-3:]}")

    def restart(self) -> None:
        """kill -9 of the core: only the rows stay."""
        self.memory = Memory()
        self.looks = Looks()

    def claim(self) -> None:
        if "run_a" not in self.ledger.runs:
            self.ledger.queue()
        self.ledger.apply(ClaimRun(run_id="run_a", printer_id="p1", expected_digest="ab" * 32))

    def to_uploaded(self) -> None:
        """Claimed and uploaded, without a permit."""
        self.crank()
        self.claim()
        self.crank()
        assert self.state is RunState.UPLOADED

    def to_intended(self) -> None:
        """The intent is committed and nothing was sent."""
        self.to_uploaded()
        self.ledger.clear_bed()
        self.settle()
        for _ in range(10):
            self.mono_ms += 1000
            self.look()
            step = self.decide()
            while isinstance(step, Submit):
                self.perform(step)
                if self.state is RunState.INTENDED:
                    return
                step = self.decide()
        raise AssertionError(f"never intended: {step}")

    def to_confirming(self) -> None:
        """The start was sent and answered; the printer shows nothing of it yet."""
        self.to_intended()
        self.settle()
        assert self.state is RunState.CONFIRMING
        assert len(self.sent) == 1

    def to_printing(self, job_id: str | None = None) -> None:
        self.to_confirming()
        self.mono_ms += 1000
        self.moved(job_counter=8)
        self.show(Phase.PRINTING, self.run.remote_name, job_id)
        self.crank()
        assert self.state is RunState.PRINTING
