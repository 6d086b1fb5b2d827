"""The signs of the screens, in two sets: Unicode that SSH fonts have, and plain ASCII."""

from collections.abc import Mapping
from typing import NamedTuple


class Icons(NamedTuple):
    """One set of signs; `ascii_only` makes the widgets translate every other character too."""

    alert: str
    warn: str
    run: str
    ok: str
    ready: str
    wait: str
    off: str
    cursor: str
    full: str
    empty: str
    online: str
    enter: str
    bullet: str
    ticked: str
    unticked: str
    ascii_only: bool = False

    def bar(self, fraction: float | None, width: int) -> str:
        """A progress bar of `width` cells; blank where the progress is unknown."""
        if fraction is None or width <= 0:
            return " " * max(0, width)
        filled = int(max(0.0, min(1.0, fraction)) * width)
        return self.full * filled + self.empty * (width - filled)


UNICODE = Icons(
    alert="!",
    warn="▲",
    run="◐",
    ok="✓",
    ready="▸",
    wait="○",
    off="×",
    cursor="▌",
    full="━",
    empty="─",
    online="●",
    enter="⏎",
    bullet="·",
    ticked="[x]",
    unticked="[ ]",
)

ASCII = Icons(
    alert="!",
    warn="^",
    run="*",
    ok="+",
    ready=">",
    wait="o",
    off="x",
    cursor="|",
    full="#",
    empty="-",
    online="o",
    enter="Enter",
    bullet="-",
    ticked="[x]",
    unticked="[ ]",
    ascii_only=True,
)

_ASCII_TABLE = str.maketrans(
    {
        "·": "-",
        "×": "x",
        "…": "~",
        "—": "-",
        "–": "-",
        "→": ">",
        "←": "<",
        "°": " ",
        "“": '"',
        "”": '"',
        "’": "'",
        "‘": "'",
        "│": "|",
        "─": "-",
        "━": "#",
        "▌": "|",
        "≥": ">",
        "≤": "<",
        "²": "2",
        "³": "3",
        "µ": "u",
        "⏎": "E",
        "↑": "^",
        "↓": "v",
        "✓": "+",
        "▲": "^",
        "●": "o",
        "■": "#",
    }
)


def to_ascii(text: str) -> str:
    """The text in ASCII, character for character; what has no equal becomes ``?``."""
    if text.isascii():
        return text
    return text.translate(_ASCII_TABLE).encode("ascii", "replace").decode()


def choose(environ: Mapping[str, str], wanted: bool | None = None) -> Icons:
    """ASCII when asked for, by ``KILN_ASCII``, on the Linux console, or without a UTF-8 locale."""
    if wanted is not None:
        return ASCII if wanted else UNICODE
    if environ.get("KILN_ASCII", "") not in ("", "0") or environ.get("TERM") in ("linux", "dumb", "vt100"):
        return ASCII
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C.UTF-8"
    return UNICODE if "utf" in locale.lower() else ASCII
