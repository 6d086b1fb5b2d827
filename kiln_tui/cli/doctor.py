"""`kiln-tui doctor`: is everything there that Kiln needs, and how to mend what is not.

Looks only; changes nothing. Each check stands alone: one that can't be carried out says so and the others go on.
"""

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TextIO

import msgspec

from core.domain.text import clean


class Result(StrEnum):
    """How a check came out; `fail` keeps Kiln from working as it should."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report; `fix` says what to do unless the result is ok."""

    name: str
    result: Result
    says: str
    fix: str = ""


def checks(site_dir: Path) -> list[Check]:
    """Every check, in the order in which a newcomer would meet the troubles."""
    from kiln_tui.cli import doctor_machine as machine  # lazy: the command line starts quickly without it
    from kiln_tui.cli import doctor_site as site

    steps: list[tuple[str, Callable[[], Check | list[Check]]]] = [
        ("Python", machine.python),
        ("SQLite", machine.sqlite),
        ("Terminal", machine.terminal),
        ("Clock", machine.clock),
        ("Folder notifications", machine.inotify),
        ("Slicer", lambda: site.slicer(site_dir)),
        ("Site folder", lambda: site.folder(site_dir)),
        ("Settings", lambda: site.settings(site_dir)),
        ("Disk", lambda: site.disk(site_dir)),
        ("Inbox", lambda: site.inbox(site_dir)),
        ("Database", lambda: site.database(site_dir)),
        ("Printers", lambda: site.printers(site_dir)),
    ]
    found: list[Check] = []
    for name, step in steps:
        try:
            outcome = step()
        except OSError as error:
            outcome = Check(
                name=name,
                result=Result.WARN,
                says=f"could not be checked: {clean(str(error), 160)}",
                fix="Run kiln-tui doctor as the user that runs Kiln.",
            )
        found += outcome if isinstance(outcome, list) else [outcome]
    return found


def report(found: list[Check], *, as_json: bool = False, out: TextIO | None = None) -> int:
    """Print the checks as a table or as JSON; answers the exit code: 1 when any check failed, else 0."""
    out = out or sys.stdout
    failed = any(check.result is Result.FAIL for check in found)
    text = json.dumps([msgspec.to_builtins(check) for check in found], indent=2) if as_json else _table(found)
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    return int(failed)


def _table(found: list[Check]) -> str:
    width = max((len(check.name) for check in found), default=0)
    lines = []
    for check in found:
        lines.append(f"{check.result.value.upper():<4}  {check.name:<{width}}  {check.says}")
        if check.fix:
            lines.append(f"{'':<4}  {'':<{width}}  → {check.fix}")
    counts = {result: sum(check.result is result for check in found) for result in Result}
    return "\n".join([*lines, "", _summary(counts)])


def _summary(counts: dict[Result, int]) -> str:
    if counts[Result.FAIL]:
        return f"{counts[Result.FAIL]} to mend, {counts[Result.WARN]} to look at, {counts[Result.OK]} good."
    if counts[Result.WARN]:
        return f"Kiln can work. {counts[Result.WARN]} to look at, {counts[Result.OK]} good."
    return f"Everything is good ({counts[Result.OK]} checks)."
