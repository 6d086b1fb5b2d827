"""The slicing controller on the real kernel, gate and slicer."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.catalog import load_materials, load_reaches
from core.controllers.gcode_gate import GcodeGate
from core.controllers.slice_store import SliceStore
from core.controllers.slice_work import Bench, Job, NoSlice, Product
from core.controllers.slicing import SlicingController
from core.domain import commands as cmd
from core.domain.objects import ArtifactRef, DroppedPart, Plate, PreflightSummary
from core.domain.words import Actor, PlanState, QualityTier, Verdict
from core.gcode.policy import GcodePolicy
from core.gcode.report import GcodeReport
from core.ledger.artifacts import FileArtifacts
from core.workers.pool import WorkerPool
from tests.kernel.shop import KernelShop
from tests.slicer.blocks import write_block


class CountingGate(GcodeGate):
    """The gate, counting how often a product is scanned."""

    scans = 0

    def scan(self, path: Path) -> GcodeReport:
        self.scans += 1
        return super().scan(path)


class Slicing:
    """A shop with its slicing controller."""

    def __init__(self, shop: KernelShop, folder: Path, pool: WorkerPool) -> None:
        self.shop, self.folder = shop, folder
        self.gate = CountingGate(pool, shop.kernel.world.models, GcodePolicy(reaches=load_reaches()))
        self.controller: SlicingController | None = None
        (folder / "work").mkdir()

    def start(
        self,
        make_artifacts: Callable[[Path], FileArtifacts] = FileArtifacts,
        make_bench: Callable[..., Bench] = Bench,
    ) -> None:
        """Begin to slice, with a store and a bench that a test may have changed."""
        self.artifacts = make_artifacts(self.folder / "artifacts")
        self.bench = make_bench(
            artifacts=self.artifacts,
            gate=self.gate,
            materials=load_materials(),
            site=self.folder,
            work=self.folder / "work",
            configured=None,
        )
        store = SliceStore(self.folder / "slices", self.folder / "artifacts")
        self.controller = SlicingController(
            self.shop.kernel, self.artifacts, self.bench, store, self.folder / "work"
        )
        self.controller.start()

    def order(self, name: str, side: float = 8) -> str:
        """Drop a box of that side in mm; the Order's id."""
        path = write_block(self.folder / f"{name}.stl", side, side, side)
        mesh = self.artifacts.put(path, "model/stl", path.name)
        um = round(side * 1000)
        part = DroppedPart(
            name=name,
            source=mesh,
            mesh=mesh,
            preflight=PreflightSummary(verdict=Verdict.PASS, size_um=(um, um, um)),
            fits_models=("prusa_mk3s",),
            material="PLA",
            tier=QualityTier.DRAFT,
        )
        drop = cmd.AcceptDrop(drop_id=f"drop_{name}", name=name, sha256=mesh.sha256, parts=(part,))
        return self.shop.did(drop, actor=Actor.CONTROLLER).made["intent"]

    def prepared(self, intent_id: str) -> bool:
        plans = self.shop.reader.plans_of_intent(intent_id)
        return all(plan.state is PlanState.DRAFT and plan.profile_ref for plan in plans)

    def plate(self, intent_id: str) -> Plate:
        (plate,) = self.shop.reader.plates_of_intent(intent_id)
        return plate

    def sliced(self, name: str) -> Plate:
        """Order, approve and slice a box; its Plate, however it went."""
        intent_id = self.order(name)
        until(lambda: self.prepared(intent_id), 60)
        self.shop.did(cmd.ApproveOrder(intent_id=intent_id))
        until(lambda: self.plate(intent_id).slice.state in ("done", "failed"), 60)
        return self.plate(intent_id)


def until(done: Callable[[], object], seconds: float) -> float:
    """Seconds until `done` answered something true; fails when it takes longer than `seconds`."""
    start = time.monotonic()
    while not done():
        assert time.monotonic() - start < seconds
        time.sleep(0.02)
    return time.monotonic() - start


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1, preload=("core.gcode.scan",)) as made:
        yield made


