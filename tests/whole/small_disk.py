"""A disk that can be filled: a small filesystem of its own where we may mount one, else a limit on every file."""

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

SIZE_MB = 24


class LimitedDisk:
    """The kernel refuses every byte behind `limit` of any file of this process (EFBIG), as a quota does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


class TinyDisk:
    """A tmpfs of a few megabytes; filling it gives ENOSPC to everybody who writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / ".ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def tiny(folder: Path) -> Iterator[TinyDisk]:
    """Mount, hand out, unmount. Only for root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "kiln-test", folder], check=True)
    try:
        yield TinyDisk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def limited(folder: Path) -> Iterator[LimitedDisk]:
    """A plain folder and a limit that is always taken back."""
    folder.mkdir()
    disk = LimitedDisk(folder)
    try:
        yield disk
    finally:
        disk.free()


def may_mount(folder: Path) -> bool:
    """Whether a filesystem can be mounted here."""
    if os.geteuid() != 0:
        return False
    try:
        with tiny(folder):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
