"""Everything that can go wrong with the real slicer: named by its outcome, nothing left behind, nothing trusted."""

import os
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.plates.plate_file import Instance, PlateFile, write_plate
from core.plates.stl import MeshRefused
from core.slicing.outcomes import NotSliced, SliceOutcome
from core.slicing.prusa import Sliced, expand_profile
from tests.slicer.blocks import FACES
from tests.slicer.conftest import Bench
from tests.slicer.gating import gate

Block = Callable[..., Path]
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"


def raw_plate(
    bench: Bench, corners: list[tuple[object, object, object]], *, cut: int | None = None
) -> PlateFile:
    """A plate file that our writer would never write, to see what the driver makes of the slicer's answer."""
    path = bench.folder / "raw.3mf"
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in corners)
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in FACES if corners)
    with zipfile.ZipFile(write_box(bench)) as template, zipfile.ZipFile(path, "w") as archive:
        for name in template.namelist()[:2]:
            archive.writestr(name, template.read(name))
        archive.writestr(
            "3D/3dmodel.model",
            f'<?xml version="1.0" encoding="UTF-8"?><model unit="millimeter" xmlns="{CORE}"><resources>'
            f'<object id="1" type="model" name="p"><mesh><vertices>{vertices}</vertices>'
            f"<triangles>{triangles}</triangles></mesh></object></resources>"
            '<build><item objectid="1" transform="1 0 0 0 1 0 0 0 1 100 100 0"/></build></model>',
        )
    if cut is not None:
        path.write_bytes(path.read_bytes()[:cut])
    return PlateFile(path=path, sha256="", names=("p",), boxes=((90, 90, 0, 110, 110, 20),))


def write_box(bench: Bench) -> Path:
    mesh = bench.folder / "one.stl"
    faces = struct.pack("<12fH", 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0)
    mesh.write_bytes(bytes(80) + struct.pack("<I", 1) + faces)
    return write_plate(bench.folder / "template.3mf", [Instance(name="p", mesh=mesh, x=0, y=0)]).path


def box_corners(half: float, height: object) -> list[tuple[object, object, object]]:
    flat = [(-half, -half), (half, -half), (half, half), (-half, half)]
    return [(x, y, 0) for x, y in flat] + [(x, y, height) for x, y in flat]


def refused(result: Sliced | NotSliced) -> NotSliced:
    assert isinstance(result, NotSliced), result
    assert result.outcome.sentence
    assert result.outcome.next_step
    return result


@pytest.mark.parametrize(
    ("corners", "cut", "outcome"),
    [
        ([], None, SliceOutcome.MODEL_EMPTY),
        (box_corners(10, 20), 400, SliceOutcome.MODEL_UNREADABLE),
        (box_corners(10, 0.02), None, SliceOutcome.MODEL_NO_LAYERS),
        (box_corners(0.03, 20), None, SliceOutcome.MODEL_NO_LAYERS),
    ],
    ids=["empty", "cut off", "thin as paper", "thin as a hair"],
)
def test_a_bad_model_is_named(
    bench: Bench, corners: list[tuple[object, object, object]], cut: int | None, outcome: SliceOutcome
) -> None:
    result = refused(bench.slice(raw_plate(bench, corners, cut=cut)))
    assert result.outcome is outcome
    assert result.log


def test_not_a_number_in_a_mesh_never_reaches_the_slicer(bench: Bench) -> None:
    mesh = bench.folder / "nan.stl"
    mesh.write_bytes(bytes(80) + struct.pack("<I12fH", 1, *[float("nan")] * 12, 0))
    with pytest.raises(MeshRefused, match="not a number"):
        bench.plate(Instance(name="p", mesh=mesh, x=0, y=0))


@pytest.mark.parametrize(
    ("size", "x", "words"),
    [
        ((300, 20, 5), 110, "beyond the bed"),
        ((20, 20, 400), 110, "higher than"),
        ((20, 20, 5), 215, "beyond the bed"),
        ((20, 20, 5), -500, "beyond the bed"),
    ],
)
def test_what_does_not_fit_is_said_before_slicing(
    bench: Bench, block: Block, size: tuple[float, float, float], x: float, words: str
) -> None:
    result = refused(bench.slice(bench.plate(Instance(name="big", mesh=block(*size), x=x, y=110))))
    assert result.outcome is SliceOutcome.DOES_NOT_FIT
    assert words in result.detail
    assert bench.progress == []


def test_a_part_on_an_excluded_area_does_not_fit(bench: Bench, block: Block) -> None:
    model = replace(bench.model, excluded=((0.0, 0.0, 40.0, 40.0),))
    plate = bench.plate(Instance(name="p", mesh=block(20, 20, 5), x=45, y=45))
    result = refused(bench.slice(plate, model=model))
    assert result.outcome is SliceOutcome.DOES_NOT_FIT
    assert "must stay free" in result.detail


def test_an_honest_product_passes_the_real_gate(bench: Bench, block: Block) -> None:
    plate = bench.plate(Instance(name="p", mesh=block(20, 20, 5), x=110, y=110))
    assert isinstance(bench.slice(plate, check=gate(bench.model)), Sliced)


