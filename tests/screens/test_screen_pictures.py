"""Snapshots of every screen at the sizes that matter, empty and full; and what no picture may ever say."""

import re
from pathlib import Path

import pytest

from tests.screens.apps import frozen

SIZES = ((80, 24), (120, 40), (200, 60))
SCREENS = {"triage": "1", "orders": "2", "plans": "3", "printers": "5", "events": "6"}


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("kind", ["empty", "full"])
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(snap_compare, screen, kind, size):
    app = frozen(kind)

    async def go(pilot):
        await pilot.pause(0.2)
        await pilot.press(SCREENS[screen])
        await pilot.pause(0.2)

    assert snap_compare(app, terminal_size=size, run_before=go)


SHEETS = {
    "approve": ("full", ["down", "down", "enter"]),
    "outcome": ("full", ["end", "up", "up", "enter"]),
    "resolve": ("full", ["a"]),
    "abort": ("full", ["down", "x"]),
    "cancel_order": ("full", ["2", "X"]),
    "load_material": ("full", ["5", "L"]),
    "out_of_service": ("full", ["5", "O"]),
    "why": ("full", ["w"]),
    "help": ("full", ["?"]),
    "palette": ("full", [":"]),
    "quit": ("full", ["q"]),
    "add_printer": ("empty", ["n"]),
    "cause_chain": ("full", ["6", "w"]),
}


@pytest.mark.parametrize("sheet", SHEETS)
def test_sheet(snap_compare, sheet):
    kind, keys = SHEETS[sheet]
    app = frozen(kind)

    async def go(pilot):
        await pilot.pause(0.2)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)
        await pilot.pause(0.2)

    assert snap_compare(app, terminal_size=(80, 24), run_before=go)


LOOKS = {
    "light": {"theme": "light"},
    "contrast": {"theme": "contrast"},
    "ansi_ascii": {"theme": "ansi", "ascii_only": True},
    "tour": {"tour": True},
    "first_run": {"first_run": True},
}


@pytest.mark.parametrize("look", LOOKS)
def test_look(snap_compare, look):
    app = frozen("empty" if look == "first_run" else "demo" if look == "tour" else "full", **LOOKS[look])

    async def go(pilot):
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=(80, 24), run_before=go)


def _texts() -> list[tuple[str, str]]:
    folder = Path(__file__).with_name("__snapshots__")
    return [
        (
            path.name,
            re.sub(r"&#160;|\s+", " ", " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text()))),
        )
        for path in sorted(folder.rglob("*.svg"))
    ]


def test_no_picture_says_job_except_for_what_a_printer_calls_one():
    texts = _texts()
    assert len(texts) >= 40
    for name, text in texts:
        for hit in re.finditer(r"\bjobs?\b", text, re.IGNORECASE):
            before = text[max(0, hit.start() - 12) : hit.start()].lower()
            assert before.rstrip().endswith(("printer", '"printer_')) or "printer_" in before, (name, before)


def test_no_picture_lists_the_screens_that_do_not_exist_yet():
    for name, text in _texts():
        assert "4 Plates" not in text, name
        assert "7 Stock" not in text, name
