"""Orders as the list and the detail show them: stage and block reason derived, parts counted from outcomes."""

from core.client.views import Action, EventRow, ItemDetail, OrderDetail, OrderRow
from core.domain.objects import Drop, Intent, Plan, Plate, Run
from core.domain.words import IntentState, ItemResult, PlanState, RunState
from core.views import actions as act
from core.views.approval import missing_answers
from core.views.inputs import Facts, ShopInputs
from core.views.naming import order_title, plate_what
from core.views.order_cards import slice_failure
from core.views.starting import Bar, Place
from core.views.tally import Tally, tallies, total
from core.views.triage import places_of
from core.views.words import count, reason_word, sentence

STAGES = (
    "needs human",
    "payment",
    "review",
    "reprint",
    "QA",
    "printing",
    "slice",
    "queue",
    "made",
    "closed",
    "canceled",
)
"""Derived stages; where an Order is in several at once, the earliest in this list is shown."""


def order_rows(inputs: ShopInputs) -> tuple[OrderRow, ...]:
    """Every Order given, open ones first by due time, then the closed ones, newest first. Pure."""
    facts = Facts(inputs)
    return order_rows_of(facts, places_of(facts))


def order_rows_of(facts: Facts, places: dict[str, Place]) -> tuple[OrderRow, ...]:
    """The same, from indexed inputs."""
    made = sorted(facts.inputs.intents, key=_by_due)
    return tuple(order_row(intent, facts, places) for intent in made)


def order_row(intent: Intent, facts: Facts, places: dict[str, Place]) -> OrderRow:
    """One Order as a row of the list."""
    tally = total(tallies(intent, facts))
    stage, block, action = _where(intent, tally, facts, places)
    actions: tuple[Action, ...] = (action if action is not None else act.goto("Open order"),)
    if intent.open:
        actions = (*actions, act.cancel_order(intent))
    return OrderRow(
        intent=intent,
        stage=stage,
        block=block,
        title=order_title(intent),
        promised=tally.promised,
        good=tally.good,
        in_progress=tally.in_progress,
        to_make=tally.to_make,
        actions=actions,
    )


def order_detail(
    inputs: ShopInputs, intent_id: str, *, drop: Drop | None = None, timeline: tuple[EventRow, ...] = ()
) -> OrderDetail | None:
    """One Order, whole; None when it is not among the inputs."""
    facts = Facts(inputs)
    intent = facts.intents.get(intent_id)
    if intent is None:
        return None
    counted = tallies(intent, facts)
    plates = tuple(facts.plates_of.get(intent_id, ()))
    runs = [run for plate in plates for run in facts.runs_of.get(plate.plate_id, ())]
    return OrderDetail(
        row=order_row(intent, facts, places_of(facts)),
        items=tuple(_item(intent, item_id, tally, facts) for item_id, tally in counted.items()),
        plates=plates,
        runs=tuple(sorted(runs, key=lambda r: (r.queued_at, r.number, r.run_id))),
        drop=drop,
        timeline=timeline,
    )


def _item(intent: Intent, item_id: str, tally: Tally, facts: Facts) -> ItemDetail:
    plans = [p for p in facts.plans_of.get(intent.intent_id, ()) if p.item_id == item_id]
    plan = max(plans, key=_current, default=None)
    asked = (
        missing_answers(intent, plan, (), {}) if plan is not None and plan.state is PlanState.DRAFT else ()
    )
    return ItemDetail(
        item=facts.lines[item_id],
        plan=plan,
        good=tally.good,
        in_progress=tally.in_progress,
        to_make=tally.to_make,
        missing=tuple(m.field for m in asked),
        models=_model_names(plan, facts) if plan is not None else (),
    )


def _model_names(plan: Plan, facts: Facts) -> tuple[str, ...]:
    classes = (plan.model_id,) if plan.model_id else plan.fits_models
    return tuple(facts.inputs.model_names.get(model, model) for model in classes)


def _current(plan: Plan) -> tuple[bool, int]:
    return plan.state in (PlanState.DRAFT, PlanState.APPROVED), plan.revision


def _by_due(intent: Intent) -> tuple[bool, float, int]:
    due = float(intent.due_at) if intent.due_at is not None else float("inf")
    return (not intent.open, due if intent.open else 0.0, intent.number if intent.open else -intent.number)


