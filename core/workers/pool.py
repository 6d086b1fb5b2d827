"""A pool of killable worker processes for functions addressed by their import path.

Every task gets a process of its own, forked from a quiet server with the heavy imports loaded (a few
milliseconds), in its own process group and under hard limits. The pool may be used from any thread; one
thread of its own does all the waiting. Linux only (SEQPACKET sockets, PR_SET_PDEATHSIG).
"""

import contextlib
import itertools
import selectors
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Generic, TypeVar, cast, overload

import msgspec

from core.workers import server, wire
from core.workers.launch import launch, reason
from core.workers.types import (
    Limits,
    WorkerCancelled,
    WorkerCrashed,
    WorkerError,
    WorkerFailed,
    WorkerMemory,
    WorkerTimeout,
)

T = TypeVar("T")
Progress = Callable[[Any], None]

_CHUNK = 1 << 16
_UNKILLABLE_S = 2.0


class Task(Generic[T]):
    """One call in a worker process; thread-safe."""

    def __init__(
        self, pool: "WorkerPool", number: int, request: wire.Request, kind: Any, progress: Progress | None
    ):
        self.future: Future[T] = Future()
        """For `asyncio.wrap_future` or a callback; cancel by `cancel()`, not through it."""
        self.future.set_running_or_notify_cancel()
        self._pool = pool
        self._number = number
        self._request = request
        self._kind = kind
        self._progress = progress
        self._link: socket.socket | None = None
        self._inbox = bytearray()
        self._deadline = float("inf")
        self._killed_for: WorkerError | None = None

    def result(self, timeout: float | None = None) -> T:
        """The value of the call; waits at most `timeout` seconds (then the built-in TimeoutError).

        Raises WorkerTimeout, WorkerMemory, WorkerCrashed, WorkerCancelled or WorkerFailed.
        """
        return self.future.result(timeout)

    def done(self) -> bool:
        """Whether the task has ended."""
        return self.future.done()

    def cancel(self) -> None:
        """Kill the process, or forget the task if it waits; nothing happens if it has ended."""
        self._pool._cancel(self)


