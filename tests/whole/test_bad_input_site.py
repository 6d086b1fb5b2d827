"""Bad settings and a full disk, whole: refused in words, nothing half done, and the way back works."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.client.views import Card, EventFilter
from core.domain import commands as cmd
from core.domain.words import IntentState
from tests.screens.apps import text_of
from tests.whole.bad_files import gcode
from tests.whole.site import Site, site_at
from tests.whole.small_disk import LimitedDisk, TinyDisk, limited, may_mount, tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]


async def add_virtual(site: Site, state: Path) -> None:
    added = await site.client.send(
        cmd.AddPrinter(
            printer_id="mk3",
            name="mk3",
            adapter="virtual",
            address="",
            model_id="prusa_mk3s",
            options={"time_scale": "600", "state_dir": str(state)},
        )
    )
    assert added.ok, added.refusal
    assert (await site.client.send(cmd.LoadMaterial(printer_id="mk3", material="PLA"))).ok
    assert (await site.client.send(cmd.ClearBed(printer_id="mk3"))).ok


def good(folder: Path, name: str = "good__x1__PLA.gcode") -> Path:
    path = folder / name
    path.write_text(gcode(layers=20), encoding="ascii")
    return path


def serve(site: Path) -> subprocess.CompletedProcess[str]:
    """`kiln-tui serve` on a site that it must refuse."""
    command = [sys.executable, "-m", "kiln_tui", "--site", str(site), "serve"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)


# --- policy.yaml ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("version: 1\nauto_dispach: true\n", "auto_dispach"),
        ("version: 1\nauto_approve: [true\n", "can't be read"),
    ],
)
async def test_a_broken_policy_stops_what_is_automatic_and_nothing_else(
    tmp_path: Path, text: str, names: str
) -> None:
    root = tmp_path / "site"
    root.mkdir()
    (root / "policy.yaml").write_text(text)
    async with site_at(root) as site:
        await add_virtual(site, tmp_path / "printer")
        site.drop(good(tmp_path))
        approve = await site.card("APPROVE")
        await site.press_on(approve, "enter", "enter")
        order = await site.order()

        # approved and dispatched by a person; still it does not start by itself
        async def parked() -> Card | None:
            cards = (await site.shop()).cards
            return next((c for c in cards if c.subject_kind == "run" and c.tag == "APPROVE"), None)

        waits = await site.until(parked, "the attempt to wait for a person", 30)
        await site.pilot.pause(3)
        assert "StartIntended" not in await site.story(order.intent_id)
        screen = text_of(site.app)
        assert "policy.yaml can't be used, so nothing starts by itself" in screen
        assert names in screen
        assert "waits for your approval. The policy file cannot be read." in waits.sentence

        await site.press_on(waits, "enter")
        qa = await site.card("ready_qa", timeout=60)
        await site.press_on(qa, "enter", "enter")
        assert (await site.closed()).state is IntentState.FULFILLED
        told = " ".join(
            row.summary for row in await site.client.events(EventFilter(intent_id=order.intent_id, limit=500))
        )
        assert told.count("Policy evaluator degraded; proceeding under manual override") == 3
        site.check_ledger()


async def test_a_policy_that_nobody_may_read_is_a_broken_policy(tmp_path: Path) -> None:
    root = tmp_path / "site"
    (root / "policy.yaml").mkdir(parents=True)
    async with site_at(root) as site:
        assert "policy.yaml can't be read, so nothing starts by itself" in (await site.shop()).banner


# --- site.yaml --------------------------------------------------------------------------------------------------


def _unwrapped(said: str) -> str:
    """What was said, without the line breaks of the terminal's width."""
    return " ".join(said.split())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name: Shed\ninbx: {path: /srv/inbox}\n", "`inbx`"),
        ("inbox: {pth: /srv/inbox}\n", "`pth`"),
        ("inbox: [1, 2]\n", "inbox must be a section with path and folders"),
        ("timezone: Middle/Earth\n", "`timezone`"),
        ("timezone: ../../etc/passwd\n", "`timezone`"),
        ("slicer: 5\n", "slicer must be a text"),
        ("[" * 4000, "nested too deeply"),
        ("name: 'Shed\n", "site.yaml can't be read"),
    ],
)
def test_a_wrong_site_file_is_refused_at_start_by_its_key(tmp_path: Path, text: str, names: str) -> None:
    (tmp_path / "site.yaml").write_text(text)
    ended = serve(tmp_path)
    assert ended.returncode == 1
    assert ended.stdout == ""
    line = _unwrapped(ended.stderr)
    assert line.startswith("kiln-tui: site.yaml")
    assert names in line
    assert not (tmp_path / "kiln.db").exists()


