"""The gate's verdicts: every heater form, every unsafe command, limits per variant, wrong printer, broken files."""

import io

import pytest

from core import catalog
from core.domain.words import Verdict
from core.gcode import scan, summary
from core.gcode.gate import GateVerdict, candidates, judge, zones_of
from core.gcode.policy import GcodePolicy
from core.gcode.report import GcodeReport

MODELS = catalog.load_printer_models()
MATERIALS = catalog.load_materials()
POLICY = GcodePolicy(reaches=catalog.load_reaches())
ZONES = zones_of(MODELS)

START = "; printer_model = MK3S\nM104 S215\nM140 S60\nM190 S60\nM109 S215\nG90\nM83\nG28 W\n"
PART = "".join(
    f";LAYER_CHANGE\nG1 Z{z / 10:g} F1200\nG1 X80 Y80\nG1 X120 E2\nG1 Y120 E2\nG1 X80 E2\nG1 Y80 E2\n"
    for z in range(2, 12, 2)
)
GOOD = START + PART + "M104 S0\nM140 S0\nG1 X0 Y200 F3600\nM84\n"


def read(text: str | bytes) -> GcodeReport:
    data = text if isinstance(text, bytes) else text.encode()
    plain = summary.scan_plainly(io.BytesIO(data), ZONES)
    assert scan.scan(io.BytesIO(data), ZONES) == plain
    return plain


def verdict(text: str | bytes, model: str = "prusa_mk3s", policy: GcodePolicy = POLICY) -> GateVerdict:
    return judge(read(text), MODELS[model], material=None, policy=policy)


def codes(found: GateVerdict, severity: Verdict = Verdict.FAIL) -> set[str]:
    return {finding.code for finding in found.findings if finding.severity is severity}


def test_a_good_file_passes_without_a_word() -> None:
    assert verdict(GOOD).verdict is Verdict.PASS


HEATERS = [
    ("M104 S301", "hotend"), ("M109 S301", "hotend"), ("M109 R301", "hotend"), ("M104 T1 S301", "hotend"),
    ("M109 S200 B301", "hotend"), ("m104s301", "hotend"), ("N5 M104 S301*12", "hotend"), ("M104 S 301.0", "hotend"),
    ("M568 P0 S301", "hotend"), ("M568 P0 R301 S200", "hotend"), ("M568 P0 R200 S301 A2", "hotend"),
    ("G10 P0 S301 R100", "hotend"), ("G10 P0 R301", "hotend"), ("M303 E0 S301 C8", "hotend"), ("M303 S301", "hotend"),
    ("SET_HEATER_TEMPERATURE HEATER=extruder TARGET=301", "hotend"),
    ("set_heater_temperature heater=extruder1 target=301", "hotend"),
    ('SET_HEATER_TEMPERATURE HEATER="extruder" TARGET="301"', "hotend"),
    ("TEMPERATURE_WAIT SENSOR=extruder MINIMUM=301", "hotend"),
    ("PID_CALIBRATE HEATER=extruder TARGET=301", "hotend"),
    ("START_PRINT EXTRUDER_TEMP=301 BED_TEMP=60", "hotend"), ("print_start EXTRUDER=301 BED=60", "hotend"),
    ("PRINT_START HOTEND=301", "hotend"), ("MY_START NOZZLE_TEMP=301", "hotend"), ("PREHEAT TEMP=301", "hotend"),
    ("M140 S130", "bed"), ("M190 S130", "bed"), ("M190 R130", "bed"), ("M303 E-1 S130", "bed"),
    ("SET_HEATER_TEMPERATURE HEATER=heater_bed TARGET=130", "bed"), ("START_PRINT BED_TEMP=130", "bed"),
    ("TEMPERATURE_WAIT SENSOR=heater_bed MAXIMUM=130", "bed"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "heater"), HEATERS)
def test_every_form_of_too_much_heat_is_refused(line: str, heater: str) -> None:
    found = verdict(GOOD + line + "\n")
    assert codes(found) == {"OVER_TEMPERATURE"}
    finding = found.findings[0]
    assert heater in finding.what
    assert f"line {GOOD.count(chr(10)) + 1}" in finding.where


@pytest.mark.parametrize(
    "line", ["M141 S60", "M191 S60", "M191 R60", "M303 E-2 S60", "START_PRINT CHAMBER_TEMP=60"]
)
def test_a_chamber_that_cannot_be_heated_is_pointed_out(line: str) -> None:
    assert "NO_CHAMBER_HEATER" in codes(verdict(GOOD + line + "\n"), Verdict.WARN)


