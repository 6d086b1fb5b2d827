"""The client in the same process: one reader thread for queries, the kernel's own queue for commands."""

import asyncio
import contextlib
import shutil
import threading
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from core.client.api import ClientClosed
from core.client.snapshot import Snapshots
from core.client.views import (
    ApprovalSheet,
    EventFilter,
    EventRow,
    OrderDetail,
    OutcomeSheet,
    ProbeView,
    Shop,
    VerifyReport,
)
from core.domain import events as ev
from core.domain.commands import (
    AddPrinter,
    AnyCommand,
    Envelope,
    LoadMaterial,
    Refusal,
    RemovePrinter,
    ResolveRun,
    Result,
)
from core.domain.objects import Drop
from core.domain.text import clean, file_stem
from core.domain.words import Actor
from core.ingest.dropping import drop_into
from core.kernel.kernel import KernelStopped, LedgerUnavailable
from core.ledger.verify import verify
from core.site.core import Core
from core.site.settings import SettingsInvalid
from core.views.approval import approval_sheet
from core.views.events import Lookups, event_row, lookups
from core.views.orders import order_detail
from core.views.outcome import outcome_sheet

T = TypeVar("T")
Probe = Callable[[str, str], Awaitable[ProbeView]]

OBSERVED_S = 5.0
"""A person's answer about a printer counts with what it showed at most this long ago."""
TICK_S = 1.0
"""Ages are shown in whole seconds, so a snapshot is stale after one."""

_ROOM_BYTES = 1 << 20
"""With less than this left, a disk counts as full."""


