"""Start a program with limits: run as a script with ``python -I -S launch.py LIMITS… PROGRAM ARGUMENTS…``.

The limits must hold before the program's first instruction, and code between fork and exec is not safe in a
program with threads; so this small process sets them on itself and becomes the program.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _cap(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def main(arguments: list[str]) -> None:
    """Become the program; the arguments are memory and file size in bytes, niceness, our parent's pid, program."""
    memory, file_size, niceness, parent = (int(a) for a in arguments[:4])
    # a killed Kiln must not leave a slicer behind that nobody watches
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    # the interpreter ignores these two, and an ignored signal would stay ignored in the program
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.nice(niceness)
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_FSIZE, file_size)
    _cap(resource.RLIMIT_AS, memory)
    os.execv(arguments[4], arguments[4:])  # noqa: S606 - becoming the program is the purpose, no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
