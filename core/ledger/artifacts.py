"""The content-addressed store: every file by its SHA-256, immutable, durable before it is referred to."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from core.domain.objects import ArtifactRef

_CHUNK = 1 << 20


class FileArtifacts:
    """Files under ``<site>/artifacts/ab/abcd…``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, source: Path, mime: str, name: str = "", *, move: bool = False) -> ArtifactRef:
        """Store a file: copy (or move), hash, fsync, rename. The same content twice is one file.

        Raises OSError when the disk is full or the source is unreadable; nothing half-written stays.
        """
        digest = hashlib.sha256()
        size = 0
        handle, temporary = tempfile.mkstemp(dir=self.root, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as out, source.open("rb") as content:
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            ref = ArtifactRef(sha256=digest.hexdigest(), size=size, mime=mime, name=name)
            self._place(Path(temporary), ref)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        if move:
            source.unlink(missing_ok=True)
        return ref

    def put_bytes(self, content: bytes, mime: str, name: str = "") -> ArtifactRef:
        """Store bytes; raises OSError like `put`."""
        ref = ArtifactRef(sha256=hashlib.sha256(content).hexdigest(), size=len(content), mime=mime, name=name)
        if self.path(ref).exists():
            return ref
        handle, temporary = tempfile.mkstemp(dir=self.root, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            self._place(Path(temporary), ref)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return ref

    def path(self, ref: ArtifactRef) -> Path:
        """Where the content is."""
        return self.root / ref.key

    def free_bytes(self) -> int:
        """Room left on the disk of the store."""
        return shutil.disk_usage(self.root).free

    def _place(self, temporary: Path, ref: ArtifactRef) -> None:
        target = self.path(ref)
        if target.exists():
            temporary.unlink()
            return
        target.parent.mkdir(mode=0o700, exist_ok=True)
        temporary.chmod(0o400)
        temporary.rename(target)
        for folder in (target.parent, self.root):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