def _where(
    intent: Intent, tally: Tally, facts: Facts, places: dict[str, Place]
) -> tuple[str, str, Action | None]:
    """Stage, the one reason why it is not further ('' when nothing holds it up), and the primary action."""
    plates = facts.plates_of.get(intent.intent_id, [])
    runs = [run for plate in plates for run in facts.runs_of.get(plate.plate_id, ())]
    if intent.state is IntentState.CANCELED:
        return _canceled(intent, runs)
    if intent.state is IntentState.FULFILLED:
        return "closed", "", None
    if intent.state is IntentState.AWAITING_PAYMENT:
        return "payment", "Not paid yet", None
    found = [_review(intent, facts)]
    live = facts.live_plates(intent.intent_id)
    found += [_run_stage(run, facts, places) for run in runs]
    found += [_plate_stage(plate, facts) for plate in live]
    found += [("needs human", sentence(p.dispatch_blocked or ""), None) for p in _locked(intent, facts)]
    stages = [f for f in found if f is not None]
    if stages:
        return min(stages, key=lambda f: STAGES.index(f[0]))
    if tally.promised and tally.good >= tally.promised:
        return "made", "All parts are good; close the order", act.close_order(intent)
    if not facts.current_plans(intent.intent_id):
        return "needs human", "It has no Build Plan", None
    if not live:
        return "slice", "Its parts are being put together", None
    return "needs human", f"{count(tally.to_make, 'part')} to make and nothing is queued", None


def _canceled(intent: Intent, runs: list[Run]) -> tuple[str, str, Action | None]:
    why = (
        intent.cancel_reason.value.replace("_", " ").capitalize()
        if intent.cancel_reason
        else "No reason given"
    )
    still = sum(r.state.active for r in runs)
    return "canceled", why + (f"; {count(still, 'attempt')} still on a printer" if still else ""), None


def _locked(intent: Intent, facts: Facts) -> list[Plan]:
    plans = facts.plans_of.get(intent.intent_id, [])
    return [p for p in plans if p.state is PlanState.APPROVED and p.dispatch_blocked is not None]


def _review(intent: Intent, facts: Facts) -> tuple[str, str, Action | None] | None:
    drafts = [p for p in facts.plans_of.get(intent.intent_id, ()) if p.state is PlanState.DRAFT]
    if not drafts:
        return None
    problem = next((p.problem for p in drafts if p.problem), "")
    asked = [m for p in drafts for m in missing_answers(intent, p, (), {})]
    if problem:
        block = sentence(problem)
    elif asked:
        block = f"{asked[0].item_name}: {asked[0].question}"
    else:
        block = "Waits for approval"
    return "review", block, act.review(intent)


def _plate_stage(plate: Plate, facts: Facts) -> tuple[str, str, Action | None] | None:
    """The stage of a Plate that no attempt speaks for yet."""
    if facts.runs_of.get(plate.plate_id):
        return None
    if any(p is not None and p.state is PlanState.DRAFT for p in map(facts.plan_of, plate.items)):
        return None
    if plate.slice.state == "failed":
        return "needs human", slice_failure(plate)[0], act.retry_slice(plate)
    if plate.gcode is not None:
        return (
            ("queue", "", None)
            if plate.dispatch
            else ("queue", "Nothing is queued yet", act.print_plate(plate))
        )
    running = facts.slicing.get(plate.plate_id)
    if running is not None:
        return "slice", f"{running.percent} % sliced", None
    return "slice", sentence(facts.inputs.slicer_problem) or "Waits for its turn at the slicer", None


def _run_stage(run: Run, facts: Facts, places: dict[str, Place]) -> tuple[str, str, Action | None] | None:
    name = facts.printer_name(run.printer_id)
    plate = facts.plates.get(run.plate_id)
    match run.state:
        case RunState.PENDING_APPROVAL:
            return "needs human", "An attempt waits for approval", act.approve_run(run)
        case RunState.NEEDS_DECISION:
            return "needs human", f"Nobody knows what {name or 'the printer'} did", None
        case RunState.PAUSED:
            live = facts.inputs.live.get(run.printer_id or "")
            return "needs human", f"Paused on {name}", act.primary(act.resume(run, live))
        case RunState.PRINTING:
            return "printing", "", None
        case RunState.QUEUED:
            return "queue", _queue_reason(places.get(run.run_id)), None
    if run.state.active:
        return "printing", f"{run.state.on_screen.capitalize()} on {name}", None
    if facts.awaits_outcome(run):
        ended = f"{plate_what(plate)} on {name}: say what came out" if name else "Say what came out"
        return "QA", ended, act.primary(act.outcome(run))
    if plate is None or facts.runs_of[plate.plate_id][-1] is not run:
        return None
    bad = [o for o in run.outcomes if o.result in (ItemResult.FAILED, ItemResult.SKIPPED)]
    if bad and run.reprinted_by is None:
        why = f": {reason_word(bad[0].reason).lower()}" if bad[0].reason else ""
        return "reprint", f"{count(len(bad), 'part')} failed{why}", act.reprint(run)
    if not run.outcomes:
        return "queue", "Stopped before it was printed", act.print_plate(plate, "Print again")
    return None


def _queue_reason(place: Place | None) -> str:
    if place is None or place.printer is None:
        return place.block.text if place is not None else "There is no printer yet"
    name = place.printer.name
    if place.after is not None or place.block.bar is Bar.ACTIVE:
        return f"Behind another attempt on {name}"
    if place.block.bar is Bar.BED:
        return f"{name} when its bed is clear"
    return f"{name}: {place.block.text}" if place.block.text else f"Next on {name}"
