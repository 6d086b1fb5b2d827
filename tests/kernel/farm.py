"""A site for tests of the fleet: the real kernel, the fleet and the dispatcher, with adapters that a test makes."""

import time
from collections.abc import Callable
from pathlib import Path

from core.catalog import load_materials, load_printer_models
from core.contract import Adapter
from core.controllers.dispatch import Dispatcher
from core.controllers.fleet import Fleet
from core.controllers.live import LiveStore
from core.domain import commands as cmd
from core.domain.objects import DroppedPart, GateSummary, Printer, Run, SlicerPin
from core.domain.policy import Policy
from core.domain.words import Actor, QualityTier, RunState, Verdict
from core.kernel.kernel import LedgerKernel
from core.kernel.system import RandomIds, SystemClock
from core.kernel.transaction import World
from core.ledger.artifacts import FileArtifacts

MODEL = "prusa_mk3s"


class Farm:
    """A site with its own kernel, fleet and dispatcher; `close` and `open` are the end of one life of the core
    and the beginning of another."""

    def __init__(
        self, folder: Path, adapter: Callable[["Farm", Printer], Adapter], gcode: Callable[[str], bytes]
    ) -> None:
        self.folder = folder
        self.make_adapter = adapter
        self.gcode = gcode
        self.clock = SystemClock()
        self.artifacts = FileArtifacts(folder / "artifacts")
        self.starts: list[str] = []
        self.options: dict[str, dict[str, str]] = {}
        self.live = LiveStore()
        self.opened = False
        self.open()

    def open(self) -> None:
        self.kernel = LedgerKernel(
            self.folder / "kiln.db",
            self.clock,
            RandomIds(),
            lambda name: World(Policy(version=1), load_printer_models(), tuple(load_materials()), name),
        )
        self.live = LiveStore()
        self.fleet = Fleet(
            self.kernel,
            self.artifacts,
            lambda printer: self.make_adapter(self, printer),
            self.clock,
            self.live,
        )
        self.dispatcher = Dispatcher(self.kernel, self.live, self.clock)
        self.fleet.start()
        self.dispatcher.start()
        self.opened = True

    def close(self) -> None:
        if self.opened:
            self.dispatcher.stop()
            self.fleet.stop()
            self.kernel.close()
            self.opened = False

    def did(self, body: cmd.AnyCommand, actor: Actor = Actor.OPERATOR) -> cmd.Result:
        result = self.kernel.submit(
            cmd.Envelope(key=f"t{time.monotonic_ns()}", body=body, actor=actor, who="tess")
        )
        assert result.ok, result.refusal
        return result

    def add(self, name: str = "p1", *, clear: bool = True, **options: str) -> None:
        self.options[name] = options
        self.did(cmd.AddPrinter(printer_id=name, name=name, adapter="virtual", address="", model_id=MODEL))
        if clear:
            self.did(cmd.ClearBed(printer_id=name))

    def order(self, name: str = "part") -> str:
        ref = self.artifacts.put_bytes(self.gcode(name), "text/x.gcode", f"{name}.gcode")
        part = DroppedPart(
            name=name,
            source=ref,
            kind="gcode",
            material="PLA",
            tier=QualityTier.STANDARD,
            gate=GateSummary(verdict=Verdict.PASS, max_hotend=200, max_bed=60, time_s=600),
            fits_models=(MODEL,),
        )
        drop = cmd.AcceptDrop(drop_id=f"drop_{name}", name=name, sha256=ref.sha256, parts=(part,))
        intent_id = self.did(drop, Actor.CONTROLLER).made["intent"]
        for plan in self.kernel.queries.plans_of_intent(intent_id):
            pin = SlicerPin(name="none", version="0", digest="0")
            ready = cmd.PlanReady(plan_id=plan.plan_id, model_id=MODEL, slicer=pin)
            self.did(ready, Actor.CONTROLLER)
        self.did(cmd.ApproveOrder(intent_id=intent_id))
        return intent_id

    def run_of(self, intent_id: str) -> Run:
        plates = self.kernel.queries.plates_of_intent(intent_id)
        runs = [run for plate in plates for run in self.kernel.queries.runs_of_plate(plate.plate_id)]
        assert runs
        return runs[-1]

    def until(self, what: Callable[[], object], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, (
                [(r.number, r.state, r.question, r.evidence) for r in self.kernel.queries.runs_recent()],
                self.live.all(),
                self.live.run_blocks(),
            )
            time.sleep(0.02)

    def ends(self, intent_id: str, state: RunState = RunState.COMPLETED, seconds: float = 20.0) -> Run:
        self.until(lambda: self.run_of(intent_id).state.terminal, seconds)
        self.until(lambda: self.run_of(intent_id).remote_deleted)
        run = self.run_of(intent_id)
        assert run.state is state, run
        return run
