"""The inside of a worker process: limits first, then the one function, then the answer."""

import ctypes
import errno
import importlib
import inspect
import os
import resource
import signal
import socket
import typing
from typing import Any

from core.domain.text import clean
from core.workers import wire
from core.workers.types import Limits

_PR_SET_PDEATHSIG = 1
_link: socket.socket | None = None


def report(value: object) -> None:
    """Send progress (any msgpack-able value) to `on_progress` of the task; outside a worker nothing happens."""
    if _link is not None:
        _link.sendall(wire.frame(wire.Kind.PROGRESS, wire.encode(value)))


def run(link: socket.socket, server_pid: int) -> int:
    """Read the request from `link`, run it within its limits, answer; returns the exit code."""
    global _link
    _die_with(server_pid)
    request = _read_request(link)
    _limit(request.limits)
    _link = link
    try:
        body = wire.encode(_call(request))
        if len(body) > wire.MAX_FRAME:
            raise ValueError(f"the answer of {request.func} is too large ({len(body)} bytes)")
        answer = wire.frame(wire.Kind.VALUE, body)
    except MemoryError:
        answer = wire.frame(wire.Kind.MEMORY, b"")
    except OSError as error:
        kind = wire.Kind.MEMORY if error.errno == errno.ENOMEM else wire.Kind.FAILED
        answer = wire.frame(kind, _failure(error))
    except Exception as error:  # noqa: BLE001 - the outermost loop of a worker: everything must reach the parent
        answer = wire.frame(wire.Kind.FAILED, _failure(error))
    link.sendall(answer)
    return 0


def _die_with(server_pid: int) -> None:
    """Have the kernel kill this process when the server dies, whatever the server died of."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != server_pid:
        os._exit(1)


def _read_request(link: socket.socket) -> wire.Request:
    with link.makefile("rb") as stream:
        header = stream.read(wire.HEADER.size)
        _, size = wire.HEADER.unpack(header)
        request = wire.decode(stream.read(size), wire.Request)
    if not isinstance(request, wire.Request):
        raise TypeError("not a request")
    return request


def _limit(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_AS, limits.memory_bytes)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    cpu = max(1, limits.cpu_s)
    # the soft limit kills by SIGXCPU, which tells it apart from a kill by somebody else; the hard one is the net
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 2))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def _call(request: wire.Request) -> Any:
    module, _, name = request.func.partition(":")
    func = getattr(importlib.import_module(module), name)
    hints = typing.get_type_hints(func)
    names = list(inspect.signature(func).parameters)
    args = [
        wire.convert(value, hints.get(parameter, Any))
        for parameter, value in zip(names, request.args, strict=False)
    ]
    if len(args) != len(request.args):
        raise TypeError(f"{request.func} takes {len(names)} arguments, not {len(request.args)}")
    return func(*args)


def _failure(error: Exception) -> bytes:
    return wire.encode(wire.Failure(kind=type(error).__name__, message=clean(str(error), 500)))
