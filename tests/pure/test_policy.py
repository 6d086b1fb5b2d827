"""Every rule of policy, one by one and as properties; and the policy file itself."""

import contextlib
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.domain.policy import (
    ApprovalRequired,
    Policy,
    PolicyInvalid,
    Ruling,
    approval_reasons,
    evaluate,
    read_policy,
)
from core.domain.words import DecisionOutcome, Health, QualityTier, RiskLevel, Verdict
from core.site.core import default_policy

ALLOW, BLOCK, ASK = DecisionOutcome.ALLOW, DecisionOutcome.BLOCK, DecisionOutcome.REQUIRE_APPROVAL
TRANSITIONS = ("ApprovePlan", "DispatchRun", "StartPrint", "AutoReprint")
MATERIALS = ("PLA", "PETG", "ABS", "PA")

PERSON = {"actor": "operator"}
KILN = {"actor": "policy"}
PART = {
    "preflight": "pass",
    "tier": "standard",
    "material": "PLA",
    "risk": "low",
    "payment": "paid",
    "source": "x",
}
READY = {"printer.health": "ok", "bed": "permit", "attempts": "0", "payment": "not_required", "source": "x"}
START = {"printer.health": "ok", "bed": "permit", "gate": "pass"}

policies = st.builds(
    Policy,
    version=st.integers(1, 9),
    auto_slice=st.booleans(),
    auto_dispatch=st.booleans(),
    auto_reprint=st.booleans(),
    auto_approve=st.booleans(),
    approval_required=st.builds(
        ApprovalRequired,
        preflight=st.lists(st.sampled_from(Verdict), unique=True).map(tuple),
        tier=st.lists(st.sampled_from(QualityTier), unique=True).map(tuple),
        risk_at_least=st.sampled_from(RiskLevel),
        material=st.lists(st.sampled_from(MATERIALS), unique=True).map(tuple),
    ),
    retry_ceiling=st.integers(0, 5),
    payment_required_sources=st.lists(st.sampled_from(["shopify", "etsy"]), unique=True).map(tuple),
    unknown_gcode_commands=st.sampled_from(Verdict),
)
inputs = st.fixed_dictionaries(
    {},
    optional={
        "actor": st.sampled_from(["operator", "policy"]),
        "preflight": st.sampled_from([v.value for v in Verdict]),
        "tier": st.sampled_from(["", *(t.value for t in QualityTier)]),
        "material": st.sampled_from(["", *MATERIALS]),
        "risk": st.sampled_from([r.value for r in RiskLevel]),
        "payment": st.sampled_from(["paid", "pending", "not_required"]),
        "source": st.sampled_from(["", "hot_folder", "shopify", "etsy"]),
        "standing": st.sampled_from(["yes", "no"]),
        "approved": st.sampled_from(["yes", "no"]),
        "printer.health": st.sampled_from([h.value for h in Health]),
        "bed": st.sampled_from(["permit", "unknown", "occupied", "clear"]),
        "gate": st.sampled_from([v.value for v in Verdict]),
        "attempts": st.integers(0, 9).map(str),
    },
)
transitions = st.sampled_from([*TRANSITIONS, "LaunchRocket"])


def ruled(policy: Policy | None, transition: str, *parts: dict[str, str], **more: str) -> Ruling:
    used: dict[str, str] = {}
    for part in (*parts, more):
        used |= part
    return evaluate(policy, transition, used)


# --- properties -------------------------------------------------------------------------------------------------


@given(st.none() | policies, transitions, inputs)
def test_the_recorded_inputs_give_the_recorded_outcome(
    policy: Policy | None, transition: str, used: dict[str, str]
) -> None:
    """As a replay does it: policy and inputs come back from their bytes, in another order."""
    before = dict(used)
    ruling = evaluate(policy, transition, used)
    assert used == before
    recorded = msgspec.json.decode(msgspec.json.encode(dict(reversed(used.items()))), type=dict[str, str])
    kept = msgspec.json.decode(msgspec.json.encode(policy), type=Policy | None)
    assert evaluate(kept, transition, recorded) == ruling
    assert ruling.explanations
    assert all(explanation.strip() for explanation in ruling.explanations)


@given(transitions, inputs)
def test_without_a_policy_nothing_happens_by_itself(transition: str, used: dict[str, str]) -> None:
    ruling = evaluate(None, transition, used | KILN | {"approved": "no"})
    assert ruling.outcome is not ALLOW
    if ruling.outcome is ASK:
        assert "nothing starts by itself" in ruling.explanations[0]


