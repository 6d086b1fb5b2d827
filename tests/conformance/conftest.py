"""The rig of each backend, one test at a time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.rigs import RIGS, Rig


@pytest.fixture(params=[pytest.param(name, id=name) for name in RIGS])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """An idle printer of each kind, without our file."""
    # a backend's server is only set up when its row is run
    made = RIGS[request.param](tmp_path, request.getfixturevalue)
    yield made
    await made.close()
