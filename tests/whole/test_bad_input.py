"""Bad input, whole: each file is refused in words on the screen and kept with its reason; all else runs on."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.client.views import Card
from core.domain import commands as cmd
from core.domain.objects import Intent
from core.domain.words import IntentState
from kiln_tui.screens.list_screen import ListScreen
from tests.whole.bad_files import BAD, gcode
from tests.whole.site import Site, site_at

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FORBIDDEN = ("\x1b", "\x07", "\u202e")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with one simulated MK3S that prints ten minutes per second."""
    async with site_at(tmp_path / "site") as opened:
        options = {"time_scale": "600", "state_dir": str(tmp_path / "printer")}
        added = await opened.client.send(
            cmd.AddPrinter(
                printer_id="mk3",
                name="mk3",
                adapter="virtual",
                address="",
                model_id="prusa_mk3s",
                options=options,
            )
        )
        assert added.ok, added.refusal
        await opened.client.send(cmd.LoadMaterial(printer_id="mk3", material="PLA"))
        yield opened


def put(site: Site, path: Path) -> None:
    """Rename into the inbox: names, links and pipes arrive as they are."""
    path.rename(site.core.inbox_path / path.name)


async def start_good_order(site: Site, tmp_path: Path, layers: int) -> None:
    """A ready G-code, approved and started by keys."""
    good = tmp_path / "good__x1__PLA.gcode"
    good.write_text(gcode(layers=layers), encoding="ascii")
    put(site, good)
    await site.press_on(await site.card("APPROVE"), "enter", "enter")
    await site.press_on(await site.card("ready_start"), "enter")
    await site.card("running", timeout=60)


async def end_good_order(site: Site) -> Intent:
    await site.press_on(await site.card("ready_qa", timeout=120), "enter", "enter")
    return await site.closed()


async def rejected(site: Site, count: int) -> tuple[Card, ...]:
    async def find() -> tuple[Card, ...] | None:
        cards = tuple(c for c in (await site.shop()).cards if c.tag == "REJECTED")
        return cards if len(cards) >= count else None

    return await site.until(find, f"{count} REJECTED cards", 90)


async def shown(site: Site, card: Card) -> str:
    """What the detail of a card shows, as one line of words, with the cursor put on it by keys."""
    await site.press_on(card)
    screen = site.app.screen
    assert isinstance(screen, ListScreen)
    pane = screen.detail
    lines = [pane.render_line(y).text for y in range(pane.size.height)]
    return " ".join(" ".join(lines).split())


def squeezed(text: str) -> str:
    """Long names break in the middle of a word where the pane ends."""
    return "".join(text.split())


def check_words(text: str, card: Card, says: tuple[str, ...]) -> None:
    for words in says:
        assert squeezed(words) in squeezed(text), text
    for sign in FORBIDDEN:
        assert sign not in text
    assert f"Keptatrejected/{squeezed(card.what)[:40]}" in squeezed(text), text


def check_kept(site: Site, count: int) -> None:
    """Each refused thing lies in rejected/ beside a reason in words; nothing else is left behind."""
    folder = site.core.paths.root / "rejected"
    names = os.listdir(folder)
    reasons = [n for n in names if n.endswith(".reason.txt")]
    assert len(reasons) == count
    assert {n.removesuffix(".reason.txt") for n in reasons} == {n for n in names if n not in reasons}
    for name in reasons:
        text = (folder / name).read_text("utf-8")
        assert "NO  " in text
        assert "What to do:" in text
        assert not any(sign in text for sign in FORBIDDEN)
    assert os.listdir(site.core.paths.root / "claimed") == []
    assert [n for n in os.listdir(site.core.inbox_path) if not n.startswith(".")] == []


async def test_one_by_one_while_a_good_order_is_printed(site: Site, tmp_path: Path) -> None:
    await start_good_order(site, tmp_path, layers=900)
    for number, (name, bad) in enumerate(BAD.items()):
        folder = tmp_path / f"made-{number}"
        folder.mkdir()
        put(site, bad.make(folder))
        (card,) = await rejected(site, 1)
        text = await shown(site, card)
        print(f"{name:26} {text[:150]}")
        check_words(text, card, bad.says)
        await site.pilot.press("enter")

        async def gone() -> bool:
            return not any(c.tag == "REJECTED" for c in (await site.shop()).cards)

        await site.until(gone, f"the card of {name} to be dismissed", 10)
        if number == len(BAD) // 2:
            assert any(c.section == "running" for c in (await site.shop()).cards), "the good order prints on"
    check_kept(site, len(BAD))
    closed = await end_good_order(site)
    assert closed.state is IntentState.FULFILLED
    assert [row.intent.number for row in (await site.shop()).orders] == [closed.number]
    site.check_ledger()


async def test_all_at_once_while_a_good_order_is_printed(site: Site, tmp_path: Path) -> None:
    await start_good_order(site, tmp_path, layers=100)
    made = []
    for number, bad in enumerate(BAD.values()):
        folder = tmp_path / f"made-{number}"
        folder.mkdir()
        made.append(bad.make(folder))
    for path in made:
        put(site, path)
    cards = await rejected(site, len(BAD))
    assert len(cards) == len(BAD)
    whole = " ".join(f"{c.sentence} {' '.join(c.because)}" for c in cards)
    for bad in BAD.values():
        assert all(words in whole for words in bad.says), bad.says
    check_kept(site, len(BAD))
    closed = await end_good_order(site)
    assert closed.state is IntentState.FULFILLED
    assert [row.intent.number for row in (await site.shop()).orders] == [closed.number]
    site.check_ledger()
