"""The words for times, masses and risks."""

import pytest

from core.domain.words import RiskLevel
from core.views import words


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (-3, "0 s", "0s"),
        (45.9, "45 s", "45s"),
        (60, "1 min", "1m"),
        (3599, "59 min", "59m"),
        (3600, "1 h", "1h00"),
        (4320, "1 h 12 min", "1h12"),
        (86_400, "1 d", "1d"),
        (183_600, "2 d 3 h", "2d"),
    ],
)
def test_durations(seconds: float, long: str, short: str) -> None:
    assert words.duration(seconds) == long
    assert words.short_duration(seconds) == short


def test_ages() -> None:
    assert words.age(2) == "just now"
    assert words.age(6 * 60) == "6 min ago"


@pytest.mark.parametrize(
    ("mg", "text"), [(0, "0 g"), (420, "0.4 g"), (9_940, "9.9 g"), (9_960, "10 g"), (182_400, "182 g")]
)
def test_grams(mg: int, text: str) -> None:
    assert words.grams(mg) == text


def test_ranges_of_grams() -> None:
    assert words.grams_range(17_000, 19_500) == "17–20 g"
    assert words.grams_range(17_000, 17_100) == "17 g"


def test_a_percentage_never_says_all_before_it_is() -> None:
    assert words.percent(0.999) == "99 %"
    assert words.percent(1.0) == "100 %"
    assert words.percent(7.0) == "100 %"


def test_times_of_day_are_the_sites_own() -> None:
    assert words.clock(1_800_000_000, 0) == "08:00:00"
    assert words.clock(1_800_000_000, 3600) == "09:00:00"
    assert words.day_and_time(1_800_000_000, -9 * 3600) == "2027-01-14 23:00"


def test_sentences() -> None:
    assert words.sentence("filament ran out") == "Filament ran out."
    assert words.sentence("Good?") == "Good?"
    assert words.sentence("  ") == ""


def test_lists_and_counts() -> None:
    assert words.listing([]) == ""
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert (words.count(1, "part"), words.count(4, "part")) == ("1 part", "4 parts")
    assert (words.times("bracket", 1), words.times("bracket", 4)) == ("bracket", "bracket ×4")


def test_risks_have_one_label_each() -> None:
    assert words.risk_words(RiskLevel.LOW, ()) == "Low risk"
    assert (
        words.risk_words(RiskLevel.HIGH, ("THIN_WALL", "SITE_MADE")) == "High risk — Thin walls · Site made"
    )
