"""What a claim holds: its files with their hashes, what was said about each, and what can't be accepted."""

import hashlib
import os
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from core.domain.findings import Finding
from core.domain.text import clean
from core.domain.words import Verdict
from core.ingest.claim import Claim
from core.ingest.defaults import combine
from core.ingest.facts import PartFacts
from core.ingest.files import CHUNK, NotRegular, open_regular
from core.ingest.listing import describe
from core.ingest.names import parse_name
from core.ingest.order_yaml import FILE_NAMES, MAX_BYTES, OrderItem, OrderYaml, parse_order
from core.ingest.stability import Kind, ignored

MAX_FILE_BYTES = 1 << 30
"""Largest single file; the gates have tighter limits of their own per format."""

MAX_DROP_BYTES = 4 << 30
MAX_FILES = 500


class ClaimedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One line that was dropped. A file that order.yaml lists twice (two colors, say) is two of these.

    `path` lies in the claim folder and may hold any bytes; `name` is cleaned for screens.
    """

    path: Path
    name: str
    size: int
    sha256: str
    facts: PartFacts


class ClaimedDrop(msgspec.Struct, frozen=True, kw_only=True):
    """A drop, whole and at rest. `drop_id` is its idempotency key, also after a restart.

    `problems` are findings about the drop as such; the files' own are in their facts. FAIL refuses it.
    `sha256` is the same for the same content, whatever the files are called.
    """

    drop_id: str
    name: str
    claim: Claim
    claimed_at: int
    files: tuple[ClaimedFile, ...]
    order: OrderYaml | None
    problems: tuple[Finding, ...]
    sha256: str
    folder: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings: of the drop, then of each file."""
        return self.problems + tuple(p for file in self.files for p in file.facts.problems)


class StillChanging(Exception):
    """A file changed while it was read; look again later."""


class _Read(msgspec.Struct, frozen=True):
    path: Path
    relative: str
    size: int
    sha256: str


def read_claim(
    claim: Claim, *, materials: Collection[str] = (), lanes: Mapping[str, PartFacts] | None = None
) -> ClaimedDrop:
    """Read every file of a claim once, with limits, and put together what was said about each.

    Raises:
        StillChanging: some program is still writing into it.
    """
    listed = describe(claim.path, claim.lane)
    problems: list[Finding] = []
    reads: list[_Read] = []
    is_folder = listed is not None and listed.entries[0].kind is Kind.FOLDER
    if listed is None or listed.cut:
        problems.append(_too_much())
    else:
        files = [e for e in listed.entries if e.kind is not Kind.FOLDER and not ignored(_base(e.path))]
        total = sum(entry.size for entry in files)
        if len(files) > MAX_FILES or total > MAX_DROP_BYTES:
            problems.append(_too_much())
            files = []
        for entry in files:
            path = claim.path / entry.path if entry.path else claim.path
            shown = clean(entry.path or claim.path.name)
            if entry.kind is not Kind.FILE:
                problems.append(_not_a_file(shown, entry.kind))
            elif entry.size > MAX_FILE_BYTES:
                problems.append(_too_large(shown, entry.size))
            else:
                try:
                    reads.append(_Read(path, entry.path or claim.path.name, *_hash(path)))
                except NotRegular:
                    problems.append(_not_a_file(shown, Kind.OTHER))
                except OSError as error:
                    problems.append(_unreadable(shown, error))
    sidecar = next((read for read in reads if is_folder and read.relative in FILE_NAMES), None)
    parts = [read for read in reads if read is not sidecar]
    order, order_problems = _order(sidecar, materials)
    defaults = (lanes or {}).get(claim.lane)
    lines, line_problems = _lines(parts, order, materials, defaults)
    problems += [*order_problems, *line_problems]
    if not is_folder and claim.path.name in FILE_NAMES:
        problems.append(_lonely_sidecar())
    if not lines and not problems:
        problems.append(_nothing_to_print())
    return ClaimedDrop(
        drop_id=claim.drop_id,
        name=clean(claim.path.name),
        claim=claim,
        claimed_at=claim.claimed_at,
        files=tuple(lines),
        order=order,
        problems=tuple(problems),
        sha256=_content_hash(reads),
        folder=is_folder,
    )


def _hash(path: Path) -> tuple[int, str]:
    """(size, sha256) of a plain file that does not change meanwhile."""
    digest = hashlib.sha256()
    with open_regular(path) as fd:
        before = os.fstat(fd)
        size = 0
        while chunk := os.read(fd, CHUNK):
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise StillChanging(path.name)
            digest.update(chunk)
        after = os.fstat(fd)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
        raise StillChanging(path.name)
    return size, digest.hexdigest()


def _order(sidecar: _Read | None, materials: Collection[str]) -> tuple[OrderYaml | None, tuple[Finding, ...]]:
    if sidecar is None:
        return None, ()
    with open_regular(sidecar.path) as fd:
        return parse_order(os.read(fd, MAX_BYTES + 1), materials)


