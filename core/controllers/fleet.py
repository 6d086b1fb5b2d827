"""The fleet: one thread with one event loop for all printers, one worker per printer.

Rows are read in one place, one snapshot after the other, so that no worker ever sees an older row after a newer
one, and two hundred printers do not mean two hundred queries.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from core.contract import Adapter
from core.controllers.controls import KINDS
from core.controllers.invariants import Brake
from core.controllers.live import LiveStore
from core.controllers.shared import FleetClock, Rows, Shared
from core.controllers.worker import PrinterWorker
from core.domain.commands import AbortRun, Envelope, SetAsideEffect
from core.domain.objects import Printer, Run
from core.domain.words import Actor, RunState
from core.kernel.ports import Artifacts, Effect, Kernel

log = logging.getLogger(__name__)

SAFETY_NET_S = 5.0
"""The rows are read again after so long even when nobody said that they changed."""
ROWS_S = 30.0
STOP_S = 3.0

_NOT_STARTED = (RunState.QUEUED, RunState.CLAIMED, RunState.UPLOADED)


class Fleet:
    """Starts, feeds and stops the workers."""

    def __init__(
        self,
        kernel: Kernel,
        artifacts: Artifacts,
        make_adapter: Callable[[Printer], Adapter],
        clock: FleetClock,
        live: LiveStore,
    ) -> None:
        self._kernel = kernel
        self._live = live
        self._rows_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fleet-rows")
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="fleet-files")
        self._shared = Shared(
            kernel=kernel,
            artifacts=artifacts,
            make_adapter=make_adapter,
            clock=clock,
            live=live,
            pool=self._pool,
            fresh_rows=self._fresh_rows,
            brake=Brake(),
            answered={},
        )
        self._workers: dict[str, PrinterWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main_task: asyncio.Task[None] | None = None
        self._dirty = asyncio.Event()
        self._delivered = asyncio.Condition()
        self._begun = self._done = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    def start(self) -> None:
        """Begin to work; answers when the loop runs."""
        self._thread.start()
        self._ready.wait(timeout=10)

    def stop(self) -> None:
        """End all workers and links within 3 s. Nothing is lost: a later start goes on from the rows."""
        loop, task = self._loop, self._main_task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(task.cancel)
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
        for pool in (self._pool, self._rows_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    @property
    def stopped_starts(self) -> str:
        """Why nothing is started any more because a guarantee was about to be broken; '' while all is well."""
        return self._shared.brake.reason

    def refresh(self, printer_id: str) -> None:
        """Look at this printer now; safe from any thread."""
        self._call_soon(lambda: self._refresh(printer_id))

    def _refresh(self, printer_id: str) -> None:
        worker = self._workers.get(printer_id)
        if worker is not None:
            worker.refresh()

    def _call_soon(self, action: Callable[[], object]) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                loop.call_soon_threadsafe(action)

    # --- the fleet's thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main_task = asyncio.current_task()
        unsubscribe = self._kernel.on_change(lambda _: self._call_soon(self._dirty.set))
        self._dirty.set()
        self._ready.set()
        try:
            while True:
                # asyncio.timeout and not wait_for, which may swallow a cancellation that comes at the same moment
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SAFETY_NET_S):
                        await self._dirty.wait()
                try:
                    await self._snapshot()
                except Exception:
                    # Outermost loop of the fleet: without rows nothing starts, and looks go on.
                    log.exception("the ledger's rows could not be read")
                    await asyncio.sleep(1.0)
        finally:
            unsubscribe()
            await self._end(tuple(self._tasks.values()))

    async def _snapshot(self) -> None:
        self._dirty.clear()
        self._begun += 1
        number = self._begun
        loop = asyncio.get_running_loop()
        printers, runs, effects = await loop.run_in_executor(self._rows_pool, self._read)
        await self._distribute(printers, runs, effects)
        self._done = number
        async with self._delivered:
            self._delivered.notify_all()
        await self._aborts(runs, effects)

    def _read(self) -> tuple[tuple[Printer, ...], tuple[Run, ...], tuple[Effect, ...]]:
        reader = self._kernel.reader
        return reader.printers(), reader.runs_live(), reader.effects_pending(KINDS)

    async def _fresh_rows(self) -> None:
        """Wait for rows that were read after this call."""
        wanted = self._begun + 1
        self._dirty.set()
        async with self._delivered:
            async with asyncio.timeout(ROWS_S):
                await self._delivered.wait_for(lambda: self._done >= wanted)

    async def _distribute(
        self, printers: tuple[Printer, ...], runs: tuple[Run, ...], effects: tuple[Effect, ...]
    ) -> None:
        rows = rows_by_printer(printers, runs, effects)
        for printer_id in set(self._workers) - set(rows):
            await self._end((self._tasks.pop(printer_id),))
            del self._workers[printer_id]
            self._live.forget(printer_id)
        for printer_id, mine in rows.items():
            worker = self._workers.get(printer_id)
            if worker is not None:
                worker.deliver(mine)
                continue
            worker = PrinterWorker(self._shared, mine)
            self._workers[printer_id] = worker
            self._tasks[printer_id] = asyncio.create_task(worker.run_forever(), name=f"printer {printer_id}")

    async def _end(self, tasks: tuple[asyncio.Task[None], ...]) -> None:
        """Cancel until they end: a library under an adapter may swallow the first one."""
        pending = set(tasks)
        for _ in range(5):
            for task in pending:
                task.cancel()
            if pending:
                _, pending = await asyncio.wait(pending, timeout=0.5)
        if pending:
            log.warning("%d printer workers did not end in time", len(pending))

    async def _aborts(self, runs: tuple[Run, ...], effects: tuple[Effect, ...]) -> None:
        """A cancel that was asked for while the start was unclear, of an attempt that turned out not to have
        started: the attempt ends now instead of going round again."""
        by_id = {run.run_id: run for run in runs}
        for effect in effects:
            run = by_id.get(effect.subject_id)
            if effect.kind != "cancel" or run is None or run.state not in _NOT_STARTED:
                continue
            abort = AbortRun(run_id=run.run_id)
            await self._submit(f"abort:{effect.effect_id}", abort)
            done = SetAsideEffect(effect_id=effect.effect_id, result="aborted before any start")
            await self._submit(f"effect:{effect.effect_id}", done)

    async def _submit(self, key: str, body: AbortRun | SetAsideEffect) -> None:
        envelope = Envelope(key=key, body=body, actor=Actor.CONTROLLER, who="fleet")
        async with asyncio.timeout(ROWS_S):
            await self._kernel.submit_async(envelope)


def rows_by_printer(
    printers: tuple[Printer, ...], runs: tuple[Run, ...], effects: tuple[Effect, ...]
) -> dict[str, Rows]:
    """What each printer's worker needs of one moment's rows (pure)."""
    active: dict[str, Run] = {}
    leftovers: dict[str, list[Run]] = {}
    for run in runs:
        if run.printer_id is None:
            continue
        if run.state.active:
            active[run.printer_id] = run
        elif run.state.terminal and run.remote_name and not run.remote_deleted:
            leftovers.setdefault(run.printer_id, []).append(run)
    printer_of = {run.run_id: run.printer_id for run in runs}
    wishes: dict[str, list[Effect]] = {}
    for effect in effects:
        printer_id = printer_of.get(effect.subject_id)
        if printer_id is not None:
            wishes.setdefault(printer_id, []).append(effect)
    return {
        printer.printer_id: Rows(
            printer=printer,
            run=active.get(printer.printer_id),
            leftovers=tuple(leftovers.get(printer.printer_id, ())),
            effects=tuple(wishes.get(printer.printer_id, ())),
        )
        for printer in printers
    }
