"""What the views are made of: the ledger's objects, the live observations and the time, indexed once."""

from collections import defaultdict

import msgspec

from core.client.views import SliceProgress
from core.contract import Capability, Observation, Phase
from core.domain.objects import Drop, Intent, LineItem, Plan, Plate, PlateItem, Printer, Run
from core.domain.words import PlanState, PlateState, RunState


class ShopInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the list screens are computed from, of one moment.

    `wall` is Unix seconds and `mono` the monotonic seconds that `Observation.seen_at` is on. `runs` holds every
    run that is live plus all runs of the plates given; `plates` and `plans` those of the Orders given. `live` is
    the newest observation per printer id, `heard` the newest whose link was online (what the printer itself last
    said). `uploads` is the fraction sent per run id, `approvals` what policy says per intent id,
    `run_blocks` the dispatcher's own reason per queued run id.
    """

    wall: float
    mono: float
    intents: tuple[Intent, ...] = ()
    plans: tuple[Plan, ...] = ()
    plates: tuple[Plate, ...] = ()
    runs: tuple[Run, ...] = ()
    printers: tuple[Printer, ...] = ()
    drops: tuple[Drop, ...] = ()
    live: dict[str, Observation] = {}
    heard: dict[str, Observation] = {}
    capabilities: dict[str, Capability] = {}
    model_names: dict[str, str] = {}
    slicing: tuple[SliceProgress, ...] = ()
    uploads: dict[str, float] = {}
    approvals: dict[str, tuple[str, ...]] = {}
    run_blocks: dict[str, str] = {}
    slicer_problem: str = ""
    utc_offset_s: int = 0


class Facts:
    """The inputs with the look-ups that every view needs. Made once per snapshot, never changed after."""

    def __init__(self, inputs: ShopInputs) -> None:
        self.inputs = inputs
        self.wall = inputs.wall
        self.intents = {i.intent_id: i for i in inputs.intents}
        self.lines: dict[str, LineItem] = {item.item_id: item for i in inputs.intents for item in i.items}
        self.plans = {p.plan_id: p for p in inputs.plans}
        self.plates = {p.plate_id: p for p in inputs.plates}
        self.printers = {p.printer_id: p for p in inputs.printers if not p.removed}
        self.slicing = {s.plate_id: s for s in inputs.slicing}
        self.plans_of: dict[str, list[Plan]] = defaultdict(list)
        for plan in inputs.plans:
            self.plans_of[plan.intent_id].append(plan)
        self.plates_of: dict[str, list[Plate]] = defaultdict(list)
        for plate in inputs.plates:
            for intent_id in plate.intent_ids:
                self.plates_of[intent_id].append(plate)
        self.runs_of: dict[str, list[Run]] = defaultdict(list)
        self.active: dict[str, Run] = {}
        self.unjudged: dict[str, Run] = {}
        for run in sorted(inputs.runs, key=lambda r: (r.queued_at, r.number, r.run_id)):
            self.runs_of[run.plate_id].append(run)
            if run.printer_id is None:
                continue
            if run.state.active:
                self.active[run.printer_id] = run
            elif self.awaits_outcome(run):
                self.unjudged[run.printer_id] = run

    def awaits_outcome(self, run: Run) -> bool:
        """Whether a person still has to say what came out: ended, something may have been printed, and not every
        instance has its outcome."""
        if not run.state.terminal or not may_have_printed(run):
            return False
        plate = self.plates.get(run.plate_id)
        if plate is None:
            return not run.outcomes
        judged = {o.item_id for o in run.outcomes}
        return any(item.item_id not in judged for item in plate.items)

    def live_plates(self, intent_id: str) -> list[Plate]:
        """The Order's Plates that are neither superseded nor void."""
        return [p for p in self.plates_of[intent_id] if p.state in (PlateState.DRAFT, PlateState.APPROVED)]

    def current_plans(self, intent_id: str) -> list[Plan]:
        """The Order's Build Plans that are draft or approved."""
        return [p for p in self.plans_of[intent_id] if p.state in (PlanState.DRAFT, PlanState.APPROVED)]

    def material_of(self, plate: Plate) -> str | None:
        """The material that a Plate needs, as its Orders say; None where nobody said."""
        for item in plate.items:
            line = self.lines.get(item.line_item_id)
            if line is not None and line.material is not None:
                return line.material
        return None

    def plan_of(self, item: PlateItem) -> Plan | None:
        """The Build Plan of an instance, or None where it is not among the inputs."""
        return self.plans.get(item.plan_id)

    def due_at(self, intent_ids: tuple[str, ...]) -> int | None:
        """The earliest due time of these Orders, or None."""
        dues = [
            i.due_at for k in intent_ids if (i := self.intents.get(k)) and i.open and i.due_at is not None
        ]
        return min(dues, default=None)

    def finish_at(self, printer_id: str | None, live: Observation) -> int | None:
        """When the print that is seen will end, by the wall; None where the printer does not say or it does not
        go on now. A simulated printer tells its remaining time in machine seconds, which pass faster."""
        left = live.printer_job.remaining_s
        if left is None or live.phase not in (Phase.PREPARING, Phase.PRINTING):
            return None
        return int(self.wall + left / self._pace(printer_id))

    def _pace(self, printer_id: str | None) -> float:
        """Machine seconds per second: 1 for every real printer."""
        printer = self.printers.get(printer_id or "")
        if printer is None or printer.adapter != "virtual":
            return 1.0
        try:
            pace = float(printer.options.get("time_scale", "1"))
        except ValueError:  # such a printer answers nothing: its adapter refuses the option
            return 1.0
        return pace if 0.0 < pace < float("inf") else 1.0

    def printer_name(self, printer_id: str | None) -> str:
        """A printer's name; its id where the printer is gone."""
        if printer_id is None:
            return ""
        printer = self.printers.get(printer_id)
        return printer.name if printer else printer_id


def may_have_printed(run: Run) -> bool:
    """Whether an attempt may have left something on a bed: it completed, was seen printing, or a start was sent."""
    return run.state is RunState.COMPLETED or run.started_at is not None or run.baseline is not None
