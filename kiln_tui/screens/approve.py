"""The approval sheet: a checkpoint, not a prison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.widget import Widget
from textual.widgets import Input

from core.client.views import ApprovalSheet, Missing, Shop
from core.domain import commands as c
from core.domain.commands import Result
from core.domain.text import clean
from core.domain.words import QualityTier
from kiln_tui.commands import Command
from kiln_tui.presentation.approval import CHOICE_KEYS, approval_lines
from kiln_tui.presentation.text import Line, line
from kiln_tui.screens.sheet import Sheet
from kiln_tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

SIMILAR_HOURS = 4


def clarify(intent_id: str, missing: Missing, answer: str) -> c.ClarifyItem | None:
    """The command that answers a question; None when the answer is none (a quantity that is no number)."""
    blank = c.ClarifyItem(intent_id=intent_id, item_id=missing.item_id)
    match missing.field:
        case "tier":
            known = answer in {tier.value for tier in QualityTier}
            return replace(blank, tier=QualityTier(answer)) if known else None
        case "quantity":
            good = answer.isascii() and answer.isdigit() and 0 < int(answer) <= 10_000
            return replace(blank, quantity=int(answer)) if good else None
        case "material":
            return replace(blank, material=answer)
        case "color":
            return replace(blank, color=answer)
        case "model_id":
            return replace(blank, model_id=answer)
        case _:
            return None


class Approve(Sheet):
    """Questions, pins, risk, estimate; Enter approves and dispatches."""

    GUARDED: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp, intent_id: str) -> None:
        super().__init__(kiln)
        self.intent_id = intent_id
        self.sheet: ApprovalSheet | None = None
        self.similar = False
        self.problem = ""
        self.sent = False
        self.typed = TypedLine(max_length=60)
        self._revision = -1

    def more(self) -> Sequence[Widget]:
        """The line for an answer that has no list."""
        self.typed.display = False
        return (self.typed,)

    def more_height(self) -> int:
        """The line, when it is open."""
        return 1 if self.typed.display else 0

    def opened(self) -> None:
        """Fetch the sheet."""
        self._reload()

    def take(self, shop: Shop | None) -> None:
        """What an approval would pin may change while the sheet is open: fetch it again."""
        super().take(shop)
        if shop is not None and shop.revision != self._revision:
            self._revision = shop.revision
            self._reload()

    def _reload(self) -> None:
        self.run_worker(self._fetch(), group="sheet", exclusive=True)

    async def _fetch(self) -> None:
        before = self.sheet
        self.sheet = await self.kiln.ask(self.kiln.client.approval(self.intent_id))
        if before is None or (self.sheet is not None and before.can_approve != self.sheet.can_approve):
            self.anew()
        if self.sheet is None:
            self.problem = "This Order does not wait for approval any more."
        self._ask()
        self.refresh_sheet()

    def _ask(self) -> None:
        open_question = self.question is not None and not self.question.choices
        if open_question and not self.typed.display:
            self.typed.display = True
            self.typed.value = ""
            self.typed.focus()
        elif not open_question and self.typed.display:
            self.typed.display = False
            self.set_focus(None)

    @property
    def question(self) -> Missing | None:
        """The first question that is open."""
        return self.sheet.missing[0] if self.sheet is not None and self.sheet.missing else None

    def lines(self) -> Sequence[Line]:
        """The sheet."""
        if self.sheet is None:
            return (line((self.problem or "Fetching what would be approved…", "dim")),)
        return approval_lines(self.sheet, self.similar, self.kiln.look())

    def sheet_commands(self) -> Sequence[Command]:
        """Approve, or answer first."""
        sheet = self.sheet
        if sheet is None:
            return ()
        icons = self.kiln.paint.icons
        why_not = ""
        if self.sent:
            why_not = "it is on its way to the core"
        elif not sheet.can_approve:
            why_not = (
                "answer the question first"
                if sheet.missing
                else sheet.problem or "the core does not allow it"
            )
        out = [
            Command(
                key="enter",
                label="Approve & Dispatch",
                run=lambda: self._approve(dispatch=True),
                disabled=why_not,
                help="pins all of this, and prints as soon as the gates have passed",
            ),
            Command(
                key="A",
                label="Approve only",
                run=lambda: self._approve(dispatch=False),
                disabled=why_not,
                help="pins all of this; nothing is queued",
            ),
            Command(
                key="s",
                label=f"{icons.ticked if self.similar else icons.unticked} similar 4 h",
                run=self._tick,
                repeat=True,
                help="approves Orders like this one for the next 4 h",
            ),
        ]
        question = self.question
        if question is not None and len(question.choices) > len(CHOICE_KEYS):
            out.append(Command(key="t", label="Choose", run=self._choose))
        elif question is not None:
            out += [
                Command(
                    key=key,
                    label=f"{question.question} {choice}",
                    run=lambda choice=choice: self._answer(choice),  # type: ignore[misc]  # bound at once
                    shown=False,
                )
                for key, choice in zip(CHOICE_KEYS, question.choices, strict=False)
            ]
        return out

    def _choose(self) -> None:
        from kiln_tui.screens.pick import Entry, Pick

        question = self.question
        if question is not None:
            entries = [Entry(choice, choice) for choice in question.choices]
            self.kiln.open(Pick(self.kiln, question.question, entries, self._answer), self)

    def _tick(self) -> None:
        self.similar = not self.similar
        self.refresh_sheet()

    def _answer(self, answer: str) -> None:
        question = self.question
        command = clarify(self.intent_id, question, answer) if question is not None else None
        if command is None:
            self.kiln.say(f"“{clean(answer, 40)}” is no answer to that.", "warn")
            return
        self.kiln.send(command, lambda _: self._reload())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """An answer was typed."""
        event.stop()
        if event.value.strip():
            self._answer(clean(event.value.strip(), 60))

    def _approve(self, *, dispatch: bool) -> None:
        command = c.ApproveOrder(
            intent_id=self.intent_id, dispatch=dispatch, similar_hours=SIMILAR_HOURS if self.similar else 0
        )
        self.sent = True
        self.refresh_bars()
        self.kiln.send(command, self._answered)

    def _answered(self, result: Result) -> None:
        if result.ok:
            self.close()
        self.sent = False
        self.refresh_bars()
