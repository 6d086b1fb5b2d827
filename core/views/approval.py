"""The approval sheet: what gets pinned, the risk with its receipts, time and material, and what nobody said."""

from core.client.views import ApprovalSheet, Missing, Pin
from core.domain.findings import Finding
from core.domain.objects import Intent, LineItem, Plan
from core.domain.words import PaymentStatus, PlanState, QualityTier, RiskLevel, Verdict
from core.views.naming import order_title
from core.views.words import duration, grams, grams_range, risk_words, sentence

SHORT = 12
"""How many characters of a digest are shown."""


def approval_sheet(
    intent: Intent,
    plans: tuple[Plan, ...],
    *,
    materials: tuple[str, ...],
    model_names: dict[str, str],
    policy: tuple[str, ...] = (),
    slicer_problem: str = "",
) -> ApprovalSheet:
    """The sheet of an Order. `plans` are the Order's Build Plans, `materials` the names to choose from,
    `model_names` printer class id to name, `policy` what the policy says of this approval."""
    lines = {item.item_id: item for item in intent.items}
    drafts = tuple(p for p in plans if p.state is PlanState.DRAFT)
    shown = drafts or tuple(p for p in plans if p.state is PlanState.APPROVED)
    missing = tuple(m for p in drafts for m in missing_answers(intent, p, materials, model_names))
    problem = _problem(intent, drafts, shown, missing, slicer_problem)
    many = len(shown) > 1
    return ApprovalSheet(
        intent_id=intent.intent_id,
        title=order_title(intent),
        lines=tuple(line_words(lines[p.item_id], p) for p in shown if p.item_id in lines),
        pins=tuple(
            pin for p in shown if p.item_id in lines for pin in _pins(p, lines[p.item_id], model_names, many)
        ),
        risk=_risk(shown),
        findings=tuple(f for p in shown for f in plan_findings(p)),
        estimate=estimate_words(shown, lines),
        missing=missing,
        policy=tuple(sentence(e) for e in policy),
        can_approve=not problem,
        problem=problem,
    )


def plan_findings(plan: Plan) -> tuple[Finding, ...]:
    """What the gates said of a Build Plan's part, the worst first."""
    found = (*(plan.preflight.findings if plan.preflight else ()), *(plan.gate.findings if plan.gate else ()))
    order = [Verdict.FAIL, Verdict.WARN, Verdict.PASS]
    return tuple(sorted(found, key=lambda f: order.index(f.severity)))


def missing_answers(
    intent: Intent, plan: Plan, materials: tuple[str, ...], model_names: dict[str, str]
) -> tuple[Missing, ...]:
    """What must be answered before this draft can be approved. Color is optional, and a quantity that nobody
    stated is shown as 1. Ready G-code was made for one material and quality already, so neither is asked."""
    line = next((i for i in intent.items if i.item_id == plan.item_id), None)
    if line is None:
        return ()
    asked: list[Missing] = []
    if plan.kind == "model":
        if line.material is None:
            asked.append(_ask(line, "material", "Which material?", materials))
        if line.tier is None:
            asked.append(_ask(line, "tier", "Which quality?", tuple(t.value for t in QualityTier)))
    elif plan.model_id is None and not plan.fits_models:
        asked.append(_ask(line, "model_id", "Which printer was it sliced for?", tuple(sorted(model_names))))
    return tuple(asked)


def _ask(line: LineItem, field: str, question: str, choices: tuple[str, ...]) -> Missing:
    return Missing(item_id=line.item_id, item_name=line.name, field=field, question=question, choices=choices)


def _problem(
    intent: Intent,
    drafts: tuple[Plan, ...],
    shown: tuple[Plan, ...],
    missing: tuple[Missing, ...],
    slicer_problem: str,
) -> str:
    """Why approving is not possible now, the most useful reason first; '' when it is."""
    if not intent.open:
        return f"This order is {intent.state.value}."
    if not drafts:
        return "It is approved already." if shown else "This order has no Build Plan."
    for plan in drafts:
        for finding in plan_findings(plan):
            if finding.severity is Verdict.FAIL:
                return f"{sentence(finding.what)} {sentence(finding.fix)}".strip()
    if missing:
        return (
            "Answer first: "
            + "; ".join(f"{m.item_name}, {m.field.replace('_id', '')}" for m in missing)
            + "."
        )
    if intent.payment is PaymentStatus.PENDING and intent.state.value == "awaiting_payment":
        return "It is not paid yet."
    for plan in drafts:
        if plan.problem:
            return sentence(plan.problem)
        if plan.model_id is None:
            no_slicer = sentence(slicer_problem) if plan.kind == "model" else ""
            return no_slicer or "Kiln is still preparing what would be pinned; this takes a moment."
    return ""


