"""Which queued attempt goes to which printer, and the one reason why another one does not start yet.

`propose` decides (pure); `Dispatcher` is the thread that submits the claims. The kernel has the last word: a
claim that it refuses becomes the visible reason.
"""

import logging
import threading
from collections.abc import Mapping

import msgspec

from core.contract import Link, Phase, SiteClock
from core.controllers.live import LivePrinter, LiveStore
from core.domain.commands import ClaimRun, Envelope
from core.domain.objects import Intent, LineItem, Plan, Plate, Printer, Run
from core.domain.words import Actor, Health, RunState
from core.kernel.ports import Kernel

log = logging.getLogger(__name__)

FRESH_S = 10.0
"""A printer that was not seen for so long is given nothing."""
EVERY_S = 1.0
AT_MOST_EVERY_S = 0.1
REFUSED_S = 5.0
"""A claim that was refused is not tried again for so long."""

Refused = Mapping[tuple[str, str], str]
"""(run id, printer id) to the kernel's reason for a claim refused a moment ago."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """This attempt to this printer, and why."""

    run_id: str
    printer_id: str
    why: str


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a Plate asks of a printer; `models` is None where nobody knows."""

    models: tuple[str, ...] | None
    material: str | None = None
    color: str | None = None
    due_at: int | None = None
    problem: str = ""


class _Miss(msgspec.Struct, frozen=True):
    """Why a printer does not take an attempt; the higher the rank, the nearer it is to taking it."""

    rank: int
    reason: str


def propose(
    runs: tuple[Run, ...],
    printers: tuple[Printer, ...],
    live: Mapping[str, LivePrinter],
    plates: Mapping[str, Plate],
    intents: Mapping[str, Intent],
    plans: Mapping[str, Plan],
    now: float,
    refused: Refused | None = None,
) -> tuple[tuple[Assignment, ...], dict[str, str]]:
    """Assignments, and for every other queued attempt the first reason against it.

    `runs` are all live attempts (active ones occupy their printers), `now` is monotonic seconds of the site's
    clock. Earlier due dates first, then the order of the queue; a printer takes at most one.
    """
    taken = {run.printer_id: run for run in runs if run.printer_id is not None and run.state.active}
    queued = [run for run in runs if run.state is RunState.QUEUED]
    needs = {run.run_id: needs_of(run, plates.get(run.plate_id), intents, plans) for run in queued}
    assigned: list[Assignment] = []
    promised: set[str] = set()
    blocks: dict[str, str] = {}
    for run in sorted(queued, key=lambda run: _order(run, needs[run.run_id])):
        need = needs[run.run_id]
        candidates = [p for p in printers if _candidate(p, run, need)]
        if need.problem or not candidates:
            blocks[run.run_id] = need.problem or _nobody(run, need)
            continue
        misses: list[_Miss] = []
        free: list[Printer] = []
        for printer in candidates:
            miss = _against(printer, need, live.get(printer.printer_id, LivePrinter()), taken, now)
            if miss is None and printer.printer_id in promised:
                miss = _Miss(9, f"Another attempt goes first on {printer.name}")
            if miss is None and (refused or {}).get((run.run_id, printer.printer_id)):
                miss = _Miss(8, (refused or {})[run.run_id, printer.printer_id])
            if miss is None:
                free.append(printer)
            else:
                misses.append(miss)
        if free:
            best = min(free, key=lambda p: (p.material is None, p.name))
            promised.add(best.printer_id)
            assigned.append(
                Assignment(run_id=run.run_id, printer_id=best.printer_id, why=_why(run, need, best))
            )
        else:
            blocks[run.run_id] = max(misses, key=lambda miss: miss.rank).reason
    return tuple(assigned), blocks


