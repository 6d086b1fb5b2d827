"""Starting the fork server, and reading how one of its workers ended."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence

from core.workers.types import WorkerCrashed, WorkerError, WorkerTimeout

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "HOME", "TMPDIR")


def launch(preload: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A new fork server with the modules `preload` loaded, and our end of its control socket; raises OSError.

    It has no terminal, no output, a session of its own and only the harmless part of our environment: keys and
    passwords that are given to the program by environment do not reach a process that reads foreign files.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keep = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # one thread per worker: a fork copies only one, and the address-space limit counts every stack
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    paths = {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    with theirs:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "core.workers", str(theirs.fileno()), *preload],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=keep | threads | paths,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    return process, ours


def reason(code: int) -> WorkerError:
    """Why a worker that gave no answer ended; `code` is negative for a signal."""
    if code == -signal.SIGXCPU:
        return WorkerTimeout("the limit of processor time was reached")
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return WorkerCrashed(f"the worker process was ended by {name}")
    return WorkerCrashed("the worker process left without an answer")