@pytest.mark.parametrize(
    "changes",
    [
        {"start_gcode": r"G28\nM104 S998\nM109 S998"},
        {"end_gcode": r"M140 S150"},
        {"layer_gcode": "M997"},
        {"temperature": "280"},
    ],
)
def test_a_profile_that_asks_for_danger_is_stopped_by_the_gate(
    bench: Bench, block: Block, changes: dict[str, str]
) -> None:
    plate = bench.plate(Instance(name="p", mesh=block(20, 20, 5), x=110, y=110))
    result = refused(bench.slice(plate, changes=changes, check=gate(bench.model)))
    assert result.outcome is SliceOutcome.UNSAFE_GCODE
    assert result.detail
    assert not (bench.folder / "product.gcode").exists()


def test_a_path_outside_the_printer_is_stopped_by_the_gate(bench: Bench, block: Block) -> None:
    plate = bench.plate(Instance(name="p", mesh=block(20, 20, 5), x=12, y=110))
    brim = {"brim_type": "outer_only", "brim_width": "15", "skirts": "0"}
    result = refused(bench.slice(plate, changes=brim, check=gate(bench.model)))
    assert result.outcome is SliceOutcome.OUT_OF_VOLUME


def test_a_script_in_a_profile_is_refused_and_never_run(
    bench: Bench, block: Block, known: frozenset[str]
) -> None:
    marker = bench.folder / "ran"
    settings = bench.settings | {"post_process": f"/usr/bin/touch {marker}"}
    result = expand_profile(bench.engine, settings, bench.folder, known)
    assert isinstance(result, NotSliced)
    assert result.outcome is SliceOutcome.SCRIPT_REFUSED
    # and even if such a profile came past the check, the command line takes the script away
    profile = bench.expanded()
    text = profile.text.replace("post_process = \n", f"post_process = /usr/bin/touch {marker}\n")
    assert str(marker) in text
    plate = bench.plate(Instance(name="p", mesh=block(10, 10, 2), x=50, y=50))
    bench.slice(plate, profile=replace(profile, text=text))
    assert not marker.exists()


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"layer_hight": "0.2"}, SliceOutcome.PROFILE_INVALID),
        ({"fill_pattern": "nonsense"}, SliceOutcome.PROFILE_INVALID),
        ({"fill_density": "900%"}, SliceOutcome.PROFILE_INVALID),
        ({"nozzle_diameter": "-3"}, SliceOutcome.PROFILE_INVALID),
        ({"start_gcode": "{foo"}, SliceOutcome.PROFILE_GCODE),
        ({"layer_height": "5"}, SliceOutcome.PROFILE_INVALID),
    ],
)
def test_a_bad_profile_is_named(
    bench: Bench, block: Block, known: frozenset[str], changes: dict[str, str], outcome: SliceOutcome
) -> None:
    found = expand_profile(bench.engine, bench.settings | changes, bench.folder, known)
    if not isinstance(found, NotSliced):
        plate = bench.plate(Instance(name="p", mesh=block(20, 20, 20), x=110, y=110))
        found = refused(bench.slice(plate, profile=found))
    assert found.outcome is outcome
    assert found.detail


def slow_plate(bench: Bench, block: Block) -> tuple[PlateFile, dict[str, str]]:
    mesh = block(200, 200, 200)
    return bench.plate(Instance(name="p", mesh=mesh, x=110, y=110)), {
        "fill_pattern": "gyroid",
        "fill_density": "40%",
        "layer_height": "0.1",
    }


