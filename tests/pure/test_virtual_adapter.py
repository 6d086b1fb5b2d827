"""The simulated printer behind the contract, under a clock that the test moves."""

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adapters.registry import create
from core.contract import AdapterError, Link, NotPossible, Observation, Phase, PrinterConfig, ReplyKind
from tests.servers.clock import RealClock

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "k_abc_1_0011.gcode"
# ten layers of 100 s each
GCODE = "G90\nM83\n" + "".join(
    f";LAYER:{n}\nG1 Z{0.2 * (n + 1):.1f} F600000\nG1 X{100 * ((n + 1) % 2)} E1 F60\n" for n in range(10)
)


class Moved:
    """A clock that stands still until moved; sleeping moves it."""

    def __init__(self) -> None:
        self.mono = 50.0
        self.real = 1_800_000_000.0

    def monotonic(self) -> float:
        return self.mono

    def wall(self) -> float:
        return self.real

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self.mono += seconds
        self.real += seconds


def config(**options: str) -> PrinterConfig:
    return PrinterConfig(printer_id="v1", name="Sim", adapter="virtual", options=options)


def part(folder: Path) -> tuple[Path, str]:
    path = folder / "part.gcode"
    path.write_text(GCODE)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


async def test_it_says_that_it_is_simulated() -> None:
    printer = create(config(), Moved())
    assert printer.capability.simulated
    assert "simulated" in (await printer.observe()).raw


async def test_time_scale_layers_and_remaining_time(tmp_path: Path) -> None:
    clock = Moved()
    printer = create(config(time_scale="100"), clock)
    await printer.upload(NAME, *part(tmp_path))
    assert (await printer.start(NAME, "t")).kind is ReplyKind.ACCEPTED
    clock.move(4.5)
    look = await printer.observe()
    assert look.phase is Phase.PRINTING
    assert (look.printer_job.layer, look.printer_job.layers) == (5, 10)
    assert look.printer_job.elapsed_s == pytest.approx(450.0)
    assert look.printer_job.remaining_s == pytest.approx(550.0, abs=1.0)
    assert look.printer_job.progress == pytest.approx(0.45, abs=0.001)
    clock.move(6.0)
    done = await printer.observe()
    assert (done.phase, done.printer_job.complete_evidence) == (Phase.FINISHED, True)


async def test_link_loss_is_offline_and_the_print_goes_on(tmp_path: Path) -> None:
    clock = Moved()
    printer = create(config(link_loss_at_layer="3", link_loss_s="150"), clock)
    await printer.upload(NAME, *part(tmp_path))
    await printer.start(NAME, "t")
    clock.move(210)
    lost = await printer.observe()
    assert (lost.link, lost.phase, lost.full) == (Link.OFFLINE, Phase.OFFLINE, False)
    assert (await printer.cancel()).kind is ReplyKind.NOT_SENT
    with pytest.raises(AdapterError):
        await printer.list_files()
    clock.move(200)
    back = await printer.observe()
    assert (back.phase, back.printer_job.layer) == (Phase.PRINTING, 5)


@pytest.mark.parametrize(("delay", "link"), [("2", Link.ONLINE), ("30", Link.OFFLINE)])
async def test_slow_answers_take_their_time_up_to_the_bound(delay: str, link: Link) -> None:
    clock = Moved()
    printer = create(config(answer_delay_s=delay), clock)
    before = clock.monotonic()
    assert (await printer.observe()).link is link
    assert 2 <= clock.monotonic() - before <= 5


async def test_a_new_process_finds_the_machine_where_time_took_it(tmp_path: Path) -> None:
    clock = Moved()
    kept = str(tmp_path / "state")
    first = create(config(state_dir=kept), clock)
    await first.upload(NAME, *part(tmp_path))
    await first.start(NAME, "t")
    clock.move(130)
    seen = await first.observe()
    clock.mono = 7.0
    clock.real += 300
    second = create(config(state_dir=kept), clock)
    look = await second.observe()
    assert look.boot == seen.boot
    assert look.printer_job.job_id == seen.printer_job.job_id
    assert look.printer_job.elapsed_s == pytest.approx(430.0)
    assert look.printer_job.layer == 5
    assert (await second.start(NAME, "t")).kind is ReplyKind.REFUSED
    clock.real -= 1_000_000
    back = await create(config(state_dir=kept), clock).observe()
    assert back.phase.running, "a wall clock set back loses time, never the start"
    assert (back.printer_job.remote_file, back.boot.job_counter) == (NAME, 1)


async def test_without_a_state_folder_a_new_process_is_a_new_printer(tmp_path: Path) -> None:
    clock = Moved()
    first = create(config(), clock)
    await first.upload(NAME, *part(tmp_path))
    clock.move(1)
    second = create(config(), clock)
    assert await second.read_back(NAME) is None
    assert (await first.observe()).boot != (await second.observe()).boot


