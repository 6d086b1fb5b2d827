"""One printer's worker: looks, asks the start protocol for the next step, performs it, and looks again.

It runs on the fleet's event loop and holds nothing that may not be lost: after a failure it begins anew from
the rows. Uploads, the one start, and control calls run beside the looks, so that a slow answer never blinds it.
"""

import asyncio
import logging
import random
from collections.abc import Coroutine
from typing import Any

from core.contract import (
    Adapter,
    AdapterError,
    Link,
    NotPossible,
    Observation,
    Phase,
    Reply,
    ReplyKind,
)
from core.controllers.controls import Controls
from core.controllers.evidence import printer_block
from core.controllers.looks import Look, Looks, facts
from core.controllers.printer_edges import DOWN_MS
from core.controllers.shared import Rows, Shared
from core.controllers.start_protocol import next_step
from core.controllers.steps import (
    DoDelete,
    DoReadBack,
    DoUpload,
    DoWitness,
    Memory,
    SendStart,
    Situation,
    Submit,
    Wait,
    verified,
)
from core.controllers.transfers import KEYED_S, Transfers
from core.domain.commands import (
    AnyCommand,
    Envelope,
    IntendStart,
    NoteAnomaly,
    PrinterSeen,
    Result,
    RunBackToQueue,
    StartReplied,
)
from core.domain.objects import Run
from core.domain.text import clean
from core.domain.words import Actor, Health, RunState
from core.kernel.kernel import KernelStopped, LedgerUnavailable

log = logging.getLogger(__name__)

OBSERVE_S = 6.0
COMMAND_S = 30.0
CLOSE_S = 1.0
HOLD_S = 60.0
MIN_LOOK_GAP_S = 0.2
MAX_BACKOFF_S = 30.0
MAX_STEPS = 24


class InvariantTripped(Exception):
    """The program was about to break a guarantee; nothing was sent."""


