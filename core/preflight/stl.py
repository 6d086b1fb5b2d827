"""A bounded STL reader, text and binary: chunks of faces in constant memory.

Runs in a worker process only (numpy). Normals of the file are never used: many programs write them wrong.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.preflight.limits import ReadLimits, Refusal
from core.preflight.source import STL_FACE, STL_HEADER, Format

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Faces = NDArray[np.float32]

CHUNK = 8192
"""Faces per chunk; small enough that all intermediate arrays stay in the processor's cache."""

_TEXT_CHUNK = 1 << 20
_FACE_WORDS = 21
_SOLID_LINE = re.compile(rb"^[ \t]*(?:end[ \t]*)?solid[^\n]*", re.MULTILINE)
_END_SOLID = re.compile(rb"^[ \t]*end[ \t]*solid", re.MULTILINE)
_KEYWORDS = {
    0: b"facet",
    1: b"normal",
    5: b"outer",
    6: b"loop",
    7: b"vertex",
    11: b"vertex",
    15: b"vertex",
    19: b"endloop",
    20: b"endfacet",
}
_NUMBERS = (8, 9, 10, 12, 13, 14, 16, 17, 18)


def read(file: BinaryIO, size: int, form: Format, limits: ReadLimits) -> "Iterator[Faces]":
    """Chunks of faces as float32 arrays of shape (n, 3, 3), in file order, in the file's own unit.

    Raises Refusal with EMPTY, TRUNCATED, UNREADABLE or TOO_MANY_FACES.
    """
    return _binary(file, size, limits) if form is Format.STL_BINARY else _ascii(file, limits)


def _binary(file: BinaryIO, size: int, limits: ReadLimits) -> "Iterator[Faces]":
    # the count comes from the size of the file, never from its header
    total = (size - STL_HEADER) // STL_FACE
    if total == 0:
        raise Refusal("EMPTY", "it holds no triangle")
    if total > limits.faces:
        raise Refusal("TOO_MANY_FACES", f"{total:,} triangles; the limit is {limits.faces:,}")
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    file.seek(STL_HEADER)
    done = 0
    while done < total:
        want = min(CHUNK, total - done)
        data = file.read(want * STL_FACE)
        if len(data) != want * STL_FACE:
            raise Refusal("TRUNCATED", "it became shorter while it was read", f"triangle {done}")
        yield np.frombuffer(data, dtype=record)["corners"]
        done += want


def _ascii(file: BinaryIO, limits: ReadLimits) -> "Iterator[Faces]":
    rest = b""
    done = 0
    ended = False
    while True:
        data = file.read(_TEXT_CHUNK)
        text = rest + data.lower()
        cut = text.rfind(b"endfacet") + len(b"endfacet") if data else len(text)
        if data and cut < len(b"endfacet"):
            cut = 0
        body, rest = text[:cut], text[cut:]
        if len(rest) > 2 * _TEXT_CHUNK:
            raise Refusal("UNREADABLE", "there is no end of a triangle", f"after triangle {done}")
        if b"solid" in body:
            body = body.replace(b"\r", b"\n")
            ended = ended or _END_SOLID.search(body) is not None
            body = _SOLID_LINE.sub(b"", body.removeprefix(b"\xef\xbb\xbf"))
        words = body.split()
        if not data and words:
            raise Refusal("TRUNCATED", "the text ends in the middle of a triangle", f"after triangle {done}")
        if words:
            faces = _parse(words, done)
            done += len(faces)
            if done > limits.faces:
                raise Refusal("TOO_MANY_FACES", f"more than {limits.faces:,} triangles")
            yield from (faces[i : i + CHUNK] for i in range(0, len(faces), CHUNK))
        if not data:
            break
    if not ended:
        raise Refusal("TRUNCATED", "its last line (endsolid) is missing", f"after triangle {done}")
    if done == 0:
        raise Refusal("EMPTY", "it holds no triangle")


def _parse(words: list[bytes], done: int) -> "Faces":
    count, odd = divmod(len(words), _FACE_WORDS)
    for position, keyword in _KEYWORDS.items():
        column = words[position::_FACE_WORDS]
        if odd or column.count(keyword) != count:
            bad = next((i for i, word in enumerate(column) if word != keyword), count)
            raise Refusal(
                "UNREADABLE", "a triangle is not written as STL demands", f"triangle {done + bad + 1}"
            )
    flat = np.empty((count, 9), dtype=np.float64)
    try:
        for column_number, position in enumerate(_NUMBERS):
            flat[:, column_number] = [float(word) for word in words[position::_FACE_WORDS]]
    except ValueError as error:
        raise Refusal("UNREADABLE", "a coordinate is not a number", f"after triangle {done}") from error
    # a number beyond 32 bits becomes infinite, which is reported as such
    with np.errstate(over="ignore"):
        return flat.astype(np.float32).reshape(count, 3, 3)