# --- secrets.yaml -----------------------------------------------------------------------------------------------


async def test_secrets_that_others_can_read_are_closed_at_start(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    secrets = root / "secrets.yaml"
    secrets.write_text("mk3: hush\n")
    secrets.chmod(0o644)
    async with site_at(root) as site:
        assert secrets.stat().st_mode & 0o777 == 0o600
        assert site.core.secrets.get("mk3") == "hush"


def test_secrets_that_are_no_list_of_keys_are_refused_without_telling_them(tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text("- hush-hush\n")
    ended = serve(tmp_path)
    assert ended.returncode == 1
    assert "secrets.yaml: must be lines of “printer: key”" in _unwrapped(ended.stderr)
    assert "hush" not in ended.stderr


# --- a full disk ------------------------------------------------------------------------------------------------


def _ways() -> list[str]:
    """A disk of its own where this user may mount one; the limit on file sizes works for everybody."""
    with tempfile.TemporaryDirectory() as folder:
        return ["limit", "tiny"] if may_mount(Path(folder) / "try") else ["limit"]


@pytest.fixture(params=_ways())
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LimitedDisk | TinyDisk]:
    make = limited if request.param == "limit" else tiny
    with make(tmp_path / "disk") as made:
        yield made


async def test_a_full_disk_refuses_in_words_and_leaves_nothing_half_done(
    disk: LimitedDisk | TinyDisk, tmp_path: Path
) -> None:
    async with site_at(disk.root / "site") as site:
        await add_virtual(site, tmp_path / "printer")
        site.drop(good(tmp_path, "first__x1__PLA.gcode"))
        late = tmp_path / "late__x1__PLA.gcode"
        late.write_text(gcode(layers=30), encoding="ascii")
        approve = await site.card("APPROVE")
        threads = {t.name for t in threading.enumerate() if t.daemon}
        before = site.core.kernel.queries.events(EventFilter(limit=1))[0].seq
        stored = sorted(site.core.paths.artifacts.rglob("*"))

        disk.fill()
        await site.press_on(approve, "enter", "enter")

        async def said() -> bool:
            return "Not done: " in text_of(site.app)

        await site.until(said, "the refusal", 15)
        screen = text_of(site.app)
        assert "Nothing was done." in screen
        assert "gone away" not in screen
        (answer,) = await site.client.drop((late,))
        assert "could not be dropped" in answer
        refused = await site.client.add_printer(
            name="mini", adapter="virtual", address="", model_id="prusa_mini", secret="hush", material="PLA"
        )
        assert refused.refusal is not None
        await site.pilot.pause(1)
        assert site.core.kernel.queries.events(EventFilter(limit=1))[0].seq == before
        assert [p.printer_id for p in site.core.kernel.reader.printers()] == ["mk3"]
        assert sorted(site.core.paths.artifacts.rglob("*")) == stored
        disk.free()

        assert site.core.secrets.get("mini") == ""
        assert os.listdir(site.core.inbox_path) == []
        assert threads <= {t.name for t in threading.enumerate()}
        await site.pilot.press("escape")
        await site.press_on(await site.card("APPROVE"), "enter", "enter")
        qa = await site.card("ready_qa", timeout=60)
        await site.press_on(qa, "enter", "enter")
        assert (await site.closed()).state is IntentState.FULFILLED
        site.check_ledger()


async def test_a_drop_that_finds_the_disk_full_is_named_and_taken_in_later(
    disk: LimitedDisk | TinyDisk, tmp_path: Path
) -> None:
    async with site_at(disk.root / "site") as site:
        await add_virtual(site, tmp_path / "printer")
        source = good(disk.root)
        disk.fill()
        source.rename(site.core.inbox_path / source.name)

        async def named() -> bool:
            return "good__x1__PLA.gcode is not taken from the inbox" in text_of(site.app)

        await site.until(named, "the banner", 40)
        assert (await site.shop()).orders == ()
        disk.free()
        order = await site.order()
        assert [item.name for item in order.items] == ["good"]

        async def quiet() -> bool:
            return "is not taken" not in text_of(site.app)

        await site.until(quiet, "the banner to go", 20)
        assert os.listdir(site.core.paths.root / "claimed") == []
        site.check_ledger()


def test_a_site_that_cannot_be_opened_for_want_of_room_says_so(tmp_path: Path) -> None:
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
        "from kiln_tui.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "--site", str(tmp_path / "site"), "serve"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert ended.returncode == 1
    assert "kiln.db can't be opened" in _unwrapped(ended.stderr)
    assert "Traceback" not in ended.stderr
