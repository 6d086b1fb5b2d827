"""An event, whole; and a chain of them."""

import json
from collections.abc import Sequence

from core.client.views import EventRow, VerifyReport
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, line
from kiln_tui.presentation.units import clock_seconds
from kiln_tui.presentation.words import event_words

_MAX_PAYLOAD_LINES = 200
_SUBJECTS = {
    "intent": "Order",
    "plan": "Build Plan",
    "build_plate": "Plate",
    "plate": "Plate",
    "run": "Print Attempt",
    "printer": "Printer",
    "drop": "File",
}


def payload_lines(payload: str) -> list[Line]:
    """The payload, indented; text that is no JSON is shown as it is."""
    try:
        value = json.loads(payload)
    except ValueError:
        return [line((payload, "dim"))]
    if not value:
        return [line(("no further data", "dim"))]
    rows = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).split("\n")
    out = []
    for row in rows[:_MAX_PAYLOAD_LINES]:
        indent = len(row) - len(row.lstrip(" "))
        name, colon, rest = row.partition('": ')
        if colon:
            out.append(line((name + '":', "dim"), " " + rest, hang=indent + 4))
        else:
            out.append(line((row, "dim"), hang=indent + 4))
    if len(rows) > _MAX_PAYLOAD_LINES:
        out.append(line((f"… {len(rows) - _MAX_PAYLOAD_LINES} more lines", "dim")))
    return out


def event_lines(row: EventRow, look: Look, *, wide: bool) -> list[Line]:
    """Who, what, when, about what, with the payload where there is room."""
    subject = f"{_SUBJECTS.get(row.subject_kind, row.subject_kind)} {row.subject_id}"
    who = f"{row.actor}" + (f" {row.who}" if row.who else "")
    head = [
        line((event_words(row.type), "title"), (f"  #{row.seq}  {row.type}", "dim")),
        line(row.summary),
    ]
    if not wide:
        return [*head, line((f"{clock_seconds(row.wall, look.zone)}  {who}  ·  {subject}", "dim"))]
    out = [
        *head,
        BLANK,
        line(("When     ", "dim"), clock_seconds(row.wall, look.zone)),
        line(("Who      ", "dim"), who),
        line(("About    ", "dim"), subject),
    ]
    if row.causation_id:
        out.append(line(("Cause    ", "dim"), row.causation_id, ("  w walks back", "dim")))
    if row.correlation_id:
        out.append(line(("Belongs  ", "dim"), row.correlation_id))
    return [*out, BLANK, *payload_lines(row.payload)]


def chain_lines(rows: Sequence[EventRow], look: Look) -> list[Line]:
    """Events under each other, two lines each."""
    out = []
    for row in rows:
        out.append(
            line(
                (f"{clock_seconds(row.wall, look.zone)}  ", "dim"),
                (event_words(row.type), "bold"),
                (f"  {row.who or row.actor}", "dim"),
                hang=10,
            )
        )
        if row.summary:
            out.append(line("          ", row.summary, hang=10))
    return out


def verify_lines(report: VerifyReport, look: Look) -> list[Line]:
    """Outcome of walking the hash chain."""
    if report.ok:
        return [
            line((f"{look.icons.ok} The hash chain is whole.", "ok")),
            BLANK,
            line(f"{report.events} events were checked, each against the one before."),
            line(("Head  ", "dim"), report.head),
            BLANK,
            line(("Keep the head somewhere else: only that shows a cut-off tail.", "dim")),
        ]
    return [
        line((f"{look.icons.alert} The hash chain is broken.", "alert")),
        BLANK,
        line(report.problem or "No detail was given."),
        line(f"{report.events} events were checked."),
        BLANK,
        line("Do not go on working on this site: keep a copy, and restore the last good backup."),
    ]
