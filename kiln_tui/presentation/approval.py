"""The approval sheet's words: questions first, then what gets pinned and the risk with its receipts."""

from core.client.views import ApprovalSheet, Missing
from core.domain.findings import Finding
from core.domain.words import Verdict
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import BLANK, Line, Span, cell, line

CHOICE_KEYS = "123456789bcdfgh"
"""Keys of a question's choices; more than these are typed."""


def finding_lines(finding: Finding, look: Look) -> list[Line]:
    """The four parts of a finding: what, why, fix, and what Kiln can do."""
    role = {Verdict.FAIL: "alert", Verdict.WARN: "warn"}.get(finding.severity, "ok")
    icon = {Verdict.FAIL: look.icons.alert, Verdict.WARN: look.icons.warn}.get(
        finding.severity, look.icons.ok
    )
    where = f"  ({finding.where})" if finding.where else ""
    out = [line((f"{icon} ", role), (finding.what, "bold"), (where, "dim"), hang=2)]
    if finding.why:
        out.append(line(("  Why       ", "dim"), finding.why, hang=12))
    if finding.fix:
        out.append(line(("  Fix       ", "dim"), finding.fix, hang=12))
    if finding.kiln_can:
        out.append(line(("  Kiln can  ", "dim"), finding.kiln_can, hang=12))
    return out


def question_lines(missing: Missing) -> list[Line]:
    """A question with its choices, each with a key."""
    out = [line((f"? {missing.question}", "warn"), (f"  {missing.item_name}", "dim"))]
    spans: list[Span] = [("  ", "text")]
    for key, choice in zip(CHOICE_KEYS, missing.choices, strict=False):
        spans += [(key, "key"), (f" {choice}".replace(" ", "\u00a0") + "   ", "text")]
    if not missing.choices:
        spans.append(("type the answer below", "dim"))
    if len(missing.choices) > len(CHOICE_KEYS):
        spans = [("  t", "key"), (f" choose from {len(missing.choices)}", "text")]
    return [*out, Line(tuple(spans), hang=2)]


def approval_lines(sheet: ApprovalSheet, similar: bool, look: Look) -> list[Line]:
    """The whole sheet."""
    out = [line(("Approve ", "dim"), (sheet.title, "title"))]
    out += [line((text, "dim")) for text in sheet.lines]
    out.append(BLANK)
    if sheet.missing:
        out += [*question_lines(sheet.missing[0])]
        if len(sheet.missing) > 1:
            out.append(line((f"  and {len(sheet.missing) - 1} more after that", "dim")))
        out.append(BLANK)
    elif sheet.problem:
        out += [line((f"{look.icons.alert} {sheet.problem}", "alert"), hang=2), BLANK]
    level = sheet.risk.split(":", 1)[0].split(" ", 1)[0].upper()
    role = {"LOW": "ok", "MEDIUM": "warn", "HIGH": "alert"}.get(level, "text")
    out += [
        line(("Estimate  ", "dim"), (sheet.estimate or "unknown until it is sliced", "bold"), hang=10),
        line(("Risk      ", "dim"), (sheet.risk or "unknown", role), hang=10),
    ]
    out += [
        line(("Policy    " if i == 0 else "          ", "dim"), text, hang=10)
        for i, text in enumerate(sheet.policy)
    ]
    out += [BLANK, line(("This gets pinned", "dim"))]
    name = max((len(pin.what) for pin in sheet.pins), default=4)
    for pin in sheet.pins:
        out.append(
            line(("  ", "text"), (cell(pin.what, name), "dim"), ("  ", "text"), (pin.value, "text"),
                 (f"  {pin.why}" if pin.why else "", "dim"), hang=name + 4)
        )  # fmt: skip
    if sheet.findings:
        out += [BLANK, line(("What the checks found", "dim"))]
        for finding in sheet.findings:
            out += finding_lines(finding, look)
    mark = look.icons.ticked if similar else look.icons.unticked
    out += [BLANK, line(("s", "key"), f" {mark} Approve similar Orders for the next 4 h without asking")]
    return out
