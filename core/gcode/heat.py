"""What a file asks of the heaters, in all forms that firmwares understand. Temperatures in °C."""

import math
from collections.abc import Callable

from core.gcode import commands
from core.gcode.line import Words
from core.gcode.report import Peak, Place
from core.gcode.tally import MAX_TOOLS

Where = Callable[[], Place]
"""Gives the line at hand; called only for a new highest temperature."""


class Heaters:
    """Highest temperature asked of each heater, and what each hotend is told at the moment."""

    def __init__(self) -> None:
        self.peaks: dict[str, Peak] = {}
        self.targets: dict[int, float] = {}
        self.macro_may_heat = False

    def is_cold(self, tool: int) -> bool:
        """Whether the hotend of `tool` was certainly not told to be hot."""
        return not self.macro_may_heat and self.targets.get(tool, 0.0) < commands.MIN_EXTRUDE

    def ask(self, heater: str, celsius: float, where: Where) -> None:
        """Note that `heater` (hotend, bed, chamber) is asked to reach `celsius`."""
        peak = self.peaks.get(heater)
        if peak is None or celsius > peak.celsius:
            place = where()
            self.peaks[heater] = Peak(celsius, place.line, place.text)

    def hotend(self, command: str, found: Words, tool: int, where: Where) -> bool:
        """M104 and M109 (S, R, B of Marlin's autotemp), M568 and G10 (S active, R standby); False if not readable."""
        asked = [value for letter in "SRB" if (value := found.get(letter)) is not None]
        if not asked:
            return not found.keys() - {"T", "P"}
        self.ask("hotend", max(asked), where)
        named = found.get("P" if command in ("M568", "G10") else "T")
        self._tell(tool if named is None else int(named), max(asked))
        return True

    def simple(self, heater: str, found: Words, where: Where) -> None:
        """M140, M190, M141, M191: S and R."""
        for letter in "SR":
            if (value := found.get(letter)) is not None:
                self.ask(heater, value, where)

    def autotune(self, found: Words, where: Where) -> None:
        """M303: the heater is E (-1 bed, -2 chamber) or H, else the hotend."""
        index = found.get("E", found.get("H"))
        self.simple({-1.0: "bed", -2.0: "chamber"}.get(index or 0.0, "hotend"), found, where)

    def klipper(self, command: str, given: dict[str, str], tool: int, where: Where) -> bool:
        """Klipper's own commands, and temperatures handed to macros; False if one is not readable."""
        if command in ("SET_HEATER_TEMPERATURE", "PID_CALIBRATE"):
            return self._named(given.get("HEATER", "extruder"), given.get("TARGET", "0"), tool, where)
        if command == "TEMPERATURE_WAIT":
            sensor = given.get("SENSOR", "")
            bounds = [given[bound] for bound in ("MINIMUM", "MAXIMUM") if bound in given]
            return not [bound for bound in bounds if not self._named(sensor, bound, None, where)]
        if command in commands.KNOWN and command not in commands.HEATING_MACROS:
            return True
        self.macro_may_heat = True
        # EXTRUDER=extruder1 names a heater; EXTRUDER=215 and EXTRUDER_TEMP=anything are meant as a temperature.
        hot = {
            name: value
            for name, value in given.items()
            if commands.is_heat_argument(name) and ("TEMP" in name or not value.isidentifier())
        }
        return not [name for name, value in hot.items() if not self._named(name, value, tool, where)]

    def _named(self, name: str, value: str, tool: int | None, where: Where) -> bool:
        try:
            celsius = float(value) if len(value) <= 24 else math.nan
        except ValueError:
            celsius = math.nan
        if not math.isfinite(celsius):
            return False
        heater = commands.heater_of(name)
        self.ask(heater, celsius, where)
        if heater == "hotend" and tool is not None:
            digits = name.lower().removeprefix("extruder")
            self._tell(int(digits) if digits.isdigit() and len(digits) < 3 else tool, celsius)
        return True

    def _tell(self, tool: int, celsius: float) -> None:
        if 0 <= tool < MAX_TOOLS:
            self.targets[tool] = celsius
