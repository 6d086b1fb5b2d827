"""A sheet in front of a screen: some lines, perhaps an input, its own keys; Escape goes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input

from core.client.views import Shop
from kiln_tui.commands import Command, find, unique
from kiln_tui.presentation.text import Line, line
from kiln_tui.screens.base import Front, pressed, said_line
from kiln_tui.screens.pace import GUARD_S, REPEAT_S, Beat, moment
from kiln_tui.widgets.bars import KeyBar, MessageLine
from kiln_tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

WIDTH = 92
LEAST = (60, 15)
"""Columns and lines below which nothing is decided: what is decided could not be read."""


class SheetMessage(MessageLine):
    """The message line of a sheet."""

    BASE = "sheet"


class Sheet(Front, inherit_bindings=False):
    """Base of sheets and dialogs."""

    AUTO_FOCUS = ""
    GUARDED: ClassVar[bool] = False
    """Whether something is decided here: then every key but Escape is ignored for the first moment after it can
    be read, and on a terminal that is too small for reading it."""

    TYPES: ClassVar[bool] = False
    """Whether it opens with a line to type into: then what is typed while it opens goes into that line."""

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__()
        self.kiln = kiln
        self.anew_at = float("inf")
        self._opening = self.TYPES
        self._ahead: list[Key] = []
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
        self.anew()
        self.opened()

    def anew(self) -> None:
        """What the sheet asks is new: no key that is on its way now was meant for it."""
        self.anew_at = moment()
        self.call_after_refresh(self._shown)

    def _shown(self) -> None:
        self.anew_at = moment()

    def type_into(self, field: Input) -> None:
        """Type into this line from now on, beginning with what was typed while the sheet opened."""

        def ready() -> None:
            self.set_focus(field)
            self._opening = False
            for key in self._ahead:
                field.post_message(Key(key.key, key.character))
            self._ahead.clear()

        self.app.call_later(ready)

    def type_ahead(self, event: Key) -> None:
        """Keep what is typed until there is a line for it; the opening key pressed twice is no text."""
        if self._opening and event.is_printable and self.kiln.pace.beat(event.time) is Beat.FRESH:
            self._ahead.append(event)

    @property
    def too_small(self) -> bool:
        """Whether there is too little room to decide anything."""
        size = self.app.size
        return self.GUARDED and (size.width < LEAST[0] or size.height < LEAST[1])

    def opened(self) -> None:
        """For sheets that fetch something, or have a line to type into."""

    def on_resize(self) -> None:
        """Fit the new size."""
        self.refresh_sheet()

    def refresh_sheet(self) -> None:
        """Show the lines as they are now, and take as much room as they need."""
        width = min(WIDTH, self.app.size.width)
        self.pane.show(self._too_small_lines() if self.too_small else self.lines())
        extra = self.more_height() + 2 + 2  # message and keys, top and bottom border
        height = max(1, min(self.pane.height_for(width - 2), self.app.size.height - extra))
        self.box.styles.width = width
        self.box.styles.height = height + extra
        self.pane.styles.height = height
        self.refresh_bars()

    def _too_small_lines(self) -> Sequence[Line]:
        words = f"Make the terminal larger (at least {LEAST[0]}×{LEAST[1]}) to decide this."
        return (line((words, "warn")),)

    def refresh_bars(self) -> None:
        """Message and keys; neither while another sheet lies over this one."""
        front = self.kiln.screen is self
        self.message.show(said_line(self.kiln, self.message.size.width or WIDTH) if front else ())
        self.key_bar.present(self.commands() if front else ())

    def on_screen_resume(self) -> None:
        """The sheet above has gone."""
        if self.is_mounted:
            self.refresh_bars()

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
                *(() if self.too_small else self.sheet_commands()),
                Command(key="escape", label="Back", run=self.close, aliases=("q",)),
                Command(
                    key="up", label="Up", run=lambda: self.move(-1), aliases=("k",), shown=False, repeat=True
                ),
                Command(
                    key="down",
                    label="Down",
                    run=lambda: self.move(1),
                    aliases=("j",),
                    shown=False,
                    repeat=True,
                ),
                Command(key="pageup", label="Page up", run=lambda: pane.page(-1), shown=False, repeat=True),
                Command(
                    key="pagedown", label="Page down", run=lambda: pane.page(1), shown=False, repeat=True
                ),
            )
        )

    def move(self, step: int) -> None:
        """Scroll; sheets with a cursor move that."""
        self.pane.scroll_to(y=self.pane.scroll_offset.y + step, animate=False, immediate=True)

    def close(self) -> None:
        """Go back to the screen."""
        if self.kiln.screen is self:
            self.kiln.pop_screen()
            self.kiln.uncovered()

    def on_key(self, event: Key) -> None:
        """Give the key to its command; while an input is typed into, only Escape, Enter and the arrows."""
        key = pressed(event)
        if self._opening and key != "escape":
            event.stop()
            self.type_ahead(event)
            return
        typed = self.focused if isinstance(self.focused, Input) else None
        if typed is not None and key not in ("escape", "up", "down", "pageup", "pagedown", "enter"):
            return
        if key in ("ctrl+c", "ctrl+q") and find(self.commands(), key) is None:
            key = "escape"
        beat = self.kiln.pace.beat(event.time)
        if typed is not None and key == "enter" and beat is Beat.FRESH and self._takes_keys:
            return  # the input's own key
        event.stop()
        event.prevent_default()
        if typed is not None and key == "enter":
            if beat is Beat.AGAIN and self._takes_keys:
                self._unless_held(event, lambda: self._submit_typed(typed))
            return
        command = find(self.commands(), key)
        if command is None or self.kiln.screen is not self:
            return
        if command.key == "escape":
            command.run()
            return
        if self.GUARDED and event.time - self.anew_at < GUARD_S:
            return
        if command.disabled:
            self.kiln.say(f"{command.label} does not work now: {command.disabled}", "warn")
            return
        if beat is Beat.FRESH or command.repeat:
            command.run()
        elif beat is Beat.AGAIN:
            self._unless_held(event, lambda: self._run_again(command))

    @property
    def _takes_keys(self) -> bool:
        return self.kiln.screen is self and not self.too_small

    def _submit_typed(self, typed: Input) -> None:
        if self.focused is typed:
            typed.post_message(Input.Submitted(typed, typed.value))

    def _run_again(self, command: Command) -> None:
        now = next((c for c in self.commands() if (c.key, c.label) == (command.key, command.label)), None)
        if now is not None and not now.disabled:
            now.run()

    def _unless_held(self, event: Key, do: Callable[[], None]) -> None:
        """The key came once more soon after it came before: it was pressed, not held, if nothing follows and the
        sheet still asks the same."""
        key, at, anew_at = event.key, event.time, self.anew_at

        def later() -> None:
            if self._takes_keys and self.anew_at == anew_at and not self.kiln.pace.followed(key, at):
                do()

        self.set_timer(REPEAT_S, later)
