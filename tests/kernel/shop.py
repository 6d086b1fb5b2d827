"""A kernel on a real ledger in a temporary directory, with a clock and ids that tests control."""

import itertools
from pathlib import Path

from core.catalog import load_materials, load_printer_models
from core.contract import BootSignature
from core.domain import commands as cmd
from core.domain.objects import ArtifactRef, DroppedPart, GateSummary, Outcome, PreflightSummary, SlicerPin
from core.domain.policy import Policy
from core.domain.words import Actor, ItemResult, QualityTier, Verdict
from core.kernel.kernel import LedgerKernel
from core.kernel.ports import Stamp
from core.kernel.transaction import World


class StillClock:
    """Time that moves one millisecond per look, and as far as a test says."""

    def __init__(self) -> None:
        self.wall_ns = 1_800_000_000 * 10**9
        self.mono_ns = 10**12
        self.boot_id = "boot-1"

    def stamp(self) -> Stamp:
        self.wall_ns += 1_000_000
        self.mono_ns += 1_000_000
        return Stamp(self.wall_ns, self.mono_ns, self.boot_id)


class CountedIds:
    """Identifiers in a row."""

    def __init__(self, start: int = 0) -> None:
        self._numbers = itertools.count(start)

    def new(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):016d}"


SIGNATURE = BootSignature(boot="b1", last_name="", job_counter=0)
GOOD_GATE = GateSummary(verdict=Verdict.PASS, max_hotend=215, max_bed=60, time_s=600)


def artifact(name: str, mime: str = "model/stl") -> ArtifactRef:
    return ArtifactRef(sha256=(name.encode().hex() * 64)[:64], size=100, mime=mime, name=name)


GCODE = artifact("plate.gcode", "text/x.gcode")


