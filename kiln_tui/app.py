"""The terminal in front of the core: one app, a client like any other.

The app pulls immutable snapshots of the shop at its own pace, hands them to the screen in front, and sends
commands. It decides nothing about printing; it never waits for the core on the UI's own loop.
"""

import asyncio
import contextlib
import gc
import importlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import App
from textual.events import Event, Key
from textual.theme import Theme

import themes
from core.client.api import Client, ClientClosed
from core.client.views import Shop
from core.domain.commands import AnyCommand, Result
from kiln_tui.presentation import icons as icon_sets
from kiln_tui.presentation.look import STALE_S, Look
from kiln_tui.presentation.sent import done_sentence, inverse
from kiln_tui.screens.pace import Pace, moment
from kiln_tui.widgets.paint import Paint
from themes import palettes
from themes.palettes import Palette

if TYPE_CHECKING:
    from kiln_tui.screens.base import Front, KilnScreen
    from kiln_tui.screens.sheet import Sheet

T = TypeVar("T")

SCREENS: tuple[tuple[str, str, str], ...] = (
    ("1", "Triage", "triage"),
    ("2", "Orders", "orders"),
    ("3", "Plans", "plans"),
    ("5", "Printers", "printers"),
    ("6", "Events", "events"),
)
"""Key, title and module of each screen; 4 and 7 are kept free for screens to come."""

LOCAL_PERIOD_S, REMOTE_PERIOD_S = 0.25, 1.0
HINT_PERIOD_S = 0.05
"""The least time between two snapshots, however many hints come; on a slow line the period itself."""
IDLE_AFTER, IDLE_PERIOD_S = 8, 1.0
"""After so many answers without news, snapshots are asked for this rarely; a hint still wakes at once."""
QUIET_PERIOD_S = 5.0
"""How often ages on screen are carried on while the core has nothing new."""
OPENING_S = 5.0
"""After this long without a first snapshot, the empty screen says why it is empty."""
SILENT_CORE_S = 10.0
"""After this long without an answer, what is on screen is called old and no key acts on it."""
_GONE = "Kiln's core has gone away."
_AGAIN = "Start kiln-tui again; it looks at every printer before anything starts."
UNDO_S = 10.0


class Said:
    """The message line: a sentence, its role, and more sentences behind it."""

    def __init__(
        self, text: str = "", role: str = "text", more: tuple[str, ...] = (), until: float = 0.0
    ) -> None:
        self.text, self.role, self.more, self.until = text, role, more, until


class Undo:
    """The command that takes back the last one, while it is fresh."""

    def __init__(self, command: AnyCommand, label: str, until: float) -> None:
        self.command, self.label, self.until = command, label, until


