"""Parts that the program makes itself, for the demo site, the first-run check and the tests.

Every generator returns a closed mesh, outward normals, in millimetres, standing on z = 0 and of a size that a
person would print. No numpy: the demo must start before anything heavy is loaded.
"""

import math
import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

Point = tuple[float, float]
Vertex = tuple[float, float, float]
Triangle = tuple[Vertex, Vertex, Vertex]
Mesh = list[Triangle]

_EPSILON = 1e-9
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_CORE_NS = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>'
    "</Types>\n"
)
_RELS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>'
    "</Relationships>\n"
)


# --- plane geometry -------------------------------------------------------------------------------------


def _cross(o: Point, a: Point, b: Point) -> float:
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


def _area(ring: Sequence[Point]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2


def _oriented(ring: Sequence[Point], *, counter_clockwise: bool) -> list[Point]:
    return list(ring) if (_area(ring) > 0) == counter_clockwise else list(reversed(ring))


def _circle(cx: float, cy: float, d: float, segments: int = 32) -> list[Point]:
    step = 2 * math.pi / segments
    return [(cx + d / 2 * math.cos(i * step), cy + d / 2 * math.sin(i * step)) for i in range(segments)]


def _arc(cx: float, cy: float, r: float, start: float, end: float, segments: int) -> list[Point]:
    """Points of an arc from `start` to `end` degrees, both included."""
    angles = (math.radians(start + (end - start) * i / segments) for i in range(segments + 1))
    return [(cx + r * math.cos(a), cy + r * math.sin(a)) for a in angles]


def _crosses(a: Point, b: Point, c: Point, d: Point) -> bool:
    if a in (c, d) or b in (c, d):
        return False
    return _cross(a, b, c) * _cross(a, b, d) <= 0 and _cross(c, d, a) * _cross(c, d, b) <= 0


def _with_hole(outer: list[Point], hole: list[Point], others: list[list[Point]]) -> list[Point]:
    """`outer` joined to `hole` by the shortest bridge that crosses no edge."""
    rings = [outer, hole, *others]
    edges = [(r[i], r[(i + 1) % len(r)]) for r in rings for i in range(len(r))]
    pairs = sorted((math.dist(p, q), i, j) for i, p in enumerate(outer) for j, q in enumerate(hole))
    for _, i, j in pairs:
        if not any(_crosses(outer[i], hole[j], a, b) for a, b in edges):
            return [*outer[: i + 1], *hole[j:], *hole[: j + 1], *outer[i:]]
    raise ValueError("a hole cannot be reached from the outline")


def _inside(p: Point, a: Point, b: Point, c: Point) -> bool:
    if p in (a, b, c):
        return False
    return _cross(a, b, p) >= -_EPSILON and _cross(b, c, p) >= -_EPSILON and _cross(c, a, p) >= -_EPSILON


def _ears(ring: list[Point]) -> list[tuple[Point, Point, Point]]:
    """Ear clipping of a counter-clockwise ring (holes already bridged)."""
    rest = list(ring)
    found: list[tuple[Point, Point, Point]] = []
    while len(rest) > 3:
        for i in range(len(rest)):
            a, b, c = rest[i - 1], rest[i], rest[(i + 1) % len(rest)]
            if _cross(a, b, c) > _EPSILON and not any(_inside(p, a, b, c) for p in rest):
                found.append((a, b, c))
                del rest[i]
                break
        else:
            raise ValueError("the outline crosses itself")
    found.append((rest[0], rest[1], rest[2]))
    return found


def _extrude(outline: Sequence[Point], height: float, holes: Sequence[Sequence[Point]] = ()) -> Mesh:
    """A prism of `height` over `outline` with through holes."""
    outer = _oriented(outline, counter_clockwise=True)
    inner = [_oriented(h, counter_clockwise=False) for h in holes]
    joined = outer
    for i, hole in enumerate(inner):
        joined = _with_hole(joined, hole, inner[i + 1 :])
    mesh: Mesh = []
    for a, b, c in _ears(joined):
        mesh.append(((*a, height), (*b, height), (*c, height)))
        mesh.append(((*c, 0.0), (*b, 0.0), (*a, 0.0)))
    for ring in (outer, *inner):
        for i, p in enumerate(ring):
            q = ring[(i + 1) % len(ring)]
            mesh.append(((*p, 0.0), (*q, 0.0), (*q, height)))
            mesh.append(((*p, 0.0), (*q, height), (*p, height)))
    return mesh


def _lathe(profile: Sequence[Point], segments: int) -> Mesh:
    """The body of revolution of an open (r, z) profile from axis to axis, with its outside to the right."""
    turns = [(math.cos(t), math.sin(t)) for t in (2 * math.pi * i / segments for i in range(segments))]

    def at(p: Point, i: int) -> Vertex:
        c, s = turns[i % segments]
        return (p[0] * c, p[0] * s, p[1]) if p[0] else (0.0, 0.0, p[1])

    mesh: Mesh = []
    for p, q in pairwise(profile):
        for i in range(segments):
            if p[0]:
                mesh.append((at(p, i), at(p, i + 1), at(q, i)))
            if q[0]:
                mesh.append((at(p, i + 1), at(q, i + 1), at(q, i)))
    return mesh


# --- parts ----------------------------------------------------------------------------------------------


def box(x: float, y: float, z: float) -> Mesh:
    """A box of x × y × z mm."""
    return _extrude([(0.0, 0.0), (x, 0.0), (x, y), (0.0, y)], z)


def cube(size: float = 20.0) -> Mesh:
    """A calibration cube."""
    return box(size, size, size)


def cylinder(d: float = 20.0, h: float = 30.0, segments: int = 64) -> Mesh:
    """An upright cylinder, a prism of `segments` sides."""
    return _extrude(_circle(0.0, 0.0, d, segments), h)


def bracket() -> Mesh:
    """A shelf bracket, 60 × 60 × 18 mm, with two screw holes and a weight-saving hole."""
    outline = [(0.0, 0.0), (60.0, 0.0), (60.0, 8.0), (26.0, 26.0), (8.0, 60.0), (0.0, 60.0)]
    holes = [_circle(48.0, 6.5, 4.2, 24), _circle(6.5, 48.0, 4.2, 24), _circle(14.0, 14.0, 12.0)]
    return _extrude(outline, 18.0, holes)


def hook() -> Mesh:
    """A coat hook, about 45 × 85 × 12 mm, lying on its side, with a screw hole."""
    outer = _arc(22.0, 22.0, 22.0, 180.0, 360.0, 24)
    inner = _arc(22.0, 22.0, 13.0, 360.0, 180.0, 24)
    outline = [
        (0.0, 85.0),
        *outer,
        (44.0, 40.0),
        (35.0, 40.0),
        *inner,
        (9.0, 60.0),
        (14.0, 60.0),
        (14.0, 85.0),
    ]
    return _extrude(outline, 12.0, [_circle(7.0, 75.0, 5.0, 24)])


def knob() -> Mesh:
    """A grip knob, 40 mm across, 16 mm high, with six lobes and a bore for a 6 mm D shaft."""
    steps = 144
    turns = [2 * math.pi * i / steps for i in range(steps)]
    outline = [
        ((18.0 + 2.0 * math.cos(6 * t)) * math.cos(t), (18.0 + 2.0 * math.cos(6 * t)) * math.sin(t))
        for t in turns
    ]
    bore = _arc(0.0, 0.0, 3.05, 45.0, 315.0, 24)
    return _extrude(outline, 16.0, [bore])


def gear(teeth: int = 20) -> Mesh:
    """A spur gear of module 2 (straight flanks), 10 mm thick, with a 5 mm bore; `teeth` from 10 to 58."""
    if not 10 <= teeth <= 58:
        raise ValueError("a gear has 10 to 58 teeth here, so that it stays between 24 and 120 mm")
    pitch = teeth * 1.0
    root, tip = pitch - 2.5, pitch + 2.0
    step = 2 * math.pi / teeth
    outline: list[Point] = []
    for i in range(teeth):
        for share, r in ((-0.36, root), (-0.14, tip), (0.14, tip), (0.36, root)):
            a = (i + share) * step
            outline.append((r * math.cos(a), r * math.sin(a)))
    return _extrude(outline, 10.0, [_circle(0.0, 0.0, 5.0, 24)])


def clip() -> Mesh:
    """A snap clip for a 16 mm pipe, open at the top, 15 mm wide, on a foot of 30 mm with no hole."""
    ring = _arc(15.0, 14.0, 10.5, -40.0, 50.0, 14)
    far = _arc(15.0, 14.0, 10.5, 130.0, 220.0, 14)
    inner = _arc(15.0, 14.0, 8.0, 130.0, 410.0, 40)
    outline = [
        (0.0, 0.0),
        (30.0, 0.0),
        (30.0, 4.0),
        (24.0, 4.0),
        *ring,
        *reversed(inner),
        *far,
        (6.0, 4.0),
        (0.0, 4.0),
    ]
    return _extrude(outline, 15.0)


def vase(segments: int = 72) -> Mesh:
    """A slender vase, 110 mm high and 52 mm at its widest, with a 1.6 mm wall and a 2 mm floor."""
    wall, floor, height, rings = 1.6, 2.0, 110.0, 28

    def radius(z: float) -> float:
        return 20.0 + 6.0 * math.sin(math.pi * z / height * 1.6)

    levels = [height * i / rings for i in range(rings + 1)]
    outside = [(radius(z), z) for z in levels]
    inside = [(radius(z) - wall, z) for z in reversed(levels) if z > floor]
    bottom = [(radius(floor) - wall, floor), (0.0, floor)]
    return _lathe([(0.0, 0.0), *outside, *inside, *bottom], segments)


PARTS: Mapping[str, Callable[[], Mesh]] = {
    "cube": cube,
    "cylinder": cylinder,
    "bracket": bracket,
    "hook": hook,
    "knob": knob,
    "gear": gear,
    "clip": clip,
    "vase": vase,
}
"""Every part of the demo by its name, at its default size."""


# --- writers --------------------------------------------------------------------------------------------


def stl_bytes(triangles: Iterable[Triangle]) -> bytes:
    """A binary STL; normals are left zero, as every reader computes them from the winding."""
    record = struct.Struct("<12fH")
    body = b"".join(record.pack(0.0, 0.0, 0.0, *a, *b, *c, 0) for a, b, c in triangles)
    return b"kiln-tui part".ljust(80, b" ") + struct.pack("<I", len(body) // record.size) + body


def write_stl(path: str | os.PathLike[str], triangles: Iterable[Triangle]) -> None:
    """Write a binary STL in millimetres."""
    Path(path).write_bytes(stl_bytes(triangles))


def _object_xml(number: int, name: str, triangles: Sequence[Triangle]) -> str:
    index: dict[Vertex, int] = {}
    corners = [[index.setdefault(v, len(index)) for v in t] for t in triangles]
    vertices = "".join(f'<vertex x="{x:.9g}" y="{y:.9g}" z="{z:.9g}"/>' for x, y, z in index)
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in corners)
    return (
        f'<object id="{number}" type="model" name={quoteattr(name)}><mesh><vertices>{vertices}</vertices>'
        f"<triangles>{faces}</triangles></mesh></object>"
    )


def model_xml(objects: Mapping[str, tuple[Sequence[Triangle], int]]) -> str:
    """The 3MF model part for named objects, each with its number of instances, laid out in rows."""
    resources, items, y = [], [], 0.0
    for number, (name, (triangles, count)) in enumerate(objects.items(), start=1):
        resources.append(_object_xml(number, name, triangles))
        xs = [v[0] for t in triangles for v in t] or [0.0]
        ys = [v[1] for t in triangles for v in t] or [0.0]
        for i in range(count):
            x = i * (max(xs) - min(xs) + 5.0)
            items.append(f'<item objectid="{number}" transform="1 0 0 0 1 0 0 0 1 {x:.9g} {y:.9g} 0"/>')
        y += max(ys) - min(ys) + 5.0
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xmlns="{_CORE_NS}">'
        f"<resources>{''.join(resources)}</resources><build>{''.join(items)}</build></model>\n"
    )


def write_3mf(path: str | os.PathLike[str], objects: Mapping[str, tuple[Sequence[Triangle], int]]) -> None:
    """Write a minimal 3MF of named objects, each with its number of instances; always the same bytes."""
    members = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _RELS,
        "3D/3dmodel.model": model_xml(objects),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
