"""The fork server: a quiet process with the imports loaded, which forks one worker for each task.

Started by the pool as ``python -m core.workers FD MODULE…``. It is not multiprocessing's forkserver,
which would run the caller's main script again in every child, inherit the terminal, and speak pickle.

Over the control socket (SEQPACKET) come orders of one byte and a task number, ``R`` with the worker's end of
the task's socket, and ``K`` to kill; back goes the task number and the wait status. End of file means that the
program is gone: everything is killed. It has a single thread, so that fork and PR_SET_PDEATHSIG are sound.
"""

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import struct

from core.workers import child

ORDER = struct.Struct("<cQ")
EXITED = struct.Struct("<Qi")
RUN = b"R"
KILL = b"K"


def _ignore(*_: object) -> None:
    """A handler must exist for the wake-up descriptor to be written."""


class Server:
    """Forks, kills by process group, reaps and tells."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._tasks: dict[int, int] = {}

    def serve(self) -> None:
        """Until the other end of the control socket is closed."""
        awake, waker = socket.socketpair()
        awake.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(awake, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._control:
                        if not self._order():
                            return
                    else:
                        with contextlib.suppress(BlockingIOError):
                            awake.recv(4096)
                        self._reap()

    def kill_all(self) -> None:
        """Kill every worker with its process group."""
        for pid in self._tasks.values():
            _kill_group(pid)

    def _order(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self._control, ORDER.size, 1)
        if len(data) != ORDER.size:
            return False
        order, number = ORDER.unpack(data)
        if order == KILL and number in self._tasks:
            _kill_group(self._tasks[number])
        if order == RUN and fds:
            self._fork(number, fds[0])
        return True

    def _fork(self, number: int, fd: int) -> None:
        server_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            code = 1
            try:
                code = child.run(socket.socket(fileno=fd), server_pid)
            finally:
                os._exit(code)
        os.close(fd)
        with contextlib.suppress(OSError):  # the child may have done it already, or be gone
            os.setpgid(pid, pid)
        self._tasks[number] = pid

    def _reap(self) -> None:
        for number, pid in list(self._tasks.items()):
            # look without reaping: while the dead leader is kept, its process group number cannot be reused
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            _kill_group(pid)
            _, status = os.waitpid(pid, 0)
            del self._tasks[number]
            with contextlib.suppress(BrokenPipeError):  # the program is gone; the loop ends by itself
                self._control.send(EXITED.pack(number, os.waitstatus_to_exitcode(status)))


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main(argv: list[str]) -> None:
    """Serve on descriptor ``argv[0]`` with the modules ``argv[1:]`` loaded."""
    control = socket.socket(fileno=int(argv[0]))
    os.nice(5)  # the screen and the printers' connections come first
    for name in argv[1:]:
        # a module that does not load is reported by the first task that needs it
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    server = Server(control)
    try:
        server.serve()
    finally:
        server.kill_all()
