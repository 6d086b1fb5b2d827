"""What every adapter must do, shown on a backend that runs (see rigs.py)."""

import hashlib
import time

import pytest

from core.contract import AdapterError, Link, NotPossible, Phase, ReplyKind
from tests.conformance.rigs import OUR_NAME, Rig

pytestmark = pytest.mark.real
MISSING = "k_nothere_1_00000000.gcode"


async def test_observe_is_full_and_timed(rig: Rig) -> None:
    before = time.monotonic()
    look = await rig.adapter.observe()
    assert look.full
    assert look.link is Link.ONLINE
    assert look.phase.startable
    assert before <= look.seen_at <= time.monotonic()
    assert look.seen_at - before < 5
    assert 0 < len(look.raw) <= 2000


async def test_a_printer_that_is_not_there_is_offline_within_five_seconds(rig: Rig) -> None:
    gone = rig.unreachable()
    before = time.monotonic()
    look = await gone.observe()
    assert time.monotonic() - before < 5
    assert (look.link, look.phase, look.full) == (Link.OFFLINE, Phase.OFFLINE, False)
    assert look.messages
    reply = await gone.start(OUR_NAME, "t")
    assert reply.kind is ReplyKind.NOT_SENT
    with pytest.raises(AdapterError):
        await gone.read_back(OUR_NAME)
    await gone.close()


async def test_a_wrong_key_is_told_as_such(rig: Rig) -> None:
    stranger = rig.wrong_key()
    if stranger is None:
        assert rig.adapter.capability.simulated, "a real backend without keys needs a case of its own"
        return
    look = await stranger.observe()
    assert (look.link, look.phase, look.full) == (Link.UNAUTHORISED, Phase.UNKNOWN, False)
    assert (await stranger.start(OUR_NAME, "t")).kind is ReplyKind.REFUSED
    assert await rig.physical_starts() == []
    await stranger.close()


async def test_upload_keeps_the_name_and_starts_nothing(rig: Rig) -> None:
    path = rig.gcode(4.0)
    data = path.read_bytes()
    progress: list[tuple[int, int]] = []
    before = (await rig.adapter.observe()).boot
    await rig.adapter.upload(
        OUR_NAME, path, hashlib.sha256(data).hexdigest(), lambda sent, total: progress.append((sent, total))
    )
    assert progress[-1] == (len(data), len(data))
    held = await rig.adapter.read_back(OUR_NAME)
    assert held is not None
    assert (held.name, held.size) == (OUR_NAME, len(data))
    algorithm = rig.adapter.capability.hash_algorithm
    assert algorithm is not None
    assert held.digest == f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
    assert OUR_NAME in [file.name for file in await rig.adapter.list_files()]
    look = await rig.adapter.observe()
    assert look.phase.startable
    assert look.printer_job.remote_file != OUR_NAME
    assert look.boot == before
    assert await rig.physical_starts() == []


async def test_upload_again_replaces_the_content(rig: Rig) -> None:
    await rig.uploaded(seconds=4.0)
    await rig.uploaded(seconds=60.0)
    held = await rig.adapter.read_back(OUR_NAME)
    assert held is not None
    assert held.size == rig.gcode(60.0).stat().st_size
    names = [file.name for file in await rig.adapter.list_files()]
    assert names.count(OUR_NAME) == 1


