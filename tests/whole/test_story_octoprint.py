"""One story, whole: a file in the inbox, keys on the screen, a real slicer, a real OctoPrint, a fulfilled Order."""

from pathlib import Path

import pytest

from core.domain.words import IntentState
from kiln_tui import demo_parts as parts
from tests.servers.octoprint import OctoPrintServer
from tests.whole.site import Site, add_octoprint, site_at

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

STORY = [
    "IntentCreated",
    "PlanApproved",
    "Sliced",
    "PlateApproved",
    "RunQueued",
    "RunClaimed",
    "RunUploaded",
    "StartIntended",
    "StartReplied",
    "RunStarted",
    "RunCompleted",
    "RemoteFileDeleted",
    "ItemOutcomeRecorded",
    "IntentFulfilled",
]


async def _make(site: Site) -> None:
    """Approve, clear the bed, wait, mark all good: every step by its primary key."""
    approve = await site.card("APPROVE")
    await site.press_on(approve, "enter", "enter")
    ready = await site.card("ready_start")
    await site.press_on(ready, "enter")
    await site.card("running", timeout=180)
    qa = await site.card("ready_qa", timeout=300)
    await site.press_on(qa, "enter", "enter")


async def _one_story(site: Site, expected: list[str]) -> None:
    order = await site.order()
    await _make(site)
    closed = await site.closed()
    assert closed.state is IntentState.FULFILLED

    async def deleted() -> bool:
        return "RemoteFileDeleted" in await site.story(order.intent_id)

    await site.until(deleted, "the remote file to be deleted", 30)
    told = await site.story(order.intent_id)
    positions = [told.index(wanted) for wanted in expected if wanted != "RemoteFileDeleted"]
    assert positions == sorted(positions), told
    site.check_ledger()


async def test_an_stl_becomes_a_fulfilled_order(tmp_path: Path, own_octoprint: OctoPrintServer) -> None:
    part = tmp_path / "tag__x1__PLA__draft.stl"
    parts.write_stl(part, parts.box(12, 8, 1.2))
    async with site_at(tmp_path / "site") as site:
        await add_octoprint(site, own_octoprint)
        site.drop(part)
        await _one_story(site, STORY)
    assert len(own_octoprint.physical_starts()) == 1


async def test_a_3mf_of_two_objects_is_one_order_with_two_parts(
    tmp_path: Path, own_octoprint: OctoPrintServer
) -> None:
    part = tmp_path / "pair__PLA__draft.3mf"
    parts.write_3mf(part, {"tag": (parts.box(10, 8, 1.2), 1), "washer": (parts.cylinder(9, 1.2, 24), 1)})
    async with site_at(tmp_path / "site") as site:
        await add_octoprint(site, own_octoprint)
        site.drop(part)
        order = await site.order()
        assert [item.name for item in order.items] == ["tag", "washer"]
        await _one_story(site, STORY)
    assert len(own_octoprint.physical_starts()) == 1


async def test_ready_gcode_needs_no_slicer(tmp_path: Path, own_octoprint: OctoPrintServer) -> None:
    part = tmp_path / "ready__x1__PLA.gcode"
    part.write_text(_small_gcode(), encoding="ascii")
    async with site_at(tmp_path / "site") as site:
        await add_octoprint(site, own_octoprint)
        site.drop(part)
        await _one_story(site, [t for t in STORY if t != "Sliced"])
    assert len(own_octoprint.physical_starts()) == 1


def _small_gcode() -> str:
    lines = ["; printer_model = MK3S", "G90", "M83", "M104 S200", "M140 S60", "G28", "M109 S200", "M190 S60"]
    for layer in range(1, 6):
        lines += [";LAYER_CHANGE", f"G1 Z{0.2 * layer:.2f} F600"]
        for side in range(4):
            x, y = [(50, 50), (80, 50), (80, 80), (50, 80)][side]
            lines.append(f"G1 X{x} Y{y} E1.2 F1200")
    return "\n".join([*lines, "M104 S0", "M140 S0", "G1 Z20 F600"]) + "\n"
