"""Vendor bundles: inheritance, conditions, overrides, and what is refused instead of guessed."""

import pytest

from core.slicing.condition import ConditionRefused, holds
from core.slicing.vendor import Bundle, BundleRefused, compatible, flatten, list_printers

TEXT = r"""
[vendor]
name = Acme
config_version = 1.2.3

[printer_model:ONE]
name = Acme One

[print:*common*]
layer_height = 0.2
first_layer_height = 75%
perimeters = 2
compatible_printers_condition = printer_notes=~/.*MODEL_ONE.*/ and nozzle_diameter[0]==0.4

[print:*fast*]
perimeters = 1
infill_speed = 100

[print:0.20mm NORMAL]
inherits = *common*; *fast*
infill_speed = 80
renamed_from = "old name"

[print:0.10mm FOR TWO]
inherits = *common*
compatible_printers_condition = printer_model=="TWO"

[print:0.15mm ODD]
inherits = *common*
compatible_printers_condition = some_function(nozzle_diameter[0])

[print:0.20mm SCRIPT]
inherits = *common*
post_process = "/bin/sh run"

[filament:PLA]
temperature = 210
filament_type = PLA
start_filament_gcode = "M900 K30 ; \"quoted\""
filament_retract_length = nil
filament_wipe = 1

[filament:BROKEN]
filament_type = PLA
start_filament_gcode = "M900 K30

[printer:*base*]
printer_technology = FFF
nozzle_diameter = 0.4
printer_notes = Keep\nMODEL_ONE\nthese
bed_shape = 0x0,200x0,200x200,0x200

[printer:Acme One]
inherits = *base*
printer_model = ONE
print_host = 10.0.0.1

[printer:Acme One Dual]
inherits = *base*
printer_model = ONE
nozzle_diameter = 0.4,0.4

[printer:Acme Resin]
printer_technology = SLA
"""


@pytest.fixture
def bundle() -> Bundle:
    return Bundle("Acme", TEXT)


def test_a_preset_wins_over_its_parents_and_a_later_parent_over_an_earlier_one(bundle: Bundle) -> None:
    settings = bundle.preset("print", "0.20mm NORMAL").settings
    assert (settings["layer_height"], settings["perimeters"], settings["infill_speed"]) == ("0.2", "1", "80")


def test_only_real_filament_printers_are_listed(bundle: Bundle) -> None:
    assert [p.name for p in list_printers(bundle)] == ["Acme One", "Acme One Dual"]
    assert bundle.version == "1.2.3"


def test_conditions_choose_and_what_is_not_understood_is_not_offered(bundle: Bundle) -> None:
    printer = bundle.preset("printer", "Acme One")
    assert [p.name for p in compatible(bundle, "print", printer)] == ["0.20mm NORMAL", "0.20mm SCRIPT"]


def test_flat_settings_are_ready_for_the_slicer(bundle: Bundle) -> None:
    flat = flatten(bundle, "Acme One", "0.20mm NORMAL", "PLA")
    assert flat["first_layer_height"] == "0.15"
    assert flat["printer_model"] == "ONE"
    assert flat["filament_wipe"] == "1"
    assert "filament_retract_length" not in flat
    assert not flat.keys() & {"inherits", "renamed_from", "compatible_printers_condition", "print_host"}
    assert flat["print_settings_id"] == "0.20mm NORMAL"


def test_filament_settings_are_repeated_for_every_extruder(bundle: Bundle) -> None:
    flat = flatten(bundle, "Acme One Dual", "0.20mm NORMAL", "PLA")
    assert flat["temperature"] == "210,210"
    assert flat["filament_type"] == "PLA;PLA"


def test_keys_that_the_engine_does_not_know_are_left_out(bundle: Bundle) -> None:
    flat = flatten(bundle, "Acme One", "0.20mm NORMAL", "PLA", known={"layer_height"})
    assert set(flat) == {"layer_height", "first_layer_height"}


@pytest.mark.parametrize(
    ("printer", "print_", "filament", "why"),
    [
        ("Acme One", "0.20mm NORMAL", "BROKEN", "unbalanced quotes"),
        ("Acme One", "0.20mm SCRIPT", "PLA", "runs a script"),
        ("Acme Two", "0.20mm NORMAL", "PLA", "no printer preset 'Acme Two'"),
    ],
)
def test_what_cannot_be_flattened_for_certain_is_refused(
    bundle: Bundle, printer: str, print_: str, filament: str, why: str
) -> None:
    with pytest.raises(BundleRefused, match=why):
        flatten(bundle, printer, print_, filament)


def test_presets_that_inherit_in_a_circle_are_refused() -> None:
    bundle = Bundle("x", "[print:a]\ninherits = b\n[print:b]\ninherits = a\n")
    with pytest.raises(BundleRefused, match="inherits from itself"):
        bundle.preset("print", "a")


ONE = {
    "nozzle_diameter": "0.4,0.6",
    "printer_model": "MINI",
    "printer_notes": "a\nHAS_X\nb",
    "flag": "1",
    "off": "0",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("nozzle_diameter[0]==0.4", True),
        ("nozzle_diameter[1]==0.6", True),
        ("nozzle_diameter[7]==0.4", True),
        ("nozzle_diameter[0]>=0.5", False),
        ('printer_model=="MINI" and ! (flag and off)', True),
        ('printer_model!="MINI" or num_extruders==2', True),
        ("printer_notes=~/.*HAS_X.*/ && !(printer_notes=~/.*HAS_Y.*/)", True),
        ("printer_notes=~/HAS_X/", False),
        ("printer_notes!~/.*HAS_Y.*/", True),
        ("not flag", False),
        ("nobody_mentions_this[0]", False),
        ("off or flag and off", False),
    ],
)
def test_conditions_mean_what_the_slicer_means(text: str, expected: bool) -> None:
    assert holds(text, ONE) is expected


@pytest.mark.parametrize(
    "text",
    [
        "nozzle_diameter[0]",
        "f(1)",
        "a ==",
        "(flag",
        "flag)",
        "printer_model=~/(/",
        "1 + 1 == 2",
        "(" * 99,
        "flag flag",
    ],
)
def test_conditions_beyond_the_little_language_are_refused(text: str) -> None:
    with pytest.raises(ConditionRefused):
        holds(text, ONE)
