"""5 Printers: the fleet at a glance and live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.client.views import EventFilter, PrinterRow, Shop
from core.domain.commands import RemovePrinter
from kiln_tui.commands import Command
from kiln_tui.presentation.empty import no_printers
from kiln_tui.presentation.printers import printer_lines, printer_strip
from kiln_tui.presentation.text import Line, Span, width_of
from kiln_tui.rows import printer_row, printer_state
from kiln_tui.screens.list_screen import ListScreen, matches
from kiln_tui.screens.perform import commands_for, look_again
from kiln_tui.widgets.live_list import Item

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


def make(kiln: KilnApp) -> Printers:
    """The screen, for the app's lazy imports."""
    return Printers(kiln)


class Printers(ListScreen):
    """One row per printer, in the order of their names."""

    NAME = "printers"

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self._columns = 12

    def rows(self, shop: Shop) -> Sequence[Item]:
        """Printers in the core's order, which telemetry never changes."""
        look = self.kiln.look()
        widest = max((width_of(row.printer.name) for row in shop.printers), default=0)
        name = min(max(widest, 7), 16)
        if name != self._columns:
            self._columns = name
            self.list.redraw()
        if not self.filter_text:
            return [Item(row.printer.printer_id, row) for row in shop.printers]
        return [
            Item(row.printer.printer_id, row)
            for row in shop.printers
            if matches(
                self.filter_text,
                row.printer.name,
                row.model_name,
                printer_state(row, look)[1],
                row.run_title,
                row.printer.material or "",
            )
        ]

    def format_row(self, data: object, width: int) -> tuple[Span, ...]:
        """A printer."""
        return (
            printer_row(data, width, self.kiln.look(), self._columns) if isinstance(data, PrinterRow) else ()
        )

    @property
    def row(self) -> PrinterRow | None:
        """The printer under the cursor."""
        data = self.list.cursor_data
        return data if isinstance(data, PrinterRow) else None

    def detail_lines(self, wide: bool) -> Sequence[Line]:
        """The printer."""
        if self.row is None:
            return ()
        return (printer_lines if wide else printer_strip)(self.row, self.kiln.look())

    def empty_lines(self, shop: Shop) -> Sequence[Line]:  # noqa: ARG002 - the same on every site
        """How to add one."""
        return no_printers()

    def row_commands(self) -> Sequence[Command]:
        """The printer's actions, a fresh look, its story; and a new printer."""
        row, kiln = self.row, self.kiln
        out: list[Command] = []
        if row is not None:
            printer_id = row.printer.printer_id
            out += commands_for(kiln, row.actions, "printer", printer_id, self.settling, here=self._whole)
            out += [
                Command(key="w", label="Why", run=self._why, help="all of it, with what happened"),
            ]
            if not any(action.opens == "refresh" for action in row.actions):
                look = Command(key="g", label="Look again", run=lambda: look_again(kiln, printer_id))
                out.append(look)
        out.append(
            Command(key="N", label="Add a printer", run=self._add, help="by its address", shown=row is None)
        )
        return out

    def palette_extra(self) -> Sequence[Command]:
        """Removing is rare: it has no key."""
        row = self.row
        if row is None:
            return ()
        return [
            Command(
                key="",
                label=f"Remove {row.printer.name}",
                run=lambda: self._remove(row),
                disabled="it has a Print Attempt" if row.run is not None else "",
                danger=True,
            )
        ]

    def _remove(self, row: PrinterRow) -> None:
        from kiln_tui.screens.dialogs import Confirm

        question = f"Kiln forgets {row.printer.name} and its key. What it printed stays in the log."
        command = RemovePrinter(printer_id=row.printer.printer_id)
        self.kiln.open(Confirm(self.kiln, f"Remove {row.printer.name}?", question, command))

    def _add(self) -> None:
        from kiln_tui.screens.palette import add_printer

        add_printer(self.kiln)

    def _why(self) -> None:
        from kiln_tui.screens.why import why_said

        if len(self.kiln.said.more) > 1:
            self.kiln.open(why_said(self.kiln))
        else:
            self._whole()

    def _whole(self) -> None:
        from kiln_tui.screens.why import Why

        if self.row is not None:
            query = EventFilter(printer_id=self.row.printer.printer_id, limit=20)
            self.kiln.open(Why(self.kiln, printer_lines(self.row, self.kiln.look()), query))
