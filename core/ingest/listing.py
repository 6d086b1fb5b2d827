"""Looking into the inbox: names and sizes only, bounded, following no link."""

import itertools
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from core.ingest.stability import Dropped, Entry, Kind, ignored

MAX_DROPS = 2_000
"""Things listed per look; the rest come up as these are taken."""

MAX_ENTRIES = 1_000
"""Files and folders listed inside one dropped folder."""

MAX_DEPTH = 4


def list_inbox(inbox: Path, lanes: Collection[str] = ()) -> tuple[Dropped, ...]:
    """Everything that lies in the inbox now; `lanes` are folders with defaults, whose contents count singly.

    Raises:
        OSError: the inbox itself can't be read (gone, not mounted, not permitted).
    """
    found: list[Dropped] = []
    with os.scandir(inbox) as items:
        for item in items:
            if len(found) >= MAX_DROPS:
                break
            if item.name in lanes and item.is_dir(follow_symlinks=False):
                found.extend(_lane(Path(item.path), item.name, MAX_DROPS - len(found)))
            elif not ignored(item.name) and (dropped := describe(Path(item.path))) is not None:
                found.append(dropped)
    return tuple(found)


def describe(path: Path, lane: str = "") -> Dropped | None:
    """One thing as `list_inbox` would list it, or None when it is gone.

    A folder that can't be read to its end is listed as far as it goes, and marked so.
    """
    try:
        entry = _entry("", path.lstat())
    except OSError:
        return None
    entries, cut = _inside(path) if entry.kind is Kind.FOLDER else ((), False)
    return Dropped(path.name, lane, (entry, *entries), cut)


def _lane(path: Path, lane: str, room: int) -> list[Dropped]:
    found: list[Dropped] = []
    try:
        with os.scandir(path) as items:
            for item in items:
                if len(found) >= room:
                    break
                if not ignored(item.name) and (dropped := describe(Path(item.path), lane)) is not None:
                    found.append(dropped)
    except OSError:
        return found  # the lane was renamed or closed between two calls; the next look tells
    return found


def _inside(folder: Path) -> tuple[tuple[Entry, ...], bool]:
    """Everything below `folder` in the order of its paths; True when it is deeper or more than is taken."""
    entries: list[Entry] = []
    try:
        for entry in _walk(folder, "", 1):
            if entry is None or len(entries) >= MAX_ENTRIES:
                return tuple(entries), True
            entries.append(entry)
    except OSError:
        return tuple(entries), True
    return tuple(entries), False


def _walk(folder: Path, prefix: str, depth: int) -> Iterator[Entry | None]:
    """Entries depth first; a None says that it goes on deeper than `MAX_DEPTH`."""
    with os.scandir(folder) as items:
        names = sorted(item.name for item in itertools.islice(items, MAX_ENTRIES + 1))
    for name in names:
        try:
            entry = _entry(prefix + name, (folder / name).lstat())
        except OSError:
            continue  # gone since the listing: the next look sees the change
        yield entry
        if entry.kind is Kind.FOLDER and depth >= MAX_DEPTH:
            yield None
        elif entry.kind is Kind.FOLDER:
            yield from _walk(folder / name, prefix + name + "/", depth + 1)


def _entry(path: str, status: os.stat_result) -> Entry:
    mode = status.st_mode
    kind = (
        Kind.FILE
        if stat.S_ISREG(mode)
        else Kind.FOLDER
        if stat.S_ISDIR(mode)
        else Kind.LINK
        if stat.S_ISLNK(mode)
        else Kind.OTHER
    )
    return Entry(path, kind, 0 if kind is Kind.FOLDER else status.st_size, status.st_mtime_ns, status.st_ino)
