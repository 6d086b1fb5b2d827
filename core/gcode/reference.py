"""The plain interpreter of G-code: one line at a time, for reading; the fast scan must agree with it.

How the text is understood, where firmwares differ:

- E is relative after M83 or while G91 holds (Klipper, Prusa, RepRapFirmware). Marlin 2 lets G90/G91 reset M82/M83;
  a file whose E depends on that is marked `extruder_mode_unclear`.
- After G28 an axis stands at 0. Before that, and before its first absolute coordinate, it is unknown and counts for
  no extents.
- G92 on X, Y or Z shifts the coordinates; extents stay in the machine's own.
- What cannot be read is listed as unreadable and changes nothing; it is never guessed.
"""

import math
import re
from collections.abc import Iterable

from core.gcode import commands
from core.gcode.arcs import arc_of
from core.gcode.comments import Comments
from core.gcode.heat import Heaters
from core.gcode.line import (
    MAX_LINE,
    MAX_NUMBER,
    Line,
    Words,
    arguments,
    holds_second_command,
    take_apart,
    words,
)
from core.gcode.notes import Notes
from core.gcode.report import Rect
from core.gcode.tally import MAX_TOOLS, Tally, microns

_QUOTED = re.compile(r"P\s*\"([^\"]{1,60})\"", re.IGNORECASE)


