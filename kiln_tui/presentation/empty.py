"""What empty screens teach."""

from core.client.views import Shop
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, line


def inbox_lines(shop: Shop) -> list[Line]:
    """Where files go."""
    return [
        line(("To make an Order, put an STL, 3MF or G-code file into the inbox:", "text")),
        line(("    ", "text"), (shop.inbox, "bold"), hang=4),
        line(
            ("Kiln takes it from there, checks it, and shows it here. A name like ", "dim"),
            ("bracket__x4__PETG.stl", "text"),
            (" says quantity and material at once.", "dim"),
        ),
    ]


def printer_lines() -> list[Line]:
    """How to add a printer."""
    return [
        line(
            ("No printer yet. ", "bold"),
            "Press ",
            ("N", "key"),
            " to add one by its address",
            ".",
        ),
    ]


def no_cards(shop: Shop, look: Look) -> list[Line]:
    """Triage without a card."""
    out = [BLANK]
    if not shop.printers:
        out += [*printer_lines(), BLANK]
    else:
        count = len(shop.printers)
        what = "The printer is" if count == 1 else f"All {count} printers are"
        out += [
            line((f"{look.icons.ok} ", "ok"), ("Nothing needs you now.", "bold"), f" {what} watched."),
            BLANK,
        ]
    return out + inbox_lines(shop)


def no_orders(shop: Shop) -> list[Line]:
    """Orders without an Order."""
    return [BLANK, line(("No Order yet.", "bold")), BLANK, *inbox_lines(shop)]


def no_printers() -> list[Line]:
    """Printers without a printer."""
    return [
        BLANK,
        line(("No printer yet.", "bold")),
        BLANK,
        line("Press ", ("N", "key"), " to add one by its address (OctoPrint: http://name-or-number)."),
        line(
            (
                "You need its address and an API key; Kiln tries both and says what is wrong if they fail.",
                "dim",
            )
        ),
    ]


def no_events() -> list[Line]:
    """Events without an event."""
    return [
        BLANK,
        line(("Nothing has happened yet.", "bold")),
        BLANK,
        line("Every order, decision, start and outcome will be listed here, with who or what caused it."),
    ]


def no_plans() -> list[Line]:
    """Build Plans without an Order selected."""
    return [
        BLANK,
        line(("No Build Plan yet.", "bold")),
        BLANK,
        line("Each part of an Order gets a Build Plan as soon as its file has passed the checks."),
        line("Pick an Order on screen ", ("2", "key"), " and press ", ("3", "key"), " to see its plans."),
    ]
