"""Known answers: what the scan makes of small texts, in every style that slicers and people write."""

import io
import math

import pytest

from core.gcode import scan, summary
from core.gcode.report import Box, GcodeReport

HOT = "M104 S210\nG28\n"


def read(text: str | bytes, zones: tuple[tuple[float, float, float, float], ...] = ()) -> GcodeReport:
    data = text if isinstance(text, bytes) else text.encode()
    plain = summary.scan_plainly(io.BytesIO(data), zones)
    assert scan.scan(io.BytesIO(data), zones) == plain
    return plain


@pytest.mark.parametrize(
    "line",
    [
        "G1 X10 Y20.5 E1.5 F1200",
        "G1 F1200 E1.5 Y20.5 X10",
        "g1 x10 y20.5 e1.5 f1200",
        "G1X10Y20.5E1.5F1200",
        "G01 X10. Y20.50 E+1.5 F1200",
        "G1 X 10 Y 20.5 E 1.5 F 1200",
        "N12 G1 X10 Y20.5 E1.5 F1200*57",
        "N12G1X10Y20.5E1.5F1200*57",
        "  G1\tX10\tY20.5 E1.5 F1200 ; to the part",
        "G1 (to the part) X10 Y20.5 E1.5 F1200",
        "G0 X10 Y20.5 E1.5 F1200",
    ],
)
def test_one_move_in_many_styles(line: str) -> None:
    report = read(f"{HOT}G1 Z.3\n{line}\n")
    assert report.unreadable == ()
    assert report.printing == Box(0.0, 10.0, 0.0, 20.5, 0.3, 0.3)
    assert report.filament_mm == 1.5
    assert report.printing_moves == 1


@pytest.mark.parametrize(
    ("text", "value"), [(".05", 0.05), ("-.5", -0.5), ("1.", 1.0), ("+3", 3.0), ("-0", 0.0)]
)
def test_number_styles(text: str, value: float) -> None:
    assert read(f"{HOT}G1 X{text}\n").travel.min_x == value
    assert read(f"{HOT}G92 X100\nG1 X{text}\n").travel.max_x == value - 100


@pytest.mark.parametrize(
    "line",
    ["G1 X1 X2", "G1 X", "G1 X1.2.3", "G1 X--1", "G1 X{pos}", "G1 X1 G1 Y2", "G1 Xnan", "G1 X1e5e", "X10 Y10",
     "G1 X99999999", "G90 G1 X999", "G53 G1 X5", "M204 S100 G1 X999", "G21 G91 G1 Z5", "T1 M104 S400",
     "((((((((((((((((((((((((((((((", "G1. X1", "G5 X1 Y1 I0 J1", "G2 X1 Y1", "G2 X5 Y5 R1", "#$%"],
)  # fmt: skip
def test_what_cannot_be_read_is_listed_and_changes_nothing(line: str) -> None:
    report = read(f"{HOT}{line}\n")
    assert report.unreadable_count == 1
    assert report.unreadable[0].line == 3
    assert report.travel is None
    assert report.filament == ()


def test_absolute_and_relative_extrusion_give_the_same_length() -> None:
    absolute = read(HOT + "M82\nG92 E0\nG1 X1 E1\nG1 X2 E2.5\nG1 E1.5\nG1 X3\nG1 E2.5\nG92 E0\nG1 X4 E.5\n")
    relative = read(HOT + "M83\nG1 X1 E1\nG1 X2 E1.5\nG1 E-1\nG1 X3\nG1 E1\nG1 X4 E.5\n")
    assert absolute.filament_mm == relative.filament_mm == 3.0


def test_filament_is_net_of_retraction_and_a_last_retraction_gives_nothing_back() -> None:
    assert read(HOT + "M83\nG1 X1 E5\nG1 E-2\n").filament_mm == 5.0
    assert read(HOT + "M83\n" + "G1 X1 E1\nG1 E-.8\nG1 X2\nG1 E.8\n" * 3).filament_mm == pytest.approx(3.0)


def test_filament_counts_per_tool() -> None:
    report = read("M104 T0 S210\nM104 T1 S210\nG28\nM83\nT0\nG1 X1 E1\nT1\nG1 X2 E2\nT0\nG1 X3 E4\n")
    assert [(use.tool, use.mm) for use in report.filament] == [(0, 5.0), (1, 2.0)]


def test_volume_follows_the_stated_diameter() -> None:
    report = read(HOT + "M83\nG1 X1 E100\n; filament_diameter = 2.85\n")
    assert report.filament[0].mm3 == pytest.approx(100 * math.pi * 2.85**2 / 4)
    assert report.grams(1.24) == pytest.approx(report.filament[0].mm3 * 1.24 / 1000)


def test_inches() -> None:
    assert read(HOT + "G20\nG1 X1 Y2\nG21\nG1 X5\n").travel == Box(5.0, 25.4, 50.8, 50.8, 0.0, 0.0)


