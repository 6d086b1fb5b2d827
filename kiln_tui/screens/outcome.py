"""What happened on the plate? The panel at the end of a Print Attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget
from textual.widgets import Input

from core.client.views import OutcomeSheet
from core.domain import commands as c
from core.domain.commands import Result
from core.domain.reasons import label
from core.domain.text import clean
from core.domain.words import ItemResult, RunState
from kiln_tui.commands import Command
from kiln_tui.presentation.outcome import (
    REASONS,
    Marks,
    after_lines,
    enter_label,
    first_marks,
    outcome_lines,
    outcomes,
)
from kiln_tui.presentation.text import Line, line
from kiln_tui.screens.dialogs import Choose
from kiln_tui.screens.sheet import Sheet
from kiln_tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


def primary_label(marks: Marks) -> str:
    """All that Enter does now, the reason it asks for first and the bed included."""
    words = enter_label(marks)
    if marks.open:
        return words
    good = len(marks.results) - marks.failed
    words += f", {good} good" if marks.failed and good else ""
    words += "" if marks.clear_bed else ", bed not clear"
    return f"Reason, then {words}" if marks.failed and not marks.reason else words


class OutcomePanel(Sheet):
    """One key when all is well; bulk first when it is not."""

    GUARDED: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp, run_id: str) -> None:
        super().__init__(kiln)
        self.run_id = run_id
        self.sheet: OutcomeSheet | None = None
        self.marks = Marks(())
        self.problem = ""
        self.recorded = False
        self.sent = False
        self.note = TypedLine(placeholder="note; Enter keeps it", max_length=200)

    def more(self) -> Sequence[Widget]:
        """The line for a note."""
        self.note.display = False
        return (self.note,)

    def more_height(self) -> int:
        """The note's line, when it is open."""
        return 1 if self.note.display else 0

    def opened(self) -> None:
        """Fetch the sheet."""
        self.run_worker(self._fetch())

    async def _fetch(self) -> None:
        self.sheet = await self.kiln.ask(self.kiln.client.outcome(self.run_id))
        if self.sheet is None:
            self.problem = "There is nothing to say about this Print Attempt any more."
        else:
            # of a bed after a print that did not end well nobody knows yet whether it is empty
            well = self.sheet.run.state is RunState.COMPLETED
            self.marks = first_marks(self.sheet)._replace(clear_bed=well)
        self.anew()
        self.refresh_sheet()

    def lines(self) -> Sequence[Line]:
        """The question, or what comes next."""
        if self.sheet is None:
            return (line((self.problem or "Fetching the Print Attempt…", "dim")),)
        if self.recorded:
            return after_lines(self.marks)
        return outcome_lines(self.sheet, self.marks, self.kiln.look())

    def refresh_sheet(self) -> None:
        """Keep the instance under the cursor in sight."""
        super().refresh_sheet()
        row = 4 + self.marks.cursor
        top, height = self.pane.scroll_offset.y, max(1, self.pane.size.height)
        if len(self.marks.results) > 1 and not top <= row < top + height:
            self.pane.scroll_to(y=max(0, row - height + 2), animate=False, immediate=True)

    def sheet_commands(self) -> Sequence[Command]:
        """Enter records; the other keys mark."""
        if self.sheet is None:
            return ()
        if self.recorded:
            return (
                Command(key="enter", label="Reprint failed", run=self._reprint, aliases=("r",)),
                Command(key="escape", label="Later", run=self.close, aliases=("q",)),
            )
        marks = self.marks
        single = len(marks.results) == 1
        out = [
            Command(
                key="enter",
                label=primary_label(marks),
                run=self._record,
                disabled="it is on its way to the core"
                if self.sent
                else "nobody said yet: f failed, g good" + ("" if single else ", Space one part")
                if marks.open
                else "",
            ),
            Command(
                key="f",
                label="Failed" if single else "All failed",
                run=lambda: self._mark(marks.all(ItemResult.FAILED)),
            ),
        ]
        if marks.failed or marks.open:
            rest = "Rest good" if marks.open and marks.failed else "Good" if single else "All good"
            good = marks.rest_good() if marks.open and marks.failed else marks.all(ItemResult.SUCCESS)
            out.append(Command(key="g", label=rest, run=lambda: self._mark(good)))
        if not single:
            out.append(
                Command(
                    key="space",
                    label="Toggle",
                    run=lambda: self._mark(marks.toggle(marks.cursor)),
                    repeat=True,
                )
            )
        if marks.failed:
            out.append(Command(key="r", label="Reason", run=self._pick_reason))
        out += [
            Command(key="o", label="Note", run=self._open_note),
            Command(
                key="b",
                label="Bed",
                run=lambda: self._mark(marks._replace(clear_bed=not marks.clear_bed)),
                shown=False,
                repeat=True,
            ),
        ]
        out += [
            Command(
                key=str(n + 1),
                label=f"Toggle part {n + 1}",
                run=lambda n=n: self._mark(marks.toggle(n)),  # type: ignore[misc]  # bound at once
                shown=False,
                repeat=True,
            )
            for n in range(min(9, len(marks.results)))
        ]
        return out

    def move(self, step: int) -> None:
        """Move the cursor over the instances."""
        count = len(self.marks.results)
        if count > 1 and not self.recorded:
            self._mark(self.marks._replace(cursor=max(0, min(count - 1, self.marks.cursor + step))))
        else:
            super().move(step)

    def _mark(self, marks: Marks) -> None:
        self.marks = marks
        self.refresh_sheet()

    def _pick_reason(self, then_record: bool = False) -> None:
        def chosen(code: str) -> None:
            self._mark(self.marks._replace(reason=code))
            if then_record:
                self._record()

        head = [line(("Why did it fail?", "title"))]
        sheet = Choose(self.kiln, head, [(code, label(code)) for code in REASONS], chosen)
        self.kiln.open(sheet, self)

    def _open_note(self) -> None:
        self.note.display = True
        self.note.value = self.marks.note
        self.note.focus()
        self.refresh_sheet()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the note."""
        event.stop()
        self.note.display = False
        self.set_focus(None)
        self._mark(self.marks._replace(note=clean(event.value)))

    def close(self) -> None:
        """Escape leaves the note first, then the panel."""
        if self.note.display:
            self.note.display = False
            self.set_focus(None)
            self.refresh_sheet()
            return
        super().close()

    def _record(self) -> None:
        if self.sheet is None:
            return
        if self.marks.failed and not self.marks.reason:
            self._pick_reason(then_record=True)
            return
        command = c.RecordOutcomes(
            run_id=self.run_id,
            outcomes=outcomes(self.sheet.plate.items, self.marks),
            clear_bed=self.marks.clear_bed,
        )
        self.sent = True
        self.refresh_bars()
        self.kiln.send(command, self._answered)

    def _answered(self, result: Result) -> None:
        self.sent = False
        if not result.ok:
            self.refresh_bars()
            return
        if self.marks.failed:
            self.recorded = True
            self.anew()
            self.refresh_sheet()
        else:
            self.close()

    def _reprint(self) -> None:
        self.close()
        self.kiln.send(c.ReprintFailed(run_id=self.run_id))
