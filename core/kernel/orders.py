"""Decisions about Orders, drops and Build Plans."""

from msgspec.structs import replace

from core.domain import commands as cmd
from core.domain import events as ev
from core.domain.objects import DroppedPart, Intent, LineItem, Plan, PlateItem
from core.domain.words import (
    DecisionOutcome,
    ItemResult,
    PlanState,
    PlateState,
    RiskLevel,
    RunState,
    Verdict,
)
from core.kernel.plates import draft_plates
from core.kernel.transaction import SITE_ID, Blocked, Refused, Transaction

_NEVER_STARTED = (RunState.QUEUED, RunState.PENDING_APPROVAL, RunState.CLAIMED, RunState.UPLOADED)

MAX_INSTANCES = 1000
"""Physical parts per Order."""


def accept_drop(tx: Transaction, c: cmd.AcceptDrop) -> None:
    """A drop passed the gates: an Order, or "again?" when exactly this content was ordered before."""
    if not c.parts:
        raise Refused("EMPTY_DROP", f"{c.name} holds nothing that can be made.")
    earlier = tx.loader.intent_of_content(c.sha256)
    received = ev.DropReceived(
        name=c.name,
        state="again" if earlier else "accepted",
        sha256=c.sha256,
        dropped_at=tx.now.wall_s,
        duplicate_of=earlier,
        kept_at=c.kept_at,
        parts=c.parts,
        source=c.source,
        customer_ref=c.customer_ref,
        due_at=c.due_at,
        notes=c.notes,
    )
    if earlier:
        tx.emit("drop", c.drop_id, received)
        tx.made["again"] = earlier
        return
    intent_id = tx.ids.new("int")
    tx.emit("drop", c.drop_id, replace(received, intent_id=intent_id))
    _create_order(tx, intent_id, c, duplicate_of=None)


def _create_order(tx: Transaction, intent_id: str, c: cmd.AcceptDrop, duplicate_of: str | None) -> None:
    if sum(part.quantity for part in c.parts) > MAX_INSTANCES:
        raise Refused("TOO_MANY", f"More than {MAX_INSTANCES} parts in one Order; split it.")
    items = tuple(
        LineItem(
            item_id=tx.ids.new("item"),
            name=part.name,
            part=part.source,
            part_index=part.part_index,
            quantity=part.quantity,
            quantity_stated=part.quantity_stated,
            material=part.material,
            color=part.color,
            tier=part.tier,
            constraints=part.constraints,
        )
        for part in c.parts
    )
    number = tx.number("intents")
    tx.emit(
        "intent",
        intent_id,
        ev.IntentCreated(
            number=number,
            source=c.source,
            customer_ref=c.customer_ref,
            due_at=c.due_at,
            items=items,
            notes=c.notes,
            duplicate_of=duplicate_of,
            created_at=tx.now.wall_s,
        ),
    )
    tx.made["intent"] = intent_id
    tx.made["number"] = str(number)
    for item, part in zip(items, c.parts, strict=True):
        _draft_plan(tx, intent_id, item, part)


def _draft_plan(tx: Transaction, intent_id: str, item: LineItem, part: DroppedPart) -> None:
    plan_id = tx.ids.new("plan")
    level, factors = _intent_risk(part)
    tx.emit(
        "plan",
        plan_id,
        ev.PlanDrafted(
            intent_id=intent_id,
            item_id=item.item_id,
            revision=1,
            kind=part.kind,
            mesh=part.mesh,
            gcode=part.source if part.kind == "gcode" else None,
            fits_models=part.fits_models,
            risk_level=level,
            risk_factors=factors,
        ),
    )
    if part.preflight is not None:
        tx.emit("plan", plan_id, ev.PreflightRecorded(preflight=part.preflight))
    if part.gate is not None:
        tx.emit("plan", plan_id, ev.GateRecorded(gate=part.gate))
    if part.mesh is not None:
        lineage = ev.ArtifactStored(child=part.mesh, parent=part.source.sha256, how="normalise")
        tx.emit("plan", plan_id, lineage)
    tx.effect("prepare", "plan", plan_id)


