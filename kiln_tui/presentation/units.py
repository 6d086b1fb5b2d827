"""Numbers as an operator reads them: quantised, so that a row changes only when its meaning does."""

from datetime import datetime, tzinfo

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def duration(seconds: float | None) -> str:
    """``45s``, ``12m``, ``1h05``, ``3d4h``; ``?`` where unknown."""
    if seconds is None:
        return "?"
    s = max(0, int(seconds))
    if s < _MINUTE:
        return f"{s}s"
    if s < _HOUR:
        return f"{s // _MINUTE}m"
    if s < _DAY:
        return f"{s // _HOUR}h{s % _HOUR // _MINUTE:02d}"
    return f"{s // _DAY}d{s % _DAY // _HOUR}h"


def remaining(seconds: float | None) -> str:
    """Like `duration` but never counts seconds: below a minute it says ``<1m``."""
    if seconds is not None and seconds < _MINUTE:
        return "<1m"
    return duration(seconds)


def age(seconds: float | None) -> str:
    """How old a reading is: ``now`` below 5 s, then in steps of 5 s, minutes, hours; ``never`` for None."""
    if seconds is None:
        return "never"
    if seconds < 5:
        return "now"
    if seconds < _MINUTE:
        return f"{int(seconds) // 5 * 5}s"
    return duration(seconds)


def clock(wall: float | None, zone: tzinfo | None) -> str:
    """``09:12`` local time; ``?`` where unknown."""
    return "?" if wall is None else datetime.fromtimestamp(wall, zone).strftime("%H:%M")


def clock_seconds(wall: float, zone: tzinfo | None) -> str:
    """``09:12:07`` local time."""
    return datetime.fromtimestamp(wall, zone).strftime("%H:%M:%S")


def day_clock(wall: float | None, now: float, zone: tzinfo | None) -> str:
    """``09:12`` today, ``Tue 09:12`` within six days, else ``14 Mar 09:12``; ``?`` where unknown."""
    if wall is None:
        return "?"
    then, today = datetime.fromtimestamp(wall, zone), datetime.fromtimestamp(now, zone)
    days = abs((then.date() - today.date()).days)
    if days == 0:
        return then.strftime("%H:%M")
    if days <= 6:
        return then.strftime("%a %H:%M")
    return then.strftime("%d %b %H:%M").lstrip("0")


def due(due_at: int | None, now: float) -> str:
    """``in 38m``, ``2h10 late``, or ``no date``."""
    if due_at is None:
        return "no date"
    left = due_at - now
    return f"in {duration(left)}" if left >= 0 else f"{duration(-left)} late"


def percent(fraction: float | None) -> str:
    """Whole percent, ``?`` where unknown; 100 only when it is whole."""
    return "?" if fraction is None else f"{int(max(0.0, min(1.0, fraction)) * 100)}%"


def degrees(actual: float | None, target: float | None = None) -> str:
    """``215°``, or ``180/215°`` while the target is more than 3 °C away; within 2 °C the target is shown, so that a
    heater that holds its temperature does not flicker."""
    if actual is None:
        return "?"
    if target and abs(actual - target) > 3:
        return f"{round(actual)}/{round(target)}°"
    if target and abs(actual - target) <= 2:
        return f"{round(target)}°"
    return f"{round(actual)}°"


def grams(milligrams: int | None) -> str:
    """``12 g``, ``1.2 kg``, ``<1 g``; ``?`` where unknown."""
    if milligrams is None:
        return "?"
    if milligrams < 1_000:
        return "<1\u00a0g"
    if milligrams < 1_000_000:
        return f"{milligrams // 1_000}\u00a0g"
    return f"{milligrams / 1_000_000:.1f}\u00a0kg"


def mass_range(low: int, high: int) -> str:
    """``6 to 8 g``; one figure where both round to the same."""
    a, b = grams(low), grams(high)
    if a == b:
        return b
    number, _, unit = a.partition("\u00a0")
    return (f"{number} to {b}" if b.endswith("\u00a0" + unit) else f"{a} to {b}").replace(" ", "\u00a0")


def size_mm(size_um: tuple[int, int, int]) -> str:
    """``42.0 × 18.5 × 9.0 mm``."""
    return "\u00a0×\u00a0".join(f"{value / 1000:.1f}" for value in size_um) + "\u00a0mm"


def count(number: int, one: str, many: str = "") -> str:
    """``1 part``, ``3 parts``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
