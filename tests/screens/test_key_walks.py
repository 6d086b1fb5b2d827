"""Walks through the keyboard: what an operator presses, and what is sent because of it."""

import asyncio

import msgspec
import pytest

from core.client.views import Action
from core.domain import commands as c
from core.domain.commands import Refusal
from core.domain.words import CancelReason, ItemResult, QualityTier, RunState
from kiln_tui.screens.approve import Approve
from kiln_tui.screens.dialogs import Abort, Choose, Confirm, Quit
from kiln_tui.screens.help import Help
from kiln_tui.screens.outcome import OutcomePanel
from kiln_tui.screens.palette import Palette
from kiln_tui.screens.resolve import Resolve
from kiln_tui.screens.why import Why
from tests.screens import canned
from tests.screens.apps import app, text_of, until
from tests.screens.fake_client import client


async def at(pilot, kiln, card_id):
    """Put Triage's cursor on a card."""
    await until(pilot, lambda: kiln.shop is not None and kiln.screen.list.cursor_key is not None)
    kiln.screen.list.select(card_id)
    await pilot.pause(0.05)


async def opened(pilot, kiln, kind):
    """Wait for a sheet, and for its guard to end."""
    await until(pilot, lambda: isinstance(kiln.screen, kind))
    await pilot.pause(0.35)


async def test_approve_by_key_answers_the_questions_first():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "order:i1044")
        await pilot.press("enter")
        await opened(pilot, kiln, Approve)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert fake.sent == []  # two questions are open
        assert "does not work now" in kiln.said.text
        await pilot.press("2")
        await until(pilot, lambda: fake.answered.get("material") == "PETG")
        await until(pilot, lambda: kiln.screen.question is not None and kiln.screen.question.field == "tier")
        await pilot.press("4")
        await until(pilot, lambda: kiln.screen.sheet.can_approve)
        await pilot.pause(0.35)
        await pilot.press("s")
        await pilot.press("enter")
        await until(pilot, lambda: kiln.screen.NAME == "triage" if hasattr(kiln.screen, "NAME") else False)
    assert fake.sent == [
        c.ClarifyItem(intent_id="i1044", item_id="l1", material="PETG"),
        c.ClarifyItem(intent_id="i1044", item_id="l1", tier=QualityTier.FUNCTIONAL),
        c.ApproveOrder(intent_id="i1044", dispatch=True, similar_hours=4),
    ]


async def test_capital_a_approves_without_dispatching():
    fake = client("full")
    fake.answered = {"material": "PETG", "tier": "fine"}
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "order:i1044")
        await pilot.press("enter")
        await opened(pilot, kiln, Approve)
        await pilot.press("A")
        await until(pilot, lambda: bool(fake.sent))
    assert fake.sent == [c.ApproveOrder(intent_id="i1044", dispatch=False)]


async def test_one_key_marks_all_good_and_clears_the_bed():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r4")
        await pilot.press("enter")
        await opened(pilot, kiln, OutcomePanel)
        await pilot.press("enter")
        await until(pilot, lambda: bool(fake.sent))
        await until(pilot, lambda: not isinstance(kiln.screen, OutcomePanel))
    [command] = fake.sent
    assert command.clear_bed
    assert [o.result for o in command.outcomes] == [ItemResult.SUCCESS] * 9


async def test_single_failures_with_a_reason_lead_to_the_reprint():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r4")
        await pilot.press("enter")
        await opened(pilot, kiln, OutcomePanel)
        await pilot.press("3", "down", "space", "enter")
        await opened(pilot, kiln, Choose)  # the reason is asked for because something failed
        await pilot.press("3")  # spaghetti
        await until(pilot, lambda: bool(fake.sent))
        await until(pilot, lambda: isinstance(kiln.screen, OutcomePanel) and kiln.screen.recorded)
        await pilot.pause(0.35)
        assert "Reprint failed" in text_of(kiln)
        await pilot.press("r")
        await until(pilot, lambda: len(fake.sent) == 2)
    recorded, reprint = fake.sent
    failed = [o for o in recorded.outcomes if o.result is ItemResult.FAILED]
    assert [o.item_id for o in failed] == ["r4-3", "r4-4"]
    assert {o.reason for o in failed} == {"spaghetti"}
    assert reprint == c.ReprintFailed(run_id="r4")


