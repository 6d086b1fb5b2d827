"""A drop that the ledger has, and whose files were not moved yet, is only moved: it is never judged again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.controllers.inbox import InboxWatcher
from core.ingest.dropping import drop_into
from core.site.core import Core, CoreOptions
from kiln_tui import demo_parts as parts
from kiln_tui.cli.site_dir import open_core

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def moves_at_the_second_try(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The move after the commit fails once, as if the program had been killed just there."""
    failed: list[str] = []
    for name in ("finish_accepted", "finish_rejected"):
        real = getattr(InboxWatcher, name)

        def once(self: InboxWatcher, *args: object, name: str = name, real: Callable[..., str] = real) -> str:
            if not failed:
                failed.append(name)
                raise OSError("killed here")
            return real(self, *args)

        monkeypatch.setattr(InboxWatcher, name, once)
    return failed


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = open_core(tmp_path / "site", CoreOptions(settle_ms=100))
    yield core
    core.close()


def moved(core: Core, folder: str) -> list[str]:
    """Waits until the inbox and claimed/ are empty; answers what lies in `folder` then."""
    root, ends = core.paths.root, time.monotonic() + 30
    while time.monotonic() < ends:
        left = [p for p in (*core.inbox_path.rglob("*"), *(root / "claimed").glob("*")) if p.name[0] != "."]
        if not left:
            return sorted(p.name for p in (root / folder).rglob("*") if p.is_file())
        time.sleep(0.05)
    raise AssertionError(f"still there: {left}")


def test_an_accepted_model_stays_accepted(
    core: Core, tmp_path: Path, moves_at_the_second_try: list[str]
) -> None:
    part = tmp_path / "tag__x1__PLA__draft.stl"
    parts.write_stl(part, parts.box(12, 8, 1.2))
    drop_into(core.inbox_path, part)
    assert moved(core, "accepted") == [part.name]
    assert moves_at_the_second_try == ["finish_accepted"]
    (drop,) = core.kernel.reader.drops_recent()
    (order,) = core.kernel.reader.intents_open()
    assert (drop.state, drop.intent_id) == ("accepted", order.intent_id)
    assert (core.paths.root / "accepted").joinpath(f"{order.number}-{part.name}").is_dir()


def test_a_refused_model_is_refused_once(
    core: Core, tmp_path: Path, moves_at_the_second_try: list[str]
) -> None:
    part = tmp_path / "cut.stl"
    part.write_bytes(b"\0" * 80 + b"\xff\0\0\0" + b"\0" * 60)
    drop_into(core.inbox_path, part)
    assert moved(core, "rejected") == ["cut.stl", "cut.stl.reason.txt"]
    assert moves_at_the_second_try == ["finish_rejected"]
    (drop,) = core.kernel.reader.drops_recent()
    assert (drop.state, drop.version) == ("rejected", 1)
