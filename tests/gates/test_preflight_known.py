"""Gate A, tier T0: known answers, invariances, and what each defect is called."""

import math
import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.printer_model import PrinterModel
from core.domain.words import Verdict
from core.preflight.normalise import normalise
from core.preflight.report import PartReport, PreflightReport
from core.preflight.t0 import analyse
from kiln_tui import demo_parts as parts

Mesh = parts.Mesh
SMALL = PrinterModel(
    model_id="small", name="Small", width=180, depth=180, height=180, max_hotend=300, max_bed=80
)


def moved(mesh: Mesh, matrix: Any = None, shift: Any = (0, 0, 0), scale: float = 1.0) -> Mesh:
    points = np.array(mesh) * scale
    if matrix is not None:
        points = points @ np.array(matrix).T
    points = points + np.array(shift)
    return [tuple(tuple(map(float, v)) for v in t) for t in points]  # type: ignore[misc] - shapes are fixed


def flipped(mesh: Mesh) -> Mesh:
    return [(c, b, a) for a, b, c in mesh]


def ascii_stl(mesh: Mesh, name: str = "part") -> str:
    lines = [f"solid {name}"]
    for triangle in mesh:
        lines += ["facet normal 0 0 0", " outer loop"]
        lines += [f"  vertex {x!r} {y!r} {z!r}" for x, y, z in triangle]
        lines += [" endloop", "endfacet"]
    return "\n".join([*lines, f"endsolid {name}", ""])


def check(path: Path, mesh: Mesh, *printers: PrinterModel) -> PreflightReport:
    parts.write_stl(path, mesh)
    return analyse(path, printers)


def codes(report: PreflightReport) -> set[str]:
    return {f.code for f in report.all_findings}


def single(report: PreflightReport) -> PartReport:
    assert len(report.parts) == 1, report
    return report.parts[0]


def test_a_cube_is_known_exactly(tmp_path: Path) -> None:
    report = check(tmp_path / "cube.stl", parts.cube(20), SMALL)
    part = single(report)
    assert report.verdict is Verdict.PASS
    assert report.format == "stl-binary"
    assert report.bytes == 84 + 50 * 12
    assert part.volume_mm3 == pytest.approx(8000)
    assert part.area_mm2 == pytest.approx(2400)
    assert part.size == (20, 20, 20)
    assert part.closed
    assert not part.inverted
    assert (part.triangles, part.quantity, part.degenerate, part.nonfinite) == (12, 1, 0, 0)


@pytest.mark.parametrize("name", sorted(parts.PARTS))
def test_every_part_of_the_demo_passes(name: str, tmp_path: Path) -> None:
    report = check(tmp_path / "p.stl", parts.PARTS[name](), SMALL)
    part = single(report)
    assert report.verdict is Verdict.PASS, report.all_findings
    assert part.closed
    assert part.low[2] == 0
    assert 10 <= max(part.size) <= 120


def test_a_cylinder_comes_near_its_formula(tmp_path: Path) -> None:
    part = single(check(tmp_path / "c.stl", parts.cylinder(20, 30, 256)))
    assert part.volume_mm3 == pytest.approx(math.pi * 100 * 30, rel=2e-4)
    assert part.area_mm2 == pytest.approx(2 * math.pi * 100 + math.pi * 20 * 30, rel=2e-4)


