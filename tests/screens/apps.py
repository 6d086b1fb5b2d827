"""Apps for the tests: frozen or running time, fixed zone, no environment."""

import time
from collections.abc import Callable
from datetime import UTC

from textual.pilot import Pilot

from kiln_tui.app import KilnApp
from tests.screens.fake_client import FakeClient, client


def frozen(kind: str = "full", **more: object) -> KilnApp:
    """Nothing moves: for pictures."""
    return app(client(kind), monotonic=lambda: 0.0, **more)


def app(
    of: FakeClient, *, monotonic: Callable[[], float] = time.monotonic, first_run: bool = False,
    tour: bool = False, theme: str | None = None, ascii_only: bool | None = False,
) -> KilnApp:  # fmt: skip
    return KilnApp(
        of, first_run=first_run, tour=tour, theme=theme, ascii_only=ascii_only, zone=UTC, period=0.05,
        monotonic=monotonic, environ={},
    )  # fmt: skip


async def until(pilot: Pilot[str], done: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come true in time"
        await pilot.pause(0.02)


def text_of(app: KilnApp) -> str:
    """What is on the screen, as text."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)
