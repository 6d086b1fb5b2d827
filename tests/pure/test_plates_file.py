"""Our own plate file: same bytes for the same plate, nothing foreign in it, bad meshes refused by name."""

import hashlib
import struct
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from core.plates.plate_file import Instance, write_plate
from core.plates.stl import MeshFault, MeshRefused, read_binary_stl
from tests.slicer.blocks import write_block

NS = {"m": "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"}


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    path = write_block(tmp_path / "cube.stl", 20, 20, 20)
    assert read_binary_stl(path).low == (-10, -10, 0)
    return path


def model_of(path: Path) -> ET.Element:
    with zipfile.ZipFile(path) as archive:
        return ET.fromstring(archive.read("3D/3dmodel.model"))


def test_the_same_plate_gives_the_same_bytes_wherever_it_is_written(tmp_path: Path, mesh: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    copy = other / "renamed.stl"
    copy.write_bytes(mesh.read_bytes())
    first = write_plate(tmp_path / "a.3mf", [Instance(name="p-1", mesh=mesh, x=100, y=80)])
    second = write_plate(other / "b.3mf", [Instance(name="p-1", mesh=copy, x=100, y=80)])
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()


def test_each_part_is_one_named_object_with_its_absolute_place(tmp_path: Path, mesh: Path) -> None:
    plate = write_plate(
        tmp_path / "p.3mf",
        [
            Instance(name="p-1", mesh=mesh, x=100.125, y=80),
            Instance(name="p-2", mesh=mesh, x=-5, y=7, rotation=90),
        ],
    )
    root = model_of(plate.path)
    assert [o.get("name") for o in root.findall(".//m:object", NS)] == ["p-1", "p-2"]
    assert [i.get("transform") for i in root.findall(".//m:item", NS)] == [
        "1 0 0 0 1 0 0 0 1 100.125 80 0",
        "0 1 0 -1 0 0 0 0 1 -5 7 0",
    ]
    # a cube has 8 corners and 12 triangles once its corners are merged
    assert len(root.findall(".//m:object[@id='1']//m:vertex", NS)) == 8
    assert len(root.findall(".//m:object[@id='1']//m:triangle", NS)) == 12
    assert plate.boxes[0] == (90.125, 70.0, 0.0, 110.125, 90.0, 20.0)


def test_a_part_turned_by_any_angle_has_the_box_of_its_corners(tmp_path: Path, mesh: Path) -> None:
    plate = write_plate(tmp_path / "p.3mf", [Instance(name="p", mesh=mesh, x=0, y=0, rotation=45)])
    assert plate.boxes[0] == pytest.approx((-14.1421, -14.1421, 0, 14.1421, 14.1421, 20), abs=1e-3)


def test_numbers_of_the_mesh_survive_exactly(tmp_path: Path) -> None:
    path = tmp_path / "b.stl"
    write_block(path, 10 / 3, 10 / 7, 100 / 11)
    plate = write_plate(tmp_path / "p.3mf", [Instance(name="p", mesh=path, x=0, y=0)])
    written = {
        tuple(struct.unpack("<f", struct.pack("<f", float(v.get(axis) or "")))[0] for axis in "xyz")
        for v in model_of(plate.path).findall(".//m:vertex", NS)
    }
    assert written == set(read_binary_stl(path).vertices)


@pytest.mark.parametrize("name", ['a"/><evil x="', "a b", "", "-a", "a" * 81, "../a", "a\n", "ä"])
def test_a_name_that_is_not_plain_is_refused(tmp_path: Path, mesh: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name of a part"):
        write_plate(tmp_path / "p.3mf", [Instance(name=name, mesh=mesh, x=0, y=0)])


def test_two_parts_with_one_name_are_refused(tmp_path: Path, mesh: Path) -> None:
    one = Instance(name="p", mesh=mesh, x=0, y=0)
    with pytest.raises(ValueError, match="same name"):
        write_plate(tmp_path / "p.3mf", [one, one])


def test_a_place_that_is_not_a_number_is_refused(tmp_path: Path, mesh: Path) -> None:
    with pytest.raises(ValueError, match="no usable place"):
        write_plate(tmp_path / "p.3mf", [Instance(name="p", mesh=mesh, x=float("nan"), y=0)])


def _stl(count: int, *faces: tuple[float, ...]) -> bytes:
    return (
        bytes(80) + struct.pack("<I", count) + b"".join(struct.pack("<12fH", 0, 0, 1, *f, 0) for f in faces)
    )


FLAT = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", MeshFault.EMPTY),
        (b"solid cube", MeshFault.TRUNCATED),
        (_stl(0), MeshFault.EMPTY),
        (_stl(2, FLAT), MeshFault.TRUNCATED),
        (_stl(4_000_000_000), MeshFault.UNREADABLE),
        (_stl(1, (float("nan"), *FLAT[1:])), MeshFault.UNREADABLE),
        (_stl(1, (float("inf"), *FLAT[1:])), MeshFault.UNREADABLE),
        (_stl(1, (1.0,) * 9), MeshFault.EMPTY),
    ],
)
def test_a_bad_mesh_is_named_by_what_is_wrong_with_it(tmp_path: Path, data: bytes, fault: MeshFault) -> None:
    path = tmp_path / "bad.stl"
    path.write_bytes(data)
    with pytest.raises(MeshRefused) as refused:
        read_binary_stl(path)
    assert refused.value.fault is fault


def test_minus_zero_and_zero_are_one_corner(tmp_path: Path) -> None:
    path = tmp_path / "z.stl"
    path.write_bytes(_stl(2, FLAT, (-0.0, -0.0, -0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)))
    assert len(read_binary_stl(path).vertices) == 4