quarter = st.sampled_from(range(4))
angle = st.floats(0, 2 * math.pi)
offset = st.floats(-900, 900)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    a=angle, b=angle, c=angle, x=offset, y=offset, z=offset, name=st.sampled_from(["knob", "bracket", "hook"])
)
def test_volume_area_and_closedness_do_not_depend_on_the_place(
    tmp_path: Path, a: float, b: float, c: float, x: float, y: float, z: float, name: str
) -> None:
    def turn(t: float, i: int, j: int) -> Any:
        m = np.eye(3)
        m[i, i] = m[j, j] = math.cos(t)
        m[i, j], m[j, i] = -math.sin(t), math.sin(t)
        return m

    mesh = parts.PARTS[name]()
    here = single(check(tmp_path / "a.stl", mesh))
    matrix = turn(a, 0, 1) @ turn(b, 1, 2) @ turn(c, 0, 2)
    there = single(check(tmp_path / "b.stl", moved(mesh, matrix, (x, y, z))))
    assert there.closed
    assert not there.inverted
    assert there.volume_mm3 == pytest.approx(here.volume_mm3, rel=1e-3)
    assert there.area_mm2 == pytest.approx(here.area_mm2, rel=1e-3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_triangle_less_or_turned_is_always_seen(tmp_path: Path, data: st.DataObject) -> None:
    mesh = parts.PARTS[data.draw(st.sampled_from(["cube", "gear", "bracket", "clip"]))]()
    at = data.draw(st.integers(0, len(mesh) - 1))
    turned = data.draw(st.booleans())
    broken = [*mesh[:at], *(flipped([mesh[at]]) if turned else []), *mesh[at + 1 :]]
    report = check(tmp_path / "x.stl", broken)
    assert not single(report).closed
    assert "NOT_WATERTIGHT" in codes(report)
    assert report.verdict is Verdict.WARN


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_the_order_of_faces_and_corners_does_not_matter(tmp_path: Path, random: Any) -> None:
    mesh = parts.knob()
    random.shuffle(mesh)
    mesh = [t[i:] + t[:i] for t in mesh for i in [random.randrange(3)]]  # type: ignore[misc] - still three corners
    part = single(check(tmp_path / "x.stl", mesh))
    assert part.closed
    assert part.volume_mm3 == pytest.approx(15955.057, rel=1e-6)


def test_a_text_stl_tells_the_same_as_a_binary_one(tmp_path: Path) -> None:
    mesh = parts.bracket()
    (tmp_path / "t.stl").write_text(ascii_stl(mesh))
    text = analyse(tmp_path / "t.stl")
    binary = check(tmp_path / "b.stl", mesh)
    assert text.format == "stl-ascii"
    assert msgspec.structs.replace(text, seconds=0, bytes=0, format="") == msgspec.structs.replace(
        binary, seconds=0, bytes=0, format=""
    )


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace("\n", "\r"),
        lambda t: "\ufeff" + t,
        lambda t: "\n  " + t,
        lambda t: t.replace("solid part", "solid"),
        lambda t: t + "solid second\n" + t.partition("\n")[2],
        lambda t: t.replace("facet normal 0 0 0", "facet normal nan nan nan"),
    ],
    ids=["upper", "crlf", "cr", "bom", "indented", "nameless", "two-solids", "nan-normals"],
)
def test_the_dialects_of_text_stl_are_read(change: Any, tmp_path: Path) -> None:
    (tmp_path / "t.stl").write_bytes(change(ascii_stl(parts.cube(20))).encode())
    part = single(analyse(tmp_path / "t.stl"))
    assert part.closed
    assert part.volume_mm3 % 8000 == pytest.approx(0)


def test_a_large_text_stl_is_read_over_many_chunks(tmp_path: Path) -> None:
    mesh = [t for i in range(4) for t in moved(parts.vase(), shift=(0, 0, 200 * i))]
    (tmp_path / "t.stl").write_text(ascii_stl(mesh))
    assert (tmp_path / "t.stl").stat().st_size > 4 << 20
    part = single(analyse(tmp_path / "t.stl"))
    assert part.triangles == len(mesh)
    assert part.closed


def test_a_binary_stl_may_begin_with_solid(tmp_path: Path) -> None:
    data = bytearray(parts.stl_bytes(parts.cube(20)))
    data[:5] = b"solid"
    (tmp_path / "s.stl").write_bytes(data)
    assert analyse(tmp_path / "s.stl").format == "stl-binary"


def test_the_name_of_the_file_means_nothing(tmp_path: Path) -> None:
    parts.write_3mf(tmp_path / "really.stl", {"a": (parts.cube(), 1)})
    assert analyse(tmp_path / "really.stl").format == "3mf"


def test_3mf_and_stl_agree_and_copies_are_counted(tmp_path: Path) -> None:
    parts.write_3mf(tmp_path / "x.3mf", {"knob": (parts.knob(), 3), "box & <co>": (parts.box(10, 20, 30), 2)})
    report = analyse(tmp_path / "x.3mf", (SMALL,))
    knob, box = report.parts
    stl = single(check(tmp_path / "k.stl", parts.knob(), SMALL))
    assert msgspec.structs.replace(knob, name="part", quantity=1) == stl
    assert (knob.name, knob.quantity) == ("knob", 3)
    assert (box.name, box.quantity, box.size) == ("box & <co>", 2, (10, 20, 30))
    assert report.verdict is Verdict.PASS


