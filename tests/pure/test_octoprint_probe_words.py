"""What the check of an address says before anything answers."""

import asyncio
import socket

import pytest

from adapters.octoprint_probe import probe
from tests.servers.clock import RealClock


async def test_a_name_that_nobody_knows_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio, "open_connection", unknown)
    step = (await probe("octopi.local", "key", RealClock())).steps[-1]
    assert not step.passed
    assert step.said.startswith("The name octopi.local is not known on this network.")
