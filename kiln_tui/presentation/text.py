"""Styled text without markup: spans with a role, lines, wrapping and fixed-width cells.

A role is a word of the palette (``alert``, ``dim`` …), never a colour. Nothing here interprets markup, so a
bracket in a file name stays a bracket.
"""

from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len

from core.domain.text import clean

Span = tuple[str, str]
"""Text and its role."""


class Line(NamedTuple):
    """One logical line; `hang` is the indentation (cells) of its continuation when it wraps."""

    spans: tuple[Span, ...]
    hang: int = 0
    wrap: bool = True


def line(*parts: str | Span, hang: int = 0, wrap: bool = True) -> Line:
    """A line of spans; bare strings have the role ``text``."""
    return Line(tuple((p, "text") if isinstance(p, str) else p for p in parts), hang, wrap)


BLANK = Line(())
NO_BREAK = "\u00a0"
"""A space at which no line is broken; shown as a space."""


def printable(text: str) -> str:
    """The same text, or a cleaned one if a control character slipped through."""
    return text if text.isprintable() else clean(text, 1_000)


def width_of(text: str) -> int:
    """Cells that `text` takes in a terminal."""
    return len(text) if text.isascii() else cell_len(text)


def _take(text: str, width: int) -> str:
    """The longest prefix of at most `width` cells."""
    if text.isascii():
        return text[:width]
    used = 0
    for index, char in enumerate(text):
        used += cell_len(char)
        if used > width:
            return text[:index]
    return text


def cut(text: str, width: int) -> str:
    """`text` cut in the middle to at most `width` cells, so that both ends of a name stay readable."""
    if width_of(text) <= width:
        return text
    if width <= 1:
        return _take(text, max(0, width))
    head = width // 2
    tail = _take(text[::-1], width - 1 - head)[::-1]
    return f"{_take(text, head)}…{tail}"


def cut_end(text: str, width: int) -> str:
    """`text` cut at its end to at most `width` cells, at a word where one ends near; for sentences."""
    if width_of(text) <= width:
        return text
    if width <= 1:
        return _take(text, max(0, width))
    kept = _take(text, width - 1)
    if text[len(kept)] != " ":
        at = kept.rfind(" ")
        kept = kept[:at] if at * 4 >= len(kept) * 3 else kept
    return kept.rstrip(" ,;:—·") + "…"


def cell(text: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` cells: cut in the middle, padded at the other side."""
    if width <= 0:
        return ""
    shown = cut(text, width)
    pad = " " * (width - width_of(shown))
    return pad + shown if right else shown + pad


def spans_width(spans: Iterable[Span]) -> int:
    """Cells that the spans take together."""
    return sum(width_of(text) for text, _ in spans)


def fit(spans: tuple[Span, ...], width: int) -> tuple[Span, ...]:
    """The spans cut (at the end) or padded to exactly `width` cells."""
    out: list[Span] = []
    left = width
    for text, role in spans:
        size = width_of(text)
        if size > left:
            text = cut_end(text, left)
            size = width_of(text)
        if text:
            out.append((text, role))
        left -= size
        if left <= 0:
            break
    if left > 0:
        out.append((" " * left, "text"))
    return tuple(out)


def wrap_line(item: Line, width: int) -> list[tuple[Span, ...]]:
    """The visual lines of `item` at `width` cells; breaks at spaces, cuts words longer than a line."""
    if not item.spans:
        return [()]
    if not item.wrap or spans_width(item.spans) <= width:
        return [item.spans]
    hang = min(item.hang, width // 2)
    indent: list[Span] = [(" " * hang, "text")] if hang else []
    lines: list[tuple[Span, ...]] = []
    current: list[Span] = []
    used = 0
    for word in _words(item.spans):
        size = spans_width(word) - _trailing(word)
        if used + size > width and used > (hang if lines else 0):
            lines.append(tuple(current))
            current, used = [*indent], hang
            if not word[0][0].strip(" "):
                continue  # blanks that would open a line
        for text, role in word:
            while width_of(text.rstrip(" ")) > width - used:
                piece = _take(text, width - used)
                current.append((piece, role))
                text = text[len(piece) :]
                lines.append(tuple(current))
                current, used = [*indent], hang
            shown = text if width_of(text) <= width - used else text.rstrip(" ")
            current.append((shown, role))
            used += width_of(shown)
    lines.append(tuple(current))
    return lines


def _words(spans: tuple[Span, ...]) -> list[list[Span]]:
    """Words with the spaces that follow each; spans that touch without a space are one word."""
    words: list[list[Span]] = []
    glue = False
    for text, role in spans:
        start = 0
        for index in range(1, len(text) + 1):
            if index < len(text) and not (text[index - 1] == " " and text[index] != " "):
                continue
            piece = text[start:index]
            if not piece:
                continue
            if glue:
                words[-1].append((piece, role))
            else:
                words.append([(piece, role)])
            glue = not piece.endswith(" ")
            start = index
    return words


def _trailing(word: list[Span]) -> int:
    """Cells of the spaces that end a word."""
    text = word[-1][0]
    return len(text) - len(text.rstrip(" "))


def plain(lines: list[Line], width: int) -> str:
    """The lines as plain text; for tests and for copying."""
    return "\n".join(
        "".join(text for text, _ in spans).rstrip() for item in lines for spans in wrap_line(item, width)
    )
