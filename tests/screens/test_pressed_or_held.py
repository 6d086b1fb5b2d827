"""A nervous finger: keys pressed twice, held down, or meant for what was there a moment before."""

import asyncio
import time

import msgspec
import pytest

from core.client.views import Action
from core.domain import commands as c
from core.domain.commands import Refusal, Result
from core.domain.words import RunState
from kiln_tui.commands import Command, key_bar
from kiln_tui.presentation.icons import UNICODE
from kiln_tui.screens.approve import Approve
from kiln_tui.screens.dialogs import Abort, Quit
from kiln_tui.screens.outcome import OutcomePanel
from kiln_tui.screens.pace import Beat, Pace
from kiln_tui.screens.sheet import Sheet
from tests.screens import canned
from tests.screens.apps import app, text_of, until
from tests.screens.fake_client import FakeClient


class SlowClient(FakeClient):
    """Takes its time for what a sheet shows."""

    async def approval(self, intent_id):
        await asyncio.sleep(0.3)
        return await super().approval(intent_id)

    async def outcome(self, run_id):
        await asyncio.sleep(0.3)
        return await super().outcome(run_id)


def ready(kind=FakeClient):
    """A client whose Order 1044 has no open question."""
    fake = kind(canned.full())
    fake.answered = {"material": "PETG", "tier": "fine"}
    return fake


async def at(pilot, kiln, card_id):
    await until(pilot, lambda: kiln.shop is not None and kiln.screen.list.cursor_key is not None)
    kiln.screen.list.select(card_id)
    await pilot.pause(0.05)


def sheets(kiln):
    return [screen for screen in kiln.screen_stack if isinstance(screen, Sheet)]


async def hold(pilot, kiln, key, times, every=0.04, first=0.0):
    """A held key as a terminal sends it: once, the keyboard's delay, then again and again."""
    await pilot.press(key)
    await asyncio.sleep(first)
    for _ in range(times):
        await pilot.press(key)
        await asyncio.sleep(every)


@pytest.mark.parametrize(
    ("card", "key", "kind"),
    [("order:i1044", "enter", Approve), ("run:r4", "enter", OutcomePanel), ("run:r2", "x", Abort)],
)
async def test_a_key_pressed_twice_opens_one_sheet_and_decides_nothing(card, key, kind):
    fake = ready(SlowClient)
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, card)
        for _ in range(2):  # both are in the queue before either is handled
            kiln.simulate_key(key)
        await pilot.pause(0.8)
        assert [type(sheet) for sheet in sheets(kiln)] == [kind]
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert sheets(kiln) == []
        assert kiln.screen.NAME == "triage"
    assert fake.sent == []


@pytest.mark.parametrize("first", [0.0, 0.4, 0.66], ids=["at_once", "after_400_ms", "after_660_ms"])
async def test_a_held_enter_approves_nothing(first):
    fake = ready()
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "order:i1044")
        await hold(pilot, kiln, "enter", 60, first=first)
        await pilot.pause(0.3)
        assert fake.sent == []
        await pilot.pause(0.4)
        await pilot.press("enter")  # released, and pressed with a purpose
        await until(pilot, lambda: bool(fake.sent))
    assert fake.sent == [c.ApproveOrder(intent_id="i1044", dispatch=True)]


async def test_a_held_enter_does_one_row_and_not_the_next_ones():
    fake = ready()
    kiln = app(fake)
    rows = tuple(
        msgspec.structs.replace(
            fake.current.cards[0], card_id=f"drop:{n}", subject_id=f"{n}",
            actions=(Action(key="enter", label="Dismiss", command=c.DismissDrop(drop_id=f"{n}")),),
        )
        for n in range(9)
    )  # fmt: skip
    fake.current = msgspec.structs.replace(fake.current, cards=rows)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "drop:0")
        await hold(pilot, kiln, "enter", 60, first=0.66)
        await pilot.pause(0.3)
    assert fake.sent == [c.DismissDrop(drop_id="0")]


async def test_two_enters_in_the_sheet_approve_once_and_nothing_is_refused():
    fake = ready()
    done = []

    async def send(command, *, key=None, who=""):
        if isinstance(command, c.ApproveOrder) and done:
            return Result(refusal=Refusal(code="DRAFT", reasons=("Order 1044 has no draft",)))
        done.append(command)
        await asyncio.sleep(0.05)
        return await FakeClient.send(fake, command, key=key, who=who)

    fake.send = send
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "order:i1044")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(kiln.screen, Approve) and kiln.screen.sheet is not None)
        await pilot.pause(1.1)
        for key in ("enter", "enter", "A"):
            kiln.simulate_key(key)
        await until(pilot, lambda: not sheets(kiln))
        await pilot.pause(0.3)
        assert "Not done" not in kiln.said.text
        assert "is approved" in kiln.said.text
    assert done == [c.ApproveOrder(intent_id="i1044", dispatch=True)]


async def test_what_closes_a_dialog_does_not_reach_the_row_below():
    fake = ready()
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r2")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(kiln.screen, Abort))
        await pilot.pause(0.4)
        await pilot.press("enter")
        await until(pilot, lambda: not sheets(kiln))
        await pilot.press("p", "enter", "x")  # too soon, whatever the key
        await pilot.pause(0.3)
        assert (fake.sent, sheets(kiln)) == ([], [])
        await pilot.press("x")
        await until(pilot, lambda: isinstance(kiln.screen, Abort))


