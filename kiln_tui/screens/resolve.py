"""What happened is unknown: a person decides, with the evidence in sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from core.client.views import Card
from core.domain import commands as c
from core.domain.commands import Result
from kiln_tui.commands import Command
from kiln_tui.presentation.cards import headline
from kiln_tui.presentation.text import BLANK, Line, line
from kiln_tui.screens.dialogs import Confirm
from kiln_tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

ANSWERS = (
    ("a", "adopt", "Adopt the printer's state", "what the printer shows now is the truth"),
    ("e", "keep", "Keep Kiln's state", "the Print Attempt goes on as Kiln thought"),
    ("n", "never_ran", "It never ran", "a new Print Attempt is made, after the bed was seen empty"),
    ("i", "it_ran", "It ran", "say next what became of each part"),
)


class Resolve(Sheet):
    """Four answers, each with what follows from it."""

    GUARDED: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp, run_id: str) -> None:
        super().__init__(kiln)
        self.run_id = run_id

    @property
    def card(self) -> Card | None:
        """The card that asks."""
        shop = self.kiln.shop
        cards = shop.cards if shop is not None else ()
        return next((card for card in cards if card.subject_id == self.run_id), None)

    def lines(self) -> Sequence[Line]:
        """Question, evidence, answers."""
        card, bullet = self.card, self.kiln.paint.icons.bullet
        if card is None:
            return (line(("This is decided already.", "title")),)
        out = [
            line((f"What happened? {headline(card)}", "title")),
            line((card.title, "dim")),
            BLANK,
            line(card.sentence),
        ]
        out += [line((f"{bullet} ", "dim"), text, hang=2) for text in card.because]
        if card.evidence:
            out += [BLANK, line(("Evidence", "dim"))]
            out += [line((f"{bullet} ", "dim"), text, hang=2) for text in card.evidence]
        out += [BLANK, line(("Look at the printer before you answer.", "warn")), BLANK]
        for key, _, label, then in ANSWERS:
            out.append(line((key, "key"), (f"  {label:<26}", "bold"), (then, "dim"), hang=29))
        return out

    def sheet_commands(self) -> Sequence[Command]:
        """A key for each answer."""
        if self.card is None:
            return ()
        return [
            Command(
                key=key,
                label=label,
                run=lambda answer=answer: self._answer(answer),  # type: ignore[misc]  # bound at once
                help=then,
                danger=answer == "never_ran",
            )
            for key, answer, label, then in ANSWERS
        ]

    def _answer(self, answer: str) -> None:
        command = c.ResolveRun(run_id=self.run_id, answer=answer)
        if answer == "never_ran":
            self.close()
            question = (
                "Kiln will print it again. If it did run, that is a second print: is the bed empty, and did "
                "nothing of it come out of the printer?"
            )
            self.kiln.push_screen(Confirm(self.kiln, "It never ran", question, command))
            return
        self.kiln.send(command, lambda result: self._answered(answer, result))

    def _answered(self, answer: str, result: Result) -> None:
        if not result.ok:
            return
        self.close()
        if answer == "it_ran":
            from kiln_tui.screens.outcome import OutcomePanel

            self.kiln.push_screen(OutcomePanel(self.kiln, self.run_id))