class Interpreter(Notes):
    """The state of an imaginary printer and what it has done so far."""

    def __init__(self, zones: tuple[Rect, ...] = ()) -> None:
        super().__init__()
        self.position = [0.0, 0.0, 0.0]
        self.known = [False, False, False]
        self.shift = [0.0, 0.0, 0.0]
        """Machine coordinate = written coordinate + shift (G92)."""
        self.e = 0.0
        self.mm_per_min: float | None = None
        self.absolute = True
        self.absolute_e = True
        self.e_mode_restated = True
        self.unit = 1.0
        self.flat_arcs = True
        self.tool = 0
        self.phase = 0
        self.long_lines = 0

        self.tally = Tally(zones)
        self.comments = Comments()
        self.heaters = Heaters()
        self.frame_unknown = False
        self.extruder_mode_unclear = False

    # Lines

    def take(self, raw: bytes) -> None:
        """Execute the next line (without its newline)."""
        self.line += 1
        if len(raw) > MAX_LINE:
            self.long_lines += 1
        stripped = raw.lstrip(b" \t")
        if stripped[:1] == b";":
            self.take_comment(stripped[1:])
            return
        if len(raw) > MAX_LINE:
            self.text = raw[:80].decode("latin-1")
            self.refuse()
            return
        self.execute(raw.decode("latin-1"))

    def take_comment(self, raw: bytes) -> None:
        """A whole-line comment, without its semicolon."""
        if self.comments.take(raw[:MAX_LINE].decode("utf-8", "replace")):
            self.phase = 1

    def execute(self, text: str) -> None:
        """Execute a line that is not a comment."""
        self.text = text
        line = take_apart(text)
        command = line.command
        if not command:
            return
        if self._hides_command(line):
            self.refuse()
            return
        if command in ("G0", "G1"):
            self._linear(line)
        elif command in ("G2", "G3"):
            self._arc(line)
        elif command in _PLAIN:
            _PLAIN[command](self, line)
        elif command in commands.WATCHED:
            self.watch(command)
        elif command == "?":
            self.refuse()
        elif command[0] in "GMT" and command[1:2].isdigit():
            if command.partition(".")[0] not in commands.KNOWN:
                self.list_unknown(command)
        elif command != "T?":
            self._macro(line)

    def _hides_command(self, line: Line) -> bool:
        command = line.command
        if not (command[0] in "GMT" and command[1:2].isdigit()) and command != "T":
            return False
        return command.partition(".")[0] not in commands.TEXT_ARGUMENTS and holds_second_command(line.rest)

    def _read(self, line: Line) -> Words | None:
        found = words(line.rest)
        if found is None:
            self.refuse()
        return found

    # Motion

    def _coordinates(self, line: Line) -> dict[str, float] | None:
        found = words(line.rest)
        if found is None or any(
            value is None or abs(value) > MAX_NUMBER or letter in "GMTN" for letter, value in found.items()
        ):
            self.refuse()
            return None
        return {letter: value for letter, value in found.items() if value is not None}

    def _target(self, found: dict[str, float]) -> tuple[list[float], list[bool]]:
        target, known = list(self.position), list(self.known)
        for axis, letter in enumerate("XYZ"):
            if letter in found:
                value = found[letter] * self.unit
                if self.absolute:
                    target[axis], known[axis] = value + self.shift[axis], True
                else:
                    target[axis] += value
        return target, known

    def _linear(self, line: Line) -> None:
        found = self._coordinates(line)
        if found is None:
            return
        target, known = self._target(found)
        deltas = [target[a] - self.position[a] for a in range(3)]
        moved = math.sqrt(deltas[0] * deltas[0] + deltas[1] * deltas[1] + deltas[2] * deltas[2])
        sideways = deltas[0] != 0.0 or deltas[1] != 0.0
        if self._move(found, target, known, moved, sideways) and self._xy_known(known):
            self.tally.touch_zones(self.position[0], self.position[1], target[0], target[1], self.line)
        self.position, self.known = target, known

    def _arc(self, line: Line) -> None:
        found = self._coordinates(line)
        if found is None:
            return
        target, known = self._target(found)
        offset = (found.get("I", 0.0) * self.unit, found.get("J", 0.0) * self.unit)
        arc = None
        if self.flat_arcs and self._xy_known(known) and (("R" in found) != ("I" in found or "J" in found)):
            arc = arc_of(
                (self.position[0], self.position[1]),
                (target[0], target[1]),
                clockwise=line.command == "G2",
                offset=None if "R" in found else offset,
                radius=found["R"] * self.unit if "R" in found else None,
                turns=max(0, min(int(found.get("P", 0.0)), 1000)),
            )
        if arc is None:
            self.refuse()
            return
        rise = target[2] - self.position[2]
        printing = self._move(
            found, target, known, math.sqrt(arc.length * arc.length + rise * rise), arc.length > 0
        )
        boxes = [self.tally.travel]
        if printing:
            boxes.append(self.tally.phases[self.phase].extents)
            self.tally.touch_zones_box(arc.min_x, arc.min_y, arc.max_x, arc.max_y, self.line)
        for box in boxes:
            box.add(0, arc.min_x)
            box.add(0, arc.max_x)
            box.add(1, arc.min_y)
            box.add(1, arc.max_y)
        self.position, self.known = target, known

    def _xy_known(self, known: list[bool]) -> bool:
        return known[0] and known[1] and self.known[0] and self.known[1]

    def _move(
        self, found: dict[str, float], target: list[float], known: list[bool], moved: float, sideways: bool
    ) -> bool:
        """Account for a move; True if it lays down filament."""
        tally = self.tally
        tally.moves += 1
        if found.get("F", 0.0) > 0.0:
            self.mm_per_min = found["F"] * self.unit
        for axis in range(3):
            if known[axis]:
                tally.travel.add(axis, target[axis])
        fed = self._feed(found)
        if fed <= 0.0:
            return False
        if self.heaters.is_cold(self.tool):
            tally.cold_moves += 1
            if tally.cold_line is None:
                tally.cold_line = self.line
        if not sideways:
            return False
        phase = tally.phases[self.phase]
        phase.moves += 1
        for axis in range(3):
            if self.known[axis]:
                phase.extents.add(axis, self.position[axis])
            if known[axis]:
                phase.extents.add(axis, target[axis])
        if target[2] != self.position[2]:
            phase.spiral += 1
        elif known[2] and not phase.add_height(microns(target[2])):
            tally.layers_capped = True
        if self.mm_per_min is not None:
            tally.flow.add(fed, moved / (self.mm_per_min / 60.0), self.line)
        return True

    def _feed(self, found: dict[str, float]) -> float:
        if "E" not in found:
            return 0.0
        if not self.e_mode_restated:
            self.extruder_mode_unclear = True
        value = found["E"] * self.unit
        if self.relative_e():
            fed = value
            self.e += value
        else:
            fed = value - self.e
            self.e = value
        self.tally.feed(self.tool, fed)
        return fed

    def relative_e(self) -> bool:
        """Whether E words are lengths rather than positions."""
        return not self.absolute_e or not self.absolute

    def _home(self, line: Line) -> None:
        found = self._read(line)
        if found is None:
            return
        named = [axis for axis, letter in enumerate("XYZ") if letter in found]
        for axis in named or range(3):
            self.position[axis], self.known[axis], self.shift[axis] = 0.0, True, 0.0

    def _set_position(self, line: Line) -> None:
        found = self._coordinates(line)
        if found is None:
            return
        if "E" in found:
            self.e = found["E"] * self.unit
        for axis, letter in enumerate("XYZ"):
            if letter in found:
                self.shift[axis] = self.position[axis] - found[letter] * self.unit
                if not self.known[axis]:
                    self.frame_unknown = True
        if not found:
            self.refuse()

    def _absolute(self, _line: Line) -> None:
        self.absolute = True
        self.e_mode_restated = self.absolute_e

    def _relative(self, _line: Line) -> None:
        self.absolute = False

    def _absolute_e(self, _line: Line) -> None:
        self.absolute_e = True
        self.e_mode_restated = True

    def _relative_e(self, _line: Line) -> None:
        self.absolute_e = False
        self.e_mode_restated = True

    def _inches(self, _line: Line) -> None:
        self.unit = 25.4

    def _millimetres(self, _line: Line) -> None:
        self.unit = 1.0

    def _plane_xy(self, _line: Line) -> None:
        self.flat_arcs = True

    def _plane_other(self, _line: Line) -> None:
        self.flat_arcs = False

    def _unsupported(self, _line: Line) -> None:
        self.refuse()

    def _tool_change(self, line: Line) -> None:
        if line.number < MAX_TOOLS:
            self.tool = line.number

    # Heat

    def _heat_hotend(self, line: Line) -> None:
        found = self._read(line)
        if found is not None and not self.heaters.hotend(line.command, found, self.tool, self.place):
            self.refuse()

    def _heat_bed(self, line: Line) -> None:
        if (found := self._read(line)) is not None:
            self.heaters.simple("bed", found, self.place)

    def _heat_chamber(self, line: Line) -> None:
        if (found := self._read(line)) is not None:
            self.heaters.simple("chamber", found, self.place)

    def _autotune(self, line: Line) -> None:
        if (found := self._read(line)) is not None:
            self.heaters.autotune(found, self.place)

    def _g10(self, line: Line) -> None:
        found = self._read(line)
        if found is None:
            return
        if "L" in found or found.keys() & set("XYZ"):
            self.watch("G10-frame")
        if found.keys() & {"S", "R"} and "P" in found:
            self._heat_hotend(line)

    # Commands that are watched only with certain arguments

    def _endstops(self, line: Line) -> None:
        found = self._read(line)
        if found is not None and found.keys() & set("SXYZ") and 0.0 in found.values():
            self.watch("M211")

    def _units(self, line: Line) -> None:
        found = self._read(line)
        if found is not None and found.keys() & {"F", "K"}:
            self.watch("M149")

    def _volumetric(self, line: Line) -> None:
        found = self._read(line)
        if found is not None and found.get("D") != 0.0:
            self.watch("M200")

    def _printer_check(self, line: Line) -> None:
        """Prusa's own check of the printer: it stops the print on another model, so it counts like the comment."""
        if match := _QUOTED.search(line.rest):
            self.comments.name_printer(match[1])

    def _object_label(self, line: Line) -> None:
        name = line.rest.strip()
        if name[:1] in "Aa" and name[1:2] not in ("", "-"):
            self.comments.name_object(name[1:])

    # Klipper and macros

    def _macro(self, line: Line) -> None:
        command, given = line.command, arguments(line.rest)
        if not self.heaters.klipper(command, given, self.tool, self.place):
            self.refuse()
        if command == "EXCLUDE_OBJECT_DEFINE":
            self.comments.name_object(given.get("NAME", ""))
        elif command == "ACTIVATE_EXTRUDER":
            digits = given.get("EXTRUDER", "").lower().removeprefix("extruder")
            if digits == "" or (digits.isdigit() and len(digits) < 3 and int(digits) < MAX_TOOLS):
                self.tool = int(digits or 0)
        elif commands.SHELL_WORD.search(command):
            self.watch("RUN_SHELL_COMMAND")
        elif command not in commands.KNOWN:
            self.list_unknown(command)


