"""A client with canned shops, to try the screens without a core: ``python -m tests.screens.fake_client full``.

It records what was sent, and moves cards a little, so that key walks can be followed; it decides nothing.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.client.api import ClientClosed
from core.client.views import (
    ApprovalSheet,
    EventFilter,
    EventRow,
    OrderDetail,
    OutcomeSheet,
    ProbeStep,
    ProbeView,
    Shop,
    VerifyReport,
)
from core.domain import commands as c
from core.domain.commands import AnyCommand, Refusal, Result
from core.domain.objects import Drop
from tests.screens import canned


class FakeClient:
    """The `Client` protocol over one canned shop."""

    def __init__(self, shop: Shop, *, live: bool = False) -> None:
        self.current = shop
        self.live = live
        self.sent: list[AnyCommand] = []
        self.refreshed: list[str] = []
        self.dropped: list[Path] = []
        self.refuse: Refusal | None = None
        self.hold: asyncio.Event | None = None
        self.gone = False
        self.answered: dict[str, object] = {}
        self.outcome_sheet: OutcomeSheet | None = canned.outcome_sheet("r4")
        self.event_rows: tuple[EventRow, ...] = canned.events() if shop.cards else ()
        self.probe_ok = True
        self.secrets: list[str] = []
        self._listeners: list[Callable[[], None]] = []
        self._tick = 0

    def change(self, **fields: object) -> None:
        """Put out a new snapshot."""
        self.current = msgspec.structs.replace(self.current, revision=self.current.revision + 1, **fields)
        for listener in tuple(self._listeners):
            listener()

    async def shop(self, known_revision: int = -1) -> Shop | None:
        if self.gone:
            raise ClientClosed
        if self.live:
            self._tick += 1
            self.current = canned.farm(len(self.current.printers), self._tick)
        return None if self.current.revision == known_revision else self.current

    async def order(self, intent_id: str) -> OrderDetail | None:
        return next(
            (canned.order_detail(row) for row in self.current.orders if row.intent.intent_id == intent_id),
            None,
        )

    async def approval(self, intent_id: str) -> ApprovalSheet | None:
        return canned.approval(self.answered)

    async def outcome(self, run_id: str) -> OutcomeSheet | None:
        return self.outcome_sheet

    async def events(self, query: EventFilter) -> tuple[EventRow, ...]:
        words = query.text.casefold()
        return tuple(
            row
            for row in self.event_rows
            if words in f"{row.type} {row.who} {row.actor} {row.subject_id} {row.summary}".casefold()
            and (query.before_seq is None or row.seq < query.before_seq)
            and (query.run_id is None or row.run_id == query.run_id)
        )[: query.limit]

    async def causes(self, event_id: str) -> tuple[EventRow, ...]:
        chain, at = [], event_id
        by_id = {row.event_id: row for row in self.event_rows}
        while at in by_id:
            chain.append(by_id[at])
            at = by_id[at].causation_id or ""
        return tuple(chain)

    async def send(self, command: AnyCommand, *, key: str | None = None, who: str = "") -> Result:
        self.sent.append(command)
        if self.gone:
            raise ClientClosed
        if self.hold is not None:
            await self.hold.wait()
        if self.refuse is not None:
            return Result(refusal=self.refuse)
        match command:
            case c.ClarifyItem():
                for field in ("material", "tier"):
                    if getattr(command, field) is not None:
                        self.answered[field] = getattr(command, field)
                self.change()
            case c.ApproveOrder(intent_id=i):
                self._drop_cards(i)
            case c.RecordOutcomes(run_id=r) | c.ResolveRun(run_id=r) | c.ReprintFailed(run_id=r):
                self._drop_cards(r)
            case c.DismissDrop(drop_id=d) | c.OrderAgain(drop_id=d):
                self._drop_cards(d)
        return Result(event_ids=("e1",))

    def _drop_cards(self, subject_id: str) -> None:
        self.change(cards=tuple(card for card in self.current.cards if card.subject_id != subject_id))

    async def drop(self, paths: tuple[Path, ...]) -> tuple[str, ...]:
        self.dropped += paths
        return tuple(f"{path.name} is in the inbox." for path in paths)

    async def drops(self) -> tuple[Drop, ...]:
        return ()

    async def probe(self, address: str, secret: str) -> ProbeView:
        await asyncio.sleep(0.01)
        if self.probe_ok:
            return ProbeView(
                ok=True,
                adapter="octoprint",
                suggested_name="ender",
                steps=(
                    ProbeStep(name="Reach the address", ok=True, detail=f"{address} answered in 12 ms"),
                    ProbeStep(name="Recognise the server", ok=True, detail="OctoPrint 1.11.3"),
                    ProbeStep(name="Try the key", ok=True, detail="user ada, may print"),
                ),
            )
        return ProbeView(
            ok=False,
            adapter="octoprint",
            steps=(
                ProbeStep(name="Reach the address", ok=True, detail=f"{address} answered in 12 ms"),
                ProbeStep(
                    name="Try the key",
                    ok=False,
                    detail="403: the key was refused",
                    fix="In OctoPrint open Settings, Application Keys, and make one for kiln-tui.",
                ),
            ),
        )

    async def add_printer(
        self, *, name: str, adapter: str, address: str, model_id: str, secret: str, material: str
    ) -> Result:
        self.secrets.append(secret)
        return await self.send(
            c.AddPrinter(printer_id=name, name=name, adapter=adapter, address=address, model_id=model_id)
        )

    async def refresh(self, printer_id: str) -> None:
        self.refreshed.append(printer_id)

    async def models(self) -> tuple[tuple[str, str], ...]:
        return (
            ("bambu_x1c", "Bambu Lab X1 Carbon"),
            ("generic_220", "Generic 220 mm"),
            ("prusa_mk4", "Prusa MK4"),
        )

    async def materials(self) -> tuple[str, ...]:
        return ("ABS", "ASA", "PA-CF", "PETG", "PLA", "TPU")

    async def verify(self) -> VerifyReport:
        return VerifyReport(ok=True, events=913, head="5b1f00aa9c3e77d1")

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    async def close(self) -> None:
        self._listeners.clear()


def client(kind: str) -> FakeClient:
    """``empty``, ``idle`` (one printer, nothing to do), ``full``, ``farm`` (200, live) or ``demo``."""
    match kind:
        case "empty":
            return FakeClient(canned.empty())
        case "idle":
            return FakeClient(canned.empty(printers=True))
        case "farm":
            return FakeClient(canned.farm(), live=True)
        case "demo":
            return FakeClient(
                msgspec.structs.replace(
                    canned.full(), demo="Six virtual printers on a throw-away site", time_scale=60.0
                )
            )
        case _:
            return FakeClient(canned.full())


def main() -> None:
    """Run the app by hand: the kind of shop, then ``first_run`` or ``tour``, ``theme=light``, ``ascii``."""
    from kiln_tui.app import KilnApp

    words = sys.argv[1:] or ["full"]
    theme = next((word[6:] for word in words if word.startswith("theme=")), None)
    frozen = "frozen" in words
    app = KilnApp(
        client(words[0]),
        first_run="first_run" in words,
        tour="tour" in words,
        theme=theme,
        ascii_only=True if "ascii" in words else None,
        monotonic=(lambda: 0.0) if frozen else time.monotonic,
    )
    print(app.run())


if __name__ == "__main__":
    main()
