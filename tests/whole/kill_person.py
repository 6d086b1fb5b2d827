"""A Kiln in a process that may be killed, and the person in front of it who survives that."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar, cast

import apsw
import msgspec

from core.client.views import Card, OutcomeSheet, Shop
from core.domain.commands import AnyCommand, ApproveOrder, ClearBed, RecordOutcomes, Result
from core.domain.events import AnyBody
from core.domain.objects import ArtifactRef, Outcome, Run
from core.domain.words import IntentState, ItemResult, RunState
from core.ingest.dropping import drop_into
from core.ledger.artifacts import FileArtifacts
from core.ledger.store import EVENT_COLUMNS, event_of
from core.ledger.verify import projections, replay, verify
from tests.servers.octoprint import REPOSITORY, OctoPrintServer
from tests.whole import kill_wire as wire

T = TypeVar("T")


WARM = {"ambientTemperature": 195.0}
"""Settings of a Virtual Printer in a hot room: its nozzle needs one second to 200 °C instead of twenty."""


class Killed(Exception):
    """The program ended by SIGKILL while it was asked or waited for."""


class Program:
    """One life of the program on a site."""

    def __init__(self, root: Path, point: str = "") -> None:
        self.point = point
        self._error_path = root.parent / "stderr.txt"
        self._errors = self._error_path.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.whole.kill_runner", str(root), point],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=REPOSITORY,
        )
        self._read()

    def ask(self, ask: wire.Ask) -> wire.Answer:
        """One question, one answer; raises Killed."""
        try:
            stdin = cast(IO[bytes], self.process.stdin)
            stdin.write(msgspec.json.encode(ask) + b"\n")
            stdin.flush()
        except BrokenPipeError:
            self._gone()
        return self._read()

    def _read(self) -> wire.Answer:
        line = cast(IO[bytes], self.process.stdout).readline()
        if not line.endswith(b"\n"):
            self._gone()
        answer: wire.Answer = msgspec.json.decode(line, type=wire.Answer)
        return answer

    def _gone(self) -> None:
        code = self.process.wait(30)
        self._forget()
        assert code == -signal.SIGKILL, f"ended by itself with {code}: {self._error_path.read_text()[-3000:]}"
        raise Killed(self.point)

    def look(self) -> wire.Seen:
        """What screens show now."""
        return cast(wire.Seen, self.ask(wire.Look()))

    def send(self, command: AnyCommand) -> Result:
        """A person's command."""
        return cast(wire.Did, self.ask(wire.Send(command))).result

    def close(self) -> None:
        """End in the orderly way, or at once if it does not."""
        if self.process.returncode is None:
            try:
                self.ask(wire.Close())
                self.process.wait(30)
            except (Killed, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait(10)
        self._forget()

    def _forget(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


class Person:
    """Does what the cards ask for, in one life of the program after the other."""

    def __init__(self, root: Path, server: OctoPrintServer) -> None:
        self.root, self.server = root, server
        self.before = len(server.physical_starts())
        self.program: Program | None = None
        self.kills: list[str] = []
        self.cleared = 0
        self.last: wire.Seen | None = None

    @property
    def now(self) -> Program:
        """The life that runs."""
        assert self.program is not None
        return self.program

    def open(self, point: str = "") -> None:
        """Begin a life; it will end itself at `point`."""
        self.program = Program(self.root, point)

    def close(self) -> None:
        """End the story."""
        if self.program is not None:
            self.program.close()
            self.program = None

    def add_printer(self) -> None:
        """Make the OctoPrint known."""
        did = cast(wire.Did, self.now.ask(wire.AddOctoPrint(self.server.url, self.server.api_key)))
        assert did.result.ok, did.result.refusal

    def drop(self, path: Path) -> None:
        """Put a file into the inbox."""
        said = drop_into(self.root / "inbox", path)
        assert "dropped into" in said

    def until_killed(self, timeout: float = 45) -> None:
        """Work until the program dies at its point."""
        point = self.now.point
        try:
            self.work_until(lambda _: False, f"death at {point}", timeout)
        except Killed:
            self.kills.append(point)
            self.program = None

    def last_words(self, command: AnyCommand) -> None:
        """Send a command at which the program dies; the answer may be quicker than the death."""
        point = self.now.point
        try:
            self.now.send(command)
            self.watch_until(lambda _: False, f"death at {point}", 10)
        except Killed:
            self.kills.append(point)
            self.program = None

    def work_until(self, done: Callable[[wire.Seen], T | None], what: str, timeout: float = 60) -> T:
        """Do what the cards ask for until `done`."""
        ends = time.monotonic() + timeout
        while time.monotonic() < ends:
            seen = self.last = self.now.look()
            if result := done(seen):
                return result
            for card in seen.shop.cards:
                self._handle(card, seen)
            time.sleep(0.1)
        assert self.last is not None
        raise AssertionError(f"waited {timeout:g} s for {what}; {told(self.last)}")

    def watch_until(self, done: Callable[[wire.Seen], T | None], what: str, timeout: float) -> T:
        """Look, but touch nothing, until `done`."""
        ends = time.monotonic() + timeout
        while time.monotonic() < ends:
            seen = self.last = self.now.look()
            if result := done(seen):
                return result
            time.sleep(0.1)
        assert self.last is not None
        raise AssertionError(f"waited {timeout:g} s for {what}; {told(self.last)}")

    def _handle(self, card: Card, seen: wire.Seen) -> None:
        for action in card.actions:
            if action.opens == "approve" and isinstance(action.command, ApproveOrder):
                self.now.send(action.command)
                return
            if isinstance(action.command, ClearBed) and not action.disabled:
                if self.now.send(action.command).ok:
                    self.cleared += 1
                return
            if action.opens == "outcome" and isinstance(action.command, RecordOutcomes):
                self._all_good(action.command.run_id)
                return

    def _all_good(self, run_id: str) -> None:
        sheet = cast(wire.Sheet, self.now.ask(wire.Outcomes(run_id))).sheet
        assert isinstance(sheet, OutcomeSheet)
        outcomes = tuple(Outcome(item_id=i.item_id, result=ItemResult.SUCCESS) for i in sheet.plate.items)
        self.now.send(RecordOutcomes(run_id=run_id, outcomes=outcomes))

    # --- counting ---

    def starts(self) -> list[str]:
        """Prints that OctoPrint itself began since this story began."""
        return self.server.physical_starts()[self.before :]

    def events(self) -> list[AnyBody]:
        """Every event of the site, oldest first; only while no program runs."""
        connection = apsw.Connection(str(self.root / "kiln.db"), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            rows = connection.execute(f"SELECT {EVENT_COLUMNS} FROM events ORDER BY seq").fetchall()
        finally:
            connection.close()
        return [event_of(row).body for row in rows]

    def check_ledger(self) -> None:
        """The chain holds, the tables are what the events say, and every artifact that is named is there."""
        path = self.root / "kiln.db"
        report = verify(path)
        assert report.ok, report.problem
        assert replay(path) == projections(path)
        store = FileArtifacts(self.root / "artifacts")
        named = [ref for body in self.events() for ref in _artifacts(json.loads(msgspec.json.encode(body)))]
        assert named
        for ref in named:
            assert store.path(ref).stat().st_size == ref.size, ref

    def check_folders(self, orders: int = 1, rejected: int = 0) -> None:
        """Nothing lies half-way: what was dropped is in accepted/ or rejected/, and nowhere else."""
        assert [p.name for p in (self.root / "inbox").rglob("*") if p.is_file()] == []
        assert list((self.root / "claimed").glob("*")) == []
        kept = [p for p in (self.root / "accepted").rglob("*") if p.is_file() and not p.name.startswith(".")]
        assert len(kept) == orders, kept
        assert len([p for p in (self.root / "rejected").glob("*") if p.is_file()]) == 2 * rejected


def run_of(seen: wire.Seen) -> Run:
    """The only attempt."""
    assert len(seen.runs) == 1, told(seen)
    return seen.runs[0]


def ready_gcode(path: Path, padding: int = 0, slow: bool = False) -> Path:
    """A print of a few seconds, or `slow` of a minute; `padding` bytes of comments make the upload long enough to be
    cut in two."""
    lines = ["; printer_model = MK3S", "G90", "M83", "M104 S200", "M140 S60", "G28", "M109 S200", "M190 S60"]
    for layer in range(1, 4):
        lines += [";LAYER_CHANGE", f"G1 Z{0.2 * layer:.2f} F600"]
        for x, y in ((50, 50), (80, 50), (80, 80), (50, 80)):
            lines.append(f"G1 X{x} Y{y} E1.2 F1200")
    # the Virtual Printer takes a tenth of a move's time, and none for moves to smaller coordinates
    lines += ["G1 X200 Y50 E1 F450", "G1 X50 Y50 E1 F9000"] * (30 if slow else 0)
    lines += ["M104 S0", "M140 S0", "G1 Z20 F600"]
    lines += ["; " + "padding " * 12] * (padding // 99)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def finish(person: Person, orders: int = 1) -> list[str]:
    """Work without further kills to the end of the Order; answers the attempt names that OctoPrint started."""
    seen = person.work_until(
        lambda seen: seen if not any(o.intent.open for o in seen.shop.orders) and seen.shop.orders else None,
        "the Order to close",
        120,
    )
    assert [o.intent.state for o in seen.shop.orders] == [IntentState.FULFILLED]
    person.work_until(
        lambda seen: all(r.remote_deleted for r in seen.runs), "the remote file to be deleted", 30
    )
    (run,) = person.now.look().runs
    assert run.state is RunState.COMPLETED
    assert person.server.get("/api/files/local")["files"] == []
    person.close()
    person.check_ledger()
    log = (person.root / "logs" / "kiln.log").read_text()
    assert " ERROR " not in log, log[-3000:]
    person.check_folders(orders)
    starts = person.starts()
    assert set(starts) == {run.remote_name}
    return starts


def told(seen: wire.Seen) -> str:
    """The cards and attempts as text."""
    shop: Shop = seen.shop
    cards = "\n".join(f"  {c.section} {c.tag} {c.where} {c.what}: {c.sentence}" for c in shop.cards)
    runs = "\n".join(
        f"  {r.run_id} {r.state} {r.remote_name} {[e.text for e in r.evidence]}" for r in seen.runs
    )
    printers = "\n".join(f"  {p.printer.name} {p.printer.health} {p.block}" for p in shop.printers)
    return f"cards:\n{cards}\nattempts:\n{runs}\nprinters:\n{printers}"


def _artifacts(found: object) -> list[ArtifactRef]:
    if isinstance(found, dict):
        if {"sha256", "size", "mime"} <= found.keys():
            return [msgspec.convert(found, ArtifactRef)]
        return [ref for value in found.values() for ref in _artifacts(value)]
    return [ref for value in found for ref in _artifacts(value)] if isinstance(found, list) else []


def children() -> dict[int, str]:
    """Our living children with their command lines; with the test as subreaper, also what a killed program left."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found[int(entry.name)] = command
    return found
