"""What people say about a part in a file name, a sidecar or a folder's defaults, and how each value is read.

One reader per kind of value, shared by the three places, so that `x4`, `quantity: 4` and a default agree.
A reader answers the value or raises `Unclear` with the sentence for the operator.
"""

import datetime as dt
import difflib
import re
from collections.abc import Collection

import msgspec

from core.domain.findings import Finding
from core.domain.text import clean
from core.domain.words import QualityTier, Verdict

MAX_QUANTITY = 1000
MAX_NOTES = 20

CONSTRAINTS = ("no_support_marks", "strength_axis", "cosmetic_face", "watertight", "orientation_locked")
"""Names of the constraints of domain.md; `no_support_marks(top)` carries a face in brackets."""

COLORS = frozenset(
    {
        *("black", "white", "grey", "gray", "silver", "red", "orange", "yellow", "green", "blue", "purple"),
        *("violet", "pink", "brown", "beige", "gold", "bronze", "copper", "natural", "clear", "transparent"),
        *("translucent", "navy", "teal", "cyan", "magenta", "olive", "turquoise", "ivory", "lime", "maroon"),
    }
)
"""Color words that are taken from a file name without `color=`."""

_CONSTRAINT = re.compile(r"([a-z_]+)(?:\(([A-Za-z0-9_ +.-]{1,40})\))?")
_DATE = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ]([0-9]{2})[:-]?([0-9]{2})(?:[:-]?[0-9]{2})?)?")
_HEX_COLOR = re.compile(r"#[0-9a-f]{6}")


class Unclear(ValueError):
    """A value that can't be understood; the text says what is wrong and what would be right."""


class Due(msgspec.Struct, frozen=True):
    """A day, and perhaps a time of that day, in the site's time zone."""

    day: dt.date
    time: dt.time | None = None

    def at(self, zone: dt.tzinfo) -> int:
        """Unix seconds; a day without a time ends at 23:59 (the promise is "on that day")."""
        moment = dt.datetime.combine(self.day, self.time or dt.time(23, 59), tzinfo=zone)
        return int(moment.timestamp())


class PartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about one part; None means nobody said, and it is asked for at approval.

    `notes` holds words that were not understood; `problems` what contradicts itself or can't be.
    """

    name: str = ""
    quantity: int | None = None
    material: str | None = None
    color: str | None = None
    tier: QualityTier | None = None
    due: Due | None = None
    constraints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Finding, ...] = ()


def squeeze(text: str) -> str:
    """Lower case without spaces, dashes and underscores: `PA-CF`, `pa cf` and `PACF` are one word."""
    return re.sub(r"[\s_-]+", "", text).casefold()


def read_quantity(text: str) -> int:
    """A whole number from 1 to 1000.

    Raises:
        Unclear: anything else.
    """
    digits = text.strip()
    if not re.fullmatch(r"[0-9]{1,9}", digits):
        raise Unclear(f"“{clean(text, 40)}” is no whole number; give 1 to {MAX_QUANTITY}")
    value = int(digits)
    if not 1 <= value <= MAX_QUANTITY:
        raise Unclear(f"{value} is out of range; one line takes 1 to {MAX_QUANTITY} pieces")
    return value


def find_material(text: str, known: Collection[str]) -> str | None:
    """The site's spelling of a material, or None when it has none of that name."""
    wanted = squeeze(text)
    return next((name for name in known if squeeze(name) == wanted), None) if wanted else None


def read_material(text: str, known: Collection[str]) -> str:
    """A material that the site knows, in the site's spelling.

    Raises:
        Unclear: the site has no material of that name.
    """
    found = find_material(text, known)
    if found is None:
        raise Unclear(f"“{clean(text, 40)}” is no material of this site; known: {_listed(text, known)}")
    return found


def find_tier(text: str) -> QualityTier | None:
    """The tier of that name, or None."""
    wanted = squeeze(text)
    return next((tier for tier in QualityTier if tier.value == wanted), None)


def read_tier(text: str) -> QualityTier:
    """A quality tier.

    Raises:
        Unclear: no tier has that name.
    """
    tier = find_tier(text)
    if tier is None:
        raise Unclear(f"“{clean(text, 40)}” is no quality tier; say {', '.join(QualityTier)}")
    return tier


def find_color(text: str) -> str | None:
    """A color word or `#rrggbb`, lower case, or None; `gray` is written `grey`."""
    word = squeeze(text)
    if word in COLORS or _HEX_COLOR.fullmatch(word):
        return "grey" if word == "gray" else word
    return None


def read_color(text: str) -> str:
    """Any short color name; well-known words come out in one spelling.

    Raises:
        Unclear: nothing was given.
    """
    color = find_color(text) or clean(text, 40).lower()
    if not color:
        raise Unclear("no color was given")
    return color


def read_due(text: str) -> Due:
    """A day as 2026-12-01 or 20261201, with a time as 2026-12-01T14:00 if wanted.

    Raises:
        Unclear: no such day, or another way of writing it.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise Unclear(f"“{clean(text, 40)}” is no date; write it as 2026-12-01 or 2026-12-01T14:00")
    year, month, day, hour, minute = match.groups()
    try:
        date = dt.date(int(year), int(month), int(day))
        time = dt.time(int(hour), int(minute)) if hour is not None else None
    except ValueError as error:
        raise Unclear(f"“{clean(text, 40)}” is no date of the calendar ({error})") from None
    if not 2000 <= date.year <= 2200:
        raise Unclear(f"“{clean(text, 40)}” lies outside the years 2000 to 2200")
    return Due(date, time)


def read_constraint(text: str) -> str:
    """One constraint such as `watertight` or `no_support_marks(top)`.

    Raises:
        Unclear: not one of the known constraints.
    """
    match = _CONSTRAINT.fullmatch(text.strip())
    if match is None or match[1] not in CONSTRAINTS:
        raise Unclear(f"“{clean(text, 40)}” is no known constraint; known: {_listed(text, CONSTRAINTS)}")
    return text.strip()


def unclear(code: str, what: str, where: str, *, severity: Verdict = Verdict.FAIL) -> Finding:
    """The finding for something said that can't be acted on."""
    return Finding(
        code=code,
        severity=severity,
        what=what,
        why="Kiln never guesses what was ordered: a wrong number or material costs a whole print.",
        fix="Correct it and drop it again.",
        kiln_can="The file is kept in rejected/ beside this reason; nothing is lost.",
        where=where,
    )


def _listed(text: str, known: Collection[str]) -> str:
    """The known names, the likely meant ones first; at most twelve."""
    names = sorted(known)
    near = difflib.get_close_matches(text[:40].upper(), [n.upper() for n in names], n=3, cutoff=0.5)
    names.sort(key=lambda name: (near.index(name.upper()) if name.upper() in near else len(near), name))
    return ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
