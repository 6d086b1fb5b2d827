"""`kiln-tui`: the console on a site, with its core in this process."""

import asyncio
import getpass
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiln_tui.cli.failing import CannotStart, in_words, say_and_fail
from kiln_tui.cli.site_dir import local_client, open_core, program_version

if TYPE_CHECKING:
    from core.client.local import LocalClient
    from core.site.core import Core


WANTS_DEMO = -1
"""Answered instead of an exit code when the person chose the demo on the first screen."""


def run(site: Path, *, theme: str | None, ascii_only: bool | None) -> int:
    """Open the console; the exit code."""
    if not sys.stdout.isatty():
        sys.stderr.write("kiln-tui: the console needs a terminal. Without one: kiln-tui serve\n")
        return 1
    from core.site.core import CoreOptions

    try:
        with in_words():
            core = open_core(site, CoreOptions(program=program_version()))
    except CannotStart as error:
        return say_and_fail(error)
    reader = core.kernel.queries
    first = not reader.printers() and not reader.intents_recent(1)
    client = local_client(core, who=operator())
    answer = show(core, client, first_run=first, theme=theme, ascii_only=ascii_only)
    return WANTS_DEMO if answer == "demo" else 0


def show(
    core: "Core",
    client: "LocalClient",
    *,
    first_run: bool = False,
    tour: bool = False,
    theme: str | None = None,
    ascii_only: bool | None = None,
) -> str | None:
    """Run the screens on this client until the person leaves, then stop the core; what the app answered."""
    from kiln_tui.app import KilnApp

    app = KilnApp(client, first_run=first_run, tour=tour, theme=theme, ascii_only=ascii_only, zone=core.zone)

    async def session() -> str | None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(name, app.exit)
        try:
            return await app.run_async()
        finally:
            await client.close()

    return asyncio.run(session())


def operator() -> str:
    """Who sits here: the user's name on this computer."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
