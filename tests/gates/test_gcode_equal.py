"""The fast scan and the plain interpreter agree on generated programs, in any style and cut anywhere into blocks."""

import io
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.gcode import scan, source, summary
from core.gcode.report import GcodeReport

ZONES = ((10.0, 10.0, 30.0, 25.0), (-5.0, -5.0, 0.0, 300.0))


def number(value: float, style: int) -> str:
    text = f"{value:.{style % 6}f}"
    if style % 7 == 0 and "." in text:
        text = text.rstrip("0") or "0"
    if style % 3 == 0:
        text = text.replace("-0.", "-.") if text.startswith("-0.") else text.removeprefix("0") or "0"
    if text in ("-", "-.", ".", ""):
        text = "0"
    return f"+{text}" if style % 11 == 0 and not text.startswith("-") else text


coordinates = st.floats(-20, 260, allow_nan=False).map(lambda v: round(v, 5))
lengths = st.floats(-3, 4, allow_nan=False).map(lambda v: round(v, 5))


@st.composite
def moves(draw: st.DrawFn) -> str:
    parts = []
    for letter, share in (("X", 7), ("Y", 7), ("E", 7), ("F", 2), ("Z", 1)):
        values = lengths if letter == "E" else coordinates
        if draw(st.integers(0, 9)) < share:
            parts.append(letter + number(draw(values), draw(st.integers(1, 40))))
    if draw(st.integers(0, 30)) == 0:
        parts = list(draw(st.permutations(parts)))
    glue = draw(st.sampled_from([" "] * 12 + ["", "  ", "\t"]))
    head = draw(st.sampled_from(["G1"] * 12 + ["G0", "g1", "G01"]))
    tail = draw(st.sampled_from([""] * 12 + [" ", " ; c", "(c)", "*33"]))
    return head + glue + glue.join(parts) + tail if parts else head


others = st.sampled_from(
    [
        "G92 E0", "G92 E0", "G92 E0.0", "G92 E-1.5", "G92 X5", "G92 Z0.2 E0", "G92", "G90", "G91", "M82",
        "M83", "M83", "G20", "G21", "G28", "G28 X", "T0", "T1", "T99", "M104 S0", "M104 S215", "M109 R220 T1",
        "M106 S255", "M204 P800", ";TYPE:X", ";LAYER_CHANGE", ";Z:0.4", ";LAYER:3", "; printer_model = MK3S",
        "", "   ", "M117 hi", "M486 S1", "M486 Aa", "G2 X10 Y10 I3 J1 E1", "G3 X30 Y20 R40 E.5", "G2 I5 J0",
        "G18", "G17", "START_PRINT EXTRUDER_TEMP=210", "MACRO", "M500", "M997", "M12345", "junk!", "G1 X1 X2",
        "G1 X1.2.3 E1", "G1 X. E1", "G1 X1 2 Y E1", "G1 X1234567890.5", "G1 X12345678.12345", "G1 X1-2",
        "G1 X1E5Y", "G1 Y3 E", "G1 X1 E1 S255", "N5 G1 X4 E2*7", "G92 E1 E2", "G92 E", "G1 X5 Y5 F0",
        "G1 F-5 X6", "M220 S50", "M204 S1 G1 X99", "M106 S1 ; G1 X9", "m106 s3", "M106S5", "M73 P1 R2 ;x",
        "G90 G1 X9", "M106  S1", "M73 P1", "G10", "G11", "G4 P0", "\u00e9", "G1\u00a0X1",
    ]
)  # fmt: skip

opening = st.sampled_from(["", "G28\nM104 S210\nM83\nG1 Z0.2 F1800\n", "G28\nM104 S210\nG1 X1 Y1 Z.3 F900\n"])


@st.composite
def programs(draw: st.DrawFn) -> bytes:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 6))):
        lines += draw(st.lists(moves(), min_size=0, max_size=40))
        lines += draw(st.lists(others, max_size=3))
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    return (draw(opening) + end.join(lines) + draw(st.sampled_from(["", end]))).encode()


def nearly_equal(fast: GcodeReport, plain: GcodeReport) -> None:
    """Sums may differ in their last digits where arrays add in another order; all else must be the same."""
    for name in plain.__struct_fields__:
        ours, theirs = getattr(fast, name), getattr(plain, name)
        if name == "max_flow" and ours is not None and theirs is not None:
            assert ours == pytest.approx(theirs, rel=1e-9)
        else:
            assert ours == theirs, name


def both(data: bytes) -> tuple[GcodeReport, GcodeReport]:
    return scan.scan(io.BytesIO(data), ZONES), summary.scan_plainly(io.BytesIO(data), ZONES)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(programs(), st.sampled_from([1, 7, 100, 1 << 18]), st.sampled_from([1, 4, 24]))
def test_fast_and_plain_agree(data: bytes, block: int, short: int) -> None:
    # a run of one line through the arrays is slower but must mean the same
    with patch.object(source, "BLOCK", block), patch.object(scan, "_SHORT_RUN", short):
        nearly_equal(*both(data))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_survived_and_agreed_on(data: bytes) -> None:
    nearly_equal(*both(b"G28\nG1 X1 Y1 Z1\n" + data))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="GMTXYZEF0123456789.-+ ;()*N\n", max_size=300))
def test_any_text_of_the_alphabet_is_agreed_on(text: str) -> None:
    with patch.object(scan, "_SHORT_RUN", 1):
        nearly_equal(*both(b"G28\nG1 X1 Y1 Z1\nM104 S200\n" + text.encode()))


@settings(max_examples=100, deadline=None)
@given(programs(), st.integers(1, 50))
def test_where_blocks_end_does_not_matter(data: bytes, block: int) -> None:
    whole = scan.scan(io.BytesIO(data), ZONES)
    with patch.object(source, "BLOCK", block):
        nearly_equal(scan.scan(io.BytesIO(data), ZONES), whole)
