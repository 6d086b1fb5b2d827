"""The demo's customers: files and folders that arrive in the inbox while one watches."""

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from core.ingest.dropping import drop_into
from kiln_tui import demo_parts as parts

ORDER_YAML = """\
customer: Lakeside Repair Café
due: {due}
items:
  - file: hooks.3mf
    material: PETG
    color: black
    tier: standard
notes: [pack hooks and clips in one bag]
"""


def _hook_folder(folder: Path, due: str) -> Path:
    order = folder / "repair-cafe"
    order.mkdir()
    parts.write_3mf(order / "hooks.3mf", {"hook": (parts.hook(), 2), "clip": (parts.clip(), 1)})
    (order / "order.yaml").write_text(ORDER_YAML.format(due=due), encoding="utf-8")
    return order


def _stl(name: str, mesh: Callable[[], "parts.Mesh"]) -> Callable[[Path, str], Path]:
    def write(folder: Path, due: str) -> Path:
        path = folder / f"{name.format(due=due)}.stl"
        parts.write_stl(path, mesh())
        return path

    return write


ARRIVALS: tuple[tuple[float, Callable[[Path, str], Path]], ...] = (
    (0.0, _stl("bracket__x1__PETG__black__standard__due{due}", parts.bracket)),
    (2.0, _stl("knob__x4__PLA__orange__draft", parts.knob)),
    (8.0, _hook_folder),
    (20.0, _stl("gear", parts.gear)),
)
"""Seconds after the start, and what is dropped then. The last one says neither material nor quality."""


class Customers:
    """Drops the demo's orders into the inbox, once per site; `mark` remembers how many came already."""

    def __init__(self, inbox: Path, mark: Path, due: str) -> None:
        self._inbox, self._mark, self._due = inbox, mark, due
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._arrive, name="demo-customers", daemon=True)

    def start(self) -> None:
        """Let the first one in."""
        self._thread.start()

    def stop(self) -> None:
        """Nobody else comes."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _arrive(self) -> None:
        came = int(self._mark.read_text("ascii")) if self._mark.exists() else 0
        waited = 0.0
        for number, (after, make) in enumerate(ARRIVALS[came:], start=came + 1):
            if self._stop.wait(max(0.0, after - waited)):
                return
            waited = max(waited, after)
            with tempfile.TemporaryDirectory() as folder:
                drop_into(self._inbox, make(Path(folder), self._due))
            self._mark.write_text(str(number), "ascii")
