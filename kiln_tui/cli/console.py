"""`kiln-tui`: the console on a site, with its core in this process."""

import asyncio
import contextlib
import getpass
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiln_tui.cli.failing import CannotStart, in_words, say_and_fail
from kiln_tui.cli.site_dir import local_client, open_core, program_version

if TYPE_CHECKING:
    from core.client.api import Client
    from kiln_tui.app import KilnApp


WANTS_DEMO = -1
"""Answered instead of an exit code when the person chose the demo on the first screen."""


def run(site: Path, *, theme: str | None, ascii_only: bool | None) -> int:
    """Open the console; the exit code."""
    if not sys.stdout.isatty():
        sys.stderr.write("kiln-tui: the console needs a terminal. Without one: kiln-tui serve\n")
        return 1
    from kiln_tui.app import KilnApp
    from kiln_tui.cli.late_client import LateClient

    problems: list[CannotStart] = []

    def failed(error: CannotStart) -> None:
        problems.append(error)
        app.exit()

    client = LateClient(lambda: _open(site), failed)
    app = KilnApp(client, first_run=_is_new(site), theme=theme, ascii_only=ascii_only)
    answer = asyncio.run(session(app, client))
    if problems:
        return say_and_fail(problems[0])
    return WANTS_DEMO if answer == "demo" else 0


def _open(site: Path) -> "Client":
    with in_words():
        from core.site.core import CoreOptions

        core = open_core(site, CoreOptions(program=program_version()))
    return local_client(core, who=operator())


def _is_new(site: Path) -> bool:
    """Whether a site has neither printers nor Orders; asked without the core, which takes longer to open."""
    database = site / "kiln.db"
    if not database.exists():
        return True
    try:
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            query = (
                "SELECT EXISTS (SELECT 1 FROM printers WHERE removed = 0) OR EXISTS (SELECT 1 FROM intents)"
            )
            return not connection.execute(query).fetchone()[0]
    except sqlite3.Error:
        return False  # what is wrong with it, the core says when it opens


async def session(app: "KilnApp", client: "Client") -> str | None:
    """Run the screens until the person leaves (or the line drops), then stop the core; what the app answered."""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, app.exit)
    try:
        return await app.run_async()
    finally:
        await client.close()


def operator() -> str:
    """Who sits here: the user's name on this computer."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
