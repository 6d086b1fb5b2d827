"""One question with one line to type into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget
from textual.widgets import Input

from kiln_tui.commands import Command
from kiln_tui.presentation.text import Line, line
from kiln_tui.screens.sheet import Sheet
from kiln_tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


class Prompt(Sheet):
    """Enter gives the answer, Escape gives none."""

    TYPES: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp, question: str, placeholder: str, typed: Callable[[str], None]) -> None:
        super().__init__(kiln)
        self._question, self._typed = question, typed
        self.input = TypedLine(placeholder=placeholder, max_length=1_000)

    def more(self) -> Sequence[Widget]:
        """The line."""
        return (self.input,)

    def more_height(self) -> int:
        """One line."""
        return 1

    def opened(self) -> None:
        """Ready to type."""
        self.type_into(self.input)

    def lines(self) -> Sequence[Line]:
        """The question."""
        return (line((self._question, "title")),)

    def sheet_commands(self) -> Sequence[Command]:
        """Enter is the input's."""
        return (Command(key="enter", label="Done", run=lambda: self._done(self.input.value)),)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The answer was typed."""
        event.stop()
        self._done(event.value)

    def _done(self, text: str) -> None:
        if text.strip():
            self.close()
            self._typed(text.strip())
