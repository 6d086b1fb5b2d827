"""Putting files into the inbox for a person: copied beside it first, then placed, so that none is seen half.

Two people or programs may drop files of the same name at once: a name is never looked for first and taken afterwards.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from core.domain.text import clean
from core.ingest.files import MAX_NAME_BYTES, fsync_folder, kept_name, remove_tree, rename_new
from core.ingest.names import split_suffix

_MAX_SAME = 10_000
"""Files of one name in the inbox."""


def drop_into(inbox: Path, path: Path) -> str:
    """Copy a file or folder into the inbox under a free name; one sentence on what happened, never raises."""
    shown = clean(path.name, 80)
    if path.is_symlink() and path.is_dir():
        there = clean(os.path.realpath(path), 200)
        return f"{shown}: could not be dropped: it is a link to a folder. Drop the folder itself: {there}"
    temporary = inbox / f".dropping-{uuid.uuid4().hex}"
    try:
        try:
            if path.is_dir():
                shutil.copytree(path, temporary, symlinks=True)
            else:
                shutil.copyfile(path, temporary)
            _sync(temporary)
            _place(temporary, inbox, kept_name(path.name))
        except OSError:
            remove_tree(temporary)
            raise
        fsync_folder(inbox)
    except OSError as error:
        return f"{shown}: could not be dropped: {error.strerror or error}"
    return f"{shown}: dropped into {inbox}"


def _place(temporary: Path, inbox: Path, wanted: str) -> None:
    for name in _numbered(wanted):
        try:
            rename_new(temporary, inbox / name)
        except FileExistsError:
            continue
        return
    raise FileExistsError(errno.EEXIST, f"there are {_MAX_SAME} of this name in the inbox already")


def _numbered(wanted: str) -> Iterator[str]:
    """`clip.stl`, `clip-2.stl`, `clip-3.stl` …, none longer than a name may be."""
    yield wanted
    stem = split_suffix(wanted)[0]
    ending = wanted[len(stem) :]
    for number in range(2, _MAX_SAME + 1):
        mark = f"-{number}{ending}"
        room = MAX_NAME_BYTES - len(mark.encode())
        yield stem.encode()[:room].decode("utf-8", "ignore") + mark


def _sync(path: Path) -> None:
    """Make the content of a copy durable; links and what else the gates refuse is left as it is."""
    if path.is_symlink():
        return
    if path.is_dir():
        for name in os.listdir(path):
            _sync(path / name)
        fsync_folder(path)
    elif path.is_file():
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
