"""How a Print Attempt ended, in plain words: what the printer said, or who stopped it; no file names."""

import re

from core.domain.objects import Run
from core.domain.words import RunState
from core.views.words import reason_word, sentence

_DETAILS = re.compile(r"[:;,]?\s*(printer says \w+, file |the printer showed ).*$", re.DOTALL)
"""Where the evidence of a look begins (`core.controllers.evidence.describe`)."""
_FULL_STOP_BEFORE = re.compile(r"\.( \(at \d+ %\))$")
_ASKED = "cancel requested by "
_BEFORE = re.compile(r"aborted by (.+) before any start")


def plain(text: str) -> str:
    """What was recorded of an end, without the evidence behind it."""
    return _FULL_STOP_BEFORE.sub(r"\1", _DETAILS.sub("", text).strip())


def stopped_by(run: Run) -> str:
    """Who asked for a stop: a name, or '' where nobody asked Kiln for it."""
    for noted in reversed(run.evidence):
        if noted.text.startswith(_ASKED):
            return noted.text.removeprefix(_ASKED)
    before = _BEFORE.fullmatch(run.reason_text)
    return before.group(1) if before is not None else ""


def how_it_ended(run: Run, when: str) -> str:
    """One or two sentences of a failed or stopped attempt; `when` is its age in words."""
    if run.state is RunState.ABORTED:
        who = stopped_by(run)
        by = f"by {who}" if who else "from Kiln" if run.abort_reason else "at the printer"
        why = (
            "" if run.reason in ("", "unknown", "operator_abort") else f": {reason_word(run.reason).lower()}"
        )
        return f"Stopped {by} {when}{why}."
    return f"Failed {when}: {why_it_failed(run)}"


def why_it_failed(run: Run) -> str:
    """The printer's own words, after the reason where that says more than that the printer reported an error."""
    said = sentence(plain(run.reason_text))
    if not said:
        return f"{reason_word(run.reason)}."
    if run.reason in ("", "unknown", "printer_error"):
        return said
    return f"{reason_word(run.reason)} — {said}"
