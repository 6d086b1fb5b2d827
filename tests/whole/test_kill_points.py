"""kill -9 of the whole program at every step of a story: OctoPrint counts one start, nothing is lost (issue 2)."""

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


POINTS = {
    "drop-claimed": 1,
    "drop-gated": 1,
    "drop-committed": 1,
    "drop-moved": 1,
    "event:RunClaimed": 1,
    "during-upload": 1,
    "event:RunUploaded": 1,
    "before-send": 2,
    "during-send": 2,
    "after-send": 1,
    "event:StartReplied": 1,
    "event:RunStarted": 1,
    "event:RunCompleted": 1,
    "event:ItemOutcomeRecorded": 1,
    "after-delete": 1,
}
"""Where the program dies → the most bed-clear permits a person has to give in the whole story."""


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
    print(f"{point:26} starts {len(starts)}, bed cleared {person.cleared} time(s), completed, fulfilled")
    assert len(starts) == 1
    assert person.cleared <= POINTS[point]
