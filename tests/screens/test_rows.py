"""Rows and details as text: exact width, nothing lost by accident, the words that matter."""

from datetime import UTC

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.client.views import Action
from core.contract import Phase
from core.domain.words import RunState
from kiln_tui.commands import Command, key_bar, row_keys
from kiln_tui.presentation.cards import card_lines, card_strip
from kiln_tui.presentation.icons import ASCII, UNICODE, to_ascii
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.orders import order_head
from kiln_tui.presentation.text import cell, cut, fit, line, plain, spans_width, width_of, wrap_line
from kiln_tui.presentation.tour import next_step
from kiln_tui.presentation.units import age, degrees, due, duration, mass_range, percent
from kiln_tui.presentation.words import event_words
from kiln_tui.rows import (
    Heading,
    card_row,
    event_row,
    heading_row,
    order_row,
    printer_row,
    printer_state,
    triage_columns,
    triage_order,
)
from kiln_tui.screens.orders import by_due
from tests.screens import canned
from tests.screens.fake_client import client

LOOK = Look(UNICODE, UTC, canned.NOW)
WIDTHS = (46, 72, 80, 119, 199)
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=("C", "M")), max_size=60)


def text(spans):
    return "".join(part for part, _ in spans)


def triage(width):
    shop = canned.full()
    columns = triage_columns(shop.cards, width)
    return [
        text(heading_row(e, width, LOOK) if isinstance(e, Heading) else card_row(e, width, columns, LOOK))
        for e in triage_order(shop)
    ]


def test_triage_at_eighty_columns():
    assert [row.rstrip() for row in triage(80)] == [
        " ! ATTENTION NOW  6",
        " ! DESYNCED  voron-2     bracket ×4                 silent 6m",
        " ! PAUSED    mk4-1       hook ×12                   runout",
        " ! APPROVE   Order 1044  lamp-shade                 2 questions",
        " ! REJECTED  inbox       tower_v2_FINAL_really.stl  larger than every bed",
        " ! AGAIN?    inbox       clip.stl                   same as Order 1043",
        " ! DECIDE    mk4-5       clamp ×2                   start unclear",
        " ▲ AT RISK  1",
        " ▲ HIGH      x1c-3       gear ×1                    due 38m",
        " ◐ RUNNING  2",
        " ◐ mk4-2       clip ×24                 ━━━━━━━━━━━───────  63%   1h12 at 10:24",
        " ◐ mk4-3       clip ×24                 ━━━━━━━───────────  44%   1h58 at 11:10",
        " ✓ READY FOR QA  1",
        " ✓ mk4-4       knob ×9                              done 08:51 · clear plate",
        " ▸ READY TO START  1",
        " ▸ mk4-1       clip ×24                   when the bed is clear · no changeover",
        " ○ ON ITS WAY  1",
        " ○ slicer      bracket ×4               ━━━━━━━───────────  40%    <1m",
    ]


def test_telemetry_moves_no_row_but_a_new_row_brings_the_core_s_order():
    shop = canned.full()
    running = [
        card.card_id
        for card in triage_order(shop)
        if not isinstance(card, Heading) and card.section == "running"
    ]
    turned = msgspec.structs.replace(shop, cards=shop.cards[::-1])
    kept = triage_order(turned, {"running": tuple(running)})
    fresh = triage_order(turned, {"running": ("run:gone", *running)})
    pick = [
        [c.card_id for c in rows if not isinstance(c, Heading) and c.section == "running"]
        for rows in (kept, fresh)
    ]
    assert pick == [running, running[::-1]]


def test_printers_at_eighty_columns():
    assert [text(printer_row(row, 80, LOOK, 7)).rstrip() for row in canned.six_printers()] == [
        " ! mk4-1   paused         181/215°    60°   31%   2h01  hook ×12",
        " ◐ mk4-2   printing           240°    85°   63%   1h12  clip ×24",
        " ◐ mk4-3   printing           240°    85°   44%   1h58  clip ×24",
        " ○ mk4-4   finished            61°    38°   the plate of knob ×9 is still on it",
        " ! voron-2 silent 6m          188°    96°   bracket ×4",
        " ▲ x1c-3   degraded            26°    24°   degraded: 3 failures in 6 h…",
    ]