def test_heat_at_the_limit_passes_and_comments_do_not_heat() -> None:
    assert not codes(verdict(GOOD + "M104 S290\nM140 S120\n; M104 S400\nG4 P1 ; M104 S400\nM117 M104 S400\n"))


def test_a_heater_that_cannot_be_read_is_refused() -> None:
    for line in (
        "M104 S{temp}",
        "M104 I1",
        "SET_HEATER_TEMPERATURE HEATER=extruder TARGET=hot",
        "M140 S1.2.3",
    ):
        assert "UNREADABLE" in codes(verdict(GOOD + line + "\n")), line


UNSAFE = [
    "M997", "M500", "M501", "M502", "M504", "D3 Ax0f10 C0", "M552 S1", "M553 P255.255.0.0", "M554 P1.2.3.4",
    "M587 S\"net\" P\"secret\"", "M588 S\"net\"", "M112", "M28 x.gco", "M29", "M30 x.gco", "M32 x.gco", "M42 P4 S255",
    "M999", "FIRMWARE_RESTART", "SAVE_CONFIG", "RUN_SHELL_COMMAND CMD=rm", "my_shell_thing", "EXEC_PYTHON X=1",
    "FORCE_MOVE STEPPER=stepper_z DISTANCE=-50 VELOCITY=5", "SET_KINEMATIC_POSITION Z=100", "SDCARD_PRINT_FILE F=x",
    "M143 H1 S500", "M149 F", "M200 D1.75", "m997", "N3 M997*4", "M997;", "M997 ; update", "  M997",
]  # fmt: skip


@pytest.mark.parametrize("line", UNSAFE)
def test_every_unsafe_command_is_refused_with_its_line(line: str) -> None:
    found = verdict(GOOD + line + "\nG4 P1\n")
    assert codes(found) == {"FORBIDDEN_COMMAND"}
    assert f"line {GOOD.count(chr(10)) + 1}:" in found.findings[0].where


@pytest.mark.parametrize("line", ["M81", "M92 E400", "M206 X5", "M211 S0", "M302 P1", "M98 P\"x.g\"", "G54",
                                  "M851 Z-1", "SET_GCODE_OFFSET Z=0.1"])  # fmt: skip
def test_risky_commands_warn(line: str) -> None:
    found = verdict(GOOD + line + "\n")
    assert found.verdict is Verdict.WARN
    assert codes(found, Verdict.WARN) == {"RISKY_COMMAND"}


@pytest.mark.parametrize("line", ["M503", "M115", "M73 P5 R10", "M211 S1", "M149 C", "M200 D0", "G29", "M900 K0.05",
                                  "M862.3 P \"MK3S\"", "Tx", "T?", "M486 S-1", "M117 M997", "; M997"])  # fmt: skip
def test_ordinary_commands_pass(line: str) -> None:
    assert verdict(GOOD + line + "\n").verdict is Verdict.PASS


def test_settings_saved_by_a_vendors_own_start_code_are_allowed_there() -> None:
    text = GOOD.replace("MK3S", "Bambu Lab P1S").replace("X80", "X90")
    assert "FORBIDDEN_COMMAND" not in codes(verdict(text + "M500\n", "bambu_p1s"))
    assert "FORBIDDEN_COMMAND" in codes(verdict(text + "M997\n", "bambu_p1s"))


def test_unknown_commands_follow_the_policy() -> None:
    text = GOOD + "MAKE_COFFEE\nM12345\n"
    assert codes(verdict(text), Verdict.WARN) == {"UNKNOWN_COMMANDS"}
    assert "UNKNOWN_COMMANDS" in codes(verdict(text, policy=GcodePolicy(unknown_commands=Verdict.FAIL)))
    calm = GcodePolicy(unknown_commands=Verdict.PASS)
    assert verdict(text, policy=calm).verdict is Verdict.PASS
    assert "MAKE_COFFEE" in next(f.what for f in verdict(text).findings)


def test_a_file_for_another_printer_is_refused() -> None:
    found = verdict(GOOD.replace("MK3S", "MK4"))
    assert codes(found) == {"WRONG_PRINTER"}
    assert "MK4" in found.findings[0].what
    assert codes(verdict(GOOD + "; printer_model = MK4\n")) == {"WRONG_PRINTER"}
    assert codes(verdict(GOOD.replace("MK3S", "Somebody's own")), Verdict.FAIL) == {"WRONG_PRINTER"}
    assert codes(verdict(GOOD.replace("G28 W", 'M862.3 P "MK4"\nG28 W'))) == {"WRONG_PRINTER"}
    assert codes(verdict(GOOD, "generic_220"), Verdict.WARN) == {"WRONG_PRINTER"}


