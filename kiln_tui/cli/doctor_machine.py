"""Doctor's look at the computer: Python, SQLite, terminal, clock, notifications. Facts in, checks out."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from kiln_tui.cli.doctor import Check, Result

_WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))
"""SQLite versions that can damage a WAL database in a rare race (kernel.md, Store)."""

_ROOM = (80, 24)


def python(version: tuple[int, int, int] = sys.version_info[:3]) -> Check:
    """Python 3.11 or newer."""
    says = f"{version[0]}.{version[1]}.{version[2]}"
    if version >= (3, 11):
        return Check(name="Python", result=Result.OK, says=says)
    return Check(
        name="Python", result=Result.FAIL, says=f"{says} is too old", fix="Use Python 3.11 or newer."
    )


def sqlite() -> Check:
    """The SQLite that the ledger uses (apsw brings its own)."""
    import apsw  # lazy: only this check needs it

    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    return sqlite_version(version)


def sqlite_version(version: tuple[int, ...]) -> Check:
    """Whether that version of SQLite is free of the WAL-reset bug."""
    says = ".".join(map(str, version))
    if _WAL_RESET_BUG[0] <= version <= _WAL_RESET_BUG[1]:
        return Check(
            name="SQLite",
            result=Result.FAIL,
            says=f"{says} has a bug that can damage the database (WAL reset, fixed in 3.51.3)",
            fix="Install apsw 3.51.3 or newer from PyPI: pip install -c constraints.txt apsw",
        )
    return Check(name="SQLite", result=Result.OK, says=says)


def terminal() -> list[Check]:
    """What this terminal can show."""
    size = os.get_terminal_size(sys.stdout.fileno()) if sys.stdout.isatty() else None
    return terminal_of(
        os.environ, (size.columns, size.lines) if size else None, _tmux_escape_time(os.environ)
    )


def terminal_of(
    environ: Mapping[str, str], size: tuple[int, int] | None, escape_ms: int | None = None
) -> list[Check]:
    """Judge a terminal by its environment; `size` is None when there is none, `escape_ms` is tmux's."""
    found = [_locale(environ)]
    if size is None:
        return [
            *found,
            Check(name="Terminal", result=Result.OK, says="not run at one; size and colors not checked"),
        ]
    term = environ.get("TERM", "")
    if term in ("", "dumb"):
        says, fix = (
            f"TERM={term or '(unset)'}: no screen can be drawn",
            "Use another terminal, or export TERM=xterm-256color.",
        )
        return [*found, Check(name="Terminal", result=Result.FAIL, says=says, fix=fix)]
    says = f"{size[0]}×{size[1]}, {_colors(environ)}"
    if environ.get("SSH_CONNECTION"):
        says += ", over SSH (clocks and spinners stay still)"
    if size[0] < _ROOM[0] or size[1] < _ROOM[1]:
        found.append(
            Check(
                name="Terminal",
                result=Result.WARN,
                says=f"{says}: smaller than {_ROOM[0]}×{_ROOM[1]}",
                fix="Make the window larger or the letters smaller.",
            )
        )
    else:
        found.append(Check(name="Terminal", result=Result.OK, says=says))
    if environ.get("TMUX") and not term.startswith(("tmux", "screen")):
        fix = 'Take TERM out of your shell start-up files; in ~/.tmux.conf: set -g default-terminal "tmux-256color"'
        found.append(
            Check(
                name="tmux", result=Result.WARN, says=f"TERM={term} inside tmux garbles the screen", fix=fix
            )
        )
    elif escape_ms is not None and escape_ms > 50:
        found.append(
            Check(
                name="tmux",
                result=Result.WARN,
                says=f"waits {escape_ms} ms after the esc key",
                fix="In ~/.tmux.conf: set -sg escape-time 10",
            )
        )
    return found


def clock() -> Check:
    """The clock of this computer, and whether anything keeps it right."""
    before = (time.time(), time.monotonic())
    time.sleep(0.05)
    after = (time.time(), time.monotonic())
    return clock_of(before, after, _ntp())


