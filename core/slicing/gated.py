"""The G-code gate's verdict in the words of the driver."""

from core.domain.findings import Finding
from core.domain.words import Verdict
from core.gcode.gate import GateVerdict
from core.slicing.prusa import Gated

_VOLUME = frozenset({"OUTSIDE_BED", "OUTSIDE_REACH", "TOO_HIGH", "BELOW_BED", "EXCLUDED_AREA"})


def from_verdict(verdict: GateVerdict) -> Gated:
    """What forbids the product: a path that leaves the volume, or anything else; warnings forbid nothing."""
    failed = [f for f in verdict.findings if f.severity is Verdict.FAIL]
    outside = [f for f in failed if f.code in _VOLUME]
    other = [f for f in failed if f.code not in _VOLUME]
    return Gated(out_of_volume=_sentence(outside), unsafe=_sentence(other))


def _sentence(findings: list[Finding]) -> str:
    if not findings:
        return ""
    worst, more = findings[0], len(findings) - 1
    return worst.what + (f" ({worst.where})" if worst.where else "") + (f" And {more} more." if more else "")
