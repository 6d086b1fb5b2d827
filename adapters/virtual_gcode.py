"""What a virtual machine has to do for a G-code file: read line by line from the real file, without a slicer's word.

Moves take their length at the commanded speed (no acceleration), arcs the length of their arc, dwells their time.
A layer begins at a slicer's layer comment, or, in files without any, where extrusion reaches a new height.
"""

import math
from enum import StrEnum
from typing import BinaryIO

import msgspec

MAX_LINES = 20_000_000
MAX_LINE_BYTES = 4096
MAX_STEPS = 200_000
_MAX_MOVE_S = 86_400.0


class StepKind(StrEnum):
    """What a step of a program does."""

    MOVE = "move"
    TARGET = "target"
    WAIT = "wait"


class Step(msgspec.Struct, frozen=True):
    """One step: a stretch of moves within a layer (seconds), a new heater target, or waiting for it (°C).

    `line` is how many lines of the file are done when the step is.
    """

    kind: StepKind
    layer: int
    line: int
    seconds: float = 0.0
    heater: str = ""
    target: float = 0.0


class Program(msgspec.Struct, frozen=True):
    """A whole file as steps; `layers` and `lines` counted, `seconds` of movement in all."""

    steps: tuple[Step, ...] = ()
    layers: int = 0
    lines: int = 0
    seconds: float = 0.0


_HEATERS = {"M104": ("tool", False), "M109": ("tool", True), "M140": ("bed", False), "M190": ("bed", True)}
_LAYER_COMMENTS = (";LAYER_CHANGE", "; CHANGE_LAYER", ";LAYER:")


class _Reader:
    """State of the machine while a file is read."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.position = {"X": 0.0, "Y": 0.0, "Z": 0.0, "E": 0.0}
        self.relative = False
        self.relative_e = False
        self.scale = 1.0
        self.feed = 25.0
        self.tool = 0
        self.layer = 0
        self.line = 0
        self.pending = 0.0
        self.marked = False
        self.height = -math.inf

    def flush(self) -> None:
        if self.pending > 0:
            self.steps.append(Step(StepKind.MOVE, self.layer, self.line, seconds=self.pending))
            self.pending = 0.0

    def next_layer(self) -> None:
        self.flush()
        self.layer += 1

    def comment(self, text: str) -> None:
        if text.startswith(_LAYER_COMMENTS):
            if not self.marked:
                # heights were counted so far (a purge line): the slicer's own marks replace them
                self.marked, self.layer = True, 0
            self.next_layer()

    def command(self, code: str, words: dict[str, float]) -> None:
        if code in ("G0", "G1", "G2", "G3"):
            self.move(code, words)
        elif code == "G4":
            self.pending += _bounded(words.get("S", words.get("P", 0.0) / 1000.0))
        elif code in ("G90", "G91"):
            self.relative = self.relative_e = code == "G91"
        elif code in ("M82", "M83"):
            self.relative_e = code == "M83"
        elif code in ("G20", "G21"):
            self.scale = 25.4 if code == "G20" else 1.0
        elif code == "G92":
            for axis in words.keys() & self.position.keys():
                self.position[axis] = words[axis] * self.scale
        elif code == "G28":
            for axis in words.keys() & {"X", "Y", "Z"} or {"X", "Y", "Z"}:
                self.position[axis] = 0.0
        elif code in _HEATERS:
            self.heat(code, words)
        elif code[0] == "T" and code[1:].isdigit():
            self.tool = min(int(code[1:]), 15)

    def heat(self, code: str, words: dict[str, float]) -> None:
        family, wait = _HEATERS[code]
        target = words.get("S", words.get("R"))
        if target is None:
            return
        target = min(max(target, 0.0), 1000.0)
        heater = "bed" if family == "bed" else f"tool{min(max(int(words.get('T', self.tool)), 0), 15)}"
        self.flush()
        self.steps.append(Step(StepKind.TARGET, self.layer, self.line, heater=heater, target=target))
        if wait:
            self.steps.append(Step(StepKind.WAIT, self.layer, self.line, heater=heater, target=target))

    def move(self, code: str, words: dict[str, float]) -> None:
        if words.get("F", 0.0) > 0:
            self.feed = words["F"] * self.scale / 60.0
        before = dict(self.position)
        for axis in self.position:
            if axis in words:
                relative = self.relative_e if axis == "E" else self.relative
                self.position[axis] = words[axis] * self.scale + (before[axis] if relative else 0.0)
        dx, dy, dz, de = (self.position[axis] - before[axis] for axis in "XYZE")
        if not self.marked and de > 0 and (dx or dy) and self.position["Z"] > self.height + 1e-6:
            self.height = self.position["Z"]
            self.next_layer()
        flat = _arc(code, words, self.scale, dx, dy) if code in ("G2", "G3") else math.hypot(dx, dy)
        length = math.hypot(flat, dz) or abs(de)
        self.pending += _bounded(length / self.feed)


def _arc(code: str, words: dict[str, float], scale: float, dx: float, dy: float) -> float:
    """Length of an arc in the plane, in mm, from I/J or R; the chord where neither makes sense."""
    chord = math.hypot(dx, dy)
    i, j = words.get("I", 0.0) * scale, words.get("J", 0.0) * scale
    radius = math.hypot(i, j)
    if radius > 0:
        angle = math.atan2(dy - j, dx - i) - math.atan2(-j, -i)
        angle = (-angle if code == "G2" else angle) % (2 * math.pi)
        return radius * (angle if angle > 1e-9 else 2 * math.pi)
    radius = abs(words.get("R", 0.0)) * scale
    return 2 * radius * math.asin(chord / (2 * radius)) if radius > chord / 2 > 0 else chord


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), _MAX_MOVE_S) if math.isfinite(seconds) else 0.0


def parse_line(line: str) -> tuple[str, dict[str, float]] | None:
    """The command and its numeric words, e.g. ``("G1", {"X": 3.0})``; None for a line without a command."""
    parts = line.split(";", 1)[0].split()
    if not parts:
        return None
    code = parts[0].upper()
    if len(code) < 2 or code[0] not in "GMT":
        return None
    words = {}
    for word in parts[1:]:
        try:
            value = float(word[1:])
        except ValueError:
            continue
        if math.isfinite(value):
            words[word[0].upper()] = value
    return code, words


def read_program(handle: BinaryIO) -> Program:
    """The program in a file; ValueError for a file beyond any sensible bound. Reads it once, line by line."""
    reader = _Reader()
    while raw := handle.readline(MAX_LINE_BYTES):
        reader.line += 1
        if reader.line > MAX_LINES or len(reader.steps) > MAX_STEPS:
            raise ValueError("The file has more lines or layers than the simulation takes.")
        line = raw.decode("ascii", "replace").strip()
        if line.startswith(";"):
            reader.comment(line)
        elif (parsed := parse_line(line)) is not None:
            reader.command(*parsed)
    reader.flush()
    seconds = sum(step.seconds for step in reader.steps)
    return Program(tuple(reader.steps), reader.layer, reader.line, seconds)
