"""What the workers of a fleet share, and what each of them gets to see of the ledger."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Protocol

import msgspec

from core.contract import Adapter, SiteClock
from core.controllers.invariants import Brake
from core.controllers.live import LiveStore
from core.domain.objects import Printer, Run
from core.kernel.ports import Artifacts, Clock, Effect, Kernel


class FleetClock(SiteClock, Clock, Protocol):
    """Time for waiting and time for deadlines, of one source."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about one printer."""

    printer: Printer
    run: Run | None = None
    leftovers: tuple[Run, ...] = ()
    effects: tuple[Effect, ...] = ()


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What all workers of a fleet share."""

    kernel: Kernel
    artifacts: Artifacts
    make_adapter: Callable[[Printer], Adapter]
    clock: FleetClock
    live: LiveStore
    pool: Executor
    fresh_rows: Callable[[], Awaitable[None]]
    brake: Brake
    answered: dict[str, str]
    """Effect id to its result, once it was performed or given up by this process: never performed again."""