def test_a_file_that_names_no_printer_warns() -> None:
    assert codes(verdict(GOOD.replace("; printer_model = MK3S\n", "")), Verdict.WARN) == {"PRINTER_UNSTATED"}


@pytest.mark.parametrize(
    ("move", "words"),
    [("G1 X251 E1", "1.0 mm right"), ("G1 Y-1 E1", "1.0 mm in front"), ("G1 Y215 E1", "5.0 mm behind"),
     ("G1 X-2 Y-3 E1", "left and 3.0 mm in front"), ("G3 X80 Y80 I100 J0 E5", "mm right")],
)  # fmt: skip
def test_printing_off_the_bed_is_refused(move: str, words: str) -> None:
    found = verdict(GOOD.replace("M104 S0", f"G1 X80 Y80\n{move}\nM104 S0"))
    assert "OUTSIDE_BED" in codes(found)
    assert any(words in f.what for f in found.findings)


def test_the_vendors_purge_line_is_allowed_where_the_vendor_draws_it() -> None:
    intro = "G1 Z0.2 F720\nG1 Y-3 F1000\nG92 E0\nG1 X60 E9 F1000\nG1 X100 E12.5 F1000\nG92 E0\n"
    assert verdict(START + intro + PART).verdict is Verdict.PASS
    unmarked = START + intro + PART.replace(";LAYER_CHANGE\n", "")
    assert codes(verdict(unmarked), Verdict.WARN) == {"PRIMES_BESIDE_BED"}
    assert "OUTSIDE_BED" in codes(verdict(START + intro.replace("Y-3", "Y-30") + PART))
    assert "OUTSIDE_BED" in codes(verdict((START + intro + PART).replace("MK3S", "SV06"), "sovol_sv06"))


def test_travel_beyond_the_reach_is_refused() -> None:
    assert "OUTSIDE_REACH" in codes(verdict(GOOD + "G1 X300\n"))
    assert not codes(verdict(GOOD + "G1 X254 Y-4\n"))
    text = GOOD.replace("MK3S", "SV06").replace("Y200", "Y190")
    assert codes(verdict(text + "G1 X-3\n", "sovol_sv06"), Verdict.WARN) == {"OUTSIDE_REACH"}
    assert codes(verdict(text + "G1 X-30\n", "sovol_sv06")) == {"OUTSIDE_REACH"}


def test_too_high_and_below_the_bed() -> None:
    assert "TOO_HIGH" in codes(verdict(GOOD.replace("M104 S0", "G1 Z211\nG1 X81 E1\nM104 S0")))
    assert codes(verdict(GOOD + "G1 Z212\n"), Verdict.WARN) == {"TOO_HIGH"}
    assert "TOO_HIGH" in codes(verdict(GOOD + "G1 Z400\n"))
    assert "BELOW_BED" in codes(verdict(GOOD + "G1 Z-1\n"))
    assert "BELOW_BED" in codes(verdict(GOOD.replace("M104 S0", "G92 Z10\nG1 Z0.3\nM104 S0")))


def test_excluded_areas() -> None:
    text = GOOD.replace("MK3S", "P1S")
    assert "EXCLUDED_AREA" not in codes(verdict(text, "bambu_p1s"))
    inside = text.replace("M104 S0", "G1 X5 Y5\nG1 X10 E1\nM104 S0")
    assert "EXCLUDED_AREA" in codes(verdict(inside, "bambu_p1s"))
    unlooked = summary.scan_plainly(io.BytesIO(text.encode()))
    found = judge(unlooked, MODELS["bambu_p1s"], material=None, policy=POLICY)
    assert "EXCLUDED_UNCHECKED" in codes(found)


def test_extrusion() -> None:
    assert codes(verdict(START + "G1 X5 Y5\nG1 X9 Z1\n")) == {"NO_EXTRUSION"}
    cold = GOOD.replace("M104 S215\n", "").replace("M109 S215\n", "")
    assert codes(verdict(cold)) == {"COLD_EXTRUSION"}
    assert "COLD_EXTRUSION" in codes(verdict(GOOD.replace("S215", "S150")))
    macro = cold.replace("G28 W", "START_PRINT")
    assert codes(verdict(macro), Verdict.WARN) == {"HEATING_UNSTATED"}
    assert codes(verdict(GOOD.replace("G1 X120 E2", "G1 X120 E200")), Verdict.WARN) == {"FLOW_TOO_HIGH"}


