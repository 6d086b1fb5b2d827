"""A dropped file as a list of parts, whatever its format. Runs in a worker process only (numpy)."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from core.domain.findings import Finding
from core.preflight import project, scene, stl, threemf
from core.preflight.limits import ReadLimits, Refusal
from core.preflight.package import Package
from core.preflight.source import STL_FACE, STL_HEADER, Format, detect, open_regular
from core.preflight.wording import finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Faces = NDArray[np.float32]


class SourcePart:
    """One distinct part of the file; `chunks()` gives its faces (n, 3, 3) in mm, as often as it is called."""

    def __init__(self, name: str, quantity: int, chunks: "Callable[[], Iterator[Faces]]") -> None:
        self.name = name
        self.quantity = quantity
        self.chunks = chunks


class Opened:
    """An open file: its format, size in bytes, parts, and what there is to say of the file as a whole."""

    def __init__(self, form: Format, size: int, parts: list[SourcePart], findings: list[Finding]) -> None:
        self.form = form
        self.size = size
        self.parts = parts
        self.findings = findings


@contextmanager
def open_parts(path: str | os.PathLike[str], limits: ReadLimits) -> Iterator[Opened]:
    """Open `path` and list its parts; raises Refusal for what is not read at all."""
    file, size = open_regular(path, limits)
    with file:
        form = detect(file, size, limits)
        if form is Format.THREEMF:
            parts, findings = _threemf(file, size, limits)
        else:
            parts, findings = _stl(file, size, form, limits)
        yield Opened(form, size, parts, findings)


def _stl(
    file: BinaryIO, size: int, form: Format, limits: ReadLimits
) -> tuple[list[SourcePart], list[Finding]]:
    def chunks() -> "Iterator[Faces]":
        file.seek(0)
        return stl.read(file, size, form, limits)

    tail = (size - STL_HEADER) % STL_FACE if form is Format.STL_BINARY else 0
    return [SourcePart("part", 1, chunks)], [finding("TRAILING_DATA", f"{tail} bytes")] if tail else []


def _threemf(file: BinaryIO, size: int, limits: ReadLimits) -> tuple[list[SourcePart], list[Finding]]:
    package = Package(file, size, limits)
    findings = project.scripts(package)
    hints = project.read_hints(package, limits)
    model = threemf.load(package, limits)
    findings += project.apply(model, hints)
    built = scene.scene(model, limits)
    left_out = [
        f"{count} {what}"
        for count, what in (
            (built.not_printable, "marked as not printable"),
            (built.not_models, "support shapes"),
        )
        if count
    ]
    if left_out:
        findings.append(finding("ITEMS_LEFT_OUT", " and ".join(left_out)))
    if not built.builds:
        if project.is_sliced(package):
            raise Refusal("ALREADY_SLICED")
        raise Refusal("EMPTY", "it asks for no part to be built")

    def chunks_of(build: scene.Build) -> "Callable[[], Iterator[Faces]]":
        return lambda: scene.faces_of(model, build)

    return [SourcePart(b.name, b.quantity, chunks_of(b)) for b in built.builds], findings
