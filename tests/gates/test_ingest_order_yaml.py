"""order.yaml: what is read, what is refused, and that the message names the key."""

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.words import QualityTier
from core.ingest.facts import Due
from core.ingest.order_yaml import MAX_BYTES, OrderItem, OrderYaml, parse_order

MATERIALS = ("PLA", "PETG")

GOOD = b"""\
customer: 007 M\xc3\xbcller
due: 2026-12-01 14:30
items:
  - file: bracket.stl
    name: Bracket, left
    quantity: 4
    material: petg
    color: Galaxy Black
    tier: functional
    constraints: [watertight, no_support_marks(top)]
  - file: sub/knob.3mf
notes: handle with care
"""


def test_a_full_order():
    order, problems = parse_order(GOOD, MATERIALS)
    assert problems == ()
    assert order == OrderYaml(
        customer="007 Müller",
        due=Due(dt.date(2026, 12, 1), dt.time(14, 30)),
        items=(
            OrderItem(
                file="bracket.stl",
                name="Bracket, left",
                quantity=4,
                material="PETG",
                color="galaxy black",
                tier=QualityTier.FUNCTIONAL,
                constraints=("watertight", "no_support_marks(top)"),
            ),
            OrderItem(file="sub/knob.3mf"),
        ),
        notes=("handle with care",),
    )


def test_words_stay_words():
    order, problems = parse_order(
        b"customer: no\nitems:\n- {file: 1e3, quantity: 010, color: off}\n", MATERIALS
    )
    assert problems == ()
    assert order is not None
    assert order.customer == "no"
    assert order.items[0] == OrderItem(file="1e3", quantity=10, color="off")


@pytest.mark.parametrize("text", [b"customer:\ndue: ~\nitems:\nnotes: null\n", b"{}", b"items: []"])
def test_nothing_said_is_nothing_said(text):
    assert parse_order(text, MATERIALS) == (OrderYaml(), ())


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        (
            b"custommer: Ann",
            "custommer is no known key; did you mean \N{LEFT DOUBLE QUOTATION MARK}customer",
            "1",
        ),
        (b"items:\n- file: a\n  qty: 4", "items[1].qty is no known key", "3"),
        (b"items:\n- file: a\n- quantity: 4", "items[2].file is missing", "3"),
        (b"items:\n- file: a\n  quantity: four", "items[1].quantity is wrong", "3"),
        (b"items:\n- file: a\n  quantity: 1.5", "items[1].quantity is wrong", "3"),
        (b"items:\n- file: a\n  quantity: -1", "items[1].quantity is wrong", "3"),
        (b"items:\n- file: a\n  quantity: [1]", "items[1].quantity must be a single value", "3"),
        (b"items:\n- file: a\n  material: PTEG", "known: PETG", "3"),
        (b"items:\n- file: a\n  tier: best", "items[1].tier is wrong", "3"),
        (b"items:\n- file: a\n  constraints: [shiny]", "items[1].constraints is wrong", "3"),
        (b"items:\n- file: ../../etc/passwd", "no file inside the folder", "2"),
        (b"items:\n- file: /etc/passwd", "no file inside the folder", "2"),
        (b"items: bracket.stl", "items must be a list", "1"),
        (b"due: tomorrow", "due is wrong", "1"),
        (b"due: 2026-02-30", "no date of the calendar", "1"),
        (b"- a\n- b", "must be", "1"),
        (b"customer: a\ncustomer: b", "customer is given twice", "2"),
        (b"? [a, b]\n: c", "is no known key", "1"),
        (b"customer: &a Ann", "anchors", "1"),
        (b"customer: !!python/object/apply:os.system [id]", "tags", "1"),
        (b"customer: [1", "can't be read", "line"),
        (b"customer: a\n---\ncustomer: b", "can't be read", "line"),
        (b"customer: {a: {b: {c: {d: {e: {f: g}}}}}}", "nested deeper", "1"),
        (b"\xff\xfe", "not UTF-8", ""),
        (b"customer: \x07", "can't be read", ""),
        (b"", "is empty", ""),
        (b"# only a remark", "is empty", ""),
    ],
)
def test_what_is_wrong_is_named(text, says, where):
    order, problems = parse_order(text, MATERIALS)
    assert order is None
    assert says in problems[0].what
    assert where in problems[0].where


def test_every_wrong_key_is_told_at_once():
    _, problems = parse_order(b"due: x\nitems:\n- file: a\n  tier: y\n  colour: z\n", MATERIALS)
    assert len(problems) == 3


@pytest.mark.parametrize(
    "bomb",
    [
        b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]\n",
        b"[" * 60_000,
        b"{a: " * 15_000,
        b"items: [" + b"a," * 30_000 + b"]",
        b"quantity: " + b"9" * 60_000,
        b"? " * 30_000,
        b"- " * 30_000,
        b"items:\n" + b"- {file: a}\n" * 5_000,
        b"x" * (MAX_BYTES + 1),
    ],
    ids=["aliases", "lists", "maps", "long list", "digits", "question marks", "dashes", "items", "size"],
)
def test_bombs_are_refused_quickly(bomb):
    began = time.process_time()
    order, problems = parse_order(bomb, MATERIALS)
    assert order is None
    assert problems
    assert time.process_time() - began < 5


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet="ab:-[]{}&*!|>?'\"#%\n ,~@`items", max_size=200).map(str.encode),
    )
)
def test_no_bytes_can_break_the_reader(data):
    order, problems = parse_order(data, MATERIALS)
    assert (order is None) == bool(problems)
    assert all(p.what.isprintable() for p in problems)
