"""A printer in memory that counts physical starts and misbehaves on request; for tests of the fleet."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec.structs import replace

from core.contract import (
    AdapterError,
    BootSignature,
    Capability,
    Heater,
    Link,
    NotPossible,
    Observation,
    Phase,
    PrinterJob,
    ProgressFn,
    RemoteFile,
    Reply,
    ReplyKind,
    Unreachable,
)
from core.kernel.system import SystemClock
from core.ledger.artifacts import FileArtifacts

CAPABILITY = Capability(
    adapter="fake", job_id=True, job_counter=True, accept_lag_s=0.3, grace_s=1.5, poll_s=0.25
)


class FakePrinter:
    """The machine; adapters come and go, the machine stays."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.phase = Phase.IDLE
        self.job = PrinterJob()
        self.boot = BootSignature(boot="b1", job_counter=0)
        self.starts: list[str] = []
        self.calls: list[str] = []
        self.reply = ReplyKind.ACCEPTED
        self.start_works = True
        self.hang_start_s = 0.0
        self.offline = False
        self.hang = False
        self.swallows_a_cancellation = False
        self.bug_in = ""
        self.upload_s = 0.0
        self.uploads = 0
        self.looks = 0

    def run(self, name: str) -> None:
        counter = (self.boot.job_counter or 0) + 1
        self.boot = replace(self.boot, job_counter=counter)
        self.phase = Phase.PRINTING
        self.job = PrinterJob(remote_file=name, job_id=f"j{counter}", progress=0.1)

    def end(self, phase: Phase = Phase.FINISHED) -> None:
        self.phase = phase


class FakeAdapter:
    capability = CAPABILITY

    def __init__(self, machine: FakePrinter) -> None:
        self.machine = machine

    def _check(self, call: str) -> None:
        if self.machine.bug_in == call:
            raise ZeroDivisionError(f"bug in {call}")
        if self.machine.offline:
            raise Unreachable("no answer")

    async def observe(self) -> Observation:
        m = self.machine
        m.looks += 1
        if m.bug_in == "observe":
            raise ZeroDivisionError("bug in observe")
        if m.hang:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if not m.swallows_a_cancellation:
                    raise
                m.swallows_a_cancellation = False
        now = SystemClock().monotonic()
        if m.offline:
            return Observation(seen_at=now, link=Link.OFFLINE, phase=Phase.OFFLINE, full=False)
        return Observation(
            seen_at=now,
            link=Link.ONLINE,
            phase=m.phase,
            full=True,
            printer_job=m.job,
            boot=m.boot,
            heaters=(Heater(name="tool0", actual=21.0),),
        )

    async def hints(self) -> AsyncIterator[Observation]:
        raise NotPossible("no push")
        yield

    async def upload(self, name: str, source: Path, sha256: str, progress: ProgressFn | None = None) -> None:
        self._check("upload")
        content = source.read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        self.machine.uploads += 1
        if self.machine.upload_s:
            if progress is not None:
                progress(1, len(content))
            await asyncio.sleep(self.machine.upload_s)
        self.machine.files[name] = content

    async def read_back(self, name: str) -> RemoteFile | None:
        self._check("read_back")
        content = self.machine.files.get(name)
        if content is None:
            return None
        return RemoteFile(name=name, size=len(content), digest=f"sha1:{hashlib.sha1(content).hexdigest()}")

    async def delete(self, name: str) -> None:
        self._check("delete")
        if self.machine.phase.running and self.machine.job.remote_file == name:
            raise NotPossible("that file is being printed")
        self.machine.files.pop(name, None)

    async def list_files(self) -> tuple[RemoteFile, ...]:
        return ()

    async def camera_still(self) -> bytes:
        raise NotPossible("no camera")

    async def start(self, name: str, token: str) -> Reply:
        m = self.machine
        m.starts.append(name)
        if m.bug_in == "start":
            raise ZeroDivisionError("bug in start")
        if m.start_works and name in m.files:
            m.run(name)
        if m.hang_start_s:
            await asyncio.sleep(m.hang_start_s)
        return Reply(kind=m.reply)

    async def _control(self, call: str, phase: Phase) -> Reply:
        self.machine.calls.append(call)
        self.machine.phase = phase
        return Reply(kind=ReplyKind.ACCEPTED)

    async def pause(self) -> Reply:
        return await self._control("pause", Phase.PAUSED)

    async def resume(self) -> Reply:
        return await self._control("resume", Phase.PRINTING)

    async def cancel(self) -> Reply:
        return await self._control("cancel", Phase.CANCELLED)

    async def set_temperature(self, heater: str, target: float) -> Reply:
        raise AdapterError("not here")

    async def send_gcode(self, lines: tuple[str, ...]) -> Reply:
        raise AdapterError("not here")

    async def emergency_stop(self) -> Reply:
        raise AdapterError("not here")

    async def close(self) -> None:
        return None


def gcode_in(artifacts: FileArtifacts, text: bytes = b"G28\nG1 X10\n") -> dict[str, object]:
    """Fields for a queued run whose G-code is really stored."""
    ref = artifacts.put_bytes(text, "text/x.gcode", "part.gcode")
    return {"gcode_sha256": ref.sha256, "gcode_size": ref.size}
