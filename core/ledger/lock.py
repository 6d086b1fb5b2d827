"""The site lock: two cores on one site directory are impossible."""

import fcntl
import os
from pathlib import Path


class SiteInUse(Exception):
    """Another core works on this site; str() names its process."""


class SiteLock:
    """An exclusive lock of the operating system on ``<site>/lock``; it goes with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._handle)
            raise SiteInUse(f"another kiln-tui (process {owner}) works on this site") from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let another core work on the site."""
        os.close(self._handle)
