"""Telling a key that was pressed from one that is held down, or pressed twice by a nervous finger.

A terminal sends no releases: a held key is the same key again, first after the keyboard's delay (a quarter of a
second to two thirds), then every 25 to 100 ms.
"""

from __future__ import annotations

from enum import Enum

from textual.message import Message

REPEAT_S = 0.15
"""The same key sooner than this is a held key, or one press too many."""
RELEASE_S = 0.4
"""A key that was held counts again only after a pause as long as this; a slow line makes gaps in a held key."""
DELAY_S = 1.0
"""The same key sooner than this may be the first repeat of a held key: only what follows tells."""
GUARD_S = 0.3
"""What just opened, or was just uncovered, ignores keys that decide: they were meant for what was there before."""
KEPT = 256


class Beat(Enum):
    """How a key came."""

    FRESH = "fresh"
    AGAIN = "again"
    HELD = "held"


def moment() -> float:
    """Now in seconds, on the clock that events are stamped with."""
    return Message().time


class Pace:
    """All keys as they reached the app, in order, whatever took them."""

    def __init__(self) -> None:
        self._last = ("", float("-inf"))
        self._held = False
        self._latest: dict[str, float] = {}
        self._beats: dict[float, Beat] = {}

    def note(self, key: str, at: float) -> Beat:
        """A key came; `at` is its event's time in seconds."""
        before, gap = self._last[0], at - self._last[1]
        beat = Beat.FRESH
        if key == before and gap < (RELEASE_S if self._held else REPEAT_S):
            beat = Beat.HELD
        elif key == before and gap < DELAY_S:
            beat = Beat.AGAIN
        self._held = beat is Beat.HELD
        self._last = (key, at)
        self._latest[key] = at
        self._beats[at] = beat
        if len(self._beats) > KEPT:
            del self._beats[next(iter(self._beats))]
        if len(self._latest) > KEPT:
            del self._latest[next(iter(self._latest))]
        return beat

    def beat(self, at: float) -> Beat:
        """How the key of the event of this time came."""
        return self._beats.get(at, Beat.FRESH)

    def followed(self, key: str, at: float) -> bool:
        """Whether the same key came once more after `at`."""
        return self._latest.get(key, at) > at