@pytest.fixture
def slicing(tmp_path: Path, pool: WorkerPool) -> Iterator[Slicing]:
    shop = KernelShop(tmp_path)
    shop.printer()
    made = Slicing(shop, tmp_path, pool)
    yield made
    if made.controller is not None:
        made.controller.stop()
    shop.close()


def test_a_product_is_scanned_once_and_the_ledger_says_which_content_the_gate_read(slicing: Slicing) -> None:
    slicing.start()
    plate = slicing.sliced("box")
    assert plate.slice.state == "done", plate.slice
    assert plate.gcode is not None
    assert plate.gate is not None
    assert plate.gate.sha256 == plate.gcode.sha256
    assert slicing.gate.scans == 1


class HeatAdded(FileArtifacts):
    """The store beside a program that writes into a product after its gate and before it is stored."""

    def put(self, source: Path, mime: str, name: str = "", *, move: bool = False) -> ArtifactRef:
        if move:
            with source.open("ab") as out:
                out.write(b"M104 S400\n")
        return super().put(source, mime, name, move=move)


def test_a_product_that_was_changed_after_its_gate_is_never_printed(slicing: Slicing) -> None:
    slicing.start(HeatAdded)
    plate = slicing.sliced("box")
    assert plate.slice.state == "failed"
    assert "not the one that was checked" in plate.slice.message
    assert plate.gcode is None
    assert list((slicing.folder / "slices").iterdir()) == []


class HeldBench(Bench):
    """The real bench, whose slice begins when the test lets it."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self.running, self.go = threading.Event(), threading.Event()

    def run(
        self, job: Job, cancel: threading.Event, on_progress: Callable[[int, str], None]
    ) -> Product | NoSlice:
        self.running.set()
        assert self.go.wait(60)
        return super().run(job, cancel, on_progress)


def test_a_new_order_can_be_approved_while_another_one_is_sliced(slicing: Slicing) -> None:
    slicing.start(make_bench=HeldBench)
    bench = slicing.bench
    assert isinstance(bench, HeldBench)
    first = slicing.order("first")
    until(lambda: slicing.prepared(first), 60)
    slicing.shop.did(cmd.ApproveOrder(intent_id=first))
    assert bench.running.wait(60)
    try:
        second = slicing.order("second", 9)
        assert until(lambda: slicing.prepared(second), 20) < 2
        slicing.shop.did(cmd.ApproveOrder(intent_id=second))
        assert slicing.controller is not None
        assert [p.plate_id for p in slicing.controller.progress()] == [slicing.plate(first).plate_id]
    finally:
        bench.go.set()
    until(lambda: slicing.plate(first).slice.state == slicing.plate(second).slice.state == "done", 60)


def test_the_bench_answers_many_threads_at_once_as_it_answers_one(slicing: Slicing) -> None:
    slicing.start()
    intent_id = slicing.order("box")
    until(lambda: slicing.prepared(intent_id), 60)
    (plan,) = slicing.shop.reader.plans_of_intent(intent_id)
    intent = slicing.shop.reader.intent(intent_id)
    assert intent is not None
    fresh = Bench(
        artifacts=slicing.artifacts,
        gate=slicing.gate,
        materials=load_materials(),
        site=slicing.folder,
        work=slicing.folder / "work",
        configured=None,
    )
    tiers = [QualityTier.DRAFT, QualityTier.STANDARD, QualityTier.FINE] * 4
    barrier = threading.Barrier(len(tiers))

    def ask(tier: QualityTier) -> tuple[QualityTier, str | None]:
        barrier.wait()
        item = msgspec.structs.replace(intent.items[0], tier=tier)
        ready = fresh.prepare_model(plan, item, slicing.shop.reader.printers(), None)
        return tier, ready.profile_checksum

    with ThreadPoolExecutor(len(tiers)) as threads:
        answers = set(threads.map(ask, tiers))
    assert len(answers) == 3
    assert (QualityTier.DRAFT, plan.profile_checksum) in answers
