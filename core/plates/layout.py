"""Where each part stands on which plate: deterministic rows of bounding boxes (a pure function)."""

import math
from collections.abc import Sequence

import msgspec

from core.domain.printer_model import PrinterModel

Rect = tuple[float, float, float, float]
"""x0, y0, x1, y1 in mm, machine coordinates."""

MAX_ITEMS = 5000
"""More parts than this in one call are refused: no bed holds them and the caller has a bug or an attacker."""

_EPS = 1e-6
MARGIN_MM = 5.0
"""Kept free at the edge of the bed, for a skirt or brim; preflight counts with it too, so that nothing passes
there and is refused by the layout."""


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """The bounding box of one physical part in mm, as it stands on the bed."""

    item_id: str
    width: float
    depth: float
    height: float
    can_rotate: bool = True


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where one part stands: its centre in machine coordinates (mm), turned by `rotation` degrees (0 or 90)."""

    item_id: str
    x: float
    y: float
    rotation: int
    width: float
    depth: float
    """Size along x and y *after* the rotation."""

    @property
    def box(self) -> Rect:
        """The part's rectangle on the bed."""
        half_w, half_d = self.width / 2, self.depth / 2
        return (self.x - half_w, self.y - half_d, self.x + half_w, self.y + half_d)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """One plate: the parts that stand on it."""

    placements: tuple[Placement, ...]


class Unplaced(msgspec.Struct, frozen=True, kw_only=True):
    """A part that fits on no plate of this printer, and why."""

    item_id: str
    reason: str


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """All plates needed, in order, and the parts that no plate of this printer can hold."""

    plates: tuple[Layout, ...]
    unplaced: tuple[Unplaced, ...] = ()


class _Row:
    """A row of parts of one plate: `y` is its front edge, `depth` its size along y, `x` where it is free."""

    def __init__(self, y: float, depth: float, x: float) -> None:
        self.y = y
        self.depth = depth
        self.x = x


def bed_rect(bed: PrinterModel) -> Rect:
    """The bed in machine coordinates: (0, 0) of the machine may lie anywhere on it."""
    ox, oy = bed.origin
    return (-ox, -oy, bed.width - ox, bed.depth - oy)


def excluded_rects(bed: PrinterModel) -> tuple[Rect, ...]:
    """The areas to keep free in machine coordinates; the table gives them from the front-left corner."""
    ox, oy = bed.origin
    return tuple(
        sorted(
            (min(x0, x1) - ox, min(y0, y1) - oy, max(x0, x1) - ox, max(y0, y1) - oy)
            for x0, y0, x1, y1 in bed.excluded
        )
    )


def overlap(a: Rect, b: Rect, gap: float = 0.0) -> bool:
    """Whether two rectangles come closer than `gap` mm (touching at exactly `gap` is allowed)."""
    return (
        a[0] < b[2] + gap - _EPS
        and b[0] < a[2] + gap - _EPS
        and a[1] < b[3] + gap - _EPS
        and b[1] < a[3] + gap - _EPS
    )


def arrange(
    items: Sequence[Footprint], bed: PrinterModel, gap_mm: float = 6.0, margin_mm: float = MARGIN_MM
) -> Arrangement:
    """Put `items` on as few plates as simple rows allow.

    Parts keep `gap_mm` to each other and to the excluded areas of the bed, and `margin_mm` to its edge (room
    for a skirt or brim). What does not fit on a plate goes to the next one; what fits on none comes back in
    `unplaced` with the reason. The same parts in any order give the same plates. Raises ValueError for
    duplicate ids, a negative gap or margin, or more than `MAX_ITEMS` parts.
    """
    if len(items) > MAX_ITEMS:
        raise ValueError(f"{len(items)} parts in one arrangement; the limit is {MAX_ITEMS}")
    if len({item.item_id for item in items}) != len(items):
        raise ValueError("every part needs its own id")
    if not (gap_mm >= 0 and margin_mm >= 0):
        raise ValueError("gap and margin must not be negative")
    plate = _PlateShape(bed, gap_mm, margin_mm)
    refused: list[Unplaced] = []
    waiting: list[Footprint] = []
    for item in sorted(items, key=_order):
        reason = plate.why_never(item)
        if reason:
            refused.append(Unplaced(item_id=item.item_id, reason=reason))
        else:
            waiting.append(item)
    plates: list[Layout] = []
    while waiting:
        placed, waiting = plate.fill(waiting)
        plates.append(Layout(placements=plate.centred(placed)))
    refused.sort(key=lambda u: u.item_id)
    return Arrangement(plates=tuple(plates), unplaced=tuple(refused))


