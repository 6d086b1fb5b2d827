"""The demo without a terminal: the same site, its cards answered one after the other, told as plain text."""

import asyncio
import sys
import time

from core.client.api import Client
from core.client.views import Card, Missing, Shop
from core.domain import commands as cmd
from core.domain.objects import Outcome
from core.domain.words import ItemResult, QualityTier, RunState

WAIT_S = 600.0


class Story:
    """Plays the operator: presses the primary key of each card, and says so."""

    def __init__(self, client: Client, orders: int) -> None:
        self._client, self._orders = client, orders
        self._began = time.monotonic()
        self._told: set[str] = set()
        self._answered: set[str] = set()

    async def play(self) -> bool:
        """Until every Order is fulfilled (True) or the time is up (False)."""
        revision = -1
        while time.monotonic() - self._began < WAIT_S:
            shop = await self._client.shop(revision)
            if shop is not None:
                revision = shop.revision
                closed = [o for o in shop.orders if not o.intent.open]
                if len(closed) >= self._orders:
                    self._say(f"all {len(closed)} Orders are closed")
                    return True
                await self._answer(shop)
            await asyncio.sleep(0.25)
        self._say("the time is up; these cards are still open:")
        shop = await self._client.shop()
        for card in shop.cards if shop else ():
            self._say(f"  {card.tag} {card.where} {card.what}: {card.sentence}")
        return False

    def _say(self, text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - self._began:6.1f} s  {text}\n")
        sys.stdout.flush()

    def _tell(self, card: Card) -> None:
        line = f"{card.tag:<12} {card.where:<10} {card.what}: {card.sentence}"
        if line not in self._told:
            self._told.add(line)
            self._say(line)

    async def _answer(self, shop: Shop) -> None:
        for card in shop.cards:
            if card.section in ("running", "waiting"):
                continue
            self._tell(card)
            action = next((a for a in card.actions if not a.disabled), None)
            if action is None:
                continue
            if action.opens == "approve":
                await self._approve(card.subject_id)
            elif action.opens == "outcome":
                await self._judge(card.subject_id)
            elif (
                action.command is not None
                and f"{card.card_id}{card.tag}{card.sentence}" not in self._answered
            ):
                # a card that says the same after its key was pressed is left alone: pressing again won't help
                self._answered.add(f"{card.card_id}{card.tag}{card.sentence}")
                await self._send(action.command, action.label)

    async def _send(self, command: cmd.AnyCommand, label: str) -> None:
        result = await self._client.send(command, who="demo")
        said = result.refusal.reasons[0] if result.refusal else "done"
        self._say(f"             → {label}: {said}")

    async def _approve(self, intent_id: str) -> None:
        sheet = await self._client.approval(intent_id)
        if sheet is None:
            return
        for missing in sheet.missing:
            await self._send(_clarified(intent_id, missing), missing.question)
        if sheet.can_approve and not sheet.missing:
            await self._send(cmd.ApproveOrder(intent_id=intent_id), "Approve & dispatch")

    async def _judge(self, run_id: str) -> None:
        sheet = await self._client.outcome(run_id)
        if sheet is None:
            return
        good = sheet.run.state is RunState.COMPLETED
        result = ItemResult.SUCCESS if good else ItemResult.FAILED
        reason = "" if good else "printer_error"
        outcomes = tuple(
            Outcome(item_id=item.item_id, result=result, reason=reason) for item in sheet.plate.items
        )
        label = "All good, plate is clear" if good else "All failed, plate is clear"
        await self._send(cmd.RecordOutcomes(run_id=run_id, outcomes=outcomes), label)
        if not good:
            await self._send(cmd.ReprintFailed(run_id=run_id), "Reprint failed")


def _clarified(intent_id: str, missing: Missing) -> cmd.ClarifyItem:
    if missing.field == "material":
        return cmd.ClarifyItem(intent_id=intent_id, item_id=missing.item_id, material="PLA")
    if missing.field == "tier":
        return cmd.ClarifyItem(intent_id=intent_id, item_id=missing.item_id, tier=QualityTier.STANDARD)
    return cmd.ClarifyItem(intent_id=intent_id, item_id=missing.item_id, model_id=missing.choices[0])
