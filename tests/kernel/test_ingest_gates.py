"""Ingest on the real kernel and the real gates: what is taken, what is refused, and what a crash may repeat."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.catalog import load_materials
from core.controllers.gcode_gate import GcodeGate
from core.controllers.ingest import Ingest
from core.domain import commands as cmd
from core.domain.findings import Finding
from core.domain.objects import ArtifactRef
from core.domain.words import Verdict
from core.gcode.policy import GcodePolicy
from core.gcode.report import GcodeReport
from core.ingest.claim import Claim
from core.ingest.content import ClaimedDrop, read_claim
from core.kernel.kernel import LedgerUnavailable
from core.ledger.artifacts import FileArtifacts
from core.preflight.service import PRELOAD
from core.workers.pool import WorkerPool
from kiln_tui import demo_parts as parts
from tests.kernel.shop import KernelShop
from tests.whole.bad_files import gcode


class Folders:
    """Keeps what ingest says about a claim; moves nothing."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str]] = []
        self.rejected: list[tuple[str, tuple[Finding, ...]]] = []

    def finish_accepted(self, claimed: ClaimedDrop, order_dir_name: str) -> str:
        self.accepted.append((claimed.drop_id, order_dir_name))
        return f"accepted/{order_dir_name}"

    def reserve_rejected(self, claimed: ClaimedDrop) -> str:
        return f"rejected/{claimed.name}"

    def finish_rejected(self, claimed: ClaimedDrop, findings: tuple[Finding, ...]) -> str:
        self.rejected.append((claimed.drop_id, findings))
        return f"rejected/{claimed.name}"


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1, preload=(*PRELOAD, "core.gcode.scan")) as made:
        yield made


class Gates:
    """Ingest with everything that it needs, on a shop of one printer."""

    def __init__(self, shop: KernelShop, pool: WorkerPool, root: Path) -> None:
        self.shop, self.root, self.folders, self.pool = shop, root, Folders(), pool
        (root / "work").mkdir()
        self.use(FileArtifacts(root / "artifacts"))
        self.count = 0

    def use(self, artifacts: FileArtifacts, gate: GcodeGate | None = None) -> None:
        """Take in with this store and this gate from now on."""
        shop, pool, root = self.shop, self.pool, self.root
        self.artifacts = artifacts
        self.ingest = Ingest(
            kernel=shop.kernel,
            artifacts=self.artifacts,
            pool=pool,
            gate=gate or GcodeGate(pool, shop.kernel.world.models, GcodePolicy()),
            materials=load_materials(),
            work=root / "work",
            zone=dt.UTC,
            keeper=lambda: self.folders,
        )

    def claim(self, *names: str, folder: str = "") -> ClaimedDrop:
        """Claim files of these names that lie in `root`, singly or as one folder."""
        self.count += 1
        drop_id = f"drop_{self.count:04d}"
        home = self.root / "claimed" / drop_id
        place = home / folder if folder else home
        place.mkdir(parents=True)
        for name in names:
            shutil.copy(self.root / name, place / name)
        path = home / folder if folder else home / names[0]
        claim = Claim(drop_id=drop_id, folder=home, path=path, lane="", claimed_at=1)
        return read_claim(claim, materials=tuple(load_materials()))

    def codes(self) -> list[str]:
        return [found.code for _, findings in self.folders.rejected for found in findings]


@pytest.fixture
def gates(shop: KernelShop, pool: WorkerPool, tmp_path: Path) -> Gates:
    shop.printer()
    made = Gates(shop, pool, tmp_path)
    parts.write_stl(tmp_path / "clip__x4__PLA.stl", parts.cube(12))
    parts.write_stl(tmp_path / "other.stl", parts.cube(14))
    (tmp_path / "ready.gcode").write_text(gcode())
    (tmp_path / "hot.gcode").write_text(gcode(heat="M104 S400"))
    return made


def test_a_model_and_a_gcode_become_one_order_of_a_folder(gates: Gates) -> None:
    gates.ingest.on_claimed(gates.claim("clip__x4__PLA.stl", "ready.gcode", folder="ann"))
    (intent,) = gates.shop.reader.intents_open()
    assert [(item.name, item.quantity) for item in intent.items] == [("clip", 4), ("ready", 1)]
    assert gates.folders.accepted == [("drop_0001", "1001-ann")]


def test_one_bad_file_refuses_the_whole_folder_and_names_itself(gates: Gates) -> None:
    gates.ingest.on_claimed(gates.claim("clip__x4__PLA.stl", "hot.gcode", folder="bob"))
    assert gates.shop.reader.intents_recent() == ()
    ((_, findings),) = gates.folders.rejected
    assert [f.code for f in findings if f.severity is Verdict.FAIL] == ["OVER_TEMPERATURE"]
    assert findings[0].where.startswith("hot.gcode")


@pytest.mark.parametrize(
    "name", ["part.obj", "part.step", "photo.png", "part.bgcode", "list.csv", "part.stl.bak"]
)
def test_other_kinds_are_refused_by_their_kind_even_with_a_model_inside(gates: Gates, name: str) -> None:
    shutil.copy(gates.root / "other.stl", gates.root / name)
    gates.ingest.on_claimed(gates.claim(name))
    assert gates.codes() == ["KIND_NOT_TAKEN"]
    assert gates.shop.reader.intents_recent() == ()


@pytest.mark.parametrize("name", ["part.STL", "noending", "part (2).Stl"])
def test_a_model_without_ending_or_in_capitals_is_taken(gates: Gates, name: str) -> None:
    shutil.copy(gates.root / "other.stl", gates.root / name)
    gates.ingest.on_claimed(gates.claim(name))
    assert gates.codes() == []
    assert len(gates.shop.reader.intents_open()) == 1


