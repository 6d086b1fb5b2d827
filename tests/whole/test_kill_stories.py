"""Whole stories with kill -9 of the program, of the printer's server, and of both (issue 2; kernel.md windows)."""

import ctypes
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.client.views import Card
from core.domain.commands import ResolveRun
from core.domain.words import Health, RunState
from kiln_tui import demo_parts as parts
from tests.servers.octoprint import OctoPrintServer
from tests.whole.kill_person import WARM, Person, children, finish, ready_gcode, run_of
from tests.whole.kill_wire import Seen

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

_PR_SET_CHILD_SUBREAPER = 36

EVERY_STEP = (
    "drop-claimed",
    "drop-gated",
    "drop-committed",
    "drop-moved",
    "event:PlanApproved",
    "slicer-running",
    "slice-kept",
    "event:Sliced",
    "event:RunClaimed",
    "after-upload",
    "event:RunUploaded",
    "after-send",
    "event:RunStarted",
    "event:RunCompleted",
    "event:ItemOutcomeRecorded",
)


@pytest.fixture
def server() -> Iterator[OctoPrintServer]:
    with OctoPrintServer(virtual_printer=WARM) as server:
        yield server


@pytest.fixture
def person(tmp_path: Path, server: OctoPrintServer) -> Iterator[Person]:
    person = Person(tmp_path / "site", server)
    yield person
    person.close()


@pytest.fixture
def adopts_orphans() -> Iterator[None]:
    """What a killed program leaves behind becomes our child, so that it can be counted."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.mark.usefixtures("adopts_orphans")
def test_killed_at_every_step_of_one_story(person: Person, tmp_path: Path) -> None:
    """Fifteen deaths between the dropped STL and the fulfilled Order; a death may come twice or not at all where
    the step before it was repeated, but every life goes on from the rows."""
    part = tmp_path / "tag__x1__PLA__draft.stl"
    parts.write_stl(part, parts.box(12, 8, 1.2))
    ours = children()
    person.open(EVERY_STEP[0])
    person.add_printer()
    person.drop(part)
    for following in (*EVERY_STEP[1:], ""):
        person.until_killed()
        ends = time.monotonic() + 5
        while left := {pid: command for pid, command in children().items() if pid not in ours}:
            assert time.monotonic() < ends, f"{person.kills[-1]} left behind: {left}"
            time.sleep(0.05)
        person.open(following)
    assert tuple(person.kills) == EVERY_STEP
    starts = finish(person)
    print(
        f"{len(person.kills)} kills in one story: starts {len(starts)}, bed cleared {person.cleared} time(s)"
    )
    assert len(starts) == 1


def test_ended_while_the_program_was_dead(person: Person, tmp_path: Path) -> None:
    """W18: killed before the reply was written down; the print goes on and ends without us."""
    person.open("after-send")
    person.add_printer()
    person.drop(ready_gcode(tmp_path / "ready__x1__PLA.gcode"))
    person.until_killed()
    person.server.wait_state("Operational")
    person.open()
    assert len(finish(person)) == 1
    assert person.cleared == 1


def test_killed_again_and_again_in_the_fence(person: Person, tmp_path: Path) -> None:
    """W5, and no step of the fence is lost or done for a second start."""
    deaths = ("before-send", "event:RunFencing", "after-delete", "event:RunRequeued")
    person.open(deaths[0])
    person.add_printer()
    person.drop(ready_gcode(tmp_path / "ready__x1__PLA.gcode"))
    for following in (*deaths[1:], ""):
        person.until_killed()
        assert person.starts() == []
        person.open(following)
    assert tuple(person.kills) == deaths
    assert len(finish(person)) == 1
    assert person.cleared == 2


def test_both_die_between_intent_and_send(person: Person, tmp_path: Path) -> None:
    """W14: nobody can tell what the printer's server did before it died; a person says that nothing ran."""
    person.open("before-send")
    person.add_printer()
    person.drop(ready_gcode(tmp_path / "ready__x1__PLA.gcode"))
    person.until_killed()
    person.server.kill()
    person.open()
    person.watch_until(lambda seen: seen.shop.printers[0].printer.health is Health.OFFLINE, "offline", 10)
    person.server.start()
    asked = person.work_until(_question, "a person to be asked", 60)
    assert person.starts() == []
    person.close()
    # the file of the first try is still there when this answer is the last act
    person.open("event:RunRequeued")
    person.last_words(ResolveRun(run_id=asked.subject_id, answer="never_ran"))
    person.open()
    assert len(finish(person)) == 1
    assert person.cleared == 2


