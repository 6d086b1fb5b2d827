"""The report of Gate A: numbers and findings per part, encodable as JSON."""

import msgspec

from core.domain.findings import Finding, verdict_of
from core.domain.material import Material
from core.domain.objects import ArtifactRef, PreflightSummary
from core.domain.words import QualityTier, Verdict
from core.preflight.fits import Fit
from core.preflight.mass import mass_mg
from core.preflight.units import UnitGuess

VERSION = 1
"""Raised whenever the same file could get another report; part of the key of a cached report."""


class PartReport(msgspec.Struct, frozen=True, kw_only=True):
    """One distinct part: lengths in mm, area in mm², volume in mm³ (never negative), `quantity` copies asked for.

    `low` and `high` are the corners of the bounding box as in the file. `open_share` is 0 for a closed surface
    and 1 for a flat sheet. The volume of a part that is not `closed` is an estimate.
    """

    index: int
    name: str
    quantity: int
    triangles: int
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    size: tuple[float, float, float]
    volume_mm3: float
    area_mm2: float
    open_share: float
    closed: bool
    inverted: bool
    nonfinite: int
    degenerate: int
    unit_guess: UnitGuess | None = None
    fits: tuple[Fit, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of this part's findings."""
        return verdict_of(self.findings)


class PreflightReport(msgspec.Struct, frozen=True, kw_only=True):
    """What Gate A says of a file. `findings` are those of the file itself; those of the parts are with the parts.

    `format` is '' if it was not recognised. `crashed` says that the checking process broke down on the file,
    which twice in a row means quarantine. `seconds` is the wall-clock time of the check.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    parts: tuple[PartReport, ...] = ()
    format: str = ""
    bytes: int = 0
    seconds: float = 0.0
    crashed: bool = False
    tier: str = "T0"
    version: int = VERSION

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Findings of the file and of all its parts."""
        return (*self.findings, *(f for part in self.parts for f in part.findings))


class NormalisedMesh(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: size in mm, volume in mm³, area in mm².

    `turned_outwards` tells that the part was inside out, `dropped` how many faces with equal corners were left out.
    """

    triangles: int
    size: tuple[float, float, float]
    volume_mm3: float
    area_mm2: float
    closed: bool
    turned_outwards: bool
    dropped: int


def make_report(
    findings: tuple[Finding, ...] = (),
    parts: tuple[PartReport, ...] = (),
    *,
    form: str = "",
    size: int = 0,
    seconds: float = 0.0,
    crashed: bool = False,
) -> PreflightReport:
    """A report whose verdict is the worst of all its findings."""
    everything = (*findings, *(f for part in parts for f in part.findings))
    return PreflightReport(
        verdict=verdict_of(everything),
        findings=findings,
        parts=parts,
        format=form,
        bytes=size,
        seconds=seconds,
        crashed=crashed,
    )


def summary_of(
    report: PreflightReport,
    part: int,
    material: Material | None = None,
    tier: QualityTier = QualityTier.STANDARD,
    ref: ArtifactRef | None = None,
) -> PreflightSummary:
    """What the kernel keeps of one part: findings of the file and of the part; mass only if the material is known.

    Raises IndexError for a part that is not in the report.
    """
    one = report.parts[part]
    findings = (*report.findings, *one.findings)
    mass = mass_mg(one.volume_mm3, one.area_mm2, material, tier) if material else None
    width, depth, height = (round(side * 1000) for side in one.size)
    return PreflightSummary(
        verdict=verdict_of(findings),
        findings=findings,
        size_um=(width, depth, height),
        volume_mm3=round(one.volume_mm3),
        triangles=one.triangles,
        mass_low_mg=mass.low if mass else 0,
        mass_high_mg=mass.high if mass else 0,
        report=ref,
    )
