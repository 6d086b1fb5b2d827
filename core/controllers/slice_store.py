"""What slicing of a content key gave: the first result of a key is the artifact, it is never sliced again."""

import os
import re
from pathlib import Path

import msgspec

from core.domain.commands import SliceDone

_KEY = re.compile(r"[0-9a-f]{64}")


class SliceStore:
    """One small file per key; a missing or damaged one only means that the slicer runs once more."""

    def __init__(self, root: Path, artifacts: Path) -> None:
        self._root, self._artifacts = root, artifacts
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, key: str) -> SliceDone | None:
        """The result of a key whose G-code is still there."""
        if not _KEY.fullmatch(key):
            return None
        try:
            found = msgspec.json.decode((self._root / key).read_bytes(), type=SliceDone)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        if found.gate.sha256 != found.gcode.sha256:
            return None  # of a time when the gate did not say which content it had read
        there = self._artifacts / found.gcode.key
        return found if there.exists() and there.stat().st_size == found.gcode.size else None

    def put(self, key: str, done: SliceDone) -> None:
        """Remember a result."""
        temporary = self._root / f".{key}.new"
        with temporary.open("wb") as out:
            out.write(msgspec.json.encode(done))
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(self._root / key)
