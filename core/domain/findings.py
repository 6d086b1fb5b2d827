"""Findings: what a gate says about a file, always in four parts."""

import msgspec

from core.domain.words import Verdict


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a gate noticed.

    `code` is stable and upper-case (e.g. ``NOT_WATERTIGHT``); the four sentences are for the operator.
    `where` says where on the part or in the file (e.g. ``line 1204`` or ``x 12.0 y 3.1 z 0.2 mm``), or ''.
    """

    code: str
    severity: Verdict
    what: str
    why: str
    fix: str
    kiln_can: str = ""
    where: str = ""


def verdict_of(findings: tuple[Finding, ...] | list[Finding]) -> Verdict:
    """The worst severity among the findings; PASS for none."""
    order = [Verdict.PASS, Verdict.WARN, Verdict.FAIL]
    return max((f.severity for f in findings), key=order.index, default=Verdict.PASS)
