"""Putting files into the inbox for a person: copied beside it first, then renamed, so that none is seen half."""

import shutil
import uuid
from pathlib import Path

from core.domain.text import clean
from core.ingest.files import kept_name, remove_tree


def drop_into(inbox: Path, path: Path) -> str:
    """Copy a file or folder into the inbox under a free name; one sentence on what happened, never raises."""
    shown = clean(path.name, 80)
    try:
        target = inbox / kept_name(path.name)
        number = 1
        while target.exists():
            number += 1
            target = inbox / kept_name(f"{path.stem}-{number}{path.suffix}")
        temporary = inbox / f".dropping-{uuid.uuid4().hex}"
        try:
            if path.is_dir():
                shutil.copytree(path, temporary, symlinks=True)
            else:
                shutil.copyfile(path, temporary)
            temporary.rename(target)
        except OSError:
            remove_tree(temporary)
            raise
    except OSError as error:
        return f"{shown}: could not be dropped: {error.strerror or error}"
    return f"{shown}: dropped into {inbox}"
