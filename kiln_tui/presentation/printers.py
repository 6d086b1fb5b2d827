"""A printer, whole."""

from core.client.views import PrinterRow
from core.contract import Link
from core.domain.words import Health
from kiln_tui.presentation.cards import action_lines
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, Span, line
from kiln_tui.presentation.units import age, clock, degrees, duration, percent, remaining
from kiln_tui.presentation.words import health_word, live_word
from kiln_tui.rows import bed_word, printer_state


def printer_lines(row: PrinterRow, look: Look) -> list[Line]:
    """State with its age first; then work, heat, material, bed, health, and why it does not start."""
    p, live, seen = row.printer, row.live, look.age(row.age_s)
    icon, word, role = printer_state(row, look)
    out = [
        line((p.name, "title"), (f"  {row.model_name}", "text"), hang=2),
        line((f"{p.adapter}  {p.address}", "dim"), hang=2),
        BLANK,
        line(
            (f"{icon} {word}", role),
            (f"   last seen {age(seen)}{' ago' if seen and seen >= 5 else ''}", "dim"),
        ),
    ]
    if row.capability is not None and row.capability.simulated:
        out.append(line(("virtual: nothing moves, nothing melts", "dim")))
    if seen is not None and seen > look.stale_s:
        said = live_word(live.phase) if live is not None else "nothing"
        out.append(line((f"Nothing was heard for {duration(seen)}. The last word was: {said}.", "warn")))
    if live is not None and live.link is Link.UNAUTHORISED:
        out.append(
            line(("The printer refused our key. Make a new one there, then remove and add it again.", "warn"))
        )
    out += [
        line((f"{look.icons.bullet} says: ", "dim"), text, hang=2) for text in (live.messages if live else ())
    ]
    out += _work(row, look)
    out.append(BLANK)
    if live is not None and live.heaters and live.link is Link.ONLINE:
        for heater in live.heaters:
            target = (
                f"  of {round(heater.target)}°" if heater.target else "  off" if heater.target == 0 else ""
            )
            out.append(
                line((f"{_heater_word(heater.name):<9}", "dim"), degrees(heater.actual), (target, "dim"))
            )
    material = " ".join(filter(None, (p.material, p.color)))
    out += [
        line(("material ", "dim"), material or "never said; press l"),
        line(("bed      ", "dim"), (bed_word(p.bed), "ok" if p.bed.value == "clear" else "text")),
        line(("health   ", "dim"), (health_word(p.health), "ok" if p.health is Health.OK else "warn"),
             (f"  {p.health_reason}" if p.health_reason else "", "text"), hang=9),
    ]  # fmt: skip
    if p.foreign:
        out.append(
            line(("at it    ", "dim"), (f"something that Kiln did not start: {p.foreign}", "warn"), hang=9)
        )
    if row.block and not (row.run is not None and row.run.state.active):
        out += [BLANK, line(("Why nothing starts  ", "dim"), (row.block, "bold"), hang=2)]
    if row.actions:
        out += [BLANK, *action_lines(row.actions, look)]
    return out


def _work(row: PrinterRow, look: Look) -> list[Line]:
    live = row.live
    out: list[Line] = []
    if row.run is not None:
        out += [
            BLANK,
            line((row.run_title or "Print Attempt", "bold"), (f"  {row.run.state.on_screen}", "dim")),
        ]
    if row.upload is not None:
        out.append(line(f"sending the file: {percent(row.upload)}"))
    if live is None or not live.phase.running:
        return out
    printer_job = live.printer_job
    bar = look.icons.bar(printer_job.progress, 24)
    filled = bar.rstrip(look.icons.empty)
    spans: list[Span] = [
        (filled, "progress"),
        (bar[len(filled) :], "track"),
        (f" {percent(printer_job.progress)}", "bold"),
    ]
    if printer_job.progress is None:
        spans = [("progress unknown", "dim")]
    out.append(Line(tuple(spans)))
    facts = []
    if printer_job.remaining_s is not None:
        facts.append(f"{remaining(printer_job.remaining_s)} of print time to go")
        if row.finish_at is not None:
            facts.append(f"done about {clock(row.finish_at, look.zone)}")
    if printer_job.layer is not None:
        facts.append(
            f"layer {printer_job.layer}" + (f" of {printer_job.layers}" if printer_job.layers else "")
        )
    if facts:
        out.append(line(", ".join(facts)))
    return out


def _heater_word(name: str) -> str:
    """What a person calls a heater, whatever its backend does."""
    if name.startswith("tool") and name[4:].isdigit():
        return "hotend" if name == "tool0" else f"hotend {int(name[4:]) + 1}"
    return "heat bed" if name == "bed" else name


def printer_strip(row: PrinterRow, look: Look) -> list[Line]:
    """A printer for a small terminal."""
    p = row.printer
    icon, word, role = printer_state(row, look)
    material = " ".join(filter(None, (p.material, p.color))) or "material never said"
    seen = age(look.age(row.age_s))
    out = [
        line((p.name, "title"), (f"  {row.model_name}  ", "dim"), (f"{icon} {word}", role),
             (f"  seen {seen}", "dim"), wrap=False),
        line((f"{material}  ·  {bed_word(p.bed)}  ·  {health_word(p.health)}", "text")),
    ]  # fmt: skip
    if row.block:
        out.append(line(("Why nothing starts: ", "dim"), row.block))
    if p.health_reason:
        out.append(line((p.health_reason, "warn")))
    out += [line(("says: ", "dim"), text) for text in (row.live.messages[:1] if row.live else ())]
    if p.foreign:
        out.append(line((f"something that Kiln did not start: {p.foreign}", "warn")))
    return out