async def test_a_lost_file_of_a_running_print_is_an_error_not_an_end(tmp_path: Path) -> None:
    clock = Moved()
    kept = tmp_path / "state"
    first = create(config(state_dir=str(kept)), clock)
    await first.upload(NAME, *part(tmp_path))
    await first.start(NAME, "t")
    (kept / "files" / NAME).unlink()
    look = await create(config(state_dir=str(kept)), clock).observe()
    assert look.phase is Phase.ERROR
    assert not look.printer_job.complete_evidence


async def test_an_unreadable_state_is_said_and_never_replaced(tmp_path: Path) -> None:
    kept = tmp_path / "state"
    kept.mkdir()
    (kept / "state.json").write_text("{broken")
    printer = create(config(state_dir=str(kept)), Moved())
    look = await printer.observe()
    assert look.phase is Phase.OFFLINE
    assert "cannot be read" in look.messages[0]
    assert (await printer.start(NAME, "t")).kind is ReplyKind.NOT_SENT
    assert (kept / "state.json").read_text() == "{broken"


@pytest.mark.parametrize(
    "options",
    [{"time_scale": "0"}, {"time_scale": "fast"}, {"runout_at_layer": "-1"}, {"link_loss_s": "nan"}],
)
def test_wrong_options_are_refused_with_a_sentence(options: dict[str, str]) -> None:
    with pytest.raises(NotPossible, match=next(iter(options))):
        create(config(**options), Moved())


def test_an_unknown_adapter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotPossible, match="octoprint, virtual"):
        create(PrinterConfig(printer_id="x", name="X", adapter="teapot"), Moved())


_CHILD = """
import asyncio, sys
from pathlib import Path
from adapters.registry import create
from core.contract import PrinterConfig
from tests.servers.clock import RealClock

async def main(state: str, source: str, sha256: str) -> None:
    options = {"state_dir": state, "time_scale": "20"}
    printer = create(PrinterConfig(printer_id="v1", name="Sim", adapter="virtual", options=options), RealClock())
    await printer.upload("k_abc_1_0011.gcode", Path(source), sha256)
    print((await printer.start("k_abc_1_0011.gcode", "t")).kind.value, flush=True)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_kill_9_does_not_rewind_the_print(tmp_path: Path) -> None:
    path, sha256 = part(tmp_path)
    state = str(tmp_path / "state")
    command = [sys.executable, "-c", _CHILD, state, str(path), sha256]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "accepted"
        began = time.monotonic()
        child.send_signal(signal.SIGKILL)
    printer = create(config(state_dir=state, time_scale="20"), RealClock())
    look: Observation = await printer.observe()
    assert look.boot.job_counter == 1
    assert look.printer_job.remote_file == NAME
    assert look.printer_job.elapsed_s is not None
    assert look.printer_job.elapsed_s >= 20 * (time.monotonic() - began) * 0.5
    assert look.phase is Phase.PRINTING
    assert (await printer.start(NAME, "t")).kind is ReplyKind.REFUSED


@pytest.mark.parametrize("end", [Phase.FINISHED, Phase.CANCELLED])
async def test_an_ended_print_stays_ended_when_its_file_is_removed(tmp_path: Path, end: Phase) -> None:
    clock = Moved()
    kept = config(state_dir=str(tmp_path / "state"))
    printer = create(kept, clock)
    await printer.upload(NAME, *part(tmp_path))
    await printer.start(NAME, "t")
    clock.move(300)
    if end is Phase.CANCELLED:
        await printer.cancel()
    clock.move(2000)
    assert (await printer.observe()).phase is end
    await printer.delete(NAME)
    await printer.close()
    clock.move(60)
    again = await create(kept, clock).observe()
    assert (again.phase, again.printer_job.remote_file, again.messages) == (end, NAME, ())


@pytest.mark.parametrize("cancelled", [False, True])
async def test_only_a_running_print_misses_its_file_after_a_restart(tmp_path: Path, cancelled: bool) -> None:
    clock = Moved()
    kept = config(state_dir=str(tmp_path / "state"))
    printer = create(kept, clock)
    await printer.upload(NAME, *part(tmp_path))
    await printer.start(NAME, "t")
    if cancelled:
        await printer.cancel()
    (tmp_path / "state" / "files" / NAME).unlink()
    clock.move(60)
    assert (await create(kept, clock).observe()).phase is (Phase.CANCELLED if cancelled else Phase.ERROR)


async def test_somebody_at_the_machine_clears_an_error_after_the_stated_time(tmp_path: Path) -> None:
    clock = Moved()
    printer = create(config(fail_at_layer="2", error_clears_s="600"), clock)
    await printer.upload(NAME, *part(tmp_path))
    await printer.start(NAME, "t")
    clock.move(500)
    assert (await printer.observe()).phase is Phase.ERROR
    clock.move(600)
    look = await printer.observe()
    assert (look.phase, look.messages) == (Phase.IDLE, ())
