"""Killable worker processes for everything that touches an untrusted or heavy file."""

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

__all__ = [
    "Limits",
    "Task",
    "WorkerCancelled",
    "WorkerCrashed",
    "WorkerError",
    "WorkerFailed",
    "WorkerMemory",
    "WorkerPool",
    "WorkerTimeout",
]
