"""A printer that is off, locked, silent, slow or killed in mid-print: the screens say so within ten seconds, and
keys stay quick meanwhile (issue 2)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from textual.events import Key

from core.domain.words import IntentState, RunState
from tests.servers.octoprint import OctoPrintServer
from tests.whole.kill_person import WARM, ready_gcode
from tests.whole.site import Site, add_octoprint, site_at

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(180)]

WITHIN_S = 10.0
TROUBLE = ("offline", "silent", "refuse", "stopped reporting", "once it answers again")
QUICK_MS = 300.0
"""The project's own bar is 100 ms; the machine of a test run may be busy otherwise, so the figure is printed."""


@pytest.fixture
def server() -> Iterator[OctoPrintServer]:
    with OctoPrintServer(virtual_printer=WARM) as server:
        yield server


@asynccontextmanager
async def shop_with_work(tmp_path: Path, server: OctoPrintServer, slow: bool = False) -> AsyncIterator[Site]:
    """A site whose OctoPrint was seen, with one approved Order that waits for a clear bed."""
    async with site_at(tmp_path / "site") as site:
        await add_octoprint(site, server)
        site.drop(ready_gcode(tmp_path / "part__x1__PLA.gcode", slow=slow))
        await site.press_on(await site.card("APPROVE", 30), "enter", "enter")
        await site.card("ready_start", 30)
        for screen in "51":
            await site.pilot.press(screen)
            await site.pilot.pause(0.4)
            shown = words(site)
            assert "octo" in shown
            assert not any(trouble in shown for trouble in TROUBLE)
        yield site


def words(site: Site) -> str:
    """All that is on the screen."""
    lines = site.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


class Keys:
    """Presses keys without end, and notes how long each one takes until the screen has followed."""

    def __init__(self, site: Site) -> None:
        self.site, self.took_ms = site, list[float]()
        self._shown = [("5", "printers"), ("1", "triage"), ("2", "orders"), ("6", "events"), ("1", "triage")]

    async def forever(self) -> None:
        while True:
            for key, name in self._shown:
                await self._press(key, partial(self._shows, name))
                await asyncio.sleep(0.05)
                self.site.app.post_message(Key("down", None))
                await asyncio.sleep(0.05)
            await self._press("question_mark", lambda: type(self._screen).__name__ == "Help", "?")
            await self._press("escape", lambda: type(self._screen).__name__ != "Help")

    def _shows(self, name: str) -> bool:
        return getattr(self._screen, "NAME", "") == name

    @property
    def _screen(self) -> object:
        return self.site.app.screen

    async def _press(self, key: str, followed: Callable[[], bool], char: str | None = None) -> None:
        begun = time.perf_counter()
        self.site.app.post_message(Key(key, char or (key if len(key) == 1 else None)))
        while not followed():
            assert time.perf_counter() - begun < 10, f"the screen never followed {key}"
            await asyncio.sleep(0.001)
        self.took_ms.append((time.perf_counter() - begun) * 1000)


async def keys_stay_quick(site: Site, seconds: float, what: str) -> None:
    """Press keys for so long; prints the figure."""
    keys = Keys(site)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await keys.forever()
    took = sorted(keys.took_ms)
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    print(f"{what}: {len(took)} keys, p50 {p50:.0f} ms, p95 {p95:.0f} ms, worst {took[-1]:.0f} ms")
    assert len(took) >= 10
    assert p95 < QUICK_MS


async def said_within(site: Site, screen: str, wanted: tuple[str, ...], since: float, what: str) -> None:
    """The screen shows one of these words at most ten seconds after `since`."""
    site.app.post_message(Key(screen, screen))
    while True:
        shown = words(site)
        if found := next((word for word in wanted if word in shown), None):
            break
        assert time.monotonic() - since < WITHIN_S, f"{wanted} not among:\n{shown}"
        await asyncio.sleep(0.05)
    print(f"{what}: {found!r} after {time.monotonic() - since:.1f} s")


async def test_off(tmp_path: Path, server: OctoPrintServer) -> None:
    async with shop_with_work(tmp_path, server) as site:
        await asyncio.to_thread(server.stop)
        since = time.monotonic()
        await said_within(site, "5", ("offline",), since, "off, Printers")
        await said_within(site, "1", ("once it answers again",), since, "off, Triage")
        await keys_stay_quick(site, 4, "off")
        await asyncio.to_thread(server.start)
        site.core.fleet.refresh("octo")
        await site.until(lambda: _says(site, "when clear"), "the printer to be back", 30)


async def test_wrong_key(tmp_path: Path, server: OctoPrintServer) -> None:
    server.api_key = "F" * 32
    async with site_at(tmp_path / "site") as site:
        await add_octoprint(site, server)
        since = time.monotonic()
        await said_within(site, "5", ("key refused",), since, "wrong key, Printers")
        await said_within(site, "1", ("refuses Kiln's key",), since, "wrong key, Triage")
        await keys_stay_quick(site, 4, "wrong key")


async def test_never_answering(tmp_path: Path, server: OctoPrintServer) -> None:
    async with shop_with_work(tmp_path, server) as site:
        server.freeze()
        since = time.monotonic()
        await said_within(site, "5", ("offline", "silent"), since, "frozen, Printers")
        await said_within(site, "1", ("once it answers again",), since, "frozen, Triage")
        await keys_stay_quick(site, 4, "frozen")
        server.thaw()
        site.core.fleet.refresh("octo")
        await site.until(lambda: _says(site, "when clear"), "the printer to be back", 30)


async def test_answering_slowly(tmp_path: Path, server: OctoPrintServer) -> None:
    """Two seconds for each answer: late, but not away; the print starts once and is followed to its end."""
    async with shop_with_work(tmp_path, server, slow=True) as site:
        slow = asyncio.create_task(_slowly(server))
        try:
            await site.press_on(await site.card("ready_start"), "enter")
            await site.card("PRINTING", 90)
            await keys_stay_quick(site, 4, "slow")
            row = (await site.shop()).printers[0]
            assert row.live is not None
            assert row.live.phase.running
            assert (row.age_s or 0) < WITHIN_S
        finally:
            slow.cancel()
            server.thaw()
        assert len(server.physical_starts()) == 1


async def test_killed_in_mid_print(tmp_path: Path, server: OctoPrintServer) -> None:
    async with shop_with_work(tmp_path, server, slow=True) as site:
        await site.press_on(await site.card("ready_start"), "enter")
        await site.card("PRINTING", 60)
        server.kill()
        since = time.monotonic()
        await said_within(site, "5", ("offline", "silent"), since, "killed, Printers")
        await said_within(site, "1", ("stopped reporting",), since, "killed, Triage")
        await keys_stay_quick(site, 4, "killed in mid-print")
        await asyncio.to_thread(server.start)
        site.core.fleet.refresh("octo")
        asked = await site.card("NEEDS DECISION", 60)
        assert len(server.physical_starts()) == 1
        await site.press_on(asked, "i", "i", "enter")
        closed = await site.closed()
        assert closed.state is IntentState.FULFILLED
        (run,) = site.core.kernel.reader.runs_recent()
        assert run.state is RunState.COMPLETED
        site.check_ledger()


async def _slowly(server: OctoPrintServer) -> None:
    """Frozen most of the time: one answer takes about two seconds."""
    while True:
        server.freeze()
        await asyncio.sleep(0.45)
        server.thaw()
        await asyncio.sleep(0.05)


async def _says(site: Site, wanted: str) -> bool:
    return any(wanted in f"{card.brief} {card.sentence}" for card in (await site.shop()).cards)
