"""The detail of a Triage card: what happened, why it matters, what to do."""

from collections.abc import Sequence

from core.client.views import Action, Card
from kiln_tui.commands import key_word, row_keys
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, Span, cell, line
from kiln_tui.presentation.units import clock, percent, remaining
from kiln_tui.rows import SEVERITY_ROLE, card_icon

EVIDENCE = 5
"""How many pieces of evidence stand beside the list; ``w`` shows all."""


def headline(card: Card) -> str:
    """``voron-2 · bracket ×4``."""
    return " · ".join(part for part in (card.where, card.what) if part)


def action_lines(actions: Sequence[Action], look: Look) -> list[Line]:
    """One line per action: key, label, note; a disabled one says why."""
    keyed = row_keys(actions)
    size = max((len(action.label) for action in actions), default=0)
    key_size = max((len(key_word(key, look.icons)) for key, _ in keyed), default=1)
    out = []
    for key, action in keyed:
        word = cell(key_word(key, look.icons) if key else ":", key_size)
        if action.disabled:
            out.append(
                line(
                    (word, "disabled"),
                    (f"  {cell(action.label, size)}", "disabled"),
                    (f"  not now: {action.disabled}", "dim"),
                    hang=key_size + 2,
                )
            )
            continue
        spans: list[Span] = [(word, "key"), (f"  {cell(action.label, size)}", "text")]
        if action.note:
            spans.append((f"  {action.note}", "dim"))
        out.append(Line(tuple(spans), hang=key_size + 2))
    return out


def card_lines(card: Card, look: Look) -> list[Line]:
    """The whole card, for a side panel."""
    role = SEVERITY_ROLE.get(card.severity, "text")
    out = [line((headline(card), "title"), hang=2)]
    if card.title and card.title != headline(card):
        out.append(line((card.title, "dim"), hang=2))
    if card.tag:
        out.append(line((f"{card_icon(card, look)} {card.tag}", role)))
    out += [BLANK, line(card.sentence)]
    out += [line((f"{look.icons.bullet} ", "dim"), reason, hang=2) for reason in card.because]
    out += _progress_lines(card, look)
    if card.actions:
        out += [BLANK, *action_lines(card.actions, look)]
    if card.evidence:
        out += [BLANK, line(("Evidence", "dim"))]
        out += [line((text, "dim"), hang=2) for text in card.evidence[:EVIDENCE]]
        if len(card.evidence) > EVIDENCE:
            out.append(line((f"{len(card.evidence) - EVIDENCE} more: press ", "dim"), ("w", "key")))
    return out


def card_strip(card: Card, look: Look) -> list[Line]:
    """The card for a small terminal: the same words, fewest lines; keys are in the key bar."""
    title = f"  {card.title}" if card.title not in ("", headline(card)) else ""
    out = [line((headline(card), "title"), (title, "dim"), wrap=False)]
    out.append(line(card.sentence))
    out += [line((f"{look.icons.bullet} ", "dim"), (reason, "dim"), hang=2) for reason in card.because]
    if card.progress is not None and not card.because:
        out += _progress_lines(card, look)[1:]
    disabled = next((action for action in card.actions[:1] if action.disabled), None)
    if disabled is not None:
        out.append(line((f"{disabled.label} does not work now: {disabled.disabled}", "warn")))
    return out


def _progress_lines(card: Card, look: Look) -> list[Line]:
    if card.progress is None:
        return []
    bar = look.icons.bar(card.progress, 24)
    filled = bar.rstrip(look.icons.empty)
    out = [
        BLANK,
        line((filled, "progress"), (bar[len(filled) :], "track"), (f" {percent(card.progress)}", "bold")),
    ]
    if card.remaining_s is not None:
        words = f"{remaining(card.remaining_s)} of print time to go"
        if card.finish_at is not None:
            words += f", done about {clock(card.finish_at, look.zone)}"
        out.append(line(words))
    return out


def why_lines(card: Card, look: Look) -> list[Line]:
    """Everything that is known about why this card is here."""
    out = [line((headline(card), "title")), BLANK, line(card.sentence)]
    if card.because:
        out += [BLANK, line(("Because", "dim"))]
        out += [line((f"{look.icons.bullet} ", "dim"), reason, hang=2) for reason in card.because]
    if card.evidence:
        out += [BLANK, line(("Evidence", "dim"))]
        out += [line((f"{look.icons.bullet} ", "dim"), text, hang=2) for text in card.evidence]
    blocked = [action for action in card.actions if action.disabled]
    if blocked:
        out += [BLANK, line(("What does not work now", "dim"))]
        out += [line((f"{action.label}: ", "bold"), action.disabled, hang=2) for action in blocked]
    return out
