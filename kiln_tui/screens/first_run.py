"""The first-run screen of a site without printers: add one, or see the demo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget

from core.client.views import Shop
from kiln_tui.commands import Command
from kiln_tui.presentation.empty import inbox_lines
from kiln_tui.presentation.text import BLANK, Line, line
from kiln_tui.screens.base import KilnScreen
from kiln_tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


def make(kiln: KilnApp) -> FirstRun:
    """The screen, for the app's lazy imports."""
    return FirstRun(kiln)


class FirstRun(KilnScreen):
    """Two ways to begin."""

    NAME = "first_run"

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.pane = TextPane(kiln.paint, id="page")

    def body(self) -> Iterable[Widget]:
        """One page."""
        yield self.pane

    def take(self, shop: Shop | None) -> None:
        """Go on to Triage as soon as there is a printer."""
        if shop is not None and shop.printers and self.kiln.screen is self:
            self.kiln.go("triage")
            return
        self.pane.show(self._lines(shop))
        super().take(shop)

    def _lines(self, shop: Shop | None) -> list[Line]:
        out = [
            BLANK,
            line(("Welcome to Kiln.", "title"), " It runs the printers of your workshop from this terminal:"),
            line("from a dropped file to a finished part, and it never starts a print twice."),
            BLANK,
            line(("N", "key"), ("  Add a printer", "bold"), "   by its address; you need its API key"),
            line(
                ("d", "key"),
                ("  See the demo", "bold"),
                "    six virtual printers, real slicing, nothing to set up",
            ),
            BLANK,
        ]
        if shop is not None:
            out += inbox_lines(shop)
            out += [BLANK, line((f"Site: {shop.site}", "dim"))]
        return out

    def redraw(self) -> None:
        """Draw everything again."""
        super().redraw()
        self.pane.redraw()

    def screen_commands(self) -> Sequence[Command]:
        """The two ways, and a look around."""
        return (
            Command(
                key="N", label="Add a printer", run=self._add, aliases=("n", "enter"), help="by its address"
            ),
            Command(key="d", label="Demo", run=lambda: self.kiln.exit("demo"), help="six virtual printers"),
            Command(key="1", label="Look around", run=lambda: self.kiln.go("triage")),
        )

    def _add(self) -> None:
        from kiln_tui.screens.palette import add_printer

        add_printer(self.kiln)
