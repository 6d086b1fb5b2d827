"""Our own plate file: geometry only, the same bytes for the same plate, every part named and placed by us.

The slicer never sees a file from outside: a foreign 3MF may carry settings, scripts and custom G-code.
Format: 3MF core specification 1.2, objects in mm, absolute placement by the transform of each build item.
"""

import hashlib
import math
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from core.plates.stl import Mesh, read_binary_stl

MAX_TRIANGLES = 20_000_000
"""Over all instances of one plate."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.#@+-]{0,79}")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>'
    "</Types>\n"
)
_RELS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rel0" Target="/3D/3dmodel.model" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>'
    "</Relationships>\n"
)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<model unit="millimeter" xml:lang="en-US" '
    'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">\n <resources>\n'
)


Box = tuple[float, float, float, float, float, float]
"""x0, y0, z0, x1, y1, z1 in mm, machine coordinates."""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One physical part: its name (unique on the plate), its mesh file, and where its centre stands.

    `x`, `y` in mm in machine coordinates, `rotation` in degrees counter-clockwise about the vertical.
    """

    name: str
    mesh: Path
    x: float
    y: float
    rotation: float = 0.0


class PlateFile(msgspec.Struct, frozen=True, kw_only=True):
    """A written plate file: its hash, and the names and boxes of its parts in the order of writing."""

    path: Path
    sha256: str
    names: tuple[str, ...]
    boxes: tuple[Box, ...]


def write_plate(path: Path, instances: Sequence[Instance]) -> PlateFile:
    """Write the plate file; the same instances give the same bytes on every machine.

    Raises MeshRefused for a mesh that is empty, truncated or not finite, and ValueError for names that are
    not plain or not unique, for placements that are not finite, or for more than `MAX_TRIANGLES`.
    """
    names = tuple(i.name for i in instances)
    if not instances:
        raise ValueError("a plate needs at least one part")
    if len(set(names)) != len(names):
        raise ValueError("two parts of the plate have the same name")
    for instance in instances:
        if not _NAME.fullmatch(instance.name):
            raise ValueError("the name of a part may hold letters, digits and _ . # @ + - only")
        if not all(map(math.isfinite, (instance.x, instance.y, instance.rotation))):
            raise ValueError(f"part {instance.name} has no usable place")
    meshes: dict[Path, Mesh] = {}
    for instance in instances:
        if instance.mesh not in meshes:
            meshes[instance.mesh] = read_binary_stl(instance.mesh)
    total = sum(len(meshes[i.mesh].triangles) for i in instances)
    if total > MAX_TRIANGLES:
        raise ValueError(f"{total} triangles on one plate; the limit is {MAX_TRIANGLES}")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, chunks in (
            ("[Content_Types].xml", iter((_TYPES,))),
            ("_rels/.rels", iter((_RELS,))),
            ("3D/3dmodel.model", _model(instances, meshes)),
        ):
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.create_system = 3  # fixed: the default depends on the machine that writes
            info.external_attr = 0o600 << 16
            with archive.open(info, "w") as member:
                for chunk in chunks:
                    member.write(chunk.encode("ascii"))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    boxes = tuple(_box(i, meshes[i.mesh]) for i in instances)
    return PlateFile(path=path, sha256=digest, names=names, boxes=boxes)


def _model(instances: Sequence[Instance], meshes: dict[Path, Mesh]) -> Iterator[str]:
    yield _HEAD
    for number, instance in enumerate(instances, 1):
        yield f'  <object id="{number}" type="model" name="{instance.name}">\n   <mesh>\n    <vertices>\n'
        mesh = meshes[instance.mesh]
        for part in _chunks(len(mesh.vertices)):
            # nine significant digits give back exactly the 32-bit number of the mesh file
            yield "".join(
                f'     <vertex x="{x:.9g}" y="{y:.9g}" z="{z:.9g}"/>\n' for x, y, z in mesh.vertices[part]
            )
        yield "    </vertices>\n    <triangles>\n"
        for part in _chunks(len(mesh.triangles)):
            yield "".join(
                f'     <triangle v1="{a}" v2="{b}" v3="{c}"/>\n' for a, b, c in mesh.triangles[part]
            )
        yield "    </triangles>\n   </mesh>\n  </object>\n"
    yield " </resources>\n <build>\n"
    for number, instance in enumerate(instances, 1):
        yield f'  <item objectid="{number}" transform="{_transform(instance)}"/>\n'
    yield " </build>\n</model>\n"


def _chunks(count: int, size: int = 20_000) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def _cos_sin(degrees: float) -> tuple[float, float]:
    if degrees % 90 == 0:  # exact: no 6e-17 in the file
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(degrees // 90) % 4]
    angle = math.radians(degrees % 360)
    return math.cos(angle), math.sin(angle)


def _transform(instance: Instance) -> str:
    cos, sin = _cos_sin(instance.rotation)
    # row vectors, as the 3MF core specification defines: (x y z 1) times this 4 × 3 matrix
    rows = (cos, sin, 0, -sin, cos, 0, 0, 0, 1, instance.x, instance.y, 0)
    return " ".join(f"{value + 0.0:.9g}" for value in rows)


def _box(instance: Instance, mesh: Mesh) -> Box:
    cos, sin = _cos_sin(instance.rotation)
    (x0, y0, z0), (x1, y1, z1) = mesh.low, mesh.high
    # a quarter turn maps corner to corner; any other angle needs every vertex
    points = [(x0, y0), (x1, y1)] if 0 in (cos, sin) else [(x, y) for x, y, _ in mesh.vertices]
    xs = [x * cos - y * sin + instance.x for x, y in points]
    ys = [x * sin + y * cos + instance.y for x, y in points]
    return (min(xs), min(ys), z0, max(xs), max(ys), z1)