def test_an_open_cube_warns(tmp_path: Path) -> None:
    lid = [t for t in parts.cube(20) if not all(v[2] == 20 for v in t)]
    report = check(tmp_path / "o.stl", lid)
    assert codes(report) == {"NOT_WATERTIGHT"}
    assert report.verdict is Verdict.WARN
    assert single(report).open_share == pytest.approx(0.2)


def test_a_cube_inside_out_warns_and_is_turned(tmp_path: Path) -> None:
    report = check(tmp_path / "i.stl", flipped(parts.cube(20)))
    assert codes(report) == {"INVERTED"}
    assert single(report).inverted
    assert single(report).volume_mm3 == pytest.approx(8000)
    made = normalise(tmp_path / "i.stl", 0, tmp_path / "n.stl")
    assert made.turned_outwards
    assert not single(analyse(tmp_path / "n.stl")).inverted


def test_a_void_is_not_inside_out(tmp_path: Path) -> None:
    hollow = parts.cube(20) + moved(flipped(parts.cube(10)), shift=(5, 5, 5))
    report = check(tmp_path / "h.stl", hollow)
    assert report.verdict is Verdict.PASS
    assert single(report).volume_mm3 == pytest.approx(7000)


def test_flat_things_are_refused(tmp_path: Path) -> None:
    sheet = parts.cube(20)[:1]
    double = sheet + flipped(sheet)
    for mesh in (sheet, double, moved(double, [[1, 0, 0.3], [0, 1, 0.7], [0.2, 0.1, 1]])):
        report = check(tmp_path / "f.stl", mesh)
        assert codes(report) == {"NO_VOLUME"}
        assert report.verdict is Verdict.FAIL


def test_a_curved_open_sheet_is_refused(tmp_path: Path) -> None:
    side = [t for t in parts.cylinder(80, 40) if len({v[2] for v in t}) == 2]
    third = [t for t in side if min(v[0] for v in t) > 10]
    assert 0 < len(third) < len(side)
    assert codes(check(tmp_path / "s.stl", third)) == {"NO_VOLUME"}


def test_a_thin_foil_is_a_body(tmp_path: Path) -> None:
    assert "NO_VOLUME" not in codes(check(tmp_path / "t.stl", parts.box(100, 100, 0.01)))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_a_number_is_refused_with_its_place(bad: float, tmp_path: Path) -> None:
    mesh = parts.cube(20)
    mesh[7] = ((bad, 0.0, 0.0), *mesh[7][1:])
    report = check(tmp_path / "n.stl", mesh)
    found = next(f for f in report.all_findings if f.code == "NAN_VERTICES")
    assert found.where == "part, triangle 8"
    assert "1 triangle " in found.what
    assert report.verdict is Verdict.FAIL


def test_all_not_a_number(tmp_path: Path) -> None:
    nan = (math.nan, 0.0, 0.0)
    assert codes(check(tmp_path / "n.stl", [(nan, nan, nan)] * 5, SMALL)) == {"NAN_VERTICES"}


def test_a_text_number_beyond_32_bits_is_infinite(tmp_path: Path) -> None:
    (tmp_path / "t.stl").write_text(ascii_stl(parts.cube(20.0)).replace("20.0", "1e300"))
    assert "NAN_VERTICES" in codes(analyse(tmp_path / "t.stl"))


def test_far_away_is_refused(tmp_path: Path) -> None:
    report = check(tmp_path / "f.stl", moved(parts.cube(20), shift=(2e6, 0, 0)))
    assert "COORDINATES_TOO_LARGE" in codes(report)


def test_degenerate_faces_are_counted_and_harm_nothing(tmp_path: Path) -> None:
    mesh = [*parts.cube(20), ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (20.0, 0.0, 0.0))]
    report = check(tmp_path / "d.stl", mesh)
    assert report.verdict is Verdict.PASS
    assert single(report).degenerate == 1
    assert normalise(tmp_path / "d.stl", 0, tmp_path / "n.stl").dropped == 1


