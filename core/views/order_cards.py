"""Triage cards of drops, Orders and Plates: what comes before there is a Print Attempt, or when none is left."""

from core.client.views import Action, Card
from core.domain.objects import Drop, Intent, Plan, Plate
from core.domain.words import IntentState, PlanState, RiskLevel, Verdict
from core.slicing.outcomes import SliceOutcome
from core.views import actions as act
from core.views.approval import estimate_words, line_words, missing_answers, plan_findings
from core.views.inputs import Facts
from core.views.naming import order_name, order_title, order_what, orders_name, plate_name, plate_what
from core.views.tally import tallies, total
from core.views.words import age, count, risk_words, sentence


def drop_card(drop: Drop, facts: Facts) -> Card | None:
    """A rejected file, or content that was dropped again; None for accepted and dismissed drops."""
    if drop.state == "rejected":
        first = drop.findings[0] if drop.findings else None
        said = f"{sentence(first.what)} {sentence(first.fix)}".strip() if first else "No reason was recorded."
        kept = (f"Kept at {drop.kept_at}, with the reason beside it.",) if drop.kept_at else ()
        why = (sentence(first.why),) if first is not None and first.why else ()
        if first is not None and first.where not in ("", drop.name):
            why = (f"Where: {first.where}.", *why)
        rest = tuple(sentence(f.what) for f in drop.findings[1:])
        return _drop(
            drop, facts, "alert", "REJECTED", said, (*why, *rest, *kept), (act.primary(act.dismiss(drop)),)
        )
    if drop.state == "again":
        before = facts.intents.get(drop.duplicate_of or drop.intent_id or "")
        as_what = f" as {order_name(before)}" if before is not None else ""
        said = f"The same content came in before{as_what}. Nothing was ordered this time."
        return _drop(drop, facts, "warn", "AGAIN?", said, (), (act.order_again(drop), act.dismiss(drop)))
    return None


def _drop(
    drop: Drop,
    facts: Facts,
    severity: str,
    tag: str,
    said: str,
    because: tuple[str, ...],
    actions: tuple[Action, ...],
) -> Card:
    return Card(
        card_id=f"drop:{drop.drop_id}",
        section="attention",
        severity=severity,
        tag=tag,
        where="inbox",
        what=drop.name,
        brief=age(facts.wall - drop.dropped_at),
        title=drop.name,
        sentence=said,
        because=because,
        actions=actions,
        subject_kind="drop",
        subject_id=drop.drop_id,
    )


def approval_card(intent: Intent, facts: Facts) -> Card | None:
    """An Order whose draft Build Plans wait for approval; None when it has none."""
    drafts = [p for p in facts.plans_of.get(intent.intent_id, ()) if p.state is PlanState.DRAFT]
    if not drafts or not intent.open:
        return None
    asked = [f"{m.item_name}: {m.question}" for p in drafts for m in missing_answers(intent, p, (), {})]
    found = [f"{f.severity.value.upper()}: {sentence(f.what)}" for p in drafts for f in plan_findings(p)]
    worst = max(drafts, key=lambda p: list(RiskLevel).index(p.risk_level))
    fatal = next((f for p in drafts for f in plan_findings(p) if f.severity is Verdict.FAIL), None)
    failed = f"{sentence(fatal.what)} {sentence(fatal.fix)}".strip() if fatal is not None else ""
    problem = failed or next((p.problem for p in drafts if p.problem), "") or _no_slicer(drafts, facts)
    addable = bool(problem) and not asked and not facts.printers
    if asked:
        said, brief = f"{count(len(asked), 'answer')} missing before it can be approved.", "question"
    elif problem:
        said, brief = f"Cannot be approved as it is. {sentence(problem)}", "problem"
    elif found:
        said, brief = f"Waits for approval. {found[0].split(': ', 1)[1]}", "check"
    else:
        said, brief = "Waits for approval; nothing stands against it.", "approve"
    policy = tuple(sentence(e) for e in facts.inputs.approvals.get(intent.intent_id, ()))
    risk = (
        (f"{risk_words(worst.risk_level, worst.risk_factors)}.",)
        if worst.risk_level is not RiskLevel.LOW
        else ()
    )
    return _order(
        intent,
        section="attention",
        severity="alert" if brief == "problem" else "warn",
        tag="APPROVE",
        brief=brief,
        said=said,
        because=(*asked, *found, *risk, *policy),
        evidence=(
            *(line_words(facts.lines[p.item_id], p) for p in drafts),
            estimate_words(tuple(drafts), facts.lines),
        ),
        actions=(act.add_printer() if addable else act.review(intent), act.cancel_order(intent)),
    )


