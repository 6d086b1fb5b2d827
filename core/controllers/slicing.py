"""The slicing controller: prepares Build Plans for approval and makes the G-code of Plates.

One thread takes the effects of the kind ``prepare`` from the ledger, another one those of the kind ``slice``, oldest
first: preparing takes milliseconds and somebody waits for it, slicing takes minutes. Each effect is answered with a
command that carries its key; both threads restart from the rows alone.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.client.views import SliceProgress
from core.controllers.slice_store import SliceStore
from core.controllers.slice_work import Bench, NoSlice, Product, not_as_checked
from core.domain import commands as cmd
from core.domain.objects import LineItem, Plan, Plate
from core.domain.words import Actor, PlanState, PlateState
from core.kernel.kernel import KernelStopped, LedgerUnavailable
from core.kernel.ports import Artifacts, Effect, Kernel

log = logging.getLogger(__name__)

_IDLE_S = 1.0
_UNWRITTEN_S = 5.0
"""Between two tries while the ledger can't be written: the effect stands in it and is taken up again."""


class SlicingController:
    """Runs the real slicer for the kernel. `on_progress` is called from the slicing thread."""

    def __init__(
        self,
        kernel: Kernel,
        artifacts: Artifacts,
        bench: Bench,
        store: SliceStore,
        work: Path,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._kernel, self._artifacts, self._bench, self._store = kernel, artifacts, bench, store
        self._work, self._on_progress = work, on_progress
        self._stop, self._cancel = threading.Event(), threading.Event()
        self._progress: SliceProgress | None = None
        self._since = 0.0
        self._wakes: list[threading.Event] = []
        self._threads = [self._worker("prepare", self._prepare), self._worker("slice", self._slice)]
        self._forget = kernel.on_change(self._changed)

    def start(self) -> None:
        """Begin to work off what waits."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Cancel a slice under way (it is made anew after the next start) and end."""
        self._forget()
        self._stop.set()
        self._cancel.set()
        for wake in self._wakes:
            wake.set()
        ends = time.monotonic() + 10
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, ends - time.monotonic()))

    def progress(self) -> tuple[SliceProgress, ...]:
        """The slice under way."""
        now = self._progress
        if now is None:
            return ()
        return (msgspec.structs.replace(now, seconds=time.monotonic() - self._since),)

    def _changed(self, types: tuple[str, ...]) -> None:
        for wake in self._wakes:
            wake.set()
        now = self._progress
        if "PlateVoided" in types and now is not None:
            threading.Thread(target=self._cancel_if_void, args=(now.plate_id,), daemon=True).start()

    def _cancel_if_void(self, plate_id: str) -> None:
        plate = self._kernel.reader.plate(plate_id)
        if plate is None or plate.state is PlateState.VOID:
            self._cancel.set()

    def _worker(self, kind: str, perform: Callable[[Effect], None]) -> threading.Thread:
        wake = threading.Event()
        self._wakes.append(wake)
        words = (kind, perform, wake)
        return threading.Thread(target=self._forever, args=words, name=f"slicing-{kind}", daemon=True)

    def _forever(self, kind: str, perform: Callable[[Effect], None], wake: threading.Event) -> None:
        while not self._stop.is_set():
            wake.clear()
            effects = self._kernel.reader.effects_pending((kind,))
            for effect in effects[:1]:
                try:
                    self._perform(effect, perform)
                except (KernelStopped, LedgerUnavailable, TimeoutError) as error:
                    log.warning("what became of %s could not be written down: %r", effect.subject_id, error)
                    self._stop.wait(_UNWRITTEN_S)
            if not effects:
                wake.wait(_IDLE_S)

    def _perform(self, effect: Effect, perform: Callable[[Effect], None]) -> None:
        try:
            perform(effect)
        except (KernelStopped, LedgerUnavailable, TimeoutError):
            raise
        except Exception as error:
            # the outermost loop of this worker: a fault with one Plate must not stop all others
            log.exception("the effect %s %s failed", effect.kind, effect.subject_id)
            self._give_up(effect, f"{type(error).__name__}: {error}")

    def _give_up(self, effect: Effect, what: str) -> None:
        if self._stop.is_set():
            return
        if effect.kind == "prepare":
            command: cmd.AnyCommand = cmd.PlanReady(
                plan_id=effect.subject_id, problem=f"Preparing this Build Plan failed: {what}"
            )
        else:
            command = cmd.SliceFailed(
                plate_id=effect.subject_id, key="", code="SLICER_FAILED", message=f"Slicing failed: {what}"
            )
        self._answer(effect, command)

    def _answer(self, effect: Effect, command: cmd.AnyCommand) -> None:
        envelope = cmd.Envelope(
            key=f"fx:{effect.effect_id}", body=command, actor=Actor.CONTROLLER, who="slicing"
        )
        result = self._kernel.submit(envelope)
        if not result.ok:
            aside = cmd.SetAsideEffect(effect_id=effect.effect_id, result="refused")
            key = f"aside:{effect.effect_id}"
            self._kernel.submit(cmd.Envelope(key=key, body=aside, actor=Actor.CONTROLLER, who="slicing"))

    def _prepare(self, effect: Effect) -> None:
        reader = self._kernel.reader
        plan = reader.plan(effect.subject_id)
        intent = reader.intent(plan.intent_id) if plan else None
        if plan is None or intent is None or plan.state is not PlanState.DRAFT:
            self._answer(effect, cmd.SetAsideEffect(effect_id=effect.effect_id, result="moot"))
            return
        item = next(i for i in intent.items if i.item_id == plan.item_id)
        wanted = effect.args.get("model_id")
        printers = reader.printers()
        if plan.kind == "gcode":
            ready = self._bench.prepare_gcode(plan, printers, wanted)
        else:
            ready = self._bench.prepare_model(plan, item, printers, wanted)
        self._answer(effect, msgspec.structs.replace(ready, effect_id=effect.effect_id))

    def _slice(self, effect: Effect) -> None:
        reader = self._kernel.reader
        plate = reader.plate(effect.subject_id)
        if plate is None or plate.state is not PlateState.DRAFT:
            self._answer(effect, cmd.SetAsideEffect(effect_id=effect.effect_id, result="moot"))
            return
        plans = {i.plan_id: p for i in plate.items if (p := reader.plan(i.plan_id)) is not None}
        lines = self._lines(plate)
        self._cancel.clear()
        if self._stop.is_set():
            return
        self._since = time.monotonic()
        folder = self._work / f"plate-{plate.plate_id}"
        try:
            self._show(plate, 0, "preparing")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700, parents=True)
            found = self._make(effect, plate, plans, lines, folder)
            if found is not None and not self._stop.is_set():
                self._answer(effect, found)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self._progress = None
            self._on_progress()

    def _lines(self, plate: Plate) -> dict[str, LineItem]:
        lines: dict[str, LineItem] = {}
        for intent_id in plate.intent_ids:
            intent = self._kernel.reader.intent(intent_id)
            lines.update({item.item_id: item for item in (intent.items if intent else ())})
        return lines

    def _make(
        self,
        effect: Effect,
        plate: Plate,
        plans: dict[str, Plan],
        lines: dict[str, LineItem],
        folder: Path,
    ) -> cmd.AnyCommand | None:
        """The command that answers a slice effect; None when the Plate was split and this effect goes on."""
        fitted = self._bench.arrange(plate, plans)
        if isinstance(fitted, NoSlice):
            return self._failed(plate, fitted)
        if len(fitted) > 1:
            keep, *rest = [tuple(p.item_id for p in layout.placements) for layout in fitted]
            split = cmd.SplitPlate(plate_id=plate.plate_id, keep=keep, rest=tuple(rest))
            envelope = cmd.Envelope(
                key=f"split:{effect.effect_id}", body=split, actor=Actor.CONTROLLER, who="slicing"
            )
            self._kernel.submit(envelope)
            return None
        job = self._bench.plan_slice(plate, plans, lines, fitted[0], folder)
        if isinstance(job, NoSlice):
            return self._failed(plate, job)
        known = self._store.get(job.key)
        if known is None:
            made = self._bench.run(job, self._cancel, lambda pct, text: self._show(plate, pct, text))
            if isinstance(made, NoSlice):
                return self._failed(plate, made)
            known = self._keep(job.key, made)
        if known.gate.sha256 != known.gcode.sha256:
            return self._failed(plate, not_as_checked(job.key))
        return cmd.SliceDone(
            plate_id=plate.plate_id,
            key=job.key,
            gcode=known.gcode,
            gate=known.gate,
            layout=job.layout,
            warnings=known.warnings,
            seconds=known.seconds,
        )

    def _keep(self, key: str, made: Product) -> "cmd.SliceDone":
        gcode = self._artifacts.put(made.path, "text/x.gcode", f"{made.name}.gcode", move=True)
        report = self._artifacts.put_bytes(made.report, "application/json", "gcode-report.json")
        done = cmd.SliceDone(
            plate_id="",
            key=key,
            gcode=gcode,
            gate=msgspec.structs.replace(made.gate, report=report),
            warnings=made.warnings,
            seconds=round(made.seconds),
        )
        if done.gate.sha256 == gcode.sha256:
            self._store.put(key, done)
        return done

    def _failed(self, plate: Plate, why: NoSlice) -> cmd.SliceFailed:
        return cmd.SliceFailed(plate_id=plate.plate_id, key=why.key, code=why.code, message=why.message)

    def _show(self, plate: Plate, percent: int, text: str) -> None:
        self._progress = SliceProgress(
            plate_id=plate.plate_id, percent=percent, text=text, seconds=time.monotonic() - self._since
        )
        self._on_progress()