class KilnApp(App[str], inherit_bindings=False):
    """The operations console. `run()` returns ``"demo"`` when the person chose the demo on the first screen."""

    CSS_PATH = str(Path(themes.__file__ or ".").with_name("kiln.tcss"))
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False
    TITLE = "kiln-tui"

    def __init__(
        self,
        client: Client,
        *,
        first_run: bool = False,
        tour: bool = False,
        theme: str | None = None,
        ascii_only: bool | None = None,
        zone: tzinfo | None = None,
        period: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        env = dict(os.environ) if environ is None else dict(environ)
        palette = palettes.choose(env, theme)
        super().__init__(ansi_color=True if palette.ansi else None)
        self.client = client
        self.first_run = first_run
        self.tour = tour
        self.zone = zone
        self.now_mono = monotonic
        self.paint = Paint(palette, icon_sets.choose(env, ascii_only))
        self.remote = "SSH_CONNECTION" in env
        self.period = period or (REMOTE_PERIOD_S if self.remote else LOCAL_PERIOD_S)
        self.opening_s = OPENING_S
        self.started_at = monotonic()
        self.shop: Shop | None = None
        self.shop_at = monotonic()
        self.answered_at = monotonic()
        self.closed = ""
        self.said = Said()
        self.undo: Undo | None = None
        self.selected_intent: str | None = None
        self.pace = Pace()
        self.uncovered_at = float("-inf")
        self._in_flight: list[AnyCommand] = []
        self._hint = asyncio.Event()
        self._owed = False
        self._unsubscribe: Callable[[], None] = lambda: None
        self._screens_made: dict[str, KilnScreen] = {}
        for each in palettes.PALETTES.values():
            self.register_theme(_textual_theme(each))
        self.theme = palette.name

    # --- life ----------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show Triage (or the first-run screen) and start pulling snapshots; hints only wake the pull, so that a
        storm of events costs nothing."""
        self.push_screen(self._screen("first_run" if self.first_run else "triage"))
        self.animation_level = "none"
        loop = asyncio.get_running_loop()

        def hint() -> None:
            if not self._hint.is_set():
                with contextlib.suppress(
                    RuntimeError
                ):  # the loop closed between two changes: nobody looks any more
                    loop.call_soon_threadsafe(self._hint.set)

        self._unsubscribe = self.client.subscribe(hint)
        self.run_worker(self._pull(), name="pull", exit_on_error=True)
        self.set_interval(QUIET_PERIOD_S, self._carry_on)
        self.set_timer(self.opening_s, self.tell_screen)
        self.call_after_refresh(gc.freeze)  # what is here now stays: later collections need not look at it

    def on_unmount(self) -> None:
        """Leave the core's list of listeners; the core itself is the caller's to close."""
        self._unsubscribe()

    async def _pull(self) -> None:
        """One snapshot per period, sooner after a hint (a storm of hints is one), rarely while nothing happens."""
        empty = 0
        while await self._look_once():
            empty = 0 if self._owed or self.shop_at == self.answered_at else empty + 1
            pause = max(self.period, IDLE_PERIOD_S) if empty > IDLE_AFTER else self.period
            least = self.period if self.remote else min(HINT_PERIOD_S, self.period)
            await asyncio.sleep(least)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), timeout=max(0.0, pause - least))

    async def _look_once(self) -> bool:
        """Take the newest snapshot and show it; False when the core has gone away."""
        self._hint.clear()
        try:
            shop = await self.client.shop(-1 if self.shop is None else self.shop.revision)
        except ClientClosed:
            self.closed = f"{_GONE} Printers print on. {_AGAIN}"
            self.say(self.closed, "alert", seconds=1e9)
            self.tell_screen()
            return False
        self.answered_at = self.now_mono()
        if shop is not None and shop != self.shop:
            self.shop, self.shop_at, self._owed = shop, self.answered_at, True
        if self._owed and not self._output_waits():
            self._owed = False
            self.tell_screen()
        return True

    def _output_waits(self) -> bool:
        """Whether earlier frames are still on their way to the terminal: then a slow line is full, and the next
        key's answer must not stand in line behind telemetry. Textual (pinned exactly) has no public word for it."""
        queue = getattr(getattr(self._driver, "_writer_thread", None), "_queue", None)
        return queue is not None and queue.qsize() > 0

    def _carry_on(self) -> None:
        """Ages and the clock go on while the core has nothing new."""
        if self.shop is not None and self.now_mono() - self.shop_at >= QUIET_PERIOD_S / 2:
            self.tell_screen()

    def tell_screen(self) -> None:
        """Let every screen on the stack that shows the shop take the newest snapshot."""
        from kiln_tui.screens.base import Front

        for screen in self.screen_stack:
            if isinstance(screen, Front) and screen.is_mounted:
                screen.take(self.shop)

    # --- the moment ----------------------------------------------------------------------------------------

    def look(self) -> Look:
        """Signs, zone and moment for the presentation functions."""
        if self.shop is None:
            return Look(self.paint.icons, self.zone, 0.0)
        drift = max(0.0, self.now_mono() - self.shop_at)
        return Look(self.paint.icons, self.zone, self.shop.wall + drift, drift, STALE_S)

    @property
    def still_opening(self) -> bool:
        """Whether the core takes long to show anything at all."""
        return self.shop is None and not self.closed and self.now_mono() - self.started_at >= self.opening_s

    @property
    def core_silent_s(self) -> float:
        """Seconds since the core last answered."""
        return self.now_mono() - self.answered_at

    @property
    def stale_reason(self) -> str:
        """Why nothing may be done from this screen now; '' while it is fresh."""
        if self.closed:
            return "the core has gone away"
        if self.core_silent_s > SILENT_CORE_S:
            return f"Kiln's core has not answered for {int(self.core_silent_s)} s; what you see is old"
        return ""

    # --- going places --------------------------------------------------------------------------------------

    def _screen(self, name: str) -> "KilnScreen":
        """The screen of that module, imported and made when it is first wanted."""
        if name not in self._screens_made:
            module = importlib.import_module(f"kiln_tui.screens.{name}")
            screen: KilnScreen = module.make(self)
            self._screens_made[name] = screen
            self.install_screen(screen, name)
        return self._screens_made[name]

    def go(self, name: str, select: str | None = None) -> None:
        """Show a screen, with the cursor on `select` where it has such a row."""
        while len(self.screen_stack) > 2:  # the app's own blank one, and one of ours
            self.pop_screen()
        screen = self._screen(name)
        if self.screen is not screen:
            self.switch_screen(name)
        if select is not None:
            screen.wanted = select
        if screen.is_mounted:
            screen.take(self.shop)

    def open(self, sheet: "Sheet", over: "Front | None" = None) -> bool:
        """Show a sheet over the screen in front, or over the sheet `over` that asks for it. One at a time: what
        is asked for while another is open, by a key pressed twice or by an answer that came late, is dropped."""
        from kiln_tui.screens.sheet import Sheet

        front = self.screen
        if front is not over if over is not None else isinstance(front, Sheet):
            return False
        self.hush()
        self.push_screen(sheet)
        self._refresh_bars()
        return True

    def uncovered(self) -> None:
        """A sheet has just gone: for a moment keys do not act on what lay under it."""
        self.uncovered_at = moment()

    async def on_event(self, event: Event) -> None:
        """Every key passes here first, in the order in which they were pressed."""
        if isinstance(event, Key) and not event.is_forwarded:
            self.pace.note(event.key, event.time)
        await super().on_event(event)

    # --- saying and sending --------------------------------------------------------------------------------

    def say(self, text: str, role: str = "text", more: tuple[str, ...] = (), seconds: float = 15.0) -> None:
        """Put a sentence into the message line; `more` is shown on ``w``."""
        self.said = Said(text, role, more, self.now_mono() + seconds)
        self._refresh_bars()

    def hush(self) -> None:
        """Clear the message line."""
        if self.said.text:
            self.said = Said()
            self._refresh_bars()

    def _refresh_bars(self) -> None:
        from kiln_tui.screens.base import Front

        for screen in self.screen_stack if self.is_running else ():
            if isinstance(screen, Front) and screen.is_mounted:
                screen.refresh_bars()

    def send(self, command: AnyCommand, then: Callable[[Result], None] | None = None) -> None:
        """Send a command without waiting for it. The same one is dropped until what it did can be seen."""
        if command in self._in_flight:
            return
        self._in_flight.append(command)
        self.run_worker(self._send(command, then), group="send", exit_on_error=True)

    async def _send(self, command: AnyCommand, then: Callable[[Result], None] | None) -> None:
        try:
            await self._sent(command, then)
        finally:
            self._in_flight.remove(command)

    async def _sent(self, command: AnyCommand, then: Callable[[Result], None] | None) -> None:
        back = inverse(command, self.shop)
        try:
            result = await self.client.send(command)
        except ClientClosed:
            self.say(f"Not done: {_GONE} {_AGAIN}", "alert")
            return
        if result.refusal is not None:
            reasons = result.refusal.reasons or (result.refusal.code,)
            self.undo = None
            self.say(f"Not done: {reasons[0]}", "alert", reasons)
        else:
            self.undo = Undo(back[0], back[1], self.now_mono() + UNDO_S) if back else None
            self.say(done_sentence(command, self.shop), "ok")
        await self._look_once()
        if then is not None:
            then(result)

    async def ask(self, answer: Awaitable[T]) -> T | None:
        """What the core answers, or None (and a sentence) when it has gone away."""
        try:
            return await answer
        except ClientClosed:
            self.say(f"No answer: {_GONE} {_AGAIN}", "alert")
            return None

    def undo_now(self) -> Undo | None:
        """What ``u`` would take back now."""
        return self.undo if self.undo is not None and self.undo.until >= self.now_mono() else None

    def take_back(self) -> None:
        """Undo the last command where that is possible."""
        undo = self.undo_now()
        if undo is None:
            self.say("Nothing to undo.", "dim")
            return
        self.undo = None
        self.send(undo.command)

    # --- looks ---------------------------------------------------------------------------------------------

    def use_palette(self, palette: Palette) -> None:
        """Change the colours of everything."""
        self.paint.use(palette)
        self.ansi_color = True if palette.ansi else None
        self.theme = palette.name
        for screen in self._screens_made.values():
            if screen.is_mounted:
                screen.redraw()


def _textual_theme(palette: Palette) -> Theme:
    """Our palette for Textual's own widgets; a native ANSI theme must name its cursor itself."""
    ansi = {
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "input-cursor-background": "ansi_default" if palette.mono else "ansi_white",
        "input-cursor-foreground": "ansi_default" if palette.mono else "ansi_black",
        "input-cursor-text-style": "reverse" if palette.mono else "none",
    }
    return Theme(
        name=palette.name,
        primary=palette.accent,
        accent=palette.accent,
        error=palette.error,
        foreground=palette.foreground,
        background=palette.background,
        surface=palette.surface,
        panel=palette.surface,
        dark=palette.dark,
        ansi=palette.ansi,
        variables={
            "kiln-scroll": palette.scroll,
            "kiln-field": palette.background,
            **(ansi if palette.ansi else {}),
        },
    )
