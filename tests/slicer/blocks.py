"""Boxes as binary STL, as preflight normalises a mesh: centred in x and y, standing on z = 0."""

import struct
from pathlib import Path

FACES = ((0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4))
FACES += ((1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7))


def write_block(path: Path, x: float, y: float, z: float) -> Path:
    """Write a box of that size in mm; returns `path`."""
    return _write(path, _box(x, y, 0, z))


def write_table(path: Path) -> Path:
    """A plate of 40 x 40 x 4 mm on one leg of 10 x 10 x 20 mm: all around it hangs over."""
    return _write(path, _box(10, 10, 0, 21) + _box(40, 40, 20, 24))


def _box(x: float, y: float, low: float, high: float) -> list[bytes]:
    flat = ((-x / 2, -y / 2), (x / 2, -y / 2), (x / 2, y / 2), (-x / 2, y / 2))
    corners = [(px, py, pz) for pz in (low, high) for px, py in flat]
    return [struct.pack("<12fH", 0, 0, 0, *corners[a], *corners[b], *corners[c], 0) for a, b, c in FACES]


def _write(path: Path, faces: list[bytes]) -> Path:
    path.write_bytes(bytes(80) + struct.pack("<I", len(faces)) + b"".join(faces))
    return path
