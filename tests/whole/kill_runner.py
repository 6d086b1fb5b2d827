"""A Kiln in a process of its own that kills itself with SIGKILL at a named point: ``kill_runner.py SITE [POINT]``.

Production code knows nothing of it: the adapter, the kernel, the inbox and the slicing controller are wrapped from
outside, in this process only. Commands come as lines on standard input (`kill_wire`).
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec

from adapters import registry
from core.client.local import LocalClient
from core.contract import Adapter, PrinterConfig, ProgressFn, Reply
from core.controllers.inbox import InboxWatcher
from core.controllers.ingest import Ingest
from core.controllers.slicing import SlicingController
from core.domain.commands import AcceptDrop, SliceDone
from core.ingest import keeping
from core.kernel.kernel import LedgerKernel
from core.kernel.system import SystemClock
from core.ledger.store import Store
from core.site.core import Core, CoreOptions
from kiln_tui.cli.site_dir import local_client, log_to_file
from tests.whole import kill_wire as wire


def die() -> None:
    """As a power cut would end us: nothing is closed, nothing is flushed."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fatal:
    """An adapter that passes everything on, and dies at one point of it."""

    def __init__(self, inner: Adapter, point: str) -> None:
        self._inner, self._point = inner, point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def upload(self, name: str, source: Path, sha256: str, progress: ProgressFn | None = None) -> None:
        def half_way(sent: int, total: int) -> None:
            if 0 < sent < total:
                die()

        watched = half_way if self._point == "during-upload" else progress
        await self._inner.upload(name, source, sha256, watched)
        if self._point == "after-upload":
            die()

    async def start(self, name: str, token: str) -> Reply:
        if self._point == "before-send":
            die()
        kind, _, group = self._point.partition(":")
        if kind == "late-send":
            # the printer's server (process group `group`) gets the request only when it wakes up again
            os.killpg(int(group), signal.SIGSTOP)
            await asyncio.wait({asyncio.ensure_future(self._inner.start(name, token))}, timeout=0.5)
            die()
        if self._point == "during-send":
            # whether the printer got it is anybody's guess: that is the point
            sending = asyncio.ensure_future(self._inner.start(name, token))
            await asyncio.wait({sending}, timeout=0.004)
            die()
        reply = await self._inner.start(name, token)
        if self._point == "after-send":
            die()
        return reply

    async def delete(self, name: str) -> None:
        await self._inner.delete(name)
        if self._point == "after-delete":
            die()

    def hints(self) -> AsyncIterator[Any]:
        return self._inner.hints()


def open_site(root: Path, point: str) -> Core:
    """The core of the site, as `kiln_tui.cli.site_dir.open_core` opens it, with the fatal point built in."""

    def make(config: PrinterConfig, clock: SystemClock) -> Adapter:
        adapter: Any = Fatal(registry.create(config, clock), point)
        made: Adapter = adapter
        return made

    log_to_file(root / "logs")
    _arm(point)
    return Core(root, make, CoreOptions(settle_ms=200))


def _arm(point: str) -> None:
    """Watch for the point, from before the core is made: what a former life left is worked off at once."""
    kind, _, wanted = point.partition(":")
    if kind == "event":
        _before(LedgerKernel, "_publish", lambda types: wanted in types)
    elif kind == "mid-commit":
        _before(Store, "append", lambda event: event.type == wanted)
    elif point in _COMMANDS:
        _before(LedgerKernel, "submit", lambda envelope: isinstance(envelope.body, _COMMANDS[point]))
    elif point in _CALLS:
        owner, name = _CALLS[point]
        _before(owner, name, lambda *_args: True)
    elif point == "slicer-running":
        _before(SlicingController, "_show", lambda _plate, percent, _text: percent > 0)


_COMMANDS: dict[str, type] = {"drop-gated": AcceptDrop, "slice-kept": SliceDone}
"""Points just before a command is committed."""
_CALLS: dict[str, tuple[Any, str]] = {
    "drop-claimed": (Ingest, "_accept"),
    "drop-committed": (InboxWatcher, "finish_accepted"),
    "drop-moved": (keeping, "release"),
}
"""Points just before a call."""


def _before(owner: Any, name: str, at_last: Callable[..., bool]) -> None:
    """Die instead of calling `owner.name` when `at_last` says so of its arguments."""
    real = getattr(owner, name)

    def fatal(*args: Any, **more: Any) -> Any:
        if at_last(*(args[1:] if isinstance(owner, type) else args)):
            die()
        return real(*args, **more)

    setattr(owner, name, fatal)


async def serve(core: Core) -> None:
    """Answer line by line until told to close."""
    client = local_client(core, who="tess")
    _say(wire.Ready())
    while True:
        line = await asyncio.to_thread(sys.stdin.buffer.readline)
        ask = msgspec.json.decode(line, type=wire.Ask) if line else wire.Close()
        if isinstance(ask, wire.Close):
            break
        _say(await _answer(core, client, ask))
    await client.close()
    _say(wire.Ready())


async def _answer(core: Core, client: LocalClient, ask: wire.Ask) -> wire.Answer:
    match ask:
        case wire.AddOctoPrint(url=url, api_key=key):
            added = await client.add_printer(
                name="octo",
                adapter="octoprint",
                address=url,
                model_id="prusa_mk3s",
                secret=key,
                material="PLA",
            )
            return wire.Did(added)
        case wire.Send(command=command):
            return wire.Did(await client.send(command))
        case wire.Outcomes(run_id=run_id):
            return wire.Sheet(await client.outcome(run_id))
        case wire.Refresh(printer_id=printer_id):
            await client.refresh(printer_id)
    shop = await client.shop()
    assert shop is not None
    return wire.Seen(shop, await asyncio.to_thread(core.kernel.queries.runs_recent))


def _say(answer: wire.Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(serve(open_site(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")))
