"""The zip file of a 3MF, opened within limits: nothing is unpacked to disk, nothing unfolds beyond its bounds."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from core.domain.text import clean
from core.preflight.limits import ReadLimits, Refusal

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENTRY_BYTES = 46 + 3 * 1024
_READ = 1 << 18


class Package:
    """The members of a checked zip file, found by name without regard to case, as the OPC standard says."""

    def __init__(self, file: BinaryIO, size: int, limits: ReadLimits) -> None:
        self._limits = limits
        directory = _check_directory(file, size, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error) as error:
            raise Refusal("UNREADABLE", "its zip directory is damaged") from error
        members = self._zip.infolist()
        if len(members) > limits.zip_members:
            raise Refusal("ZIP_BOMB", f"{len(members):,} files inside; the limit is {limits.zip_members:,}")
        _check_names(members)
        _check_sizes(members, limits)
        _check_overlap(file, members, directory)
        self._members = {m.filename.lower().lstrip("/"): m for m in members}

    def names(self) -> list[str]:
        """Names of all members, in lower case."""
        return list(self._members)

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return _key(name) in self._members

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member, piece by piece; raises Refusal with UNREADABLE if it is missing or damaged."""
        member = self._members.get(_key(name))
        if member is None:
            raise Refusal("UNREADABLE", f"{clean(name, 80)} is missing inside")
        try:
            with self._zip.open(member) as stream:
                while data := stream.read(_READ):
                    yield data
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            EOFError,
            RuntimeError,
            OSError,
        ) as error:
            raise Refusal("TRUNCATED", f"{clean(name, 80)} inside is damaged") from error

    def head(self, name: str, limit: int) -> bytes:
        """The first `limit` bytes of a member."""
        found = bytearray()
        for data in self.chunks(name):
            found += data
            if len(found) >= limit:
                break
        return bytes(found[:limit])


def _key(name: str) -> str:
    return name.lower().lstrip("/")


def _check_directory(file: BinaryIO, size: int, limits: ReadLimits) -> int:
    """Bound the central directory before zipfile reads all of it; returns where it begins."""
    tail_from = max(0, size - (1 << 16) - _END.size)
    file.seek(tail_from)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise Refusal("TRUNCATED", "the end of the zip file is missing")
    _, _, _, _, count, length, offset, _ = _END.unpack_from(tail, at)
    locator = at - _LOCATOR64.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        file.seek(min(_LOCATOR64.unpack_from(tail, locator)[2], size))
        record = file.read(_END64.size)
        if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
            raise Refusal("UNREADABLE", "its zip directory is damaged")
        *_, count, length, offset = _END64.unpack(record)
    if count > limits.zip_members or length > limits.zip_members * _ENTRY_BYTES:
        raise Refusal("ZIP_BOMB", f"{count:,} files inside; the limit is {limits.zip_members:,}")
    if offset + length > size:
        raise Refusal("TRUNCATED", "parts of the zip file are missing")
    file.seek(0)
    return int(offset)


def _check_names(members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        name = member.orig_filename
        steps = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in steps or ":" in steps[0] or "\0" in name:
            raise Refusal("PATH_TRAVERSAL", clean(name, 80))
        if name.lower() in seen:
            raise Refusal("ZIP_OVERLAP", f"{clean(name, 80)} is there twice")
        seen.add(name.lower())
        if member.flag_bits & 0x1:
            raise Refusal("UNREADABLE", "it is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refusal("UNREADABLE", "it uses a compression that 3MF does not allow")


def _check_sizes(members: list[zipfile.ZipInfo], limits: ReadLimits) -> None:
    total = sum(m.file_size for m in members)
    if total > limits.zip_bytes:
        raise Refusal(
            "ZIP_BOMB", f"it unfolds to {total >> 20:,} MB; the limit is {limits.zip_bytes >> 20:,} MB"
        )
    for m in members:
        if m.file_size > limits.zip_ratio_from and m.file_size > limits.zip_ratio * max(1, m.compress_size):
            raise Refusal("ZIP_BOMB", f"{clean(m.filename, 80)} unfolds to {m.file_size >> 20:,} MB")


def _check_overlap(file: BinaryIO, members: list[zipfile.ZipInfo], directory: int) -> None:
    """No two members may share bytes: that is how a small zip unfolds into a huge one."""
    end = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < end:
            raise Refusal("ZIP_OVERLAP", f"{clean(member.filename, 80)} shares its bytes with another")
        file.seek(member.header_offset)
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise Refusal("UNREADABLE", "its zip directory is damaged")
        *_, name, extra = _LOCAL.unpack(head)
        end = member.header_offset + _LOCAL.size + name + extra + member.compress_size
    if end > directory:
        raise Refusal("ZIP_OVERLAP", "its files reach into its directory")