def _order(item: Footprint) -> tuple[float, float, str]:
    # big parts first, so that the rows they open are filled by the small ones
    return (-min(item.width, item.depth), -max(item.width, item.depth), item.item_id)


class _PlateShape:
    """The usable area of one printer's bed."""

    def __init__(self, bed: PrinterModel, gap: float, margin: float) -> None:
        self.bed = bed
        self.gap = gap
        x0, y0, x1, y1 = bed_rect(bed)
        self.area: Rect = (x0 + margin, y0 + margin, x1 - margin, y1 - margin)
        self.excluded = excluded_rects(bed)

    def why_never(self, item: Footprint) -> str:
        """Why this part fits on no plate of this printer, or ''."""
        sizes = (item.width, item.depth, item.height)
        if not all(math.isfinite(s) and s > 0 for s in sizes):
            return "its size is not known"
        if item.height > self.bed.height + _EPS:
            return f"{item.height:.1f} mm high; {self.bed.name} prints up to {self.bed.height:.1f} mm"
        if self._new_row(item, self.area[1]) is None:
            room_w, room_d = self.area[2] - self.area[0], self.area[3] - self.area[1]
            return (
                f"{item.width:.1f} × {item.depth:.1f} mm; {self.bed.name} has {room_w:.1f} × {room_d:.1f} mm "
                "inside its margin" + (" less its excluded areas" if self.excluded else "")
            )
        return ""

    def fill(self, items: Sequence[Footprint]) -> tuple[list[Placement], list[Footprint]]:
        """One plate filled in the given order: what was placed, and what has to wait for the next plate."""
        rows: list[_Row] = []
        placed: list[Placement] = []
        left: list[Footprint] = []
        next_y = self.area[1]
        for item in items:
            spot = self._in_rows(item, rows)
            if spot is None:
                opened = self._new_row(item, next_y)
                if opened is not None:
                    row, spot = opened
                    rows.append(row)
                    next_y = row.y + row.depth + self.gap
            if spot is None:
                left.append(item)
            else:
                placed.append(spot)
        return placed, left

    def centred(self, placed: Sequence[Placement]) -> tuple[Placement, ...]:
        """The group moved to the middle of the bed, unless an excluded area is in the way."""
        boxes = [p.box for p in placed]
        low_x, low_y = min(b[0] for b in boxes), min(b[1] for b in boxes)
        high_x, high_y = max(b[2] for b in boxes), max(b[3] for b in boxes)
        dx = (self.area[0] + self.area[2] - low_x - high_x) / 2
        dy = (self.area[1] + self.area[3] - low_y - high_y) / 2
        moved = tuple(msgspec.structs.replace(p, x=round(p.x + dx, 3), y=round(p.y + dy, 3)) for p in placed)
        if any(self._blocker(p.box) for p in moved):
            return tuple(placed)
        return moved

    def _in_rows(self, item: Footprint, rows: Sequence[_Row]) -> Placement | None:
        for row in rows:
            for turned in _turns(item):
                if _depth(item, turned) <= row.depth + _EPS:
                    spot = self._in_row(item, turned, row)
                    if spot is not None:
                        return spot
        return None

    def _new_row(self, item: Footprint, y: float) -> tuple[_Row, Placement] | None:
        # besides the first free y only the far edge of an excluded area can be the start of a useful row
        fronts = [y, *sorted({e[3] + self.gap for e in self.excluded if e[3] + self.gap > y})]
        for front in fronts:
            for turned in _turns(item):
                depth = _depth(item, turned)
                if front + depth > self.area[3] + _EPS:
                    continue
                row = _Row(front, depth, self.area[0])
                spot = self._in_row(item, turned, row)
                if spot is not None:
                    return row, spot
        return None

    def _in_row(self, item: Footprint, turned: bool, row: _Row) -> Placement | None:
        width, depth = (item.depth, item.width) if turned else (item.width, item.depth)
        x = row.x
        while x + width <= self.area[2] + _EPS:
            blocker = self._blocker((x, row.y, x + width, row.y + depth))
            if blocker is None:
                row.x = x + width + self.gap
                return Placement(
                    item_id=item.item_id,
                    x=x + width / 2,
                    y=row.y + depth / 2,
                    rotation=90 if turned else 0,
                    width=width,
                    depth=depth,
                )
            x = blocker[2] + self.gap
        return None

    def _blocker(self, box: Rect) -> Rect | None:
        return next((e for e in self.excluded if overlap(box, e, self.gap)), None)


def _turns(item: Footprint) -> tuple[bool, ...]:
    return (False, True) if item.can_rotate and item.width != item.depth else (False,)


def _depth(item: Footprint, turned: bool) -> float:
    return item.width if turned else item.depth
