"""Functions that the worker tests run in real worker processes: each misbehaves in one way."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.domain.material import Material
from core.workers import child


def add(a: int, b: int) -> int:
    return a + b


def name_of(path: Path, material: Material) -> str:
    assert isinstance(path, Path)
    assert isinstance(material, Material)
    return f"{path.name} {material.name}"


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def spin() -> None:
    while True:
        pass


def hoard(size: int) -> int:
    return len(bytearray(size))


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    os._exit(0)


def refuse() -> None:
    raise ValueError("no \x1b[31mgood")


def fill(path: Path, size: int) -> None:
    path.write_bytes(bytes(size))


def shout() -> list[bool]:
    print("out", flush=True)
    print("err", file=sys.stderr, flush=True)
    return [os.path.samestat(os.fstat(fd), os.stat(os.devnull)) for fd in (0, 1, 2)]


def count(upto: int) -> int:
    for i in range(upto):
        child.report(i)
    return upto


def family(pid_file: Path) -> None:
    grandchild = subprocess.Popen(["sleep", "60"])
    pid_file.write_text(f"{os.getpid()} {grandchild.pid}")
    time.sleep(60)


def flood() -> str:
    return "x" * (70 << 20)


def limits() -> list[int]:
    return [
        resource.getrlimit(which)[0]
        for which in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
    ]


def main_module() -> str:
    return str(getattr(sys.modules["__main__"], "__file__", ""))


def peak_kb_of_analyse(path: Path) -> int:
    from core.preflight.t0 import analyse

    analyse(path)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def environment() -> list[str]:
    return sorted(os.environ)
