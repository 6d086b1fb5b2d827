"""2 Orders: the contract, by due date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.client.views import OrderDetail, OrderRow, Shop
from kiln_tui.commands import Command
from kiln_tui.presentation.empty import no_orders
from kiln_tui.presentation.orders import order_lines, order_strip
from kiln_tui.presentation.text import Line, Span
from kiln_tui.rows import order_row
from kiln_tui.screens.list_screen import ListScreen, matches
from kiln_tui.screens.perform import commands_for
from kiln_tui.widgets.live_list import Item

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


def make(kiln: KilnApp) -> Orders:
    """The screen, for the app's lazy imports."""
    return Orders(kiln)


def by_due(rows: Sequence[OrderRow]) -> list[OrderRow]:
    """Open Orders by due date, those without one after them, closed ones last and newest first."""
    never = 1 << 62
    return sorted(
        rows,
        key=lambda row: (
            not row.intent.open,
            (row.intent.due_at if row.intent.due_at is not None else never) if row.intent.open else 0,
            row.intent.number if row.intent.open else -row.intent.number,
        ),
    )


class OrderDetails:
    """The detail of one Order, fetched beside the UI; the newest wish wins."""

    def __init__(self, screen: ListScreen) -> None:
        self._screen = screen
        self._wanted: tuple[str, int] | None = None
        self.detail: OrderDetail | None = None

    def want(self, intent_id: str | None, revision: int) -> None:
        """Fetch this Order unless it is here in this revision."""
        if intent_id is None or self._wanted == (intent_id, revision):
            return
        self._wanted = (intent_id, revision)
        self._screen.run_worker(self._fetch(intent_id), group="detail", exclusive=True)

    async def _fetch(self, intent_id: str) -> None:
        detail = await self._screen.kiln.ask(self._screen.kiln.client.order(intent_id))
        if detail != self.detail:
            self.detail = detail
            self._screen.details_came()


class Orders(ListScreen):
    """List by due date, detail beside it."""

    NAME = "orders"

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.details = OrderDetails(self)

    def rows(self, shop: Shop) -> Sequence[Item]:
        """Orders by due date."""
        return [
            Item(row.intent.intent_id, row)
            for row in by_due(shop.orders)
            if matches(
                self.filter_text,
                str(row.intent.number),
                row.title,
                row.stage,
                row.block,
                row.intent.customer_ref,
            )
        ]

    def format_row(self, data: object, width: int) -> tuple[Span, ...]:
        """An Order."""
        return order_row(data, width, self.kiln.look()) if isinstance(data, OrderRow) else ()

    @property
    def row(self) -> OrderRow | None:
        """The Order under the cursor."""
        data = self.list.cursor_data
        return data if isinstance(data, OrderRow) else None

    def take(self, shop: Shop | None) -> None:
        """Follow the Order that was selected elsewhere."""
        super().take(shop)
        self._want()

    def _want(self) -> None:
        if self.row is not None and self.kiln.shop is not None:
            self.details.want(self.row.intent.intent_id, self.kiln.shop.revision)

    def moved(self) -> None:
        """Screen 3 follows."""
        if self.row is not None:
            self.kiln.selected_intent = self.row.intent.intent_id
        self._want()

    def detail_lines(self, wide: bool) -> Sequence[Line]:
        """The Order."""
        if self.row is None:
            return ()
        show = order_lines if wide else order_strip
        return show(self.row, self.details.detail, self.kiln.look())

    def empty_lines(self, shop: Shop) -> Sequence[Line]:
        """Where files go."""
        return no_orders(shop)

    def row_commands(self) -> Sequence[Command]:
        """The Order's actions; without any, Enter shows its Build Plans."""
        row = self.row
        if row is None:
            return ()
        out = commands_for(
            self.kiln, row.actions, "intent", row.intent.intent_id, self.settling, here=self._plans
        )
        if not any(command.key == "enter" for command in out):
            out.insert(
                0, Command(key="enter", label="Build Plans", run=self._plans, help="pins, checks, risk")
            )
        out.append(Command(key="w", label="Why", run=self._whole, help="the whole Order with its timeline"))
        return out

    def _plans(self) -> None:
        self.kiln.go("plans")

    def _whole(self) -> None:
        from kiln_tui.screens.why import Why, why_said

        if len(self.kiln.said.more) > 1:
            self.kiln.open(why_said(self.kiln))
        elif self.row is not None:
            self.kiln.open(Why(self.kiln, order_lines(self.row, self.details.detail, self.kiln.look())))
