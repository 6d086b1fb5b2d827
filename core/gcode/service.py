"""The scan of a file on disk, to be called in a worker process."""

import os
import stat
from pathlib import Path

from core.gcode.report import GcodeReport, Rect

MAX_BYTES = 1 << 30
"""1 GiB; no slicer makes that for one plate on a printer of ours."""


class GcodeRefusedError(Exception):
    """The file is not even scanned; the text says why, for the operator."""


def scan_file(path: Path, zones: tuple[Rect, ...] | None = None) -> GcodeReport:
    """The facts of the G-code at `path`. Raises GcodeRefusedError, or OSError where it cannot be read.

    `zones` are the excluded areas to look at (machine coordinates); None takes those of all packaged printers.
    Opens regular files only, never through a symbolic link.
    """
    from core.catalog import load_printer_models
    from core.gcode.gate import zones_of
    from core.gcode.scan import scan

    with open(path, "rb", opener=_open_plain) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise GcodeRefusedError("This is not a regular file.")
        if status.st_size > MAX_BYTES:
            raise GcodeRefusedError(
                f"The file has {status.st_size / 1e9:.1f} GB; more than {MAX_BYTES / 1e9:.1f} GB is not scanned."
            )
        return scan(stream, zones_of(load_printer_models()) if zones is None else zones)


def _open_plain(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
