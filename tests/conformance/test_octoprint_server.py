"""What only a real OctoPrint can show: kills, freezes, faults of its printer, pushes, overlapping starts."""

import asyncio
import http.server
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from core.contract import Link, NotPossible, Observation, Phase, ReplyKind
from tests.conformance.rigs import OUR_NAME, OctoPrintRig
from tests.servers.octoprint import OctoPrintServer

pytestmark = pytest.mark.real


@pytest.fixture
async def own(own_octoprint: OctoPrintServer, tmp_path: Path) -> AsyncIterator[OctoPrintRig]:
    rig = OctoPrintRig(tmp_path, own_octoprint)
    yield rig
    await rig.adapter.close()


async def printing(rig: OctoPrintRig, seconds: float = 60.0) -> Observation:
    name = await rig.uploaded(seconds=seconds)
    assert (await rig.adapter.start(name, "t")).kind is ReplyKind.ACCEPTED
    look, _ = await rig.until(Phase.PRINTING)
    return look


async def test_killed_in_mid_print_is_offline_then_idle_without_our_file(own: OctoPrintRig) -> None:
    running = await printing(own)
    own.server.kill()
    before = time.monotonic()
    look = await own.adapter.observe()
    assert (look.link, look.phase) == (Link.OFFLINE, Phase.OFFLINE)
    assert time.monotonic() - before < 10
    assert (await own.adapter.pause()).kind is ReplyKind.NOT_SENT
    own.server.start()
    back, _ = await own.until(Phase.IDLE, timeout=10)
    assert back.full
    assert not back.printer_job.complete_evidence
    assert back.boot.boot != running.boot.boot, "a restart of OctoPrint must show in the signature"
    assert back.boot.job_counter == running.boot.job_counter == 1
    assert own.server.print_counters(OUR_NAME) == (0, 0), "OctoPrint forgets a print that it was killed in"
    assert own.server.physical_starts() == [OUR_NAME]
    assert own.server.starts_counted() == 1


async def test_frozen_is_offline_within_ten_seconds(own: OctoPrintRig) -> None:
    await printing(own)
    own.server.freeze()
    try:
        before = time.monotonic()
        look = await own.adapter.observe()
        assert (look.link, look.phase) == (Link.OFFLINE, Phase.OFFLINE)
        assert time.monotonic() - before < 5
    finally:
        own.server.thaw()
    look, _ = await own.until(Phase.PRINTING, timeout=10)
    assert look.printer_job.remote_file == OUR_NAME


async def test_a_start_into_a_frozen_server_may_happen_later(own: OctoPrintRig) -> None:
    """The reason why a start is never repeated: no reply, and it prints all the same."""
    name = await own.uploaded(seconds=60.0)
    own.server.freeze()
    try:
        assert (await own.adapter.start(name, "t")).kind is ReplyKind.NO_REPLY
    finally:
        own.server.thaw()
    look, _ = await own.until(Phase.PRINTING, timeout=10)
    assert look.printer_job.remote_file == name
    assert own.server.physical_starts() == [name]


async def test_overlapping_starts_print_one_file_whatever_the_replies_say(own: OctoPrintRig) -> None:
    """A 204 is not "your file started": often both starts get one."""
    other = "k_other_1_22222222.gcode"
    await own.uploaded(seconds=4.0)
    await own.uploaded(other, seconds=4.0)
    before = (await own.adapter.observe()).boot.job_counter or 0
    replies = await asyncio.gather(own.adapter.start(OUR_NAME, "t"), own.adapter.start(other, "t"))
    assert ReplyKind.ACCEPTED in {reply.kind for reply in replies}
    await asyncio.sleep(1.5)
    end, _ = await own.until(Phase.FINISHED, Phase.IDLE)
    printed = own.server.physical_starts()
    # OctoPrint may log two starts of the one file that it selected last, but never both files
    assert len(set(printed)) == 1
    assert end.boot.job_counter == before + len(printed)
    if end.phase is Phase.FINISHED:
        assert end.printer_job.remote_file == printed[0]
        return
    # The other outcome seen: OctoPrint reads no line of either, and records a success without a print time.
    assert not end.printer_job.complete_evidence
    for name in (OUR_NAME, other):
        held = await own.adapter.read_back(name)
        assert held is not None
        assert not held.successes, "a phantom success is no witness"


async def test_emergency_stop_is_an_error_with_words(own: OctoPrintRig) -> None:
    await printing(own)
    assert (await own.adapter.emergency_stop()).kind is ReplyKind.ACCEPTED
    look, _ = await own.until(Phase.ERROR, timeout=15)
    assert look.link is Link.ONLINE
    assert any("M112" in message for message in look.messages)