def test_relative_moves() -> None:
    assert read(HOT + "G1 X10 Y10\nG91\nG1 X-3\nG1 Y2 Z1\nG90\nG1 X0\n").travel == Box(
        0.0, 10.0, 10.0, 12.0, 0.0, 1.0
    )


def test_a_shifted_origin_does_not_hide_where_the_machine_goes() -> None:
    report = read(HOT + "G1 X200 Y200\nG92 X0 Y0\nG1 X100 Y100\n")
    assert report.travel.max_x == 300.0
    assert not report.frame_unknown
    assert read("G92 X0\nG1 X5\n").frame_unknown


def test_unknown_axes_have_no_extents() -> None:
    report = read("G1 X5\nG91\nG1 Z5\n")
    assert report.travel == Box(5.0, 5.0, None, None, None, None)


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("G2 X20 Y10 I5 J0", Box(10.0, 20.0, 10.0, 15.0)),
        ("G3 X20 Y10 I5 J0", Box(10.0, 20.0, 5.0, 10.0)),
        ("G2 X10 Y10 I5 J0", Box(10.0, 20.0, 5.0, 15.0)),
        ("G2 X20 Y10 R5", Box(10.0, 20.0, 10.0, 15.0)),
    ],
)
def test_arcs_reach_out_to_their_bulge(line: str, box: Box) -> None:
    report = read(HOT + f"G1 X10 Y10 Z1\nM83\n{line} E1\n")
    assert report.printing is not None
    for name in ("min_x", "max_x", "min_y", "max_y"):
        assert getattr(report.printing, name) == pytest.approx(getattr(box, name))


def test_a_negative_radius_takes_the_longer_way_round() -> None:
    # a circle of 10 mm radius over a chord of 10 mm bulges by 10 + sqrt(75)
    report = read(HOT + "G1 X10 Y10 Z1\nM83\nG3 X10 Y20 R-10 E1\n")
    assert report.printing.max_x - report.printing.min_x == pytest.approx(10 + math.sqrt(75))


def test_arcs_extrude_along_their_length() -> None:
    # a full circle of 10 mm radius at 10 mm/s takes 2 pi seconds; 6.283 mm of filament in it is 1 mm/s
    report = read(HOT + f"G1 X10 Y10 F600\nM83\nG2 X10 Y10 I10 J0 E{math.tau:.5f}\n")
    assert report.max_flow == pytest.approx(math.pi * 1.75**2 / 4, rel=1e-4)


def test_flow_is_averaged_so_that_one_tiny_segment_does_not_decide() -> None:
    calm = "".join(f"G1 X{i % 2 * 10} E0.5\n" for i in range(40))
    report = read(HOT + "M83\nG1 X0 Y0 Z.2 F1200\n" + calm + "G1 X10.001 E0.01\n" + calm)
    assert report.max_flow == pytest.approx(1.0 * math.pi * 1.75**2 / 4, rel=0.05)
    fast = read(HOT + "M83\nG1 X0 Y0 Z.2 F1200\n" + calm + calm.replace("E0.5", "E5"))
    assert fast.max_flow == pytest.approx(10.0 * math.pi * 1.75**2 / 4, rel=0.05)
    assert fast.max_flow_line is not None
    assert fast.max_flow_line > 40


def test_layers_come_from_motion() -> None:
    body = "".join(
        f"G1 Z{z / 10:g}\nG1 X10 E1\nG1 Z{z / 10 + 1:g}\nG1 X0\nG1 Z{z / 10:g}\n" for z in range(2, 12)
    )
    report = read(HOT + "M83\n" + body)
    assert (report.layers, report.first_layer, report.layer_height, report.top) == (10, 0.2, 0.1, 1.1)


def test_a_spiral_is_not_a_thousand_layers() -> None:
    body = "".join(f"G1 X{i % 2 * 10} Z{0.2 + i / 1000:.3f} E1\n" for i in range(1, 500))
    report = read(HOT + "M83\nG1 Z.2\nG1 X5 E1\n" + body)
    assert report.layers == 1
    assert report.spiral_moves == 499


def test_a_purge_line_before_the_first_layer_is_told_apart() -> None:
    report = read(HOT + "M83\nG1 Z.2\nG1 Y-3\nG1 X60 E9\n;LAYER_CHANGE\nG1 X50 Y50\nG1 X90 Y90 E3\n")
    assert report.priming == Box(0.0, 60.0, -3.0, -3.0, 0.2, 0.2)
    assert report.printing == Box(50.0, 90.0, 50.0, 90.0, 0.2, 0.2)


