"""Which G-code commands are known, which heat, and which are watched because a gate may forbid them.

Sources: the Marlin G-code index, the Klipper G-Codes page, the RepRapFirmware dictionary and the start and end code
of the vendor profiles of PrusaSlicer and OrcaSlicer (2026-11-21).
"""

import re

import msgspec

from core.domain.words import Verdict

MIN_EXTRUDE = 170.0
"""°C below which extruding counts as cold (Marlin's EXTRUDE_MINTEMP and Klipper's min_extrude_temp default)."""


class Rule(msgspec.Struct, frozen=True):
    """Why a watched command matters. `not_on` names firmwares whose vendors use it in ordinary start code."""

    severity: Verdict
    why: str
    not_on: tuple[str, ...] = ()


_FIRMWARE = Rule(Verdict.FAIL, "it replaces or restarts the printer's firmware")
_EEPROM = Rule(
    Verdict.FAIL, "it changes the settings stored in the printer, for every later print", ("bambu",)
)
_NETWORK = Rule(Verdict.FAIL, "it changes the printer's network")
_FILES = Rule(Verdict.FAIL, "it writes, deletes or starts other files on the printer")
_STOP = Rule(Verdict.FAIL, "it stops the printer dead in the middle of the print")
_SHELL = Rule(Verdict.FAIL, "it runs a program on the printer's computer")
_PIN = Rule(Verdict.FAIL, "it switches a pin of the board directly, past all protection")
_PROTECTION = Rule(Verdict.FAIL, "it loosens the protection of the heaters")
_LIMITS = Rule(Verdict.FAIL, "it moves past the limits of the axes")
_UNITS = Rule(Verdict.FAIL, "the amounts in the rest of the file then mean something else")
_TUNING = Rule(Verdict.WARN, "it changes how the printer is calibrated until the next restart")
_FRAME = Rule(Verdict.WARN, "it shifts the coordinates, so that the limits can no longer be checked exactly")
_MACRO = Rule(Verdict.WARN, "it runs a file that only the printer knows")
_ENDSTOPS = Rule(Verdict.WARN, "it switches the software limits of the axes off", ("bambu",))
_POWER = Rule(Verdict.WARN, "it switches the printer's power off; fans stop while the hotend is hot")
_COLD = Rule(Verdict.WARN, "it allows extruding with a cold hotend")
_HALT = Rule(Verdict.WARN, "it drops the moves that are still waiting")

WATCHED: dict[str, Rule] = {
    "M997": _FIRMWARE, "M999": _FIRMWARE, "FIRMWARE_RESTART": _FIRMWARE, "RESTART": _FIRMWARE,
    "M500": _EEPROM, "M501": _EEPROM, "M502": _EEPROM, "M504": _EEPROM, "SAVE_CONFIG": _EEPROM, "D-code": _EEPROM,
    "SAVE_VARIABLE": _TUNING,
    "M540": _NETWORK, "M552": _NETWORK, "M553": _NETWORK, "M554": _NETWORK, "M586": _NETWORK, "M587": _NETWORK,
    "M588": _NETWORK, "M589": _NETWORK,
    "M23": _FILES, "M24": _FILES, "M26": _FILES, "M28": _FILES, "M29": _FILES, "M30": _FILES, "M32": _FILES,
    "M471": _FILES, "M559": _FILES, "M560": _FILES, "M928": _FILES,
    "SDCARD_PRINT_FILE": _FILES, "SDCARD_RESET_FILE": _FILES,
    "M112": _STOP, "M410": _HALT,
    "RUN_SHELL_COMMAND": _SHELL,
    "M42": _PIN, "M43": _PIN,
    "M143": _PROTECTION, "M562": _PROTECTION, "M570": _PROTECTION,
    "FORCE_MOVE": _LIMITS, "SET_KINEMATIC_POSITION": _LIMITS, "G6": _LIMITS,
    "M149": _UNITS, "M200": _UNITS, "G68": _UNITS,
    "M92": _TUNING, "M301": _TUNING, "M304": _TUNING, "M306": _TUNING, "M307": _TUNING, "M563": _TUNING,
    "M569": _TUNING, "M574": _TUNING, "M584": _TUNING, "M665": _TUNING, "M666": _TUNING, "M851": _TUNING,
    "M950": _TUNING, "SET_TMC_CURRENT": _TUNING, "SET_TMC_FIELD": _TUNING, "SET_PIN": _TUNING,
    "MANUAL_STEPPER": _TUNING,
    "M206": _FRAME, "M428": _FRAME, "G54": _FRAME, "G55": _FRAME, "G56": _FRAME, "G57": _FRAME, "G58": _FRAME,
    "G59": _FRAME, "SET_GCODE_OFFSET": _FRAME, "G10-frame": _FRAME,
    "M98": _MACRO,
    "M211": _ENDSTOPS,
    "M81": _POWER,
    "M302": _COLD,
}  # fmt: skip
"""Commands that a scan records with their lines; `core.gcode.gate` turns them into findings."""

