"""Moving people's files without ever losing, following or overwriting one."""

import contextlib
import ctypes
import errno
import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

from core.domain.text import clean

CHUNK = 1 << 20
MAX_NAME_BYTES = 180
"""Longest name that is kept; leaves room for suffixes within the 255 bytes of most filesystems."""


class NotRegular(OSError):
    """A link, pipe, device or folder where a plain file was expected."""


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[int]:
    """A descriptor for reading a plain file; never follows a link and never blocks on a pipe.

    Raises:
        NotRegular: it is something else.
        OSError: it can't be opened.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotRegular(error.errno, "not a plain file", str(path)) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NotRegular(errno.EINVAL, "not a plain file", str(path))
        yield fd
    finally:
        os.close(fd)


def being_written(fd: int) -> bool | None:
    """Whether any program on this computer has the file open for writing; None where that can't be told.

    Asks Linux for a read lease, which it only grants while there is no writer, and gives it back at once.
    The lease-break signal is set to SIGURG, which is ignored by default; the usual SIGIO would end us.
    """
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def kept_name(name: str) -> str:
    """The name under which a dropped thing is kept: cleaned, bounded in bytes, with its ending."""
    cleaned = clean(name, 255).replace("/", "-").strip() or "unnamed"
    if cleaned in (".", "..") or cleaned.startswith("."):
        cleaned = "_" + cleaned.lstrip(".")
    stem, dot, ending = cleaned.rpartition(".")
    if not dot or not stem or len(ending) > 12:
        stem, dot, ending = cleaned, "", ""
    room = MAX_NAME_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip() + dot + ending


def fsync_folder(path: Path) -> None:
    """Make the names in a folder durable; filesystems that don't know the call are left alone."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def write_durable(path: Path, data: bytes) -> None:
    """Replace a small file of ours as a whole, surviving a power cut at any moment."""
    draft = path.with_name(path.name + ".new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    draft.replace(path)
    fsync_folder(path.parent)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file or folder to a name that is taken in the same step, so that nothing is ever overwritten.

    Raises:
        FileExistsError: something lies there already; nothing was touched.
        OSError: it could not be renamed; the source is whole.
    """
    if not _renamed_exclusively(source, target):
        _rename_reserved(source, target)


def _renamed_exclusively(source: Path, target: Path) -> bool:
    """Linux's own call for it; False where the system or the filesystem does not know it."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    # from <fcntl.h> and <linux/fs.h>: AT_FDCWD is -100, RENAME_NOREPLACE is 1
    if call(-100, os.fsencode(source), -100, os.fsencode(target), ctypes.c_uint(1)) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


def _rename_reserved(source: Path, target: Path) -> None:
    """Take the name with something empty, which only one can do, then rename over that."""
    folder = source.is_dir() and not source.is_symlink()
    if folder:
        target.mkdir()
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        source.rename(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            target.rmdir() if folder else target.unlink()
        if error.errno == errno.ENOTEMPTY:  # somebody put something into the folder at once: it is theirs now
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        raise


def move(source: Path, target: Path) -> None:
    """Move a file or folder to a name that is free; across filesystems by copy, fsync and removal.

    Raises:
        FileExistsError: something lies there already; nothing was touched.
        OSError: it could not be moved; the source is whole.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "something lies there already", str(target))
    try:
        rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_tree(source, target)
        remove_tree(source)
    fsync_folder(target.parent)
    fsync_folder(source.parent)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a plain file or a folder of plain files, durable when it returns; links and pipes raise NotRegular.

    It is built under a hidden name beside `target` and renamed when it is whole.
    """
    draft = target.with_name(".copy-" + target.name)
    remove_tree(draft)
    _copy(source, draft)
    rename_new(draft, target)
    fsync_folder(target.parent)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        target.mkdir(mode=0o700)
        for name in sorted(os.listdir(source)):
            _copy(source / name, target / name)
        fsync_folder(target)
        return
    with open_regular(source) as reading:
        status = os.fstat(reading)
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while chunk := os.read(reading, CHUNK):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(writing, view) :]
            os.fsync(writing)
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writing)


def remove_tree(path: Path) -> None:
    """Remove what Kiln itself made or has copied elsewhere; links are unlinked, never followed."""
    if path.is_dir() and not path.is_symlink():
        for name in os.listdir(path):
            remove_tree(path / name)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
