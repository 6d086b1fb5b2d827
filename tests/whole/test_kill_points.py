"""kill -9 of the whole program at every step of a story: OctoPrint counts one start, nothing is lost (issue 2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.words import IntentState, RunState
from tests.servers.octoprint import OctoPrintServer
from tests.whole.kill_person import Person

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def warm_octoprint() -> Iterator[OctoPrintServer]:
    """A real OctoPrint in a hot room: its virtual nozzle needs one second to 200 °C instead of twenty."""
    with OctoPrintServer(virtual_printer={"ambientTemperature": 195.0}) as server:
        yield server


@pytest.fixture
def person(tmp_path: Path, warm_octoprint: OctoPrintServer) -> Iterator[Person]:
    person = Person(tmp_path / "site", warm_octoprint)
    yield person
    person.close()


def ready_gcode(path: Path, padding: int = 0) -> Path:
    """A print of a few seconds; `padding` bytes of comments make the upload long enough to be cut in two."""
    lines = ["; printer_model = MK3S", "G90", "M83", "M104 S200", "M140 S60", "G28", "M109 S200", "M190 S60"]
    for layer in range(1, 4):
        lines += [";LAYER_CHANGE", f"G1 Z{0.2 * layer:.2f} F600"]
        for x, y in ((50, 50), (80, 50), (80, 80), (50, 80)):
            lines.append(f"G1 X{x} Y{y} E1.2 F1200")
    lines += ["M104 S0", "M140 S0", "G1 Z20 F600"]
    lines += ["; " + "padding " * 12] * (padding // 99)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def finish(person: Person) -> list[str]:
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
    person.close()
    person.check_ledger()
    person.check_folders()
    starts = person.starts()
    assert set(starts) == {run.remote_name}
    return starts


POINTS = {
    "drop-claimed": 1,
    "drop-gated": 1,
    "drop-committed": 1,
    "drop-moved": 1,
    "event:IntentCreated": 1,
    "event:PlanApproved": 1,
    "event:RunQueued": 1,
    "event:RunClaimed": 1,
    "during-upload": 1,
    "after-upload": 1,
    "event:RunUploaded": 1,
    "event:StartIntended": 2,
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
