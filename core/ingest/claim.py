"""The atomic claim: out of the inbox into `claimed/<drop_id>/`, and picked up again after a crash.

A claim folder holds the dropped thing under its cleaned name and `.claim.json`, our own note. The name of
the folder is the idempotency key of everything that is later said about the drop.
"""

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.ingest.files import (
    NotRegular,
    being_written,
    copy_tree,
    fsync_folder,
    kept_name,
    open_regular,
    remove_tree,
    write_durable,
)
from core.ingest.listing import describe
from core.ingest.stability import Dropped, Kind

_NOTE = ".claim.json"
_DROP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,63}")


CAUTIOUS_S = 1.0
"""How long a file on a share, where open files can't be told, must have been unchanged."""


class CantTake(Exception):
    """The drop stays where it is; the text says why and what would help. It is tried again later."""


class StillOpen(CantTake):
    """A program of this computer has a file of it open for writing."""


class _Note(msgspec.Struct, kw_only=True):
    """What a claim must remember over a crash. Paths are hex of their bytes: names need not be UTF-8."""

    claimed_at: int
    lane: str
    copied_from: str = ""
    copied_look: str = ""
    kept_at: str = ""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed drop: `folder` is `claimed/<drop_id>`, `path` the thing itself in there."""

    drop_id: str
    folder: Path
    path: Path
    lane: str
    claimed_at: int
    kept_at: str = ""
    source: Path | None = None
    source_look: str = ""

    @property
    def source_key(self) -> tuple[str, str] | None:
        """Where the original still lies when it had to be copied, as the listing names it."""
        return (self.lane, self.source.name) if self.source is not None else None


class Claims:
    """The `claimed/` folder of a site. One thread at a time."""

    def __init__(
        self, *, site: Path, inbox: Path, new_id: Callable[[], str], wall: Callable[[], float]
    ) -> None:
        self._root = site / "claimed"
        self._inbox = inbox
        self._new_id = new_id
        self._wall = wall

    def take(self, dropped: Dropped) -> Claim | None:
        """Claim one drop; None when it changed or went away since it was listed.

        Raises:
            StillOpen: a program is still writing it.
            CantTake: it can't be moved now.
        """
        path = self._inbox / dropped.lane / dropped.name
        if describe(path, dropped.lane) != dropped:
            return None
        if _has_writer(path, dropped, self._wall()):
            raise StillOpen("another program still has it open for writing; it is taken when that closes it")
        drop_id = self._new_id()
        if not _DROP_ID.fullmatch(drop_id):
            raise ValueError(f"not usable as a folder name: {drop_id!r}")
        folder = self._root / drop_id
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise CantTake(_cant_take(error, self._root)) from error
        try:
            note = _Note(claimed_at=int(self._wall()), lane=dropped.lane)
            _write(folder, note)
            fsync_folder(self._root)
            return self._move_in(path, folder, note, dropped)
        except OSError as error:
            _give_up(folder)
            if error.errno == errno.ENOENT and not os.path.lexists(path):
                return None
            raise CantTake(_cant_take(error, self._root)) from error

    def left_over(self) -> tuple[Claim, ...]:
        """Claims that a crash or stop left behind, oldest first; empty and half-copied ones are cleared away."""
        found: list[Claim] = []
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._root)):
                folder = self._root / name
                if _DROP_ID.fullmatch(name) and folder.is_dir() and not folder.is_symlink():
                    claim = load(folder)
                    if claim is None:
                        _give_up(folder)
                    else:
                        found.append(claim)
        return tuple(sorted(found, key=lambda claim: (claim.claimed_at, claim.drop_id)))

    def _move_in(self, path: Path, folder: Path, note: _Note, dropped: Dropped) -> Claim:
        target = folder / kept_name(dropped.name)
        try:
            path.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            note.copied_from = os.fsencode(path).hex()
            note.copied_look = look_digest(dropped)
            _write(folder, note)
            copy_tree(path, target)
        else:
            fsync_folder(folder)
            fsync_folder(path.parent)
        return _claim(folder, target, note)


def load(folder: Path) -> Claim | None:
    """The claim in a folder, or None when nothing was moved into it or all of it was moved on."""
    things = [name for name in os.listdir(folder) if not name.startswith(".")]
    try:
        note = msgspec.json.decode((folder / _NOTE).read_bytes(), type=_Note)
    except (OSError, msgspec.DecodeError):
        if not things:
            return None
        # The note is written before anything is moved in; without it only the lane's defaults are lost.
        note = _Note(claimed_at=int(folder.stat().st_mtime), lane="")
    if not things:
        if note.kept_at:
            forget_source(_claim(folder, folder, note))
        return None
    return _claim(folder, folder / sorted(things)[0], note)


def reserve(claim: Claim, kept_at: str) -> Claim:
    """Write down where the drop is going to be kept, before it is moved there."""
    note = _Note(claimed_at=claim.claimed_at, lane=claim.lane, kept_at=kept_at)
    if claim.source is not None:
        note.copied_from, note.copied_look = os.fsencode(claim.source).hex(), claim.source_look
    _write(claim.folder, note)
    return _claim(claim.folder, claim.path, note)


def release(claim: Claim) -> None:
    """Remove the claim folder after the thing was moved to its place, and the copied original with it."""
    forget_source(claim)
    _give_up(claim.folder)


def forget_source(claim: Claim) -> None:
    """Take a copied original out of the inbox, if it is still exactly what was copied; else leave it."""
    if claim.source is None:
        return
    now = describe(claim.source, claim.lane)
    if now is not None and look_digest(now) == claim.source_look:
        with contextlib.suppress(OSError):
            remove_tree(claim.source)


def look_digest(dropped: Dropped) -> str:
    """A short mark of what a drop looked like, for comparing after a restart."""
    return hashlib.sha256(repr(dropped).encode("utf-8", "backslashreplace")).hexdigest()


def _claim(folder: Path, path: Path, note: _Note) -> Claim:
    source = Path(os.fsdecode(bytes.fromhex(note.copied_from))) if note.copied_from else None
    return Claim(
        drop_id=folder.name,
        folder=folder,
        path=path,
        lane=note.lane,
        claimed_at=note.claimed_at,
        kept_at=note.kept_at,
        source=source,
        source_look=note.copied_look,
    )


def _write(folder: Path, note: _Note) -> None:
    write_durable(folder / _NOTE, msgspec.json.encode(note))


def _has_writer(path: Path, dropped: Dropped, wall: float) -> bool:
    """Whether a program may still be writing a file of the drop: known on this computer's own disks; on shares,
    where it can't be told, while the last change is younger than `CAUTIOUS_S`."""
    for entry in dropped.entries:
        if entry.kind is Kind.FILE:
            try:
                with open_regular(path / entry.path if entry.path else path) as fd:
                    told = being_written(fd)
            except OSError:
                continue  # unreadable files are claimed and refused with that reason
            if told or (told is None and 0 <= wall - entry.mtime_ns / 1e9 < CAUTIOUS_S):
                return True
    return False


def _give_up(folder: Path) -> None:
    """Remove a claim folder that holds nothing but our own note and half copies."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith((_NOTE, ".copy-")):
                remove_tree(folder / name)
        folder.rmdir()
        fsync_folder(folder.parent)


def _cant_take(error: OSError, root: Path) -> str:
    if isinstance(error, NotRegular):
        return "it is (or holds) a link, pipe or device and lies on another filesystem; take it out by hand"
    reasons = {
        errno.EACCES: "Kiln may not move it; give its user write permission on the inbox folder",
        errno.EPERM: "Kiln may not move it; give its user write permission on the inbox folder",
        errno.EROFS: "the inbox is mounted read-only; mount it writable",
        errno.ENOSPC: f"the disk is full; free some space where {root.parent} is kept",
        errno.EDQUOT: "the disk quota is used up; free some space",
        errno.EBUSY: "another program holds it; it is tried again",
    }
    return reasons.get(error.errno or 0, f"it can't be moved ({error.strerror or error}); it is tried again")