_PLAIN = {
    "G28": Interpreter._home,
    "G92": Interpreter._set_position,
    "G90": Interpreter._absolute,
    "G91": Interpreter._relative,
    "M82": Interpreter._absolute_e,
    "M83": Interpreter._relative_e,
    "G20": Interpreter._inches,
    "G21": Interpreter._millimetres,
    "G17": Interpreter._plane_xy,
    "G18": Interpreter._plane_other,
    "G19": Interpreter._plane_other,
    "G5": Interpreter._unsupported,
    "G53": Interpreter._unsupported,
    "G10": Interpreter._g10,
    "T": Interpreter._tool_change,
    "M104": Interpreter._heat_hotend,
    "M109": Interpreter._heat_hotend,
    "M568": Interpreter._heat_hotend,
    "M140": Interpreter._heat_bed,
    "M190": Interpreter._heat_bed,
    "M141": Interpreter._heat_chamber,
    "M191": Interpreter._heat_chamber,
    "M303": Interpreter._autotune,
    "M211": Interpreter._endstops,
    "M149": Interpreter._units,
    "M200": Interpreter._volumetric,
    "M486": Interpreter._object_label,
    "M862.3": Interpreter._printer_check,
}


def take_lines(interpreter: Interpreter, lines: Iterable[bytes]) -> None:
    """Execute `lines` in turn."""
    for raw in lines:
        interpreter.take(raw)
