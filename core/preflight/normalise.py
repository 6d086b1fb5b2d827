"""The normalised mesh of one part: the only form of a foreign shape that ever reaches a slicer.

Format: binary STL, little-endian, millimetres. 80 bytes header (`HEADER`, always the same), face count, then per
face twelve zero bytes for the normal, three corners as 32-bit floats, and a zero attribute. The faces keep their
order; orientation, scale and mirroring of the file are applied, placement is not: min z = 0, the bounding box is
centred on x = y = 0. Outward normals (a part that is inside out is turned). Triangles with two equal corners
are left out. The same input gives the same bytes. Runs in a worker process only (numpy).
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.preflight.limits import ReadLimits, Refusal
from core.preflight.measure import measure
from core.preflight.parts import SourcePart, open_parts
from core.preflight.report import NormalisedMesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Faces = NDArray[np.float32]
    Shift = NDArray[np.float64]

HEADER = b"kiln normalised mesh, mm".ljust(80, b" ")
_RECORD = [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")]


def normalise(
    src: Path, part: int, dst: Path, scale: float = 1.0, limits: ReadLimits | None = None
) -> NormalisedMesh:
    """Write part number `part` (as in the report) of `src` to `dst`, its lengths multiplied by `scale`.

    `dst` appears complete or not at all. Raises Refusal for a file or part that T0 would refuse.
    """
    limits = limits or ReadLimits()
    if not 0 < scale <= 1e6:
        raise Refusal("UNREADABLE", "the scale must be a positive number")
    with open_parts(src, limits) as opened:
        if not 0 <= part < len(opened.parts):
            raise Refusal("UNREADABLE", f"there is no part number {part}")
        chosen = opened.parts[part]
        numbers = measure(chosen.chunks(), limits)
        if numbers.nonfinite:
            raise Refusal("NAN_VERTICES", f"{numbers.nonfinite:,} triangles")
        if max(map(abs, (*numbers.low, *numbers.high))) > limits.coordinate:
            raise Refusal("COORDINATES_TOO_LARGE")
        low, high = np.array(numbers.low), np.array(numbers.high)
        shift = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
        inside_out = numbers.volume < 0
        partial = dst.with_name(dst.name + ".part")
        with partial.open("wb") as out:
            written = _write(out, _placed(chosen, shift, scale, flip=inside_out))
            out.flush()
            os.fsync(out.fileno())
    if written == 0:
        partial.unlink()
        raise Refusal("EMPTY", "it holds no triangle")
    partial.replace(dst)
    size = (high - low) * scale
    return NormalisedMesh(
        triangles=written,
        size=(float(size[0]), float(size[1]), float(size[2])),
        volume_mm3=abs(numbers.volume) * scale**3,
        area_mm2=numbers.area * scale**2,
        closed=numbers.closed,
        turned_outwards=inside_out,
        dropped=numbers.triangles - written,
    )


def _placed(part: SourcePart, shift: "Shift", scale: float, *, flip: bool) -> "Iterator[Faces]":
    for chunk in part.chunks():
        # computed in 64 bits, so that the same point always becomes the same 32-bit point
        moved = ((chunk.astype(np.float64) - shift) * scale).astype(np.float32) + np.float32(0)
        a, b, c = moved[:, 0], moved[:, 1], moved[:, 2]
        real = (a != b).any(axis=1) & (b != c).any(axis=1) & (c != a).any(axis=1)
        kept = moved[real]
        yield kept[:, ::-1] if flip else kept


def _write(out: BinaryIO, chunks: "Iterator[Faces]") -> int:
    out.write(HEADER + struct.pack("<I", 0))
    count = 0
    for chunk in chunks:
        records = np.zeros(len(chunk), dtype=np.dtype(_RECORD))
        records["corners"] = chunk
        out.write(records.tobytes())
        count += len(chunk)
    out.seek(len(HEADER))
    out.write(struct.pack("<I", count))
    return count
