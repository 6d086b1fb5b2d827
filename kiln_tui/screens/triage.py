"""1 Triage: what needs a person, then what is at risk, runs, waits for QA, or is ready to start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from core.client.views import SECTIONS, Card, Shop
from kiln_tui.commands import Command
from kiln_tui.presentation.cards import card_lines, card_strip
from kiln_tui.presentation.empty import no_cards
from kiln_tui.presentation.text import Line, Span
from kiln_tui.rows import Heading, TriageColumns, card_row, heading_row, triage_columns, triage_order
from kiln_tui.screens.list_screen import ListScreen, matches
from kiln_tui.screens.perform import card_target, commands_for, look_again, names_of
from kiln_tui.widgets.live_list import Item

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


def make(kiln: KilnApp) -> Triage:
    """The screen, for the app's lazy imports."""
    return Triage(kiln)


class Triage(ListScreen):
    """The default screen."""

    NAME = "triage"

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self._shown: dict[str, tuple[str, ...]] = {}
        self._columns = TriageColumns(8, 8, 10)
        self._columns_for: tuple[tuple[Card, ...], int] = ((), 0)

    def rows(self, shop: Shop) -> Sequence[Item]:
        """Headings and cards; the filter looks at everything a card says."""
        if self.filter_text:
            kept = tuple(
                card
                for card in shop.cards
                if matches(self.filter_text, card.tag, card.where, card.what, card.brief, card.title)
            )
            shop = _with_cards(shop, kept)
        ordered = triage_order(shop, self._shown)
        self._shown = {
            section: tuple(e.card_id for e in ordered if isinstance(e, Card) and e.section == section)
            for section in SECTIONS
        }
        sections = sum(isinstance(entry, Heading) for entry in ordered)
        airy = len(ordered) + sections <= self.list.size.height
        out: list[Item] = []
        for entry in ordered:
            if isinstance(entry, Card):
                out.append(Item(entry.card_id, entry))
                continue
            if airy and out:
                out.append(Item(f"- {entry.section}", None, selectable=False))
            out.append(Item(f"# {entry.section}", entry, selectable=False))
        return out

    def format_row(self, data: object, width: int) -> tuple[Span, ...]:
        """A heading or a card."""
        look = self.kiln.look()
        if isinstance(data, Heading):
            return heading_row(data, width, look)
        if not isinstance(data, Card):
            return ((" " * width, "text"),)
        cards = self.kiln.shop.cards if self.kiln.shop is not None else ()
        if self._columns_for[0] is not cards or self._columns_for[1] != width:
            self._columns_for = (cards, width)
            self._columns = triage_columns(cards, width)
        return card_row(data, width, self._columns, look)

    @property
    def card(self) -> Card | None:
        """The card under the cursor."""
        data = self.list.cursor_data
        return data if isinstance(data, Card) else None

    def detail_lines(self, wide: bool) -> Sequence[Line]:
        """The card's words; on a small terminal the fewest of them."""
        card, look = self.card, self.kiln.look()
        if card is None:
            return ()
        return card_lines(card, look) if wide else card_strip(card, look)

    def empty_lines(self, shop: Shop) -> Sequence[Line]:
        """Nothing waits, or nothing is there yet."""
        return no_cards(shop, self.kiln.look())

    def row_commands(self) -> Sequence[Command]:
        """The card's actions, why, and a fresh look at its printer."""
        card = self.card
        if card is None:
            shop = self.kiln.shop
            return [self._add_command()] if shop is not None and not shop.printers else []
        target = card_target(card, self.kiln.shop)
        out = commands_for(
            self.kiln, card.actions, card.subject_kind, card.subject_id, self.settling, names_of(card)
        )
        out.append(Command(key="w", label="Why", run=self._why, help="the reasons and the evidence"))
        if target.printer_id and not any(action.opens == "refresh" for action in card.actions):
            out.append(
                Command(
                    key="g",
                    label="Look again",
                    run=lambda: look_again(self.kiln, target.printer_id),
                    help="asks the printer now",
                    shown=False,
                )
            )
        return out

    def _add_command(self) -> Command:
        from kiln_tui.screens.palette import add_printer

        return Command(
            key="N",
            label="Add a printer",
            run=lambda: add_printer(self.kiln),
            aliases=("n", "enter"),
            help="by its address",
        )

    def _why(self) -> None:
        from kiln_tui.screens.why import why_card, why_said

        if len(self.kiln.said.more) > 1:
            self.kiln.open(why_said(self.kiln))
        elif self.card is not None:
            self.kiln.open(why_card(self.kiln, self.card))

    def moved(self) -> None:
        """Screens 2 and 3 follow the Order of the card."""
        if self.card is not None:
            intent_id = card_target(self.card, self.kiln.shop).intent_id
            self.kiln.selected_intent = intent_id or self.kiln.selected_intent


def _with_cards(shop: Shop, cards: tuple[Card, ...]) -> Shop:
    return msgspec.structs.replace(shop, cards=cards)