async def test_a_failed_attempt_has_no_default_and_bulk_comes_first():
    fake = client("full")
    fake.outcome_sheet = canned.outcome_sheet("r4", 3, state=RunState.FAILED)
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r4")
        await pilot.press("enter")
        await opened(pilot, kiln, OutcomePanel)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert fake.sent == []
        await pilot.press("f", "o", *"ripped off", "enter")
        await pilot.pause(0.2)
        await pilot.press("enter")
        await until(pilot, lambda: bool(fake.sent))
    [command] = fake.sent
    assert not command.clear_bed
    assert {(o.result, o.reason, o.note) for o in command.outcomes} == {
        (ItemResult.FAILED, "spaghetti", "ripped off")
    }


async def test_a_single_part_never_shows_a_plate():
    fake = client("full")
    fake.outcome_sheet = canned.outcome_sheet("r4", 1)
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r4")
        await pilot.press("enter")
        await opened(pilot, kiln, OutcomePanel)
        lines = " ".join(text for item in kiln.screen.lines() for text, _ in item.spans)
        assert "plate" not in lines.lower()
        await pilot.press("f", "enter")
        await opened(pilot, kiln, Choose)
        await pilot.press("1")
        await until(pilot, lambda: bool(fake.sent))
    assert fake.sent[0].outcomes[0].reason == "first_layer"


async def test_abort_names_the_loss_focuses_cancel_and_waits():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r2")
        await pilot.press("x", "y")  # the y came too early: it was meant for something else
        await until(pilot, lambda: isinstance(kiln.screen, Abort))
        text = text_of(kiln)
        assert "mk4-2" in text
        assert "Order 1042" in text
        assert "63% done" in text
        await pilot.pause(0.35)
        await pilot.press("enter")  # the focus is on Keep printing
        await until(pilot, lambda: not isinstance(kiln.screen, Abort))
        assert fake.sent == []
        await pilot.pause(0.35)
        await pilot.press("x")
        await opened(pilot, kiln, Abort)
        await pilot.press("2", "y")
        await until(pilot, lambda: bool(fake.sent))
    assert fake.sent == [c.AbortRun(run_id="r2", reason="test_print")]


async def test_cancelling_an_order_asks_for_the_reason():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        await pilot.press("2")
        await until(pilot, lambda: kiln.screen.NAME == "orders" and kiln.screen.list.cursor_key == "i1039")
        await pilot.press("X")
        await opened(pilot, kiln, Choose)
        await pilot.press("2")
        await until(pilot, lambda: bool(fake.sent))
    assert fake.sent == [c.CancelOrder(intent_id="i1039", reason=CancelReason.UNMANUFACTURABLE)]


async def test_what_never_ran_is_asked_twice():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r8")
        await pilot.press("n")
        await opened(pilot, kiln, Resolve)
        await pilot.press("n")
        await opened(pilot, kiln, Confirm)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(kiln.screen, Confirm))
        assert fake.sent == []
        await pilot.pause(0.35)
        await pilot.press("n")
        await opened(pilot, kiln, Resolve)
        await pilot.press("enter")
        await opened(pilot, kiln, Confirm)
        await pilot.press("y")
        await until(pilot, lambda: bool(fake.sent))
    assert fake.sent == [c.ResolveRun(run_id="r8", answer="never_ran")]


async def test_it_ran_leads_to_the_outcome():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r8")
        await pilot.press("i")
        await opened(pilot, kiln, Resolve)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(kiln.screen, OutcomePanel))
    assert fake.sent == [c.ResolveRun(run_id="r8", answer="it_ran")]


