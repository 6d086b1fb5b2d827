"""What the first paint does not have to wait for is not imported."""

import subprocess
import sys

LAZY = (
    "httpx",
    "numpy",
    "apsw",
    "peewee",
    "websockets",
    "kiln_tui.screens.orders",
    "kiln_tui.screens.approve",
)


def test_importing_the_app_brings_no_network_no_database_and_no_other_screen():
    code = f"import sys, kiln_tui.app; print([name for name in {LAZY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
