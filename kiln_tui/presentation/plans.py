"""A Build Plan, whole: what it pins, what the gates found, and its revisions."""

from collections.abc import Sequence

from core.client.views import ItemDetail, OrderDetail
from core.domain.objects import GateSummary, Plan
from core.domain.words import PlanState, Verdict
from kiln_tui.presentation.approval import finding_lines
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.orders import plan_pins
from kiln_tui.presentation.text import BLANK, Line, cell, line
from kiln_tui.presentation.units import count, duration, grams, mass_range, size_mm
from kiln_tui.presentation.words import RISK_ROLE, factor_label, plan_word, risk_word

_VERDICT = {
    Verdict.PASS: ("passed", "ok"),
    Verdict.WARN: ("passed with warnings", "warn"),
    Verdict.FAIL: ("failed", "alert"),
}


def plan_lines(detail: ItemDetail, order: OrderDetail, look: Look) -> list[Line]:
    """Everything about one Build Plan."""
    plan, item = detail.plan, detail.item
    if plan is None:
        return [
            line((item.name, "title"), (f"  ×{item.quantity}", "bold")),
            BLANK,
            line("There is no Build Plan yet: the checks of this file are still running."),
        ]
    out = [
        line(
            (item.name, "title"),
            (f"  ×{item.quantity}", "bold"),
            (f"  Order {order.row.intent.number}", "dim"),
        ),
        line((f"Build Plan revision {plan.revision}, ", "dim"), (plan_word(plan), _state_role(plan))),
    ]
    if plan.dispatch_blocked:
        out += [BLANK, line((f"{look.icons.alert} Plan locked: ", "alert"), plan.dispatch_blocked, hang=2)]
    out += [BLANK, line((risk_word(plan.risk_level), RISK_ROLE[plan.risk_level]))]
    out += [
        line((f"  {look.icons.bullet} ", "dim"), factor_label(code), hang=4) for code in plan.risk_factors
    ]
    title = "This is pinned" if plan.state is PlanState.APPROVED else "An approval pins this"
    out += [BLANK, line((title, "dim"))]
    pins = plan_pins(plan, detail.models)
    if plan.state is PlanState.DRAFT:
        pins = [pin for pin in pins if pin[0] != "Approved by"]
    out += [line(("  " + cell(name, 14), "dim"), value, hang=16) for name, value in pins]
    out += _checks(plan, look)
    if plan.gate is not None:
        out += gate_lines(plan.gate, look)
    return out + revision_lines([plan])


def _state_role(plan: Plan) -> str:
    if plan.dispatch_blocked:
        return "alert"
    return {PlanState.APPROVED: "ok", PlanState.DRAFT: "info"}.get(plan.state, "dim")


def _checks(plan: Plan, look: Look) -> list[Line]:
    summary = plan.preflight
    if summary is None:
        return []
    word, role = _VERDICT[summary.verdict]
    known = summary.mass_high_mg > 0
    mass = (
        f"{mass_range(summary.mass_low_mg, summary.mass_high_mg)} a piece" if known else "mass after slicing"
    )
    out = [
        BLANK,
        line(("Checks of the part  ", "dim"), (word, role)),
        line(
            (f"  {size_mm(summary.size_um)}, {count(summary.triangles, 'triangle')}, {mass}", "dim"), hang=2
        ),
    ]
    for finding in summary.findings:
        out += finding_lines(finding, look)
    return out


def gate_lines(gate: GateSummary, look: Look) -> list[Line]:
    """What the G-code gate said."""
    word, role = _VERDICT[gate.verdict]
    facts = [
        f"nozzle up to {gate.max_hotend}°" if gate.max_hotend is not None else "",
        f"bed up to {gate.max_bed}°" if gate.max_bed is not None else "",
        f"{gate.layers} layers" if gate.layers is not None else "",
        f"{duration(gate.time_s)}" if gate.time_s is not None else "time unknown",
        f"{grams(gate.mass_mg)} in this file" if gate.mass_mg is not None else "",
    ]
    out = [
        BLANK,
        line(("G-code gate  ", "dim"), (word, role)),
        line(("  " + ", ".join(fact for fact in facts if fact), "dim"), hang=2),
    ]
    for finding in gate.findings:
        out += finding_lines(finding, look)
    return out


def revision_lines(plans: Sequence[Plan]) -> list[Line]:
    """The revisions, newest first."""
    out = [BLANK, line(("Revisions", "dim"))]
    for plan in sorted(plans, key=lambda each: -each.revision):
        by = f" by {plan.approved_by}" if plan.approved_by else ""
        out.append(line((f"  r{plan.revision}  ", "bold"), (plan_word(plan), _state_role(plan)), (by, "dim")))
    return out


def plan_strip(detail: ItemDetail, order: OrderDetail, look: Look) -> list[Line]:
    """A Build Plan for a small terminal."""
    plan = detail.plan
    if plan is None:
        return plan_lines(detail, order, look)
    profile = plan.profile_ref or "profile not chosen yet"
    out = [
        line((detail.item.name, "title"), (f"  r{plan.revision} {plan_word(plan)}", _state_role(plan)),
             ("  ", "dim"), (risk_word(plan.risk_level), RISK_ROLE[plan.risk_level])),
        line((f"{profile}  ·  {' or '.join(detail.models) or 'no known printer'}", "dim")),
    ]  # fmt: skip
    findings = (
        *(plan.preflight.findings if plan.preflight else ()),
        *(plan.gate.findings if plan.gate else ()),
    )
    for finding in findings[:3]:
        out.append(line((f"{look.icons.warn} ", "warn"), finding.what, hang=2))
    if not findings:
        out.append(line((f"{look.icons.ok} The checks found nothing.", "ok")))
    return out