def test_orders_stand_by_due_date_with_the_closed_ones_last():
    rows = [text(order_row(row, 80, LOOK)).rstrip() for row in by_due(canned.orders())]
    assert rows == [
        " ▲  1039  in 38m     queue              0/1  gear ×1",
        " ○  1041  in 1h56    QA                 0/9  knob ×9",
        " ◐  1042  in 5h33    printing          2/16  bracket ×4, hook ×12",
        " ◐  1043  in 1d1h    printing          0/48  clip ×48",
        " ▲  1044  no date    review             0/1  lamp-shade",
        " ✓  1038             closed         100/100  spacer ×100",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_every_row_has_exactly_its_width_and_begins_with_the_cursor_cell(width):
    look = Look(UNICODE, None, canned.NOW)
    rows = triage(width)
    rows += [text(printer_row(row, width, look)) for row in canned.six_printers()]
    rows += [text(order_row(row, width, look)) for row in canned.orders()]
    rows += [text(event_row(row, width, look)) for row in canned.events()]
    for row in rows:
        assert width_of(row) == width
        assert row.startswith(" ")


@given(TEXT, TEXT, TEXT, st.integers(30, 120))
def test_hostile_lengths_never_break_a_row(where, what, brief, width):
    card = msgspec.structs.replace(canned.every_card()[0], where=where, what=what, brief=brief)
    assert spans_width(card_row(card, width, triage_columns((card,), width), LOOK)) == width


@given(TEXT, st.integers(1, 70))
def test_cells_and_cuts_keep_their_width(value, width):
    assert width_of(cell(value, width)) == width
    assert width_of(cut(value, width)) <= width
    assert spans_width(fit(((value, "text"),), width)) == width


@given(st.lists(TEXT, min_size=1, max_size=5), st.integers(8, 60), st.integers(0, 12))
def test_wrapping_loses_no_word_and_never_overflows(parts, width, hang):
    item = line(*[(part, "text") for part in parts], hang=hang)
    lines = wrap_line(item, width)
    assert all(spans_width(spans) <= width for spans in lines)
    joined = "".join(text(spans) for spans in lines)
    assert joined.replace(" ", "") == "".join(parts).replace(" ", "")


def test_a_word_of_two_spans_is_not_broken_between_them():
    item = line("press ", ("n", "key"), ", then go on", hang=0)
    assert plain([item], 8) == "press n,\nthen go\non"


def test_ascii_mode_is_ascii_and_keeps_the_width():
    for row in triage(80):
        shown = to_ascii(row)
        assert shown.isascii()
        assert len(shown) == width_of(row)
    assert all(sign.isascii() for sign in ASCII[:-1] if isinstance(sign, str))


def test_the_primary_key_goes_to_the_core_s_choice_and_never_to_destruction():
    pause, abort = Action(key="p", label="Pause"), Action(key="x", label="Abort", opens="abort")
    show = Action(key="enter", label="Show printer", opens="goto")
    assert [key for key, _ in row_keys((pause, show, abort))] == ["p", "enter", "x"]
    assert [key for key, _ in row_keys((abort,))] == ["x"]
    assert [key for key, _ in row_keys((pause, abort))] == ["enter", "x"]


def test_keys_that_mean_the_same_everywhere_are_not_taken_by_a_row():
    actions = tuple(Action(key=key, label=key) for key in ("enter", "k", "K", "q", "5", "w"))
    assert [key for key, _ in row_keys(actions)] == ["enter", "K", "", "Q", "", "W"]


def test_the_key_bar_leaves_whole_keys_out_and_keeps_palette_and_help():
    commands = [Command(key=key, label="a long label", run=lambda: None) for key in "abcdef"]
    commands += [
        Command(key=":", label="Commands", run=lambda: None),
        Command(key="?", label="Help", run=lambda: None),
    ]
    spans, entries = key_bar(commands, 60, UNICODE)
    assert spans_width(spans) <= 60 + 3
    assert [entry.command.key for entry in entries] == ["a", "b", ":", "?"]
    shown = text(spans)
    assert all(shown[entry.start] == entry.command.key for entry in entries)


def test_a_disabled_key_says_why_in_the_detail():
    card = next(card for card in canned.every_card() if card.card_id == "plate:118")
    assert "not now: mk4-1 is paused in the middle of hook ×12" in plain(card_lines(card, LOOK), 100)
    assert "does not work now: mk4-1 is paused" in plain(card_strip(card, LOOK), 100)


def test_figures_are_quantised_and_what_is_unknown_is_called_so():
    assert (duration(45), duration(3_900), duration(None)) == ("45s", "1h05", "?")
    assert (age(2), age(14), age(372), age(None)) == ("now", "10s", "6m", "never")
    assert (percent(0.999), percent(None)) == ("99%", "?")
    assert (degrees(239.4, 240), degrees(181, 215), degrees(None)) == ("240°", "181/215°", "?")
    assert (due(canned.NOW - 7_800, canned.NOW), due(None, 0)) == ("2h10 late", "no date")
    assert mass_range(6_900, 8_200).replace("\u00a0", " ") == "6 to 8 g"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("RunStarted", "Print Attempt started"),
        ("IntentCreated", "Order created"),
        ("PlanApproved", "Build Plan approved"),
        ("PlateCleared", "Bed cleared"),
        ("DecisionMade", "Decision made"),
    ],
)
def test_event_types_in_the_words_of_the_screen(kind, words):
    assert event_words(kind) == words


