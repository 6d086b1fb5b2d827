"""A list one types into: the palette, printer models, materials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.widget import Widget
from textual.widgets import Input

from kiln_tui.commands import Command
from kiln_tui.presentation.text import Line, Span, cell, cut_end, fit, line, width_of
from kiln_tui.screens.list_screen import matches
from kiln_tui.screens.sheet import Sheet
from kiln_tui.widgets.live_list import Item, LiveList
from kiln_tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

ROWS = 12


class Entry(NamedTuple):
    """Something to pick: `off` is why it cannot be picked now."""

    key: str
    label: str
    note: str = ""
    hint: str = ""
    off: str = ""


class Pick(Sheet):
    """Type to narrow, arrows to move, Enter to pick."""

    TYPES: ClassVar[bool] = True

    def __init__(
        self,
        kiln: KilnApp,
        title: str,
        entries: Sequence[Entry],
        picked: Callable[[str], None],
        prompt: str = "",
    ) -> None:
        super().__init__(kiln)
        self._heading, self._entries, self._picked = title, tuple(entries), picked
        self.typed = TypedLine(placeholder=prompt or "type to narrow the list")
        self.list = LiveList(kiln.paint, self._row, base="sheet")

    def more(self) -> Sequence[Widget]:
        """Input and list."""
        return (self.typed, self.list)

    def more_height(self) -> int:
        """They take as much as there may be rows."""
        rows = max(1, min(ROWS, len(self._entries), self.app.size.height - 6))
        self.list.styles.height = rows
        return 1 + rows

    def opened(self) -> None:
        """Ready to type."""
        self._narrow("")
        self.type_into(self.typed)

    def lines(self) -> Sequence[Line]:
        """The title."""
        return (line((self._heading, "title")),)

    def _row(self, data: object, width: int) -> tuple[Span, ...]:
        if not isinstance(data, Entry):
            return ((" " * width, "text"),)
        off = bool(data.off)
        note = f"not now: {data.off}" if off else data.note
        hint = cell(data.hint, 6, right=True) + " "
        label = max(28, min(40, width // 2))
        room = width - label - 4 - width_of(hint)
        return fit(
            (
                (" ", "text"),
                (cell(data.label, label), "disabled" if off else "text"),
                ("  ", "text"),
                (cell(cut_end(note, room), room), "dim"),
                (hint, "disabled" if off else "key"),
            ),
            width,
        )

    def _narrow(self, text: str) -> None:
        found = [entry for entry in self._entries if matches(text, entry.label, entry.note)]
        starts = [entry for entry in found if entry.label.casefold().startswith(text.casefold())]
        ordered = starts + [entry for entry in found if entry not in starts]
        self.list.show([Item(entry.key, entry) for entry in ordered])
        self.list.end(-1)
        self.list.refresh()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        event.stop()
        self._narrow(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Pick what the cursor is on."""
        event.stop()
        self._pick()

    def on_live_list_chosen(self, event: LiveList.Chosen) -> None:
        """A double click picks."""
        event.stop()
        self._pick()

    def _pick(self) -> None:
        entry = self.list.cursor_data
        if not isinstance(entry, Entry):
            return
        if entry.off:
            self.kiln.say(f"{entry.label} does not work now: {entry.off}", "warn")
            return
        self.close()
        self._picked(entry.key)

    def move(self, step: int) -> None:
        """Move the cursor."""
        self.list.move(step)

    def sheet_commands(self) -> Sequence[Command]:
        """Enter is the input's; it is shown here for the eye and the mouse."""
        return (Command(key="enter", label="Pick", run=self._pick),)

    def redraw(self) -> None:
        """Draw everything again."""
        super().redraw()
        self.list.redraw()
