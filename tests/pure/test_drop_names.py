"""What a file name says, and that nothing a name holds can make the reader fail."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.words import QualityTier, Verdict
from core.ingest.defaults import combine, parse_folders
from core.ingest.facts import Due, PartFacts
from core.ingest.names import parse_name, split_suffix

MATERIALS = ("PLA", "PETG", "PA-CF", "ABS")


def test_the_name_from_the_manual():
    facts = parse_name("bracket__x4__PETG__black__due2026-12-01.stl", MATERIALS)
    assert facts == PartFacts(
        name="bracket", quantity=4, material="PETG", color="black", due=Due(dt.date(2026, 12, 1))
    )


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("a__X4.STL", "quantity", 4),
        ("a__4x.stl", "quantity", 4),
        ("a__12pcs.stl", "quantity", 12),
        ("a__qty=7.stl", "quantity", 7),
        ("a__x1000.stl", "quantity", 1000),
        ("a__petg.stl", "material", "PETG"),
        ("a__pa cf.stl", "material", "PA-CF"),
        ("a__PACF.stl", "material", "PA-CF"),
        ("a__Gray.stl", "color", "grey"),
        ("a__#FF00aa.stl", "color", "#ff00aa"),
        ("a__color=Galaxy Black.stl", "color", "galaxy black"),
        ("a__Fine.stl", "tier", QualityTier.FINE),
        ("a__DUE20261201.stl", "due", Due(dt.date(2026, 12, 1))),
        ("a__due2026-12-01T14-30.gcode", "due", Due(dt.date(2026, 12, 1), dt.time(14, 30))),
    ],
)
def test_one_word_is_read(name, field, value):
    facts = parse_name(name, MATERIALS)
    assert getattr(facts, field) == value
    assert facts.problems == ()
    assert facts.notes == ()
    assert facts.name == "a"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain.stl", "plain"),
        ("My part v2.stl", "My part v2"),
        ("PETG.stl", "PETG"),
        ("plate.gcode.3mf", "plate"),
        ("__x4.stl", "x4"),
        (".stl", ".stl"),
        ("____", "part"),
        ("", "part"),
        ("évil\x1b[31m.stl", "évil\N{REPLACEMENT CHARACTER}[31m"),
        ("bracket (1).stl", "bracket"),
    ],
)
def test_part_names(name, expected):
    assert parse_name(name, MATERIALS).name == expected


def test_a_downloaded_copy_is_read_like_the_first():
    assert parse_name("a__x4 (2).stl", MATERIALS).quantity == 4
    assert parse_name("a__x4 - Copy.stl", MATERIALS).quantity == 4


def test_unknown_words_become_notes():
    facts = parse_name("a__for Ann__x2__rev C.stl", MATERIALS)
    assert facts.notes == ("for Ann", "rev C")
    assert facts.quantity == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a__x0.stl", "0 is out of range"),
        ("a__x1001.stl", "1001 is out of range"),
        ("a__x" + "9" * 200 + ".stl", "is no whole number"),
        ("a__due2026-13-01.stl", "no date of the calendar"),
        ("a__due2026.stl", "is no date"),
        ("a__material=PTEG.stl", "known: PETG"),
        ("a__tier=best.stl", "no quality tier"),
    ],
)
def test_a_wrong_value_is_a_problem_and_not_a_note(name, says):
    facts = parse_name(name, MATERIALS)
    assert [p.severity for p in facts.problems] == [Verdict.FAIL]
    assert says in facts.problems[0].what
    assert facts.notes == ()


def test_two_answers_are_a_problem_and_neither_is_taken():
    facts = parse_name("a__x4__x5__PLA__x4.stl", MATERIALS)
    assert facts.quantity is None
    assert facts.material == "PLA"
    assert [p.code for p in facts.problems] == ["NAME_CONTRADICTS"]
    assert "4 and 5" in facts.problems[0].what


def test_the_same_answer_twice_is_fine():
    facts = parse_name("a__x4__4x__petg__PETG.stl", MATERIALS)
    assert (facts.quantity, facts.material, facts.problems) == (4, "PETG", ())


WORDS = st.sampled_from(
    [
        "x4",
        "x0",
        "x٤",
        "4x",
        "PETG",
        "due2026-02-30",
        "due=",
        "qty=",
        "color=",
        "fine",
        "§",
        "",
        " (1)",
        "\x1b",
        "\ud800",
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=12).map("__".join)))
def test_no_name_can_break_the_reader(name):
    facts = parse_name(name, MATERIALS)
    assert facts.name
    assert facts.quantity is None or 1 <= facts.quantity <= 1000
    assert facts.material is None or facts.material in MATERIALS
    shown = (facts.name, *facts.notes, *(p.what for p in facts.problems))
    assert all(c.isprintable() for text in shown for c in text if c != " ")
    assert all("\x1b" not in text and "\ud800" not in text for text in shown)
    assert len(facts.notes) <= 20


@given(
    st.permutations(["x4", "PETG", "black", "fine", "due2026-12-01"]),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_order_and_case_do_not_matter(words, case):
    facts = parse_name("__".join(["bracket", *map(case, words)]) + ".stl", MATERIALS)
    assert facts == parse_name("bracket__x4__PETG__black__fine__due2026-12-01.stl", MATERIALS)
    assert facts.quantity == 4


def test_suffixes():
    assert split_suffix("a.GCODE.3MF") == ("a", ".gcode.3mf")
    assert split_suffix("a.b.stl") == ("a.b", ".stl")
    assert split_suffix("noending") == ("noending", "")
    assert split_suffix("v1. final version") == ("v1. final version", "")


def test_a_due_day_lasts_until_its_evening():
    assert Due(dt.date(2026, 12, 1)).at(dt.UTC) == int(
        dt.datetime(2026, 12, 1, 23, 59, tzinfo=dt.UTC).timestamp()
    )


def test_folder_defaults_are_read_and_fill_only_what_is_open():
    folders, problems = parse_folders(
        {"petg-draft": {"material": "petg", "tier": "draft", "quantity": 2}, "plain": None}, MATERIALS
    )
    assert problems == ()
    assert folders["plain"] == PartFacts()
    facts = combine(parse_name("a__x4__PLA.stl", MATERIALS), None, folders["petg-draft"])
    assert (facts.quantity, facts.material, facts.tier) == (4, "PLA", QualityTier.DRAFT)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("petg", "must be at most"),
        ({"a": "petg"}, "inbox.folders.a must be"),
        ({"a": {"materiel": "PLA"}}, "inbox.folders.a.materiel is no known key"),
        ({"a": {"material": "PLUTONIUM"}}, "inbox.folders.a.material is wrong"),
        ({"a": {"material": ["PLA"]}}, "must be a single value"),
        ({"../a": {}}, "is no plain folder name"),
        ({"a": {"constraints": ["shiny"]}}, "inbox.folders.a.constraints is wrong"),
    ],
)
def test_wrong_defaults_are_named_and_left_out(value, says):
    folders, problems = parse_folders(value, MATERIALS)
    assert folders == {}
    assert says in problems[0].what


def test_order_yaml_wins_over_the_name_and_says_so():
    facts = combine(parse_name("a__x4.stl", MATERIALS), PartFacts(name="Arm", quantity=6))
    assert (facts.name, facts.quantity) == ("Arm", 6)
    assert [(p.code, p.severity) for p in facts.problems] == [("NAME_AND_ORDER_DISAGREE", Verdict.WARN)]