def _lines(
    parts: list[_Read], order: OrderYaml | None, materials: Collection[str], defaults: PartFacts | None
) -> tuple[list[ClaimedFile], list[Finding]]:
    """The lines of the drop: as order.yaml lists them, or one per file where it lists none."""

    def line(read: _Read, item: OrderItem | None) -> ClaimedFile:
        said = None
        if item is not None:
            said = PartFacts(
                name=item.name,
                quantity=item.quantity,
                material=item.material,
                color=item.color,
                tier=item.tier,
                constraints=item.constraints,
                notes=item.notes,
            )
        facts = combine(parse_name(_base(read.relative), materials), said, defaults)
        name = clean(_base(read.relative))
        return ClaimedFile(path=read.path, name=name, size=read.size, sha256=read.sha256, facts=facts)

    if order is None or not order.items:
        return [line(read, None) for read in parts], []
    by_path = {_same(read.relative): read for read in parts}
    lines: list[ClaimedFile] = []
    problems: list[Finding] = []
    used: set[str] = set()
    for number, item in enumerate(order.items, start=1):
        read = by_path.get(_same(item.file))
        if read is None:
            problems.append(_not_there(number, item.file, [clean(part.relative, 60) for part in parts]))
        else:
            used.add(read.relative)
            lines.append(line(read, item))
    problems += [_not_listed(clean(part.relative)) for part in parts if part.relative not in used]
    return lines, problems


def _content_hash(reads: list[_Read]) -> str:
    """The file's own hash for one file, else the hash of the sorted hashes; '' when nothing was read."""
    hashes = sorted(read.sha256 for read in reads)
    if len(hashes) <= 1:
        return "".join(hashes)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _same(path: str) -> str:
    """File names as people see them: composed characters, as a Mac or a phone may write them apart."""
    return unicodedata.normalize("NFC", path)


def _finding(code: str, what: str, why: str, fix: str, *, where: str = "", warn: bool = False) -> Finding:
    return Finding(
        code=code,
        severity=Verdict.WARN if warn else Verdict.FAIL,
        what=what,
        why=why,
        fix=fix,
        kiln_can="" if warn else "It is kept whole in rejected/ beside this reason.",
        where=where,
    )


def _not_a_file(name: str, kind: Kind) -> Finding:
    word = "a link" if kind is Kind.LINK else "a pipe or device"
    return _finding(
        "NOT_A_FILE",
        f"{name} is {word}, not a file.",
        "Kiln only takes plain files: what a link points to can change after it was checked.",
        "Copy the file itself into the inbox.",
        where=name,
    )


def _too_large(name: str, size: int) -> Finding:
    return _finding(
        "FILE_TOO_LARGE",
        f"{name} has {size / 1e9:.1f} GB; at most {MAX_FILE_BYTES / 1e9:.1f} GB are taken.",
        "A file of that size can't be checked or sliced in the memory of this computer.",
        "Reduce the mesh in your CAD program, or split the part.",
        where=name,
    )


def _too_much() -> Finding:
    return _finding(
        "FOLDER_TOO_MUCH",
        f"The folder could not be read to its end: more than {MAX_FILES} files, deeper than four folders, "
        "over 4 GB, or a part of it is not readable.",
        "One folder is one order; Kiln takes it whole or not at all.",
        "Split it into smaller folders, and check its permissions.",
    )


def _unreadable(name: str, error: OSError) -> Finding:
    return _finding(
        "FILE_UNREADABLE",
        f"{name} can't be read: {clean(error.strerror or str(error), 100)}.",
        "What can't be read can't be checked.",
        "Give Kiln's user permission to read it (chmod a+r), or copy it anew, and drop it again.",
        where=name,
    )


def _lonely_sidecar() -> Finding:
    return _finding(
        "ORDER_YAML_ALONE",
        "order.yaml came alone.",
        "It speaks about the files beside it; in the inbox itself nobody can tell which those are.",
        "Make a folder, put order.yaml and its files in it, and drop the folder.",
    )


def _nothing_to_print() -> Finding:
    return _finding(
        "NOTHING_TO_PRINT",
        "There is nothing to print in it.",
        "An order needs at least one part.",
        "Put the part files into the folder and drop it again.",
    )


def _not_there(number: int, file: str, there: list[str]) -> Finding:
    shown = ", ".join(there[:8]) or "no files"
    return _finding(
        "ORDER_YAML",
        f"items[{number}].file names {clean(file, 80)}, which is not in the folder (there: {shown}).",
        "A line of the order has no part.",
        "Correct the name in order.yaml or add the file, and drop the folder again.",
        where="order.yaml",
    )


def _not_listed(name: str) -> Finding:
    return _finding(
        "NOT_IN_ORDER_YAML",
        f"{name} lies in the folder, but order.yaml does not list it.",
        "It is kept with the order and not printed.",
        "If it belongs to the order, add it under items and drop the folder again.",
        where=name,
        warn=True,
    )
