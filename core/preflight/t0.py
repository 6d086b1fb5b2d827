"""Tier T0 of Gate A: one pass over the file. Runs in a worker process only (numpy)."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.printer_model import PrinterModel
from core.preflight.judge import judge
from core.preflight.limits import ReadLimits, Refusal
from core.preflight.measure import measure
from core.preflight.parts import open_parts
from core.preflight.report import PreflightReport, make_report
from core.preflight.wording import finding
from core.workers import child

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Faces = NDArray[np.float32]

_REPORT_EVERY_S = 0.2


def analyse(
    path: Path, printers: tuple[PrinterModel, ...] = (), limits: ReadLimits | None = None
) -> PreflightReport:
    """The T0 report of a model file; a file that cannot be read gives a report with FAIL, not an exception.

    Sends ``[triangles so far]`` as progress a few times a second.
    """
    limits = limits or ReadLimits()
    began = time.monotonic()
    form, size = "", 0
    try:
        with open_parts(path, limits) as opened:
            form, size = opened.form.value, opened.size
            progress = _Progress(began)
            parts = tuple(
                judge(
                    i,
                    p.name,
                    p.quantity,
                    measure(progress.watch(p.chunks()), limits),
                    printers,
                    limits.coordinate,
                )
                for i, p in enumerate(opened.parts)
            )
            findings = tuple(opened.findings)
    except Refusal as refusal:
        parts, findings = (), (finding(refusal.code, refusal.detail, refusal.where),)
    seconds = round(time.monotonic() - began, 4)
    return make_report(findings, parts, form=form, size=size, seconds=seconds)


class _Progress:
    def __init__(self, now: float) -> None:
        self._next = now + _REPORT_EVERY_S
        self._triangles = 0

    def watch(self, chunks: "Iterator[Faces]") -> "Iterator[Faces]":
        """Pass the chunks on, telling of them now and then."""
        for chunk in chunks:
            yield chunk
            self._triangles += len(chunk)
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + _REPORT_EVERY_S
                child.report([self._triangles])
