"""From the numbers of a part to its findings (pure functions)."""

from collections.abc import Sequence

from core.domain.findings import Finding
from core.domain.printer_model import PrinterModel
from core.plates.layout import MARGIN_MM
from core.preflight import units
from core.preflight.fits import Fit, FitKind, fits
from core.preflight.measure import Numbers
from core.preflight.report import PartReport
from core.preflight.wording import finding

_SHEET = 0.6
"""An `open_share` above this is a sheet, not a body with a hole; half a hollow sphere has 0.5."""
_THIN = 1e-6
"""Volume over area × longest side below this is rounding noise; a 0.001 mm foil of 100 mm has 5e-6."""


def judge(
    index: int,
    name: str,
    quantity: int,
    numbers: Numbers,
    printers: Sequence[PrinterModel],
    coordinate: float,
) -> PartReport:
    """The report of one part; `coordinate` mm is the largest distance from zero that is believed."""
    size = (
        numbers.high[0] - numbers.low[0],
        numbers.high[1] - numbers.low[1],
        numbers.high[2] - numbers.low[2],
    )
    fit = fits(size, printers, MARGIN_MM) if any(size) else ()
    guess = units.guess(size)
    findings = [*_broken(name, numbers, coordinate), *_shape(name, numbers, size)]
    if guess is not None:
        findings.append(
            finding(
                "UNITS_SUSPICIOUS",
                f"{_mm(size)}; in {guess.unit}s it would be "
                f"{_mm((size[0] * guess.factor, size[1] * guess.factor, size[2] * guess.factor))}",
                name,
                f"scale it by {guess.factor:g} ({guess.unit} to millimetre), once you say so",
            )
        )
    findings += _place(name, size, fit)
    return PartReport(
        index=index,
        name=name,
        quantity=quantity,
        triangles=numbers.triangles,
        low=numbers.low,
        high=numbers.high,
        size=size,
        volume_mm3=abs(numbers.volume),
        area_mm2=numbers.area,
        open_share=numbers.open_share,
        closed=numbers.closed,
        inverted=numbers.volume < 0,
        nonfinite=numbers.nonfinite,
        degenerate=numbers.degenerate,
        unit_guess=guess,
        fits=fit,
        findings=tuple(findings),
    )


def _broken(name: str, numbers: Numbers, coordinate: float) -> list[Finding]:
    found = []
    if numbers.nonfinite:
        count = f"{numbers.nonfinite:,} triangle{'s' if numbers.nonfinite > 1 else ''}"
        found.append(finding("NAN_VERTICES", count, f"{name}, triangle {numbers.first_nonfinite}"))
    furthest = max(map(abs, (*numbers.low, *numbers.high)))
    if furthest > coordinate:
        found.append(finding("COORDINATES_TOO_LARGE", f"{furthest:.3g} mm", name))
    return found


def _shape(name: str, numbers: Numbers, size: tuple[float, float, float]) -> list[Finding]:
    if numbers.triangles == 0:
        return [finding("EMPTY", "it holds no triangle", name)]
    if numbers.triangles == numbers.nonfinite:
        return []  # NAN_VERTICES has said it all
    if numbers.degenerate == numbers.triangles or abs(numbers.volume) <= _THIN * numbers.area * max(size):
        return [finding("NO_VOLUME", "it is flat", name)]
    if numbers.open_share > _SHEET:
        return [finding("NO_VOLUME", "it is an open sheet", name)]
    room = size[0] * size[1] * size[2]
    found = []
    if not numbers.closed:
        if abs(numbers.volume) > room * 1.001:
            return [
                finding("NO_VOLUME", "it is torn open, so that inside and outside cannot be told apart", name)
            ]
        found.append(finding("NOT_WATERTIGHT", where=name))
    if numbers.volume < 0:
        found.append(finding("INVERTED", where=name))
    return found


def _place(name: str, size: tuple[float, float, float], fit: tuple[Fit, ...]) -> list[Finding]:
    if not fit or any(f.kind is FitKind.AS_DROPPED for f in fit):
        return []
    turned = [f for f in fit if f.kind is not FitKind.NO]
    if not turned:
        return [finding("TOO_BIG", _mm(size), name)]
    best = min(turned, key=lambda f: (f.kind is FitKind.TIPPED, f.degrees))
    return [finding("FITS_ROTATED", f"{best.words}, on {best.name}", name)]


def _mm(size: tuple[float, float, float]) -> str:
    return " × ".join(f"{side:.3g}" if side < 100 else f"{side:.0f}" for side in size) + " mm"
