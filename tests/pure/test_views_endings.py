"""How an attempt ended, in words without the evidence behind them."""

import pytest

from core.domain.words import RunState
from core.views.endings import how_it_ended, plain, why_it_failed
from tests.pure.views_shop import evidence, run

OLD = "cancelled at the printer: printer says cancelled, file k_1_1_abcd.gcode, printer job 1f-2, 40 %, session 1f"
HEAT = "Heating failed at layer 40; the machine switched its heaters off"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OLD, "cancelled at the printer"),
        ("ann decided: it ran; the printer showed idle", "ann decided: it ran"),
        (f"{HEAT}. (at 33 %)", f"{HEAT} (at 33 %)"),
        ("printer says hello", "printer says hello"),
    ],
)
def test_the_evidence_is_left_out(text: str, said: str) -> None:
    assert plain(text) == said


def test_a_stop_says_who_asked_for_it() -> None:
    asked = run(
        state=RunState.ABORTED,
        reason="operator_abort",
        abort_reason="operator_abort",
        reason_text=OLD,
        evidence=(evidence(400, "cancel requested by ann"), evidence(360, OLD)),
    )
    assert how_it_ended(asked, "6 min ago") == "Stopped by ann 6 min ago."
    wrong = run(state=RunState.ABORTED, reason="wrong_file", abort_reason="wrong_file")
    assert how_it_ended(wrong, "6 min ago") == "Stopped from Kiln 6 min ago: wrong file."
    there = run(state=RunState.ABORTED, reason="operator_abort", reason_text=OLD)
    assert how_it_ended(there, "6 min ago") == "Stopped at the printer 6 min ago."


def test_a_failure_is_in_the_printers_own_words() -> None:
    failed = run(state=RunState.FAILED, reason="printer_error", reason_text=f"{HEAT}. (at 33 %)")
    assert why_it_failed(failed) == f"{HEAT} (at 33 %)."
    assert why_it_failed(run(state=RunState.FAILED, reason="printer_error")) == "Printer error."
