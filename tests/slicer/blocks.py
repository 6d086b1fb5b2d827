"""Boxes as binary STL, as preflight normalises a mesh: centred in x and y, standing on z = 0."""

import struct
from pathlib import Path

FACES = ((0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4))
FACES += ((1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7))


def write_block(path: Path, x: float, y: float, z: float) -> Path:
    """Write a box of that size in mm; returns `path`."""
    flat = ((-x / 2, -y / 2), (x / 2, -y / 2), (x / 2, y / 2), (-x / 2, y / 2))
    corners = [(px, py, pz) for pz in (0.0, z) for px, py in flat]
    faces = b"".join(
        struct.pack("<12fH", 0, 0, 0, *corners[a], *corners[b], *corners[c], 0) for a, b, c in FACES
    )
    path.write_bytes(bytes(80) + struct.pack("<I", len(FACES)) + faces)
    return path
