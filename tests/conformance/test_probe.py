"""The check of a new printer's address: each way it can be wrong has its sentence."""

import pytest

from adapters.registry import probe
from tests.servers.clock import RealClock
from tests.servers.hostile import hostile, raw, reply
from tests.servers.octoprint import OctoPrintServer, free_port


async def failing(address: str, key: str = "A" * 32) -> tuple[str, str]:
    result = await probe(address, key, RealClock())
    assert not result.passed
    assert [step.passed for step in result.steps[:-1]] == [True] * (len(result.steps) - 1)
    return result.steps[-1].title, result.steps[-1].said


@pytest.mark.real
async def test_a_real_octoprint_passes_every_step(octoprint_server: OctoPrintServer) -> None:
    result = await probe(octoprint_server.url, octoprint_server.api_key, RealClock())
    assert result.passed
    assert result.adapter == "octoprint"
    assert result.version.startswith("1.11.")
    titles = [step.title for step in result.steps]
    assert titles == ["Address", "Connection", "Kind of server", "API key", "Version", "Printer"]
    assert octoprint_server.api_key not in " ".join(step.said for step in result.steps)


@pytest.mark.real
@pytest.mark.parametrize("key", ["", "F" * 32, "schlüssel", "a\nb"])
async def test_a_wrong_key_is_found_out_as_such(octoprint_server: OctoPrintServer, key: str) -> None:
    title, said = await failing(octoprint_server.url, key)
    assert title == "API key"
    assert "does not accept this key" in said


async def test_nobody_listens() -> None:
    title, said = await failing(f"127.0.0.1:{free_port()}")
    assert title == "Connection"
    assert "cannot be reached" in said


async def test_no_address() -> None:
    assert (await failing("not an address"))[0] == "Address"


@pytest.mark.parametrize(
    "behaviour",
    [reply(200, b"<html>Router</html>"), raw(b"SSH-2.0-x\r\n"), reply(404), reply(200, b'{"text": "Other"}')],
    ids=["html", "ssh", "404", "other"],
)
async def test_something_else_listens(behaviour: object) -> None:
    async with hostile(behaviour) as server:  # type: ignore[arg-type] # pytest loses the type of parameters
        title, said = await failing(server.url)
    assert title == "Kind of server"
    assert said.endswith((".", ")"))


async def test_a_proxy_without_octoprint_behind_it() -> None:
    async with hostile(reply(503, b"")) as server:
        title, said = await failing(server.url)
    assert title == "Kind of server"
    assert "not running" in said