def line_words(line: LineItem, plan: Plan) -> str:
    """One line of what is made: ``bracket ×4 · PETG · black · standard · 80.0 × 40.0 × 12.5 mm``."""
    known = [line.material or ("as sliced" if plan.kind == "gcode" else "material: not stated")]
    known += [line.color] if line.color else []
    known += (
        [line.tier.value] if line.tier else ["as sliced" if plan.kind == "gcode" else "quality: not stated"]
    )
    if plan.kind == "gcode":
        known = ["ready G-code", *(k for k in known if k != "as sliced")]
    size = plan.preflight.size_um if plan.preflight else (0, 0, 0)
    if any(size):
        known.append(" × ".join(f"{um / 1000:.1f}" for um in size) + " mm")
    quantity = "" if line.quantity_stated else " (quantity not stated)"
    return " · ".join((f"{line.name} ×{line.quantity}{quantity}", *known))


def _pins(plan: Plan, line: LineItem, model_names: dict[str, str], many: bool) -> tuple[Pin, ...]:
    """What the approval of one Build Plan fixes, exactly."""
    of = f"{line.name}: " if many else ""
    pins: list[Pin] = []
    source = plan.gcode if plan.kind == "gcode" else (plan.mesh or line.part)
    if plan.kind == "gcode":
        sliced_by = plan.gate.slicer if plan.gate and plan.gate.slicer else "unknown slicer"
        pins.append(
            Pin(what=f"{of}recipe", value="ready G-code", why=f"made by {sliced_by}; it is not sliced again")
        )
    else:
        if plan.slicer is not None:
            value = f"{plan.slicer.name} {plan.slicer.version} ({plan.slicer.digest[:SHORT]})"
            pins.append(Pin(what=f"{of}slicer", value=value, why="this very program"))
        if plan.profile_ref is not None:
            sums = f" ({plan.profile_checksum[:SHORT]})" if plan.profile_checksum else ""
            pins.append(
                Pin(
                    what=f"{of}profile",
                    value=f"{plan.profile_ref}{sums}",
                    why="by material, quality and printer class; this version, never the latest",
                )
            )
    if source is not None:
        pins.append(Pin(what=f"{of}input", value=source.sha256[:SHORT], why="the content of the file"))
    if line.material is not None:
        pins.append(Pin(what=f"{of}material", value=line.material, why="as ordered"))
    if line.tier is not None:
        pins.append(Pin(what=f"{of}quality", value=line.tier.value, why="as ordered"))
    classes = (plan.model_id,) if plan.model_id else plan.fits_models
    if classes:
        names = " or ".join(model_names.get(c, c) for c in classes)
        pins.append(Pin(what=f"{of}printer class", value=names, why="any printer of this kind"))
    return tuple(pins)


def _risk(plans: tuple[Plan, ...]) -> str:
    levels = list(RiskLevel)
    worst = max((p.risk_level for p in plans), key=levels.index, default=RiskLevel.LOW)
    factors = dict.fromkeys(f for p in plans for f in p.risk_factors)
    return risk_words(worst, factors)


def estimate_words(plans: tuple[Plan, ...], lines: dict[str, LineItem]) -> str:
    """Material and time of all parts together: exact for ready G-code, a range of mass before slicing."""
    low = high = seconds = 0
    mass_unknown = time_unknown = False
    unsaid = False
    for plan in plans:
        number = lines[plan.item_id].quantity if plan.item_id in lines else 1
        if plan.kind == "gcode":
            mass = plan.gate.mass_mg if plan.gate else None
            took = plan.gate.time_s if plan.gate else None
            mass_unknown, time_unknown = mass_unknown or mass is None, time_unknown or took is None
            low, high, seconds = (
                low + (mass or 0) * number,
                high + (mass or 0) * number,
                seconds + (took or 0) * number,
            )
            continue
        time_unknown = True
        found = plan.preflight
        if found is None or not found.mass_high_mg:
            mass_unknown = True
            line = lines.get(plan.item_id)
            unsaid = unsaid or (line is not None and line.material is None)
            continue
        low, high = low + found.mass_low_mg * number, high + found.mass_high_mg * number
    ready = bool(plans) and all(p.kind == "gcode" for p in plans)
    if mass_unknown or not plans:
        # The part's own figures were taken before anybody said which material; nothing is made up for them here.
        known_later = "known after slicing" if not unsaid else "not known before a material is chosen"
        mass_text = (
            f"material: {'not stated in the file' if ready else known_later if plans else 'not known'}"
        )
    else:
        mass_text = f"material: {grams(high) if low == high else grams_range(low, high)} in all"
    if not time_unknown and plans:
        time_text = f"time: {duration(seconds)}, by the slicer"
    else:
        time_text = "time: not stated in the file" if ready else "time: known after slicing"
    return f"{mass_text} · {time_text}"
