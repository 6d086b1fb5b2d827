"""One plain sentence for each type of event."""

import re
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from core.domain import events as ev
from core.domain.objects import Outcome
from core.domain.words import Actor, ItemResult
from core.views.events import Lookups, event_row, lookups, of_body, summary
from tests.pure import views_shop as make

NAMES = lookups((make.intent(),), (make.plate(number=2),), (make.printer(),))
IDS = {"intent_id": "int_1", "run_id": "run_1", "printer_id": "p1"}
TYPES = sorted(ev.Body.__subclasses__(), key=lambda kind: kind.__name__)


def sample(kind: Any) -> Any:
    """A value of any type that payloads are made of."""
    if get_origin(kind) in (Union, UnionType):
        return sample(next(a for a in get_args(kind) if a is not NoneType))
    if get_origin(kind) is tuple:
        inner = [a for a in get_args(kind) if a is not Ellipsis]
        return tuple(sample(a) for a in inner)
    if get_origin(kind) is dict:
        return {"key": "value"}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{name: sample(hint) for name, hint in get_type_hints(kind).items()})
    if isinstance(kind, type) and issubclass(kind, str) and kind is not str:
        return next(iter(kind))  # type: ignore[call-overload]  # every other str here is an enum
    return {int: 2, str: "text", bool: True}[kind]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_type_has_its_own_sentence(kind: type[ev.Body]) -> None:
    body = sample(kind)
    said = of_body(body, NAMES, IDS)
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in kind.__name__).strip()
    assert said != f"{words.capitalize()}."
    assert said[-1] in ".!?…"
    assert "None" not in said
    assert "_" not in said
    assert not re.search(r"(?<!printer )\bjobs?\b", said)
    payload = msgspec.to_builtins(body)
    assert summary(kind.__name__, {k: v for k, v in payload.items() if k != "type"}, NAMES, IDS) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            ev.IntentCreated(number=1042, source="hot_folder", items=(make.line(quantity=4),), customer_ref="Kim"),
            "Order 1042 came in: bracket ×4, for Kim.",
        ),
        (
            ev.IntentClarified(item_id="item_1", material="PETG", quantity=2),
            "bracket: material PETG, quantity 2.",
        ),
        (ev.IntentFulfilled(at=1), "Order 1041 is fulfilled."),
        (ev.PlanApproved(model_id="mk4", profile_ref="petg@1.0.0", profile_checksum=None, slicer=None, inputs=(),
                         by="ann"),
         "Build Plan approved by ann, with petg@1.0.0."),
        (
            ev.PlateDrafted(number=118, items=make.plate(number=4).items, model_id="mk4", dispatch=True),
            "bracket ×4 put together on Plate 118.",
        ),
        (
            ev.PlateDrafted(number=118, items=make.plate().items, model_id="mk4", dispatch=True),
            "bracket is to be printed.",
        ),
        (ev.SliceFailed(key="", code="TIMEOUT", message="Took too long"), "Slicing failed: Took too long."),
        (ev.RunClaimed(printer_id="p1", attempt=2, remote_name="k", nonce="n"),
         "The attempt goes to mk4-1, start 2."),
        (ev.StartReplied(reply="no_reply", detail="timed out"), "The start was not answered: timed out."),
        (ev.RunStarted(printer_job=None, snapshot={}, evidence="", at=1), "mk4-1 prints it."),
        (ev.RunFailed(at=1, reason="power_loss", text="It restarted"),
         "The attempt failed: Power loss. It restarted."),
        (
            ev.RunReconciled(from_state="needs_decision", to_state="failed", answer="adopt", by="ann"),
            "ann decided: take over what the printer says; the attempt is failed.",
        ),
        (
            ev.ItemOutcomeRecorded(
                outcome=Outcome(item_id="part_1_1", result=ItemResult.FAILED, reason="warping"),
                line_item_id="item_1",
                by="ann",
            ),
            "bracket: failed, warping (said by ann).",
        ),
        (ev.PlateCleared(permit_id="x", at=1, by="ann"), "ann saw the empty bed of mk4-1."),
        (ev.MaterialLoaded(material="", color=""), "Nothing is loaded on mk4-1."),
        (ev.PrinterStateChanged(health="offline", reason=""), "mk4-1 is offline."),
        (
            ev.DropReceived(name="a.stl", state="rejected", sha256="", dropped_at=1, findings=(make.FINDING,)),
            "a.stl was rejected: The mesh has 3 open edges.",
        ),
        (
            ev.DecisionMade(
                decision_id="d",
                policy_id="p",
                policy_version="1",
                transition="ApprovePlan",
                inputs={},
                outcome="REQUIRE_APPROVAL",
                explanations=("preflight is WARN",),
            ),
            "Policy wants a person to decide on the Build Plan: preflight is WARN.",
        ),
    ],
)  # fmt: skip
def test_sentences(body: ev.Body, said: str) -> None:
    assert of_body(body, NAMES, IDS) == said


def test_what_is_not_known_is_called_by_its_kind() -> None:
    assert of_body(ev.RunStarted(printer_job=None, snapshot={}, evidence="", at=1), Lookups(), {}) == (
        "The printer prints it."
    )
    assert of_body(ev.IntentFulfilled(at=1), Lookups(), {}) == "The order is fulfilled."


def test_types_of_a_later_program_get_a_plain_sentence() -> None:
    assert summary("SpoolDepleted", {"spool": "x"}, NAMES, IDS) == "Spool depleted."
    assert summary("RunStarted", {"nothing": "fits"}, NAMES, IDS) == "Run started."
    assert summary("", {}, NAMES, IDS) == "Something happened."


def test_hostile_text_is_cleaned() -> None:
    said = of_body(ev.AnomalyDetected(text="\x1b[2Jgone" + "x" * 1000), NAMES, IDS)
    assert "\x1b" not in said
    assert len(said) <= 240


def test_a_row_carries_the_envelope() -> None:
    event = ev.Event(
        seq=7,
        event_id="ev_1",
        version=1,
        wall_ns=1_800_000_000_500_000_000,
        mono_ns=0,
        boot_id="b",
        subject_kind="run",
        subject_id="run_1",
        subject_version=3,
        intent_id="int_1",
        plan_id=None,
        build_plate_id="plate_1",
        run_id="run_1",
        printer_id="p1",
        correlation_id="int_1",
        causation_id="ev_0",
        actor=Actor.CONTROLLER,
        who="printer",
        body=ev.RunPaused(evidence="poll: paused"),
    )
    row = event_row(event, NAMES)
    assert (row.seq, row.type, row.wall, row.actor) == (7, "RunPaused", 1_800_000_000.5, "controller")
    assert row.summary == "mk4-1 paused: poll: paused."
    assert msgspec.json.decode(row.payload) == {"type": "RunPaused", "evidence": "poll: paused"}
    assert (row.causation_id, row.build_plate_id) == ("ev_0", "plate_1")
