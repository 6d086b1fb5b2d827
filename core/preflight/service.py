"""The way into Gate A for the kernel's side: heavy work goes to a worker process, every outcome becomes a report.

Imports no numpy.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.domain.printer_model import PrinterModel
from core.preflight.limits import ReadLimits
from core.preflight.report import NormalisedMesh, PreflightReport, make_report
from core.preflight.wording import WORDS, finding
from core.workers.pool import Task, WorkerPool
from core.workers.types import (
    Limits,
    WorkerCancelled,
    WorkerCrashed,
    WorkerError,
    WorkerFailed,
    WorkerMemory,
    WorkerTimeout,
)

PRELOAD = ("core.preflight.t0", "core.preflight.normalise")
"""What a `WorkerPool` for this gate should load once."""

WORKER_LIMITS = Limits(wall_s=120.0, cpu_s=90, memory_bytes=2 << 30, file_bytes=600 << 20)
"""For the largest file that the readers accept, on a machine six times slower than a small server."""


def run_preflight(
    pool: WorkerPool,
    path: Path,
    printers: Sequence[PrinterModel] = (),
    *,
    limits: ReadLimits | None = None,
    worker_limits: Limits = WORKER_LIMITS,
    on_progress: Callable[[Any], None] | None = None,
    on_started: Callable[[Task[PreflightReport]], None] | None = None,
) -> PreflightReport:
    """Check a model file in a worker process and wait for its report; blocks the calling thread.

    A bad file never raises: timeout, memory, crash and cancellation give a report with FAIL and a finding, and a
    crash sets `crashed`. `on_started` gets the task, for cancelling it.
    """
    began = time.monotonic()
    try:
        task = pool.submit(
            "core.preflight.t0:analyse",
            path,
            tuple(printers),
            limits or ReadLimits(),
            limits=worker_limits,
            on_progress=on_progress,
            returns=PreflightReport,
        )
        if on_started is not None:
            on_started(task)
        return task.result()
    except WorkerError as error:
        code, detail = explain(error)
        return make_report(
            (finding(code, detail),),
            seconds=round(time.monotonic() - began, 4),
            crashed=isinstance(error, WorkerCrashed | WorkerFailed),
        )


def run_normalise(
    pool: WorkerPool,
    src: Path,
    part: int,
    dst: Path,
    *,
    scale: float = 1.0,
    limits: ReadLimits | None = None,
    worker_limits: Limits = WORKER_LIMITS,
) -> NormalisedMesh:
    """Write the normalised mesh of one part in a worker process; see `core.preflight.normalise`.

    Raises WorkerError: only files whose report was not FAIL are meant to come here. `explain` gives the words.
    """
    return pool.submit(
        "core.preflight.normalise:normalise",
        src,
        part,
        dst,
        scale,
        limits or ReadLimits(),
        limits=worker_limits,
        returns=NormalisedMesh,
    ).result()


def explain(error: WorkerError) -> tuple[str, str]:
    """The finding code and detail for the way a worker ended."""
    match error:
        case WorkerTimeout():
            return "TIMEOUT", str(error)
        case WorkerMemory():
            return "OUT_OF_MEMORY", ""
        case WorkerCancelled():
            return "CHECK_STOPPED", ""
        case WorkerFailed(kind="Refusal") if (said := error.message.partition(": "))[0] in WORDS:
            return said[0], said[2]
        case _:
            return "CHECK_CRASHED", str(error)
