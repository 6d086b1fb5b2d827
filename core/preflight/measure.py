"""The numbers of tier T0, over chunks of faces in constant memory. Runs in a worker process only (numpy).

Closed: every directed edge a→b must be met by an edge b→a. Instead of sorting edges, every vertex gets two
independent 64-bit hashes h, k of its three 32-bit coordinates, and the directed edge the hash h(a)·k(b). The sum
over all edges of h(a)·k(b) − h(b)·k(a) modulo 2⁶⁴ is 0 for a closed, consistently wound mesh, and is 0 by chance
for an open one with a probability of about 2⁻⁶⁰ (a non-zero polynomial in random values).
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from core.preflight.limits import ReadLimits, Refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Faces = NDArray[np.float32]

# odd 64-bit constants of the splitmix and Murmur mixers
_K1 = 0x9E3779B97F4A7C15
_K2 = 0xBF58476D1CE4E5B9
_K3 = 0x94D049BB133111EB
_K4 = 0xFF51AFD7ED558CCD
_MASK = (1 << 64) - 1


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """What T0 measures of one part: mm, mm², mm³.

    `open_share` is the length of the sum of all area vectors over the area: 0 for a closed surface, 1 for a
    flat sheet. `volume` is signed, negative for a surface turned inside out.
    """

    triangles: int
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    volume: float
    area: float
    open_share: float
    closed: bool
    nonfinite: int
    first_nonfinite: int | None
    """Number of the first triangle (from 1) with a coordinate that is no number."""
    degenerate: int


def measure(chunks: "Iterable[Faces]", limits: ReadLimits, scale: float = 1.0) -> Numbers:
    """Measure a part whose coordinates are multiplied by `scale`; raises what the chunks raise."""
    tally = _Tally(limits, scale)
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in chunks:
            tally.add(chunk)
    return tally.numbers()


class _Tally:
    def __init__(self, limits: ReadLimits, scale: float) -> None:
        self._limits = limits
        self._scale = scale
        self._triangles = 0
        self._nonfinite = 0
        self._first_nonfinite: int | None = None
        self._degenerate = 0
        self._volume = 0.0
        self._area = 0.0
        self._net = np.zeros(3)
        self._balance = 0
        self._low = np.full(3, math.inf)
        self._high = np.full(3, -math.inf)
        self._origin: NDArray[np.float64] | None = None

    def add(self, faces: "Faces") -> None:
        """Count in one chunk of shape (n, 3, 3)."""
        self._triangles += len(faces)
        if self._triangles > self._limits.instanced_faces:
            raise Refusal("TOO_MANY_FACES", f"more than {self._limits.instanced_faces:,} triangles")
        # one row per coordinate: whole-row arithmetic is several times faster than on (n, 3, 3);
        # adding 0 makes -0.0 and 0.0 the same bits
        rows = np.ascontiguousarray(faces.reshape(-1, 9).T, dtype=np.float32) + np.float32(0)
        low, high = rows.min(axis=1), rows.max(axis=1)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            good = np.isfinite(rows).all(axis=0)
            self._nonfinite += int(len(good) - good.sum())
            if self._first_nonfinite is None:
                self._first_nonfinite = self._triangles - len(good) + int(good.argmin()) + 1
            rows = np.ascontiguousarray(rows[:, good])
            if rows.shape[1] == 0:
                return
            low, high = rows.min(axis=1), rows.max(axis=1)
        self._low = np.minimum(self._low, low.reshape(3, 3).min(axis=0))
        self._high = np.maximum(self._high, high.reshape(3, 3).max(axis=0))
        self._solid(rows)
        self._edges(rows)

    def _solid(self, rows: "NDArray[np.float32]") -> None:
        if self._origin is None:
            self._origin = rows[:3, 0].astype(np.float64)
        corners = rows.astype(np.float64).reshape(3, 3, -1) - self._origin[None, :, None]
        a = corners[0]
        ux, uy, uz = corners[1] - a
        vx, vy, vz = corners[2] - a
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        self._volume += float(a[0] @ nx + a[1] @ ny + a[2] @ nz)
        double = np.sqrt(nx * nx + ny * ny + nz * nz)
        self._area += float(double.sum())
        self._net += (nx.sum(), ny.sum(), nz.sum())
        self._degenerate += int(len(double) - np.count_nonzero(double))

    def _edges(self, rows: "NDArray[np.float32]") -> None:
        bits = rows.view(np.uint32).reshape(3, 3, -1)
        mixed = (bits[:, 0].astype(np.uint64) | (bits[:, 1].astype(np.uint64) << np.uint64(32))) * np.uint64(
            _K1
        )
        mixed += bits[:, 2].astype(np.uint64) * np.uint64(_K2)
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(_K3)
        h = mixed ^ (mixed >> np.uint64(29))
        k = h * np.uint64(_K4)
        k ^= k >> np.uint64(32)
        total: Any = 0
        for a, b in ((0, 1), (1, 2), (2, 0)):
            total += int((h[a] * k[b]).sum()) - int((h[b] * k[a]).sum())
        self._balance = (self._balance + total) & _MASK

    def numbers(self) -> Numbers:
        """The sums so far, in mm."""
        s = self._scale
        some = self._triangles > self._nonfinite
        low = tuple(float(v) * s for v in self._low) if some else (0.0, 0.0, 0.0)
        high = tuple(float(v) * s for v in self._high) if some else (0.0, 0.0, 0.0)
        return Numbers(
            triangles=self._triangles,
            low=(low[0], low[1], low[2]),
            high=(high[0], high[1], high[2]),
            volume=self._volume / 6 * s**3,
            area=self._area / 2 * s**2,
            open_share=float(np.linalg.norm(self._net)) / self._area if self._area else 0.0,
            closed=some and self._nonfinite == 0 and self._balance == 0,
            nonfinite=self._nonfinite,
            first_nonfinite=self._first_nonfinite,
            degenerate=self._degenerate,
        )
