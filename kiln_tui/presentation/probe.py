"""The form for a new printer, and what trying its address showed."""

from collections.abc import Mapping

from core.client.views import ProbeView
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, line


def probe_lines(probe: ProbeView, look: Look) -> list[Line]:
    """One line per step, and what to do about the one that failed."""
    out = []
    for step in probe.steps:
        icon, role = (look.icons.ok, "ok") if step.ok else (look.icons.alert, "alert")
        out.append(line((f"{icon} ", role), (step.name, "bold"), (f"  {step.detail}", "text"), hang=2))
        if not step.ok and step.fix:
            out.append(line(("  Fix  ", "dim"), step.fix, hang=7))
    return out


def form_lines(
    values: Mapping[str, str],
    field: str,
    probe: ProbeView | None,
    probing: bool,
    model: str,
    material: str,
    look: Look,
) -> list[Line]:
    """What was said so far; the question that is open now comes last."""
    out = [line(("Add a printer", "title")), BLANK]
    if values["address"] and field != "address":
        out.append(line(("Address   ", "dim"), values["address"], hang=10))
    if field not in ("address", "secret"):
        out.append(line(("Key       ", "dim"), ("given" if values["secret"] else "none", "text")))
    if probing:
        out += [BLANK, line(("Trying the address…", "info"))]
    if probe is not None and field not in ("address", "secret"):
        out += [BLANK, *probe_lines(probe, look)]
    if field in ("model", "material", "ready"):
        out += [BLANK, line(("Name      ", "dim"), (values["name"], "bold"))]
    if model:
        out.append(line(("Model     ", "dim"), model))
    if field == "ready":
        out.append(line(("Material  ", "dim"), material or "to be said later"))
    question = {
        "address": "What is its address? OctoPrint is what Kiln can talk to now.",
        "secret": "What is the API key? In OctoPrint: user menu → User Settings → API Key.",
        "name": "What do you call it?",
        "failed": "It did not work. See above for what to do, then try again.",
        "ready": "Nothing is started on it before a person has seen its bed empty.",
    }.get(field, "")
    if question:
        out += [BLANK, line((question, "bold"))]
    return out
