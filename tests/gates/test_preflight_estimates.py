"""Fits, mass and summary: the pure parts of Gate A."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.findings import Finding
from core.domain.material import Material
from core.domain.printer_model import PrinterModel
from core.domain.words import QualityTier, Verdict
from core.preflight.fits import FitKind, fits, free_rects
from core.preflight.mass import mass_mg
from core.preflight.report import PartReport, make_report, summary_of

PLA = Material(name="PLA", family="PLA", density=1.24, hotend=(190, 220), bed=(50, 60))


def printer(w: float, d: float, h: float, **more: object) -> PrinterModel:
    return PrinterModel(  # type: ignore[arg-type] - further fields as given
        model_id="p", name="P", width=w, depth=d, height=h, max_hotend=300, max_bed=100, **more
    )


BED = printer(200, 200, 200)


@pytest.mark.parametrize(
    ("size", "kind", "up"),
    [
        ((200, 200, 200), FitKind.AS_DROPPED, "z"),
        ((200.1, 10, 10), FitKind.TURNED, "z"),
        ((270, 8, 10), FitKind.TURNED, "z"),
        ((10, 10, 210), FitKind.TIPPED, "y"),
        ((10, 190, 250), FitKind.TIPPED, "y"),
        ((30, 201, 250), FitKind.NO, "z"),
        ((290, 10, 10), FitKind.NO, "z"),
        ((201, 201, 10), FitKind.NO, "z"),
        ((210, 210, 210), FitKind.NO, "z"),
    ],
)
def test_ways_to_fit(size: tuple[float, float, float], kind: FitKind, up: str) -> None:
    fit = fits(size, [BED])[0]
    assert (fit.kind, fit.up) == (kind, up)


def test_a_quarter_turn_is_as_dropped() -> None:
    fit = fits((90, 190, 10), [printer(200, 100, 100)])[0]
    assert (fit.kind, fit.degrees) == (FitKind.AS_DROPPED, 90)
    assert fit.words == "turned 90° on the bed"


def test_excluded_areas_and_margin_are_kept_free() -> None:
    a1 = printer(256, 256, 256, excluded=((0.0, 0.0, 18.0, 28.0),))
    assert free_rects(a1) == ((238.0, 256.0), (256.0, 228.0))
    assert fits((256, 228, 10), [a1])[0].kind is FitKind.AS_DROPPED
    assert fits((250, 240, 250), [a1])[0].kind is FitKind.NO
    assert fits((200, 200, 200), [BED], margin=1.0)[0].kind is FitKind.NO


def test_an_origin_in_the_centre_changes_nothing() -> None:
    delta = printer(200, 200, 200, origin=(100.0, 100.0), excluded=((0.0, 0.0, 200.0, 50.0),))
    assert free_rects(delta) == ((200.0, 150.0),)


sides = st.floats(1, 400)


@given(x=sides, y=sides, z=sides, w=sides, d=sides, h=sides)
def test_what_fits_really_lies_within(x: float, y: float, z: float, w: float, d: float, h: float) -> None:
    fit = fits((x, y, z), [printer(w, d, h)])[0]
    a, b, height = {"z": (x, y, z), "y": (x, z, y), "x": (y, z, x)}[fit.up]
    if fit.kind is FitKind.NO:
        stands = [(x, y, z), (y, x, z), (x, z, y), (z, x, y), (y, z, x), (z, y, x)]
        assert not any(p <= w and q <= d and r <= h for p, q, r in stands)
        return
    cos, sin = abs(math.cos(math.radians(fit.degrees))), abs(math.sin(math.radians(fit.degrees)))
    assert a * cos + b * sin <= w + 0.01
    assert a * sin + b * cos <= d + 0.01
    assert height <= h + 0.01


@given(x=sides, y=sides, z=sides)
def test_a_larger_printer_never_fits_less(x: float, y: float, z: float) -> None:
    small, large = fits((x, y, z), [printer(200, 180, 160), printer(210, 190, 170)])
    assert small.kind is FitKind.NO or large.kind is not FitKind.NO


def test_the_shell_of_a_cube_is_exact() -> None:
    side, skin = 20.0, 2 * 0.45
    inside = (side - 2 * skin) ** 3
    expected = 1.24 * (8000 - inside + 0.15 * inside)
    assert mass_mg(8000, 2400, PLA, QualityTier.STANDARD).likely == round(expected)


def test_a_thin_part_is_solid_and_never_more() -> None:
    mass = mass_mg(100 * 100 * 0.5, 2 * 100 * 100, PLA, QualityTier.DRAFT)
    assert mass.likely == round(5000 * 1.24)
    assert mass.high == round(5000 * 1.24 * 1.05)


@given(volume=st.floats(0, 1e7), area=st.floats(0, 1e7))
def test_mass_is_ordered_and_bounded(volume: float, area: float) -> None:
    ranges = [mass_mg(volume, area, PLA, tier) for tier in QualityTier]
    for mass in ranges:
        assert 0 <= mass.low <= mass.likely <= mass.high <= volume * 1.24 * 1.05 + 1
    assert ranges[0].likely <= ranges[1].likely <= ranges[2].likely <= ranges[3].likely


def test_mass_of_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="not be negative"):
        mass_mg(math.nan, 1, PLA, QualityTier.DRAFT)


def part(**more: object) -> PartReport:
    return PartReport(  # type: ignore[arg-type] - further fields as given
        index=0,
        name="p",
        quantity=1,
        triangles=12,
        low=(0, 0, 0),
        high=(20, 20, 20),
        size=(20, 20, 20),
        volume_mm3=8000,
        area_mm2=2400,
        open_share=0,
        closed=True,
        inverted=False,
        nonfinite=0,
        degenerate=0,
        **more,
    )


def test_the_summary_of_a_part_carries_the_findings_of_the_file() -> None:
    warn = Finding(code="EMBEDDED_SCRIPT", severity=Verdict.WARN, what="w", why="y", fix="f")
    fail = Finding(code="NO_VOLUME", severity=Verdict.FAIL, what="w", why="y", fix="f")
    report = make_report((warn,), (part(), part(findings=(fail,))))
    good, bad = summary_of(report, 0, PLA), summary_of(report, 1)
    assert report.verdict is Verdict.FAIL
    assert (good.verdict, bad.verdict) == (Verdict.WARN, Verdict.FAIL)
    assert good.size_um == (20000, 20000, 20000)
    assert 0 < good.mass_low_mg < good.mass_high_mg
    assert bad.mass_high_mg == 0
    with pytest.raises(IndexError):
        summary_of(report, 2)
