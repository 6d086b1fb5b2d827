"""Real output of the real slicer: the scan finds what the slicer itself says it has written."""

import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from core import catalog
from core.domain.words import Verdict
from core.gcode import summary
from core.gcode.gate import judge, zones_of
from core.gcode.policy import GcodePolicy
from core.gcode.report import GcodeReport
from core.gcode.service import GcodeRefusedError, scan_file

SLICER = shutil.which("prusa-slicer")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(SLICER is None, reason="PrusaSlicer is not installed: apt-get install prusa-slicer"),
]

# The limits and the start code of the vendor's profile for the MK3S, with the purge line at Y-3.
START = [
    'M862.3 P "[printer_model]"', "G90", "{mode}", "M104 S[first_layer_temperature]",
    "M140 S[first_layer_bed_temperature]", "M190 S[first_layer_bed_temperature]", "M109 S[first_layer_temperature]",
    "G28 W", "G80", "G1 Z0.2 F720", "G1 Y-3 F1000", "G92 E0", "G1 X60 E9 F1000", "G1 X100 E{intro} F1000", "G92 E0",
    "M221 S95",
]  # fmt: skip
END = ["G1 X0 Y200 F3600", "G4", "M221 S100", "M104 S0", "M140 S0", "M107", "M84"]
PROFILE = """\
printer_model = MK3S
bed_shape = 0x0,250x0,250x210,0x210
max_print_height = 210
gcode_flavor = marlin
nozzle_diameter = 0.4
layer_height = 0.2
first_layer_height = 0.2
temperature = 210
first_layer_temperature = 215
bed_temperature = 60
first_layer_bed_temperature = 60
filament_type = PLA
filament_diameter = 1.75
filament_density = 1.24
gcode_label_objects = 1
"""


def box(path: Path, x: float, y: float, z: float) -> Path:
    corners = [(i & 1 and x, i >> 1 & 1 and y, i >> 2 & 1 and z) for i in range(8)]
    faces = [(0, 2, 3), (0, 3, 1), (4, 5, 7), (4, 7, 6), (0, 1, 5), (0, 5, 4),
             (2, 6, 7), (2, 7, 3), (0, 4, 6), (0, 6, 2), (1, 3, 7), (1, 7, 5)]  # fmt: skip
    triangles = b"".join(
        struct.pack("<12fH", 0, 0, 0, *(float(c) for i in face for c in corners[i]), 0) for face in faces
    )
    path.write_bytes(b"\0" * 80 + struct.pack("<I", len(faces)) + triangles)
    return path


