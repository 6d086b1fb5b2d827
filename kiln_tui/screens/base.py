"""What every screen has: top bar, notices, a body, message line, key bar; and one way to handle keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.events import Key
from textual.screen import Screen
from textual.widget import Widget

from core.client.views import Shop
from kiln_tui.app import SCREENS
from kiln_tui.commands import Command, find, unique
from kiln_tui.presentation.text import Span, cut_end
from kiln_tui.presentation.top import brand, top_right
from kiln_tui.presentation.tour import next_step
from kiln_tui.presentation.units import age
from kiln_tui.screens.pace import GUARD_S, REPEAT_S, Beat
from kiln_tui.widgets.bars import KeyBar, MessageLine, Notices, TopBar

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

_HARMLESS = frozenset({"Move", "Screens"})
_ALWAYS = frozenset({"escape", ":", "?", "q"})
WIDE = 100
"""From this many columns on, list and detail stand side by side."""


def pressed(event: Key) -> str:
    """The name of a key as commands spell it: printable signs stand for themselves."""
    if event.character is not None and event.is_printable and event.character != " ":
        return event.character
    return event.key


def said_line(kiln: KilnApp, width: int) -> tuple[Span, ...]:
    """The message line while there is a message; the rest of a refusal's reasons is a key away."""
    said = kiln.said
    if not said.text or said.until < kiln.now_mono():
        return ()
    hint = f"   (w: all {len(said.more)} reasons)" if len(said.more) > 1 else ""
    return ((" ", "text"), (cut_end(said.text, max(10, width - 3 - len(hint))), said.role), (hint, "dim"))


class Front(Screen[None], inherit_bindings=False):
    """Whatever can stand in front: takes snapshots, and has bars that follow the app's messages."""

    def take(self, shop: Shop | None) -> None:
        """Show a new snapshot."""

    def refresh_bars(self) -> None:
        """Show the newest message and the keys that work now."""

    def redraw(self) -> None:
        """Draw everything again after a change of palette."""

    def type_ahead(self, event: Key) -> None:
        """A key came while this was opening; it matters where something is typed."""


