"""Makes the pictures in docs/screens from the running demo: real slicing, simulated printers, nothing canned.

.venv/bin/python scripts/screenshots.py
"""

import asyncio
import datetime as dt
import tempfile
import time
from pathlib import Path

from core.client.local import LocalClient
from core.client.views import Card
from core.domain import commands as cmd
from core.site.core import CoreOptions
from kiln_tui.app import KilnApp
from kiln_tui.cli.site_dir import local_client, open_core
from kiln_tui.demo.orders import ARRIVALS, Customers
from kiln_tui.demo.shop import furnish

OUT = Path(__file__).resolve().parent.parent / "docs" / "screens"
SPEED = 30.0


async def _card(client: LocalClient, tag: str, seconds: float = 120) -> Card:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        shop = await client.shop()
        for card in shop.cards if shop else ():
            if card.tag == tag:
                return card
        await asyncio.sleep(0.2)
    raise TimeoutError(f"no card {tag}")


async def _approve(client: LocalClient) -> None:
    for _ in range(len(ARRIVALS) - 1):
        card = await _card(client, "APPROVE")
        for _try in range(20):  # a draft may still be in preparation
            await asyncio.sleep(0.5)
            if (await client.send(cmd.ApproveOrder(intent_id=card.subject_id))).ok:
                break


async def _take(client: LocalClient) -> None:
    app = KilnApp(client, tour=True, theme="dark")
    async with app.run_test(size=(116, 32)) as pilot:
        await _card(client, "APPROVE")
        await pilot.pause(1)
        await pilot.press("enter")
        await pilot.pause(1)
        app.save_screenshot(str(OUT / "approve.svg"))
        await pilot.press("escape")
        await _approve(client)
        await _card(client, "PAUSED")
        await pilot.press("1", "home")
        await pilot.pause(1)
        app.save_screenshot(str(OUT / "triage.svg"))
        await pilot.press("5")
        await pilot.pause(1)
        app.save_screenshot(str(OUT / "printers.svg"))
        await pilot.press("6")
        await pilot.pause(1)
        app.save_screenshot(str(OUT / "events.svg"))


def main() -> None:
    """Open a demo site, take the pictures, throw the site away."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kiln-pictures-") as folder:
        root = Path(folder) / "site"
        core = open_core(root, CoreOptions(program="pictures"))
        furnish(core.kernel, root, SPEED)
        due = (dt.datetime.now(core.zone) + dt.timedelta(days=1)).strftime("%Y-%m-%d")
        customers = Customers(core.inbox_path, root / "demo-arrivals", due)
        customers.start()
        client = local_client(core, demo="simulated printers, real slicing", time_scale=SPEED, who="ann")
        try:
            asyncio.run(_take(client))
        finally:
            customers.stop()
            core.close()


if __name__ == "__main__":
    main()
