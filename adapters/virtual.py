"""The virtual printer: a simulated machine behind the same contract, and said to be simulated wherever it shows.

Options (`PrinterConfig.options`, all text): ``time_scale`` (machine seconds per second, default 1),
``state_dir`` (where files and the state are kept; without it the printer lives and dies with the process),
``faults_on_job`` (which print the faults happen in, default 1, 0 for every one), ``runout_at_layer``,
``fail_at_layer``, ``link_loss_at_layer`` with ``link_loss_s``, ``error_clears_s`` (somebody there clears an error
after so long; without it nobody does), ``answer_delay_s`` (slow answers) and ``offline`` (``yes``: switched off).
Times it tells (elapsed, remaining) are machine seconds.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from adapters import virtual_machine as model
from adapters.virtual_gcode import Program
from adapters.virtual_store import VirtualFile, VirtualStore, virtual_file
from core.contract import (
    AdapterError,
    BootSignature,
    Capability,
    Link,
    NotPossible,
    Observation,
    Phase,
    PrinterConfig,
    PrinterJob,
    ProgressFn,
    RemoteFile,
    Reply,
    ReplyKind,
    SiteClock,
    Unreachable,
)

CAPABILITY = Capability(
    adapter="virtual",
    hash_algorithm="sha256",
    job_id=True,
    job_counter=True,
    send_gcode=True,
    set_temperature=True,
    emergency_stop=True,
    simulated=True,
    accept_lag_s=0.2,
    grace_s=10.0,
    poll_s=1.0,
)
_REACH_S = 4.5
_MAX_TARGET = 500.0


def _option(config: PrinterConfig, key: str, default: float, low: float, high: float) -> float:
    typed = config.options.get(key, "")
    if not typed:
        return default
    try:
        value = float(typed)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise NotPossible(f"Option {key} of {config.name} must be a number from {low:g} to {high:g}.")
    return value


def _layer(config: PrinterConfig, key: str) -> int | None:
    return int(_option(config, key, 0, 1, 1_000_000)) or None


class VirtualAdapter:
    """One simulated printer; see `core.contract.Adapter` for the methods."""

    def __init__(self, config: PrinterConfig, clock: SiteClock) -> None:
        """Finds the machine where it was left, if it has a `state_dir`; NotPossible for a wrong option."""
        self._clock = clock
        self._scale = _option(config, "time_scale", 1.0, 0.01, 100_000.0)
        self._delay = _option(config, "answer_delay_s", 0.0, 0.0, 3600.0)
        self._off = config.options.get("offline", "") == "yes"
        self.faults = model.Faults(
            on_job=int(_option(config, "faults_on_job", 1, 0, 1_000_000)),
            runout_at_layer=_layer(config, "runout_at_layer"),
            fail_at_layer=_layer(config, "fail_at_layer"),
            link_loss_at_layer=_layer(config, "link_loss_at_layer"),
            link_loss_s=_option(config, "link_loss_s", 60.0, 0.0, 1e6),
            error_clears_s=_option(config, "error_clears_s", 0.0, 1.0, 1e7) or None,
        )
        directory = config.options.get("state_dir", "")
        self._store = VirtualStore(Path(directory) if directory else None)
        self._files: dict[str, VirtualFile] = {}
        self._machine = model.Machine()
        self._boot = ""
        self._began = clock.monotonic()
        self._loaded = False
        self._lock = asyncio.Lock()

    @property
    def capability(self) -> Capability:
        """The same for every virtual printer; `simulated` is true."""
        return CAPABILITY

    async def close(self) -> None:
        """Nothing to give up: the state was saved at the last input."""

    async def _reach(self) -> None:
        """What the link does before the machine answers: nothing, a delay, or no answer at all."""
        if self._delay:
            await self._clock.sleep(min(self._delay, _REACH_S))
        await self._load()
        self._advance()
        if self._off or self._delay > _REACH_S or self._machine.now < self._machine.link_back_at:
            raise Unreachable("The simulated printer does not answer.")

    async def _load(self) -> None:
        async with self._lock:
            if not self._loaded:
                await self._load_once()

    async def _load_once(self) -> None:
        found = await asyncio.to_thread(self._store.load)
        self._files, self._machine, self._boot = found.files, found.machine, found.boot
        if self._machine.phase in model.NEEDS_FILE and self._machine.file not in self._files:
            self._machine = model.fail(self._machine, "The file being printed is gone.")
        away = max(self._clock.wall() - found.saved_at, 0.0) if found.saved_at else 0.0
        # Machine time goes on by the wall clock while nobody looks, and by the monotonic clock while we do.
        self._began = self._clock.monotonic() - away - self._machine.now / self._scale
        if not self._boot:
            self._boot = f"{round(self._clock.wall() * 1000):x}"
        self._loaded = True

    def _advance(self) -> None:
        now = (self._clock.monotonic() - self._began) * self._scale
        self._machine = model.advance(self._machine, now, self._program(), self.faults)

    def _program(self) -> Program:
        file = self._files.get(self._machine.file)
        return file.program if file is not None else Program()

    async def _save(self) -> None:
        async with self._lock:
            state = self._machine, self._boot, self._clock.wall()
            await asyncio.to_thread(self._store.save, *state)

    async def observe(self) -> Observation:
        """The machine as it is now."""
        try:
            await self._reach()
        except AdapterError as error:
            return Observation(
                seen_at=self._clock.monotonic(),
                link=Link.OFFLINE,
                phase=Phase.OFFLINE,
                full=False,
                messages=(str(error),),
            )
        machine = self._machine
        return Observation(
            seen_at=self._clock.monotonic(),
            link=Link.ONLINE,
            phase=machine.phase,
            full=True,
            printer_job=self._printer_job(),
            heaters=model.heaters_of(machine),
            boot=BootSignature(boot=self._boot, last_name=machine.file, job_counter=machine.jobs),
            messages=(machine.message,) if machine.message else (),
            raw=f"simulated: phase={machine.phase} file={machine.file} step={machine.step} jobs={machine.jobs}",
        )

    def _printer_job(self) -> PrinterJob:
        machine, program = self._machine, self._program()
        if not machine.file:
            return PrinterJob()
        finished = machine.phase is Phase.FINISHED
        known = bool(program.steps)
        step = program.steps[min(machine.step, len(program.steps) - 1)] if known else None
        fraction = machine.printed_s / program.seconds if program.seconds > 0 else 0.0
        return PrinterJob(
            remote_file=machine.file,
            job_id=f"{self._boot}-{machine.jobs}",
            progress=1.0 if finished else min(fraction, 1.0) if known else None,
            layer=step.layer if step else None,
            layers=program.layers if known else None,
            elapsed_s=machine.elapsed_s,
            remaining_s=max(program.seconds - machine.printed_s, 0.0) if known else None,
            complete_evidence=finished,
        )

    def hints(self) -> AsyncIterator[Observation]:
        """None: a look costs nothing, so there is nothing to push."""
        return _nothing()

    async def upload(self, name: str, source: Path, sha256: str, progress: ProgressFn | None = None) -> None:
        """Keyed; reads the whole file, so that the machine knows what it would do."""
        await self._reach()
        if name == self._machine.file and self._machine.phase.running:
            raise NotPossible("The printer is printing this very file.")
        data = await asyncio.to_thread(source.read_bytes)
        file = await asyncio.to_thread(virtual_file, data)
        if file.sha256 != sha256.lower():
            raise NotPossible("The file to upload is not the approved one any more; nothing was stored.")
        await asyncio.to_thread(self._store.put, name, data)
        self._files[name] = file
        if progress is not None:
            progress(len(data), len(data))

    async def read_back(self, name: str) -> RemoteFile | None:
        """Keyed."""
        await self._reach()
        file = self._files.get(name)
        return None if file is None else _remote(name, file)

    async def delete(self, name: str) -> None:
        """Keyed; the file being printed is refused."""
        await self._reach()
        if name == self._machine.file and self._machine.phase.running:
            raise NotPossible("The printer is printing this very file.")
        if name == self._machine.file:
            # What was saved last may still be the print under way, and without the file nobody could tell its end.
            await self._save()
        await asyncio.to_thread(self._store.remove, name)
        self._files.pop(name, None)

    async def list_files(self) -> tuple[RemoteFile, ...]:
        """Keyed."""
        await self._reach()
        return tuple(_remote(name, file) for name, file in sorted(self._files.items())[:2000])

    async def camera_still(self) -> bytes:
        """NotPossible: a simulated printer has no camera."""
        raise NotPossible("A simulated printer has no camera.")

    async def start(self, name: str, token: str) -> Reply:  # noqa: ARG002 - the machine carries no token
        """Unkeyed."""
        if (reply := await self._unreached()) is not None:
            return reply
        if name not in self._files:
            return Reply(kind=ReplyKind.REFUSED, detail="There is no such file on the printer.")
        if not self._machine.phase.startable:
            return Reply(kind=ReplyKind.REFUSED, detail=f"The printer is {self._machine.phase.value}.")
        return await self._accept(model.start(self._machine, name))

    async def pause(self) -> Reply:
        """Unkeyed."""
        return await self._when((Phase.PREPARING, Phase.PRINTING), model.pause)

    async def resume(self) -> Reply:
        """Unkeyed."""
        return await self._when((Phase.PAUSED,), model.resume)

    async def cancel(self) -> Reply:
        """Unkeyed; also clears an error."""
        phases = (Phase.PREPARING, Phase.PRINTING, Phase.PAUSING, Phase.PAUSED, Phase.RESUMING, Phase.ERROR)
        return await self._when(phases, model.cancel)

    async def _when(
        self, phases: tuple[Phase, ...], change: Callable[[model.Machine], model.Machine]
    ) -> Reply:
        if (reply := await self._unreached()) is not None:
            return reply
        if self._machine.phase not in phases:
            return Reply(kind=ReplyKind.REFUSED, detail=f"The printer is {self._machine.phase.value}.")
        return await self._accept(change(self._machine))

    async def _unreached(self) -> Reply | None:
        try:
            await self._reach()
        except AdapterError as error:
            return Reply(kind=ReplyKind.NOT_SENT, detail=str(error))
        return None

    async def _accept(self, machine: model.Machine) -> Reply:
        self._machine = machine
        await self._save()
        return Reply(kind=ReplyKind.ACCEPTED)

    async def set_temperature(self, heater: str, target: float) -> Reply:
        """Unkeyed."""
        if (reply := await self._unreached()) is not None:
            return reply
        if heater not in self._machine.actual or not 0 <= target <= _MAX_TARGET:
            return Reply(kind=ReplyKind.REFUSED, detail="There is no such heater, or it cannot get that hot.")
        return await self._accept(model.set_target(self._machine, heater, target))

    async def send_gcode(self, lines: tuple[str, ...]) -> Reply:
        """Unkeyed; the simulated machine takes any lines while it does not print, and does nothing with them."""
        if (reply := await self._unreached()) is not None:
            return reply
        if not 0 < len(lines) <= 100 or self._machine.phase.running:
            return Reply(kind=ReplyKind.REFUSED, detail="The printer takes up to 100 lines while it is free.")
        return Reply(kind=ReplyKind.ACCEPTED, detail="Simulated: without effect.")

    async def emergency_stop(self) -> Reply:
        """Unkeyed."""
        if (reply := await self._unreached()) is not None:
            return reply
        return await self._accept(model.stop(self._machine))


async def _nothing() -> AsyncIterator[Observation]:
    none: tuple[Observation, ...] = ()
    for hint in none:
        yield hint


def _remote(name: str, file: VirtualFile) -> RemoteFile:
    return RemoteFile(name=name, size=file.size, digest=f"sha256:{file.sha256}")
