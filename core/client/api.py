"""The one interface between a screen (or command line, or test) and the core."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

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
from core.domain.commands import AnyCommand, Result
from core.domain.objects import Drop


class Client(Protocol):
    """Commands in, views and events out. Every method may be awaited on the UI's loop: none blocks it.

    `send` answers with a Result that carries a refusal in plain sentences; it raises only `ClientClosed`.
    """

    async def shop(self, known_revision: int = -1) -> Shop | None:
        """The newest snapshot, or None when nothing changed since `known_revision`."""
        ...

    async def order(self, intent_id: str) -> OrderDetail | None:
        """One Order, whole."""
        ...

    async def approval(self, intent_id: str) -> ApprovalSheet | None:
        """The approval sheet of an Order."""
        ...

    async def outcome(self, run_id: str) -> OutcomeSheet | None:
        """The end-of-attempt sheet."""
        ...

    async def events(self, query: EventFilter) -> tuple[EventRow, ...]:
        """Events, newest first."""
        ...

    async def causes(self, event_id: str) -> tuple[EventRow, ...]:
        """The chain from this event back to the first command, newest first; at most 100."""
        ...

    async def send(self, command: AnyCommand, *, key: str | None = None, who: str = "") -> Result:
        """Carry out a command; without a key a fresh one is made."""
        ...

    async def drop(self, paths: tuple[Path, ...]) -> tuple[str, ...]:
        """Copy files into the inbox; answers one sentence per path."""
        ...

    async def drops(self) -> tuple[Drop, ...]:
        """The latest drops, newest first; at most 200."""
        ...

    async def probe(self, address: str, secret: str) -> ProbeView:
        """Try an address before adding a printer there."""
        ...

    async def add_printer(
        self, *, name: str, adapter: str, address: str, model_id: str, secret: str, material: str
    ) -> Result:
        """Store the secret (0600) and make the printer known."""
        ...

    async def refresh(self, printer_id: str) -> None:
        """Look at a printer now."""
        ...

    async def models(self) -> tuple[tuple[str, str], ...]:
        """(model_id, name) of every known printer model, by name."""
        ...

    async def materials(self) -> tuple[str, ...]:
        """Names of the known materials."""
        ...

    async def verify(self) -> VerifyReport:
        """Walk the hash chain."""
        ...

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (from any thread, must return at once) after each change; answers an unsubscriber."""
        ...

    async def close(self) -> None:
        """Let go; an in-process core stops its workers."""
        ...


class ClientClosed(Exception):
    """The core is gone; nothing was carried out."""