def _no_slicer(drafts: list[Plan], facts: Facts) -> str:
    """What is wrong with the slicer, when a model waits for one before it can be approved."""
    waits = any(p.kind == "model" and p.model_id is None for p in drafts)
    return facts.inputs.slicer_problem if waits else ""


def locked_plan_card(plan: Plan, facts: Facts) -> Card | None:
    """A Build Plan that a breaker locked; None for any other."""
    intent = facts.intents.get(plan.intent_id)
    if (
        plan.dispatch_blocked is None
        or plan.state is not PlanState.APPROVED
        or intent is None
        or not intent.open
    ):
        return None
    line = facts.lines.get(plan.item_id)
    name = line.name if line is not None else "part"
    return Card(
        card_id=f"plan:{plan.plan_id}",
        section="attention",
        severity="alert",
        tag="PLAN LOCKED",
        where=order_name(intent),
        what=name,
        brief="review",
        title=f"Build Plan of {name}, revision {plan.revision}",
        sentence=f"Plan locked, review required. {sentence(plan.dispatch_blocked)}",
        actions=(act.goto("Show plan"),),
        subject_kind="plan",
        subject_id=plan.plan_id,
    )


def plate_card(plate: Plate, facts: Facts) -> Card | None:
    """A Plate without a Print Attempt; None when attempts speak for it, its Orders are closed, or the approval
    card of its Order still has to come first."""
    if not any((i := facts.intents.get(k)) is not None and i.open for k in plate.intent_ids):
        return None
    if facts.runs_of.get(plate.plate_id):
        return None
    plans = [facts.plans.get(item.plan_id) for item in plate.items]
    if any(p is not None and p.state is PlanState.DRAFT for p in plans):
        return None
    if plate.slice.state == "failed":
        return _slice_failed(plate, facts)
    if plate.slice.state == "none" and plate.gcode is None:
        said = "Approved; policy leaves the slicing to a person."
        return _plate(
            plate, facts, "ready_start", "info", "SLICE", "slice", said, (act.retry_slice(plate, "Slice"),)
        )
    if plate.gcode is not None and plate.dispatch:
        return _plate(
            plate, facts, "waiting", "info", "QUEUEING", "next", "Ready; its attempt is being queued."
        )
    if plate.gcode is not None:
        said = "Ready to print; nothing is queued yet."
        return _plate(plate, facts, "ready_start", "info", "READY", "ready", said, (act.print_plate(plate),))
    return _slicing(plate, facts)


def slice_failure(plate: Plate) -> tuple[str, str]:
    """Why slicing failed and what to do about it, each a sentence; '' for what is not known."""
    code = plate.slice.code
    if code in SliceOutcome.__members__:
        return SliceOutcome(code).sentence, SliceOutcome(code).next_step
    return f"Slicing failed. {sentence(plate.slice.message)}".strip(), ""


def _slice_failed(plate: Plate, facts: Facts) -> Card:
    said = " ".join(slice_failure(plate)).strip()
    brief = plate.slice.code.replace("_", " ").lower() or "failed"
    detail = sentence(plate.slice.message)
    because = (detail,) if detail and detail not in said else ()
    actions = (act.retry_slice(plate),)
    return _plate(plate, facts, "attention", "alert", "SLICE FAILED", brief, said, actions, because=because)