def _intent_risk(part: DroppedPart) -> tuple[RiskLevel, tuple[str, ...]]:
    """IntentRisk from what the gates found (domain.md)."""
    findings = part.preflight.findings if part.preflight else part.gate.findings if part.gate else ()
    factors = tuple(f.code for f in findings if f.code == "NOT_WATERTIGHT")
    if factors:
        return RiskLevel.HIGH, factors
    warned = any(f.severity is Verdict.WARN for f in findings)
    return (RiskLevel.MEDIUM if warned else RiskLevel.LOW), ()


def reject_drop(tx: Transaction, c: cmd.RejectDrop) -> None:
    """A file was refused; what was wrong stays visible until a person saw it."""
    tx.emit(
        "drop",
        c.drop_id,
        ev.DropReceived(
            name=c.name,
            state="rejected",
            sha256=c.sha256,
            dropped_at=tx.now.wall_s,
            findings=c.findings,
            kept_at=c.kept_at,
        ),
    )


def order_again(tx: Transaction, c: cmd.OrderAgain) -> None:
    """The second Order of content that came again."""
    drop = tx.drop(c.drop_id)
    if drop.state != "again":
        raise Refused("NOT_WAITING", "This drop does not wait for an answer any more.")
    intent_id = tx.ids.new("int")
    tx.emit("drop", drop.drop_id, ev.DropSettled(state="accepted", intent_id=intent_id))
    again = cmd.AcceptDrop(
        drop_id=drop.drop_id,
        name=drop.name,
        sha256=drop.sha256,
        source=drop.source,
        parts=drop.parts,
        customer_ref=drop.customer_ref,
        due_at=drop.due_at,
        notes=drop.notes,
    )
    _create_order(tx, intent_id, again, duplicate_of=drop.duplicate_of)


def dismiss_drop(tx: Transaction, c: cmd.DismissDrop) -> None:
    """Out of sight; the file stays where it is kept."""
    drop = tx.drop(c.drop_id)
    if drop.state not in ("rejected", "again"):
        raise Refused("NOT_WAITING", "This drop does not wait for an answer any more.")
    tx.emit("drop", drop.drop_id, ev.DropSettled(state="dismissed"))


def clarify_item(tx: Transaction, c: cmd.ClarifyItem) -> None:
    """Say what was left open; only before the item's Build Plan is approved."""
    intent = _open_order(tx, c.intent_id)
    item = next((i for i in intent.items if i.item_id == c.item_id), None)
    if item is None:
        raise Refused("UNKNOWN", "There is no such item in this Order.")
    plan = _plan_of(tx, intent, item)
    if plan.state is not PlanState.DRAFT:
        raise Refused(
            "ALREADY_APPROVED", "Its Build Plan is approved; what it pins can only change in a new revision."
        )
    if c.material is not None and c.material not in tx.world.materials:
        known = ", ".join(tx.world.materials)
        raise Refused("UNKNOWN_MATERIAL", f"{c.material} is not a known material. Known: {known}.")
    if c.model_id is not None and c.model_id not in tx.world.models:
        raise Refused("UNKNOWN_MODEL", f"{c.model_id} is not a known printer model.")
    others = sum(i.quantity for i in intent.items if i.item_id != c.item_id)
    if c.quantity is not None and not 1 <= c.quantity <= MAX_INSTANCES - others:
        raise Refused("BAD_QUANTITY", f"A quantity is between 1 and {MAX_INSTANCES - others} here.")
    tx.emit(
        "intent",
        intent.intent_id,
        ev.IntentClarified(
            item_id=c.item_id, material=c.material, color=c.color, tier=c.tier, quantity=c.quantity
        ),
    )
    # what was prepared for the former answers must not be approved with the new ones
    tx.emit("plan", plan.plan_id, ev.PlanPrepared())
    tx.settle("prepare", plan.plan_id, "superseded")
    tx.effect("prepare", "plan", plan.plan_id, **({"model_id": c.model_id} if c.model_id else {}))


