"""A sheet in front of a screen: some lines, perhaps an input, its own keys; Escape goes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input

from core.client.views import Shop
from kiln_tui.commands import Command, find, unique
from kiln_tui.presentation.text import Line
from kiln_tui.screens.base import Front, pressed, said_line
from kiln_tui.widgets.bars import KeyBar, MessageLine
from kiln_tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

WIDTH = 92
GUARD_S = 0.3
"""A dialog that just opened ignores confirmation: the key was meant for what lay under it."""


class SheetMessage(MessageLine):
    """The message line of a sheet."""

    BASE = "sheet"


class Sheet(Front, inherit_bindings=False):
    """Base of sheets and dialogs."""

    AUTO_FOCUS = ""
    GUARDED: ClassVar[bool] = False
    """Whether every key but Escape is ignored for the first moment."""

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__()
        self.kiln = kiln
        self.opened_at = kiln.now_mono()
        self.pane = TextPane(kiln.paint, base="sheet")
        self.message = SheetMessage(kiln.paint)
        self.key_bar = KeyBar(kiln.paint)
        self.box = Container(id="sheet", classes="ascii" if kiln.paint.icons.ascii_only else "")

    @property
    def is_modal(self) -> bool:
        """A sheet lies over its screen."""
        return True

    def compose(self) -> ComposeResult:
        """Lines, more widgets, message, keys."""
        with self.box:
            yield self.pane
            yield from self.more()
            yield self.message
            yield self.key_bar

    def more(self) -> Sequence[Widget]:
        """Widgets between the lines and the message, each of a fixed height."""
        return ()

    def more_height(self) -> int:
        """Lines that these widgets take."""
        return 0

    def lines(self) -> Sequence[Line]:
        """What the sheet says."""
        raise NotImplementedError

    def sheet_commands(self) -> Sequence[Command]:
        """What its keys do."""
        return ()

    # --- showing -------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Take the size, show the lines."""
        self.refresh_sheet()
        self.opened()

    def opened(self) -> None:
        """For sheets that fetch something, or have a line to type into."""

    def on_resize(self) -> None:
        """Fit the new size."""
        self.refresh_sheet()

    def refresh_sheet(self) -> None:
        """Show the lines as they are now, and take as much room as they need."""
        width = min(WIDTH, self.app.size.width)
        self.pane.show(self.lines())
        extra = self.more_height() + 2 + 2  # message and keys, top and bottom border
        height = max(1, min(self.pane.height_for(width - 2), self.app.size.height - extra))
        self.box.styles.width = width
        self.box.styles.height = height + extra
        self.pane.styles.height = height
        self.refresh_bars()

    def refresh_bars(self) -> None:
        """Message and keys."""
        self.message.show(said_line(self.kiln, self.message.size.width or WIDTH))
        self.key_bar.present(self.commands())

    def redraw(self) -> None:
        """Draw everything again."""
        self.pane.redraw()
        self.message.refresh()
        self.key_bar.refresh()

    def take(self, shop: Shop | None) -> None:  # noqa: ARG002 - sheets that follow the shop use it
        """Sheets stand still while one decides; those that must not, say so."""
        self.refresh_bars()

    # --- keys ----------------------------------------------------------------------------------------------

    def commands(self) -> tuple[Command, ...]:
        """The sheet's keys, then those of every sheet."""
        pane = self.pane
        return unique(
            (
                *self.sheet_commands(),
                Command(key="escape", label="Back", run=self.close, aliases=("q",)),
                Command(key="up", label="Up", run=lambda: self.move(-1), aliases=("k",), shown=False),
                Command(key="down", label="Down", run=lambda: self.move(1), aliases=("j",), shown=False),
                Command(key="pageup", label="Page up", run=lambda: pane.page(-1), shown=False),
                Command(key="pagedown", label="Page down", run=lambda: pane.page(1), shown=False),
            )
        )

    def move(self, step: int) -> None:
        """Scroll; sheets with a cursor move that."""
        self.pane.scroll_to(y=self.pane.scroll_offset.y + step, animate=False, immediate=True)

    def close(self) -> None:
        """Go back to the screen."""
        if self.kiln.screen is self:
            self.kiln.pop_screen()

    def on_key(self, event: Key) -> None:
        """Give the key to its command; while an input is typed into, only Escape, Enter and the arrows."""
        key = pressed(event)
        if isinstance(self.focused, Input) and key not in ("escape", "up", "down", "pageup", "pagedown"):
            return
        if key in ("ctrl+c", "ctrl+q"):
            key = "escape"
        event.stop()
        event.prevent_default()
        command = find(self.commands(), key)
        if command is None:
            return
        if self.GUARDED and key != "escape" and self.kiln.now_mono() - self.opened_at < GUARD_S:
            return
        if command.disabled:
            self.kiln.say(f"{command.label} does not work now: {command.disabled}", "warn")
            return
        command.run()