def test_minus_zero_is_zero(tmp_path: Path) -> None:
    mesh = [
        tuple(tuple(-0.0 if c == 0 and i % 2 else c for c in v) for v in t)
        for i, t in enumerate(parts.cube())
    ]
    assert single(check(tmp_path / "z.stl", mesh)).closed  # type: ignore[arg-type] - shapes are fixed


@pytest.mark.parametrize(
    ("scale", "unit"),
    [(0.001, "metre"), (1 / 25.4, "inch"), (1000.0, "micrometre"), (1.0, None), (5.0, None)],
)
def test_units_are_proposed_never_applied(scale: float, unit: str | None, tmp_path: Path) -> None:
    report = check(tmp_path / "u.stl", moved(parts.box(30, 20, 10), scale=scale))
    part = single(report)
    assert part.size[0] == pytest.approx(30 * scale)
    assert (part.unit_guess.unit if part.unit_guess else None) == unit
    assert ("UNITS_SUSPICIOUS" in codes(report)) == (unit is not None)
    if part.unit_guess:
        made = normalise(tmp_path / "u.stl", 0, tmp_path / "n.stl", part.unit_guess.factor)
        assert made.size == pytest.approx((30, 20, 10), rel=1e-5)


def test_too_big_and_turned(tmp_path: Path) -> None:
    assert codes(check(tmp_path / "a.stl", parts.box(300, 300, 10), SMALL)) == {"TOO_BIG"}
    assert codes(check(tmp_path / "b.stl", parts.box(230, 10, 10), SMALL)) == {"FITS_ROTATED"}
    assert codes(check(tmp_path / "c.stl", parts.box(10, 10, 200), SMALL)) == {"FITS_ROTATED"}
    assert codes(check(tmp_path / "d.stl", parts.box(300, 300, 10))) == set()


def test_the_report_survives_json(tmp_path: Path) -> None:
    report = check(tmp_path / "u.stl", moved(parts.box(30, 20, 10), scale=0.001), SMALL)
    assert msgspec.json.decode(msgspec.json.encode(report), type=PreflightReport) == report


def test_every_finding_speaks_in_four_parts(tmp_path: Path) -> None:
    from core.preflight.wording import WORDS, finding

    for code in WORDS:
        made = finding(code, "DETAIL")
        assert made.what
        assert made.why
        assert made.fix
        assert made.what.endswith(".")
        assert "{" not in made.what


def read_normalised(path: Path) -> Any:
    data = path.read_bytes()
    (count,) = struct.unpack_from("<I", data, 80)
    assert len(data) == 84 + 50 * count
    kind = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    return np.frombuffer(data, dtype=kind, offset=84)


def test_a_normalised_mesh_stands_in_the_middle(tmp_path: Path) -> None:
    parts.write_3mf(tmp_path / "x.3mf", {"a": (parts.cube(), 2), "hook": (parts.hook(), 1)})
    made = normalise(tmp_path / "x.3mf", 1, tmp_path / "n.stl")
    points = read_normalised(tmp_path / "n.stl")["corners"].reshape(-1, 3)
    assert made.size == pytest.approx((44, 85, 12))
    assert points.min(axis=0) == pytest.approx([-22, -42.5, 0])
    assert points.max(axis=0) == pytest.approx([22, 42.5, 12])
    assert made.closed
    part = single(analyse(tmp_path / "n.stl"))
    assert part.closed
    assert part.volume_mm3 == pytest.approx(made.volume_mm3, rel=1e-6)


def test_normalised_bytes_do_not_depend_on_the_place(tmp_path: Path) -> None:
    parts.write_stl(tmp_path / "a.stl", parts.cube())
    parts.write_stl(tmp_path / "b.stl", moved(parts.cube(), shift=(64, -32, 128)))
    normalise(tmp_path / "a.stl", 0, tmp_path / "na.stl")
    normalise(tmp_path / "b.stl", 0, tmp_path / "nb.stl")
    normalise(tmp_path / "a.stl", 0, tmp_path / "again.stl")
    assert (tmp_path / "na.stl").read_bytes() == (tmp_path / "nb.stl").read_bytes()
    assert (tmp_path / "na.stl").read_bytes() == (tmp_path / "again.stl").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.stl", "again.stl", "b.stl", "na.stl", "nb.stl"]
