"""The ledger keeps what was acknowledged, notices every change, and rebuilds from the events alone."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain import commands as cmd
from core.domain import events as ev
from core.domain.words import Actor, CancelReason, ItemResult
from core.kernel.kernel import LedgerUnavailable
from core.ledger.artifacts import FileArtifacts
from core.ledger.chain import canonical
from core.ledger.lock import SiteInUse, SiteLock
from core.ledger.schema import SCHEMA_VERSION, NewerSchema
from core.ledger.store import Store
from core.ledger.verify import projections, replay, verify
from core.site.core import CoreOptions
from kiln_tui.cli.site_dir import open_core
from tests.kernel.shop import GCODE, KernelShop


def _types(kind: object, seen: set[object]) -> set[object]:
    """Every plain type reachable from a payload type."""
    if kind in seen:
        return set()
    seen.add(kind)
    found: set[object] = {kind}
    for part in getattr(kind, "__args__", ()):
        found |= _types(part, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            found |= _types(field.type, seen)
    return found


def test_no_payload_can_hold_a_float() -> None:
    assert float not in _types(ev.AnyBody, set())


def test_canonical_json_is_sorted_and_plain() -> None:
    value = {"b": 1, "a": {"z": [True, None, "é\n"], "y": -3}}
    assert canonical(value) == '{"a":{"y":-3,"z":[true,null,"é\\n"]},"b":1}'.encode()


def _filled(folder: Path) -> Path:
    shop = KernelShop(folder)
    shop.printer()
    _, run_id = shop.queued()
    shop.completed(run_id)
    shop.judge(run_id)
    shop.close()
    return shop.path


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET payload = CAST(replace(payload, 'p1', 'p2') AS BLOB) WHERE seq = 2",
        "UPDATE events SET who = 'mallory' WHERE seq = 7",
        "UPDATE events SET wall_ns = wall_ns + 1 WHERE seq = 9",
        "DELETE FROM events WHERE seq = 6",
        "DELETE FROM events WHERE seq = 1",
    ],
)
def test_a_changed_or_removed_event_is_noticed(tmp_path: Path, damage: str) -> None:
    path = _filled(tmp_path)
    assert verify(path).ok
    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError):
        connection.execute(damage)
    for trigger in ("events_are_never_changed", "events_are_never_deleted"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(damage)
    connection.close()
    report = verify(path)
    assert not report.ok
    assert report.problem


def test_a_cut_tail_shows_against_an_exported_head(tmp_path: Path) -> None:
    path = _filled(tmp_path)
    head = verify(path).head
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER events_are_never_deleted")
    connection.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")
    connection.close()
    assert verify(path).ok
    assert not verify(path, expected_head=head).ok


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = _filled(tmp_path)
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(NewerSchema):
        Store(path)


def test_a_second_core_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first = SiteLock(tmp_path / "lock")
    with pytest.raises(SiteInUse, match="process"):
        SiteLock(tmp_path / "lock")
    first.release()
    SiteLock(tmp_path / "lock").release()


def test_acknowledged_commands_survive_a_reopening(tmp_path: Path) -> None:
    path = _filled(tmp_path)
    before = projections(path)
    shop = KernelShop(tmp_path, start=100_000)
    try:
        assert {p.name for p in shop.reader.printers()} == {"p1"}
        site = ("site", "site")
        after = projections(path)
        assert {k: v for k, v in after.items() if k != site} == {k: v for k, v in before.items() if k != site}
    finally:
        shop.close()


def test_eight_producers_at_once_are_one_contiguous_chain(tmp_path: Path) -> None:
    shop = KernelShop(tmp_path)
    for number in range(8):
        shop.printer(f"p{number}", ready=False)
    failures: list[object] = []

    def produce(number: int) -> None:
        for turn in range(50):
            material = "PLA" if turn % 2 else "PETG"
            result = shop.send(
                cmd.LoadMaterial(printer_id=f"p{number}", material=material), key=f"{number}-{turn}"
            )
            if not result.ok:
                failures.append(result)

    threads = [threading.Thread(target=produce, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shop.close()
    assert not failures
    report = verify(shop.path)
    assert report.ok
    assert report.events == 1 + 8 + 8 * 50


ANSWERS = st.sampled_from(["adopt", "keep", "never_ran", "it_ran"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 21), st.integers(0, 3)), max_size=60))
def test_whatever_is_sent_the_tables_are_what_the_events_say(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    shop = KernelShop(tmp_path_factory.mktemp("random"))
    try:
        shop.printer("p1")
        shop.printer("p2")
        for what, pick in steps:
            body = _command(shop, what, pick)
            if body is not None:
                shop.send(body, actor=Actor.OPERATOR if pick % 2 else Actor.CONTROLLER)
        assert verify(shop.path).ok
        assert replay(shop.path) == projections(shop.path)
        active = [r.printer_id for r in shop.reader.runs_live() if r.state.active and r.printer_id]
        assert len(active) == len(set(active))
    finally:
        shop.close()


def _command(shop: KernelShop, what: int, pick: int) -> cmd.AnyCommand | None:
    """One of everything that could be said now, also what does not fit."""
    if what == 0:
        shop.queued(shop.ids.new("part"), quantity=1 + pick)
        return None
    printer = shop.reader.printers()[pick % 2]
    orders = shop.reader.intents_open()
    runs = shop.reader.runs_recent(20)
    if not orders or not runs:
        return None
    order, run = orders[pick % len(orders)], runs[pick % len(runs)]
    plate = shop.reader.plate(run.plate_id)
    assert plate is not None
    permit = printer.permit.permit_id if printer.permit else "none"
    signature = printer.permit.signature if printer.permit and printer.permit.signature else None
    results = [ItemResult.SUCCESS, ItemResult.FAILED, ItemResult.UNKNOWN, ItemResult.SKIPPED]
    outcomes = tuple(cmd.Outcome(item_id=i.item_id, result=results[pick]) for i in plate.items)
    choices: list[cmd.AnyCommand] = [
        cmd.ClaimRun(run_id=run.run_id, printer_id=printer.printer_id, expected_digest=GCODE.sha256),
        cmd.RunUploaded(run_id=run.run_id, remote_name=run.remote_name, size=100),
        cmd.IntendStart(
            run_id=run.run_id, permit_id=permit, baseline=signature or ev.BootSignature(), grace_ms=pick
        ),
        cmd.StartReplied(run_id=run.run_id, reply="accepted"),
        cmd.RunSeen(run_id=run.run_id, phase="paused" if pick == 2 else "printing", printer_job=str(pick)),
        cmd.RunEnded(run_id=run.run_id, result=["completed", "failed", "aborted"][pick % 3]),
        cmd.FenceRun(run_id=run.run_id, evidence="e"),
        cmd.FenceHeld(run_id=run.run_id, evidence="e"),
        cmd.AskAboutRun(run_id=run.run_id, question="q", evidence="e"),
        cmd.RunBackToQueue(run_id=run.run_id, evidence="e"),
        cmd.ResolveRun(
            run_id=run.run_id, answer=["adopt", "keep", "never_ran", "it_ran"][pick], observed="idle"
        ),
        cmd.AbortRun(run_id=run.run_id),
        cmd.PauseRun(run_id=run.run_id),
        cmd.ResumeRun(run_id=run.run_id),
        cmd.RecordOutcomes(run_id=run.run_id, outcomes=outcomes),
        cmd.ReprintFailed(run_id=run.run_id),
        cmd.ClearBed(printer_id=printer.printer_id),
        cmd.BindPermit(printer_id=printer.printer_id, permit_id=permit, signature=ev.BootSignature(boot="b")),
        cmd.CancelOrder(intent_id=order.intent_id, reason=CancelReason.FRAUD),
        cmd.FulfilOrder(intent_id=order.intent_id),
        cmd.TakeOutOfService(printer_id=printer.printer_id, reason="x")
        if pick == 3
        else cmd.AcknowledgePrinter(printer_id=printer.printer_id),
    ]
    return choices[(what - 1) % len(choices)]


def test_artifacts_are_stored_once_and_never_half(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path / "artifacts")
    source = tmp_path / "a.stl"
    source.write_bytes(b"solid" * 1000)
    first, second = store.put(source, "model/stl"), store.put_bytes(b"solid" * 1000, "model/stl")
    assert first.sha256 == second.sha256
    assert store.path(first).read_bytes() == source.read_bytes()
    files = [p for p in (tmp_path / "artifacts").rglob("*") if p.is_file()]
    assert files == [store.path(first)]
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "missing", "model/stl")
    assert [p for p in (tmp_path / "artifacts").iterdir() if p.is_file()] == []


def test_what_a_crash_left_half_stored_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    store = FileArtifacts(tmp_path / "artifacts")
    kept = store.put_bytes(b"kept", "text/plain")
    dies = "import os, sys; from pathlib import Path; from core.ledger.artifacts import FileArtifacts\n"
    dies += "os.rename = os.fsync = lambda *_: os._exit(9)\n"
    dies += "FileArtifacts(Path(sys.argv[1])).put_bytes(b'half' * 1000, 'text/plain')"
    ended = subprocess.run([sys.executable, "-c", dies, str(store.root)], check=False)
    assert ended.returncode == 9
    assert [path.name[:10] for path in store.root.iterdir() if path.is_file()] == [".incoming-"]
    assert store.clear_incoming() == 1
    assert [path for path in store.root.rglob("*") if path.is_file()] == [store.path(kept)]
    assert store.path(kept).read_bytes() == b"kept"


def test_only_the_core_that_holds_the_site_clears_what_is_half_stored(tmp_path: Path) -> None:
    half = tmp_path / "artifacts" / ".incoming-abc"
    half.parent.mkdir()
    half.write_bytes(b"half")
    core = open_core(tmp_path, CoreOptions())
    try:
        assert not half.exists()
        half.write_bytes(b"a copy under way")
        with pytest.raises(SiteInUse):
            open_core(tmp_path, CoreOptions())
        assert half.exists()
    finally:
        core.close()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_plain_files_are_stored(tmp_path: Path, kind: str) -> None:
    store, source = FileArtifacts(tmp_path / "artifacts"), tmp_path / "source"
    (tmp_path / "secret").write_text("secret")
    if kind == "link":
        source.symlink_to("secret")
    elif kind == "pipe":
        os.mkfifo(source)
    else:
        source.mkdir()
    with pytest.raises(OSError, match=r"plain file|symbolic links"):
        store.put(source, "text/plain")
    assert list(store.root.iterdir()) == []


@pytest.mark.parametrize("what", ["noise", "folder", "other"])
def test_what_is_no_ledger_is_said_at_once_and_left_alone(tmp_path: Path, what: str) -> None:
    path = tmp_path / "kiln.db"
    if what == "noise":
        path.write_bytes(b"\x17\x03garbage" * 700)
    elif what == "folder":
        path.mkdir()
    else:
        other = apsw.Connection(str(path))
        other.execute("CREATE TABLE events (x); PRAGMA user_version = 1")
        other.close()
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(LedgerUnavailable, match="can't be opened"):
        KernelShop(tmp_path)
    if what == "other":
        tables = apsw.Connection(str(path)).execute("SELECT sql FROM sqlite_master").fetchall()
        assert tables == [("CREATE TABLE events (x)",)]
    else:
        assert (path.read_bytes() if path.is_file() else b"") == before
