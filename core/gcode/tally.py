"""What a scan accumulates about motion: extents, layers, filament, flow. Everything is bounded."""

import math

from core.gcode.arcs import crosses
from core.gcode.report import Box, Rect

FLOW_WINDOW = 1.0
"""Seconds of extruding moves over which flow is averaged."""
MAX_HEIGHTS = 50_000
MAX_TOOLS = 64


class Extents:
    """Least and greatest coordinate per axis."""

    __slots__ = ("high", "low")

    def __init__(self) -> None:
        self.low = [math.inf, math.inf, math.inf]
        self.high = [-math.inf, -math.inf, -math.inf]

    def add(self, axis: int, value: float) -> None:
        """Widen the extents of `axis` to `value`."""
        if value < self.low[axis]:
            self.low[axis] = value
        if value > self.high[axis]:
            self.high[axis] = value

    def box(self) -> Box | None:
        """The extents, or None if no axis was ever known."""
        if all(low == math.inf for low in self.low):
            return None
        flat: list[float | None] = []
        for low, high in zip(self.low, self.high, strict=True):
            flat += [None, None] if low == math.inf else [low, high]
        return Box(*flat)


class Phase:
    """Printing moves before (0) or after (1) the first layer mark."""

    __slots__ = ("extents", "heights", "moves", "spiral")

    def __init__(self) -> None:
        self.extents = Extents()
        self.heights: dict[int, None] = {}
        self.moves = 0
        self.spiral = 0

    def add_height(self, microns: int) -> bool:
        """Note the height of a flat printing move in µm; False when there are too many heights to keep."""
        if len(self.heights) < MAX_HEIGHTS:
            self.heights.setdefault(microns)
            return True
        return microns in self.heights


class Flow:
    """Largest average of filament (mm/s) over windows of FLOW_WINDOW seconds of extruding time.

    A move belongs to the window in which it starts; a window with less than half its time does not count.
    """

    __slots__ = ("best", "best_line", "clock", "first_line", "length", "seconds", "window")

    def __init__(self) -> None:
        self.clock = 0.0
        self.window = -1
        self.length = 0.0
        self.seconds = 0.0
        self.first_line = 0
        self.best: float | None = None
        self.best_line: int | None = None

    def add(self, length: float, seconds: float, line: int) -> None:
        """An extruding move of `length` mm of filament within `seconds`."""
        window = math.floor(self.clock / FLOW_WINDOW)
        if window != self.window:
            self.close()
            self.window, self.length, self.seconds, self.first_line = window, 0.0, 0.0, line
        self.length += length
        self.seconds += seconds
        self.clock += seconds

    def close(self) -> None:
        """End the current window."""
        if self.seconds >= FLOW_WINDOW / 2.0:
            rate = self.length / self.seconds
            if self.best is None or rate > self.best:
                self.best, self.best_line = rate, self.first_line


class Tally:
    """All that accumulates over the moves of one file."""

    def __init__(self, zones: tuple[Rect, ...]) -> None:
        self.travel = Extents()
        self.phases = (Phase(), Phase())
        self.layers_capped = False
        self.flow = Flow()
        self.fed: dict[int, float] = {}
        """Net filament per tool so far, mm."""
        self.used: dict[int, float] = {}
        """The furthest of `fed`."""
        self.moves = 0
        self.cold_moves = 0
        self.cold_line: int | None = None
        self.zones = zones
        self.zone_line: dict[Rect, int] = {}

    def feed(self, tool: int, length: float) -> None:
        """Filament moved by `length` mm, negative for retraction."""
        fed = self.fed.get(tool, 0.0) + length
        self.fed[tool] = fed
        if fed > self.used.get(tool, 0.0):
            self.used[tool] = fed

    def touch_zones(self, x0: float, y0: float, x1: float, y1: float, line: int) -> None:
        """Note the first printing move that enters each zone."""
        for zone in self.zones:
            if zone not in self.zone_line and crosses(zone, x0, y0, x1, y1):
                self.zone_line[zone] = line

    def touch_zones_box(self, low_x: float, low_y: float, high_x: float, high_y: float, line: int) -> None:
        """The same for an arc, by its extents: on the safe side."""
        for zone in self.zones:
            if zone in self.zone_line:
                continue
            if low_x < zone[2] and high_x > zone[0] and low_y < zone[3] and high_y > zone[1]:
                self.zone_line[zone] = line


def microns(z: float) -> int:
    """A height in whole µm, so that equal layers compare equal."""
    return math.floor(z * 1000.0 + 0.5)
