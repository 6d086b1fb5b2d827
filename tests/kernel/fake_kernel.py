"""A kernel in memory that enforces the order of the start protocol; for quick tests of controllers only.

The guarantees themselves (durability, replay, idempotency over restarts) are tested on the real kernel.
"""

import threading
from collections.abc import Callable

from msgspec.structs import replace

from core.domain import commands as c
from core.domain.objects import Deadline, Permit, Printer, Run
from core.domain.words import Bed, Health, RunState
from core.kernel.ports import Effect, Stamp

S = RunState
WINDOW = (S.INTENDED, S.CONFIRMING, S.FENCING)


class Refused(Exception):
    pass


class FakeLedger:
    """Rows, and what each command may do to them."""

    def __init__(self, now: Callable[[], Stamp]) -> None:
        self.now = now
        self.runs: dict[str, Run] = {}
        self.printers: dict[str, Printer] = {}
        self.effects: dict[str, Effect] = {}
        self.set_aside: dict[str, str] = {}
        self.anomalies: list[str] = []
        self.log: list[c.AnyCommand] = []
        self.permits = 0

    # --- set-up ----------------------------------------------------------------------------------------

    def add_printer(self, printer_id: str = "p1", **fields: object) -> Printer:
        printer = Printer(
            printer_id=printer_id,
            version=1,
            name=printer_id,
            adapter="fake",
            address="",
            model_id="generic_220",
        )
        self.printers[printer_id] = replace(printer, **fields)
        return self.printers[printer_id]

    def queue(self, run_id: str = "run_a", **fields: object) -> Run:
        run = Run(
            run_id=run_id,
            version=1,
            plate_id=f"plate_{run_id}",
            state=S.QUEUED,
            intent_ids=("intent_a",),
            number=len(self.runs) + 1,
            queued_at=len(self.runs),
            gcode_sha256="ab" * 32,
            gcode_size=100,
        )
        self.runs[run_id] = replace(run, **fields)
        return self.runs[run_id]

    def clear_bed(self, printer_id: str = "p1") -> Permit:
        self.permits += 1
        permit = Permit(permit_id=f"permit_{self.permits}", given_at=self.now().wall_s, given_by="test")
        self._printer(printer_id, permit=permit, bed=Bed.CLEAR)
        return permit

    def wish(self, kind: str, run_id: str, incarnation: str) -> Effect:
        effect = Effect(
            effect_id=f"effect_{len(self.effects) + len(self.set_aside) + 1}",
            kind=kind,
            subject_kind="run",
            subject_id=run_id,
            incarnation=incarnation,
        )
        self.effects[effect.effect_id] = effect
        return effect

    # --- commands --------------------------------------------------------------------------------------

    def apply(self, command: c.AnyCommand) -> None:
        self.log.append(command)
        handler = getattr(self, "_do_" + type(command).__name__)
        handler(command)

    def _run(self, run_id: str, *allowed: RunState) -> Run:
        run = self.runs[run_id]
        if run.state not in allowed:
            raise Refused(f"the attempt is {run.state.value}")
        return run

    def _set(self, run: Run, **fields: object) -> None:
        self.runs[run.run_id] = replace(run, version=run.version + 1, **fields)

    def _printer(self, printer_id: str, **fields: object) -> None:
        printer = self.printers[printer_id]
        self.printers[printer_id] = replace(printer, version=printer.version + 1, **fields)

    def _do_ClaimRun(self, body: c.ClaimRun) -> None:  # noqa: N802 - named after the command
        run = self._run(body.run_id, S.QUEUED)
        if any(r.printer_id == body.printer_id and r.state.active for r in self.runs.values()):
            raise Refused("the printer has an active attempt")
        attempt = run.attempt + 1
        self._set(
            run,
            state=S.CLAIMED,
            printer_id=body.printer_id,
            attempt=attempt,
            remote_name=f"k_{run.run_id}_{attempt}_n{attempt}.gcode",
            nonce=f"n{attempt}",
            baseline=None,
            deadline=None,
            printer_job=None,
            remote_deleted=False,
        )

    def _do_RunUploaded(self, body: c.RunUploaded) -> None:  # noqa: N802 - as above
        run = self._run(body.run_id, S.CLAIMED)
        if body.remote_name != run.remote_name or body.size != run.gcode_size:
            raise Refused("another file")
        self._set(run, state=S.UPLOADED)

    def _do_IntendStart(self, body: c.IntendStart) -> None:  # noqa: N802 - as above
        run = self._run(body.run_id, S.UPLOADED)
        assert run.printer_id is not None
        permit = self.printers[run.printer_id].permit
        if permit is None or permit.permit_id != body.permit_id or permit.signature != body.baseline:
            raise Refused("no permit")
        now = self.now()
        self._printer(run.printer_id, permit=None, bed=Bed.OCCUPIED)
        self._set(
            run,
            state=S.INTENDED,
            permit_id=body.permit_id,
            baseline=body.baseline,
            deadline=Deadline(mono_ms=now.mono_ms + body.grace_ms, boot_id=now.boot_id),
        )

    def _do_StartReplied(self, body: c.StartReplied) -> None:  # noqa: N802 - as above
        run = self.runs[body.run_id]
        self._set(run, state=S.CONFIRMING if run.state is S.INTENDED else run.state, reply=body.reply)

    def _do_RunSeen(self, body: c.RunSeen) -> None:  # noqa: N802 - as above
        run = self._run(body.run_id, S.UPLOADED, *WINDOW, S.PRINTING, S.PAUSED)
        state = S.PAUSED if body.phase == "paused" else S.PRINTING
        first = run.state not in (S.PRINTING, S.PAUSED)
        if not first and state is run.state:
            raise Refused("nothing new")
        bound = {"printer_job": body.printer_job, "printer_snapshot": body.snapshot} if first else {}
        self._set(run, state=state, **bound)

    def _do_RunEnded(self, body: c.RunEnded) -> None:  # noqa: N802 - as above
        run = self._run(body.run_id, S.UPLOADED, *WINDOW, S.PRINTING, S.PAUSED)
        self._set(run, state=S(body.result), reason=body.reason, reason_text=body.text)

    def _do_FenceRun(self, body: c.FenceRun) -> None:  # noqa: N802 - as above
        self._set(self._run(body.run_id, S.INTENDED, S.CONFIRMING), state=S.FENCING)

    def _do_FenceHeld(self, body: c.FenceHeld) -> None:  # noqa: N802 - as above
        run = self._run(body.run_id, S.FENCING)
        if run.attempt >= 3:
            self._set(run, state=S.NEEDS_DECISION, question="three attempts")
        else:
            self._set(run, state=S.QUEUED, printer_id=None, baseline=None, deadline=None)

    def _do_AskAboutRun(self, body: c.AskAboutRun) -> None:  # noqa: N802 - as above
        run = self._run(body.run_id, S.CLAIMED, S.UPLOADED, *WINDOW, S.PRINTING, S.PAUSED)
        self._set(run, state=S.NEEDS_DECISION, question=body.question)

    def _do_RunBackToQueue(self, body: c.RunBackToQueue) -> None:  # noqa: N802 - as above
        self._set(self._run(body.run_id, S.CLAIMED, S.UPLOADED), state=S.QUEUED, printer_id=None)

    def _do_RemoteDeleted(self, body: c.RemoteDeleted) -> None:  # noqa: N802 - as above
        self._set(self._run(body.run_id, S.COMPLETED, S.FAILED, S.ABORTED), remote_deleted=True)

    def _do_AbortRun(self, body: c.AbortRun) -> None:  # noqa: N802 - as above
        run = self._run(body.run_id, S.QUEUED, S.CLAIMED, S.UPLOADED)
        self._set(run, state=S.ABORTED, reason=body.reason)

    def _do_BindPermit(self, body: c.BindPermit) -> None:  # noqa: N802 - as above
        permit = self.printers[body.printer_id].permit
        if permit is None or permit.permit_id != body.permit_id or permit.signature is not None:
            raise Refused("no such unbound permit")
        self._printer(body.printer_id, permit=replace(permit, signature=body.signature))

    def _do_RevokePermit(self, body: c.RevokePermit) -> None:  # noqa: N802 - as above
        permit = self.printers[body.printer_id].permit
        if permit is None or permit.permit_id != body.permit_id:
            raise Refused("no such permit")
        self._printer(body.printer_id, permit=None, bed=Bed.UNKNOWN)

    def _do_PrinterSeen(self, body: c.PrinterSeen) -> None:  # noqa: N802 - as above
        self._printer(
            body.printer_id, health=Health(body.health), health_reason=body.reason, foreign=body.foreign
        )

    def _do_SetAsideEffect(self, body: c.SetAsideEffect) -> None:  # noqa: N802 - as above
        if self.effects.pop(body.effect_id, None) is None:
            raise Refused("no such effect")
        self.set_aside[body.effect_id] = body.result

    def _do_NoteAnomaly(self, body: c.NoteAnomaly) -> None:  # noqa: N802 - as above
        self.anomalies.append(body.text)

    # --- rows ------------------------------------------------------------------------------------------

    def rows(self, printer_id: str = "p1") -> tuple[Printer, Run | None, tuple[Run, ...]]:
        """What a worker of this printer gets to see."""
        mine = [r for r in self.runs.values() if r.printer_id == printer_id]
        active = next((r for r in mine if r.state.active), None)
        left = tuple(r for r in mine if r.state.terminal and r.remote_name and not r.remote_deleted)
        return self.printers[printer_id], active, left


