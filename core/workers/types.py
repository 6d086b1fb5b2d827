"""Limits of a worker process and the ways a task can end without a value."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one task may use; every limit ends the task, none slows it.

    `wall_s` is counted by the parent from the moment the process is asked for, `cpu_s` by the system.
    `memory_bytes` is the whole address space of the process (RLIMIT_AS), of which about 150 MB are the
    interpreter and numpy; `file_bytes` is the largest file it may write (RLIMIT_FSIZE).
    """

    wall_s: float = 60.0
    cpu_s: int = 60
    memory_bytes: int = 2 << 30
    file_bytes: int = 1 << 30


class WorkerError(Exception):
    """A task ended without a value; the base of all the others."""


class WorkerTimeout(WorkerError):
    """The wall-clock or the CPU limit was reached and the process was killed."""


class WorkerMemory(WorkerError):
    """The task asked for more memory than its limit."""


class WorkerCrashed(WorkerError):
    """The process died by a signal, left without an answer, or the pool's server died."""


class WorkerCancelled(WorkerError):
    """The task was cancelled, or the pool was closed."""


class WorkerFailed(WorkerError):
    """The function raised; `kind` is the name of the exception's class, `message` its cleaned text."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(f"{kind}: {message}" if kind else message)
        self.message = message
        self.kind = kind
