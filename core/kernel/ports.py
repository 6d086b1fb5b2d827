"""What controllers need of the kernel: to submit commands, to read the projections, and to hear of events."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from core.domain.commands import Envelope, Result
from core.domain.objects import ArtifactRef, Drop, Intent, Plan, Plate, Printer, Run


class Stamp(msgspec.Struct, frozen=True):
    """A moment: wall time and monotonic time in nanoseconds, and the boot of this computer."""

    wall_ns: int
    mono_ns: int
    boot_id: str

    @property
    def wall_s(self) -> int:
        """Unix seconds."""
        return self.wall_ns // 1_000_000_000

    @property
    def mono_ms(self) -> int:
        """Monotonic milliseconds, comparable within `boot_id` only."""
        return self.mono_ns // 1_000_000


class Clock(Protocol):
    """Injected time."""

    def stamp(self) -> Stamp:
        """The present moment."""
        ...


class Ids(Protocol):
    """Injected identifiers."""

    def new(self, prefix: str) -> str:
        """A fresh identifier like ``run_1k2m3n4p5q6r7s8t`` (lower-case letters and digits after the prefix)."""
        ...


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Work that a committed transition asks for. `incarnation` names the core process that wrote it: an
    unkeyed effect (``start``, ``pause``, ``resume``, ``cancel``) of another incarnation is never performed."""

    effect_id: str
    kind: str
    subject_kind: str
    subject_id: str
    incarnation: str
    args: dict[str, str] = {}


class Reader(Protocol):
    """Queries over the projections; each answers from one consistent state. Safe from any thread."""

    def intent(self, intent_id: str) -> Intent | None: ...
    def plan(self, plan_id: str) -> Plan | None: ...
    def plate(self, plate_id: str) -> Plate | None: ...
    def run(self, run_id: str) -> Run | None: ...
    def printer(self, printer_id: str) -> Printer | None: ...
    def drop(self, drop_id: str) -> Drop | None: ...

    def printers(self) -> tuple[Printer, ...]:
        """Every printer that was not removed, by name."""
        ...

    def runs_live(self) -> tuple[Run, ...]:
        """Runs that are not terminal, and terminal ones whose outcomes are missing, whose bed was not cleared
        or whose remote file was not deleted yet; oldest first."""
        ...

    def runs_of_plate(self, plate_id: str) -> tuple[Run, ...]: ...
    def runs_recent(self, limit: int = 200) -> tuple[Run, ...]: ...
    def plates_live(self) -> tuple[Plate, ...]:
        """Plates that are draft or approved and belong to an open Order."""
        ...

    def plates_of_intent(self, intent_id: str) -> tuple[Plate, ...]: ...
    def plans_of_intent(self, intent_id: str) -> tuple[Plan, ...]: ...
    def intents_open(self) -> tuple[Intent, ...]: ...
    def intents_recent(self, limit: int = 500) -> tuple[Intent, ...]:
        """Open and ended Orders, newest first."""
        ...

    def drops_recent(self, limit: int = 200) -> tuple[Drop, ...]: ...
    def drops_attention(self) -> tuple[Drop, ...]:
        """Drops that were rejected or wait for "again?", not dismissed."""
        ...

    def effects_pending(self, kinds: tuple[str, ...]) -> tuple[Effect, ...]:
        """Effects not yet performed, oldest first."""
        ...


class Kernel(Protocol):
    """The single writer."""

    @property
    def incarnation(self) -> str:
        """The name of this process's life of the core."""
        ...

    @property
    def reader(self) -> Reader: ...

    def submit(self, envelope: Envelope, timeout: float = 30.0) -> Result:
        """Blocking: carry out a command and wait until it is durable. Call it from controller threads (or
        `asyncio.to_thread`), never from the UI thread."""
        ...

    async def submit_async(self, envelope: Envelope) -> Result:
        """The same, awaitable on any event loop without blocking it."""
        ...

    def on_change(self, callback: Callable[[tuple[str, ...]], None]) -> Callable[[], None]:
        """Call back (writer thread; must return at once) after each commit with the event types committed;
        answers an unsubscriber."""
        ...


class Artifacts(Protocol):
    """The content-addressed store of the site."""

    def put(self, source: Path, mime: str, name: str = "", *, move: bool = False) -> ArtifactRef:
        """Store a file durably (fsync, then rename); storing the same content twice is one file."""
        ...

    def put_bytes(self, content: bytes, mime: str, name: str = "") -> ArtifactRef: ...

    def path(self, ref: ArtifactRef) -> Path:
        """Where the content is; read-only."""
        ...
