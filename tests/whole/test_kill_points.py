"""kill -9 of the whole program at each step of a story: OctoPrint counts one start, nothing is lost (issue 2).

The other steps (of ingest, slicing, outcomes, the fence) are in `test_kill_stories`, several deaths to a story.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.octoprint import OctoPrintServer
from tests.whole.kill_person import WARM, Person, finish, ready_gcode

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def server() -> Iterator[OctoPrintServer]:
    with OctoPrintServer(virtual_printer=WARM) as server:
        yield server


@pytest.fixture
def person(tmp_path: Path, server: OctoPrintServer) -> Iterator[Person]:
    person = Person(tmp_path / "site", server)
    yield person
    person.close()


ONCE, AGAIN, EITHER = {1}, {2}, {1, 2}
POINTS = {
    "drop-claimed": ONCE,
    "drop-committed": ONCE,
    "event:PermitBound": ONCE,
    "mid-commit:RunClaimed": ONCE,
    "event:RunClaimed": ONCE,
    "during-upload": ONCE,
    "mid-commit:StartIntended": ONCE,
    "before-send": AGAIN,
    "during-send": EITHER,
    "after-send": ONCE,
    "event:StartReplied": ONCE,
    "event:RunStarted": ONCE,
    "mid-commit:RunCompleted": ONCE,
    "event:RunCompleted": ONCE,
    "after-delete": ONCE,
}
"""Where the program dies → how many bed-clear permits a person gives in the whole story: a second one after the
fence, where the intent was durable and the start provably never ran."""


@pytest.mark.parametrize("point", POINTS)
def test_killed_once_is_printed_once(person: Person, tmp_path: Path, point: str) -> None:
    padding = 6_000_000 if point == "during-upload" else 0
    person.open(point)
    person.add_printer()
    person.drop(ready_gcode(tmp_path / "ready__x1__PLA.gcode", padding))
    person.until_killed()
    assert person.kills == [point]
    person.open()
    starts = finish(person)
    print(f"{point:27} starts {len(starts)}, bed cleared {person.cleared} time(s), completed, fulfilled")
    assert len(starts) == 1
    assert person.cleared in POINTS[point]