class KernelShop:
    """Commands in the order a shop would send them, with defaults."""

    def __init__(self, folder: Path, policy: Policy | None = None, start: int = 0) -> None:
        self.path = folder / "kiln.db"
        self.clock, self.ids = StillClock(), CountedIds(start)
        self.policy = policy or Policy(version=1)
        self._keys = itertools.count(start)
        self.kernel = LedgerKernel(
            self.path,
            self.clock,
            self.ids,
            lambda name: World(self.policy, load_printer_models(), tuple(load_materials()), name),
        )
        self.reader = self.kernel.queries

    def close(self) -> None:
        self.kernel.close()

    def send(
        self,
        body: cmd.AnyCommand,
        *,
        key: str | None = None,
        actor: Actor = Actor.OPERATOR,
        version: int | None = None,
    ) -> cmd.Result:
        envelope = cmd.Envelope(
            key=key or f"key-{next(self._keys)}", body=body, actor=actor, who="tess", expected_version=version
        )
        return self.kernel.submit(envelope)

    def did(self, body: cmd.AnyCommand, *, actor: Actor = Actor.OPERATOR) -> cmd.Result:
        result = self.send(body, actor=actor)
        assert result.ok, result.refusal
        return result

    def printer(self, name: str = "p1", model_id: str = "prusa_mk3s", *, ready: bool = True) -> str:
        self.did(cmd.AddPrinter(printer_id=name, name=name, adapter="virtual", address="", model_id=model_id))
        if ready:
            self.clear(name)
        return name

    def clear(self, name: str = "p1", signature: BootSignature = SIGNATURE) -> str:
        permit = self.did(cmd.ClearBed(printer_id=name)).made["permit"]
        self.bind(name, signature)
        return permit

    def bind(self, name: str = "p1", signature: BootSignature = SIGNATURE) -> None:
        printer = self.reader.printer(name)
        assert printer is not None
        assert printer.permit is not None
        permit_id = printer.permit.permit_id
        bind = cmd.BindPermit(printer_id=name, permit_id=permit_id, signature=signature)
        self.did(bind, actor=Actor.CONTROLLER)

    def drop(self, name: str = "bracket", *, sha: str = "", drop_id: str = "", **facts: object) -> cmd.Result:
        part = DroppedPart(
            name=name,
            source=artifact(name),
            mesh=artifact(f"{name}-mesh"),
            preflight=PreflightSummary(verdict=Verdict.PASS, size_um=(20_000, 20_000, 20_000)),
            fits_models=("prusa_mk3s",),
            **{"material": "PLA", "tier": QualityTier.STANDARD, **facts},  # type: ignore[arg-type]
        )
        return self.did(
            cmd.AcceptDrop(
                drop_id=drop_id or self.ids.new("drop"), name=name, sha256=sha or name, parts=(part,)
            ),
            actor=Actor.CONTROLLER,
        )

    def drop_gcode(self, name: str = "ready", quantity: int = 1) -> cmd.Result:
        part = DroppedPart(
            name=name,
            source=GCODE,
            kind="gcode",
            quantity=quantity,
            gate=GOOD_GATE,
            fits_models=("prusa_mk3s",),
        )
        return self.did(
            cmd.AcceptDrop(drop_id=self.ids.new("drop"), name=name, sha256=name, parts=(part,)),
            actor=Actor.CONTROLLER,
        )

    def prepare(self, intent_id: str) -> None:
        for plan in self.reader.plans_of_intent(intent_id):
            ready = cmd.PlanReady(
                plan_id=plan.plan_id,
                model_id="prusa_mk3s",
                profile_ref="pla@1.0.0" if plan.kind == "model" else None,
                profile_checksum="c1",
                slicer=SlicerPin(name="PrusaSlicer", version="2.5.0", digest="d1"),
            )
            self.did(ready, actor=Actor.CONTROLLER)

    def queued(self, name: str = "bracket", **facts: object) -> tuple[str, str]:
        """An approved Order with one queued attempt: (intent id, run id)."""
        intent_id = self.drop(name, **facts).made["intent"]
        self.prepare(intent_id)
        self.did(cmd.ApproveOrder(intent_id=intent_id))
        plate = self.reader.plates_of_intent(intent_id)[0]
        done = cmd.SliceDone(plate_id=plate.plate_id, key="k", gcode=GCODE, gate=GOOD_GATE)
        return intent_id, self.did(done, actor=Actor.CONTROLLER).made["run"]

    def claimed(self, run_id: str, printer_id: str = "p1") -> str:
        claim = cmd.ClaimRun(run_id=run_id, printer_id=printer_id, expected_digest=GCODE.sha256)
        self.did(claim, actor=Actor.CONTROLLER)
        run = self.reader.run(run_id)
        assert run is not None
        return run.remote_name

    def intended(self, run_id: str, printer_id: str = "p1") -> None:
        name = self.claimed(run_id, printer_id)
        self.did(cmd.RunUploaded(run_id=run_id, remote_name=name, size=100), actor=Actor.CONTROLLER)
        printer = self.reader.printer(printer_id)
        assert printer is not None
        assert printer.permit is not None
        intend = cmd.IntendStart(
            run_id=run_id, permit_id=printer.permit.permit_id, baseline=SIGNATURE, grace_ms=20_000
        )
        self.did(intend, actor=Actor.CONTROLLER)

    def printing(self, run_id: str, printer_id: str = "p1") -> None:
        self.intended(run_id, printer_id)
        self.did(cmd.StartReplied(run_id=run_id, reply="accepted"), actor=Actor.CONTROLLER)
        self.did(cmd.RunSeen(run_id=run_id, phase="printing", printer_job="7"), actor=Actor.CONTROLLER)

    def completed(self, run_id: str, printer_id: str = "p1") -> None:
        self.printing(run_id, printer_id)
        self.did(cmd.RunEnded(run_id=run_id, result="completed", text="done"), actor=Actor.CONTROLLER)

    def judge(self, run_id: str, result: ItemResult = ItemResult.SUCCESS) -> cmd.Result:
        run = self.reader.run(run_id)
        assert run is not None
        plate = self.reader.plate(run.plate_id)
        assert plate is not None
        outcomes = tuple(Outcome(item_id=item.item_id, result=result) for item in plate.items)
        return self.did(cmd.RecordOutcomes(run_id=run_id, outcomes=outcomes))