def test_broken_files() -> None:
    assert codes(verdict("")) == {"EMPTY"}
    assert codes(verdict("hello\nworld\n")) == {"EMPTY"}
    assert codes(verdict(b"GCDE\0\0\0\0")) == {"NOT_GCODE"}
    assert codes(verdict(GOOD.encode() + b"\0\0\0")) == {"DAMAGED"}
    assert codes(verdict("; total layer number: 9\n" + GOOD)) == {"TRUNCATED"}
    assert codes(verdict("; generated by PrusaSlicer 2.5.0\n" + GOOD), Verdict.WARN) == {"TRUNCATED"}
    assert codes(verdict(GOOD + "; filament used [mm] = 400.0\n")) == {"FILAMENT_MISSING"}
    assert not codes(verdict(GOOD + "; filament used [mm] = 40.0\n"))


def test_material_and_nozzle() -> None:
    petg = judge(
        read(GOOD + "; filament_type = PLA\n"),
        MODELS["prusa_mk3s"],
        material=MATERIALS["PETG"],
        policy=POLICY,
    )
    assert codes(petg, Verdict.WARN) == {"MATERIAL_TEMPERATURE", "OTHER_MATERIAL"}
    flex = read(GOOD + "; filament_type = FLEX\n")
    assert not judge(flex, MODELS["prusa_mk3s"], material=MATERIALS["TPU"], policy=POLICY).findings
    assert codes(verdict(GOOD + "; nozzle_diameter = 0.6\n"), Verdict.WARN) == {"OTHER_NOZZLE"}
    two = GOOD.replace("M104 S0", "T1\nM104 S215\nG1 X81 E1\nM104 S0")
    assert codes(verdict(two), Verdict.WARN) == {"MORE_TOOLS"}


def test_every_finding_has_its_parts_and_the_worst_comes_first() -> None:
    found = verdict(GOOD.replace("MK3S", "MK4") + "M104 S400\nM997\nMAKE_COFFEE\nG1 X400 Z500\nG1 {x}\nM81\n")
    assert len(found.findings) >= 7
    for finding in found.findings:
        assert finding.what
        assert finding.why
        assert finding.fix
        assert finding.what.endswith(".")
    assert [f.severity for f in found.findings] == sorted(
        (f.severity for f in found.findings), key="failwarn".index
    )


def test_candidates_are_the_printers_that_nothing_forbids() -> None:
    assert candidates(read(GOOD), MODELS, policy=POLICY) == ("generic_220", "prusa_mk3s")
    unnamed = read(GOOD.replace("; printer_model = MK3S\n", ""))
    able = candidates(unnamed, MODELS, policy=POLICY)
    assert "prusa_mk4" in able
    assert "voron_v0" not in able


def test_a_vendors_start_code_with_chute_brush_and_saved_mesh_passes_on_its_own_printer() -> None:
    start = """; printer_model = Bambu Lab P1S
M104 S75
G91
G380 S2 Z30 F300
G1 Z5 F300
G90
G29.1 Z0
M190 S55
M104 S220
G28 X
G1 X60 F12000
G1 Y265 F3000
M620 S0A
M109 S220
G1 X20 Y50 F12000
G1 Y-3
T0
M621 S0A
M109 S250
G92 E0
M83
G1 E50 F200
G28 Z P0 T300
G0 X128 Y261 Z-1.5 F20000
G2 I0.5 J0 F300
G1 Z10 F1200
M622 J1
M500
M623
T1000
G1 X18.0 Y1.0 Z0.8 F18000
G1 Z0.2
G0 X240 E15 F6000
G0 Y11 E0.700 F1500
M1006 A0 B10 L100 C37 D10 M100 E37 F10 N100
"""
    text = (
        start
        + PART.replace(";LAYER_CHANGE", "; CHANGE_LAYER").replace("X80 Y80", "X80 Y80 F9000")
        + "M73.2 R1.0\nT255\n"
    )
    assert verdict(text, "bambu_p1s").findings == ()
    elsewhere = verdict(text, "prusa_mk3s")
    assert {"WRONG_PRINTER", "OUTSIDE_REACH", "FORBIDDEN_COMMAND", "BELOW_BED"} <= codes(elsewhere)
