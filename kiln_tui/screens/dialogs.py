"""Questions before something is lost: Cancel has the focus, and confirmation waits a moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from core.client.views import PrinterRow
from core.domain import commands as c
from core.domain.commands import AnyCommand
from core.domain.words import CancelReason
from kiln_tui.commands import Command
from kiln_tui.presentation.sent import order_name
from kiln_tui.presentation.text import BLANK, Line, Span, line
from kiln_tui.presentation.units import count, duration, percent, remaining
from kiln_tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

CHOICE_KEYS = "123456789bcdfghilmnoprtvxyz"


class Question(Sheet):
    """Two buttons, the harmless one first and focused."""

    GUARDED: ClassVar[bool] = True
    SAFE: ClassVar[str] = "Cancel"
    YES: ClassVar[str] = "Yes"

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.on_yes = False

    def question(self) -> Sequence[Line]:
        """What is asked."""
        raise NotImplementedError

    def yes(self) -> None:
        """What the other button does."""
        raise NotImplementedError

    def lines(self) -> Sequence[Line]:
        """The question and its buttons."""
        return (*self.question(), BLANK, self._buttons())

    def _buttons(self) -> Line:
        def button(label: str, on: bool) -> list[Span]:
            return [(f"> {label} <" if on else f"[ {label} ]", "tab_on" if on else "text"), ("   ", "text")]

        return Line((*button(self.SAFE, not self.on_yes), *button(self.YES, self.on_yes)))

    def sheet_commands(self) -> Sequence[Command]:
        """Enter takes the focused button; ``y`` is the other one."""
        return (
            Command(key="enter", label=self.YES if self.on_yes else self.SAFE, run=self._press),
            Command(key="y", label=self.YES, run=self._do, danger=True),
            Command(
                key="tab",
                label="Other button",
                run=self._other,
                aliases=("left", "right", "h", "l", "shift+tab"),
                shown=False,
                repeat=True,
            ),
        )

    def _other(self) -> None:
        self.on_yes = not self.on_yes
        self.refresh_sheet()

    def _press(self) -> None:
        if self.on_yes:
            self._do()
        else:
            self.close()

    def _do(self) -> None:
        self.close()
        self.yes()


class Confirm(Question):
    """Ask before a command that cannot be taken back."""

    def __init__(self, kiln: KilnApp, title: str, question: str, command: AnyCommand) -> None:
        super().__init__(kiln)
        self._heading, self._question, self._command = title, question, command

    def question(self) -> Sequence[Line]:
        """The action's own question."""
        return (line((self._heading, "title")), BLANK, line(self._question))

    def yes(self) -> None:
        """Send it."""
        self.kiln.send(self._command)


class Abort(Question):
    """Stop a Print Attempt: names the printer, the Order, and what is lost."""

    SAFE = "Keep printing"
    YES = "Abort"
    REASONS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("operator_abort", "My decision"),
        ("test_print", "Only a test"),
        ("wrong_file", "Wrong file"),
    )

    def __init__(self, kiln: KilnApp, run_id: str) -> None:
        super().__init__(kiln)
        self.run_id = run_id
        self.reason = 0

    def _row(self) -> PrinterRow | None:
        shop = self.kiln.shop
        rows = shop.printers if shop is not None else ()
        return next((row for row in rows if row.run is not None and row.run.run_id == self.run_id), None)

    def question(self) -> Sequence[Line]:
        """Printer, Order, loss, reason."""
        row = self._row()
        out: list[Line] = []
        if row is None or row.run is None:
            out += [line(("Abort this Print Attempt?", "title")), BLANK, line("It is not on a printer now.")]
        else:
            names = ", ".join(order_name(self.kiln.shop, intent) for intent in row.run.intent_ids)
            out += [
                line((f"Abort {row.run_title or 'this Print Attempt'} on {row.printer.name}?", "alert")),
                BLANK,
                line(("Printer  ", "dim"), (row.printer.name, "bold"), f"  {row.model_name}"),
                line(("Order    ", "dim"), names or "unknown"),
                line(("Lost     ", "dim"), *_loss(row), hang=9),
            ]
        out += [BLANK, line(("Reason   ", "dim"), *self._reasons(), hang=9)]
        return out

    def _reasons(self) -> list[Span]:
        spans: list[Span] = []
        for index, (_, label) in enumerate(self.REASONS):
            mark = self.kiln.paint.icons.ticked if index == self.reason else self.kiln.paint.icons.unticked
            spans += [
                (f"{index + 1}", "key"),
                (f" {mark} {label}   ", "bold" if index == self.reason else "text"),
            ]
        return spans

    def sheet_commands(self) -> Sequence[Command]:
        """The buttons, and a digit for each reason."""

        def pick(index: int) -> None:
            self.reason = index
            self.refresh_sheet()

        reasons = [
            Command(key=str(i + 1), label=label, run=lambda i=i: pick(i), shown=False)  # type: ignore[misc]  # bound at once
            for i, (_, label) in enumerate(self.REASONS)
        ]
        return (*super().sheet_commands(), *reasons)

    def yes(self) -> None:
        """Send it."""
        self.kiln.send(c.AbortRun(run_id=self.run_id, reason=self.REASONS[self.reason][0]))