@given(policies, st.sampled_from(TRANSITIONS), inputs)
def test_without_a_policy_a_person_may_do_what_any_policy_lets_them(
    policy: Policy, transition: str, used: dict[str, str]
) -> None:
    with_policy = evaluate(policy, transition, used | PERSON)
    without = evaluate(None, transition, used | PERSON)
    assert (without.outcome is BLOCK) == (with_policy.outcome is BLOCK)
    if without.outcome is not BLOCK:
        assert without == Ruling(ALLOW, ("Policy evaluator degraded; proceeding under manual override",))


@given(st.none() | policies, inputs)
def test_no_policy_and_nobody_starts_a_printer_that_must_not_start(
    policy: Policy | None, used: dict[str, str]
) -> None:
    ok = used.get("printer.health") == "ok" and used.get("bed") == "permit"
    for transition in ("DispatchRun", "StartPrint"):
        if not ok:
            assert evaluate(policy, transition, used).outcome is BLOCK
    if used.get("gate", "fail") == "fail":
        assert evaluate(policy, "StartPrint", used).outcome is BLOCK


@given(policies, st.sampled_from(TRANSITIONS), inputs)
def test_a_person_is_never_asked_to_ask_a_person(
    policy: Policy, transition: str, used: dict[str, str]
) -> None:
    """Only an unpaid Order parks what a person queued; that needs a word of its own."""
    outcome = evaluate(policy, transition, used | PERSON | {"approved": "yes"}).outcome
    assert outcome in (ALLOW, BLOCK)


@given(policies, inputs)
def test_more_reasons_never_make_it_easier(policy: Policy, used: dict[str, str]) -> None:
    strict = msgspec.structs.replace(
        policy,
        approval_required=ApprovalRequired(
            preflight=tuple(Verdict), tier=tuple(QualityTier), risk_at_least=RiskLevel.LOW, material=MATERIALS
        ),
    )
    order = [ALLOW, ASK, BLOCK]
    easy = evaluate(policy, "ApprovePlan", used).outcome
    hard = evaluate(strict, "ApprovePlan", used).outcome
    assert order.index(hard) >= order.index(easy)


# --- approving --------------------------------------------------------------------------------------------------

AUTO = Policy(version=1, auto_approve=True, payment_required_sources=("shopify",))


def test_what_preflight_failed_is_approved_by_nobody() -> None:
    for actor in (PERSON, KILN):
        for policy in (None, AUTO):
            ruling = ruled(policy, "ApprovePlan", PART, actor, preflight="fail", standing="yes")
            assert ruling == Ruling(BLOCK, ("Preflight failed: the part cannot be made as it is",))


def test_approval_is_automatic_only_where_that_is_on() -> None:
    assert ruled(AUTO, "ApprovePlan", PART, KILN) == Ruling(ALLOW, ("Nothing asks for a person",))
    off = ruled(Policy(version=1), "ApprovePlan", PART, KILN)
    assert off == Ruling(ASK, ("Automatic approval is off",))


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ({"preflight": "warn"}, "Preflight: WARN"),
        ({"tier": "functional"}, "Quality tier: functional"),
        ({"risk": "high"}, "Risk: HIGH"),
        (
            {"payment": "pending", "source": "shopify"},
            "Payment is pending and orders from shopify are prepaid",
        ),
    ],
)
def test_each_reason_asks_for_a_person_and_is_told_to_one(why: dict[str, str], says: str) -> None:
    assert ruled(AUTO, "ApprovePlan", PART, KILN, why) == Ruling(ASK, (says,))
    assert ruled(AUTO, "ApprovePlan", PART, PERSON, why) == Ruling(ALLOW, ("A person approved", says))
    covered = ruled(AUTO, "ApprovePlan", PART, KILN, why, standing="yes")
    assert covered == Ruling(ALLOW, ("A standing approval covers it", says))


def test_a_material_that_asks_for_a_person() -> None:
    policy = Policy(version=1, auto_approve=True, approval_required=ApprovalRequired(material=("ABS",)))
    assert ruled(policy, "ApprovePlan", PART, KILN, material="ABS") == Ruling(ASK, ("Material: ABS",))
    assert ruled(policy, "ApprovePlan", PART, KILN, material="PLA").outcome is ALLOW


@pytest.mark.parametrize(("least", "asked"), [("low", 3), ("medium", 2), ("high", 1)])
def test_the_risk_threshold_counts_from_its_level_on(least: str, asked: int) -> None:
    policy = Policy(version=1, approval_required=ApprovalRequired(risk_at_least=RiskLevel(least)))
    said = [approval_reasons(policy, PART | {"risk": risk.value}) for risk in RiskLevel]
    assert sum(bool(reasons) for reasons in said) == asked


# --- dispatching ------------------------------------------------------------------------------------------------