def clock_of(before: tuple[float, float], after: tuple[float, float], ntp: bool | None) -> Check:
    """Judge two (wall, monotonic) readings taken a moment apart; `ntp` is None when it can't be told."""
    shown = datetime.fromtimestamp(after[0], UTC).strftime("%Y-%m-%d %H:%M UTC")
    if not 2025 <= datetime.fromtimestamp(after[0], UTC).year <= 2100:
        fix = "Set the clock: sudo timedatectl set-ntp true (or sudo date -s '2026-01-31 12:00')"
        return Check(
            name="Clock",
            result=Result.FAIL,
            says=f"{shown} can't be right; due times would be wrong",
            fix=fix,
        )
    if after[1] <= before[1]:
        fix = "Restart this computer; if it stays so, its kernel or virtual machine is at fault."
        return Check(
            name="Clock", result=Result.FAIL, says="the steady clock stands still; no wait would end", fix=fix
        )
    if abs((after[0] - before[0]) - (after[1] - before[1])) > 1.0:
        fix = "Find out what sets the clock; deadlines of Kiln are not harmed, times in the log are."
        return Check(
            name="Clock", result=Result.WARN, says=f"{shown}, and it jumped while being looked at", fix=fix
        )
    if ntp is False:
        fix = "sudo timedatectl set-ntp true"
        return Check(
            name="Clock", result=Result.WARN, says=f"{shown}, not kept right by a time server", fix=fix
        )
    kept = "kept right by a time server" if ntp else "whether a time server keeps it right can't be told here"
    return Check(name="Clock", result=Result.OK, says=f"{shown}, {kept}")


def inotify() -> Check:
    """Linux's limits on watching folders."""
    limits = Path("/proc/sys/fs/inotify")
    if not limits.is_dir():
        return inotify_of(None, None)
    return inotify_of(
        int((limits / "max_user_watches").read_text()), int((limits / "max_user_instances").read_text())
    )


def inotify_of(watches: int | None, instances: int | None) -> Check:
    """Judge the limits; None when the system has none."""
    name = "Folder notifications"
    if watches is None or instances is None:
        return Check(name=name, result=Result.OK, says="no inotify here; the inbox is looked at every second")
    if watches < 4096 or instances < 16:
        return Check(
            name=name,
            result=Result.WARN,
            says=f"only {watches} folders and {instances} watchers allowed; the inbox may be looked at every second",
            fix="sudo sysctl fs.inotify.max_user_watches=65536 fs.inotify.max_user_instances=128",
        )
    return Check(name=name, result=Result.OK, says=f"{watches} folders, {instances} watchers allowed")


def _locale(environ: Mapping[str, str]) -> Check:
    chosen = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if "utf-8" in chosen.lower() or "utf8" in chosen.lower():
        return Check(name="Letters", result=Result.OK, says=chosen)
    return Check(
        name="Letters",
        result=Result.WARN,
        says=f"the locale is {chosen or 'not set'}: signs like ▲ and ━ may come out as “?”",
        fix="export LANG=C.UTF-8 (on the far side too, when you come by SSH)",
    )


def _colors(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colors (NO_COLOR)"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "all colors"
    term = environ.get("TERM", "")
    return "8 colors" if term == "linux" else "256 colors" if "256" in term else "16 colors"


def _ntp() -> bool | None:
    if shutil.which("timedatectl") is None:
        return None
    try:
        answer = subprocess.run(
            ["timedatectl", "show", "-p", "NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=3,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(answer.stdout.strip()) if answer.returncode == 0 else None


def _tmux_escape_time(environ: Mapping[str, str]) -> int | None:
    if not environ.get("TMUX") or shutil.which("tmux") is None:
        return None
    try:
        answer = subprocess.run(
            ["tmux", "show", "-sv", "escape-time"], capture_output=True, text=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return int(answer.stdout) if answer.stdout.strip().isdigit() else None