def plan_ready(tx: Transaction, c: cmd.PlanReady) -> None:
    """What an approval of this draft would pin; under `auto_approve`, policy may approve at once."""
    plan = tx.plan(c.plan_id)
    if c.effect_id and not tx.loader.effect_open(c.effect_id):
        raise Refused("SUPERSEDED", "What this answers was asked anew meanwhile.")
    tx.settle("prepare", plan.plan_id)
    if plan.state is not PlanState.DRAFT:
        raise Refused("ALREADY_APPROVED", "This Build Plan is no draft any more.")
    tx.emit(
        "plan",
        plan.plan_id,
        ev.PlanPrepared(
            model_id=c.model_id,
            profile_ref=c.profile_ref,
            profile_checksum=c.profile_checksum,
            slicer=c.slicer,
            problem=c.problem,
        ),
    )
    policy = tx.world.policy
    standing = any(s.until > tx.now.wall_s for s in tx.site().standing)
    if policy is None or not (policy.auto_approve or standing):
        return
    intent = tx.intent(plan.intent_id)
    plans = [p for p in tx.plans_of(intent.intent_id) if p.state is PlanState.DRAFT]
    if intent.open and all(not p.problem and p.model_id for p in plans):
        _approve(tx, intent, plans, dispatch=policy.auto_dispatch)


def approve_order(tx: Transaction, c: cmd.ApproveOrder) -> None:
    """A person approves every draft of an Order."""
    intent = _open_order(tx, c.intent_id)
    plans = [p for p in tx.plans_of(intent.intent_id) if p.state is PlanState.DRAFT]
    if not plans:
        raise Refused("NOTHING_TO_APPROVE", f"Order {intent.number} has no draft Build Plan.")
    for plan in plans:
        if plan.problem:
            raise Refused("PLAN_PROBLEM", plan.problem)
        if plan.model_id is None:
            raise Refused("NOT_PREPARED", "The Build Plan is still being prepared; try again in a moment.")
    if c.similar_hours:
        _standing_approval(tx, intent, plans, min(c.similar_hours, 24))
    _approve(tx, intent, plans, dispatch=c.dispatch)


def _standing_approval(tx: Transaction, intent: Intent, plans: list[Plan], hours: int) -> None:
    for plan in plans:
        scope = _scope(intent, plan)
        until = tx.now.wall_s + hours * 3600
        tx.emit("site", SITE_ID, ev.StandingApproval(scope=scope, until=until, by=tx.who))


def _approve(tx: Transaction, intent: Intent, plans: list[Plan], *, dispatch: bool) -> None:
    rulings = [tx.decide("ApprovePlan", "plan", p.plan_id, _inputs(tx, intent, p)) for p in plans]
    for ruling in rulings:
        if ruling.outcome is DecisionOutcome.BLOCK:
            raise Blocked("POLICY", *ruling.explanations)
        if ruling.outcome is DecisionOutcome.REQUIRE_APPROVAL:
            return
    approved = [
        tx.emit(
            "plan",
            p.plan_id,
            ev.PlanApproved(
                model_id=p.model_id,
                profile_ref=p.profile_ref,
                profile_checksum=p.profile_checksum,
                slicer=p.slicer,
                inputs=tuple(a.sha256 for a in (p.mesh, p.gcode) if a is not None),
                by=tx.who,
            ),
        )
        for p in plans
    ]
    draft_plates(tx, intent, [p for p in approved if isinstance(p, Plan)], dispatch=dispatch)


def _inputs(tx: Transaction, intent: Intent, plan: Plan) -> dict[str, str]:
    item = _item_of(intent, plan)
    source = plan.preflight or plan.gate
    scope = _scope(intent, plan)
    standing = any(s.until > tx.now.wall_s and s.scope == scope for s in tx.site().standing)
    return {
        "preflight": (source.verdict if source else Verdict.FAIL).value,
        "tier": item.tier or "",
        "material": item.material or "",
        "risk": plan.risk_level.value,
        "payment": intent.payment.value,
        "source": intent.source,
        "standing": "yes" if standing else "no",
    }


def _scope(intent: Intent, plan: Plan) -> dict[str, str]:
    """What makes another Order similar enough for a standing approval."""
    item = _item_of(intent, plan)
    source = plan.preflight or plan.gate
    return {
        "material": item.material or "",
        "tier": item.tier or "",
        "model_id": plan.model_id or "",
        "preflight": (source.verdict if source else Verdict.FAIL).value,
        "risk": plan.risk_level.value,
    }


