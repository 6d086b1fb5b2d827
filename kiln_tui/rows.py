"""From a view to the cells of one row: pure, of exact width, tested as text.

Every row begins with one blank cell, which the cursor's mark takes.
"""

from collections.abc import Mapping
from typing import NamedTuple

from core.client.views import (
    SECTION_TITLES,
    SECTIONS,
    Card,
    EventRow,
    ItemDetail,
    OrderRow,
    PrinterRow,
    Shop,
)
from core.contract import Link, Phase
from core.domain.objects import Plan
from core.domain.words import Bed, Health, PlanState, RunState
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import Span, cell, cut, cut_end, fit, width_of
from kiln_tui.presentation.units import age, clock, clock_seconds, degrees, due, percent, remaining
from kiln_tui.presentation.words import event_words, live_word, plan_word, stage_role

SEVERITY_ROLE = {"alert": "alert", "warn": "warn", "info": "info", "ok": "ok"}
SECTION_ROLE = {
    "attention": "alert",
    "at_risk": "warn",
    "running": "info",
    "ready_qa": "ok",
    "ready_start": "info",
    "waiting": "dim",
}


class Heading(NamedTuple):
    """A section's title row in Triage."""

    section: str
    cards: int


class TriageColumns(NamedTuple):
    """Widths that all cards share."""

    tag: int
    where: int
    what: int


def triage_columns(cards: tuple[Card, ...], width: int) -> TriageColumns:
    """Widths by content, bounded so that the sentence keeps room."""
    roomy = width >= 64
    tag = max((width_of(c.tag) for c in cards if c.section in ("attention", "at_risk")), default=8)
    where = max((width_of(c.where) for c in cards), default=8)
    what = max((width_of(c.what) for c in cards), default=10)
    return TriageColumns(
        min(max(tag, 8), 14), min(max(where, 7), 18 if roomy else 12), min(max(what, 10), 30 if roomy else 18)
    )


def section_icon(section: str, look: Look) -> str:
    """The sign before a section's title and its rows."""
    icons = look.icons
    return {
        "attention": icons.alert,
        "at_risk": icons.warn,
        "running": icons.run,
        "ready_qa": icons.ok,
        "ready_start": icons.ready,
    }.get(section, icons.wait)


def card_icon(card: Card, look: Look) -> str:
    """The sign of a card: its section's, except for what was stopped."""
    return look.icons.off if card.tag == "ABORTED" else section_icon(card.section, look)


def triage_order(
    shop: Shop, before: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Heading | Card, ...]:
    """Headings with counts and the cards below them; a section with nothing takes no room. `before` is which
    cards each section showed, in order."""
    out: list[Heading | Card] = []
    for section in SECTIONS:
        cards = tuple(card for card in shop.cards if card.section == section)
        cards = keep_order((before or {}).get(section, ()), cards)
        if cards:
            out.append(Heading(section, len(cards)))
            out.extend(cards)
    return tuple(out)


