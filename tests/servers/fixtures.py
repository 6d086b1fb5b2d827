"""Fixtures that give tests a real server; registered for the whole suite in tests/conftest.py."""

from collections.abc import Iterator

import pytest

from tests.servers.octoprint import OctoPrintServer


@pytest.fixture(scope="session")
def octoprint_server() -> Iterator[OctoPrintServer]:
    """One real OctoPrint for the session, for tests that leave it idle; do not kill this one."""
    with OctoPrintServer() as server:
        yield server


@pytest.fixture
def own_octoprint() -> Iterator[OctoPrintServer]:
    """A real OctoPrint for one test alone, which may kill, freeze or restart it."""
    with OctoPrintServer() as server:
        yield server