class WorkerPool:
    """At most `size` worker processes at a time; further tasks wait in order.

    `preload` names modules that the fork server imports once, for all workers.
    """

    def __init__(self, size: int, preload: Sequence[str] = ("numpy",)) -> None:
        self._size = max(1, size)
        self._preload = tuple(preload)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: deque[Task[Any]] = deque()
        self._to_kill: deque[Task[Any]] = deque()
        self._running: dict[int, Task[Any]] = {}
        self._closing = False
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._awake, self._waker = socket.socketpair()
        self._awake.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._awake, selectors.EVENT_READ)

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    @overload
    def submit(
        self,
        func: str | Callable[..., Any],
        *args: object,
        limits: Limits | None = None,
        on_progress: Progress | None = None,
        returns: type[T],
    ) -> Task[T]: ...

    @overload
    def submit(
        self,
        func: str | Callable[..., Any],
        *args: object,
        limits: Limits | None = None,
        on_progress: Progress | None = None,
    ) -> Task[Any]: ...

    def submit(
        self,
        func: str | Callable[..., Any],
        *args: object,
        limits: Limits | None = None,
        on_progress: Progress | None = None,
        returns: Any = Any,
    ) -> Task[Any]:
        """Call `func` (``"module:function"`` or a module-level function) in a worker process.

        Arguments and value must be what msgspec can encode (paths too); arguments arrive as the function's
        annotations say, the value is checked as `returns`. `on_progress` gets what the function passes to
        `core.workers.child.report`, in the pool's thread: it must be quick and must not raise.
        """
        path = func if isinstance(func, str) else f"{func.__module__}:{func.__qualname__}"
        request = wire.Request(func=path, args=list(args), limits=limits or Limits())
        wire.encode(request)  # an argument that cannot cross is the caller's mistake: tell the caller
        task: Task[Any] = Task(self, next(self._numbers), request, returns, on_progress)
        with self._lock:
            if self._closing:
                raise WorkerCancelled("the pool is closed")
            self._waiting.append(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="worker-pool", daemon=True)
                self._thread.start()
        self._wake()
        return task

    def close(self) -> None:
        """Cancel everything, kill the processes, wait for the pool's thread; safe to call twice."""
        with self._lock:
            already, self._closing = self._closing, True
            thread = self._thread
        if already:
            return
        if thread is not None:
            self._wake()
            thread.join()
        self._selector.close()
        self._awake.close()
        self._waker.close()

    # --- any thread ---------------------------------------------------------------------------------------

    def _wake(self) -> None:
        try:
            self._waker.send(b"!")
        except (BlockingIOError, OSError):
            return  # full: it will wake anyway; closed: there is nothing to wake

    def _cancel(self, task: Task[Any]) -> None:
        with self._lock:
            self._to_kill.append(task)
        self._wake()

    # --- the pool's own thread ----------------------------------------------------------------------------

    def _loop(self) -> None:
        while True:
            with self._lock:
                closing = self._closing
            if closing:
                break
            self._take_cancels()
            self._start_waiting()
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._awake:
                    self._awake.recv(_CHUNK)
                elif key.fileobj is self._control:
                    self._hear_server()
                elif isinstance(key.data, Task) and key.data._link is not None:
                    self._hear_worker(key.data)
            self._enforce_deadlines()
        self._end_everything()

    def _patience(self) -> float | None:
        if not self._running:
            return None
        soonest = min(task._deadline for task in self._running.values())
        return None if soonest == float("inf") else max(0.0, soonest - time.monotonic())

    def _take_cancels(self) -> None:
        with self._lock:
            cancels = list(self._to_kill)
            self._to_kill.clear()
            for task in cancels:
                if task in self._waiting:
                    self._waiting.remove(task)
        for task in cancels:
            if task._number in self._running:
                self._kill(task, WorkerCancelled("cancelled"))
            else:
                self._resolve(task, WorkerCancelled("cancelled before it began"))

    def _start_waiting(self) -> None:
        while len(self._running) < self._size:
            with self._lock:
                if not self._waiting:
                    return
                task = self._waiting.popleft()
            try:
                self._start(task)
            except OSError as error:
                self._server_lost()
                self._resolve(task, WorkerCrashed(f"no worker process could be started: {error}"))

    def _start(self, task: Task[Any]) -> None:
        control = self._server()
        ours, theirs = socket.socketpair()
        with theirs:
            order = server.ORDER.pack(server.RUN, task._number)
            try:
                socket.send_fds(control, [order], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        body = wire.encode(task._request)
        task._link = ours
        self._running[task._number] = task
        task._deadline = time.monotonic() + task._request.limits.wall_s
        self._selector.register(ours, selectors.EVENT_READ, task)
        try:
            ours.settimeout(task._request.limits.wall_s)
            ours.sendall(wire.HEADER.pack(0, len(body)) + body)
        except OSError:
            self._kill(task, WorkerCrashed("the worker process died before it began"))
        ours.setblocking(False)

    def _server(self) -> socket.socket:
        if self._control is not None:
            return self._control
        self._process, ours = launch(self._preload)
        self._control = ours
        self._selector.register(ours, selectors.EVENT_READ)
        return ours

    def _hear_server(self) -> None:
        control = self._control
        if control is None:
            return
        try:
            data = control.recv(server.EXITED.size)
        except OSError:
            data = b""
        if len(data) != server.EXITED.size:
            self._server_lost()
            return
        number, code = server.EXITED.unpack(data)
        task = self._running.pop(number, None)
        if task is not None:
            self._drain(task)
            self._hang_up(task)
            self._resolve(task, task._killed_for or reason(code))

    def _server_lost(self) -> None:
        """Workers die with the server; the next task starts a new one."""
        if self._control is not None:
            self._selector.unregister(self._control)
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for task in list(self._running.values()):
            self._drain(task)
            self._hang_up(task)
            self._resolve(task, task._killed_for or WorkerCrashed("the server of the worker processes died"))
        self._running.clear()

    def _hear_worker(self, task: Task[Any]) -> None:
        if not self._receive(task):
            self._hang_up(task)

    def _drain(self, task: Task[Any]) -> None:
        while task._link is not None and self._receive(task):
            pass

    def _receive(self, task: Task[Any]) -> bool:
        """Take what is there; whether more may come."""
        link = cast(socket.socket, task._link)
        try:
            data = link.recv(_CHUNK)
        except OSError:
            return False
        task._inbox += data
        while len(task._inbox) >= wire.HEADER.size:
            kind, size = wire.HEADER.unpack_from(task._inbox)
            if size > wire.MAX_FRAME:
                self._kill(task, WorkerFailed("the worker's answer is too large"))
                return False
            end = wire.HEADER.size + size
            if len(task._inbox) < end:
                break
            body = bytes(task._inbox[wire.HEADER.size : end])
            del task._inbox[:end]
            self._message(task, kind, body)
        return bool(data)

    def _message(self, task: Task[Any], kind: int, body: bytes) -> None:
        if task.future.done() or task._killed_for is not None:
            return
        try:
            if kind == wire.Kind.PROGRESS:
                self._progress(task, wire.decode(body, Any))
            elif kind == wire.Kind.VALUE:
                task.future.set_result(wire.decode(body, task._kind))
            elif kind == wire.Kind.FAILED:
                failure = wire.decode(body, wire.Failure)
                self._resolve(task, WorkerFailed(failure.message, failure.kind))
            elif kind == wire.Kind.MEMORY:
                self._resolve(task, WorkerMemory("the task needs more memory than its limit"))
            else:
                self._kill(task, WorkerFailed("the worker sent something unknown"))
        except (msgspec.DecodeError, RecursionError) as error:
            self._kill(task, WorkerFailed(f"the worker's answer cannot be read: {error}", "DecodeError"))

    def _progress(self, task: Task[Any], value: object) -> None:
        if task._progress is None:
            return
        try:
            task._progress(value)
        except Exception as error:  # noqa: BLE001 - a mistake of one caller must not end the pool of all the others
            self._kill(task, WorkerFailed(f"on_progress raised {error!r}", type(error).__name__))

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for task in list(self._running.values()):
            if task._deadline > now:
                continue
            if task._killed_for is None:
                self._kill(task, WorkerTimeout(f"no answer within {task._request.limits.wall_s:g} s"))
            else:
                # in an uninterruptible wait (a dead network disk): answer now, the slot stays taken until it goes
                task._deadline = float("inf")
                self._resolve(task, task._killed_for)

    def _kill(self, task: Task[Any], reason: WorkerError) -> None:
        if task._killed_for is not None:
            return
        task._killed_for = reason
        task._deadline = time.monotonic() + _UNKILLABLE_S
        if self._control is not None:
            try:
                self._control.send(server.ORDER.pack(server.KILL, task._number))
            except OSError:
                self._server_lost()

    def _hang_up(self, task: Task[Any]) -> None:
        if task._link is not None:
            self._selector.unregister(task._link)
            task._link.close()
            task._link = None

    def _resolve(self, task: Task[Any], error: WorkerError) -> None:
        if not task.future.done():
            task.future.set_exception(error)

    def _end_everything(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        for task in self._running.values():
            task._killed_for = task._killed_for or WorkerCancelled("the pool was closed")
        if self._control is not None:
            # the server kills its workers at end of file, which it must be given time for
            self._control.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(
                subprocess.TimeoutExpired
            ):  # _server_lost kills it, and the kernel its workers
                cast("subprocess.Popen[bytes]", self._process).wait(_UNKILLABLE_S)
        self._server_lost()
        for task in waiting:
            self._resolve(task, WorkerCancelled("the pool was closed"))
