"""A whole site for tests: real core, real client, real screens, driven by keys."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from textual.pilot import Pilot

from core.client.local import LocalClient
from core.client.views import Card, EventFilter, Shop
from core.domain.objects import Intent
from core.ingest.dropping import drop_into
from core.ledger.verify import projections, replay, verify
from core.site.core import Core, CoreOptions
from kiln_tui.app import KilnApp
from kiln_tui.cli.site_dir import local_client, open_core
from kiln_tui.screens.list_screen import SETTLE_S, ListScreen
from tests.servers.octoprint import OctoPrintServer

T = TypeVar("T")
READ_S = 0.8


class Site:
    """One running site with its screens open."""

    def __init__(self, core: Core, client: LocalClient, app: KilnApp, pilot: Pilot[str]) -> None:
        self.core, self.client, self.app, self.pilot = core, client, app, pilot

    async def shop(self) -> Shop:
        shop = await self.client.shop()
        assert shop is not None
        return shop

    async def until(self, found: Callable[[], Awaitable[T | None]], what: str, timeout: float = 120) -> T:
        """Wait until `found` answers something true; fails with what the cards say."""
        ends = time.monotonic() + timeout
        while time.monotonic() < ends:
            result = await found()
            if result:
                return result
            await self.pilot.pause(0.1)
        shop = await self.shop()
        cards = "\n".join(f"{c.section} {c.tag} {c.where} {c.what}: {c.sentence}" for c in shop.cards)
        raise AssertionError(f"waited {timeout:g} s for {what}; the cards:\n{cards}")

    async def card(self, tag_or_section: str, timeout: float = 120) -> Card:
        """The first card with this tag or in this section."""

        async def find() -> Card | None:
            cards = (await self.shop()).cards
            return next((c for c in cards if tag_or_section in (c.tag, c.section)), None)

        return await self.until(find, f"a card {tag_or_section}", timeout)

    async def press_on(self, card: Card, *keys: str) -> None:
        """Put the cursor on a card of Triage as a person would, and press keys."""
        await self.pilot.press("1", "home")
        for _ in range(60):
            await self.pilot.pause(0.05)
            if self.selected() == card.card_id:
                break
            await self.pilot.press("down")
        else:
            raise AssertionError(f"the cursor never reached {card.card_id}")
        # a row that moved under the cursor takes no key for a moment, so that nobody hits what they did not see
        await self.pilot.pause(SETTLE_S + 0.2)
        for key in keys:
            await self.pilot.press(key)
            # a sheet reads no key before a person could have read it, and nobody types faster than they read
            await self.pilot.pause(READ_S)

    def selected(self) -> str | None:
        """The id of the row under the cursor."""
        screen = self.app.screen
        return screen.cursor_id if isinstance(screen, ListScreen) else None

    def drop(self, path: Path) -> None:
        drop_into(self.core.inbox_path, path)

    async def order(self, number: int = 1001) -> Intent:
        async def find() -> Intent | None:
            orders = (await self.shop()).orders
            return next((o.intent for o in orders if o.intent.number == number), None)

        return await self.until(find, f"Order {number}", 60)

    async def closed(self, number: int = 1001, timeout: float = 30) -> Intent:
        async def find() -> Intent | None:
            intent = await self.order(number)
            return None if intent.open else intent

        return await self.until(find, f"Order {number} to close", timeout)

    async def story(self, intent_id: str) -> list[str]:
        """Event types of an Order, oldest first."""
        rows = await self.client.events(EventFilter(intent_id=intent_id, limit=2000))
        return [row.type for row in reversed(rows)]

    def check_ledger(self) -> None:
        """The chain holds and the tables are what the events say."""
        path = self.core.paths.database
        assert verify(path).ok
        assert replay(path) == projections(path)


@asynccontextmanager
async def site_at(root: Path, *, options: CoreOptions | None = None) -> AsyncIterator[Site]:
    """Open a site with its screens, and close both."""
    core = await asyncio.to_thread(open_core, root, options or CoreOptions(settle_ms=200))
    client = local_client(core, who="tess")
    app = KilnApp(client)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            yield Site(core, client, app, pilot)
    finally:
        await client.close()


async def add_octoprint(site: Site, server: OctoPrintServer, name: str = "octo") -> None:
    """Make a real OctoPrint known as a Prusa MK3S with PLA."""
    result = await site.client.add_printer(
        name=name,
        adapter="octoprint",
        address=server.url,
        model_id="prusa_mk3s",
        secret=server.api_key,
        material="PLA",
    )
    assert result.ok, result.refusal