class PrinterWorker:
    """Makes one printer agree with the ledger."""

    def __init__(self, shared: Shared, rows: Rows) -> None:
        self.shared = shared
        self.rows = rows
        self.wake = asyncio.Event()
        self._memory = Memory()
        self._looks = Looks()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._look_wanted = self._listed = False
        self._complained = ""

    @property
    def printer_id(self) -> str:
        """The printer."""
        return self.rows.printer.printer_id

    def deliver(self, rows: Rows) -> None:
        """The ledger's newest rows."""
        if rows != self.rows:
            self.rows = rows
            self.wake.set()

    def refresh(self) -> None:
        """Look now."""
        self._look_wanted = True
        self.wake.set()

    async def run_forever(self) -> None:
        """The outermost loop: whatever an adapter does wrong stays with its own printer."""
        failures = 0
        while True:
            begun = self.shared.clock.monotonic()
            try:
                await self._life()
            except Exception as bug:  # noqa: BLE001 - outermost loop of this printer's worker
                if self.shared.clock.monotonic() - begun > 120:
                    failures = 0
                failures += 1
                await self._complain(bug)
            await self._pause(min(60.0, 2.0 ** min(failures, 6)))

    async def _complain(self, bug: Exception) -> None:
        text = clean(f"{type(bug).__name__}: {bug}", 300)
        log.warning("the worker of %s failed and begins anew", self.printer_id, exc_info=bug)
        reason = f"Kiln's own link to this printer failed and begins anew: {text}"
        now = self.shared.clock.monotonic()
        gone = Observation(
            seen_at=now, link=Link.OFFLINE, phase=Phase.OFFLINE, full=False, messages=(reason,)
        )
        self.shared.live.saw(self.printer_id, gone)
        self.shared.live.set_block(self.printer_id, reason)
        if text == self._complained:
            return
        self._complained = text
        printer = self.rows.printer
        moment = self.shared.clock.stamp().mono_ms
        note = NoteAnomaly(subject_kind="printer", subject_id=self.printer_id, text=reason)
        await self._command(note, f"bug:{self.printer_id}:{self.shared.kernel.incarnation}:{moment}")
        if printer.health is Health.OK:
            offline = PrinterSeen(
                printer_id=self.printer_id,
                health=Health.OFFLINE.value,
                reason=reason,
                foreign=printer.foreign,
            )
            await self._command(offline, f"printer:{self.printer_id}:{printer.version}:bug")

    # --- one life of an adapter ------------------------------------------------------------------------

    async def _life(self) -> None:
        self._memory, self._looks = Memory(), Looks()
        self._listed = False
        adapter = self.shared.make_adapter(self.rows.printer)
        shared = self.shared
        transfers = Transfers(adapter, shared.artifacts, shared.pool, shared.clock)
        controls = Controls(adapter, self.shared.answered, self.shared.kernel.incarnation)
        self.shared.live.set_capability(self.printer_id, adapter.capability)
        try:
            self._spawn("hints", self._listen(adapter))
            while True:
                self.wake.clear()
                self._look_wanted = False
                await self._look(adapter)
                await self._find_forgotten(transfers)
                await self._settle(adapter, transfers)
                await self._perform_effects(controls)
                self._raise_failures()
                await self._pause(self._delay(adapter.capability.poll_s))
        finally:
            tasks = [*self._tasks.values(), *controls.tasks.values()]
            self._tasks = {}
            for task in tasks:
                task.cancel()
            self.shared.live.set_upload(self.printer_id, None)
            await asyncio.gather(*tasks, return_exceptions=True)
            await _bounded_close(adapter)

    async def _look(self, adapter: Adapter) -> None:
        """One query, by request and response."""
        at_ms = self.shared.clock.stamp().mono_ms
        hung = False
        try:
            async with asyncio.timeout(OBSERVE_S):
                obs = await adapter.observe()
        except TimeoutError:
            hung = True
            now = self.shared.clock.monotonic()
            obs = Observation(seen_at=now, link=Link.OFFLINE, phase=Phase.OFFLINE, full=False)
        self._looks = self._looks.after(Look(at_ms=at_ms, obs=obs, hung=hung))
        self.shared.live.saw(self.printer_id, obs)

    def _situation(self, adapter: Adapter) -> Situation:
        now, rows = self.shared.clock.stamp(), self.rows
        self._memory.enter(rows.run, rows.printer, self._looks, now.mono_ms)
        return Situation(
            printer=rows.printer,
            run=rows.run,
            leftovers=rows.leftovers,
            looks=self._looks,
            capability=adapter.capability,
            now=now,
            memory=self._memory,
        )

    async def _settle(self, adapter: Adapter, transfers: Transfers) -> None:
        """Perform steps until there is nothing to do with what was seen."""
        for _ in range(MAX_STEPS):
            situation = self._situation(adapter)
            await self._drop_stale_upload()
            step = next_step(situation)
            match step:
                case Wait(reason=reason):
                    self._say(situation, reason)
                    return
                case Submit(command=IntendStart()) if self.shared.brake.reason:
                    self._say(situation, self.shared.brake.reason)
                    return
                case Submit(command=command, key=key):
                    if not await self._submit(command, key):
                        self._say(situation, self._memory.trial(key).why)
                        return
                case DoUpload(run=run):
                    self._memory.upload_begun = self._memory.uploading = True
                    self._memory.read_back = None
                    self._spawn("upload", self._upload(transfers, run))
                case DoReadBack(run=run):
                    await self._read_back(transfers, run)
                case DoWitness(run=run):
                    await self._ask_witness(transfers, run)
                case DoDelete(name=name):
                    await self._delete(transfers, name)
                case SendStart():
                    if not self.shared.brake.release(situation, step):
                        raise InvariantTripped(self.shared.brake.reason)
                    # Marked as sent before anything can go wrong: whatever happens now, it is never sent again.
                    self._memory.unsent = False
                    self._memory.sent = self._memory.in_flight = True
                    self._spawn("start", self._start(adapter, step))

    def _say(self, situation: Situation, reason: str) -> None:
        run = situation.run
        if run is None:
            reason = printer_block(situation)
        elif run.state is RunState.PRINTING and reason == "Printing":
            reason = ""
        self.shared.live.set_block(self.printer_id, reason)

    async def _submit(self, command: AnyCommand, key: str) -> bool:
        now_ms = self.shared.clock.stamp().mono_ms
        if now_ms < self._memory.trial(key).retry_ms:
            return False
        result = await self._command(command, key)
        if result is None or not result.ok:
            refusal = result.refusal if result is not None else None
            why = " ".join(refusal.reasons) if refusal is not None else "The ledger does not answer."
            self._memory.failed(key, clean(why, 300), now_ms)
            await self._fresh()
            return False
        match command:
            case IntendStart():
                # A repeated result is somebody else's intent, maybe of a former life: never send on it.
                self._memory.unsent = not result.repeated
            case StartReplied():
                self._memory.reply = None
            case NoteAnomaly():
                self._memory.noted.add(key)
            case RunBackToQueue(evidence=evidence):
                until = self.shared.clock.monotonic() + HOLD_S
                self.shared.live.hold(self.printer_id, until, evidence)
        await self._fresh()
        return True

    async def _command(self, command: AnyCommand, key: str) -> Result | None:
        envelope = Envelope(key=key, body=command, actor=Actor.CONTROLLER, who=self.rows.printer.name)
        try:
            async with asyncio.timeout(COMMAND_S):
                return await self.shared.kernel.submit_async(envelope)
        except (TimeoutError, KernelStopped, LedgerUnavailable) as error:
            log.warning("a command of %s was not carried out: %r", self.printer_id, error)
            return None

    async def _fresh(self) -> None:
        await self.shared.fresh_rows()
        self.wake.clear()

    # --- what steps ask for ----------------------------------------------------------------------------

    async def _read_back(self, transfers: Transfers, run: Run) -> None:
        try:
            back = await transfers.read_back(run)
        except (AdapterError, TimeoutError, OSError) as error:
            self._failed("read_back", error)
            return
        self._memory.read_back = back
        self._memory.tries.pop("read_back", None)
        if not verified(run, back):
            self._memory.uploaded = False
            self._failed("upload", AdapterError("what the printer holds is not what was sent"))

    async def _ask_witness(self, transfers: Transfers, run: Run) -> None:
        try:
            self._memory.witness = await transfers.witness(run)
        except (AdapterError, TimeoutError) as error:
            self._failed("witness", error)

    async def _find_forgotten(self, transfers: Transfers) -> None:
        """Once in a life: what a former one owed (`Memory.owed`) and did not live to remove."""
        now_ms = self.shared.clock.stamp().mono_ms
        if self._listed or self._looks.evidence is None or now_ms < self._memory.trial("list").retry_ms:
            return
        try:
            self._memory.owed |= await transfers.forgotten(self.shared.kernel.reader.run)
        except (AdapterError, TimeoutError) as error:
            self._failed("list", error)
            self._listed = isinstance(error, NotPossible)
        else:
            self._listed = True

    async def _delete(self, transfers: Transfers, name: str) -> None:
        try:
            await transfers.remove(name)
        except (AdapterError, TimeoutError) as error:
            self._failed(f"delete:{name}", error)
            return
        self._memory.gone[name] = self.shared.clock.stamp().mono_ms

    async def _upload(self, transfers: Transfers, run: Run) -> None:
        memory = self._memory
        try:
            await transfers.upload(run, lambda part: self.shared.live.set_upload(self.printer_id, part))
        except (AdapterError, TimeoutError, OSError) as error:
            if memory.name == run.remote_name:
                self._failed("upload", error)
        else:
            if memory.name == run.remote_name:
                memory.uploaded = True
        finally:
            if memory.name == run.remote_name:
                memory.uploading = False
            self.shared.live.set_upload(self.printer_id, None)
            self.wake.set()

    async def _drop_stale_upload(self) -> None:
        """An attempt that was ended or given back must not go on arriving while its file is removed."""
        if self._memory.uploading:
            return
        task = self._tasks.pop("upload", None)
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=KEYED_S)

    async def _start(self, adapter: Adapter, step: SendStart) -> None:
        run = self.rows.run
        left_ms = 1000
        if run is not None and run.deadline is not None:
            left_ms = max(left_ms, run.deadline.mono_ms - self.shared.clock.stamp().mono_ms)
        try:
            async with asyncio.timeout(left_ms / 1000):
                reply = await adapter.start(step.name, step.nonce)
        except TimeoutError:
            reply = Reply(kind=ReplyKind.NO_REPLY, detail="no answer within the grace time")
        if self._memory.name == step.name:
            self._memory.in_flight = False
            self._memory.reply = reply
        self.wake.set()

    async def _perform_effects(self, controls: Controls) -> None:
        now_ms = self.shared.clock.stamp().mono_ms
        rows = self.rows
        for done, note in controls.next_answers(rows.effects, rows.run, self._looks, now_ms, self.wake):
            if note is not None:
                await self._submit(note, f"effect-note:{done.effect_id}")
            await self._submit(done, f"effect:{done.effect_id}")

    async def _listen(self, adapter: Adapter) -> None:
        """Hints wake the loop when they show something new; they are never evidence."""
        pause, former = 1.0, ("", "")
        while True:
            try:
                async for hint in adapter.hints():
                    shown = facts(hint)[:2]
                    if shown != former:
                        self.wake.set()
                    pause, former = 1.0, shown
            except AdapterError as error:
                log.debug("no hints from %s: %s", self.printer_id, error)
            await self.shared.clock.sleep(pause)
            pause = min(60.0, pause * 2)

    # --- helpers ---------------------------------------------------------------------------------------

    def _failed(self, what: str, error: Exception) -> None:
        why = str(error) or "it did not answer in time"
        self._memory.failed(what, clean(why, 200), self.shared.clock.stamp().mono_ms)

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        old = self._tasks.pop(name, None)
        if old is not None:
            old.cancel()
        task = asyncio.get_running_loop().create_task(work, name=f"{name} {self.printer_id}")
        task.add_done_callback(lambda _: self.wake.set())
        self._tasks[name] = task

    def _raise_failures(self) -> None:
        for task in self._tasks.values():
            if task.done() and not task.cancelled():
                bug = task.exception()
                if bug is not None:
                    raise bug

    def _delay(self, poll_s: float) -> float:
        """Seconds to the next look: steady while it answers, and until it counts as offline; then a third of
        the time it has been away, at most half a minute, with jitter."""
        if self._looks.down_since_ms is None:
            return poll_s
        away = (self.shared.clock.stamp().mono_ms - self._looks.down_since_ms) / 1000
        if away <= DOWN_MS / 1000:
            return max(poll_s, 1.0)
        return min(MAX_BACKOFF_S, max(2.0, away / 3)) * random.uniform(0.8, 1.2)

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until something wakes us; never shorter than the gap between two looks."""
        await self.shared.clock.sleep(MIN_LOOK_GAP_S)
        rest = max(0.0, seconds - MIN_LOOK_GAP_S)
        if self.wake.is_set() or self._look_wanted:
            return
        sleeping = asyncio.ensure_future(self.shared.clock.sleep(rest))
        waking = asyncio.ensure_future(self.wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()


async def _bounded_close(adapter: Adapter) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await adapter.close()
    except (AdapterError, TimeoutError, OSError) as error:
        log.debug("closing a link failed: %s", error)