def test_the_same_claim_again_after_a_crash_is_one_order(gates: Gates) -> None:
    claimed = gates.claim("other.stl")
    gates.ingest.on_claimed(claimed)
    gates.ingest.on_claimed(claimed)
    assert len(gates.shop.reader.intents_recent()) == 1
    assert gates.folders.accepted == [("drop_0001", "1001-other.stl")] * 2


def test_the_same_content_as_another_drop_is_asked_about(gates: Gates) -> None:
    gates.ingest.on_claimed(gates.claim("other.stl"))
    gates.ingest.on_claimed(gates.claim("other.stl"))
    assert len(gates.shop.reader.intents_recent()) == 1
    assert [drop.state for drop in gates.shop.reader.drops_attention()] == ["again"]
    assert gates.folders.accepted[1] == ("drop_0002", "again-other.stl")


def test_a_refusal_told_twice_is_one_card(gates: Gates) -> None:
    claimed = gates.claim("hot.gcode")
    gates.ingest.on_claimed(claimed)
    gates.ingest.on_claimed(claimed)
    (drop,) = gates.shop.reader.drops_attention()
    assert (drop.state, drop.kept_at) == ("rejected", "rejected/hot.gcode")
    gates.shop.did(cmd.DismissDrop(drop_id=drop.drop_id))
    assert gates.shop.reader.drops_attention() == ()


def test_what_cannot_be_written_down_moves_nothing(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> cmd.Result:
        raise LedgerUnavailable("the ledger could not be written: disk full")

    monkeypatch.setattr(gates.shop.kernel, "submit", full)
    for name in ("other.stl", "hot.gcode"):
        with pytest.raises(LedgerUnavailable):
            gates.ingest.on_claimed(gates.claim(name))
    assert gates.folders.accepted == []
    assert gates.folders.rejected == []


def test_the_normalised_mesh_leaves_no_temporary_folder(gates: Gates) -> None:
    gates.ingest.on_claimed(gates.claim("other.stl"))
    assert list((gates.root / "work").iterdir()) == []
    assert list(gates.artifacts.root.glob(".incoming-*")) == []


def test_plates_of_orders_that_are_over_are_not_live(gates: Gates) -> None:
    """What the dispatcher reads at each round must not grow with the history of the site."""
    shop = gates.shop
    _, run_id = shop.queued()
    assert len(shop.reader.plates_live()) == 1
    shop.completed(run_id)
    shop.judge(run_id)
    assert shop.reader.plates_live() == ()
    assert shop.reader.intents_open() == ()


class Writer(FileArtifacts):
    """The store beside a program that still has a claimed file open, and adds heat before or after it is copied."""

    def __init__(self, root: Path, *, early: bool) -> None:
        super().__init__(root)
        self.early = early

    def put(self, source: Path, mime: str, name: str = "", *, move: bool = False) -> ArtifactRef:
        if not self.early:
            ref = super().put(source, mime, name, move=move)
        if not move:
            with source.open("ab") as late:
                late.write(b"M104 S400\n" if name.endswith(".gcode") else b"\0" * 50)
        return super().put(source, mime, name, move=move) if self.early else ref


@pytest.mark.parametrize("name", ["ready.gcode", "other.stl"])
def test_a_file_that_is_changed_before_it_is_stored_is_refused(gates: Gates, name: str) -> None:
    gates.use(Writer(gates.root / "artifacts", early=True))
    gates.ingest.on_claimed(gates.claim(name))
    assert gates.codes() == ["CHANGED_WHILE_READ"]
    assert gates.shop.reader.intents_recent() == ()


@pytest.mark.parametrize("name", ["ready.gcode", "other.stl"])
def test_what_is_written_into_a_file_once_it_is_stored_is_neither_checked_nor_printed(
    gates: Gates, name: str
) -> None:
    gates.use(Writer(gates.root / "artifacts", early=False))
    claimed = gates.claim(name)
    gates.ingest.on_claimed(claimed)
    assert claimed.files[0].path.read_bytes() != (gates.root / name).read_bytes()
    assert gates.codes() == []
    (intent,) = gates.shop.reader.intents_open()
    (item,) = intent.items
    assert item.part.sha256 == claimed.files[0].sha256
    assert gates.artifacts.path(item.part).read_bytes() == (gates.root / name).read_bytes()


class LateGate(GcodeGate):
    """The gate beside a program that adds heat to the claimed file as soon as it was scanned."""

    late: Path

    def scan(self, path: Path) -> GcodeReport:
        report = super().scan(path)
        with self.late.open("ab") as out:
            out.write(b"M104 S400\n")
        return report


def test_the_gcode_that_is_printed_is_the_one_that_was_scanned(gates: Gates) -> None:
    gate = LateGate(gates.pool, gates.shop.kernel.world.models, GcodePolicy())
    gates.use(gates.artifacts, gate)
    claimed = gates.claim("ready.gcode")
    gate.late = claimed.files[0].path
    gates.ingest.on_claimed(claimed)
    assert b"S400" in gate.late.read_bytes()
    (intent,) = gates.shop.reader.intents_open()
    (plan,) = gates.shop.reader.plans_of_intent(intent.intent_id)
    assert plan.gcode is not None
    assert plan.gate is not None
    assert plan.gate.report is not None
    scanned = msgspec.json.decode(gates.artifacts.path(plan.gate.report).read_bytes(), type=GcodeReport)
    assert scanned.sha256 == plan.gate.sha256 == plan.gcode.sha256 == claimed.files[0].sha256
    assert b"S400" not in gates.artifacts.path(plan.gcode).read_bytes()
