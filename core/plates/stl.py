"""A small reader for the one mesh format of the inside: binary STL in mm, as preflight normalises it."""

import math
import struct
from enum import StrEnum
from pathlib import Path

MAX_FACES = 10_000_000
_HEADER = 84
_FACE = 50


class MeshFault(StrEnum):
    """What is wrong with a mesh file."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"


class MeshRefused(ValueError):
    """A mesh file that cannot be put on a plate."""

    def __init__(self, fault: MeshFault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault


class Mesh:
    """Vertices in mm and triangles as index triples, duplicates merged.

    `low` and `high` are the corners of the bounding box in mm.
    """

    def __init__(
        self,
        vertices: list[tuple[float, float, float]],
        triangles: list[tuple[int, int, int]],
    ) -> None:
        self.vertices = vertices
        self.triangles = triangles
        xs, ys, zs = zip(*vertices, strict=True)
        self.low = (min(xs), min(ys), min(zs))
        self.high = (max(xs), max(ys), max(zs))


def read_binary_stl(path: Path) -> Mesh:
    """The mesh of a binary STL file; raises MeshRefused, or OSError if the file cannot be read.

    Degenerate triangles (two equal corners) are left out: 3MF does not allow them and they enclose nothing.
    """
    size = path.stat().st_size
    if size < _HEADER:
        raise MeshRefused(MeshFault.EMPTY if size == 0 else MeshFault.TRUNCATED, f"the file has {size} bytes")
    with path.open("rb") as file:
        head = file.read(_HEADER)
        (count,) = struct.unpack_from("<I", head, 80)
        if count > MAX_FACES:
            raise MeshRefused(MeshFault.UNREADABLE, f"{count} triangles; the limit is {MAX_FACES}")
        body = file.read(count * _FACE)
    if len(body) < count * _FACE:
        raise MeshRefused(MeshFault.TRUNCATED, f"{count} triangles declared, {len(body) // _FACE} there")
    return _mesh(body)


def _mesh(body: bytes) -> Mesh:
    by_bytes: dict[bytes, int] = {}
    by_value: dict[tuple[float, float, float], int] = {}
    vertices: list[tuple[float, float, float]] = []
    triangles: list[tuple[int, int, int]] = []
    for start in range(0, len(body), _FACE):
        corners = []
        for offset in (start + 12, start + 24, start + 36):
            raw = body[offset : offset + 12]
            index = by_bytes.get(raw)
            if index is None:
                x, y, z = struct.unpack("<3f", raw)
                if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
                    raise MeshRefused(MeshFault.UNREADABLE, f"triangle {start // _FACE + 1} is not a number")
                value = (x + 0.0, y + 0.0, z + 0.0)  # -0.0 becomes 0.0: one point, one text
                index = by_value.setdefault(value, len(vertices))
                if index == len(vertices):
                    vertices.append(value)
                by_bytes[raw] = index
            corners.append(index)
        a, b, c = corners
        if a != b and b != c and a != c:
            triangles.append((a, b, c))
    if not triangles:
        raise MeshRefused(MeshFault.EMPTY, "there is no triangle in the file")
    return Mesh(vertices, triangles)
