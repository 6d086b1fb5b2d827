"""What the conformance suite needs to know of a backend. A new adapter joins with one Rig in RIGS."""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.registry import create
from core.contract import Adapter, Observation, Phase, PrinterConfig
from tests.servers.clock import RealClock
from tests.servers.octoprint import OctoPrintServer, gcode_of

OUR_NAME = "k_r7f3k2a_1_9a8b7c6d.gcode"


class Rig(ABC):
    """A backend that runs, an adapter for it, and an eye on it that does not go through the adapter."""

    adapter: Adapter

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def gcode(self, seconds: float = 4.0, hotend: int = 0) -> Path:
        """A file that prints in about `seconds` on this backend."""
        path = self.folder / f"part-{seconds:g}-{hotend}.gcode"
        path.write_text(gcode_of(seconds, hotend=hotend))
        return path

    async def uploaded(self, name: str = OUR_NAME, seconds: float = 4.0, hotend: int = 0) -> str:
        """Upload a file that takes `seconds`, give its name."""
        path = self.gcode(seconds, hotend)
        await self.adapter.upload(name, path, hashlib.sha256(path.read_bytes()).hexdigest())
        return name

    async def until(self, *phases: Phase, timeout: float = 40.0) -> tuple[Observation, list[Phase]]:
        """Poll until one of the phases shows; also gives the phases seen on the way."""
        seen: list[Phase] = []
        async with asyncio.timeout(timeout):
            while True:
                look = await self.adapter.observe()
                if not seen or seen[-1] is not look.phase:
                    seen.append(look.phase)
                if look.phase in phases:
                    return look, seen
                await asyncio.sleep(0.03)

    @abstractmethod
    async def physical_starts(self) -> list[str]:
        """Files whose print the backend began, in order, by its own count."""

    @abstractmethod
    def unreachable(self) -> Adapter:
        """An adapter for such a printer that is not there."""

    def wrong_key(self) -> Adapter | None:
        """An adapter with a wrong key; None where the backend has no keys."""
        return None

    async def close(self) -> None:
        """Leave the backend idle and without our file."""
        if (await self.adapter.observe()).phase.running:
            await self.adapter.cancel()
            await self.until(Phase.IDLE, Phase.CANCELLED, Phase.FINISHED)
        await self.adapter.delete(OUR_NAME)
        await self.adapter.close()


class OctoPrintRig(Rig):
    """A real OctoPrint with its Virtual Printer."""

    def __init__(self, folder: Path, server: OctoPrintServer) -> None:
        super().__init__(folder)
        self.server = server
        self._before = len(server.physical_starts())
        self.adapter = self.of(server.url, server.api_key)

    @staticmethod
    def of(url: str, key: str) -> Adapter:
        config = PrinterConfig(printer_id="p1", name="Real", adapter="octoprint", address=url, secret=key)
        return create(config, RealClock())

    async def physical_starts(self) -> list[str]:
        # OctoPrint writes its log from a thread of its own, a moment after the fact
        await asyncio.sleep(0.3)
        return self.server.physical_starts()[self._before :]

    def unreachable(self) -> Adapter:
        return self.of("http://127.0.0.1:9", self.server.api_key)

    def wrong_key(self) -> Adapter | None:
        return self.of(self.server.url, "F" * 32)


class VirtualRig(Rig):
    """The simulated printer, twenty times as fast as a real one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.adapter = self._of()

    @staticmethod
    def _of(**options: str) -> Adapter:
        config = PrinterConfig(
            printer_id="v1", name="Sim", adapter="virtual", options={"time_scale": "20", **options}
        )
        return create(config, RealClock())

    async def physical_starts(self) -> list[str]:
        boot = (await self.adapter.observe()).boot
        return [boot.last_name] * (boot.job_counter or 0)

    def unreachable(self) -> Adapter:
        return self._of(offline="yes")


Fixture = Callable[[str], Any]
"""Gives a pytest fixture by name."""

RIGS: dict[str, Callable[[Path, Fixture], Rig]] = {
    "octoprint": lambda folder, fixture: OctoPrintRig(folder, fixture("octoprint_server")),
    "virtual": lambda folder, _: VirtualRig(folder),
}
