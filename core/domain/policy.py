"""Policy: thresholds and sets over a closed list of predicates; deterministic, replayable. Pure.

The inputs of a decision are strings only, recorded whole in DecisionMade: evaluating the recorded inputs
under the recorded policy version gives the recorded outcome (invariant 14).
"""

from typing import Any

import msgspec

from core.domain.words import DecisionOutcome, QualityTier, RiskLevel, Verdict

POLICY_ID = "site-policy"


class ApprovalRequired(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any of these makes a person's approval necessary."""

    preflight: tuple[Verdict, ...] = (Verdict.WARN,)
    tier: tuple[QualityTier, ...] = (QualityTier.FUNCTIONAL,)
    risk_at_least: RiskLevel = RiskLevel.HIGH
    material: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a site lets happen by itself (`policy.yaml`)."""

    version: int
    auto_slice: bool = True
    auto_dispatch: bool = True
    auto_reprint: bool = False
    auto_approve: bool = False
    approval_required: ApprovalRequired = ApprovalRequired()
    retry_ceiling: int = 3
    payment_required_sources: tuple[str, ...] = ()
    unknown_gcode_commands: Verdict = Verdict.WARN


class PolicyInvalid(Exception):
    """The policy file cannot be used; str() says which value is wrong."""


def read_policy(document: Any) -> Policy:
    """A policy from the content of its YAML file."""
    try:
        return msgspec.convert(document, Policy, strict=True)
    except msgspec.ValidationError as error:
        raise PolicyInvalid(str(error)) from None


class Ruling(msgspec.Struct, frozen=True):
    """What policy says: the outcome and why, most important reason first."""

    outcome: DecisionOutcome
    explanations: tuple[str, ...]


_RISK_ORDER = [RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH]


def evaluate(policy: Policy | None, transition: str, inputs: dict[str, str]) -> Ruling:
    """The ruling on a governed transition: ApprovePlan, DispatchRun, StartPrint or AutoReprint.

    Predicates used: ``actor`` (operator | policy), ``preflight``, ``tier``, ``material``, ``risk``,
    ``payment``, ``source``, ``printer.health``, ``bed``, ``gate``, ``attempts``, ``standing`` and ``approved``
    (yes | no).

    What no policy may allow (a part that cannot be made, a printer that is not there, a bed nobody cleared) blocks
    whoever acts and whatever the policy says. Without a usable policy: closed for automatic actions, open for what
    a person did or let go (``approved``).
    """
    blocked = _blocked(transition, inputs)
    if blocked:
        return Ruling(DecisionOutcome.BLOCK, (blocked,))
    human = inputs.get("actor") == "operator"
    if policy is None:
        return _degraded(human or inputs.get("approved") == "yes")
    match transition:
        case "ApprovePlan":
            return _approve_plan(policy, inputs, human)
        case "DispatchRun":
            return _dispatch(policy, inputs, human)
        case "AutoReprint":
            return _reprint(policy, inputs, human)
    return Ruling(
        DecisionOutcome.ALLOW, ("Two looks agree with the bed-clear permit; the file passed its gate",)
    )


def _blocked(transition: str, inputs: dict[str, str]) -> str:
    """What stands against it under any policy, or ''."""
    match transition:
        case "ApprovePlan":
            if inputs.get("preflight") == Verdict.FAIL:
                return "Preflight failed: the part cannot be made as it is"
        case "DispatchRun" | "StartPrint":
            if inputs.get("printer.health") != "ok":
                return f"The printer is {inputs.get('printer.health', 'unknown')}"
            if inputs.get("bed") != "permit":
                starting = transition == "StartPrint"
                return "The bed-clear permit is gone" if starting else "Nobody said that the bed is clear"
            if transition == "StartPrint" and inputs.get("gate") not in (Verdict.PASS, Verdict.WARN):
                return "The G-code gate refused this file"
        case "AutoReprint":
            pass
        case _:
            return f"{transition} is not a transition that policy knows"
    return ""


def _degraded(let_go: bool) -> Ruling:
    if let_go:
        return Ruling(DecisionOutcome.ALLOW, ("Policy evaluator degraded; proceeding under manual override",))
    return Ruling(
        DecisionOutcome.REQUIRE_APPROVAL, ("The policy file cannot be read; nothing starts by itself",)
    )


def _unpaid(policy: Policy, inputs: dict[str, str]) -> bool:
    return inputs.get("source") in policy.payment_required_sources and inputs.get("payment") != "paid"


def _approve_plan(policy: Policy, inputs: dict[str, str], human: bool) -> Ruling:
    why = approval_reasons(policy, inputs)
    if human:
        return Ruling(DecisionOutcome.ALLOW, ("A person approved", *why))
    if inputs.get("standing") == "yes":
        return Ruling(DecisionOutcome.ALLOW, ("A standing approval covers it", *why))
    if not policy.auto_approve:
        why = ("Automatic approval is off", *why)
    if why:
        return Ruling(DecisionOutcome.REQUIRE_APPROVAL, why)
    return Ruling(DecisionOutcome.ALLOW, ("Nothing asks for a person",))


def approval_reasons(policy: Policy, inputs: dict[str, str]) -> tuple[str, ...]:
    """Why this part would need a person, whoever acts."""
    wanted = policy.approval_required
    why: list[str] = []
    if inputs.get("preflight") in [v.value for v in wanted.preflight]:
        why.append(f"Preflight: {inputs['preflight'].upper()}")
    if inputs.get("tier") in [t.value for t in wanted.tier]:
        why.append(f"Quality tier: {inputs['tier']}")
    if inputs.get("material") in wanted.material:
        why.append(f"Material: {inputs['material']}")
    risk = RiskLevel(inputs.get("risk", RiskLevel.LOW))
    if _RISK_ORDER.index(risk) >= _RISK_ORDER.index(wanted.risk_at_least):
        why.append(f"Risk: {risk.value.upper()}")
    if _unpaid(policy, inputs):
        why.append(f"Payment is {inputs.get('payment')} and orders from {inputs.get('source')} are prepaid")
    return tuple(why)


def _dispatch(policy: Policy, inputs: dict[str, str], human: bool) -> Ruling:
    if inputs.get("approved") == "yes":
        return Ruling(DecisionOutcome.ALLOW, ("A person let this attempt go",))
    if _unpaid(policy, inputs):
        return Ruling(DecisionOutcome.REQUIRE_APPROVAL, ("The Order is not paid",))
    if int(inputs.get("attempts", "0")) >= policy.retry_ceiling and not human:
        return Ruling(
            DecisionOutcome.REQUIRE_APPROVAL,
            (f"{inputs['attempts']} attempts so far; the ceiling is {policy.retry_ceiling}",),
        )
    return Ruling(DecisionOutcome.ALLOW, ("Printer ok, bed clear, within the ceiling",))


def _reprint(policy: Policy, inputs: dict[str, str], human: bool) -> Ruling:
    if human:
        return Ruling(DecisionOutcome.ALLOW, ("A person asked for the reprint",))
    if not policy.auto_reprint:
        return Ruling(DecisionOutcome.REQUIRE_APPROVAL, ("Automatic reprints are off",))
    if int(inputs.get("attempts", "0")) >= policy.retry_ceiling:
        return Ruling(
            DecisionOutcome.REQUIRE_APPROVAL,
            (f"{inputs['attempts']} attempts so far; the ceiling is {policy.retry_ceiling}",),
        )
    return Ruling(DecisionOutcome.ALLOW, ("Automatic reprints are on, within the ceiling",))
