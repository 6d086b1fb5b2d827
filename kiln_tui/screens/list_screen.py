"""A screen of one live list with a detail beside or below it, a filter, and the keys to move about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input

from core.client.views import Shop
from kiln_tui.commands import Command
from kiln_tui.presentation.text import Line, Span
from kiln_tui.screens.base import WIDE, KilnScreen
from kiln_tui.widgets.bars import Rule
from kiln_tui.widgets.live_list import Item, LiveList
from kiln_tui.widgets.text_pane import TextPane
from kiln_tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

WHOLE_DETAIL = 10
"""Lines below the list from which on a small terminal shows the detail whole."""
SETTLE_S = 0.6
"""For this long after a row went away under the cursor, keys do not act on the row that took its place."""


class ListScreen(KilnScreen):
    """Subclasses say which rows there are, how one looks, and what its detail is."""

    FILTERS: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.list = LiveList(kiln.paint, self.format_row, id="list")
        self.detail = TextPane(kiln.paint, id="detail")
        self.rule = Rule(kiln.paint, id="rule")
        self.filter = TypedLine(placeholder="filter; Enter keeps it, Esc clears it", id="filter")
        self.filter_text = ""
        self._settle_until = 0.0
        self._detail_height: int | None = None
        self._body = Container(self.list, self.rule, self.detail, id="body")

    def body(self) -> Iterable[Widget]:
        """List and detail, and the line for the filter."""
        yield self._body
        yield self.filter

    # --- to be said by the screen ---------------------------------------------------------------------------

    def rows(self, shop: Shop) -> Sequence[Item]:
        """The rows, filtered, in the order to be shown."""
        raise NotImplementedError

    def format_row(self, data: object, width: int) -> tuple[Span, ...]:
        """The cells of one row."""
        raise NotImplementedError

    def detail_lines(self, wide: bool) -> Sequence[Line]:
        """The detail of the row under the cursor."""
        raise NotImplementedError

    def empty_lines(self, shop: Shop) -> Sequence[Line]:
        """What to say when there is no row."""
        raise NotImplementedError

    def moved(self) -> None:
        """The cursor rests on another row."""

    def details_came(self) -> None:
        """A detail that was fetched has come."""
        self.take(self.kiln.shop)

    # --- showing -------------------------------------------------------------------------------------------

    @property
    def wide(self) -> bool:
        """Whether list and detail stand side by side."""
        return self.size.width >= WIDE

    @property
    def cursor_id(self) -> str | None:
        """Id of the row under the cursor."""
        return self.list.cursor_key

    def take(self, shop: Shop | None) -> None:
        """Show a new snapshot."""
        if shop is not None:
            self.list.show(self.rows(shop))
            if self.wanted is not None and (self.list.select(self.wanted) or not self.filter_text):
                self.wanted = None
        self.refresh_detail()
        self.refresh_bars()

    def refresh_detail(self) -> None:
        """The detail, or what the empty screen says."""
        shop = self.kiln.shop
        empty = shop is not None and not self.list.items
        self._body.set_class(empty or self.kiln.still_opening, "empty")
        if shop is None:
            if self.kiln.still_opening:
                self.detail.show((Line((("Kiln is still opening this site…", "dim"),)),))
            return
        if empty and self.filter_text:
            self.detail.show(
                [Line(((f"Nothing here matches “{self.filter_text}”. Esc clears the filter.", "dim"),))]
            )
        else:
            self.detail.show(self.empty_lines(shop) if empty else self.detail_lines(self._make_room()))

    def _make_room(self) -> bool:
        """On a small terminal a short list gives its room to the detail; True when the detail may be whole."""
        room = self._body.size.height - len(self.list.items) - 1
        whole = room >= WHOLE_DETAIL
        height = room if whole and not self.wide else None
        if height != self._detail_height:  # a style that is set lays the whole screen out again
            self._detail_height = height
            self.detail.styles.height = height
        return whole or self.wide

    def redraw(self) -> None:
        """Draw everything again."""
        super().redraw()
        self.list.redraw()
        self.detail.redraw()
        self.rule.refresh()

    def on_resize(self) -> None:
        """Side by side from `WIDE` columns on."""
        self._body.set_class(self.wide, "wide")
        self.call_after_refresh(lambda: self.take(self.kiln.shop))

    @property
    def hidden_by(self) -> str:
        """The filter, when nothing matches it."""
        return self.filter_text if not self.list.items else ""

    def quiet_line(self) -> tuple[Span, ...]:
        """An active filter is always said."""
        if not self.filter_text:
            return ()
        return ((f" filter: {self.filter_text}", "info"), ("   Esc clears it", "dim"))

    # --- the cursor ----------------------------------------------------------------------------------------

    def on_live_list_moved(self, event: LiveList.Moved) -> None:
        """Follow the cursor with the detail."""
        event.stop()
        if event.by_itself:
            self._settle_until = self.kiln.now_mono() + SETTLE_S
        self.moved()
        self.detail.scroll_to(y=0, animate=False, immediate=True)
        self.refresh_detail()
        self.refresh_bars()

    def on_live_list_chosen(self, event: LiveList.Chosen) -> None:
        """A double click is the primary key."""
        event.stop()
        command = next((command for command in self.commands() if command.key == "enter"), None)
        if command is not None:
            self.do(command)

    @property
    def settling(self) -> str:
        """Why keys do not act on the row just now; '' when they do."""
        if self.kiln.now_mono() < self._settle_until:
            return "the row under the cursor has just changed; press again"
        return ""

    # --- keys ----------------------------------------------------------------------------------------------

    def screen_commands(self) -> Sequence[Command]:
        """The row's keys, then those of the list."""
        return (*self.row_commands(), *self.list_commands())

    def row_commands(self) -> Sequence[Command]:
        """Keys that act on the row under the cursor."""
        return ()

    def list_commands(self) -> Sequence[Command]:
        """Filter and movement."""
        go = self.list
        more = [
            Command(key="up", label="Up", run=lambda: go.move(-1), aliases=("k",), shown=False, group="Move"),
            Command(
                key="down", label="Down", run=lambda: go.move(1), aliases=("j",), shown=False, group="Move"
            ),
            Command(key="pageup", label="Page up", run=lambda: go.page(-1), shown=False, group="Move"),
            Command(key="pagedown", label="Page down", run=lambda: go.page(1), shown=False, group="Move"),
            Command(key="home", label="First", run=lambda: go.end(-1), shown=False, group="Move"),
            Command(key="end", label="Last", run=lambda: go.end(1), shown=False, group="Move"),
            Command(
                key="]",
                label="Scroll the detail down",
                run=lambda: self.detail.page(1),
                shown=False,
                group="Move",
            ),
            Command(
                key="[",
                label="Scroll the detail up",
                run=lambda: self.detail.page(-1),
                shown=False,
                group="Move",
            ),
        ]
        if self.FILTERS:
            more.insert(0, Command(key="/", label="Filter", run=self.open_filter))
        return more

    def back(self) -> None:
        """Escape clears the filter, then the message."""
        if self.filter_text or self.filter.has_class("open"):
            self.close_filter(clear=True)
        else:
            super().back()

    # --- filter --------------------------------------------------------------------------------------------

    def open_filter(self) -> None:
        """Show the line for the filter and type into it."""
        self.filter.add_class("open")
        self.filter.focus()

    def close_filter(self, *, clear: bool) -> None:
        """Leave the line; the filter stays unless it is cleared."""
        if clear:
            self.filter.value = ""
            self.filter_text = ""
            self.filter_changed()
        self.filter.remove_class("open")
        self.set_focus(None)
        self.take(self.kiln.shop)

    def filter_changed(self) -> None:
        """For screens that ask the core with the filter's text."""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while typing."""
        event.stop()
        if event.value.strip() != self.filter_text:
            self.filter_text = event.value.strip()
            self.filter_changed()
            self.take(self.kiln.shop)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the filter."""
        event.stop()
        self.close_filter(clear=False)

    @property
    def typing(self) -> bool:
        """While the filter is typed, only Escape and the arrows are keys."""
        return self.filter.has_focus


def matches(text: str, *fields: str) -> bool:
    """Whether every word of `text` is somewhere in the fields, whatever the case."""
    whole = " ".join(fields).casefold()
    return all(word in whole for word in text.casefold().split())