class LocalClient:
    """Implements `core.client.api.Client` on a core of this process."""

    def __init__(
        self, core: Core, probe: Probe, *, demo: str = "", time_scale: float = 1.0, who: str = ""
    ) -> None:
        self._core, self._probe, self._who = core, probe, who
        self._snapshots = Snapshots(core, demo=demo, time_scale=time_scale)
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="views")
        self._lock = threading.Lock()
        self._ledger_revision = self._other_revision = 0
        self._last: Shop | None = None
        self._last_key: tuple[int, int, int, int] | None = None
        self._callbacks: tuple[Callable[[], None], ...] = ()
        self._closed = False
        self._forget = core.kernel.on_change(self._committed)
        core.live.on_change(self._notify)
        core.on_touch(self._touched)

    # --- views ---

    async def shop(self, known_revision: int = -1) -> Shop | None:
        """The newest snapshot, or None when nothing changed since `known_revision`."""
        return await self._read(lambda: self._shop(known_revision))

    def _shop(self, known_revision: int) -> Shop | None:
        tick = int(self._core.clock.monotonic() / TICK_S)
        key = (self._ledger_revision, self._core.live.revision, self._other_revision, tick)
        if self._last is None or key != self._last_key:
            revision = (self._last.revision if self._last else 0) + 1
            self._last, self._last_key = self._snapshots.shop(key[0], revision), key
        return None if self._last.revision == known_revision else self._last

    async def order(self, intent_id: str) -> OrderDetail | None:
        """One Order, whole."""

        def read() -> OrderDetail | None:
            reader = self._core.kernel.queries
            intent = reader.intent(intent_id)
            if intent is None:
                return None
            inputs = self._snapshots.inputs(self._ledger_revision)
            if intent_id not in {i.intent_id for i in inputs.intents}:
                plates = reader.plates_of_intent(intent_id)
                inputs = msgspec.structs.replace(
                    inputs,
                    intents=(*inputs.intents, intent),
                    plans=(*inputs.plans, *reader.plans_of_intent(intent_id)),
                    plates=(*inputs.plates, *plates),
                    runs=(*inputs.runs, *reader.runs_of_plates(tuple(p.plate_id for p in plates))),
                )
            names = self._names()
            story = reader.events(EventFilter(intent_id=intent_id, limit=200))
            return order_detail(inputs, intent_id, timeline=tuple(event_row(e, names) for e in story))

        return await self._read(read)

    async def approval(self, intent_id: str) -> ApprovalSheet | None:
        """The approval sheet of an Order."""

        def read() -> ApprovalSheet | None:
            reader = self._core.kernel.queries
            intent = reader.intent(intent_id)
            if intent is None:
                return None
            plans = reader.plans_of_intent(intent_id)
            inputs = self._snapshots.inputs(self._ledger_revision)
            return approval_sheet(
                intent,
                plans,
                materials=tuple(self._core.materials),
                model_names=inputs.model_names,
                policy=self._snapshots.approvals({intent_id: intent}, plans).get(intent_id, ()),
                slicer_problem=inputs.slicer_problem,
            )

        return await self._read(read)

    async def outcome(self, run_id: str) -> OutcomeSheet | None:
        """The end-of-attempt sheet."""

        def read() -> OutcomeSheet | None:
            reader = self._core.kernel.queries
            run = reader.run(run_id)
            plate = reader.plate(run.plate_id) if run else None
            if run is None or plate is None:
                return None
            printer = reader.printer(run.printer_id) if run.printer_id else None
            return outcome_sheet(run, plate, printer.name if printer else "")

        return await self._read(read)

    async def events(self, query: EventFilter) -> tuple[EventRow, ...]:
        """Events, newest first."""

        def read() -> tuple[EventRow, ...]:
            names = self._names()
            return tuple(event_row(e, names) for e in self._core.kernel.queries.events(query))

        return await self._read(read)

    async def causes(self, event_id: str) -> tuple[EventRow, ...]:
        """The chain from this event back to the first command, newest first."""

        def read() -> tuple[EventRow, ...]:
            names = self._names()
            chain: list[EventRow] = []
            wanted: str | None = event_id
            while wanted is not None and len(chain) < 100:
                event: ev.Event | None = self._core.kernel.queries.event(wanted)
                if event is None:
                    break
                chain.append(event_row(event, names))
                wanted = event.causation_id
            return tuple(chain)

        return await self._read(read)

    def _names(self) -> Lookups:
        inputs = self._snapshots.inputs(self._ledger_revision)
        return lookups(inputs.intents, inputs.plates, inputs.printers, inputs.utc_offset_s)

    async def drops(self) -> tuple[Drop, ...]:
        """The latest drops, newest first."""
        return await self._read(self._core.kernel.queries.drops_recent)

    async def models(self) -> tuple[tuple[str, str], ...]:
        """Printer models, by name."""
        return tuple(sorted(((k, m.name) for k, m in self._core.models.items()), key=lambda p: p[1]))

    async def materials(self) -> tuple[str, ...]:
        """Names of the known materials."""
        return tuple(self._core.materials)

    async def verify(self) -> VerifyReport:
        """Walk the hash chain."""
        return await asyncio.to_thread(verify, self._core.paths.database)

    # --- commands ---

    async def send(self, command: AnyCommand, *, key: str | None = None, who: str = "") -> Result:
        """Carry out a command of a person."""
        if isinstance(command, ResolveRun) and not command.observed:
            phase, file = await self._observed(command.run_id)
            command = msgspec.structs.replace(command, observed=phase, observed_file=file)
        envelope = Envelope(
            key=key or f"ui:{uuid.uuid4().hex}",
            body=command,
            actor=Actor.OPERATOR,
            who=who or self._who,
        )
        try:
            result = await self._core.kernel.submit_async(envelope)
        except LedgerUnavailable as error:
            return _unwritten(str(error), self._core.paths.root)
        except KernelStopped as error:
            raise ClientClosed(str(error) or "the core has stopped") from error
        if result.ok and isinstance(command, RemovePrinter):
            with contextlib.suppress(SettingsInvalid, OSError):  # an unused key that stays is no failure
                await asyncio.to_thread(self._core.secrets.put, command.printer_id, "")
        return result

    async def _observed(self, run_id: str) -> tuple[str, str]:
        run = await self._read(lambda: self._core.kernel.queries.run(run_id))
        if run is None or run.printer_id is None:
            return "", ""
        state = self._core.live.get(run.printer_id)
        seen, age = state.observation, state.age_s(self._core.clock.monotonic())
        if seen is None or age is None or age > OBSERVED_S:
            return "", ""
        return seen.phase.value, seen.printer_job.remote_file

    async def drop(self, paths: tuple[Path, ...]) -> tuple[str, ...]:
        """Copy files into the inbox, each whole at once."""
        return await asyncio.to_thread(
            lambda: tuple(drop_into(self._core.inbox_path, path) for path in paths)
        )

    async def probe(self, address: str, secret: str) -> ProbeView:
        """Try an address."""
        return await self._probe(address, secret)

    async def add_printer(
        self, *, name: str, adapter: str, address: str, model_id: str, secret: str, material: str
    ) -> Result:
        """Store the secret and make the printer known."""
        printer_id = await self._read(lambda: self._free_id(name))
        try:
            before = await asyncio.to_thread(self._core.secrets.get, printer_id)
            await asyncio.to_thread(self._core.secrets.put, printer_id, secret)
        except SettingsInvalid as error:
            return Result(refusal=Refusal(code="SECRETS", reasons=(f"{error}. Correct the file first.",)))
        except OSError as error:
            return _unwritten(f"its key could not be kept: {error.strerror}", self._core.paths.root)
        command = AddPrinter(
            printer_id=printer_id, name=name.strip(), adapter=adapter, address=address, model_id=model_id
        )
        result = await self.send(command)
        if not result.ok:
            await asyncio.to_thread(self._core.secrets.put, printer_id, before)
        elif material:
            await self.send(LoadMaterial(printer_id=printer_id, material=material))
        return result

    def _free_id(self, name: str) -> str:
        """An id of its own also for a printer that comes back under its old name: its history stays apart."""
        stem = file_stem(name.lower(), 36).replace(".", "-").replace("+", "-")
        reader, number, wanted = self._core.kernel.queries, 1, stem
        while (known := reader.printer(wanted)) is not None and known.removed:
            number += 1
            wanted = f"{stem}-{number}"
        return wanted

    async def refresh(self, printer_id: str) -> None:
        """Look at a printer now."""
        self._core.fleet.refresh(printer_id)

    # --- changes ---

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after each change, from any thread."""
        with self._lock:
            self._callbacks = (*self._callbacks, callback)

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks = tuple(c for c in self._callbacks if c is not callback)

        return unsubscribe

    def _committed(self, _types: tuple[str, ...]) -> None:
        self._ledger_revision += 1
        self._notify()

    def _touched(self) -> None:
        self._other_revision += 1
        self._notify()

    def _notify(self) -> None:
        for callback in self._callbacks:
            callback()

    async def _read(self, query: Callable[[], T]) -> T:
        if self._closed:
            raise ClientClosed("this client is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, query)

    async def close(self) -> None:
        """Let go and stop the core."""
        if not self._closed:
            self._closed = True
            self._forget()
            self._readers.shutdown(wait=True)
            await asyncio.to_thread(self._core.close)


def _unwritten(why: str, root: Path) -> Result:
    """The refusal of a command that could not be made durable; nothing of it was carried out."""
    said = f"{clean(why, 160)}. Nothing was done. Look at the disk that holds {clean(str(root), 120)}"
    full = shutil.disk_usage(root).free < _ROOM_BYTES
    fix = ": it is full; free some space and try again." if full else ", then try again."
    return Result(refusal=Refusal(code="LEDGER_UNAVAILABLE", reasons=(said + fix,)))