def keep_order(before: tuple[str, ...], cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """The cards of one section in the order they stood in, as long as they are the same ones: telemetry moves no
    row. When one came or went, the core's order holds."""
    ids = [card.card_id for card in cards]
    if sorted(ids) != sorted(before):
        return cards
    place = {card_id: index for index, card_id in enumerate(before)}
    return tuple(sorted(cards, key=lambda card: place[card.card_id]))


def heading_row(heading: Heading, width: int, look: Look) -> tuple[Span, ...]:
    """`` ! ATTENTION NOW  2``."""
    role = SECTION_ROLE.get(heading.section, "dim")
    title = SECTION_TITLES.get(heading.section, heading.section.upper())
    return fit(
        (
            (f" {section_icon(heading.section, look)} ", role),
            (title, role),
            (f"  {heading.cards}", "dim"),
        ),
        width,
    )


def card_row(card: Card, width: int, columns: TriageColumns, look: Look) -> tuple[Span, ...]:
    """A card: icon, word, where, what, and the short reason or the progress."""
    role = SEVERITY_ROLE.get(card.severity, "text")
    spans: list[Span] = [(f" {card_icon(card, look)} ", role)]
    used = 3
    if card.section in ("attention", "at_risk"):
        spans += [(cell(card.tag, columns.tag), role), ("  ", "text")]
        used += columns.tag + 2
    where = min(columns.where, max(6, (width - used) // 2))
    spans += [(cell(card.where, where), "bold"), ("  ", "text")]
    used += where + 2
    if card.progress is not None and card.section in ("running", "waiting", "at_risk"):
        tail = _progress_cells(card, width - used, look)
        room = width - used - sum(width_of(t) for t, _ in tail) - 1
        spans += [(cell(card.what, max(0, room)), "text"), *tail, (" ", "text")]
        return fit(tuple(spans), width)
    brief = card.brief
    room = width - used - 1
    column = 3 + columns.tag + 2 + columns.where + 2 + columns.what  # where the short reasons begin
    # A long name is cut, so that the short reasons stay in line; only a long reason takes room from the names.
    what = min(column - used, max(min(width_of(card.what), room // 2), room - 2 - width_of(brief)))
    spans += [(cell(card.what, what), "text"), ("  ", "text"), (cut_end(brief, room - what - 2), "dim")]
    return fit(tuple(spans), width)


def _progress_cells(card: Card, room: int, look: Look) -> list[Span]:
    """Bar, percent, remaining, and the finishing time where there is room."""
    left = remaining(card.remaining_s) if card.remaining_s is not None else ""
    cells: list[Span] = []
    if room >= 34:
        bar = look.icons.bar(card.progress, 18 if room >= 60 else 10)
        filled = bar.rstrip(look.icons.empty)
        cells += [("  ", "text"), (filled, "progress"), (bar[len(filled) :], "track")]
    cells += [(cell(percent(card.progress), 5, right=True), "bold"), (cell(left, 7, right=True), "text")]
    if room >= 60:
        done = "at " + clock(card.finish_at, look.zone) if card.finish_at is not None else ""
        cells.append((cell(done, 9, right=True), "dim"))
    return cells


# --- printers ----------------------------------------------------------------------------------------------


def printer_state(row: PrinterRow, look: Look) -> tuple[str, str, str]:
    """(icon, word, role) of a printer: the one thing to know about it first."""
    icons, live, seen = look.icons, row.live, look.age(row.age_s)
    if row.printer.health is Health.OUT_OF_SERVICE:
        return icons.off, "out of service", "dim"
    if live is None:
        return icons.wait, "not seen yet", "dim"
    if live.link is Link.UNAUTHORISED:
        return icons.alert, "key refused", "alert"
    if live.link is Link.OFFLINE or row.printer.health is Health.OFFLINE:
        return icons.off, "offline", "alert" if row.run is not None else "warn"
    if seen is not None and seen > look.stale_s:
        return icons.alert, f"silent {age(seen)}", "alert"
    if row.run is not None and row.run.state is RunState.NEEDS_DECISION:
        return icons.alert, "needs decision", "alert"
    if live.phase is Phase.ERROR:
        return icons.alert, "error", "alert"
    if live.phase in (Phase.PAUSED, Phase.PAUSING):
        return icons.alert, live_word(live.phase), "warn"
    if row.printer.health is Health.DEGRADED:
        return icons.warn, "degraded", "warn"
    if live.phase.running:
        return icons.run, live_word(live.phase), "info"
    if row.upload is not None:
        return icons.run, f"sending {percent(row.upload)}", "info"
    if row.run is not None:
        icon = {RunState.COMPLETED: icons.ok, RunState.ABORTED: icons.off, RunState.FAILED: icons.alert}
        role = {RunState.COMPLETED: "ok", RunState.ABORTED: "text", RunState.FAILED: "alert"}
        state = row.run.state
        return icon.get(state, icons.run), state.on_screen, role.get(state, "info")
    if row.printer.bed is Bed.CLEAR and not row.block:
        return icons.ok, "ready", "ok"
    return icons.wait, live_word(live.phase), "text"


def heater(row: PrinterRow, names: tuple[str, ...]) -> str:
    """The first heater of these names, quantised; '' where the printer has none or is not seen."""
    if row.live is None or row.live.link is not Link.ONLINE:
        return ""
    for item in row.live.heaters:
        if item.name.lower() in names:
            return degrees(item.actual, item.target)
    return ""


HOTEND = ("hotend", "tool0", "extruder", "nozzle", "t0")
BED = ("bed", "heater_bed", "heatbed")


def printer_row(row: PrinterRow, width: int, look: Look, name: int = 12) -> tuple[Span, ...]:
    """A printer at a glance, its name in `name` cells. Volatile columns stand left of the long text."""
    icon, word, role = printer_state(row, look)
    live = row.live if row.live is not None and row.live.link is Link.ONLINE else None
    busy = live is not None and live.phase.running
    printer_job = live.printer_job if live is not None and busy else None
    spans: list[Span] = [
        (f" {icon} ", role),
        (cell(row.printer.name, name), "bold"),
        (" ", "text"),
        (cell(word, 14), role),
        (" ", "text"),
        (cell(heater(row, HOTEND), 8, right=True), "text"),
        (cell(heater(row, BED), 7, right=True), "dim"),
        (" ", "text"),
    ]
    if printer_job is not None or width >= 110:
        done = printer_job.progress if printer_job else None
        left = printer_job.remaining_s if printer_job else None
        if width >= 92:
            bar = look.icons.bar(done, 12)
            filled = bar.rstrip(look.icons.empty)
            spans += [(filled, "progress"), (bar[len(filled) :], "track")]
        spans += [
            (cell(percent(done) if printer_job else "", 5, right=True), "bold"),
            (cell(remaining(left) if left is not None else "", 7, right=True), "text"),
        ]
    spans.append(("  ", "text"))
    used = sum(width_of(text) for text, _ in spans)
    if width >= 110:
        material = " ".join(filter(None, (row.printer.material, row.printer.color))) or "?"
        seen = age(look.age(row.age_s))
        spans += [(cell(material, 14), "text"), (" ", "text"), (cell(bed_word(row.printer.bed), 9), "dim")]
        spans += [(cell(seen, 6, right=True), "dim"), ("  ", "text")]
        used += 32
    text = row.run_title or row.block or ""
    spans.append((cut_end(text, width - used - 1), "text" if row.run_title else "dim"))
    return fit(tuple(spans), width)


def bed_word(bed: Bed) -> str:
    """What is known of the bed, in words."""
    return {Bed.CLEAR: "bed clear", Bed.OCCUPIED: "bed full", Bed.UNKNOWN: "bed ?"}[bed]


# --- orders and plans --------------------------------------------------------------------------------------


def order_title(row: OrderRow) -> str:
    """What an Order is about, without its number, which stands beside it."""
    return row.title.removeprefix(f"Order {row.intent.number} · ")


def order_row(row: OrderRow, width: int, look: Look) -> tuple[Span, ...]:
    """An Order: number, due, stage, counts, title, and the reason it is not further."""
    role = stage_role(row.stage, row.block)
    icon = {
        "alert": look.icons.alert,
        "warn": look.icons.warn,
        "ok": look.icons.ok,
        "info": look.icons.run,
    }.get(role, look.icons.wait)
    late = row.intent.due_at is not None and row.intent.due_at < look.now and row.intent.open
    when = due(row.intent.due_at, look.now) if row.intent.open else ""
    spans: list[Span] = [
        (f" {icon} ", role),
        (cell(str(row.intent.number), 5, right=True), "bold"),
        ("  ", "text"),
        (cell(when, 10), "alert" if late else "text"),
        (" ", "text"),
        (cell(row.stage, 14), role),
        (cell(f"{row.good}/{row.promised}", 8, right=True), "text"),
        ("  ", "text"),
    ]
    used = sum(width_of(text) for text, _ in spans)
    room = width - used - 1
    title = order_title(row)
    if row.block and room >= 44:
        size = max(20, room // 2)
        spans += [(cell(title, size), "text"), ("  ", "text"), (cut_end(row.block, room - size - 2), "dim")]
    else:
        spans.append((cut(title, room), "text"))
    return fit(tuple(spans), width)


def plan_row(data: tuple[ItemDetail, Plan], width: int, look: Look) -> tuple[Span, ...]:
    """A Build Plan of a line item: state, part, quantity, revision, profile."""
    item, plan = data
    icon, role = {
        PlanState.APPROVED: (look.icons.ok, "ok"),
        PlanState.DRAFT: (look.icons.wait, "info"),
    }.get(plan.state, (look.icons.off, "dim"))
    if plan.dispatch_blocked:
        icon, role = look.icons.alert, "alert"
    size = max(8, width - 3 - 12 - 5 - 8)
    return fit(
        (
            (f" {icon} ", role),
            (cell(plan_word(plan), 11), role),
            (" ", "text"),
            (cell(f"r{plan.revision}", 4), "dim"),
            (cell(f"×{item.item.quantity}", 6), "text"),
            (" ", "text"),
            (cut(item.item.name, size), "bold"),
        ),
        width,
    )


# --- events ------------------------------------------------------------------------------------------------


def event_row(row: EventRow, width: int, look: Look) -> tuple[Span, ...]:
    """An event: time, what happened, who, and the summary."""
    who = row.who or row.actor
    kind = 23 if width >= 70 else 16
    name = 16 if width >= 90 else 12
    spans: list[Span] = [
        (f" {clock_seconds(row.wall, look.zone)} ", "dim"),
        (cell(event_words(row.type), kind), "bold"),
        (" ", "text"),
        (cell(who, name), "text" if row.actor == "operator" else "dim"),
        (" ", "text"),
    ]
    used = sum(width_of(text) for text, _ in spans)
    spans.append((cut_end(row.summary, width - used - 1), "text"))
    return fit(tuple(spans), width)
