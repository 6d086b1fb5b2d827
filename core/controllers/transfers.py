"""Keyed work with an attempt's file: send it, read it back, remove it. Safe to repeat; raises `AdapterError`,
`TimeoutError` or `OSError` with a sentence for the operator."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from core.contract import Adapter, AdapterError, SiteClock
from core.controllers.steps import ReadBack
from core.domain.objects import ArtifactRef, Run
from core.domain.words import RunState
from core.kernel.ports import Artifacts

KEYED_S = 20.0
STALL_S = 90.0
"""An upload in which nothing moved for so long is given up."""
_STALL_LOOK_S = 5.0
_CHUNK = 1 << 20
_OUR_NAME = re.compile(r"k_([0-9a-z]+)_[0-9]+_[0-9a-z]+\.gcode")
"""As `core.kernel.runs.claim_run` makes them: run, attempt, nonce."""
_ALGORITHMS = ("sha256", "sha1", "md5")


class Transfers:
    """File work of one printer; `pool` runs the hashing."""

    def __init__(self, adapter: Adapter, artifacts: Artifacts, pool: Executor, clock: SiteClock) -> None:
        self.adapter = adapter
        self._artifacts = artifacts
        self._pool = pool
        self._clock = clock

    async def upload(self, run: Run, tell: Callable[[float], None]) -> None:
        """Put the attempt's G-code there under its remote name, after checking that ours is the approved one."""
        last = self._clock.monotonic()

        def progress(sent: int, total: int) -> None:
            nonlocal last
            last = self._clock.monotonic()
            tell(min(1.0, max(0.0, round(sent / total, 2))) if total > 0 else 0.0)

        sending = asyncio.ensure_future(self._send(run, progress))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=_STALL_LOOK_S)
                if not sending.done() and self._clock.monotonic() - last > STALL_S:
                    raise TimeoutError(f"nothing moved for {STALL_S:.0f} s")
            await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, run: Run, progress: Callable[[int, int], None]) -> None:
        path = self._gcode(run)
        if await self._hash(path, "sha256") != run.gcode_sha256:
            raise AdapterError("the stored G-code is damaged: its hash is not the approved one")
        await self.adapter.upload(run.remote_name, path, run.gcode_sha256, progress)

    async def read_back(self, run: Run) -> ReadBack:
        """What the printer holds under the attempt's name, with our own digest by the same algorithm."""
        async with asyncio.timeout(KEYED_S):
            remote = await self.adapter.read_back(run.remote_name)
        algorithm = remote.digest.partition(":")[0].lower() if remote and remote.digest else ""
        digest = None
        if algorithm in _ALGORITHMS:
            digest = f"{algorithm}:{await self._hash(self._gcode(run), algorithm)}"
        return ReadBack(remote=remote, local_digest=digest)

    async def witness(self, run: Run) -> ReadBack:
        """The printer's record of our file, without a digest."""
        async with asyncio.timeout(KEYED_S):
            return ReadBack(remote=await self.adapter.read_back(run.remote_name))

    async def remove(self, name: str) -> None:
        """Remove a file and confirm that it is gone."""
        async with asyncio.timeout(KEYED_S):
            await self.adapter.delete(name)
            left = await self.adapter.read_back(name)
        if left is not None:
            raise AdapterError("the printer still has the file after it confirmed the removal")

    async def forgotten(self, run_of: Callable[[str], Run | None]) -> set[str]:
        """Files there of starts that are over: their attempt went back to the queue, or on under another name, and
        the life of the program that was to remove them ended first. Names of runs unknown here are not ours."""
        files = await asyncio.wait_for(self.adapter.list_files(), KEYED_S)
        loop = asyncio.get_running_loop()
        found: set[str] = set()
        for name in (file.name for file in files):
            ours = _OUR_NAME.fullmatch(name)
            run = await loop.run_in_executor(self._pool, run_of, f"run_{ours[1]}") if ours else None
            if run is not None and (run.remote_name != name or run.state is RunState.QUEUED):
                found.add(name)
        return found

    def _gcode(self, run: Run) -> Path:
        ref = ArtifactRef(sha256=run.gcode_sha256, size=run.gcode_size, mime="text/x.gcode")
        return self._artifacts.path(ref)

    async def _hash(self, path: Path, algorithm: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _hash_file, path, algorithm)


def _hash_file(path: Path, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