async def test_a_file_that_is_not_the_approved_one_is_not_stored(rig: Rig) -> None:
    with pytest.raises(AdapterError):
        await rig.adapter.upload(OUR_NAME, rig.gcode(4.0), "0" * 64)
    assert await rig.adapter.read_back(OUR_NAME) is None


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.gcode", "a/b.gcode", "a\r\nX: y.gcode", ".x.gcode", "ä.gcode", ""]
)
async def test_names_that_a_server_would_change_are_refused_here(rig: Rig, name: str) -> None:
    path = rig.gcode(4.0)
    with pytest.raises(NotPossible):
        await rig.adapter.upload(name, path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert (await rig.adapter.start(name, "t")).kind in (ReplyKind.NOT_SENT, ReplyKind.REFUSED)


async def test_delete_is_repeatable(rig: Rig) -> None:
    await rig.uploaded()
    await rig.adapter.delete(OUR_NAME)
    await rig.adapter.delete(OUR_NAME)
    assert await rig.adapter.read_back(OUR_NAME) is None
    await rig.adapter.delete(MISSING)


async def test_start_of_a_missing_file_never_prints(rig: Rig) -> None:
    before = await rig.adapter.observe()
    reply = await rig.adapter.start(MISSING, "t")
    assert reply.kind is not ReplyKind.ACCEPTED
    after = await rig.adapter.observe()
    assert after.phase.startable
    assert after.boot == before.boot
    assert await rig.physical_starts() == []


async def test_a_print_from_start_to_evidence(rig: Rig) -> None:
    name = await rig.uploaded(seconds=4.0, hotend=60)
    before = await rig.adapter.observe()
    assert (await rig.adapter.observe()).boot == before.boot
    assert (await rig.adapter.start(name, "t")).kind is ReplyKind.ACCEPTED
    running, _ = await rig.until(Phase.PREPARING, Phase.PRINTING, timeout=10)
    assert running.printer_job.remote_file == name
    assert not running.printer_job.complete_evidence
    done, seen = await rig.until(Phase.FINISHED)
    assert Phase.PREPARING in seen
    assert Phase.PRINTING in seen
    assert not {Phase.ERROR, Phase.OFFLINE, Phase.UNKNOWN, Phase.CANCELLED, Phase.IDLE} & set(seen)
    assert done.full
    assert done.printer_job.remote_file == name
    assert done.printer_job.complete_evidence
    assert done.printer_job.progress == 1.0
    assert done.boot != before.boot
    assert done.boot.boot == before.boot.boot
    assert any(heater.name == "tool0" and heater.actual > 25 for heater in done.heaters)
    assert await rig.physical_starts() == [name]
    await rig.adapter.delete(name)
    after = await rig.adapter.observe()
    assert after.phase.startable


async def test_the_signature_changes_with_the_start_not_with_the_end(rig: Rig) -> None:
    name = await rig.uploaded(seconds=60.0)
    before = (await rig.adapter.observe()).boot
    await rig.adapter.start(name, "t")
    await rig.until(Phase.PREPARING, Phase.PRINTING, timeout=10)
    started = (await rig.adapter.observe()).boot
    assert started != before
    await rig.adapter.cancel()
    ended, _ = await rig.until(Phase.CANCELLED)
    assert ended.boot == started


async def test_pause_resume_cancel(rig: Rig) -> None:
    name = await rig.uploaded(seconds=60.0)
    await rig.adapter.start(name, "t")
    await rig.until(Phase.PRINTING)
    assert (await rig.adapter.pause()).kind is ReplyKind.ACCEPTED
    paused, seen = await rig.until(Phase.PAUSED)
    assert set(seen) <= {Phase.PREPARING, Phase.PRINTING, Phase.PAUSING, Phase.PAUSED}
    assert paused.printer_job.remote_file == name
    await rig.adapter.pause()
    assert (await rig.adapter.observe()).phase is Phase.PAUSED, "a second pause must not resume"
    assert (await rig.adapter.resume()).kind is ReplyKind.ACCEPTED
    await rig.until(Phase.PRINTING)
    assert (await rig.adapter.cancel()).kind is ReplyKind.ACCEPTED
    cancelled, _ = await rig.until(Phase.CANCELLED)
    assert not cancelled.printer_job.complete_evidence
    assert cancelled.printer_job.remote_file == name
    assert await rig.physical_starts() == [name]


@pytest.mark.parametrize("state", [Phase.PRINTING, Phase.PAUSED])
async def test_start_while_busy_has_no_effect(rig: Rig, state: Phase) -> None:
    other = "k_other_1_11111111.gcode"
    name = await rig.uploaded(seconds=60.0)
    await rig.uploaded(other, seconds=4.0)
    await rig.adapter.start(name, "t")
    await rig.until(Phase.PRINTING)
    if state is Phase.PAUSED:
        await rig.adapter.pause()
        await rig.until(Phase.PAUSED)
    assert (await rig.adapter.start(other, "t")).kind is ReplyKind.REFUSED
    assert (await rig.adapter.start(name, "t")).kind is ReplyKind.REFUSED
    look = await rig.adapter.observe()
    assert look.phase is state
    assert look.printer_job.remote_file == name
    assert await rig.physical_starts() == [name]
    with pytest.raises(NotPossible):
        await rig.adapter.delete(name)
    with pytest.raises(NotPossible):
        await rig.uploaded(name, seconds=4.0)
    await rig.adapter.delete(other)


async def test_commands_without_a_print_change_nothing(rig: Rig) -> None:
    before = await rig.adapter.observe()
    for call in (rig.adapter.pause, rig.adapter.resume, rig.adapter.cancel):
        assert (await call()).kind is ReplyKind.REFUSED
    after = await rig.adapter.observe()
    assert (after.phase, after.boot) == (before.phase, before.boot)


async def test_set_temperature_shows_as_target(rig: Rig) -> None:
    assert rig.adapter.capability.set_temperature
    assert (await rig.adapter.set_temperature("tool0", 45.0)).kind is ReplyKind.ACCEPTED
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        heaters = {heater.name: heater for heater in (await rig.adapter.observe()).heaters}
        if heaters.get("tool0") and heaters["tool0"].target == 45.0 and heaters["tool0"].actual > 24:
            break
    else:
        pytest.fail(f"the target never showed: {heaters}")
    assert (await rig.adapter.set_temperature("tool0", 0.0)).kind is ReplyKind.ACCEPTED
    assert (await rig.adapter.set_temperature("nose", 45.0)).kind is not ReplyKind.ACCEPTED


async def test_gcode_lines_are_bounded(rig: Rig) -> None:
    assert rig.adapter.capability.send_gcode
    assert (await rig.adapter.send_gcode(("M117 hello",))).kind is ReplyKind.ACCEPTED
    assert (await rig.adapter.send_gcode(())).kind is not ReplyKind.ACCEPTED
    assert (await rig.adapter.send_gcode(("M117",) * 101)).kind is not ReplyKind.ACCEPTED


async def test_without_a_camera_it_says_so(rig: Rig) -> None:
    with pytest.raises(NotPossible, match="camera"):
        await rig.adapter.camera_still()
