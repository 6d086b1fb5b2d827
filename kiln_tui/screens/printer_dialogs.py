"""Short questions about a printer: what is loaded, and why it is out of service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget
from textual.widgets import Input

from core.domain import commands as c
from core.domain.text import clean
from kiln_tui.commands import Command
from kiln_tui.presentation.sent import printer_name
from kiln_tui.presentation.text import BLANK, Line, line
from kiln_tui.screens.dialogs import CHOICE_KEYS, Choose
from kiln_tui.screens.sheet import Sheet
from kiln_tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

OUT_OF_SERVICE = (
    ("maintenance", "Maintenance"),
    ("nozzle or extruder", "Nozzle or extruder"),
    ("bed or first layer", "Bed or first layer"),
    ("electronics or firmware", "Electronics or firmware"),
    ("kept for something else", "Kept for something else"),
)


def out_of_service(kiln: KilnApp, printer_id: str) -> Choose:
    """Ask for the reason."""
    head = [
        line((f"Take {printer_name(kiln.shop, printer_id)} out of service?", "title")),
        BLANK,
        line("Nothing is started on it until somebody puts it back. What it prints now goes on."),
        BLANK,
        line(("Why?", "bold")),
    ]
    return Choose(
        kiln,
        head,
        OUT_OF_SERVICE,
        lambda reason: kiln.send(c.TakeOutOfService(printer_id=printer_id, reason=reason)),
    )


class LoadMaterialSheet(Sheet):
    """A material by one key, a colour if one wants."""

    GUARDED: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp, printer_id: str) -> None:
        super().__init__(kiln)
        self.printer_id = printer_id
        self.materials: tuple[str, ...] = ()
        self.material: str | None = None
        self.color = TypedLine(placeholder="colour, or just Enter", max_length=40)

    def more(self) -> Sequence[Widget]:
        """The line for the colour."""
        self.color.display = False
        return (self.color,)

    def more_height(self) -> int:
        """One line, once a material is chosen."""
        return 1 if self.color.display else 0

    def opened(self) -> None:
        """Fetch the materials."""
        self.run_worker(self._fetch())

    async def _fetch(self) -> None:
        self.materials = (await self.kiln.ask(self.kiln.client.materials()) or ())[: len(CHOICE_KEYS)]
        self.refresh_sheet()

    def lines(self) -> Sequence[Line]:
        """The materials, then the colour."""
        name = printer_name(self.kiln.shop, self.printer_id)
        if self.material is not None:
            return (line((f"{name}: {self.material}", "title")), line("Which colour?"))
        rows = [
            line((key, "key"), f"  {material}")
            for key, material in zip(CHOICE_KEYS, self.materials, strict=False)
        ]
        return (
            line((f"What is loaded in {name}?", "title")),
            BLANK,
            *(rows or [line(("fetching the materials…", "dim"))]),
            line(("0", "key"), ("  nothing", "dim")),
        )

    def sheet_commands(self) -> Sequence[Command]:
        """A key for each material."""
        if self.material is not None:
            return (Command(key="enter", label="Loaded", run=lambda: self._loaded(self.color.value)),)
        out = [
            Command(key=key, label=material, run=lambda m=material: self._chose(m), shown=False)  # type: ignore[misc]  # bound at once
            for key, material in zip(CHOICE_KEYS, self.materials, strict=False)
        ]
        return (*out, Command(key="0", label="Nothing is loaded", run=self._nothing, shown=False))

    def _chose(self, material: str) -> None:
        self.material = material
        self.color.display = True
        self.color.focus()
        self.refresh_sheet()

    def _nothing(self) -> None:
        self.close()
        self.kiln.send(c.LoadMaterial(printer_id=self.printer_id, material=""))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The colour was typed."""
        event.stop()
        self._loaded(event.value)

    def _loaded(self, color: str) -> None:
        self.close()
        command = c.LoadMaterial(
            printer_id=self.printer_id, material=self.material or "", color=clean(color.strip(), 40)
        )
        self.kiln.send(command)
