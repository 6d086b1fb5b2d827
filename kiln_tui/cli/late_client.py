"""A client whose core is still being opened: the screens stand at once, the site comes a moment later."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.client.api import Client, ClientClosed
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

if TYPE_CHECKING:
    from kiln_tui.cli.failing import CannotStart

FIRST_PAINT_S = 0.05
"""The screens paint before the imports and files of the core compete with them."""


class LateClient:
    """Implements `core.client.api.Client`: every call waits until `opener` (run in a thread) gave the real one.

    When it cannot be opened, `failed` is called once with why, and every call raises ClientClosed.
    """

    def __init__(self, opener: Callable[[], Client], failed: Callable[["CannotStart"], None]) -> None:
        self._opener, self._failed = opener, failed
        self._opening: asyncio.Task[Client] | None = None
        self._waiting: list[Callable[[], None]] = []
        self._real: Client | None = None

    async def _client(self) -> Client:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> Client:
        from kiln_tui.cli.failing import CannotStart

        await asyncio.sleep(FIRST_PAINT_S)
        try:
            self._real = await asyncio.to_thread(self._opener)
        except CannotStart as error:
            self._failed(error)
            raise ClientClosed(str(error)) from error
        for callback in self._waiting:
            self._real.subscribe(callback)
        return self._real

    async def shop(self, known_revision: int = -1) -> Shop | None:
        """See `Client`."""
        return await (await self._client()).shop(known_revision)

    async def order(self, intent_id: str) -> OrderDetail | None:
        """See `Client`."""
        return await (await self._client()).order(intent_id)

    async def approval(self, intent_id: str) -> ApprovalSheet | None:
        """See `Client`."""
        return await (await self._client()).approval(intent_id)

    async def outcome(self, run_id: str) -> OutcomeSheet | None:
        """See `Client`."""
        return await (await self._client()).outcome(run_id)

    async def events(self, query: EventFilter) -> tuple[EventRow, ...]:
        """See `Client`."""
        return await (await self._client()).events(query)

    async def causes(self, event_id: str) -> tuple[EventRow, ...]:
        """See `Client`."""
        return await (await self._client()).causes(event_id)

    async def send(self, command: AnyCommand, *, key: str | None = None, who: str = "") -> Result:
        """See `Client`."""
        return await (await self._client()).send(command, key=key, who=who)

    async def drop(self, paths: tuple[Path, ...]) -> tuple[str, ...]:
        """See `Client`."""
        return await (await self._client()).drop(paths)

    async def drops(self) -> tuple[Drop, ...]:
        """See `Client`."""
        return await (await self._client()).drops()

    async def probe(self, address: str, secret: str) -> ProbeView:
        """See `Client`."""
        return await (await self._client()).probe(address, secret)

    async def add_printer(
        self, *, name: str, adapter: str, address: str, model_id: str, secret: str, material: str
    ) -> Result:
        """See `Client`."""
        return await (await self._client()).add_printer(
            name=name, adapter=adapter, address=address, model_id=model_id, secret=secret, material=material
        )

    async def refresh(self, printer_id: str) -> None:
        """See `Client`."""
        await (await self._client()).refresh(printer_id)

    async def models(self) -> tuple[tuple[str, str], ...]:
        """See `Client`."""
        return await (await self._client()).models()

    async def materials(self) -> tuple[str, ...]:
        """See `Client`."""
        return await (await self._client()).materials()

    async def verify(self) -> VerifyReport:
        """See `Client`."""
        return await (await self._client()).verify()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """See `Client`; before the core is open there is nothing to hear of."""
        if self._real is not None:
            return self._real.subscribe(callback)
        self._waiting.append(callback)
        return lambda: self._waiting.remove(callback) if callback in self._waiting else None

    async def close(self) -> None:
        """Wait for an opening that is under way, then stop the core."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self._real is not None:
            await self._real.close()
