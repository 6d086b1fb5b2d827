"""Files as nobody wants them, each with the words that must stand on the screen when it is refused."""

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiln_tui import demo_parts as parts

CORE_NS = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
_RELS = (
    '<?xml version="1.0"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)


class Bad(msgspec.Struct, frozen=True):
    """One bad drop: how it is made inside an empty folder (answering what to drop) and what the screen must say."""

    make: Callable[[Path], Path]
    says: tuple[str, ...]


def _stl(folder: Path, name: str = "part.stl") -> Path:
    path = folder / name
    parts.write_stl(path, parts.cube(12))
    return path


def _bytes(name: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def _text(name: str, *lines: str) -> Callable[[Path], Path]:
    return _bytes(name, ("\n".join(lines) + "\n").encode())


def gcode(*, heat: str = "M104 S200", side: float = 30, layers: int = 3) -> str:
    """A print for a Prusa MK3S; `heat` replaces its heating line, `side` its square's size in mm."""
    lines = ["; printer_model = MK3S", "G90", "M83", heat, "M140 S60", "G28", "M109 S200", "M190 S60"]
    for layer in range(1, layers + 1):
        lines += [";LAYER_CHANGE", f"G1 Z{0.15 * layer:.2f} F600"]
        for x, y in ((50.0, 50.0), (50 + side, 50.0), (50 + side, 50 + side), (50.0, 50 + side)):
            lines.append(f"G1 X{x} Y{y} E1.2 F300")
    return "\n".join([*lines, "M104 S0", "M140 S0", "G1 Z200 F600"]) + "\n"


def _gcode(name: str, text: str) -> Callable[[Path], Path]:
    return _bytes(name, text.encode())


def _truncated(folder: Path) -> Path:
    path = _stl(folder, "truncated.stl")
    path.write_bytes(path.read_bytes()[:500])
    return path


def _nan(folder: Path) -> Path:
    path = _stl(folder, "nan.stl")
    data = bytearray(path.read_bytes())
    data[96:100] = struct.pack("<f", float("nan"))
    path.write_bytes(data)
    return path


def _threemf(path: Path, model: str, members: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELS)
        archive.writestr("3D/3dmodel.model", model)
        for name, data in (members or {}).items():
            archive.writestr(name, data)
    return path


def _model(inner: str, head: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{head}<model unit="millimeter" xmlns="{CORE_NS}"><resources>{inner}</resources>'
        '<build><item objectid="1"/></build></model>'
    )


_TETRA = (
    '<object id="1" type="model"><mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="20" y="0" z="0"/>'
    '<vertex x="0" y="20" z="0"/><vertex x="0" y="0" z="20"/></vertices><triangles>'
    '<triangle v1="0" v2="2" v3="1"/><triangle v1="0" v2="1" v3="3"/><triangle v1="1" v2="2" v3="3"/>'
    '<triangle v1="2" v2="0" v3="3"/></triangles></mesh></object>'
)


def _zip_bomb(folder: Path) -> Path:
    return _threemf(folder / "bomb.3mf", _model(_TETRA) + " " * (700 << 20))


def _traversal(folder: Path) -> Path:
    return _threemf(
        folder / "traversal.3mf", _model(_TETRA), {"../../../../evil.sh": b"#!/bin/sh\ntouch /x\n"}
    )


def _entities(folder: Path) -> Path:
    steps = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<!DOCTYPE model [<!ENTITY l0 "lol">{steps}]>'
    return _threemf(folder / "entities.3mf", _model(_TETRA + "<metadata>&l9;</metadata>", head))


def _huge(folder: Path) -> Path:
    path = folder / "huge__PLA__draft.stl"
    parts.write_stl(path, parts.box(900, 900, 900))
    return path


def _wrong_key(folder: Path) -> Path:
    order = folder / "wrong-key"
    order.mkdir()
    _stl(order)
    (order / "order.yaml").write_text("customer: Ann\nitems:\n- file: part.stl\n  quantiy: 4\n")
    return order


def _one_bad_of_three(folder: Path) -> Path:
    order = folder / "one-bad"
    order.mkdir()
    parts.write_stl(order / "a.stl", parts.cube(10))
    _truncated(order).rename(order / "b.stl")
    parts.write_stl(order / "c.stl", parts.cube(14))
    return order


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.stl")
    return folder / "pipe.stl"


def _link(folder: Path) -> Path:
    (folder / "link.stl").symlink_to("/etc/passwd")
    return folder / "link.stl"


def _link_inside(folder: Path) -> Path:
    order = folder / "with-link"
    order.mkdir()
    _stl(order)
    (order / "secret.stl").symlink_to("/etc/passwd")
    return order


def _gcode_3mf(folder: Path) -> Path:
    path = folder / "plate.gcode.3mf"
    return _threemf(path, _model(""), {"Metadata/plate_1.gcode": gcode().encode()})


def _named(name: str | bytes) -> Callable[[Path], Path]:
    """A truncated STL under an unfriendly name."""

    def make(folder: Path) -> Path:
        return _truncated(folder).rename(folder / os.fsdecode(name))

    return make


_HOT = "M104 S400"

BAD: dict[str, Bad] = {
    "truncated stl": Bad(
        _truncated,
        ("The file is incomplete: 12 triangles are announced, 8 are there.", "Copy the file again"),
    ),
    "nan stl": Bad(_nan, ("1 triangle whose coordinates are not numbers", "Repair the mesh")),
    "empty file": Bad(_bytes("empty.stl", b""), ("There is no part in this file: it has 0 bytes.",)),
    "zip bomb": Bad(_zip_bomb, ("unfolds to far more than it is", "700 MB")),
    "path traversal": Bad(
        _traversal, ("wants to be written elsewhere: ../../../../evil.sh", "Do not use this file")
    ),
    "entity bomb": Bad(_entities, ("a document type or an entity is declared",)),
    "exe as stl": Bad(
        _bytes("setup.stl", b"MZ\x90\x00" + bytes(range(256)) * 40),
        ("This is not a model that Kiln can read: it is neither an STL nor a 3MF.",),
    ),
    "text": Bad(
        _text("readme.txt", "Please print this."),
        ("readme.txt is not a kind of file that Kiln prints", "Export the part as STL or 3MF"),
    ),
    "unknown": Bad(
        _bytes("drawing.dwg", b"AC1032" + bytes(4000)),
        ("drawing.dwg is not a kind of file that Kiln prints",),
    ),
    "400 degrees": Bad(
        _gcode("hot.gcode", gcode(heat=_HOT)),
        ("heats the hotend to 400 °C; a Prusa i3 MK3S / MK3S+ stands 290 °C", "line 4: M104 S400"),
    ),
    "400 by klipper": Bad(
        _gcode("klipper.gcode", gcode(heat="SET_HEATER_TEMPERATURE HEATER=extruder TARGET=400")),
        ("heats the hotend to 400 °C", "line 4: SET_HEATER_TEMPERATURE"),
    ),
    "400 lower case": Bad(
        _gcode("lower.gcode", gcode(heat="m104 s400")), ("heats the hotend to 400 °C", "line 4: m104 s400")
    ),
    "400 by R": Bad(
        _gcode("wait.gcode", gcode(heat="M109 R400")), ("heats the hotend to 400 °C", "line 4: M109 R400")
    ),
    "other printer": Bad(
        _gcode("mini.gcode", gcode().replace("MK3S", "MINI")),
        ("The file was sliced for MINI; this printer is a Prusa i3 MK3S / MK3S+.",),
    ),
    "larger than the bed": Bad(
        _gcode("wide.gcode", gcode(side=300)),
        ("The file prints 100.0 mm right and 140.0 mm behind of a Prusa i3 MK3S / MK3S+.",),
    ),
    "larger than every printer": Bad(
        _huge, ("The part is 900 × 900 × 900 mm and fits none of your printers",)
    ),
    "escape sequences": Bad(_named("\x1b]0;owned\x07\x1b[31mred\x1b[2J.stl"), ("The file is incomplete",)),
    "long name": Bad(_named("x" * 246 + ".stl"), ("The file is incomplete",)),
    "right-to-left": Bad(_named("invoice\u202elts.exe.stl"), ("The file is incomplete",)),
    "rm -rf": Bad(
        _named(";rm -rf $HOME `id` && echo.stl"), ("The file is incomplete", ";rm -rf $HOME `id` && echo.stl")
    ),
    "not utf-8": Bad(_named(b"caf\xe9-\xff.stl"), ("The file is incomplete", "caf")),
    "contradicts": Bad(
        lambda folder: _stl(folder, "clip__x4__x5__PLA__PETG.stl"),
        ("gives two answers for quantity: 4 and 5", "two answers for material: PLA and PETG"),
    ),
    "no such day": Bad(
        lambda folder: _stl(folder, "clip__due2026-02-30.stl"), ("“2026-02-30” is no date of the calendar",)
    ),
    "wrong key": Bad(_wrong_key, ("quantiy is no known key; did you mean “quantity”?", "order.yaml line 4")),
    "one bad of three": Bad(_one_bad_of_three, ("The file is incomplete", "Where: b.stl.")),
    "fifo": Bad(_fifo, ("is a pipe or device, not a file",)),
    "link": Bad(_link, ("link.stl is a link, not a file",)),
    "link inside": Bad(_link_inside, ("secret.stl is a link, not a file",)),
    "gcode.3mf": Bad(_gcode_3mf, ("was sliced already, and Kiln does not read G-code inside a 3MF",)),
}