class FakeReader:
    """The few queries that controllers make."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger

    def printers(self) -> tuple[Printer, ...]:
        return tuple(p for p in self.ledger.printers.values() if not p.removed)

    def runs_live(self) -> tuple[Run, ...]:
        return tuple(r for r in self.ledger.runs.values() if not (r.state.terminal and r.remote_deleted))

    def run(self, run_id: str) -> Run | None:
        return self.ledger.runs.get(run_id)

    def effects_pending(self, kinds: tuple[str, ...]) -> tuple[Effect, ...]:
        return tuple(e for e in self.ledger.effects.values() if e.kind in kinds)


class FakeKernel:
    """`core.kernel.ports.Kernel` for the fleet, over a FakeLedger."""

    def __init__(self, ledger: FakeLedger, incarnation: str = "life_1") -> None:
        self.ledger = ledger
        self.incarnation = incarnation
        self.reader = FakeReader(ledger)
        self.keys: dict[str, tuple[c.AnyCommand, c.Result]] = {}
        self.callbacks: list[Callable[[tuple[str, ...]], None]] = []
        self.lock = threading.Lock()
        self.lose_answer_of: type | None = None

    def submit(self, envelope: c.Envelope, timeout: float = 30.0) -> c.Result:
        with self.lock:
            known = self.keys.get(envelope.key)
            if known is not None:
                if known[0] != envelope.body:
                    return c.Result(refusal=c.Refusal(code="key_reused", reasons=("other body",)))
                return c.Result(event_ids=known[1].event_ids, repeated=True)
            try:
                self.ledger.apply(envelope.body)
            except Refused as refused:
                return c.Result(refusal=c.Refusal(code="order", reasons=(str(refused),)))
            result = c.Result(event_ids=(f"event_{len(self.keys)}",))
            self.keys[envelope.key] = (envelope.body, result)
        self.changed()
        if self.lose_answer_of is not None and isinstance(envelope.body, self.lose_answer_of):
            self.lose_answer_of = None
            raise TimeoutError
        return result

    async def submit_async(self, envelope: c.Envelope) -> c.Result:
        return self.submit(envelope)

    def changed(self) -> None:
        for callback in list(self.callbacks):
            callback(("Something",))

    def on_change(self, callback: Callable[[tuple[str, ...]], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)
