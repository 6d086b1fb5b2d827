"""The words of every screen: durations, ages, masses, times of day, and names of states; all pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from core.contract import Phase
from core.domain.reasons import label
from core.domain.words import RiskLevel, RunState

RISK_LABELS = {
    "THIN_WALL": "Thin walls",
    "HIGH_OVERHANG": "High overhangs",
    "LONG_BRIDGE": "Long bridges",
    "SMALL_FEATURE": "Small features",
    "TIP_OVER": "Tall and narrow",
    "WARPING": "Warping likely",
    "NOT_WATERTIGHT": "Mesh not watertight",
    "NEW_PROFILE": "New profile version",
    "NEW_SLICER": "New slicer version",
    "LOW_PRINTER_CONFIDENCE": "Printer confidence: Low",
    "RECENT_FAILURES": "Recent failures",
    "SLA_TIGHT": "Tight due time",
    "LOW_SPOOL": "Spool may run out",
}
"""Risk factor to its one label (domain.md, Risk)."""

_PHASES = {
    Phase.PREPARING: "Preparing",
    Phase.BUSY: "Busy",
    Phase.ERROR: "Error",
    Phase.UNKNOWN: "Unknown",
}


def duration(seconds: float) -> str:
    """A length of time in words: ``45 s``, ``6 min``, ``1 h 12 min``, ``2 d 3 h``; negative counts as 0."""
    left = max(0, int(seconds))
    if left < 60:
        return f"{left} s"
    minutes = left // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def short_duration(seconds: float) -> str:
    """The same for a narrow column: ``45s``, ``6m``, ``1h12``, ``2d``."""
    left = max(0, int(seconds))
    if left < 60:
        return f"{left}s"
    minutes = left // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}" if hours < 24 else f"{hours // 24}d"


def age(seconds: float) -> str:
    """How long ago: ``just now`` under 5 s, else ``6 min ago``."""
    return "just now" if seconds < 5 else f"{duration(seconds)} ago"


def grams(milligrams: int) -> str:
    """A mass: ``182 g``, and one decimal under 10 g."""
    value = milligrams / 1000
    return f"{value:.1f} g" if 0 < value < 9.95 else f"{value:.0f} g"


def grams_range(low_mg: int, high_mg: int) -> str:
    """A range of masses: ``170–195 g``; one figure where both ends read the same."""
    low, high = grams(low_mg), grams(high_mg)
    return high if low == high else f"{low.removesuffix(' g')}–{high}"


def clock(at: float, utc_offset_s: int) -> str:
    """The time of day ``09:06:12`` of a wall time, at the site's offset from UTC."""
    minutes, seconds = divmod(int(at + utc_offset_s) % 86_400, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def day_and_time(at: float, utc_offset_s: int) -> str:
    """Date and time of day ``2026-12-01 09:06``, at the site's offset from UTC."""
    return datetime.fromtimestamp(at + utc_offset_s, UTC).strftime("%Y-%m-%d %H:%M")


def percent(fraction: float) -> str:
    """``63 %`` of a fraction in 0..1; cut down, so that 100 % means all of it."""
    return f"{int(max(0.0, min(1.0, fraction)) * 100)} %"


def count(number: int, thing: str) -> str:
    """``1 part`` or ``4 parts``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def times(name: str, number: int) -> str:
    """``bracket ×4``, and only ``bracket`` for one."""
    return name if number == 1 else f"{name} ×{number}"


def listing(parts: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    names = list(parts)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def sentence(text: str) -> str:
    """`text` with a full stop, and a capital first letter unless it begins with a name such as ``clip.stl``."""
    flat = text.strip()
    if not flat:
        return ""
    plain = flat.split(maxsplit=1)[0].rstrip(",:;.!?").isalpha()
    return (flat[0].upper() if plain else flat[0]) + flat[1:] + ("" if flat[-1] in ".!?…" else ".")


def phase_word(phase: Phase) -> str:
    """A printer's phase as it is shown, e.g. ``Idle``."""
    return _PHASES.get(phase, phase.value.capitalize())


def state_word(state: RunState) -> str:
    """An attempt's state as it is shown, e.g. ``Printing``."""
    return state.on_screen.capitalize()


def reason_word(code: str) -> str:
    """A reason code as it is shown; '' becomes ``Unknown reason``."""
    return label(code) if code else "Unknown reason"


def risk_words(level: RiskLevel, factors: Iterable[str]) -> str:
    """``High risk — Thin walls · Long bridges``; without factors only the level."""
    labels = " · ".join(RISK_LABELS.get(factor, label(factor.lower())) for factor in factors)
    head = f"{level.value.capitalize()} risk"
    return f"{head} — {labels}" if labels else head