def test_signs_of_what_ended():

    full = canned.full()
    stopped = msgspec.structs.replace(full.cards[0], section="ready_qa", tag="ABORTED", severity="info")
    columns = triage_columns((stopped,), 80)
    assert card_row(stopped, 80, columns, LOOK)[0] == (" × ", "info")
    ended = next(r for r in full.printers if r.run is not None and r.live.phase is not Phase.PAUSED)
    idle = msgspec.structs.replace(ended.live, phase=Phase.FINISHED)
    for state, sign in ((RunState.COMPLETED, "✓"), (RunState.ABORTED, "×"), (RunState.FAILED, "!")):
        ran = msgspec.structs.replace(ended.run, state=state)
        row = msgspec.structs.replace(ended, run=ran, live=idle, age_s=1.0)
        assert printer_state(row, LOOK)[0] == sign


def test_one_long_name_moves_no_reason():
    full = canned.full()
    short = next(card for card in full.cards if card.tag == "REJECTED")
    long = msgspec.structs.replace(
        short, what="a-very-long-name-of-a-part-that-somebody-exported_v2_final.stl"
    )
    columns = triage_columns((short, long), 120)
    at = {text(card_row(card, 120, columns, LOOK)).index(card.brief) for card in (short, long)}
    assert len(at) == 1


def test_the_number_of_an_order_is_said_once():
    row = canned.full().orders[0]
    titled = msgspec.structs.replace(row, title=f"Order {row.intent.number} · bracket ×4")
    head = plain([order_head(titled, LOOK)[0]], 80)
    assert head == f"Order {row.intent.number}  bracket ×4"


def test_the_tour_names_the_next_key():
    full = canned.full()
    assert next_step(None, "triage")
    assert "press N" in next_step(canned.empty(), "triage")
    assert next_step(full, "triage", "run:r1").endswith("press ⏎ to resume.")
    assert "press 1" in next_step(full, "printers")
    waiting = msgspec.structs.replace(full, cards=tuple(c for c in full.cards if c.card_id == "order:i1044"))
    assert next_step(waiting, "triage", "order:i1044") == "An Order waits for approval — press ⏎."
    idle = client("idle").current
    assert idle.inbox in next_step(idle, "triage")
    assert next_step(full, "triage", hidden="gea") == "Nothing matches “gea” — Esc clears the filter."


def test_the_tour_sends_nobody_to_what_cannot_work():
    full = canned.full()
    order = next(c for c in full.cards if c.card_id == "order:i1044")
    stuck = msgspec.structs.replace(
        order, brief="problem", sentence="Cannot be approved as it is. No profile for PETG."
    )
    shown = msgspec.structs.replace(full, cards=(stuck,))
    assert next_step(shown, "triage") == "Order 1044 needs something else first: No profile for PETG."
    slicer = msgspec.structs.replace(order, tag="NO SLICER", brief="models wait", actions=())
    assert "kiln-tui slicer fetch" in next_step(
        msgspec.structs.replace(full, cards=(slicer, stuck)), "triage"
    )
