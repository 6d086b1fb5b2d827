"""3 Build Plan: the plans of the selected Order, what they pin and what the gates found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.client.views import ItemDetail, OrderRow, Shop
from kiln_tui.commands import Command
from kiln_tui.presentation.empty import no_plans
from kiln_tui.presentation.plans import plan_lines, plan_strip
from kiln_tui.presentation.text import Line, Span, cut
from kiln_tui.rows import order_title, plan_row
from kiln_tui.screens.list_screen import ListScreen, matches
from kiln_tui.screens.orders import OrderDetails, by_due
from kiln_tui.screens.perform import commands_for
from kiln_tui.widgets.live_list import Item

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


def make(kiln: KilnApp) -> Plans:
    """The screen, for the app's lazy imports."""
    return Plans(kiln)


class Plans(ListScreen):
    """Line items with their Build Plans at the left, one plan whole at the right."""

    NAME = "plans"

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.details = OrderDetails(self)

    def order(self, shop: Shop | None) -> OrderRow | None:
        """The selected Order, else the first that is open."""
        if shop is None or not shop.orders:
            return None
        chosen = next((row for row in shop.orders if row.intent.intent_id == self.kiln.selected_intent), None)
        return chosen or by_due(shop.orders)[0]

    def take(self, shop: Shop | None) -> None:
        """Fetch the Order's plans."""
        super().take(shop)
        row = self.order(shop)
        if row is not None and shop is not None:
            self.details.want(row.intent.intent_id, shop.revision)

    def rows(self, shop: Shop) -> Sequence[Item]:
        """The line items of the Order."""
        row, detail = self.order(shop), self.details.detail
        if row is None or detail is None or detail.row.intent.intent_id != row.intent.intent_id:
            return []
        return [
            Item(item.item.item_id, item)
            for item in detail.items
            if matches(self.filter_text, item.item.name, item.item.material or "")
        ]

    def format_row(self, data: object, width: int) -> tuple[Span, ...]:
        """A Build Plan, or a line item that has none yet."""
        if not isinstance(data, ItemDetail):
            return ()
        if data.plan is None:
            return ((" ○ checking     ", "dim"), (cut(data.item.name, max(8, width - 18)), "bold"))
        return plan_row((data, data.plan), width, self.kiln.look())

    @property
    def item(self) -> ItemDetail | None:
        """The line item under the cursor."""
        data = self.list.cursor_data
        return data if isinstance(data, ItemDetail) else None

    def detail_lines(self, wide: bool) -> Sequence[Line]:
        """The plan."""
        if self.item is None or self.details.detail is None:
            return ()
        show = plan_lines if wide else plan_strip
        return show(self.item, self.details.detail, self.kiln.look())

    def empty_lines(self, shop: Shop) -> Sequence[Line]:  # noqa: ARG002 - the same on every site
        """How plans come to be."""
        return no_plans()

    def quiet_line(self) -> tuple[Span, ...]:
        """Which Order this is."""
        row = self.order(self.kiln.shop)
        if self.filter_text or row is None:
            return super().quiet_line()
        return (
            (f" Order {row.intent.number}", "bold"),
            (f"  {order_title(row)}", "text"),
            ("   < > other Orders", "dim"),
        )

    def row_commands(self) -> Sequence[Command]:
        """The Order's actions, and the way to the next Order."""
        row = self.order(self.kiln.shop)
        if row is None:
            return ()
        out = commands_for(self.kiln, row.actions, "intent", row.intent.intent_id, self.settling)
        if not any(command.key == "enter" for command in out):
            out.insert(
                0,
                Command(
                    key="enter",
                    label="To the Order",
                    run=lambda: self.kiln.go("orders", row.intent.intent_id),
                ),
            )
        out += [
            Command(key="w", label="Why", run=self._whole, help="the whole Build Plan"),
            Command(
                key=">",
                label="Next Order",
                run=lambda: self._step(1),
                aliases=("right",),
                shown=False,
                repeat=True,
            ),
            Command(
                key="<",
                label="Previous Order",
                run=lambda: self._step(-1),
                aliases=("left",),
                shown=False,
                repeat=True,
            ),
        ]
        return out

    def _step(self, step: int) -> None:
        shop = self.kiln.shop
        row = self.order(shop)
        if shop is None or row is None:
            return
        ordered = by_due(shop.orders)
        index = (ordered.index(row) + step) % len(ordered)
        self.kiln.selected_intent = ordered[index].intent.intent_id
        self.take(shop)

    def _whole(self) -> None:
        from kiln_tui.screens.why import Why, why_said

        if len(self.kiln.said.more) > 1:
            self.kiln.open(why_said(self.kiln))
        elif self.item is not None and self.details.detail is not None:
            self.kiln.open(Why(self.kiln, plan_lines(self.item, self.details.detail, self.kiln.look())))