async def test_filter_narrows_keeps_and_clears_and_types_no_commands():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(120, 40)) as pilot:
        await at(pilot, kiln, "run:r5")
        await pilot.press("/", *"mk4 q", "enter")
        await pilot.pause(0.1)
        assert kiln.screen.filter_text == "mk4 q"
        assert [i.key for i in kiln.screen.list.items if i.selectable] == []
        assert fake.sent == []
        await pilot.press("escape")
        await pilot.press("/", *"clip", "enter")
        await pilot.pause(0.1)
        shown = [i.key for i in kiln.screen.list.items if i.selectable]
        assert shown == ["drop:d10", "run:r2", "run:r3", "plate:118"]
        assert "filter: clip" in text_of(kiln)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert len([i for i in kiln.screen.list.items if i.selectable]) == len(fake.current.cards)


async def test_the_palette_finds_and_runs_and_says_why_not():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "plate:118")
        await pilot.press(":")
        await until(pilot, lambda: isinstance(kiln.screen, Palette))
        await pilot.pause(0.05)
        await pilot.press(*"bed is clear", "enter")
        await pilot.pause(0.1)
        assert "paused in the middle" in kiln.said.text
        assert fake.sent == []
        await pilot.press("escape", "ctrl+p")
        await until(pilot, lambda: isinstance(kiln.screen, Palette))
        await pilot.pause(0.05)
        await pilot.press(*"printer x1c", "enter")
        await until(pilot, lambda: getattr(kiln.screen, "NAME", "") == "printers")
        await until(pilot, lambda: kiln.screen.list.cursor_key == "x1c-3")


async def test_help_lists_the_keys_of_the_row_and_of_everywhere():
    kiln = app(client("full"))
    async with kiln.run_test(size=(120, 60)) as pilot:
        await at(pilot, kiln, "run:r2")
        await pilot.press("?")
        await until(pilot, lambda: isinstance(kiln.screen, Help))
        await pilot.pause(0.1)
        text = text_of(kiln)
        for words in ("Pause", "Abort", "Why", "Filter", "Printers", "Undo", "Quit"):
            assert words in text


async def test_a_refusal_is_said_where_one_looks_and_w_shows_all_of_it():
    fake = client("full")
    fake.refuse = Refusal(
        code="BED", reasons=("The bed of mk4-2 was never seen empty.", "Policy dispatch 1.0 blocks it.")
    )
    kiln = app(fake)
    async with kiln.run_test(size=(120, 40)) as pilot:
        await at(pilot, kiln, "drop:d10")
        await pilot.press("enter")
        await until(pilot, lambda: "never seen empty" in text_of(kiln))
        assert "all 2 reasons" in text_of(kiln)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(kiln.screen, Why))
        await until(pilot, lambda: "Policy dispatch 1.0 blocks it." in text_of(kiln))


async def test_undo_takes_back_out_of_service_once():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        await pilot.press("5")
        await until(pilot, lambda: kiln.screen.NAME == "printers" and kiln.screen.list.cursor_key is not None)
        await pilot.press("O")
        await opened(pilot, kiln, Choose)
        await pilot.press("1")
        await until(pilot, lambda: kiln.undo_now() is not None)
        await pilot.pause(0.35)
        await pilot.press("u")
        await until(pilot, lambda: len(fake.sent) == 2)
        await pilot.press("u")
        await pilot.pause(0.1)
    assert fake.sent == [
        c.TakeOutOfService(printer_id="mk4-1", reason="maintenance"),
        c.AcknowledgePrinter(printer_id="mk4-1"),
    ]


async def test_why_on_an_event_walks_back_to_the_first_cause():
    kiln = app(client("full"))
    async with kiln.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        await pilot.press("6")
        await until(pilot, lambda: kiln.screen.NAME == "events" and len(kiln.screen.events) == 13)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(kiln.screen, Why))
        await until(pilot, lambda: "Order 1042 from bracket_x4_ABS.stl" in text_of(kiln))
        await pilot.press("escape")
        await pilot.pause(0.35)
        await pilot.press("v")
        await until(pilot, lambda: "hash chain is whole" in text_of(kiln))


async def test_a_key_does_not_act_on_the_row_that_slid_under_the_cursor():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "drop:d9")
        fake.change(cards=tuple(card for card in fake.current.cards if card.card_id != "drop:d9"))
        await until(pilot, lambda: kiln.screen.list.cursor_key == "drop:d10")
        await pilot.press("enter")  # meant for the rejected file, would have made a second Order
        await pilot.pause(0.1)
        assert fake.sent == []
        assert "has just changed" in kiln.said.text


