"""6 Events: the log as a live tail, and the chain of causes behind each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.client.views import EventFilter, EventRow, Shop
from kiln_tui.commands import Command
from kiln_tui.presentation.empty import no_events
from kiln_tui.presentation.events import chain_lines, event_lines, verify_lines
from kiln_tui.presentation.text import BLANK, Line, Span, line
from kiln_tui.rows import event_row
from kiln_tui.screens.list_screen import ListScreen
from kiln_tui.widgets.live_list import Item

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

PAGE, KEPT = 200, 2_000


def make(kiln: KilnApp) -> Events:
    """The screen, for the app's lazy imports."""
    return Events(kiln)


class Events(ListScreen):
    """Newest first; older ones are fetched when the cursor comes near the end."""

    NAME = "events"

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.events: tuple[EventRow, ...] = ()
        self._fetched: tuple[str, int] | None = None
        self._at_end = False

    def take(self, shop: Shop | None) -> None:
        """Fetch what is new, while this screen is in front."""
        super().take(shop)
        if (
            shop is not None
            and self.kiln.screen is self
            and self._fetched != (self.filter_text, shop.revision)
        ):
            self._fetched = (self.filter_text, shop.revision)
            self.run_worker(self._newest(), group="events", exclusive=True)

    async def _newest(self) -> None:
        text = self.filter_text
        new = await self.kiln.ask(self.kiln.client.events(EventFilter(text=text, limit=PAGE)))
        if new is None or text != self.filter_text:
            return
        oldest = new[-1].seq if new else 0
        kept = tuple(row for row in self.events if row.seq < oldest)
        if len(new) < PAGE:
            kept, self._at_end = (), True
        self._show((*new, *kept)[:KEPT])

    async def _older(self) -> None:
        last = self.events[-1].seq
        query = EventFilter(text=self.filter_text, before_seq=last, limit=PAGE)
        more = await self.kiln.ask(self.kiln.client.events(query))
        if more is None:
            return
        self._at_end = len(more) < PAGE
        self._show((*self.events, *more)[:KEPT])

    def _show(self, events: tuple[EventRow, ...]) -> None:
        if events == self.events:
            return
        follow = self.list.cursor_key is None or (
            bool(self.events) and self.list.cursor_key == self.events[0].event_id
        )
        self.events = events
        self.list.show([Item(row.event_id, row) for row in events])
        if follow and events:
            self.list.select(events[0].event_id)
        self.refresh_detail()
        self.refresh_bars()

    def filter_changed(self) -> None:
        """Another filter is another list."""
        self.events, self._fetched, self._at_end = (), None, False

    def rows(self, shop: Shop) -> Sequence[Item]:  # noqa: ARG002 - events come by query, not with the shop
        """The events that are here."""
        return [Item(row.event_id, row) for row in self.events]

    def format_row(self, data: object, width: int) -> tuple[Span, ...]:
        """An event."""
        return event_row(data, width, self.kiln.look()) if isinstance(data, EventRow) else ()

    @property
    def row(self) -> EventRow | None:
        """The event under the cursor."""
        data = self.list.cursor_data
        return data if isinstance(data, EventRow) else None

    def moved(self) -> None:
        """Near the end, fetch older ones."""
        near = self.events[-5:]
        if self.row in near and not self._at_end and len(self.events) < KEPT:
            self.run_worker(self._older(), group="events", exclusive=True)

    def detail_lines(self, wide: bool) -> Sequence[Line]:
        """The event with its data."""
        return event_lines(self.row, self.kiln.look(), wide=wide) if self.row is not None else ()

    def empty_lines(self, shop: Shop) -> Sequence[Line]:  # noqa: ARG002 - the same on every site
        """What will be here."""
        return no_events()

    def row_commands(self) -> Sequence[Command]:
        """Whole event, its causes, and the check of the chain."""
        gone = "" if self.row is not None else "no event is selected"
        return (
            Command(key="enter", label="Whole event", run=self._whole, disabled=gone),
            Command(key="w", label="Why", run=self._why, help="back to the first cause", disabled=gone),
            Command(key="v", label="Verify", run=self._verify, help="walks the hash chain"),
        )

    def _whole(self) -> None:
        from kiln_tui.screens.why import Why

        if self.row is not None:
            self.kiln.open(Why(self.kiln, event_lines(self.row, self.kiln.look(), wide=True)))

    def _why(self) -> None:
        if self.row is not None:
            self.run_worker(self._causes(self.row.event_id), group="causes", exclusive=True)

    async def _causes(self, event_id: str) -> None:
        from kiln_tui.screens.why import Why

        chain = await self.kiln.ask(self.kiln.client.causes(event_id)) or ()
        head = [
            line(("Why this happened", "title")),
            line(("from this event back to the first cause", "dim")),
            BLANK,
        ]
        self.kiln.open(Why(self.kiln, [*head, *chain_lines(chain, self.kiln.look())]), self)

    def _verify(self) -> None:
        self.kiln.say("Checking every event against the one before…", "dim", seconds=600)
        self.run_worker(self._verified(), group="verify", exclusive=True)

    async def _verified(self) -> None:
        from kiln_tui.screens.why import Why

        report = await self.kiln.ask(self.kiln.client.verify())
        if report is None:
            return
        self.kiln.hush()
        self.kiln.open(Why(self.kiln, verify_lines(report, self.kiln.look())), self)
