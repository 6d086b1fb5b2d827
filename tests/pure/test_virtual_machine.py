"""The simulated machine: what it does for a G-code, in whatever steps its time is looked at."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import virtual_machine as model
from adapters.virtual_gcode import Program, StepKind, parse_line, read_program
from core.contract import Phase

GCODE = b"""; made by a slicer
M140 S60
M104 S200
M190 S60
M109 S200
G28
G90
M82
G92 E0
;LAYER_CHANGE
G1 Z0.2 F600
G1 X60 Y0 E1 F3600
G1 X60 Y60 E2
G4 P500
;LAYER_CHANGE
G1 Z0.4 F600
G1 X0 Y60 E3 F3600
G1 E1 F60
M104 S0
"""
NO_FAULTS = model.Faults()


def program(text: bytes = GCODE) -> Program:
    return read_program(io.BytesIO(text))


def run(
    machine: model.Machine, seconds: float, prog: Program, faults: model.Faults = NO_FAULTS
) -> model.Machine:
    return model.advance(machine, machine.now + seconds, prog, faults)


def started(prog: Program | None = None) -> model.Machine:
    return model.start(model.Machine(), "a.gcode")


def test_time_and_layers_come_from_the_file() -> None:
    prog = program()
    assert prog.layers == 2
    assert prog.lines == GCODE.count(b"\n")
    # 2 × 0.02 s up, 3 × 1 s along, 0.5 s dwell, 2 s retraction of 2 mm at 1 mm/s
    assert prog.seconds == pytest.approx(0.04 + 3.0 + 0.5 + 2.0, abs=0.001)
    assert [step.kind for step in prog.steps[:4]] == [StepKind.TARGET] * 2 + [StepKind.TARGET, StepKind.WAIT]


def test_layers_by_height_where_the_slicer_left_no_marks() -> None:
    text = b"G90\nM83\nG1 Z0.2\nG1 X10 E1 F600\nG1 Z5\nG1 X0\nG1 Z0.4\nG1 X10 E1\nG1 Z0.2\nG1 X0 E1\n"
    assert program(text).layers == 2


def test_units_relative_moves_and_arcs() -> None:
    assert program(b"G20\nG91\nG1 X1 F60\n").seconds == pytest.approx(1.0)
    full_circle = program(b"G90\nG1 X10 F600\nG2 X10 Y0 I-10 J0\n").seconds
    assert full_circle == pytest.approx(1.0 + 6.2832, abs=0.001)
    half = program(b"G90\nG1 X0 Y0 F600\nG3 X20 Y0 I10 J0\n").seconds
    assert half == pytest.approx(3.1416, abs=0.001)


def test_a_print_heats_prints_and_finishes() -> None:
    prog = program()
    machine = run(started(), 10.0, prog)
    assert machine.phase is Phase.PREPARING
    assert 22.0 < machine.actual["bed"] < 60.0
    heat = model.time_to("bed", 22.0, 60.0)
    machine = run(started(), heat + 0.5, prog)
    assert machine.actual["bed"] == pytest.approx(60.0, abs=0.1)
    assert machine.phase is Phase.PRINTING
    machine = run(machine, 6.0, prog)
    assert machine.phase is Phase.FINISHED
    assert machine.printed_s == pytest.approx(prog.seconds)
    assert machine.target["tool0"] == 0.0
    cooled = run(machine, 3600.0, prog)
    assert cooled.phase is Phase.FINISHED
    assert cooled.actual["tool0"] == pytest.approx(model.AMBIENT, abs=1.0)


@given(st.lists(st.floats(min_value=0.0, max_value=40.0), min_size=1, max_size=25))
def test_how_often_one_looks_changes_nothing(steps: list[float]) -> None:
    prog = program()
    often = started()
    for seconds in steps:
        often = run(often, seconds, prog)
    once = run(started(), sum(steps), prog)
    assert often.phase is once.phase
    assert often.printed_s == pytest.approx(once.printed_s, abs=1e-6)
    assert often.elapsed_s == pytest.approx(once.elapsed_s, abs=1e-6)
    assert often.actual["bed"] == pytest.approx(once.actual["bed"], abs=0.05)


@given(st.floats(min_value=0.0, max_value=200.0), st.floats(min_value=0.0, max_value=400.0))
def test_a_saved_machine_goes_on_as_if_never_left(before: float, away: float) -> None:
    prog = program()
    left = run(started(), before, prog)
    kept = msgspec.json.decode(msgspec.json.encode(left), type=model.Machine)
    assert run(kept, away, prog) == run(left, away, prog)


@given(
    st.sampled_from(["tool0", "bed"]),
    st.floats(min_value=0, max_value=300),
    st.floats(min_value=0, max_value=300),
    st.floats(min_value=0, max_value=1e6),
)
def test_heaters_go_towards_their_target_and_never_beyond(
    heater: str, actual: float, target: float, seconds: float
) -> None:
    after = model.temperature_after(heater, actual, target, seconds)
    low, high = sorted((actual, max(target, model.AMBIENT)))
    assert low - 1e-6 <= after <= high + 1e-6


def test_pause_holds_the_print_and_resume_goes_on() -> None:
    prog = program()
    machine = run(started(), model.time_to("bed", 22.0, 60.0) + 1.0, prog)
    paused = run(model.pause(machine), 100.0, prog)
    assert paused.phase is Phase.PAUSED
    assert paused.printed_s == machine.printed_s
    assert paused.elapsed_s == machine.elapsed_s
    assert run(model.resume(paused), 10.0, prog).phase is Phase.FINISHED


def test_cancel_takes_its_time_and_switches_heaters_off() -> None:
    prog = program()
    machine = model.cancel(run(started(), 5.0, prog))
    assert machine.phase is Phase.CANCELLING
    done = run(machine, 10.0, prog)
    assert done.phase is Phase.CANCELLED
    assert set(done.target.values()) == {0.0}


def test_runout_pauses_once_with_words() -> None:
    prog = program()
    faults = model.Faults(runout_at_layer=2)
    machine = run(started(), 1000.0, prog, faults)
    assert machine.phase is Phase.PAUSED
    assert machine.message == "Filament ran out at layer 2."
    resumed = run(model.resume(machine), 1000.0, prog, faults)
    assert resumed.phase is Phase.FINISHED
    assert resumed.message == ""
    again = run(model.start(resumed, "b.gcode"), 1000.0, prog, faults)
    assert again.phase is Phase.FINISHED, "only in the print it was asked for"
    always = msgspec.structs.replace(faults, on_job=0)
    assert run(model.start(resumed, "b.gcode"), 1000.0, prog, always).phase is Phase.PAUSED


def test_failure_is_an_error_until_cleared() -> None:
    prog = program()
    machine = run(started(), 1000.0, prog, model.Faults(fail_at_layer=1))
    assert machine.phase is Phase.ERROR
    assert "layer 1" in machine.message
    assert set(machine.target.values()) == {0.0}
    assert model.cancel(machine).phase is Phase.IDLE


@given(st.binary(max_size=400))
def test_any_bytes_make_a_finite_program(data: bytes) -> None:
    prog = program(data)
    assert 0.0 <= prog.seconds < 1e9
    assert run(started(), 1e9, prog).phase is Phase.FINISHED


@given(
    st.lists(
        st.sampled_from(
            ["G1", "G2", "X1", "Y-3.5", "E2", "F0", "F1e9", "S1e400", "Pnan", "T99", "M109", "S-5", "R"]
        )
    )
)
def test_odd_words_never_raise(words: list[str]) -> None:
    prog = program(" ".join(words).encode())
    assert run(started(), 1e9, prog).phase is Phase.FINISHED


def test_a_line_is_read_word_by_word() -> None:
    assert parse_line("g1 x10.5 Y-2 ; to the corner") == ("G1", {"X": 10.5, "Y": -2.0})
    assert parse_line("; only a comment") is None
    assert parse_line("") is None
