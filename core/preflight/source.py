"""Opening a dropped file, and telling its format from its content."""

import os
import stat
import struct
from enum import StrEnum
from typing import BinaryIO

from core.preflight.limits import ReadLimits, Refusal

STL_HEADER = 84
STL_FACE = 50
_HEAD = 2048
_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n\f\v") | frozenset(range(0x80, 0x100))


class Format(StrEnum):
    """Formats of a model that can be read."""

    STL_BINARY = "stl-binary"
    STL_ASCII = "stl-ascii"
    THREEMF = "3mf"


def open_regular(path: str | os.PathLike[str], limits: ReadLimits) -> tuple[BinaryIO, int]:
    """The file and its size; refuses links, pipes, devices, folders and what is too large, without waiting."""
    try:
        # not blocking: opening a pipe would wait for a writer that never comes
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Refusal("NOT_A_FILE", error.strerror or "it cannot be opened") from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Refusal("NOT_A_FILE", "it is a folder, a pipe or a device")
        if status.st_size == 0:
            raise Refusal("EMPTY", "it has 0 bytes")
        if status.st_size > limits.file_bytes:
            raise Refusal(
                "FILE_TOO_BIG", f"{status.st_size >> 20} MB; the limit is {limits.file_bytes >> 20} MB"
            )
    except Refusal:
        os.close(fd)
        raise
    return os.fdopen(fd, "rb"), status.st_size


def detect(file: BinaryIO, size: int, limits: ReadLimits) -> Format:
    """The format, from the content alone; the file is left at its start.

    A binary STL is known by its size of 84 + 50 n bytes: many begin with ``solid`` like a text STL.
    """
    head = file.read(_HEAD)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.THREEMF
    count = struct.unpack_from("<I", head, 80)[0] if len(head) >= STL_HEADER else -1
    if count >= 0 and size == STL_HEADER + STL_FACE * count:
        return Format.STL_BINARY
    text = _TEXT.issuperset(head)
    if text:
        if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:5].lower() == b"solid":
            return Format.STL_ASCII
        raise Refusal("UNKNOWN_FORMAT", "it is a text, but not an STL")
    if count < 0:
        raise Refusal("UNKNOWN_FORMAT", f"{size} bytes are too few for any model")
    _explain_size(size, count, limits)
    return Format.STL_BINARY


def _explain_size(size: int, count: int, limits: ReadLimits) -> None:
    """Refuse a binary file whose size does not go with its face count, with the likeliest reason."""
    there = (size - STL_HEADER) // STL_FACE
    if there < count <= limits.faces:
        raise Refusal("TRUNCATED", f"{count} triangles are announced, {there} are there")
    if count > limits.faces:
        # a real STL of that many faces would not be that small, so this is something else
        raise Refusal("UNKNOWN_FORMAT", "it is neither an STL nor a 3MF")
    if there > count:
        raise Refusal("COUNT_MISMATCH", f"{count} triangles are announced, {there} are there")
