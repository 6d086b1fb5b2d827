"""An Order, whole: the calm page."""

from core.client.views import ItemDetail, OrderDetail, OrderRow
from core.domain.objects import Intent, Plan, Run
from core.domain.reasons import label
from core.domain.words import PaymentStatus, RunState, Verdict
from kiln_tui.presentation.cards import action_lines
from kiln_tui.presentation.events import chain_lines
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, Span, line
from kiln_tui.presentation.units import count, day_clock, due, mass_range, size_mm
from kiln_tui.presentation.words import plan_word, stage_role
from kiln_tui.rows import order_title

_MISSING = {
    "material": "material",
    "tier": "quality",
    "color": "colour",
    "quantity": "quantity",
    "model_id": "printer",
}


def _source(intent: Intent, look: Look) -> str:
    words = {"hot_folder": "from the inbox", "manual": "by hand", "csv": "from a table", "api": "by the interface",
             "generated": "generated"}  # fmt: skip
    return f"{words.get(intent.source, 'from ' + intent.source)} {day_clock(intent.created_at, look.now, look.zone)}"


def order_head(row: OrderRow, look: Look) -> list[Line]:
    """Number, title, stage, the one reason, due, counts."""
    intent = row.intent
    stage: list[str | Span] = [("Stage  ", "dim"), (row.stage, stage_role(row.stage, row.block))]
    if row.block:
        stage.append(f"  {row.block}")
    out = [
        line((f"Order {intent.number}", "title"), (f"  {order_title(row)}", "bold"), hang=2),
        line(
            (_source(intent, look), "dim"),
            (f"  for {intent.customer_ref}" if intent.customer_ref else "", "dim"),
        ),
        BLANK,
        Line(tuple((p, "text") if isinstance(p, str) else p for p in stage), hang=7),
    ]
    if intent.open:
        when = due(intent.due_at, look.now)
        if intent.due_at is not None:
            when += f", {day_clock(intent.due_at, look.now, look.zone)}"
        late = intent.due_at is not None and intent.due_at < look.now
        out.append(line(("Due    ", "dim"), (when, "alert" if late else "text")))
    out.append(
        line(("Parts  ", "dim"), *counts(row.promised, row.good, row.in_progress, row.to_make), hang=7)
    )
    if intent.payment is not PaymentStatus.NOT_REQUIRED:
        out.append(line(("Paid   ", "dim"), intent.payment.value.replace("_", " ")))
    if intent.cancel_reason is not None:
        out.append(line(("Why    ", "dim"), intent.cancel_reason.value.replace("_", " ")))
    return out


def counts(promised: int, good: int, in_progress: int, to_make: int) -> list[Span]:
    """``16 promised · 2 good · 14 in progress · 0 to make``."""
    return [
        (f"{promised} promised", "text"),
        ("  ·  ", "dim"),
        (f"{good} good", "ok" if good else "dim"),
        ("  ·  ", "dim"),
        (f"{in_progress} in progress", "info" if in_progress else "dim"),
        ("  ·  ", "dim"),
        (f"{to_make} to make", "text" if to_make else "dim"),
    ]


