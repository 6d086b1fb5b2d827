"""The command palette: everything that can be done from here, also what has no key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kiln_tui.commands import Command, key_word
from kiln_tui.screens.pick import Entry, Pick
from themes.palettes import PALETTES

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp
    from kiln_tui.screens.base import KilnScreen

_NOT_LISTED = {"Move"}


def palette_commands(kiln: KilnApp, screen: KilnScreen) -> list[Command]:
    """The screen's own commands first, then screens, then what only the palette offers."""
    own = [c for c in screen.commands() if c.group not in _NOT_LISTED and c.key not in (":", "escape")]
    out = [replace(c, label=f"Go to {c.label}") if c.group == "Screens" else c for c in own]
    out += screen.palette_extra()
    if not any(command.label == "Add a printer" for command in out):
        out.append(
            Command(key="", label="Add a printer", run=lambda: add_printer(kiln), help="by its address")
        )
    out.append(
        Command(
            key="", label="Drop a file into the inbox", run=lambda: drop_file(kiln), help="makes an Order"
        )
    )
    for each in PALETTES.values():
        out.append(
            Command(key="", label=f"Colours: {each.title}", run=lambda each=each: kiln.use_palette(each))  # type: ignore[misc]  # bound at once
        )
    shop = kiln.shop
    for row in shop.printers if shop is not None else ():
        out.append(
            Command(
                key="",
                label=f"Printer {row.printer.name}",
                help=row.model_name,
                run=lambda i=row.printer.printer_id: kiln.go("printers", i),  # type: ignore[misc]  # bound at once
            )
        )
    for order in shop.orders if shop is not None else ():
        out.append(
            Command(
                key="",
                label=f"Order {order.intent.number}",
                help=order.title,
                run=lambda i=order.intent.intent_id: kiln.go("orders", i),  # type: ignore[misc]  # bound at once
            )
        )
    return out


class Palette(Pick):
    """Every command by name; one that does not work now says why."""

    def __init__(self, kiln: KilnApp, screen: KilnScreen) -> None:
        commands = palette_commands(kiln, screen)
        entries = [
            Entry(
                str(n), command.label, command.help, key_word(command.key, kiln.paint.icons), command.disabled
            )
            for n, command in enumerate(commands)
        ]
        super().__init__(
            kiln, "Commands", entries, lambda key: commands[int(key)].run(), prompt="what do you want to do?"
        )


def add_printer(kiln: KilnApp) -> None:
    """Open the sheet for a new printer."""
    from kiln_tui.screens.add_printer import AddPrinterSheet

    kiln.open(AddPrinterSheet(kiln))


def drop_file(kiln: KilnApp) -> None:
    """Ask for a path and copy the file into the inbox."""
    from kiln_tui.screens.prompt import Prompt

    def typed(text: str) -> None:
        path = Path(text).expanduser()

        async def drop() -> None:
            answers = await kiln.ask(kiln.client.drop((path,))) or ()
            kiln.say(answers[0] if answers else "Nothing was dropped.", "text", answers)

        kiln.run_worker(drop(), group="send")

    kiln.open(Prompt(kiln, "Which file? It is copied into the inbox.", "/path/to/part.stl", typed))