def _slicing(plate: Plate, facts: Facts) -> Card:
    under_way = facts.slicing.get(plate.plate_id)
    if under_way is None and facts.inputs.slicer_problem:
        said = f"Waits for a slicer. {sentence(facts.inputs.slicer_problem)}"
        return _plate(plate, facts, "waiting", "warn", "SLICE", "no slicer", said)
    if under_way is None:
        return _plate(
            plate, facts, "waiting", "info", "SLICE", "waiting", "Waits for its turn at the slicer."
        )
    percent = max(0, min(100, under_way.percent))
    said = f"Slicing, {percent} %." + (f" {sentence(under_way.text)}" if under_way.text else "")
    return _plate(plate, facts, "waiting", "info", "SLICING", f"{percent}%", said, progress=percent / 100)


def _plate(
    plate: Plate,
    facts: Facts,
    section: str,
    severity: str,
    tag: str,
    brief: str,
    said: str,
    actions: tuple[Action, ...] = (),
    *,
    because: tuple[str, ...] = (),
    progress: float | None = None,
) -> Card:
    where = orders_name(plate.intent_ids, facts) or "Order"
    name = (plate_name(plate),) if plate_name(plate) else ()
    return Card(
        card_id=f"plate:{plate.plate_id}",
        section=section,
        severity=severity,
        tag=tag,
        where=where,
        what=plate_what(plate),
        brief=brief,
        title=f"{where} · {plate_what(plate)}",
        sentence=said,
        because=(*name, *because),
        actions=actions or (act.goto("Show order"),),
        progress=progress,
        subject_kind="plate",
        subject_id=plate.plate_id,
    )


def leftover_card(intent: Intent, facts: Facts) -> Card:
    """An open Order that no other card speaks for: it never just does not happen."""
    tally = total(tallies(intent, facts))
    cancel = act.cancel_order(intent)
    if intent.state is IntentState.AWAITING_PAYMENT:
        said = "Waits for payment; it can be reviewed once it is paid."
        return _order(
            intent, "waiting", "info", "PAYMENT", "unpaid", said, (), (act.goto("Show order"), cancel)
        )
    if tally.promised and tally.good >= tally.promised:
        said = f"{_all_good(tally.good)} Close the order."
        return _order(
            intent, "ready_qa", "ok", "MADE", f"{tally.good} good", said, (), (act.close_order(intent),)
        )
    if facts.current_plans(intent.intent_id) and not facts.plates_of.get(intent.intent_id):
        said = "Approved; its parts are being put together."
        return _order(
            intent, "waiting", "info", "PREPARING", "preparing", said, (), (act.goto("Show order"), cancel)
        )
    if not facts.current_plans(intent.intent_id):
        said = "This order has no Build Plan, so nothing will be made. Cancel it or drop its files again."
    else:
        said = (
            f"{count(tally.to_make, 'part')} still to make, and nothing is queued. Decide what to do with it."
        )
    actions = (act.goto("Show order"), cancel)
    return _order(intent, "attention", "warn", "STUCK", f"{tally.to_make} to make", said, (), actions)


def _all_good(good: int) -> str:
    return "The part is good." if good == 1 else f"All {good} parts are good."


def _order(
    intent: Intent,
    section: str,
    severity: str,
    tag: str,
    brief: str,
    said: str,
    because: tuple[str, ...],
    actions: tuple[Action, ...],
    evidence: tuple[str, ...] = (),
) -> Card:
    return Card(
        card_id=f"order:{intent.intent_id}",
        section=section,
        severity=severity,
        tag=tag,
        where=order_name(intent),
        what=order_what(intent),
        brief=brief,
        title=order_title(intent),
        sentence=said,
        because=because,
        evidence=evidence,
        actions=actions,
        subject_kind="intent",
        subject_id=intent.intent_id,
    )