def cancel_order(tx: Transaction, c: cmd.CancelOrder) -> None:
    """End the promise: nothing of it is made or started any more; what prints goes on and stays visible."""
    intent = _open_order(tx, c.intent_id)
    tx.emit("intent", intent.intent_id, ev.IntentCanceled(reason=c.reason))
    _wind_up(tx, intent.intent_id, "The Order was canceled")


def fulfil_order(tx: Transaction, c: cmd.FulfilOrder) -> None:
    """A person says that the promise is kept."""
    intent = _open_order(tx, c.intent_id)
    for plate in tx.plates_of(intent.intent_id):
        if any(run.state.active for run in tx.runs_of(plate.plate_id)):
            raise Refused(
                "STILL_PRINTING",
                f"A Print Attempt of Order {intent.number} is still under way; end it or wait for it.",
            )
    tx.emit("intent", intent.intent_id, ev.IntentFulfilled(at=tx.now.wall_s, by_hand=True))
    _wind_up(tx, intent.intent_id, "The Order was fulfilled by hand")


def _wind_up(tx: Transaction, intent_id: str, why: str) -> None:
    """Nobody waits for this Order any more: drafts are void, and attempts that were never started end."""
    for plan in tx.plans_of(intent_id):
        if plan.state is PlanState.DRAFT or (plan.state is PlanState.APPROVED and why.endswith("canceled")):
            tx.settle("prepare", plan.plan_id, "closed")
            tx.emit("plan", plan.plan_id, ev.PlanVoided(reason=why))
    for plate in tx.plates_of(intent_id):
        if tx.any_open(plate.intent_ids):
            continue
        for run in tx.runs_of(plate.plate_id):
            if run.state in _NEVER_STARTED:
                ended = ev.RunAborted(at=tx.now.wall_s, reason="operator_abort", text=why)
                tx.emit("run", run.run_id, ended)
        made = any(run.started_at or run.state.active for run in tx.runs_of(plate.plate_id))
        if plate.state in (PlateState.DRAFT, PlateState.APPROVED) and not made:
            tx.settle("slice", plate.plate_id, "closed")
            tx.emit("plate", plate.plate_id, ev.PlateVoided(reason=why))


def fulfil_if_complete(tx: Transaction, intent_id: str) -> None:
    """Every promised part is good: the Order is fulfilled."""
    intent = tx.intent(intent_id)
    if not intent.open:
        return
    good = count_good(tx, intent)
    if all(good.get(item.item_id, 0) >= item.quantity for item in intent.items):
        tx.emit("intent", intent.intent_id, ev.IntentFulfilled(at=tx.now.wall_s))
        _wind_up(tx, intent.intent_id, "Every promised part is good")


def count_good(tx: Transaction, intent: Intent) -> dict[str, int]:
    """Line item id to the number of good instances."""
    good: dict[str, int] = {}
    for plate in tx.plates_of(intent.intent_id):
        by_item: dict[str, PlateItem] = {item.item_id: item for item in plate.items}
        for run in tx.runs_of(plate.plate_id):
            for outcome in run.outcomes:
                item = by_item.get(outcome.item_id)
                mine = item is not None and item.intent_id == intent.intent_id
                if item is not None and mine and outcome.result is ItemResult.SUCCESS:
                    good[item.line_item_id] = good.get(item.line_item_id, 0) + 1
    return good


def _open_order(tx: Transaction, intent_id: str) -> Intent:
    intent = tx.intent(intent_id)
    if not intent.open:
        raise Refused("ORDER_CLOSED", f"Order {intent.number} is {intent.state.value}.")
    return intent


def _plan_of(tx: Transaction, intent: Intent, item: LineItem) -> Plan:
    plans = [p for p in tx.plans_of(intent.intent_id) if p.item_id == item.item_id]
    return max(plans, key=lambda p: p.revision)


def _item_of(intent: Intent, plan: Plan) -> LineItem:
    return next(item for item in intent.items if item.item_id == plan.item_id)