class KilnScreen(Front, inherit_bindings=False):
    """Base of the numbered screens."""

    NAME: ClassVar[str] = ""
    AUTO_FOCUS = ""

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__()
        self.kiln = kiln
        self.wanted: str | None = None
        self.top_bar = TopBar(kiln.paint, kiln.go)
        self.notices = Notices(kiln.paint, id="notices")
        self.tour_line = MessageLine(kiln.paint, id="tour")
        self.message_line = MessageLine(kiln.paint, id="message")
        self.key_bar = KeyBar(kiln.paint)

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        yield self.top_bar
        yield self.notices
        yield from self.body()
        if self.kiln.tour:
            yield self.tour_line
        yield self.message_line
        yield self.key_bar

    def body(self) -> Iterable[Widget]:
        """The widgets between the bars."""
        raise NotImplementedError

    def take(self, shop: Shop | None) -> None:  # noqa: ARG002 - screens that show the shop use it
        """Show a new snapshot."""
        self.refresh_bars()

    def redraw(self) -> None:
        """Draw everything again after a change of palette."""
        for bar in (self.top_bar, self.notices, self.tour_line, self.message_line, self.key_bar):
            bar.refresh()

    def on_mount(self) -> None:
        """Show what is known already."""
        self.take(self.kiln.shop)

    def on_screen_resume(self) -> None:
        """Catch up on what happened while another screen was in front."""
        if self.is_mounted:
            self.take(self.kiln.shop)

    def on_resize(self) -> None:
        """The top bar has room for more or less."""
        self.call_after_refresh(self.refresh_bars)

    # --- bars ----------------------------------------------------------------------------------------------

    def refresh_bars(self) -> None:
        """Top bar, notices, message line and key bar."""
        kiln, shop, look = self.kiln, self.kiln.shop, self.kiln.look()
        self.top_bar.present(brand(shop), SCREENS, self.NAME, top_right(shop, look))
        self.notices.show(*self._notice_rows())
        front = kiln.screen is self
        said = said_line(kiln, self.size.width) if front else ()
        self.message_line.show(said or self.quiet_line())
        if kiln.tour:
            step = next_step(shop, self.NAME, self.cursor_id, hidden=self.hidden_by)
            self.tour_line.show(((" Next  ", "brand"), (step.replace("⏎", kiln.paint.icons.enter), "bold")))
        self.key_bar.present(self.commands() if front else ())

    @property
    def cursor_id(self) -> str | None:
        """Id of what the cursor is on, for the tour."""
        return None

    @property
    def hidden_by(self) -> str:
        """The filter that hides every row, for the tour."""
        return ""

    def quiet_line(self) -> tuple[Span, ...]:
        """What the message line shows while there is no message."""
        return ()

    def _notice_rows(self) -> list[tuple[Span, ...]]:
        kiln, shop = self.kiln, self.kiln.shop
        rows: list[tuple[Span, ...]] = []
        icons = kiln.paint.icons
        if kiln.stale_reason and not kiln.closed:
            text = f"Kiln's core has not answered for {age(kiln.core_silent_s)}. What you see is that old."
            rows.append(((f" {icons.alert} ", "alert"), (text, "alert")))
        if shop is None:
            return rows
        if shop.banner:
            rows.append(((f" {icons.alert} ", "alert"), (shop.banner, "alert")))
        if shop.slicer_problem:
            rows.append(((f" {icons.warn} ", "warn"), (shop.slicer_problem, "warn")))
        if shop.demo:
            scale = f", time runs {shop.time_scale:g} times as fast" if shop.time_scale != 1.0 else ""
            rows.append(((" demo ", "brand"), (f"{shop.demo}{scale}", "dim")))
        return rows[:2]

    # --- keys ----------------------------------------------------------------------------------------------

    def commands(self) -> tuple[Command, ...]:
        """All that keys do now, most important first."""
        first = [*self.screen_commands()]
        undo = self.kiln.undo_now()
        if undo is not None:
            after = 1 if first and first[0].key == "enter" else 0
            first.insert(
                after, Command(key="u", label=undo.label, run=self.kiln.take_back, group="Everywhere")
            )
        else:
            first.append(
                Command(key="u", label="Undo", run=self.kiln.take_back, shown=False, group="Everywhere")
            )
        return unique((*first, *self._everywhere()))

    def screen_commands(self) -> Sequence[Command]:
        """The screen's own commands."""
        return ()

    def _everywhere(self) -> list[Command]:
        kiln = self.kiln
        out = [
            Command(
                key=key,
                label=title,
                run=lambda name=name: kiln.go(name),  # type: ignore[misc]  # bound at once
                shown=False,
                group="Screens",
            )
            for key, title, name in SCREENS
        ]
        out += [
            Command(key="q", label="Quit", run=self.quit, shown=False, group="Everywhere"),
            Command(key="escape", label="Back", run=self.back, shown=False, group="Everywhere"),
            Command(key=":", label="Commands", run=self.palette, aliases=("ctrl+p",), group="Everywhere"),
            Command(key="?", label="Help", run=self.help, group="Everywhere"),
        ]
        return out

    @property
    def typing(self) -> bool:
        """Whether keys go into a line of text now."""
        return False

    def on_key(self, event: Key) -> None:
        """Give the key to the command that answers to it; a disabled one says why. A key that came while a sheet
        opened, just after one closed, or by being held, acts on nothing."""
        key = pressed(event)
        if self.kiln.screen is not self:
            event.stop()
            if isinstance(self.kiln.screen, Front):
                self.kiln.screen.type_ahead(event)
            return
        if self.typing and key not in ("escape", "up", "down", "pageup", "pagedown"):
            return
        if key in ("ctrl+c", "ctrl+q"):
            key = "q"
        command = find(self.commands(), key)
        if command is None:
            return
        event.stop()
        event.prevent_default()
        beat = self.kiln.pace.beat(event.time)
        if command.key not in _ALWAYS and command.group not in _HARMLESS:
            if event.time - self.kiln.uncovered_at < GUARD_S:
                return
            if beat is Beat.HELD and not command.repeat:
                return
        if beat is Beat.AGAIN and command.group == "This row" and not command.disabled:
            row, raw, at = self.cursor_id, event.key, event.time
            self.set_timer(REPEAT_S, lambda: self._unless_held(command, row, raw, at))
            return
        self.do(command)

    def _unless_held(self, command: Command, row: str | None, key: str, at: float) -> None:
        """The key came once more soon after it came before: it was pressed, not held, if nothing followed."""
        if not self.kiln.pace.followed(key, at) and self.cursor_id == row:
            now = next((c for c in self.commands() if (c.key, c.label) == (command.key, command.label)), None)
            if now is not None:
                self.do(now)

    def do(self, command: Command) -> None:
        """Run a command, or say why it does not work now."""
        if self.kiln.screen is not self:
            return
        if command.disabled:
            self.kiln.say(f"{command.label} does not work now: {command.disabled}", "warn")
            return
        command.run()

    def back(self) -> None:
        """Escape: clear the message; screens with a filter clear that first."""
        self.kiln.hush()

    def palette(self) -> None:
        """Open the command palette."""
        from kiln_tui.screens.palette import Palette

        self.kiln.open(Palette(self.kiln, self))

    def help(self) -> None:
        """Show the keys of this screen."""
        from kiln_tui.screens.help import Help

        self.kiln.open(Help(self.kiln, self))

    def quit(self) -> None:
        """Ask, saying what goes on without this terminal."""
        from kiln_tui.screens.dialogs import Quit

        self.kiln.open(Quit(self.kiln))

    def palette_extra(self) -> Sequence[Command]:
        """Commands that only the palette offers."""
        return ()
