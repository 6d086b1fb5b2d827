"""`kiln-tui serve`: a core without a screen, for file drops and unattended work."""

import signal
import sys
import threading
from pathlib import Path

from kiln_tui.cli.failing import CannotStart, in_words, say_and_fail
from kiln_tui.cli.site_dir import open_core, program_version


def run(site: Path) -> int:
    """Work until SIGTERM or SIGINT; the exit code."""
    from core.site.core import CoreOptions

    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        with in_words():
            core = open_core(site, CoreOptions(program=program_version()))
    except CannotStart as error:
        return say_and_fail(error)
    try:
        sys.stdout.write(f"kiln-tui works on {site}; the inbox is {core.inbox_path}\n")
        sys.stdout.flush()
        stop.wait()
    finally:
        core.close()
    return 0
