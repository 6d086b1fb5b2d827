"""Defaults per folder of the inbox (`inbox.folders` in site.yaml): what a drop there means when it says nothing.

inbox:
  folders:
    petg-draft: {material: PETG, tier: draft}
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from core.domain.findings import Finding
from core.domain.text import clean
from core.domain.words import Verdict
from core.ingest.facts import (
    PartFacts,
    Unclear,
    read_color,
    read_constraint,
    read_material,
    read_quantity,
    read_tier,
)

MAX_FOLDERS = 100


def parse_folders(
    value: object, materials: Collection[str]
) -> tuple[dict[str, PartFacts], tuple[Finding, ...]]:
    """Folder name to its defaults, from the loaded `inbox.folders` of site.yaml; never raises.

    A folder with a wrong entry is left out whole and reported: half of a default would be a guess.
    """
    if value is None:
        return {}, ()
    if not isinstance(value, Mapping) or len(value) > MAX_FOLDERS:
        return {}, (_problem("inbox.folders", f"must be at most {MAX_FOLDERS} lines of “folder: {{…}}”"),)
    folders: dict[str, PartFacts] = {}
    problems: list[Finding] = []
    readers: dict[str, Callable[[str], object]] = {
        "quantity": read_quantity,
        "material": lambda text: read_material(text, materials),
        "color": read_color,
        "tier": read_tier,
    }
    for name, entry in value.items():
        path = f"inbox.folders.{clean(str(name), 40)}"
        if not isinstance(name, str) or "/" in name or name in ("", ".", "..") or name.startswith("."):
            problems.append(_problem(path, "is no plain folder name"))
            continue
        facts, wrong = _folder(entry, path, readers)
        problems += wrong
        if not wrong:
            folders[name] = facts
    return folders, tuple(problems)


def combine(name: PartFacts, item: PartFacts | None = None, folder: PartFacts | None = None) -> PartFacts:
    """What holds for a part: order.yaml before the file's name, the name before the folder's defaults.

    Where order.yaml and the name disagree, order.yaml holds and a warning says so.
    """
    values: dict[str, Any] = {}
    problems = list(name.problems)
    for field in ("quantity", "material", "color", "tier", "due"):
        sources = [getattr(facts, field) for facts in (item, name, folder) if facts is not None]
        values[field] = next((value for value in sources if value is not None), None)
        if item is not None:
            written, named = getattr(item, field), getattr(name, field)
            if written is not None and named is not None and written != named:
                problems.append(_disagreement(field, str(written), str(named)))
    constraints = [c for facts in (item, name, folder) if facts is not None for c in facts.constraints]
    return PartFacts(
        name=(item.name if item is not None else "") or name.name,
        constraints=tuple(dict.fromkeys(constraints)),
        notes=name.notes + (item.notes if item is not None else ()),
        problems=tuple(problems),
        **values,
    )


def _folder(
    entry: object, path: str, readers: dict[str, Callable[[str], object]]
) -> tuple[PartFacts, list[Finding]]:
    if entry is None:
        return PartFacts(), []
    if not isinstance(entry, Mapping):
        return PartFacts(), [
            _problem(path, f"must be “key: value” lines of {', '.join(readers)}, constraints")
        ]
    values: dict[str, Any] = {}
    wrong: list[Finding] = []
    for key, text in entry.items():
        where = f"{path}.{clean(str(key), 40)}"
        try:
            if key == "constraints":
                listed = text if isinstance(text, list) else [text]
                values["constraints"] = tuple(read_constraint(str(one)) for one in listed[:20])
            elif key in readers and isinstance(text, str | int):
                values[str(key)] = readers[str(key)](str(text))
            elif key in readers:
                wrong.append(_problem(where, "must be a single value"))
            else:
                wrong.append(_problem(where, f"is no known key; known: {', '.join(readers)}, constraints"))
        except Unclear as error:
            wrong.append(_problem(where, f"is wrong: {error}"))
    return PartFacts(**values), wrong


def _disagreement(field: str, written: str, named: str) -> Finding:
    return Finding(
        code="NAME_AND_ORDER_DISAGREE",
        severity=Verdict.WARN,
        what=f"order.yaml says {field} {clean(written, 60)}, the file name says {clean(named, 60)}.",
        why="Only one of them can be what the customer ordered.",
        fix="Look at the order before approving; order.yaml was taken.",
        where=field,
    )


def _problem(path: str, says: str) -> Finding:
    return Finding(
        code="SITE_YAML",
        severity=Verdict.FAIL,
        what=f"{path} {says}.",
        why="Files dropped there would be asked about one by one, although you meant to give defaults.",
        fix="Correct site.yaml and start Kiln again.",
        where="site.yaml",
    )
