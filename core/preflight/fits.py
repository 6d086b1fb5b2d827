"""Whether a part's bounding box fits a printer, and how it would have to be turned (pure functions)."""

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import product

import msgspec

from core.domain.printer_model import PrinterModel
from core.plates.layout import Rect, bed_rect, excluded_rects

Size = tuple[float, float, float]

_EPS = 1e-3
_UP = ("z", "y", "x")


class FitKind(StrEnum):
    """How a part fits, the best first."""

    AS_DROPPED = "as_dropped"
    """Standing as in the file, at most turned by a quarter on the bed, which the layout does by itself."""
    TURNED = "turned"
    """Standing as in the file, turned by `degrees` on the bed."""
    TIPPED = "tipped"
    """Tipped so that its `up` axis points up, and turned by `degrees`."""
    NO = "no"


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """How one part fits one printer variant."""

    model_id: str
    name: str
    kind: FitKind
    up: str = "z"
    degrees: int = 0

    @property
    def words(self) -> str:
        """How to turn the part, for the operator."""
        turn = f"turned {self.degrees}° on the bed" if self.degrees else ""
        tip = f"tipped with its {self.up.upper()} axis up" if self.up != "z" else ""
        return " and ".join(w for w in (tip, turn) if w) or "as dropped"


def fits(size: Size, printers: Sequence[PrinterModel], margin: float = 0.0) -> tuple[Fit, ...]:
    """The best fit of a box of `size` mm for every printer, in their order.

    Tried are all six ways to stand a box (three axes up, each with a quarter turn) and every whole degree
    about the vertical. `margin` mm are kept free at the edge of the bed; excluded areas are never used.
    The box stands for the part, so a part that fits only diagonally through its hollow is told too big.
    """
    return tuple(_fit(size, printer, margin) for printer in printers)


def free_rects(printer: PrinterModel, margin: float = 0.0) -> tuple[tuple[float, float], ...]:
    """Widths and depths (mm) of the largest free rectangles of a bed, without its excluded areas."""
    x0, y0, x1, y1 = bed_rect(printer)
    area: Rect = (x0 + margin, y0 + margin, x1 - margin, y1 - margin)
    blocks = excluded_rects(printer)
    xs = sorted({area[0], area[2], *(v for b in blocks for v in (b[0], b[2]) if area[0] < v < area[2])})
    ys = sorted({area[1], area[3], *(v for b in blocks for v in (b[1], b[3]) if area[1] < v < area[3])})
    found: set[tuple[float, float]] = set()
    for a, c, b, d in product(xs, xs, ys, ys):
        if a < c and b < d and not any(a < k[2] and k[0] < c and b < k[3] and k[1] < d for k in blocks):
            found.add((c - a, d - b))
    return tuple(sorted(r for r in found if not any(o != r and o[0] >= r[0] and o[1] >= r[1] for o in found)))


def _fit(size: Size, printer: PrinterModel, margin: float) -> Fit:
    rects = free_rects(printer, margin)
    x, y, z = size
    for up, (a, b, height) in zip(_UP, ((x, y, z), (x, z, y), (y, z, x)), strict=True):
        if height > printer.height + _EPS:
            continue
        degrees = _turn(a, b, rects)
        if degrees is not None:
            kind = FitKind.TIPPED if up != "z" else FitKind.TURNED if degrees % 90 else FitKind.AS_DROPPED
            return Fit(model_id=printer.model_id, name=printer.name, kind=kind, up=up, degrees=degrees)
    return Fit(model_id=printer.model_id, name=printer.name, kind=FitKind.NO)


def _turn(a: float, b: float, rects: Sequence[tuple[float, float]]) -> int | None:
    """The first angle, quarter turns before all others, at which a × b lies within one of the rectangles."""
    for w, d in rects:
        if a <= w + _EPS and b <= d + _EPS:
            return 0
    for w, d in rects:
        if b <= w + _EPS and a <= d + _EPS:
            return 90
    slim = [(w, d) for w, d in rects if min(a, b) <= min(w, d) + _EPS and a * b <= w * d]
    for degrees in range(1, 180) if slim else ():
        cos, sin = abs(math.cos(math.radians(degrees))), math.sin(math.radians(degrees))
        width, depth = a * cos + b * sin, a * sin + b * cos
        if any(width <= w + _EPS and depth <= d + _EPS for w, d in slim):
            return degrees
    return None