def sliced(
    folder: Path,
    *,
    relative: bool = True,
    size: tuple[float, float, float] = (20, 20, 20),
    more: str = "skirts = 0",
) -> Path:
    profile = folder / "profile.ini"
    mode, intro = ("M83", "12.5") if relative else ("M82", "21.5")
    start = "\\n".join(START).format(mode=mode, intro=intro)
    lines = [PROFILE, f"start_gcode = {start}", "end_gcode = " + "\\n".join(END), more]
    if relative:
        lines += [
            "use_relative_e_distances = 1",
            "before_layer_gcode = ;BEFORE_LAYER_CHANGE\\nG92 E0\\n;[layer_z]\\n",
        ]
    profile.write_text("\n".join(lines))
    out = folder / "plate.gcode"
    out.unlink(missing_ok=True)
    assert SLICER is not None
    command = [
        SLICER,
        "--export-gcode",
        "--load",
        str(profile),
        "--output",
        str(out),
        str(box(folder / "a.stl", *size)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert out.exists(), done.stderr
    return out


def both(path: Path) -> GcodeReport:
    zones = zones_of(catalog.load_printer_models())
    fast = scan_file(path)
    with path.open("rb") as stream:
        plain = summary.scan_plainly(stream, zones)
    assert fast.max_flow == pytest.approx(plain.max_flow, rel=1e-9)
    for name in plain.__struct_fields__:
        if name != "max_flow":
            assert getattr(fast, name) == getattr(plain, name), name
    return fast


@pytest.mark.parametrize("relative", [True, False])
def test_a_cube_is_as_the_slicer_says(tmp_path: Path, relative: bool) -> None:
    path = sliced(tmp_path, relative=relative)
    report = both(path)
    text = path.read_text()
    said_mm = float(text.split("; filament used [mm] = ")[1].split("\n")[0])
    assert report.declared_filament_mm == (said_mm,)
    assert report.filament_mm == pytest.approx(said_mm + 21.5, abs=2.5)  # the purge line is not in the sum
    minutes, seconds = text.split("estimated printing time (normal mode) = ")[1].split("\n")[0].split()
    assert report.estimated_seconds == int(minutes[:-1]) * 60 + int(seconds[:-1])
    assert report.layers == text.count(";LAYER_CHANGE") == 100
    assert (report.top, report.first_layer, report.layer_height) == (20.0, 0.2, 0.2)
    assert report.slicer == "PrusaSlicer"
    assert report.slicer_version is not None
    assert report.slicer_version.startswith("2.")
    assert report.printer_models == ("MK3S",)
    assert report.filament_types == ("PLA",)
    assert report.nozzles == (0.4,)
    assert len(report.objects) == 1
    assert report.hotend is not None
    assert report.hotend.celsius == 215.0
    assert report.bed is not None
    assert report.bed.celsius == 60.0
    assert report.unknown == {}
    assert report.unreadable == ()
    assert report.watched == ()
    assert report.printing is not None
    assert report.printing.max_x is not None
    assert report.printing.max_x == pytest.approx(135.0, abs=0.5)
    assert report.priming is not None
    assert report.priming.min_y == -3.0


def test_the_gate_passes_it_for_its_printer_and_refuses_it_elsewhere(tmp_path: Path) -> None:
    models, policy = catalog.load_printer_models(), GcodePolicy(reaches=catalog.load_reaches())
    report = both(sliced(tmp_path))
    good = judge(report, models["prusa_mk3s"], material=catalog.load_materials()["PLA"], policy=policy)
    assert good.findings == ()
    other = judge(report, models["prusa_mk4"], material=None, policy=policy)
    assert [f.code for f in other.findings] == ["WRONG_PRINTER"]


def test_what_the_slicer_lets_through_is_caught(tmp_path: Path) -> None:
    models, policy = catalog.load_printer_models(), GcodePolicy(reaches=catalog.load_reaches())
    hot = sliced(tmp_path, more="layer_gcode = M104 S998")
    found = judge(both(hot), models["prusa_mk3s"], material=None, policy=policy)
    assert "OVER_TEMPERATURE" in {f.code for f in found.findings}
    wide = sliced(tmp_path, size=(20, 20, 1), more="skirts = 1\nskirt_distance = 120")
    found = judge(both(wide), models["prusa_mk3s"], material=None, policy=policy)
    assert "OUTSIDE_BED" in {f.code for f in found.findings if f.severity is Verdict.FAIL}


def test_half_a_file_is_noticed(tmp_path: Path) -> None:
    path = sliced(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = judge(
        both(path),
        catalog.load_printer_models()["prusa_mk3s"],
        material=None,
        policy=GcodePolicy(reaches=catalog.load_reaches()),
    )
    assert "TRUNCATED" in {f.code for f in found.findings}


def test_only_plain_files_of_bounded_size_are_scanned(tmp_path: Path) -> None:
    huge = tmp_path / "huge.gcode"
    with huge.open("wb") as stream:
        stream.truncate((1 << 30) + 1)
    with pytest.raises(GcodeRefusedError, match="GB"):
        scan_file(huge)
    with pytest.raises((GcodeRefusedError, OSError)):
        scan_file(tmp_path)
    (tmp_path / "link.gcode").symlink_to(huge)
    with pytest.raises(OSError, match="link"):
        scan_file(tmp_path / "link.gcode")
    fifo = tmp_path / "fifo.gcode"
    os.mkfifo(fifo)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    with pytest.raises(GcodeRefusedError, match="regular"):
        scan_file(fifo)