SHELL_WORD = re.compile(r"SHELL|EXEC|BASH|SYSTEM")
"""Macro names that look like a program being run; recorded under ``RUN_SHELL_COMMAND``."""

_KNOWN_G = (0, 1, 2, 3, 4, 10, 11, 12, 17, 20, 21, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 39, 60, 61, 75, 76, 80, 81,
            90, 91, 92, 150, 380, 392)  # fmt: skip
_KNOWN_M = (0, 1, 17, 18, 20, 21, 22, 25, 27, 31, 73, 75, 76, 77, 78, 80, 82, 83, 84, 85, 86, 104, 105, 106, 107, 108,
            109, 110, 111, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 125, 140, 141, 142, 144, 145, 150,
            155, 163, 164, 165, 190, 191, 192, 201, 202, 203, 204, 205, 207, 208, 209, 217, 218, 220, 221, 240, 250,
            255, 260, 280, 290, 291, 292, 300, 303, 350, 351, 355, 400, 401, 402, 403, 404, 405, 406, 407, 412, 413,
            420, 421, 425, 486, 503, 555, 566, 567, 568, 571, 572, 573, 591, 592, 593, 595, 600, 601, 602, 603, 605,
            612, 614, 615, 620, 621, 622, 623, 630, 672, 701, 702, 703, 704, 705, 706, 707, 708, 709, 710, 711, 851,
            860, 861, 862, 864, 876, 900, 906, 907, 910, 911, 912, 913, 914, 915, 960, 970, 971, 972, 973, 974, 975,
            976, 977, 981, 982, 983, 984, 991, 1002, 1004, 1005, 1006, 1007, 1008)  # fmt: skip

KNOWN: frozenset[str] = frozenset(
    [f"G{n}" for n in _KNOWN_G] + [f"M{n}" for n in _KNOWN_M] + ["T"]
    + ["EXCLUDE_OBJECT", "EXCLUDE_OBJECT_DEFINE", "EXCLUDE_OBJECT_START", "EXCLUDE_OBJECT_END",
       "SET_HEATER_TEMPERATURE", "TEMPERATURE_WAIT", "TURN_OFF_HEATERS", "SET_PRESSURE_ADVANCE",
       "SET_VELOCITY_LIMIT", "SET_INPUT_SHAPER", "SET_PRINT_STATS_INFO", "SET_FAN_SPEED", "SET_LED",
       "SET_DISPLAY_TEXT", "SET_RETRACTION", "SET_SKEW", "SKEW_PROFILE", "SET_IDLE_TIMEOUT", "SET_FILAMENT_SENSOR",
       "SET_TEMPERATURE_FAN_TARGET", "SAVE_GCODE_STATE", "RESTORE_GCODE_STATE", "BED_MESH_CALIBRATE",
       "BED_MESH_PROFILE", "BED_MESH_CLEAR", "QUAD_GANTRY_LEVEL", "Z_TILT_ADJUST", "ACTIVATE_EXTRUDER", "RESPOND",
       "PAUSE", "RESUME", "CANCEL_PRINT", "CLEAR_PAUSE", "TIMELAPSE_TAKE_FRAME", "TIMELAPSE_RENDER",
       "START_PRINT", "END_PRINT", "PRINT_START", "PRINT_END", "PID_CALIBRATE", "G17"]
)  # fmt: skip
"""Commands that are neither watched nor listed as unknown. What a macro of the printer does inside is not known."""

TEXT_ARGUMENTS = frozenset(
    {"M20", "M23", "M28", "M30", "M32", "M36", "M98", "M117", "M118", "M291", "M471", "M486", "M587", "M588", "M589",
     "M862", "M1002", "M1006"}
)  # fmt: skip
"""Commands whose arguments may contain what looks like another command."""

HEATING_MACROS = frozenset({"START_PRINT", "PRINT_START"})
"""Macros that heat by convention, with or without a temperature among their arguments."""


def heater_of(name: str) -> str:
    """``hotend``, ``bed`` or ``chamber`` for the name of a Klipper heater or of a macro argument."""
    upper = name.upper()
    if "BED" in upper:
        return "bed"
    if "CHAMBER" in upper or "ENCLOSURE" in upper:
        return "chamber"
    return "hotend"


_HEAT_ARGUMENT = re.compile(r"TEMP|^EXTRUDER\d?$|^HOTEND\d?$|^NOZZLE$|^TOOL\d?$|^BED$|^CHAMBER$")


def is_heat_argument(name: str) -> bool:
    """Whether a macro argument of this name is a temperature, e.g. ``EXTRUDER_TEMP`` or ``BED``."""
    return bool(_HEAT_ARGUMENT.search(name.upper()))
