"""What is said after a command, and what takes it back."""

import typing

import pytest

from core.domain import commands as c
from core.domain.commands import AnyCommand
from core.domain.words import CancelReason
from kiln_tui.presentation.sent import done_sentence, inverse
from tests.screens import canned

SHOP = canned.full()


@pytest.mark.parametrize(
    ("command", "back"),
    [
        (c.PauseRun(run_id="r2"), c.ResumeRun(run_id="r2")),
        (c.TakeOutOfService(printer_id="mk4-1", reason="x"), c.AcknowledgePrinter(printer_id="mk4-1")),
        (
            c.LoadMaterial(printer_id="mk4-1", material="PETG"),
            c.LoadMaterial(printer_id="mk4-1", material="PLA", color="white"),
        ),
    ],
)
def test_what_can_be_taken_back(command, back):
    found = inverse(command, SHOP)
    assert found is not None
    assert found[0] == back


@pytest.mark.parametrize(
    "command",
    [
        c.AbortRun(run_id="r2"),
        c.CancelOrder(intent_id="i1042", reason=CancelReason.FRAUD),
        c.ClearBed(printer_id="mk4-1"),
        c.LoadMaterial(printer_id="mk4-1", material="PLA", color="white"),
    ],
)
def test_what_cannot_be_taken_back(command):
    assert inverse(command, SHOP) is None


def test_sentences_name_things_by_their_names():
    assert done_sentence(c.PauseRun(run_id="r2"), SHOP) == "mk4-2 was asked to pause."
    assert done_sentence(c.CancelOrder(intent_id="i1042", reason=CancelReason.FRAUD), SHOP).startswith(
        "Order 1042"
    )
    assert done_sentence(c.ClearBed(printer_id="mk4-4"), None) == "mk4-4: bed is clear."


def test_no_sentence_says_job():
    assert len(typing.get_args(AnyCommand)) > 20
    for made in (c.ReprintFailed(run_id="r"), c.QueuePlate(plate_id="p"), c.ApproveRun(run_id="r")):
        assert "job" not in done_sentence(made, SHOP).lower()