async def test_old_messages_and_the_keys_below_do_not_show_in_a_dialog():
    fake = ready()
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r2")
        kiln.say("Order 7 is canceled.", "ok")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(kiln.screen, Abort))
        await pilot.pause(0.2)
        text = text_of(kiln)
        assert "Order 7 is canceled" not in text
        assert "Commands" not in text  # it stands in the key bar of the screen below
        await pilot.press("escape")
        await until(pilot, lambda: "Commands" in text_of(kiln))


async def test_the_key_that_asked_to_quit_quits_when_it_comes_again():
    for key in ("q", "ctrl+c"):
        kiln = app(ready())
        async with kiln.run_test(size=(80, 24)) as pilot:
            await at(pilot, kiln, "run:r2")
            await pilot.press(key)
            await until(pilot, lambda kiln=kiln: isinstance(kiln.screen, Quit))
            await pilot.press(key)
            await until(pilot, lambda kiln=kiln: not kiln.is_running)


async def test_the_bed_of_a_failed_attempt_is_not_called_empty_unasked():
    fake = ready()
    fake.outcome_sheet = canned.outcome_sheet("r4", 3, state=RunState.FAILED)
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await at(pilot, kiln, "run:r4")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(kiln.screen, OutcomePanel))
        await pilot.pause(0.4)
        await pilot.press("f")
        await pilot.pause(0.1)
        assert "3 failed, bed not clear" in text_of(kiln)
        await pilot.press("enter")
        await until(pilot, lambda: bool(fake.sent))
        await until(pilot, lambda: kiln.screen.recorded)
        await pilot.pause(0.1)
        assert "⏎ Reprint failed" in text_of(kiln)
    assert not fake.sent[0].clear_bed


def test_one_press_two_presses_and_a_held_key_are_told_apart():
    pace = Pace()
    assert pace.note("enter", 0.0) is Beat.FRESH
    assert pace.note("enter", 0.5) is Beat.AGAIN  # perhaps the first repeat
    assert not pace.followed("enter", 0.5)
    assert [pace.note("enter", 0.54 + n / 25) for n in range(5)] == [Beat.HELD] * 5
    assert pace.followed("enter", 0.5)
    assert pace.note("enter", 0.70 + 0.3) is Beat.HELD  # a gap on a slow line
    assert pace.note("enter", 1.5) is Beat.AGAIN
    assert pace.note("y", 1.51) is Beat.FRESH
    assert pace.note("enter", 1.52) is Beat.FRESH
    assert pace.note("enter", 3.0) is Beat.FRESH
    assert pace.beat(1.5) is Beat.AGAIN
    assert pace.beat(time.monotonic() + 1e6) is Beat.FRESH


@pytest.mark.parametrize("size", [(59, 24), (80, 14), (20, 5)])
async def test_what_cannot_be_read_cannot_be_decided(size):
    fake = ready()
    kiln = app(fake)
    async with kiln.run_test(size=size) as pilot:
        await at(pilot, kiln, "order:i1044")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(kiln.screen, Approve) and kiln.screen.sheet is not None)
        await pilot.pause(0.4)
        assert "Make the" in text_of(kiln)
        assert "⏎" not in text_of(kiln)
        await pilot.press("A")
        await pilot.pause(1.1)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert fake.sent == []
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Approve & Dispatch" in text_of(kiln))
        await pilot.press("escape")
        await until(pilot, lambda: not sheets(kiln))


async def test_a_site_that_takes_long_to_open_says_so():
    fake = ready()
    opened = asyncio.Event()

    async def shop(known_revision=-1):
        await opened.wait()
        return await FakeClient.shop(fake, known_revision)

    fake.shop = shop
    kiln = app(fake)
    kiln.opening_s = 0.2
    async with kiln.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.05)
        assert "still opening" not in text_of(kiln)
        await until(pilot, lambda: "Kiln is still opening this site…" in text_of(kiln))
        opened.set()
        await until(pilot, lambda: "Order 1044" in text_of(kiln) or kiln.screen.list.cursor_key is not None)
        await pilot.pause(0.1)
        assert "still opening" not in text_of(kiln)


@pytest.mark.parametrize("width", range(8, 90))
def test_a_key_bar_keeps_what_enter_does_and_drops_from_the_end(width):
    keys = ("p", "enter", "X", "w", ":", "?")
    labels = ("Pause", "Approve & Dispatch", "Cancel", "Why", "Commands", "Help")
    commands = [
        Command(key=key, label=label, run=lambda: None) for key, label in zip(keys, labels, strict=True)
    ]
    spans, entries = key_bar(commands, width, UNICODE)
    kept = [entry.command.key for entry in entries]
    assert kept[0] == "enter"
    assert sum(len(text) for text, _ in spans) <= width
    others = [key for key in kept if key in ("p", "X", "w")]
    assert others == ["p", "X", "w"][: len(others)]


async def test_what_is_typed_while_the_sheet_opens_goes_into_its_line():
    kiln = app(FakeClient(canned.empty()))
    async with kiln.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        for key in "N192.168.1.20":
            kiln.simulate_key(key)
        await pilot.pause(0.3)
        assert [sheet.input.value for sheet in sheets(kiln)] == ["192.168.1.20"]