CEILING = Policy(version=1, retry_ceiling=2, payment_required_sources=("etsy",))


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ({"printer.health": "degraded"}, "The printer is degraded"),
        ({"printer.health": "out_of_service"}, "The printer is out_of_service"),
        ({"bed": "unknown"}, "Nobody said that the bed is clear"),
    ],
)
def test_no_dispatch_to_a_printer_that_is_not_ready(why: dict[str, str], says: str) -> None:
    for actor in (PERSON, KILN):
        assert ruled(CEILING, "DispatchRun", READY, actor, why, approved="yes") == Ruling(BLOCK, (says,))


@pytest.mark.parametrize(("attempts", "outcome"), [("0", ALLOW), ("1", ALLOW), ("2", ASK), ("7", ASK)])
def test_the_ceiling_counts_attempts(attempts: str, outcome: DecisionOutcome) -> None:
    assert ruled(CEILING, "DispatchRun", READY, KILN, attempts=attempts).outcome is outcome
    assert ruled(CEILING, "DispatchRun", READY, PERSON, attempts=attempts).outcome is ALLOW
    assert ruled(CEILING, "DispatchRun", READY, KILN, attempts=attempts, approved="yes").outcome is ALLOW


def test_an_unpaid_order_waits_unless_a_person_let_it_go() -> None:
    unpaid = {"payment": "pending", "source": "etsy"}
    assert ruled(CEILING, "DispatchRun", READY, KILN, unpaid) == Ruling(ASK, ("The Order is not paid",))
    assert ruled(CEILING, "DispatchRun", READY, KILN, unpaid, approved="yes").outcome is ALLOW
    assert ruled(CEILING, "DispatchRun", READY, KILN, unpaid, source="walk-in").outcome is ALLOW


# --- starting and printing again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ({"printer.health": "degraded"}, "The printer is degraded"),
        ({"bed": "unknown"}, "The bed-clear permit is gone"),
        ({"gate": "fail"}, "The G-code gate refused this file"),
    ],
)
def test_what_stops_a_start(why: dict[str, str], says: str) -> None:
    assert ruled(CEILING, "StartPrint", START, KILN).outcome is ALLOW
    assert ruled(CEILING, "StartPrint", START, KILN, gate="warn").outcome is ALLOW
    assert ruled(CEILING, "StartPrint", START, KILN, why) == Ruling(BLOCK, (says,))


def test_without_a_policy_an_attempt_that_a_person_let_go_runs_to_its_start() -> None:
    assert ruled(None, "ApprovePlan", PART, PERSON).outcome is ALLOW
    assert ruled(None, "DispatchRun", READY, KILN, approved="no").outcome is ASK
    assert ruled(None, "DispatchRun", READY, KILN, approved="yes").outcome is ALLOW
    assert ruled(None, "StartPrint", START, KILN, approved="no").outcome is ASK
    assert ruled(None, "StartPrint", START, KILN, approved="yes").outcome is ALLOW


def test_reprints() -> None:
    on = Policy(version=1, auto_reprint=True, retry_ceiling=2)
    assert ruled(on, "AutoReprint", KILN, attempts="1").outcome is ALLOW
    assert ruled(on, "AutoReprint", KILN, attempts="2") == Ruling(
        ASK, ("2 attempts so far; the ceiling is 2",)
    )
    assert ruled(Policy(version=1), "AutoReprint", KILN) == Ruling(ASK, ("Automatic reprints are off",))
    assert ruled(Policy(version=1), "AutoReprint", PERSON, attempts="9").outcome is ALLOW


def test_what_policy_does_not_know_is_blocked() -> None:
    for policy in (None, AUTO):
        for actor in (PERSON, KILN):
            ruling = ruled(policy, "LaunchRocket", actor)
            assert ruling == Ruling(BLOCK, ("LaunchRocket is not a transition that policy knows",))


# --- the file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("version: 1\nauto_dispach: true\n", "auto_dispach"),
        ("version: one\n", "$.version"),
        ("auto_slice: true\n", "version"),
        ("version: 1\nretry_ceiling: many\n", "$.retry_ceiling"),
        ("version: 1\napproval_required: {tier: [shiny]}\n", "$.approval_required.tier"),
        ("version: 1\napproval_required: {risk_at_least: huge}\n", "$.approval_required.risk_at_least"),
        ("version: 1\nauto_approve: 1\n", "$.auto_approve"),
        ("- version: 1\n", "array"),
        ("''\n", "str"),
    ],
)
def test_a_wrong_policy_file_names_its_key(text: str, names: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        read_policy(yaml.safe_load(text))
    assert names in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=12,
    )
)
def test_no_document_breaks_the_reader(document: Any) -> None:
    with contextlib.suppress(PolicyInvalid):
        assert isinstance(read_policy(document), Policy)


def test_the_default_policy_asks_a_person_for_everything_that_is_made() -> None:
    policy = default_policy()
    assert not policy.auto_approve
    assert not policy.auto_reprint
    assert ruled(policy, "ApprovePlan", PART, KILN).outcome is ASK
