"""The rig of each backend, one test at a time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.rigs import RIGS, Rig
from tests.servers.octoprint import OctoPrintServer


@pytest.fixture(params=[pytest.param(name, id=name) for name in RIGS])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """An idle printer of each kind, without our file."""
    server: OctoPrintServer | None = None
    if request.param != "virtual":
        server = request.getfixturevalue("octoprint_server")
    made = RIGS[request.param](tmp_path, server)
    yield made
    await made.close()