def item_lines(detail: ItemDetail) -> list[Line]:
    """A line item: quantity, name, what is wanted, what was said of it, what was made."""
    item, plan = detail.item, detail.plan
    wanted = ", ".join(
        part
        for part in (
            item.material or "material?",
            item.color or "",
            f"{item.tier.value} quality" if item.tier else "quality?",
            *(text.replace("_", " ") for text in item.constraints),
        )
        if part
    )
    spans: list[Span] = [(f"{item.quantity} × ", "bold"), (item.name, "bold"), (f"  {wanted}", "text")]
    out = [Line(tuple(spans), hang=4)]
    if detail.missing:
        words = " and ".join(_MISSING.get(name, name) for name in detail.missing)
        out.append(line((f"    never said: {words}", "warn"), hang=4))
    facts: list[Span] = [("    ", "text")]
    if plan is not None and plan.preflight is not None:
        verdict = plan.preflight.verdict
        role = {Verdict.PASS: "ok", Verdict.WARN: "warn", Verdict.FAIL: "alert"}[verdict]
        notes = len(plan.preflight.findings)
        word = {Verdict.PASS: "checks passed", Verdict.WARN: f"checks: {count(notes, 'warning')}",
                Verdict.FAIL: f"checks failed: {count(notes, 'finding')}"}[verdict]  # fmt: skip
        facts += [(word, role), (f"  {size_mm(plan.preflight.size_um)}", "dim")]
        if plan.preflight.mass_high_mg:
            facts.append(
                (f"  {mass_range(plan.preflight.mass_low_mg, plan.preflight.mass_high_mg)} a piece", "dim")
            )
        out.append(Line(tuple(facts), hang=4))
    out.append(
        line("    ", *counts(item.quantity, detail.good, detail.in_progress, detail.to_make)[2:], hang=4)
    )
    if plan is not None:
        out.append(line(("    ", "text"), (f"Build Plan r{plan.revision} {plan_word(plan)}", "dim")))
    return out


def run_line(run: Run, look: Look) -> Line:
    """A Print Attempt in one line."""
    role = {RunState.COMPLETED: "ok", RunState.FAILED: "alert", RunState.NEEDS_DECISION: "alert",
            RunState.ABORTED: "warn", RunState.PAUSED: "warn"}.get(run.state, "info")  # fmt: skip
    when = day_clock(run.ended_at or run.started_at or run.queued_at, look.now, look.zone)
    reason = f" ({label(run.reason).lower()})" if run.reason else ""
    where = f" on {run.printer_id}" if run.printer_id else ""
    return line(
        (f"{when}  ", "dim"), f"Print Attempt {run.number}{where}  ", (f"{run.state.on_screen}{reason}", role)
    )


def order_lines(row: OrderRow, detail: OrderDetail | None, look: Look) -> list[Line]:
    """The whole Order; what is not fetched yet is said to be so."""
    out = order_head(row, look)
    if row.actions:
        out += [BLANK, *action_lines(row.actions, look)]
    if detail is None or detail.row.intent.intent_id != row.intent.intent_id:
        return [*out, BLANK, line(("fetching the rest…", "dim"))]
    for item in detail.items:
        out += [BLANK, *item_lines(item)]
    if detail.runs:
        out += [BLANK, line(("Print Attempts", "dim"))]
        out += [run_line(run, look) for run in detail.runs]
    if detail.timeline:
        out += [BLANK, line(("Timeline, newest first", "dim")), *chain_lines(detail.timeline[:20], look)]
    return out


def order_strip(row: OrderRow, detail: OrderDetail | None, look: Look) -> list[Line]:
    """The Order for a small terminal."""
    out = [order_head(row, look)[0]]
    if row.block:
        out.append(line(row.block))
    out.append(line(*counts(row.promised, row.good, row.in_progress, row.to_make)))
    if detail is not None and detail.row.intent.intent_id == row.intent.intent_id:
        for item in detail.items[:2]:
            out.append(item_lines(item)[0])
        if len(detail.items) > 2:
            out.append(
                line((f"and {count(len(detail.items) - 2, 'more part')}: press ", "dim"), ("w", "key"))
            )
    return out


def plan_pins(plan: Plan, models: tuple[str, ...]) -> list[tuple[str, str]]:
    """What a Build Plan pins, or would pin; `models` are the names of its printer classes."""
    return [
        ("Kind", "sliced here" if plan.kind == "model" else "ready G-code (sliced elsewhere)"),
        ("Printer class", " or ".join(models) or "no known printer"),
        ("Profile", plan.profile_ref or "not chosen yet"),
        ("Slicer", f"{plan.slicer.name} {plan.slicer.version}" if plan.slicer else "not chosen yet"),
        ("Supports", plan.supports),
        ("Approved by", plan.approved_by or "nobody yet"),
    ]
