"""The end-of-attempt panel: its state as a value, and its words."""

from typing import NamedTuple

from core.client.views import OutcomeSheet
from core.domain.objects import Outcome, PlateItem
from core.domain.reasons import is_code, label
from core.domain.words import ItemResult, RunState
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, Span, cell, line
from kiln_tui.presentation.units import count

REASONS = (
    "first_layer",
    "adhesion_loss",
    "spaghetti",
    "layer_shift",
    "detached_part",
    "under_extrusion",
    "warping",
    "stringing",
    "cosmetic",
    "dimensional",
    "filament_runout",
    "clog",
    "wrong_material",
    "power_loss",
    "printer_error",
    "unknown",
)
"""Reasons offered for a part that failed, the frequent ones first; each has one key."""


class Marks(NamedTuple):
    """What was marked so far: a result per instance, one reason for the failed ones, a note, and the bed."""

    results: tuple[ItemResult | None, ...]
    reason: str = ""
    note: str = ""
    clear_bed: bool = True
    cursor: int = 0

    @property
    def failed(self) -> int:
        """How many are marked as failed."""
        return sum(result is ItemResult.FAILED for result in self.results)

    @property
    def open(self) -> int:
        """How many nobody said anything about."""
        return sum(result is None for result in self.results)

    def all(self, result: ItemResult) -> "Marks":
        """Every instance marked the same."""
        return self._replace(results=(result,) * len(self.results))

    def toggle(self, index: int) -> "Marks":
        """One instance from good to failed and back; what was open becomes failed, the rest stays open."""
        if not 0 <= index < len(self.results):
            return self
        now = self.results[index]
        new = ItemResult.SUCCESS if now is ItemResult.FAILED else ItemResult.FAILED
        results = (*self.results[:index], new, *self.results[index + 1 :])
        return self._replace(results=results, cursor=index)

    def rest_good(self) -> "Marks":
        """Everything that is still open is good."""
        return self._replace(results=tuple(result or ItemResult.SUCCESS for result in self.results))


def first_marks(sheet: OutcomeSheet) -> Marks:
    """A completed attempt starts with all good; any other starts with nothing said."""
    good = sheet.run.state is RunState.COMPLETED
    reason = sheet.run.reason if is_code(sheet.run.reason) else ""
    return Marks((ItemResult.SUCCESS if good else None,) * len(sheet.plate.items), reason)


def outcomes(items: tuple[PlateItem, ...], marks: Marks) -> tuple[Outcome, ...]:
    """The outcomes to record; a reason only for what failed."""
    return tuple(
        Outcome(
            item_id=item.item_id,
            result=result or ItemResult.UNKNOWN,
            reason=marks.reason if result is ItemResult.FAILED else "",
            note=marks.note if result is ItemResult.FAILED or not marks.failed else "",
        )
        for item, result in zip(items, marks.results, strict=True)
    )


def enter_label(marks: Marks) -> str:
    """What Enter does now."""
    bed = ", bed clear" if marks.clear_bed else ""
    if marks.open:
        return "Say what became of it"
    if not marks.failed:
        return ("All good" if len(marks.results) > 1 else "Good") + bed
    return f"{marks.failed} failed{bed}" if len(marks.results) > 1 else f"Failed{bed}"


def _result(result: ItemResult | None, look: Look) -> Span:
    if result is ItemResult.SUCCESS:
        return f"{look.icons.ok} good", "ok"
    if result is ItemResult.FAILED:
        return f"{look.icons.off} failed", "alert"
    return "? not said", "warn"


def outcome_lines(sheet: OutcomeSheet, marks: Marks, look: Look) -> list[Line]:
    """The question, the instances, reason, note and bed."""
    single = len(sheet.plate.items) == 1
    role = {RunState.COMPLETED: "ok", RunState.FAILED: "alert"}.get(sheet.run.state, "warn")
    out = [
        line(("How did the part come out?" if single else "What happened on the plate?", "title")),
        line((sheet.title, "bold"), (f"  Print Attempt {sheet.run.number}", "dim"), hang=2),
        line((sheet.suggestion, role)),
        BLANK,
    ]
    size = max((len(item.name) for item in sheet.plate.items), default=4)
    for index, (item, result) in enumerate(zip(sheet.plate.items, marks.results, strict=True)):
        here = index == marks.cursor and not single
        text, role = _result(result, look)
        digit = f"{index + 1}" if index < 9 else " "
        out.append(
            Line(
                (
                    (look.icons.cursor if here else " ", "cursor_mark"),
                    (digit, "key"),
                    (f"  {cell(item.name, min(size, 40))}", "bold" if here else "text"),
                    (f"  {item.instance:>3}  " if not single else "  ", "dim"),
                    (text, role),
                ),
                wrap=False,
            )
        )
    out.append(BLANK)
    if marks.failed:
        then = "changes it" if marks.reason else "picks it now"
        words = label(marks.reason) if marks.reason else "asked for when you press " + look.icons.enter
        out.append(
            line(
                ("Reason  ", "dim"),
                (words, "text" if marks.reason else "dim"),
                ("   r ", "key"),
                (then, "dim"),
            )
        )
    if marks.note:
        out.append(line(("Note    ", "dim"), marks.note, hang=8))
    mark = look.icons.ticked if marks.clear_bed else look.icons.unticked
    out.append(line(("b", "key"), f" {mark} The bed is empty now; the next Print Attempt may start on it."))
    return out


def after_lines(marks: Marks) -> list[Line]:
    """The single next step after some failed."""
    return [
        line(("Noted.", "title")),
        BLANK,
        line(f"{marks.failed} of {count(len(marks.results), 'part')} failed: {label(marks.reason).lower()}."),
        BLANK,
        line("Next: print what failed once more, from the same Build Plan."),
    ]
