"""`kiln-tui demo`: the tour. With a terminal the console opens on the demo site; without one it is told as text."""

import argparse
import asyncio
import datetime as dt
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kiln_tui.cli import console
from kiln_tui.cli.failing import CannotStart, in_words, say_and_fail
from kiln_tui.cli.site_dir import default_site, local_client, open_core, program_version

if TYPE_CHECKING:
    from core.client.local import LocalClient
    from core.site.core import Core

DEFAULT_SPEED = 60.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}")


def run(options: argparse.Namespace) -> int:
    """Open the demo; the exit code."""
    if options.name is not None and not _NAME.fullmatch(options.name):
        sys.stderr.write("kiln-tui: a demo's name is letters, digits, - and _, at most 31 of them\n")
        return 2
    if not 1 <= options.speed <= 1000:
        sys.stderr.write("kiln-tui: --speed is between 1 and 1000\n")
        return 2
    if options.plain or not sys.stdout.isatty():
        return open_demo(options.name, options.speed, plain=True)
    return open_demo(options.name, options.speed, theme=options.theme, ascii_only=options.ascii or None)


def open_demo(
    name: str | None,
    speed: float,
    *,
    plain: bool = False,
    theme: str | None = None,
    ascii_only: bool | None = None,
) -> int:
    """Make or reopen the demo site, let its customers in, and show or tell it."""
    root = default_site().with_name(f"demo-{name}") if name else Path(tempfile.mkdtemp(prefix="kiln-demo-"))
    try:
        return _on_site(root, speed, kept=name is not None, plain=plain, theme=theme, ascii_only=ascii_only)
    except CannotStart as error:
        return say_and_fail(error)
    finally:
        if name is None:
            shutil.rmtree(root, ignore_errors=True)
            if not plain:
                sys.stdout.write("The demo's site is gone. Keep one with: kiln-tui demo --name NAME\n")


def _on_site(
    root: Path, speed: float, *, kept: bool, plain: bool, theme: str | None, ascii_only: bool | None
) -> int:
    from core.site.core import CoreOptions
    from kiln_tui.demo.orders import ARRIVALS, Customers
    from kiln_tui.demo.shop import furnish

    options = CoreOptions(program=program_version(), slicer_home=default_site())
    with in_words():
        core = open_core(root, options)
    furnish(core.kernel, root, speed)
    due = (dt.datetime.now(core.zone) + dt.timedelta(days=1)).strftime("%Y-%m-%d")
    customers = Customers(core.inbox_path, root / "demo-arrivals", due)
    customers.start()
    try:
        client = local_client(
            core,
            demo=_banner(root.name.removeprefix("demo-") if kept else ""),
            time_scale=speed,
            who=console.operator(),
        )
        if plain:
            return asyncio.run(_tell(core, client, len(ARRIVALS), speed))
        from kiln_tui.app import KilnApp

        app = KilnApp(client, tour=True, theme=theme, ascii_only=ascii_only, zone=core.zone)
        asyncio.run(console.session(app, client))
        return 0
    finally:
        customers.stop()
        core.close()


def _banner(kept_as: str) -> str:
    return "simulated printers, real slicing" + (f", kept as {kept_as}" if kept_as else "")


async def _tell(core: "Core", client: "LocalClient", orders: int, speed: float) -> int:
    from kiln_tui.demo.story import Story

    sys.stdout.write(
        f"No terminal here, so the demo is told as text. Simulated printers at {speed:g}× time, "
        f"real slicing, site {core.paths.root}\n"
    )
    try:
        return 0 if await Story(client, orders).play() else 1
    finally:
        report = await client.verify()
        state = "holds" if report.ok else f"is DAMAGED: {report.problem}"
        sys.stdout.write(f"{report.events} events; the hash chain {state}\n")
        await client.close()
