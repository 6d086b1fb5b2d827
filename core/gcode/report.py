"""What the scan of a G-code file yields: facts about the file, without a judgement and without a printer."""

import math

import msgspec

Rect = tuple[float, float, float, float]
"""x0, y0, x1, y1 in mm, machine coordinates."""


class Box(msgspec.Struct, frozen=True):
    """Extents of motion in mm, machine coordinates; an axis that was never known has None."""

    min_x: float | None = None
    max_x: float | None = None
    min_y: float | None = None
    max_y: float | None = None
    min_z: float | None = None
    max_z: float | None = None


class Peak(msgspec.Struct, frozen=True):
    """The highest temperature (°C) asked of a heater, with the line that asked for it."""

    celsius: float
    line: int
    text: str


class Place(msgspec.Struct, frozen=True):
    """A line of the file, cleaned for the screen."""

    line: int
    text: str


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A command that a gate may want to forbid: how often, and where first."""

    command: str
    count: int
    first: Place


class ZoneUse(msgspec.Struct, frozen=True):
    """Whether a printing move touches `rect`: the first such line, or None."""

    rect: Rect
    first_line: int | None


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """Filament of one tool: length (mm) and volume (mm³) at the furthest, that is net of retraction."""

    tool: int
    mm: float
    mm3: float


class GcodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one G-code file. Lengths in mm, times in s, flow in mm³/s; None where the file does not say.

    `kind` is ``gcode``, ``empty``, ``bgcode``, ``zip`` or ``binary``; for all but ``gcode`` nothing else is filled.
    `printing` are the moves that lay down filament, after the first layer mark where the file has marks, else all;
    `priming` are those before that mark; `travel` are all moves. `max_flow` is the largest average over about one
    second of extruding moves at the commanded feed, so that a single tiny segment never decides.
    """

    kind: str
    size: int = 0
    sha256: str = ""
    lines: int = 0
    moves: int = 0
    printing_moves: int = 0
    nul_bytes: int = 0
    long_lines: int = 0

    hotend: Peak | None = None
    bed: Peak | None = None
    chamber: Peak | None = None
    heating_by_macro: bool = False
    cold_moves: int = 0
    cold_line: int | None = None

    travel: Box | None = None
    printing: Box | None = None
    priming: Box | None = None
    layer_marked: bool = False
    zones: tuple[ZoneUse, ...] = ()

    filament: tuple[ToolUse, ...] = ()
    filament_diameter: float = 1.75
    max_flow: float | None = None
    max_flow_line: int | None = None

    layers: int = 0
    layers_capped: bool = False
    first_layer: float | None = None
    layer_height: float | None = None
    top: float | None = None
    spiral_moves: int = 0
    marked_layers: int = 0
    declared_layers: int | None = None

    objects: tuple[str, ...] = ()
    thumbnails: tuple[str, ...] = ()
    slicer: str | None = None
    slicer_version: str | None = None
    printer_models: tuple[str, ...] = ()
    filament_types: tuple[str, ...] = ()
    nozzles: tuple[float, ...] = ()
    estimated_seconds: int | None = None
    declared_filament_mm: tuple[float, ...] = ()

    unknown: dict[str, int] = {}
    watched: tuple[Watched, ...] = ()
    unreadable_count: int = 0
    unreadable: tuple[Place, ...] = ()
    frame_unknown: bool = False
    extruder_mode_unclear: bool = False

    @property
    def filament_mm(self) -> float:
        """Filament of all tools in mm."""
        return sum(use.mm for use in self.filament)

    def grams(self, density: float) -> float:
        """Mass in g of all filament at `density` g/cm³."""
        return sum(use.mm3 for use in self.filament) / 1000.0 * density


def filament_area(diameter: float) -> float:
    """Cross-section in mm² of filament of `diameter` mm."""
    return math.pi * diameter * diameter / 4.0
