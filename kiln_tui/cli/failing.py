"""Failures to start, in words."""

import errno
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager


class CannotStart(Exception):
    """Shown on the terminal; the command ends with code 1."""


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what keeps a core from starting into one sentence."""
    from core.kernel.kernel import LedgerUnavailable
    from core.ledger.lock import SiteInUse
    from core.ledger.schema import NewerSchema
    from core.site.settings import SettingsInvalid

    try:
        yield
    except SiteInUse as error:
        raise CannotStart(f"{error}. Use that one, or end it first; nothing was changed.") from error
    except SettingsInvalid as error:
        raise CannotStart(settings_words(str(error))) from error
    except (NewerSchema, LedgerUnavailable) as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(_directory_words(error)) from error


_SHAPE = re.compile(r"(\S+\.yaml): Expected `(\w+)(?: \| null)?`, got `\w+`(?: - at `\$\.?([^`]*)`)?")
_SECTIONS = {
    "": "must be a list of settings such as “name: My shop”",
    "inbox": "must be a section with path and folders",
    "inbox.folders": "must be a section with one entry per folder",
}
_KINDS = {
    "str": "a text (in quotes where it is a number)",
    "object": "a section of its own",
    "int": "a number",
}


def settings_words(said: str) -> str:
    """A complaint about a settings file's shape in an operator's words; any other as it is."""
    found = _SHAPE.fullmatch(said)
    if found is None:
        return said
    file, kind, where = found.group(1), found.group(2), found.group(3) or ""
    wanted = _SECTIONS.get(where) if kind == "object" else None
    wanted = wanted or f"must be {_KINDS.get(kind, kind)}"
    return f"{file}: {where + ' ' if where else 'it '}{wanted}. Mend the file and start again"


def _directory_words(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    match error.errno:
        case errno.EEXIST | errno.ENOTDIR:
            return f"the site must be a directory, but there is a file in its place{where}. Name another with --site"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return (
                f"you may not write into the site's directory{where}. Get the right to it from its owner, "
                "or name another with --site"
            )
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk is full{where}. Make room and start again"
    return f"the site's directory can't be used{where}: {error.strerror or error}"


def say_and_fail(error: CannotStart) -> int:
    """Print the sentence; the exit code."""
    width = min(100, shutil.get_terminal_size().columns)
    lines = textwrap.wrap(f"kiln-tui: {error}", width, break_long_words=False, break_on_hyphens=False)
    sys.stderr.write("\n".join(lines) + "\n")
    return 1
