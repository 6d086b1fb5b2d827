"""Which dropped things are complete, decided from what was seen, never from notifications alone.

Level-triggered: each look at the inbox is a full listing; two looks that agree, far enough apart, make a
thing stable. So a lost notification, a restart or a share that sends none changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

SETTLE_MS = 400
"""A file is complete when two looks this far apart agree (and, at the claim, no program has it open)."""

FOLDER_FACTOR = 8
"""A folder waits longer: the next file of the same copy may not have been begun yet."""

EMPTY_FACTOR = 25
"""An empty file waits longer still: uploads often create the name first and send later."""

EMPTY_FOLDER = "the folder is empty"
"""Why a folder without files waits; it may do so for ever."""

UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".download", ".opdownload", ".!ut")
"""Endings that programs give to files that they are still writing."""


class Kind(StrEnum):
    """What a directory entry is, told without following links."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


class Entry(msgspec.Struct, frozen=True):
    """One directory entry at one look; `path` is relative to the thing that was dropped, '' for itself."""

    path: str
    kind: Kind
    size: int
    mtime_ns: int
    inode: int


class Dropped(msgspec.Struct, frozen=True):
    """A file or folder in the inbox at one look.

    `lane` is the folder with defaults that it lies in, or ''. `cut` says that not all of it was listed.
    """

    name: str
    lane: str
    entries: tuple[Entry, ...]
    cut: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Where it lies."""
        return (self.lane, self.name)


class Seen(msgspec.Struct, frozen=True):
    """What one drop looked like, and since when (monotonic ms) it has looked so."""

    dropped: Dropped
    since_ms: int


Memory = Mapping[tuple[str, str], Seen]


class Waiting(msgspec.Struct, frozen=True):
    """Something that is not complete yet, with the reason in words."""

    name: str
    lane: str
    why: str
    since_ms: int


class Looked(msgspec.Struct, frozen=True):
    """The outcome of a look: what to remember, what is ready (oldest first) and what waits."""

    memory: Memory
    ready: tuple[Dropped, ...]
    waiting: tuple[Waiting, ...]


def ignored(name: str) -> bool:
    """Names that are nobody's order: hidden files, backup copies and what systems leave behind."""
    return name.startswith((".", "~")) or name.endswith("~") or name.lower() in ("thumbs.db", "desktop.ini")


def unfinished(name: str) -> bool:
    """Names under which programs are still writing."""
    return name.lower().endswith(UNFINISHED)


def look(memory: Memory, listing: tuple[Dropped, ...], now_ms: int, settle_ms: int = SETTLE_MS) -> Looked:
    """Compare a listing with what was seen before; `now_ms` is monotonic.

    Links, pipes and devices become ready as well: the claim takes them out of the way unopened and refuses
    them with a reason. A clock that runs backwards only begins the wait anew.
    """
    remembered: dict[tuple[str, str], Seen] = {}
    ready: list[tuple[int, Dropped]] = []
    waiting: list[Waiting] = []
    for dropped in listing:
        if ignored(dropped.name):
            continue
        before = memory.get(dropped.key)
        unchanged = before is not None and before.dropped == dropped and before.since_ms <= now_ms
        seen = before if unchanged and before is not None else Seen(dropped, now_ms)
        remembered[dropped.key] = seen
        why = _why_not(dropped, now_ms - seen.since_ms, settle_ms)
        if why:
            waiting.append(Waiting(dropped.name, dropped.lane, why, seen.since_ms))
        else:
            ready.append((max(entry.mtime_ns for entry in dropped.entries), dropped))
    ready.sort(key=lambda pair: (pair[0], pair[1].key))
    return Looked(remembered, tuple(dropped for _, dropped in ready), tuple(waiting))


def _why_not(dropped: Dropped, quiet_ms: int, settle_ms: int) -> str:
    """Why the drop can't be taken yet, or ''."""
    names = [entry.path.rpartition("/")[2] or dropped.name for entry in dropped.entries]
    partial = next((name for name in names if unfinished(name) and not ignored(name)), None)
    if partial is not None:
        return f"{partial} is still being written by another program"
    files = [
        entry
        for entry, name in zip(dropped.entries, names, strict=True)
        if entry.kind is not Kind.FOLDER and not ignored(name)
    ]
    if not files and not dropped.cut:
        return EMPTY_FOLDER
    needed = settle_ms if dropped.entries[0].kind is not Kind.FOLDER else settle_ms * FOLDER_FACTOR
    if any(entry.kind is Kind.FILE and entry.size == 0 for entry in files):
        needed = settle_ms * EMPTY_FACTOR
    return "" if quiet_ms >= needed else "waiting until it stops changing"