async def test_the_cursor_stays_on_its_row_when_rows_come_above_it():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r3")
        new = msgspec.structs.replace(fake.current.cards[0], card_id="run:r99")
        fake.change(cards=(new, *fake.current.cards))
        await until(pilot, lambda: any(item.key == "run:r99" for item in kiln.screen.list.items))
        assert kiln.screen.list.cursor_key == "run:r3"


async def test_the_same_key_twice_sends_once_and_markup_in_names_stays_text():
    fake = client("full")
    evil = msgspec.structs.replace(
        fake.current.cards[0], what="[bold red]x[/] [link=file:///etc]y", where="a]b[",
        actions=(Action(key="enter", label="[blink]Go", command=c.OrderAgain(drop_id="z")),),
    )  # fmt: skip
    fake.current = msgspec.structs.replace(fake.current, cards=(evil,))
    fake.hold = asyncio.Event()  # the core takes its time
    kiln = app(fake)
    async with kiln.run_test(size=(160, 40)) as pilot:
        await at(pilot, kiln, evil.card_id)
        assert "[bold red]x[/]" in text_of(kiln)
        assert "[blink]Go" in text_of(kiln)
        await pilot.press("enter", "enter")
        await pilot.pause(0.3)
        await pilot.press("enter")  # a slow core: the same is asked for once more
        await pilot.pause(0.3)
        assert kiln.said.text == ""
        fake.hold.set()
        await pilot.pause(0.1)
    assert fake.sent == [c.OrderAgain(drop_id="z")]


async def test_a_core_that_goes_away_is_said_and_nothing_acts_any_more():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(120, 40)) as pilot:
        await at(pilot, kiln, "drop:d10")
        fake.gone = True
        fake.change()
        await until(pilot, lambda: "has gone away" in text_of(kiln))
        shown = " ".join(text_of(kiln).split())
        assert "Start kiln-tui again; it looks at every printer before anything starts." in shown
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert "does not work now" in kiln.said.text
        await pilot.press("5", "1", "w", "escape")
        await pilot.pause(0.1)
    assert fake.sent == []


async def test_quit_says_what_goes_on():
    kiln = app(client("full"))
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r2")
        await pilot.press("q")
        await until(pilot, lambda: isinstance(kiln.screen, Quit))
        await until(pilot, lambda: "2 Print Attempts go on" in text_of(kiln))
        await pilot.press("enter")
        await until(pilot, lambda: not kiln.is_running)


async def test_first_run_offers_the_demo():
    kiln = app(client("empty"), first_run=True)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "/home/ada/kiln/inbox" in text_of(kiln))
        await pilot.press("d")
        await until(pilot, lambda: not kiln.is_running)
    assert kiln.return_value == "demo"


@pytest.mark.parametrize("works", [True, False])
async def test_a_printer_is_added_by_its_address(works):
    fake = client("empty")
    fake.probe_ok = works
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        await pilot.press("N")
        await pilot.pause(0.2)
        await pilot.press(*"http://octopi.local", "enter", *"s3cret", "enter")
        if not works:
            await until(pilot, lambda: "Application Keys, and make one" in text_of(kiln))
            assert "s3cret" not in text_of(kiln)
            return
        await until(pilot, lambda: kiln.screen.field == "name")
        await pilot.pause(0.35)
        await pilot.press("enter")
        await until(pilot, lambda: "Which model" in text_of(kiln))
        await pilot.pause(0.1)
        await pilot.press(*"mk4", "enter")
        await until(pilot, lambda: "What is loaded" in text_of(kiln))
        await pilot.pause(0.1)
        await pilot.press(*"petg", "enter")
        await until(pilot, lambda: getattr(kiln.screen, "field", "") == "ready")
        await pilot.pause(0.35)
        assert "s3cret" not in text_of(kiln)
        await pilot.press("enter")
        await until(pilot, lambda: bool(fake.sent))
    [command] = fake.sent
    assert (command.name, command.address, command.model_id) == ("ender", "http://octopi.local", "prusa_mk4")
    assert fake.secrets == ["s3cret"]
