"""The fleet on the real kernel against a real OctoPrint with its Virtual Printer; starts are counted there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import Adapter, PrinterConfig
from core.domain import commands as cmd
from core.domain.objects import Printer
from core.domain.words import Health, RunState
from tests.kernel.farm import Farm
from tests.servers.octoprint import OctoPrintServer, gcode_of

pytestmark = [pytest.mark.real, pytest.mark.slow]

S = RunState


def gcode(name: str) -> bytes:
    return (gcode_of(60.0 if name.startswith("long") else 5.0) + f"; {name}\n").encode()


@pytest.fixture
def farm(tmp_path: Path, own_octoprint: OctoPrintServer) -> Iterator[Farm]:
    from adapters.octoprint import OctoPrintAdapter

    def real(farm: Farm, printer: Printer) -> Adapter:
        config = PrinterConfig(
            printer_id=printer.printer_id,
            name=printer.name,
            adapter="octoprint",
            address=own_octoprint.url,
            secret=own_octoprint.api_key,
        )
        return OctoPrintAdapter(config, farm.clock)

    farm = Farm(tmp_path, real, gcode)
    yield farm
    farm.close()


def test_an_order_is_printed_once_and_its_file_removed(farm: Farm, own_octoprint: OctoPrintServer) -> None:
    farm.add()
    run = farm.ends(farm.order(), seconds=60)
    assert own_octoprint.physical_starts() == [run.remote_name]
    assert own_octoprint.get("/api/files/local")["files"] == []
    second = farm.order("second")
    farm.until(lambda: "not cleared" in farm.live.run_blocks().get(farm.run_of(second).run_id, ""))
    farm.did(cmd.ClearBed(printer_id="p1"))
    farm.ends(second, seconds=60)
    assert own_octoprint.starts_counted() == 2


@pytest.mark.parametrize("at", [S.UPLOADED, S.CONFIRMING, S.PRINTING])
def test_the_core_stops_and_another_life_goes_on(
    farm: Farm, own_octoprint: OctoPrintServer, at: RunState
) -> None:
    farm.add(clear=False)
    intent_id = farm.order()
    farm.until(lambda: farm.live.get("p1").answered_at is not None)
    farm.did(cmd.ClearBed(printer_id="p1"))
    order = [S.UPLOADED, S.CONFIRMING, S.PRINTING]
    farm.until(lambda: (s := farm.run_of(intent_id).state) in order and order.index(s) >= order.index(at))
    farm.close()
    farm.open()
    run = farm.ends(intent_id, seconds=60)
    assert own_octoprint.physical_starts() == [run.remote_name]


def test_ended_while_we_were_down(farm: Farm, own_octoprint: OctoPrintServer) -> None:
    farm.add()
    intent_id = farm.order()
    farm.until(lambda: farm.run_of(intent_id).state is S.PRINTING)
    farm.close()
    own_octoprint.wait_state("Operational")
    farm.open()
    farm.ends(intent_id)


def test_ended_and_overwritten_while_we_were_down_is_settled_by_the_record(
    farm: Farm, own_octoprint: OctoPrintServer
) -> None:
    farm.add()
    intent_id = farm.order()
    farm.until(lambda: farm.run_of(intent_id).state is S.PRINTING)
    name = farm.run_of(intent_id).remote_name
    farm.close()
    own_octoprint.wait_state("Operational")
    copy = {"command": "copy", "destination": "foreign.gcode"}
    own_octoprint.post(f"/api/files/local/{name}", copy)
    own_octoprint.post("/api/files/local/foreign.gcode", {"command": "select", "print": True})
    farm.open()
    run = farm.ends(intent_id, seconds=60)
    assert "1 finished" in " ".join(line.text for line in run.evidence)


def test_cancelled_at_the_machine_is_an_operators_abort(farm: Farm, own_octoprint: OctoPrintServer) -> None:
    farm.add()
    intent_id = farm.order("long")
    farm.until(lambda: farm.run_of(intent_id).state is S.PRINTING)
    own_octoprint.post("/api/job", {"command": "cancel"})
    run = farm.ends(intent_id, S.ABORTED, seconds=30)
    assert run.reason == "operator_abort"


def test_killed_in_mid_print_is_put_before_a_person(farm: Farm, own_octoprint: OctoPrintServer) -> None:
    farm.add()
    intent_id = farm.order("long")
    farm.until(lambda: farm.run_of(intent_id).state is S.PRINTING)
    own_octoprint.kill()

    def health() -> Health:
        printer = farm.kernel.reader.printer("p1")
        assert printer is not None
        return printer.health

    farm.until(lambda: health() is Health.OFFLINE, 10)
    assert farm.run_of(intent_id).state is S.PRINTING
    own_octoprint.start()
    farm.fleet.refresh("p1")
    farm.until(lambda: farm.run_of(intent_id).state is S.NEEDS_DECISION, 60)
    assert len(own_octoprint.physical_starts()) == 1


def test_a_foreign_print_is_shown_and_left_alone(farm: Farm, own_octoprint: OctoPrintServer) -> None:
    farm.add(clear=False)
    first = farm.order("first")
    farm.until(lambda: "not cleared" in farm.live.run_blocks().get(farm.run_of(first).run_id, ""))
    sent = own_octoprint.basedir / "uploads" / "benchy.gcode"
    sent.write_text(gcode_of(8.0))
    farm.until(lambda: own_octoprint.get("/api/files/local")["files"])
    own_octoprint.post("/api/files/local/benchy.gcode", {"command": "select", "print": True})

    def foreign() -> str:
        printer = farm.kernel.reader.printer("p1")
        assert printer is not None
        return printer.foreign

    farm.until(lambda: foreign() == "benchy.gcode")
    own_octoprint.wait_state("Operational")
    farm.until(lambda: foreign() == "")
    assert sent.exists()
    farm.did(cmd.ClearBed(printer_id="p1"))
    farm.ends(first, seconds=60)
    assert len(own_octoprint.physical_starts()) == 2