def test_zones_are_touched_by_crossing_not_by_grazing() -> None:
    zones = ((0.0, 0.0, 18.0, 28.0), (100.0, 100.0, 110.0, 110.0))
    report = read(HOT + "M83\nG1 X18 Y0 Z1\nG1 Y100 E5\nG1 X95 Y105\nG1 X120 Y105 E1\n", zones)
    assert [use.first_line for use in report.zones] == [None, 7]


def test_line_ends_bom_and_zero_bytes() -> None:
    lines = [b"M104 S210", b"G28", b"G1 X10 Y10 Z1", b"M83", b"G1 X20 E1"]
    expected = read(b"\n".join(lines) + b"\n")
    for text in (
        b"\r\n".join(lines),
        b"\r".join(lines),
        b"\xef\xbb\xbf" + b"\n".join(lines),
        b"\n".join(lines),
    ):
        report = read(text)
        assert report.printing == expected.printing
        assert report.lines == 5
    assert read(b"\n".join(lines) + b"\0\0").nul_bytes == 2


def test_very_long_lines_are_bounded() -> None:
    report = read(b"G28\nM117 " + b"x" * 5_000_000 + b"\n; " + b"y" * 5_000_000 + b"\nG1 X5\n")
    assert report.lines == 4
    assert report.unreadable_count == 1
    assert report.long_lines == 2
    assert report.travel.max_x == 5.0


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", "empty"), (b"GCDE\x01\0\0\0", "bgcode"), (b"PK\x03\x04rest", "zip"), (bytes(range(256)) * 20, "binary"),
     ("G1 X1".encode("utf-16"), "binary"), (b"\0" * 5000, "binary")],
)  # fmt: skip
def test_what_is_not_text_is_named(data: bytes, kind: str) -> None:
    assert read(data).kind == kind


def test_what_slicers_say() -> None:
    report = read(
        "; generated by PrusaSlicer 2.5.0+linux on 2026-01-01\n; printing object bracket.stl id:0 copy 0\n"
        "; estimated printing time (normal mode) = 1d 2h 3m 4s\n; printer_model = MK3S\n; nozzle_diameter = 0.4\n"
        "; filament_type = PETG;PLA\n; filament used [mm] = 1491.16, 20.5\n; thumbnail begin 220x124 9000\n"
    )
    assert (report.slicer, report.slicer_version) == ("PrusaSlicer", "2.5.0+linux")
    assert report.objects == ("bracket.stl",)
    assert report.estimated_seconds == 93784
    assert report.printer_models == ("MK3S",)
    assert report.nozzles == (0.4,)
    assert report.filament_types == ("PETG", "PLA")
    assert report.declared_filament_mm == (1491.16, 20.5)
    assert report.thumbnails == ("220x124",)


def test_what_cura_and_orca_say() -> None:
    cura = read(
        ";FLAVOR:Marlin\n;TIME:6666\n;Filament used: 1.5m\n;TARGET_MACHINE.NAME:Creality Ender-3\n"
        ";Generated with Cura_SteamEngine 5.2.1\n;LAYER_COUNT:2\n;LAYER:0\n;MESH:a.stl\n;MESH:NONMESH\n;LAYER:1\n"
    )
    assert (cura.slicer, cura.slicer_version, cura.estimated_seconds) == ("Cura_SteamEngine", "5.2.1", 6666)
    assert (cura.marked_layers, cura.declared_layers, cura.objects) == (2, 2, ("a.stl",))
    assert cura.declared_filament_mm == (1500.0,)
    assert cura.printer_models == ("Creality Ender-3",)
    orca = read(
        "; BambuStudio 01.08.04.51\n; model printing time: 13m 15s; total estimated time: 19m 24s\n"
        "; total layer number: 100\nM486 S0\nM486 Acube\nEXCLUDE_OBJECT_DEFINE NAME=ring_1 CENTER=1,2\n"
    )
    assert (orca.slicer, orca.slicer_version, orca.estimated_seconds) == ("BambuStudio", "01.08.04.51", 1164)
    assert orca.declared_layers == 100
    assert orca.objects == ("cube", "ring_1")


def test_names_from_a_file_cannot_carry_escape_sequences() -> None:
    report = read(
        "; printing object \x1b[2Jevil id:0 copy 0\n; printer_model = \x1b]0;x\x07\n\x1b[31mG1 X1\n"
    )
    said = "".join(
        (*report.objects, *report.printer_models, *report.unknown, *(p.text for p in report.unreadable))
    )
    assert "\x1b" not in said
    assert "evil" in said


def test_e_mode_that_depends_on_the_firmware_is_said() -> None:
    assert not read(HOT + "G90\nM83\nG1 X1 E1\n").extruder_mode_unclear
    assert not read(HOT + "M83\nG1 X1 E1\nG91\nG1 Z1\nG90\nG1 X9\n").extruder_mode_unclear
    assert read(HOT + "M83\nG90\nG1 X1 E1\n").extruder_mode_unclear