def needs_of(
    run: Run, plate: Plate | None, intents: Mapping[str, Intent], plans: Mapping[str, Plan]
) -> Needs:
    """What an attempt's Plate asks of a printer (pure)."""
    if plate is None:
        return Needs(models=None, problem="Its Plate is not there any more")
    if plate.gcode is None:
        return Needs(models=None, problem="Waiting for slicing")
    items = tuple(_line_items(plate, intents))
    due = min((i.due_at for i in _orders(plate, intents) if i.due_at is not None), default=None)
    materials = sorted({item.material for item in items if item.material})
    colors = sorted({item.color for item in items if item.color})
    mixed = len(materials) > 1
    return Needs(
        models=_models(run, plate, plans),
        material=materials[0] if materials else None,
        color=colors[0] if len(colors) == 1 else None,
        due_at=due,
        problem=f"This Plate mixes {' and '.join(materials)}" if mixed else "",
    )


def _models(run: Run, plate: Plate, plans: Mapping[str, Plan]) -> tuple[str, ...] | None:
    said = plate.model_id or run.model_id
    if said is not None:
        return (said,)
    fits: set[str] | None = None
    for item in plate.items:
        plan = plans.get(item.plan_id)
        if plan is not None and plan.fits_models:
            fits = set(plan.fits_models) if fits is None else fits & set(plan.fits_models)
    return None if fits is None else tuple(sorted(fits))


def _orders(plate: Plate, intents: Mapping[str, Intent]) -> tuple[Intent, ...]:
    return tuple(intents[i] for i in plate.intent_ids if i in intents)


def _line_items(plate: Plate, intents: Mapping[str, Intent]) -> tuple[LineItem, ...]:
    wanted = {item.line_item_id for item in plate.items}
    return tuple(item for order in _orders(plate, intents) for item in order.items if item.item_id in wanted)


def _order(run: Run, need: Needs) -> tuple[bool, int, int, int]:
    return (need.due_at is None, need.due_at or 0, run.queued_at, run.number)


def _candidate(printer: Printer, run: Run, need: Needs) -> bool:
    if run.pinned_printer is not None and run.pinned_printer != printer.printer_id:
        return False
    if need.models is None:
        return run.pinned_printer is not None
    return printer.model_id in need.models


def _nobody(run: Run, need: Needs) -> str:
    if need.models is None and run.pinned_printer is None:
        return "Nobody said which printer model this is for"
    if run.pinned_printer is not None:
        return "The printer that this is meant for is not there, or is of another model"
    models = ", ".join(need.models or ())
    return f"No printer of model {models} here" if models else "No printer fits every part of this Plate"


def _against(
    printer: Printer, need: Needs, live: LivePrinter, taken: Mapping[str, Run], now: float
) -> _Miss | None:
    """The first reason why this printer does not take it now."""
    name, reason = printer.name, f": {printer.health_reason}" if printer.health_reason else ""
    if printer.health is Health.OUT_OF_SERVICE:
        return _Miss(0, f"{name} is out of service{reason}")
    if printer.health is Health.DEGRADED:
        return _Miss(2, f"{name} waits for acknowledgement{reason}")
    obs, age = live.observation, live.age_s(now)
    if printer.health is Health.OFFLINE or (obs is not None and obs.link is not Link.ONLINE):
        return _Miss(1, f"{name} is offline")
    busy = taken.get(printer.printer_id)
    if busy is not None:
        return _Miss(3, f"{name} is {busy.state.on_screen}")
    if obs is None or age is None or age >= FRESH_S:
        return _Miss(4, f"Waiting for a fresh look at {name}")
    if live.hold_until > now:
        return _Miss(4, f"{name} rests after a failure: {live.hold_reason}")
    if not obs.phase.startable:
        return _Miss(5, _phase_reason(printer, obs.phase))
    if need.material and printer.material and need.material.casefold() != printer.material.casefold():
        return _Miss(6, f"Load {need.material} on {name} ({printer.material} is loaded)")
    if need.color and printer.color and need.color.casefold() != printer.color.casefold():
        return _Miss(6, f"Load {need.color} on {name} ({printer.color} is loaded)")
    if printer.permit is None:
        return _Miss(7, f"Bed of {name} not cleared")
    return None


