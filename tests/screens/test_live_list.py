"""The list draws what changed and nothing else, and survives sizes that change."""

import msgspec

from kiln_tui.widgets.live_list import LiveList, _changed
from tests.screens import canned
from tests.screens.apps import app, text_of, until
from tests.screens.fake_client import FakeClient, client


def watch(of: LiveList) -> list[tuple[object, ...]]:
    """Note every refresh of a list from now on."""
    calls: list[tuple[object, ...]] = []
    real = of.refresh

    def noted(*regions, **more):
        calls.append(regions)
        return real(*regions, **more)

    of.refresh = noted
    return calls


async def test_a_snapshot_without_change_draws_nothing_and_one_changed_row_draws_its_span():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        await pilot.press("5")
        await until(pilot, lambda: kiln.screen.list.cursor_key == "mk4-1")
        await pilot.pause(0.2)
        calls = watch(kiln.screen.list)
        seen = kiln.shop.revision
        fake.change()
        await until(pilot, lambda: kiln.shop.revision > seen)
        await pilot.pause(0.1)
        assert calls == []
        rows = list(fake.current.printers)
        job = msgspec.structs.replace(rows[1].live.printer_job, progress=0.64)
        rows[1] = msgspec.structs.replace(
            rows[1], live=msgspec.structs.replace(rows[1].live, printer_job=job)
        )
        fake.change(printers=tuple(rows))
        await until(pilot, lambda: "64%" in text_of(kiln))
        [(region,)] = calls
        assert (region.y, region.height) == (1, 1)
        assert region.width < 20


def test_the_changed_span_is_found():
    old, new = (("a", "x"), ("bb", "x"), ("c", "x")), (("a", "x"), ("bc", "x"), ("c", "x"))
    assert _changed(old, new, 4) == (1, 3)
    assert _changed(old, old[:2], 4) == (0, 4)
    assert _changed(None, new, 4) == (0, 4)
    assert _changed(old, (("a", "x"), ("b", "x"), ("cc", "x")), 4) == (1, 4)


async def test_two_hundred_rows_keep_few_strips_and_the_cursor_walks_them_all():
    fake = FakeClient(canned.farm(200))
    kiln = app(fake)
    async with kiln.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        await pilot.press("5")
        await until(pilot, lambda: kiln.screen.list.cursor_key == "farm-000")
        await pilot.press("end")
        assert kiln.screen.list.cursor_key == "farm-199"
        await pilot.press("pageup", "k", "j")
        fake.change()
        await pilot.pause(0.3)
        assert len(kiln.screen.list._spans) <= 40
        assert "farm-163" in text_of(kiln)
        await pilot.press("home")
        assert kiln.screen.list.cursor_key == "farm-000"


async def test_the_window_may_change_its_size():
    kiln = app(client("full"))
    async with kiln.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: kiln.shop is not None)
        for size in ((80, 24), (200, 60), (30, 8), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.2)
        assert "DESYNCED" in text_of(kiln)
        assert "This printer stopped reporting" in text_of(kiln)
        await pilot.press("?")
        await pilot.resize_terminal(40, 10)
        await pilot.pause(0.2)
        assert "Keys on Triage" in text_of(kiln)


async def test_the_mouse_selects_switches_and_presses_keys():
    fake = client("full")
    kiln = app(fake)
    async with kiln.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: kiln.shop is not None and kiln.screen.list.cursor_key is not None)
        await pilot.pause(0.1)
        await pilot.click(kiln.screen.list, offset=(10, 2))
        assert kiln.screen.list.cursor_key == "run:r1"
        await pilot.click(kiln.screen.top_bar, offset=(18, 0))
        await until(pilot, lambda: kiln.screen.NAME == "orders")
        await pilot.click(kiln.screen.top_bar, offset=(8, 0))
        await until(pilot, lambda: kiln.screen.NAME == "triage")
        await pilot.pause(0.1)
        await pilot.click(kiln.screen.key_bar, offset=(2, 0))
        await until(pilot, lambda: bool(fake.sent))
    assert [type(command).__name__ for command in fake.sent] == ["ResumeRun"]
