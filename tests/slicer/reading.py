"""A plain independent reader of sliced G-code for the tests; it shares no code with Kiln's own scanner."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

_WORD = re.compile(r"([XYZEF])(-?[\d.]+)")


def extrusions(path: Path) -> Iterator[tuple[str, float, float, float, float, float, float]]:
    """Moves that lay filament: feature type, x0, y0, x1, y1, z, e (relative extrusion)."""
    x = y = z = 0.0
    kind = ""
    for line in path.read_text().splitlines():
        if line.startswith(";TYPE:"):
            kind = line[6:]
        if not line.startswith(("G1 ", "G0 ")):
            continue
        words = {letter: float(value) for letter, value in _WORD.findall(line.partition(";")[0])}
        x1, y1, z = words.get("X", x), words.get("Y", y), words.get("Z", z)
        if words.get("E", 0.0) > 0 and (x1, y1) != (x, y):
            yield kind, x, y, x1, y1, z, words["E"]
        x, y = x1, y1


def top_flow(path: Path, diameter: float = 1.75) -> float:
    """The largest flow in mm³/s that a commanded extruding move asks for (relative extrusion)."""
    area = math.pi * diameter**2 / 4
    x = y = feed = highest = 0.0
    for line in path.read_text().splitlines():
        if line.startswith(("G1 ", "G0 ")):
            words = {letter: float(value) for letter, value in _WORD.findall(line.partition(";")[0])}
            x1, y1, feed = words.get("X", x), words.get("Y", y), words.get("F", feed)
            length = math.hypot(x1 - x, y1 - y)
            if words.get("E", 0.0) > 0 and length > 0.5:
                highest = max(highest, words["E"] * area * feed / 60 / length)
            x, y = x1, y1
    return highest


def outer_wall_box(path: Path, at_z: float) -> tuple[float, float, float, float]:
    """The box of the outer walls of one layer: x0, y0, x1, y1."""
    walls = [m for m in extrusions(path) if m[0] == "External perimeter" and abs(m[5] - at_z) < 1e-6]
    xs = [v for m in walls for v in (m[1], m[3])]
    ys = [v for m in walls for v in (m[2], m[4])]
    return min(xs), min(ys), max(xs), max(ys)


def setting(path: Path, key: str) -> str:
    """A setting from the block at the end of the file."""
    found = re.search(rf"^; {key} = (.*)$", path.read_text(), re.MULTILINE)
    assert found, key
    return found.group(1)


def temperatures(path: Path, command: str) -> set[float]:
    """All S values of a temperature command."""
    return {float(s) for s in re.findall(rf"^{command} S([\d.]+)", path.read_text(), re.MULTILINE)}


def filament_mm(path: Path) -> float:
    """Filament that is laid in moves, with relative extrusion."""
    return sum(m[6] for m in extrusions(path))