def children() -> set[int]:
    """Running descendants of this process by the name of the slicer."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"plate.3mf" in command and b"prusa-slicer" in command:
                found.add(int(entry.name))
    return found


def test_cancel_ends_it_within_a_second_and_leaves_nothing(bench: Bench, block: Block) -> None:
    plate, changes = slow_plate(bench, block)
    profile = bench.expanded(**changes)
    cancel = threading.Event()
    results: list[tuple[Sliced | NotSliced, float]] = []

    def work() -> None:
        result = bench.slice(plate, profile=profile, cancel=cancel)
        results.append((result, time.monotonic()))

    others = children()
    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 20
    while not bench.progress and time.monotonic() < deadline:
        time.sleep(0.02)
    assert bench.progress, "the slicer never started"
    asked = time.monotonic()
    cancel.set()
    thread.join(10)
    result, ended = results[0]
    assert refused(result).outcome is SliceOutcome.CANCELLED
    assert ended - asked < 1.0
    assert children() <= others


def test_a_time_limit_ends_it(bench: Bench, block: Block) -> None:
    plate, changes = slow_plate(bench, block)
    profile = bench.expanded(**changes)
    started = time.monotonic()
    result = refused(bench.slice(plate, profile=profile, limits={"seconds": 1.0}))
    assert result.outcome is SliceOutcome.TIMEOUT
    assert time.monotonic() - started < 4.0


def test_a_memory_limit_ends_it(bench: Bench, block: Block) -> None:
    plate, changes = slow_plate(bench, block)
    result = refused(bench.slice(plate, profile=bench.expanded(**changes), limits={"memory": 450 << 20}))
    assert result.outcome is SliceOutcome.OUT_OF_MEMORY


def test_a_size_limit_ends_it(bench: Bench, block: Block) -> None:
    plate = bench.plate(Instance(name="p", mesh=block(20, 20, 20), x=110, y=110))
    result = refused(bench.slice(plate, limits={"file_size": 50_000}))
    assert result.outcome is SliceOutcome.OUTPUT_TOO_BIG


def impostor(bench: Bench, script: str) -> Bench:
    """An engine that misbehaves in a way that a real one was seen to: what it says is not what it did."""
    path = bench.folder.parent / "impostor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    bench.engine = replace(bench.engine, path=path)
    return bench


ONE_PART = r"printf ';LAYER_CHANGE\n; printing object a id:0 copy 0\nG1 X1\n' > plate.gcode"


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("exit 0", SliceOutcome.EMPTY_RESULT),
        ("printf 'G28\\n' > plate.gcode", SliceOutcome.EMPTY_RESULT),
        (": > plate.gcode", SliceOutcome.EMPTY_RESULT),
        ("ln -s /etc/hostname plate.gcode", SliceOutcome.EMPTY_RESULT),
        (ONE_PART, SliceOutcome.PARTS_DROPPED),
        (f"{ONE_PART}; exit 1", SliceOutcome.SLICER_FAILED),
        (f"{ONE_PART}; kill -SEGV $$", SliceOutcome.SLICER_CRASHED),
        (f"{ONE_PART}; kill -ABRT $$", SliceOutcome.SLICER_CRASHED),
        ("echo 'No space left on device'; exit 1", SliceOutcome.DISK_FULL),
        ("echo 'All objects are outside of the print volume.'", SliceOutcome.DOES_NOT_FIT),
    ],
)
def test_an_engine_that_lies_about_its_success_is_found_out(
    bench: Bench, block: Block, script: str, outcome: SliceOutcome
) -> None:
    profile = bench.expanded()
    mesh = block(10, 10, 2)
    plate = bench.plate(Instance(name="a", mesh=mesh, x=50, y=50), Instance(name="b", mesh=mesh, x=90, y=50))
    result = refused(impostor(bench, script).slice(plate, profile=profile))
    assert result.outcome is outcome


def test_what_the_engine_says_is_cleaned_and_bounded(bench: Bench, block: Block) -> None:
    profile = bench.expanded()
    plate = bench.plate(Instance(name="a", mesh=block(10, 10, 2), x=50, y=50))
    flood = (
        r"""printf '\033[2J\033]0;owned\007\n'; yes 'all work and no play' | head -c 3000000; echo; exit 3"""
    )
    result = refused(impostor(bench, flood).slice(plate, profile=profile))
    assert result.outcome is SliceOutcome.SLICER_FAILED
    assert len(result.log) <= 30
    assert len(result.detail) <= 300
    assert not any(ord(c) < 32 for line in (*result.log, result.detail) for c in line)


def test_an_engine_sees_little_and_its_children_die_with_it(bench: Bench, block: Block) -> None:
    profile = bench.expanded()
    plate = bench.plate(Instance(name="a", mesh=block(10, 10, 2), x=50, y=50))
    report = bench.folder.parent / "seen"
    script = (
        f"{{ env; pwd; stat -c 'mode %a' .; nice; ulimit -c; cat; }} > {report}; "
        f"sleep 300 & echo $! > {report}.child; exit 1"
    )
    os.environ["KILN_TEST_SECRET"] = "hidden"
    try:
        refused(impostor(bench, script).slice(plate, profile=profile))
    finally:
        del os.environ["KILN_TEST_SECRET"]
    seen = report.read_text()
    assert "hidden" not in seen
    assert "mode 700" in seen
    assert f"HOME={bench.folder}" in seen
    assert "\n0\n" in seen  # no core dumps
    child = int(Path(f"{report}.child").read_text())
    deadline = time.monotonic() + 2
    while running(Path(f"/proc/{child}")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(Path(f"/proc/{child}"))


def test_a_killed_kiln_leaves_no_slicer_running(tmp_path: Path) -> None:
    script = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from core.slicing.sandbox import default_limits, run\n"
        "run(['/bin/sh', '-c', 'echo $$; exec sleep 300'], folder=Path(sys.argv[1]), environment={},"
        " limits=default_limits(), cancel=threading.Event(), on_line=lambda line: print(line, flush=True))\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as kiln:
        assert kiln.stdout is not None
        slicer = Path("/proc") / kiln.stdout.readline().strip()
        assert slicer.exists()
        kiln.kill()
        kiln.wait()
        deadline = time.monotonic() + 5
        while running(slicer) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not running(slicer)


def running(process: Path) -> bool:
    """Whether a process is there and not just waiting to be collected."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_every_outcome_has_words() -> None:
    for outcome in SliceOutcome:
        assert outcome.sentence.endswith(".")
        assert outcome.next_step.endswith(".")
