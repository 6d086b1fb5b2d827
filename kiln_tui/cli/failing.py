"""Failures to start, in words."""

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
    except (SettingsInvalid, NewerSchema, LedgerUnavailable) as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(f"the site's directory can't be used: {error}") from error


def say_and_fail(error: CannotStart) -> int:
    """Print the sentence; the exit code."""
    width = min(100, shutil.get_terminal_size().columns)
    lines = textwrap.wrap(f"kiln-tui: {error}", width, break_long_words=False, break_on_hyphens=False)
    sys.stderr.write("\n".join(lines) + "\n")
    return 1
