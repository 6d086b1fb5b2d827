"""The gate on G-code as controllers use it: scan in a worker process, judge, and put it in the ledger's words."""

from collections.abc import Mapping
from pathlib import Path

from core.domain.findings import Finding
from core.domain.material import Material
from core.domain.objects import GateSummary
from core.domain.printer_model import PrinterModel
from core.domain.words import Verdict
from core.gcode.gate import GateVerdict, judge
from core.gcode.policy import GcodePolicy
from core.gcode.report import GcodeReport
from core.workers.pool import WorkerPool
from core.workers.types import Limits, WorkerError

SCAN_LIMITS = Limits(wall_s=300.0, cpu_s=240, memory_bytes=1 << 30, file_bytes=1 << 20)
"""For a gigabyte on a small machine."""
OUTSIDE = frozenset({"OUTSIDE_BED", "TOO_HIGH", "EXCLUDED_AREA", "OUTSIDE_REACH"})


class GcodeGate:
    """Scans files in worker processes and judges them for printer models."""

    def __init__(self, pool: WorkerPool, models: Mapping[str, PrinterModel], policy: GcodePolicy) -> None:
        self._pool, self._policy = pool, policy
        self.models = models

    def scan(self, path: Path) -> GcodeReport:
        """The facts of a file; raises WorkerError where it cannot be scanned within the limits."""
        return self._pool.submit(
            "core.gcode.service:scan_file", path, limits=SCAN_LIMITS, returns=GcodeReport
        ).result()

    def judge(self, report: GcodeReport, model_id: str, material: Material | None) -> GateVerdict:
        """The verdict for one printer variant."""
        return judge(report, self.models[model_id], material=material, policy=self._policy)


def summary(report: GcodeReport, verdict: GateVerdict, material: Material | None) -> GateSummary:
    """What the ledger keeps of a scan and its verdict; unknown stays None."""
    return GateSummary(
        verdict=verdict.verdict,
        findings=verdict.findings,
        max_hotend=round(report.hotend.celsius) if report.hotend else None,
        max_bed=round(report.bed.celsius) if report.bed else None,
        time_s=report.estimated_seconds,
        filament_mm=round(report.filament_mm) if report.filament else None,
        mass_mg=round(report.grams(material.density) * 1000) if material and report.filament else None,
        layers=report.layers or None,
        printer_model=", ".join(report.printer_models),
        slicer=" ".join(w for w in (report.slicer, report.slicer_version) if w),
        sha256=report.sha256,
    )


def scan_failed(error: WorkerError) -> Finding:
    """The finding for a file that could not be scanned."""
    return Finding(
        code="NOT_SCANNED",
        severity=Verdict.FAIL,
        what=f"The G-code could not be read through: {error}",
        why="Kiln starts only what it has read line by line.",
        fix="Slice the part again; if it happens again, keep the file and report it.",
    )
