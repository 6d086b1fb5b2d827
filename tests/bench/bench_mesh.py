"""Mesh check, tier T0, of a generated STL of one million faces: against a plain loop and against the goal.

Run: ``python tests/bench/bench_mesh.py [FACES]`` from the root of the repository. The plain loop is what one
writes first (struct.iter_unpack; bounding box and volume only, so it does less); the goals are those of the
quality page: 0.4 CPU s and 520 MB for one million faces.
"""

import math
import resource
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from core.preflight.normalise import normalise
from core.preflight.t0 import analyse

GOAL_CPU_S = 0.4
GOAL_MB = 520


def torus(path: Path, faces: int) -> int:
    """A closed torus of about `faces` triangles, 60 mm across, with ripples; returns the exact number."""
    n = max(3, round(math.sqrt(faces / 2)))
    u, v = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    a, b = 2 * np.pi * u / n, 2 * np.pi * v / n
    tube = 8 + 0.3 * np.sin(9 * a) * np.cos(7 * b)
    ring = 22 + tube * np.cos(b)
    grid = np.stack((ring * np.cos(a), ring * np.sin(a), 10 + tube * np.sin(b)), axis=-1).astype("<f4")
    right, up = np.roll(grid, -1, axis=0), np.roll(grid, -1, axis=1)
    both = np.roll(right, -1, axis=1)
    quads = (np.stack((grid, right, both), axis=2), np.stack((grid, both, up), axis=2))
    corners = np.concatenate([q.reshape(-1, 3, 3) for q in quads])
    kind = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records = np.zeros(len(corners), dtype=kind)
    records["corners"] = corners
    path.write_bytes(bytes(80) + struct.pack("<I", len(corners)) + records.tobytes())
    return len(corners)


def plain_loop(path: Path) -> float:
    """Bounding box and volume, face by face."""
    low, high, volume = [math.inf] * 3, [-math.inf] * 3, 0.0
    for face in struct.iter_unpack("<12fH", path.read_bytes()[84:]):
        _, _, _, ax, ay, az, bx, by, bz, cx, cy, cz, _ = face
        low = [min(low[0], ax, bx, cx), min(low[1], ay, by, cy), min(low[2], az, bz, cz)]
        high = [max(high[0], ax, bx, cx), max(high[1], ay, by, cy), max(high[2], az, bz, cz)]
        volume += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
    return volume / 6


def cpu(call: object, *args: object) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    call(*args)  # type: ignore[operator] - any callable
    return time.process_time() - began


def main() -> None:
    """Print the figures."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "torus.stl"
        faces = torus(path, wanted)
        report = analyse(path)
        part = report.parts[0]
        assert part.closed
        assert report.verdict == "pass"
        naive_volume = plain_loop(path)
        assert math.isclose(naive_volume, part.volume_mm3, rel_tol=1e-6)
        t0 = min(cpu(analyse, path) for _ in range(5))
        made = min(cpu(normalise, path, 0, Path(folder) / "n.stl") for _ in range(3))
        loop = cpu(plain_loop, path)
    goal = GOAL_CPU_S * faces / 1_000_000
    print(f"faces                {faces:,}")
    print(f"T0                   {t0:.3f} CPU s = {t0 / goal:.2f} x goal ({goal:.2f} s)")
    print(f"plain loop           {loop:.3f} CPU s; T0 is {loop / t0:.1f} x faster and does more")
    print(f"normalised mesh      {made:.3f} CPU s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"peak of this process {peak:.0f} MB, generating and plain loop included (goal for T0: {GOAL_MB} MB)"
    )


if __name__ == "__main__":
    main()
