"""The content-addressed store: every file by its SHA-256, immutable, durable before it is referred to."""

import errno
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from core.domain.objects import ArtifactRef

_CHUNK = 1 << 20
_INCOMING = ".incoming-"


class FileArtifacts:
    """Files under ``<site>/artifacts/ab/abcd…``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def clear_incoming(self) -> int:
        """Remove what a crash left half stored; how many files. Only for the holder of the site's lock: the
        half of a copy that is under way looks the same."""
        left = list(self.root.glob(f"{_INCOMING}*"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def put(self, source: Path, mime: str, name: str = "", *, move: bool = False) -> ArtifactRef:
        """Store a file: copy (or move), hash, fsync, rename. The same content twice is one file.

        Raises OSError when the disk is full, or the source is unreadable or no plain file (a link, a pipe);
        nothing half-written stays.
        """
        digest = hashlib.sha256()
        size = 0
        handle, temporary = tempfile.mkstemp(dir=self.root, prefix=_INCOMING)
        try:
            with os.fdopen(handle, "wb") as out, open(source, "rb", opener=_open_plain) as content:
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
        handle, temporary = tempfile.mkstemp(dir=self.root, prefix=_INCOMING)
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


def _open_plain(path: str, flags: int) -> int:
    """Open a plain file; never through a link, and never waiting for the writer of a pipe."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file", path)
    return descriptor
