"""The bytes of a G-code file as blocks of whole lines, in constant memory, with hash and first look."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from core.gcode.line import MAX_LINE
from core.gcode.report import GcodeReport

BLOCK = 1 << 18
_LONGEST = 1 << 18
_KEEP = 2 * MAX_LINE
"""What is kept of a line that is longer than _LONGEST: enough to see that it is too long."""
_MAGIC = ((b"GCDE", "bgcode"), (b"PK\x03\x04", "zip"), (b"\xff\xfe", "binary"), (b"\xfe\xff", "binary"),
          (b"\x1f\x8b", "binary"), (b"\x7fELF", "binary"))  # fmt: skip


class Source:
    """Reads a binary stream once.

    Line ends of all kinds become newlines, a byte order mark and NUL bytes are taken out (and counted), and a line
    that is longer than a block is cut. The hash and the size are of the bytes as they are.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.kind = "gcode"
        self.size = 0
        self.nul_bytes = 0
        self._stream = stream
        self._hash = hashlib.sha256()

    def sha256(self) -> str:
        """The hash of all bytes read so far, in hexadecimal."""
        return self._hash.hexdigest()

    def refused(self) -> GcodeReport | None:
        """The report of a file that is not G-code text at all, else None."""
        if self.kind == "gcode":
            return None
        return GcodeReport(kind=self.kind, size=self.size, sha256=self.sha256(), nul_bytes=self.nul_bytes)

    def blocks(self) -> Iterator[bytes]:
        """Blocks of whole lines, each ending in a newline; none for a file that is not G-code text."""
        tail = b""
        first = True
        cutting = False
        while data := self._stream.read(BLOCK):
            self.size += len(data)
            self._hash.update(data)
            if first:
                first = False
                self.kind = _kind_of(data)
                data = data.removeprefix(b"\xef\xbb\xbf")
            if self.kind != "gcode":
                continue
            if 0 in data:
                self.nul_bytes += data.count(0)
                data = data.replace(b"\0", b"")
            data = tail + data
            held = data.endswith(b"\r")
            if held:
                data = data[:-1]
            data = _newlines(data)
            end = data.rfind(b"\n") + 1
            block, tail = data[:end], data[end:]
            if cutting and block:
                head, newline, rest = block.partition(b"\n")
                block = head[:_KEEP] + newline + rest
                cutting = False
            if len(tail) > _LONGEST:
                cutting = True
                tail = tail[:_KEEP]
            if held:
                tail += b"\r"
            if block:
                yield block
        if first:
            self.kind = "empty"
        if self.kind == "gcode" and tail:
            yield _newlines(tail) + (b"" if tail.endswith(b"\r") else b"\n")


def _newlines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _kind_of(data: bytes) -> str:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    head = data[:4096]
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return "binary" if control * 10 > len(head) else "gcode"
