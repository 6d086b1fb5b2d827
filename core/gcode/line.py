"""One line of G-code taken apart: numbered, checksummed, commented, spaced or not, in either case of letters."""

import re

import msgspec

MAX_LINE = 4096
"""Bytes of a line that are looked at; a command longer than that is not readable."""

MAX_NUMBER = 1e6
"""Largest number of a move that is believed; no printer has a coordinate or a feed like that."""

_NUMBERED = re.compile(r"\s*[Nn]\s*\d+\s*")
_CODE = re.compile(r"([GMTgmt])\s*(\d{1,5})(?:\.(\d{1,3}))?(?![\d._])")
_TOOL_LETTER = re.compile(r"[Tt][?xcXC]\s*$")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]+")
_LETTER_NUMBER = re.compile(r"[A-Za-z]\d+")
_WORD = re.compile(r"\s*([A-Za-z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_PAREN = re.compile(r"\([^()]*\)")
_MAX_PARENS = 20
_SECOND = re.compile(r"[GMgm]\s*\d")
_ARGUMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(\"[^\"]*\"|'[^']*'|\S+)")
_MAX_CHARACTERS = 24


Words = dict[str, float | None]
"""Letters of a command with their numbers; None for a letter alone."""


class Line(msgspec.Struct):
    """`command` is normalised (``G1``, ``M73.2``, ``T``, ``START_PRINT``), '' for an empty line, '?' if unreadable.

    `rest` is the text after the command without comments, as written.
    """

    command: str
    rest: str
    number: int = 0
    """The number of a tool change (``T1``)."""


def take_apart(text: str) -> Line:
    """The command of a line and its arguments' text. Whole-line comments are not expected here."""
    numbered = _NUMBERED.match(text)
    if numbered:
        text = text[numbered.end() :]
    code_text, _, _ = text.partition(";")
    if numbered:
        code_text = code_text.partition("*")[0]
    if "(" in code_text and not code_text.lstrip()[:4].upper().startswith(("M117", "M118")):
        if code_text.count("(") > _MAX_PARENS:
            return Line("?", code_text)
        code_text = _PAREN.sub(" ", code_text)
    code_text = code_text.strip()
    if not code_text or code_text == "%":
        return Line("", "")
    if code := _CODE.match(code_text):
        letter, digits, sub = code[1].upper(), int(code[2]), code[3]
        rest = code_text[code.end() :]
        if letter == "T" and sub is None:
            return Line("T", rest, digits)
        name = f"{letter}{digits}" if sub is None else f"{letter}{digits}.{int(sub)}"
        return Line(name, rest)
    if _TOOL_LETTER.match(code_text):
        return Line("T?", "")
    if name_match := _NAME.match(code_text):
        if _LETTER_NUMBER.fullmatch(name_match[0]):
            return Line("D-code", "") if code_text[0] in "Dd" else Line("?", code_text)
        return Line(name_match[0].upper(), code_text[name_match.end() :])
    if code_text[0] == "@":
        return Line(code_text.split()[0][:40], "")
    return Line("?", code_text)


def holds_second_command(rest: str) -> bool:
    """Whether arguments contain a further G or M word: some firmwares execute it, others do not."""
    return bool(_SECOND.search(rest))


def words(rest: str) -> Words | None:
    """The words of a G-code command: letter to number, or to None for a letter alone; None if not readable.

    A letter given twice is not readable: firmwares disagree on which of the two counts.
    """
    found: Words = {}
    position, end = 0, len(rest.rstrip())
    while position < end:
        match = _WORD.match(rest, position)
        if match is None:
            return None
        letter, number = match[1].upper(), match[2]
        if letter in found or (number is not None and len(number) > _MAX_CHARACTERS):
            return None
        if (
            number is None
            and rest[match.end() : match.end() + 1] not in ("", " ", "\t")
            and not (rest[match.end() : match.end() + 1].isalpha())
        ):
            return None
        found[letter] = None if number is None else float(number)
        position = match.end()
    return found


def arguments(rest: str) -> dict[str, str]:
    """The ``NAME=value`` arguments of a Klipper command, names in upper case, quotes taken off."""
    return {m[1].upper(): m[2].strip("\"'") for m in _ARGUMENT.finditer(rest)}