def _loss(row: PrinterRow) -> list[Span]:
    printer_job = row.live.printer_job if row.live is not None else None
    if printer_job is None or printer_job.progress is None:
        return [("unknown: the printer does not say how far it is", "warn")]
    words = f"{percent(printer_job.progress)} done"
    if printer_job.elapsed_s is not None:
        words += f", {duration(printer_job.elapsed_s)} of printing"
    if printer_job.remaining_s is not None:
        words += f"; {remaining(printer_job.remaining_s)} were left"
    return [(words, "warn")]


class Quit(Question):
    """Close this terminal; the shop goes on."""

    SAFE = "Stay"
    YES = "Close"
    GUARDED: ClassVar[bool] = False

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.on_yes = True

    def question(self) -> Sequence[Line]:
        """What goes on."""
        shop = self.kiln.shop
        running = 0 if shop is None else sum(1 for card in shop.cards if card.section == "running")
        out = [line(("Close this terminal?", "title")), BLANK]
        if shop is not None and shop.demo:
            out.append(line("A demo without a name ends with it, and its site is removed."))
            out.append(
                line("One kept under a name goes on: its virtual printers run by the clock on the wall.")
            )
        elif running:
            out.append(
                line(
                    f"{count(running, 'Print Attempt')} {'goes' if running == 1 else 'go'} on at the printers."
                )
            )
            out.append(line("Start kiln-tui again to see them; it catches up with all that happened."))
        else:
            out.append(line("Nothing is printing. Start kiln-tui again at any time; nothing is lost."))
        return out

    def sheet_commands(self) -> Sequence[Command]:
        """The key that asked to quit means it when it comes again."""
        return (
            *super().sheet_commands(),
            Command(
                key="ctrl+c",
                label=self.YES,
                run=self._do,
                aliases=("q", "ctrl+q"),
                shown=False,
                repeat=True,
            ),
        )

    def yes(self) -> None:
        """Close."""
        self.kiln.exit()


class Choose(Sheet):
    """A short list, one key each; no more than needed to give a reason."""

    GUARDED: ClassVar[bool] = True

    def __init__(
        self,
        kiln: KilnApp,
        head: Sequence[Line],
        options: Sequence[tuple[str, str]],
        chosen: Callable[[str], None],
    ) -> None:
        """`options` are (value, label)."""
        super().__init__(kiln)
        self._head, self._options, self._chosen = head, tuple(options), chosen

    def lines(self) -> Sequence[Line]:
        """The question and the list."""
        rows = [
            line((f"{key}", "key"), f"  {label}")
            for key, (_, label) in zip(CHOICE_KEYS, self._options, strict=False)
        ]
        return (*self._head, BLANK, *rows)

    def sheet_commands(self) -> Sequence[Command]:
        """A key for each option."""

        def take(value: str) -> None:
            self.close()
            self._chosen(value)

        return [
            Command(key=key, label=label, run=lambda value=value: take(value), shown=False)  # type: ignore[misc]  # bound at once
            for key, (value, label) in zip(CHOICE_KEYS, self._options, strict=False)
        ]


_CANCEL_WORDS = {
    CancelReason.CUSTOMER_REQUEST: "The customer asked for it",
    CancelReason.UNMANUFACTURABLE: "It cannot be made",
    CancelReason.OUT_OF_CAPACITY: "No capacity for it",
    CancelReason.NONPAYMENT: "It was not paid",
    CancelReason.FRAUD: "Fraud",
}


def cancel_order(kiln: KilnApp, intent_id: str) -> Choose:
    """Ask for the reason; giving it is the confirmation."""
    name = order_name(kiln.shop, intent_id)
    shop = kiln.shop
    row = next((r for r in (shop.orders if shop else ()) if r.intent.intent_id == intent_id), None)
    head = [line((f"Cancel {name}?", "alert"))]
    if row is not None:
        head += [
            line((row.title, "bold")),
            BLANK,
            line(f"{row.good} of {count(row.promised, 'part')} made; {row.in_progress} in progress."),
        ]
    head += [
        line("Queued Print Attempts end. A running one goes on until somebody aborts it."),
        line(("This cannot be undone. Esc keeps the Order.", "warn")),
        BLANK,
        line(("Why is it canceled?", "bold")),
    ]
    return Choose(
        kiln,
        head,
        [(reason.value, words) for reason, words in _CANCEL_WORDS.items()],
        lambda value: kiln.send(c.CancelOrder(intent_id=intent_id, reason=CancelReason(value))),
    )
