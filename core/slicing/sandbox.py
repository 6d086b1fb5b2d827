"""Run one slicer process: limits, its own session, bounded output, cancel and wall-clock timeout."""

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

_LAUNCHER = Path(__file__).with_name("launch.py")
_MAX_LINES = 400
_MAX_LINE = 2000
_TICK_SECONDS = 0.05
_TERM_SECONDS = 2.0
_GIB = 1024**3


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one slicer process may use: wall seconds, bytes of address space, bytes of one file."""

    seconds: float = 15 * 60
    memory: int = 4 * _GIB
    file_size: int = _GIB
    niceness: int = 10


class Stopped(StrEnum):
    """Why we ended the process ourselves."""

    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended: exit code (negative: signal), our own reason if we stopped it, its last lines."""

    code: int
    stopped: Stopped | None
    lines: tuple[str, ...]
    seconds: float


def default_limits() -> Limits:
    """Limits for this machine: 4 GB of address space or 60 % of the memory, whichever is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Limits(memory=min(4 * _GIB, total * 6 // 10))


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    limits: Limits,
    cancel: threading.Event,
    on_line: Callable[[str], None],
) -> Ended:
    """Run `command` (an absolute path and arguments) in `folder` until it ends or we end it.

    `on_line` gets every line of its output, as it comes, undecodable bytes replaced, cut to a sane length.
    Blocks the calling thread; `cancel` is looked at every 50 ms. Raises OSError if it cannot be started.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCHER),
            str(limits.memory),
            str(limits.file_size),
            str(limits.niceness),
            str(os.getpid()),
            *command,
        ],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        close_fds=True,
    )
    stopped: Stopped | None = None
    lines = _Lines(on_line)
    try:
        stopped = _follow(process, started + limits.seconds, cancel, lines)
    finally:
        _end_group(process)
    lines.finish()
    return Ended(
        code=process.returncode,
        stopped=stopped,
        lines=tuple(lines.kept),
        seconds=time.monotonic() - started,
    )


def _follow(
    process: "subprocess.Popen[bytes]", deadline: float, cancel: threading.Event, lines: "_Lines"
) -> Stopped | None:
    pipe = process.stdout
    if pipe is None:
        raise RuntimeError("the process was started without a pipe")
    os.set_blocking(pipe.fileno(), False)
    open_ended = True
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while process.poll() is None or open_ended:
            if cancel.is_set():
                return Stopped.CANCELLED
            if time.monotonic() > deadline:
                return Stopped.TIMEOUT
            if not open_ended:
                time.sleep(_TICK_SECONDS)
            elif selector.select(_TICK_SECONDS):
                chunk = pipe.read(65536)
                if chunk == b"":
                    open_ended = False
                    selector.unregister(pipe)
                elif chunk:
                    lines.feed(chunk)
            elif process.returncode is not None:
                open_ended = False  # a grandchild keeps the pipe open; it is ended with the group
    return None


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Nothing of the process's session may outlive this call."""
    _signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(_TERM_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
    _signal_group(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # the group is gone


class _Lines:
    """Splits output into lines; keeps the first and the last ones, so that a flood costs no memory."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = b""
        self.kept: list[str] = []

    def feed(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for raw in whole:
            self._line(raw)
        if len(self._rest) > _MAX_LINE:
            self._rest = self._rest[:_MAX_LINE]

    def finish(self) -> None:
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def _line(self, raw: bytes) -> None:
        text = raw[:_MAX_LINE].decode("utf-8", "replace").rstrip("\r")
        if not text.strip():
            return
        self.kept.append(text)
        if len(self.kept) > _MAX_LINES:
            del self.kept[_MAX_LINES // 2]
        self._on_line(text)