def test_the_start_arrives_late(person: Person, tmp_path: Path) -> None:
    """W7: the request lies in the sleeping server's socket while the program dies and comes back."""
    process = person.server._process
    assert process is not None
    person.open(f"late-send:{process.pid}")
    person.add_printer()
    person.drop(ready_gcode(tmp_path / "ready__x1__PLA.gcode"))
    person.until_killed()
    person.open()
    person.watch_until(lambda seen: seen.shop.printers[0].printer.health is Health.OFFLINE, "offline", 12)
    assert person.starts() == []
    person.server.thaw()
    starts = finish(person)
    print(f"late start: starts {len(starts)}, bed cleared {person.cleared} time(s)")
    assert len(starts) == 1


@pytest.mark.parametrize(
    ("program_too", "answer", "ends"),
    [(False, "it_ran", RunState.COMPLETED), (True, "adopt", RunState.FAILED)],
    ids=["server", "server-and-program"],
)
def test_the_printers_server_dies_in_mid_print(
    person: Person, tmp_path: Path, answer: str, ends: RunState, program_too: bool
) -> None:
    """Offline or desynced within ten seconds, nothing is started again, a person settles it."""
    part = ready_gcode(tmp_path / "long__x1__PLA.gcode", slow=True)
    person.open("event:RunStarted" if program_too else "")
    person.add_printer()
    person.drop(part)
    if program_too:
        person.until_killed()
    else:
        person.work_until(lambda seen: seen.runs and run_of(seen).state is RunState.PRINTING, "the print", 60)
    person.server.kill()
    died = time.monotonic()
    if program_too:
        person.open()
    card = person.watch_until(_silent, "the card to say so", 11)
    took = time.monotonic() - died
    print(f"{'both' if program_too else 'server'} died in mid-print: {card.tag} after {took:.1f} s")
    assert took < 10
    assert run_of(person.now.look()).state is RunState.PRINTING
    person.server.start()
    asked = person.work_until(_question, "a person to be asked", 60)
    assert len(person.starts()) == 1
    resolve = ResolveRun(run_id=asked.subject_id, answer=answer)
    assert person.now.send(resolve).ok
    seen = person.watch_until(lambda seen: seen if run_of(seen).state.terminal else None, "the end", 20)
    assert run_of(seen).state is ends
    if answer == "it_ran":
        finish(person)
    person.close()
    person.check_ledger()
    assert len(person.starts()) == 1


def _question(seen: Seen) -> Card | None:
    return next((c for c in seen.shop.cards if c.tag == "NEEDS DECISION"), None)


def _silent(seen: Seen) -> Card | None:
    return next(
        (c for c in seen.shop.cards if c.tag in ("OFFLINE", "DESYNCED") and c.subject_kind == "run"), None
    )


def test_dropped_twice_is_one_order_and_a_question(person: Person, tmp_path: Path) -> None:
    """The same content again, over a death between the commit and the move: one Order, and a visible "again?"."""
    part = ready_gcode(tmp_path / "ready__x1__PLA.gcode")
    person.open("drop-committed")
    person.add_printer()
    person.drop(part)
    person.until_killed()
    person.open()
    person.drop(part)
    card = person.work_until(
        lambda seen: next((c for c in seen.shop.cards if c.tag == "AGAIN?"), None), "the question", 20
    )
    assert [a.label for a in card.actions][:2] == ["Order again", "Dismiss"]
    starts = finish(person, orders=2)
    assert len(starts) == 1
