"""What happened is unknown: a person decides, with the evidence in sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from core.client.views import Action, Card
from core.domain import commands as c
from core.domain.commands import Result
from kiln_tui.commands import Command
from kiln_tui.presentation.cards import headline
from kiln_tui.presentation.text import BLANK, Line, Span, cell, line
from kiln_tui.screens.dialogs import Confirm
from kiln_tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

ANSWERS = (
    ("a", "adopt", "Adopt printer state", "what the printer shows now is the truth"),
    ("K", "keep", "Keep Kiln state", "the Print Attempt goes on as Kiln thought"),
    ("n", "never_ran", "It never ran", "a new Print Attempt may be made, after the bed was seen empty"),
    ("i", "it_ran", "It ran", "say next what became of each part"),
)
"""Used where the core has given no actions of its own: key, answer, label, what follows."""


class Resolve(Sheet):
    """The answers, each with what follows from it. An answer chosen before is confirmed here with Enter."""

    GUARDED: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp, run_id: str, chosen: str = "") -> None:
        super().__init__(kiln)
        self.run_id = run_id
        self.chosen = chosen
        self.sent = False

    @property
    def card(self) -> Card | None:
        """The card that asks."""
        shop = self.kiln.shop
        cards = shop.cards if shop is not None else ()
        return next((card for card in cards if card.subject_id == self.run_id), None)

    def answers(self) -> tuple[tuple[str, str, Action], ...]:
        """(key, answer, action) as the core gave them, else all four."""
        card = self.card
        given = tuple(
            (action.key, action.command.answer, action)
            for action in (card.actions if card is not None else ())
            if isinstance(action.command, c.ResolveRun) and action.command.answer
        )
        if len(given) > 1:
            return given
        return tuple(
            (key, answer, Action(key=key, label=label, note=then)) for key, answer, label, then in ANSWERS
        )

    def lines(self) -> Sequence[Line]:
        """Question, evidence, answers."""
        card, bullet = self.card, self.kiln.paint.icons.bullet
        if card is None:
            return (line(("This is decided already.", "title")),)
        out = [line((f"What happened? {headline(card)}", "title")), BLANK, line(card.sentence)]
        out += [line((f"{bullet} ", "dim"), text, hang=2) for text in card.because]
        if card.evidence:
            out += [BLANK, line(("Evidence", "dim"))]
            out += [line((f"{bullet} ", "dim"), text, hang=2) for text in card.evidence]
        out += [BLANK, line(("Look at the printer before you answer.", "warn")), BLANK]
        size = max(len(action.label) for _, _, action in self.answers())
        for key, answer, action in self.answers():
            here = answer == self.chosen
            note: Span = (f"not now: {action.disabled}" if action.disabled else action.note, "dim")
            mark: Span = (self.kiln.paint.icons.cursor if here else " ", "cursor_mark")
            label = (f"  {cell(action.label, size)}  ", "disabled" if action.disabled else "bold")
            out.append(
                line(mark, (key, "disabled" if action.disabled else "key"), label, note, hang=size + 6)
            )
        return out

    def sheet_commands(self) -> Sequence[Command]:
        """A key for each answer; Enter confirms the one that was chosen before."""
        if self.card is None:
            return ()
        out = []
        for key, answer, action in self.answers():
            command = Command(
                key=key,
                label=action.label,
                run=lambda answer=answer: self._answer(answer),  # type: ignore[misc]  # bound at once
                help=action.note,
                danger=answer == "never_ran",
                disabled=action.disabled,
                shown=not self.chosen,
            )
            out.append(command)
            if answer == self.chosen:
                out.insert(
                    0,
                    Command(key="enter", label=action.label, run=command.run, disabled=action.disabled),
                )
        return out

    def _answer(self, answer: str) -> None:
        command = c.ResolveRun(run_id=self.run_id, answer=answer)
        if answer == "never_ran":
            self.close()
            question = (
                "Kiln will print it again. If it did run, that is a second print: is the bed empty, and did "
                "nothing of it come out of the printer?"
            )
            self.kiln.open(Confirm(self.kiln, "It never ran", question, command))
            return
        if self.sent:
            return
        self.sent = True
        self.kiln.send(command, lambda result: self._answered(answer, result))

    def _answered(self, answer: str, result: Result) -> None:
        self.sent = False
        if not result.ok:
            return
        self.close()
        if answer == "it_ran":
            from kiln_tui.screens.outcome import OutcomePanel

            self.kiln.open(OutcomePanel(self.kiln, self.run_id))
