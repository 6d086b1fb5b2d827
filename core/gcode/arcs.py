"""Arcs of G2/G3 in the XY plane: length and extents with their bulge."""

import math

import msgspec


class Arc(msgspec.Struct, frozen=True):
    """Length in the plane (mm) and extents (mm) of an arc."""

    length: float
    min_x: float
    max_x: float
    min_y: float
    max_y: float


def arc_of(
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    clockwise: bool,
    offset: tuple[float, float] | None,
    radius: float | None,
    turns: int = 0,
) -> Arc | None:
    """The arc from `start` to `end` around `start` + `offset`, or with `radius`; None when there is no such arc.

    With an offset and equal ends it is a full circle. A negative radius takes the longer way round. `turns` are
    further full circles (Marlin's P).
    """
    if offset is None:
        offset = None if radius is None else _centre_offset(start, end, radius, clockwise)
        if offset is None:
            return None
    centre = (start[0] + offset[0], start[1] + offset[1])
    reach = math.sqrt(offset[0] * offset[0] + offset[1] * offset[1])
    if reach == 0.0:
        return None
    from_angle = math.atan2(start[1] - centre[1], start[0] - centre[0])
    to_angle = math.atan2(end[1] - centre[1], end[0] - centre[0])
    swept = (from_angle - to_angle if clockwise else to_angle - from_angle) % math.tau
    if start == end or math.tau - swept < 1e-9:
        swept = math.tau
    total = swept + turns * math.tau
    xs, ys = [start[0], end[0]], [start[1], end[1]]
    for quarter in range(4):
        angle = quarter * math.pi / 2.0
        ahead = (from_angle - angle if clockwise else angle - from_angle) % math.tau
        if ahead <= total:
            xs.append(centre[0] + reach * (1, 0, -1, 0)[quarter])
            ys.append(centre[1] + reach * (0, 1, 0, -1)[quarter])
    return Arc(reach * total, min(xs), max(xs), min(ys), max(ys))


def _centre_offset(
    start: tuple[float, float], end: tuple[float, float], radius: float, clockwise: bool
) -> tuple[float, float] | None:
    dx, dy = end[0] - start[0], end[1] - start[1]
    chord = math.sqrt(dx * dx + dy * dy)
    if chord == 0.0 or abs(radius) * 2.0 < chord * (1.0 - 1e-9):
        return None
    height = math.sqrt(max(radius * radius - chord * chord / 4.0, 0.0))
    side = -1.0 if clockwise != (radius < 0.0) else 1.0
    return dx / 2.0 - side * height * dy / chord, dy / 2.0 + side * height * dx / chord


def crosses(rect: tuple[float, float, float, float], x0: float, y0: float, x1: float, y1: float) -> bool:
    """Whether the segment enters the inside of `rect` (touching its edge does not count); Liang–Barsky clipping."""
    enter, leave = 0.0, 1.0
    for start, delta, low, high in ((x0, x1 - x0, rect[0], rect[2]), (y0, y1 - y0, rect[1], rect[3])):
        if delta == 0.0:
            if not low < start < high:
                return False
            continue
        first, last = (low - start) / delta, (high - start) / delta
        enter = max(enter, min(first, last))
        leave = min(leave, max(first, last))
    return enter < leave