def _phase_reason(printer: Printer, phase: Phase) -> str:
    if printer.foreign:
        return f"{printer.name} is busy with a print that was started at the machine: {printer.foreign}"
    if phase is Phase.ERROR:
        return f"{printer.name} reports an error"
    if phase is Phase.UNKNOWN:
        return f"{printer.name} does not say what it is doing"
    return f"{printer.name} is {phase.value}"


def _why(run: Run, need: Needs, printer: Printer) -> str:
    first = "due first" if need.due_at is not None else "next in the queue"
    loaded = f", {printer.material} loaded" if printer.material else ""
    pinned = ", meant for it" if run.pinned_printer else ""
    return f"{first}; {printer.name} is free{loaded}, bed cleared{pinned}"


class Dispatcher:
    """Submits the claims: after every change of the ledger or of a printer, and every second."""

    def __init__(self, kernel: Kernel, live: LiveStore, clock: SiteClock) -> None:
        self._kernel = kernel
        self._live = live
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._refused: dict[tuple[str, str], tuple[float, str]] = {}
        self._plans: dict[str, Plan] = {}
        self._thread = threading.Thread(target=self._run, name="dispatch", daemon=True)
        self._unsubscribe = kernel.on_change(lambda _: self._wake.set())

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """No claims after this returns (within 3 s)."""
        self._unsubscribe()
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.once()
            except Exception:
                # Outermost loop of the dispatcher: nothing new is claimed meanwhile, the cause is in the log.
                log.exception("a round of dispatching failed")
            self._wake.wait(EVERY_S)
            self._wake.clear()
            self._stopping.wait(AT_MOST_EVERY_S)

    def once(self) -> tuple[Assignment, ...]:
        """One round: decide, and claim; answers what was decided."""
        reader, now = self._kernel.reader, self._clock.monotonic()
        runs = reader.runs_live()
        if not any(run.state is RunState.QUEUED for run in runs):
            self._live.set_run_blocks({})
            return ()
        self._refused = {pair: entry for pair, entry in self._refused.items() if entry[0] > now}
        plates = {plate.plate_id: plate for plate in reader.plates_live()}
        assigned, blocks = propose(
            runs,
            reader.printers(),
            self._live.all(),
            plates,
            {intent.intent_id: intent for intent in reader.intents_open()},
            self._plans_for(runs, plates),
            now,
            {pair: reason for pair, (_, reason) in self._refused.items()},
        )
        by_id = {run.run_id: run for run in runs}
        for assignment in assigned:
            if self._stopping.is_set():
                break
            refusal = self._claim(
                by_id[assignment.run_id], plates[by_id[assignment.run_id].plate_id], assignment
            )
            if refusal:
                blocks[assignment.run_id] = refusal
                pair = (assignment.run_id, assignment.printer_id)
                self._refused[pair] = (self._clock.monotonic() + REFUSED_S, refusal)
        self._live.set_run_blocks(blocks)
        return assigned

    def _claim(self, run: Run, plate: Plate, assignment: Assignment) -> str:
        claim = ClaimRun(
            run_id=run.run_id,
            printer_id=assignment.printer_id,
            expected_digest=plate.gcode.sha256 if plate.gcode is not None else "",
        )
        envelope = Envelope(
            key=f"claim:{run.run_id}:{run.attempt + 1}:{run.version}:{assignment.printer_id}",
            body=claim,
            actor=Actor.CONTROLLER,
            who="dispatch",
            expected_version=run.version,
        )
        result = self._kernel.submit(envelope)
        return " ".join(result.refusal.reasons) if result.refusal is not None else ""

    def _plans_for(self, runs: tuple[Run, ...], plates: Mapping[str, Plate]) -> dict[str, Plan]:
        """The Build Plans of queued Plates that name no model; kept, since an approved revision is fixed."""
        wanted: dict[str, Plan] = {}
        for run in runs:
            plate = plates.get(run.plate_id)
            if run.state is not RunState.QUEUED or plate is None or plate.model_id is not None:
                continue
            for item in plate.items:
                plan = self._plans.get(item.plan_id) or self._kernel.reader.plan(item.plan_id)
                if plan is not None:
                    wanted[item.plan_id] = plan
        self._plans = wanted
        return wanted
