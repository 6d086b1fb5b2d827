"""The gate on G-code: may this file run on this printer? Pure: report, printer variant and policy in, words out.

Facts of the file come from `core.gcode.scan`, limits of the printer from `data/printers`. Comments of the slicer
decide nothing about motion or heat: they only tell a purge line from the part, and within what the machine can reach
anyway.
"""

from collections.abc import Iterator, Mapping

import msgspec

from core.domain.findings import Finding, verdict_of
from core.domain.material import Material
from core.domain.printer_model import PrinterModel
from core.domain.words import Verdict
from core.gcode import gate_file, gate_limits
from core.gcode.policy import GcodePolicy
from core.gcode.report import GcodeReport, Rect


class GateVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one file for one printer variant, with all findings, worst first."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    model_id: str
    sha256: str

    @property
    def may_start(self) -> bool:
        """Whether nothing forbids a start (warnings are for policy and the operator)."""
        return self.verdict is not Verdict.FAIL


def judge(
    report: GcodeReport, model: PrinterModel, *, material: Material | None, policy: GcodePolicy
) -> GateVerdict:
    """All findings of the file of `report` for a printer of the variant `model`, loaded with `material` if known."""
    order = [Verdict.FAIL, Verdict.WARN, Verdict.PASS]
    findings = sorted(_findings(report, model, material, policy), key=lambda f: order.index(f.severity))
    return GateVerdict(
        verdict=verdict_of(findings), findings=tuple(findings), model_id=model.model_id, sha256=report.sha256
    )


def candidates(
    report: GcodeReport, models: Mapping[str, PrinterModel], *, policy: GcodePolicy
) -> tuple[str, ...]:
    """The ids of those `models` on which nothing forbids to run the file, in the order of `models`."""
    return tuple(
        model_id
        for model_id, model in models.items()
        if judge(report, model, material=None, policy=policy).may_start
    )


def zones_of(models: Mapping[str, PrinterModel]) -> tuple[Rect, ...]:
    """All excluded areas of `models` in machine coordinates, for the scan to look at."""
    return tuple(sorted({zone for model in models.values() for zone in gate_limits.excluded_zones(model)}))


def _findings(
    report: GcodeReport, model: PrinterModel, material: Material | None, policy: GcodePolicy
) -> Iterator[Finding]:
    if report.kind != "gcode":
        yield gate_file.not_gcode(report)
        return
    if report.moves == 0:
        yield gate_file.empty(report)
        return
    yield from gate_limits.temperatures(report, model, material)
    yield from gate_limits.extents(report, model, policy.reaches.get(model.model_id))
    yield from gate_limits.excluded(report, model)
    yield from gate_limits.flow(report, model)
    yield from gate_file.printer(report, model)
    yield from gate_file.commands_of(report, model, policy)
    yield from gate_file.completeness(report)
    yield from gate_file.extrusion(report)
    yield from gate_file.material_of(report, material)
