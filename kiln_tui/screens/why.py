"""Why: the reasons and the evidence behind a row or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.client.views import Card, EventFilter, EventRow
from kiln_tui.presentation.cards import why_lines
from kiln_tui.presentation.events import chain_lines
from kiln_tui.presentation.text import BLANK, Line, line
from kiln_tui.screens.perform import card_target
from kiln_tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


class Why(Sheet):
    """Lines that are known, and events that are fetched."""

    def __init__(self, kiln: KilnApp, head: Sequence[Line], query: EventFilter | None = None) -> None:
        super().__init__(kiln)
        self._head = tuple(head)
        self._query = query
        self._events: tuple[EventRow, ...] | None = None

    def opened(self) -> None:
        """Fetch the events."""
        if self._query is not None:
            self.run_worker(self._fetch(self._query))

    async def _fetch(self, query: EventFilter) -> None:
        self._events = await self.kiln.ask(self.kiln.client.events(query)) or ()
        self.refresh_sheet()

    def lines(self) -> Sequence[Line]:
        """Reasons, evidence, then what happened."""
        if self._query is None:
            return self._head
        out = [*self._head, BLANK, line(("What happened, newest first", "dim"))]
        if self._events is None:
            return [*out, line(("looking…", "dim"))]
        if not self._events:
            return [*out, line(("Nothing is recorded yet.", "dim"))]
        return [*out, *chain_lines(self._events, self.kiln.look())]


def why_card(kiln: KilnApp, card: Card) -> Why:
    """Everything about a Triage card."""
    target = card_target(card, kiln.shop)
    query = None
    if target.run_id:
        query = EventFilter(run_id=target.run_id, limit=12)
    elif target.intent_id:
        query = EventFilter(intent_id=target.intent_id, limit=12)
    elif target.printer_id:
        query = EventFilter(printer_id=target.printer_id, limit=12)
    return Why(kiln, why_lines(card, kiln.look()), query)


def why_said(kiln: KilnApp) -> Why:
    """All reasons of the last refusal."""
    head = [line(("Why it was not done", "title")), BLANK]
    head += [line((f"{index}  ", "dim"), text, hang=3) for index, text in enumerate(kiln.said.more, 1)]
    return Why(kiln, head)
