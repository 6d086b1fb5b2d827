"""Reading what a file name says: `bracket__x4__PETG__black__due2026-12-01.stl`.

Words are parted by two underscores; the first is the part's name, the others may come in any order and case.
"""

import re
from collections.abc import Callable, Collection

from core.domain.findings import Finding
from core.domain.text import clean
from core.ingest.facts import (
    MAX_NOTES,
    Due,
    PartFacts,
    Unclear,
    find_color,
    find_material,
    find_tier,
    read_color,
    read_due,
    read_material,
    read_quantity,
    read_tier,
    unclear,
)

SUFFIXES = (
    ".gcode.3mf",
    ".stl",
    ".3mf",
    ".obj",
    ".step",
    ".stp",
    ".bgcode",
    ".gcode",
    ".gco",
    ".g",
    ".csv",
)
"""Endings that are taken off a name; the longest comes first."""

_COPY_MARK = re.compile(r"(?:\s*\([0-9]{1,3}\)|\s+-\s+[Cc]opy|\s+[Cc]opy)$")
_QUANTITY = re.compile(r"(?:x([0-9]+)|([0-9]+)x|([0-9]+)pcs|qty([0-9]+))")
_DUE = re.compile(r"due[-:]?([0-9].*)")
_PAIR = re.compile(r"(qty|quantity|material|mat|color|colour|tier|quality|due)=(.*)")
_FIELD = {
    "qty": "quantity",
    "mat": "material",
    "colour": "color",
    "quality": "tier",
}


def split_suffix(file_name: str) -> tuple[str, str]:
    """`("bracket__x4", ".gcode.3mf")`; an unknown ending counts as ending too, lower case."""
    lowered = file_name.lower()
    for suffix in SUFFIXES:
        if lowered.endswith(suffix) and len(file_name) > len(suffix):
            return file_name[: -len(suffix)], suffix
    stem, dot, ending = file_name.rpartition(".")
    if dot and stem and re.fullmatch(r"[A-Za-z0-9]{1,8}", ending):
        return stem, "." + ending.lower()
    return file_name, ""


def parse_name(file_name: str, materials: Collection[str]) -> PartFacts:
    """What the name of a file says; never raises.

    `materials` are the site's materials. A word that nothing explains becomes a note; two different
    values for one thing, a quantity out of range and a day that does not exist become problems.
    """
    stem, _ = split_suffix(file_name[:1024])
    words = [clean(word, 400) for word in _COPY_MARK.sub("", stem).split("__")]
    first = clean(words[0], 80) or clean(stem, 80).strip("_ ") or "part"
    said: dict[str, object] = {}
    notes: list[str] = []
    problems: list[Finding] = []
    contradicted: set[str] = set()
    for word in filter(None, words[1:]):
        try:
            read = _read_word(word, materials)
        except Unclear as error:
            problems.append(unclear("NAME_UNCLEAR", f"The file name says {error}.", clean(word, 80)))
            continue
        if read is None:
            notes.append(clean(word, 80))
            continue
        field, value = read
        if said.setdefault(field, value) != value:
            contradicted.add(field)
            what = f"The file name gives two answers for {field}: {_shown(said[field])} and {_shown(value)}."
            problems.append(unclear("NAME_CONTRADICTS", what, clean(word, 80)))
    kept = {field: value for field, value in said.items() if field not in contradicted}
    return PartFacts(
        name=first,
        notes=tuple(notes[:MAX_NOTES]),
        problems=tuple(problems[:MAX_NOTES]),
        **kept,  # type: ignore[arg-type]  # each reader gives the type of its field
    )


def _read_word(word: str, materials: Collection[str]) -> tuple[str, object] | None:
    """(field, value) of one word, or None when nothing explains it; raises Unclear for a wrong value."""
    lowered = word.strip().lower()
    if pair := _PAIR.fullmatch(lowered):
        field = _FIELD.get(pair[1], pair[1])
        readers: dict[str, Callable[[str], object]] = {
            "quantity": read_quantity,
            "material": lambda text: read_material(text, materials),
            "color": read_color,
            "tier": read_tier,
            "due": _read_name_due,
        }
        return field, readers[field](pair[2])
    if quantity := _QUANTITY.fullmatch(lowered):
        return "quantity", read_quantity(next(group for group in quantity.groups() if group))
    if due := _DUE.fullmatch(lowered):
        return "due", _read_name_due(due[1])
    if material := find_material(word, materials):
        return "material", material
    if tier := find_tier(word):
        return "tier", tier
    if color := find_color(word):
        return "color", color
    return None


def _read_name_due(text: str) -> Due:
    return read_due(text.upper())


def _shown(value: object) -> str:
    return value.day.isoformat() if isinstance(value, Due) else str(value)
