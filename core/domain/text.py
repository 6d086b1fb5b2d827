"""Cleaning of untrusted text before it reaches a screen, a file name or a log."""

import re
import unicodedata

_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9._+-]+")


def clean(text: str, limit: int = 200) -> str:
    """Text without control, escape, bidi or invisible characters, at most `limit` characters.

    File names and printer replies are hostile until proven otherwise: an escape sequence in a name
    would be executed by the operator's terminal.
    """
    kept = (
        c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in text[: limit * 4]
    )
    flat = " ".join("".join(kept).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def file_stem(text: str, limit: int = 60) -> str:
    """A harmless ASCII file-name part made of `text`; never empty, never with a leading dot or dash."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _UNSAFE_NAME.sub("-", ascii_text).strip(".-")[:limit] or "file"