async def test_a_firmware_error_in_mid_print_shows_with_its_reason(own: OctoPrintRig) -> None:
    await printing(own)
    with suppress(OSError):
        own.server.gcode("!!DEBUG:trigger_fatal_error_marlin")
    look, _ = await own.until(Phase.ERROR, Phase.CANCELLED, timeout=20)
    assert not look.printer_job.complete_evidence
    assert look.phase is Phase.ERROR
    assert any("Thermal Runaway" in message or "halted" in message for message in look.messages)
    own.server.post("/api/connection", {"command": "connect"})
    back, _ = await own.until(Phase.IDLE, timeout=20)
    assert back.printer_job.remote_file == "", "once reconnected, only the file's record tells of the failure"
    held = await own.adapter.read_back(OUR_NAME)
    assert held is not None
    assert (held.successes, held.failures) == (0, 1)


async def test_a_pause_from_the_printer_shows(own: OctoPrintRig) -> None:
    await printing(own)
    own.server.gcode("!!DEBUG:action_pause")
    look, _ = await own.until(Phase.PAUSED, timeout=20)
    assert look.printer_job.remote_file == OUR_NAME


async def test_a_disconnected_printer_is_offline_with_a_reason(own: OctoPrintRig) -> None:
    own.server.post("/api/connection", {"command": "disconnect"})
    look, _ = await own.until(Phase.OFFLINE, timeout=10)
    assert look.link is Link.ONLINE
    assert look.full
    assert "not connected" in look.messages[0]
    assert (await own.adapter.start(OUR_NAME, "t")).kind is ReplyKind.REFUSED


async def test_hints_tell_states_that_polls_miss(own: OctoPrintRig) -> None:
    name = await own.uploaded(seconds=3.0)
    seen: list[Observation] = []

    async def listen() -> None:
        async for hint in own.adapter.hints():
            seen.append(hint)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(1.0)
    await own.adapter.start(name, "t")
    await own.until(Phase.FINISHED)
    await asyncio.sleep(1.0)
    phases = {hint.phase for hint in seen if hint.printer_job.remote_file == name}
    assert {Phase.PRINTING, Phase.FINISHED} <= phases
    assert Phase.PREPARING in {hint.phase for hint in seen}, "Starting lasts some 10 ms; only events tell it"
    assert not any(hint.full for hint in seen), "a hint is never evidence"
    own.server.kill()
    async with asyncio.timeout(10):
        await listening


async def test_without_the_statistics_the_file_counters_serve(tmp_path: Path) -> None:
    with OctoPrintServer(disabled_plugins=("achievements",)) as server:
        rig = OctoPrintRig(tmp_path, server)
        before = (await rig.adapter.observe()).boot
        assert (before.boot, before.job_counter) == ("", 0)
        name = await rig.uploaded(seconds=2.0)
        assert (await rig.adapter.observe()).boot == before
        await rig.adapter.start(name, "t")
        await rig.until(Phase.FINISHED)
        after = (await rig.adapter.observe()).boot
        assert (after.boot, after.job_counter, after.last_name) == ("", 1, name)
        await rig.adapter.close()


class _Camera(http.server.BaseHTTPRequestHandler):
    picture = b"\xff\xd8\xff\xe0" + b"x" * 2000
    headers_seen: list[str] = []  # noqa: RUF012 - one camera per test run

    def do_GET(self) -> None:
        self.headers_seen.append(str(self.headers).lower())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.picture)

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture
def camera() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Camera) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


async def test_camera_still_from_the_settings_of_octoprint(own: OctoPrintRig, camera: int) -> None:
    def set_snapshot(url: str) -> None:
        own.server.post("/api/settings", {"plugins": {"classicwebcam": {"snapshot": url}}})

    set_snapshot(f"http://127.0.0.1:{camera}/?action=snapshot")
    assert await own.adapter.camera_still() == _Camera.picture
    assert not any("x-api-key" in headers for headers in _Camera.headers_seen), (
        "the key is for OctoPrint only"
    )
    set_snapshot("http://192.0.2.7/steal")
    with pytest.raises(NotPossible, match="another host"):
        await own.adapter.camera_still()


async def test_the_server_counts_every_start_over_restarts(own: OctoPrintRig) -> None:
    name = await own.uploaded(seconds=1.0)
    await own.adapter.start(name, "t")
    await own.until(Phase.FINISHED)
    own.server.restart()
    await own.until(Phase.IDLE, timeout=10)
    await own.adapter.start(name, "t")
    await own.until(Phase.FINISHED)
    await asyncio.sleep(0.5)
    assert own.server.physical_starts() == [name, name]
    assert own.server.starts_counted() == 2
    assert own.server.print_counters(name) == (2, 0)
    held = await own.adapter.read_back(name)
    assert held is not None
    assert (held.successes, held.failures) == (2, 0)
