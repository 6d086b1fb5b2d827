"""The shelf: one released profile for a material, tier and printer, always within the printer's limits."""

import stat
from pathlib import Path

import msgspec
import pytest

from core.catalog import load_materials, load_printer_models
from core.domain.printer_model import PrinterModel
from core.domain.words import QualityTier
from core.slicing.engine import Engine
from core.slicing.known import shipped_settings
from core.slicing.profile import Profile
from core.slicing.recipe import NoProfile
from core.slicing.shelf import ProfileShelf, released_profiles

BUNDLE = r"""
[vendor]
config_version = 9.9.9
[print:0.20mm NORMAL]
layer_height = 0.2
first_layer_height = 0.2
perimeters = 2
fill_density = 15%
perimeter_generator = arachne
[print:0.10mm DETAIL]
layer_height = 0.1
first_layer_height = 0.2
[filament:Brand PLA]
filament_type = PLA
temperature = 200
[filament:Generic PLA]
filament_type = PLA
temperature = 260
first_layer_temperature = 180
bed_temperature = 65
first_layer_bed_temperature = 65
filament_max_volumetric_speed = 99
[filament:Generic PLA CF]
filament_type = PLA
[printer:Acme]
printer_technology = FFF
printer_model = ACME
nozzle_diameter = 0.4
bed_shape = 5x0,300x0,300x150,5x150
max_print_height = 900
start_gcode = G28 ; acme
"""


def model(model_id: str = "acme", **changes: object) -> PrinterModel:
    values = {
        "model_id": model_id,
        "name": "Acme",
        "width": 200.0,
        "depth": 200.0,
        "height": 180.0,
        "max_hotend": 230,
        "max_bed": 60,
        "max_flow": 9.0,
        "slicer_model": "ACME",
    }
    return msgspec.convert(values | changes, PrinterModel)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    profiles = tmp_path / "share" / "PrusaSlicer" / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "Acme.ini").write_text(BUNDLE)
    (profiles / "Broken.ini").write_text("this is no bundle")
    (tmp_path / "bin").mkdir()
    binary = tmp_path / "bin" / "prusa-slicer"
    binary.touch(stat.S_IRWXU)
    return Engine(name="PrusaSlicer", version="2.5.0", path=binary, digest="d")


def shelf(engine: Engine, *models: PrinterModel) -> ProfileShelf:
    table = {m.model_id: m for m in models}
    return released_profiles(table, load_materials(), engine, shipped_settings())


def select(engine: Engine, material: str, tier: QualityTier, one: PrinterModel) -> Profile | NoProfile:
    return shelf(engine, one).select(material, tier, one.model_id)


def test_the_vendors_preset_is_used_within_the_printers_limits(engine: Engine) -> None:
    found = select(engine, "PLA", QualityTier.STANDARD, model())
    assert isinstance(found, Profile)
    assert found.ref == "pla-standard-acme@1.0.0"
    assert "Generic PLA" in found.source
    assert "Acme 9.9.9" in found.source
    settings = found.settings
    assert settings["temperature"] == "230"  # the printer's limit, below the preset's 260
    assert settings["first_layer_temperature"] == "190"  # the material's lower end, above the preset's 180
    assert settings["bed_temperature"] == "60"
    assert settings["filament_max_volumetric_speed"] == "9"
    assert settings["max_print_height"] == "180"
    assert settings["bed_shape"] == "5x0,200x0,200x150,5x150"
    assert settings["perimeter_generator"] == "classic"
    assert found.reproducible
    assert any("260" in note for note in found.notes)


def test_a_tier_takes_the_nearest_layer_height_and_functional_gets_stronger_walls(engine: Engine) -> None:
    fine = select(engine, "PLA", QualityTier.FINE, model())
    strong = select(engine, "PLA", QualityTier.FUNCTIONAL, model())
    assert isinstance(fine, Profile)
    assert isinstance(strong, Profile)
    assert fine.settings["layer_height"] == "0.1"
    assert (strong.settings["perimeters"], strong.settings["fill_density"]) == ("4", "40%")


def test_a_material_that_the_vendor_lacks_keeps_the_vendors_start_code(engine: Engine) -> None:
    found = select(engine, "PETG", QualityTier.STANDARD, model())
    assert isinstance(found, Profile)
    assert found.settings["start_gcode"] == "G28 ; acme"
    assert found.settings["filament_type"] == "PETG"


def test_a_printer_without_a_bundle_gets_the_plain_profile_with_its_own_limits(engine: Engine) -> None:
    centred = model("other", slicer_model="", origin=(100.0, 100.0), nozzle=0.6, firmware="klipper")
    found = select(engine, "PLA", QualityTier.STANDARD, centred)
    assert isinstance(found, Profile)
    settings = found.settings
    assert found.source == "minimal profile"
    assert settings["bed_shape"] == "-100x-100,100x-100,100x100,-100x100"
    assert (settings["nozzle_diameter"], settings["layer_height"]) == ("0.6", "0.3")
    assert settings["printer_model"] == "other"
    assert settings["perimeter_generator"] == "classic"


@pytest.mark.parametrize(
    ("material", "one", "why"),
    [
        ("PC", model(), "no tested profile for PC"),
        ("Unobtainium", model(), "not in the table of materials"),
        ("ABS", model(max_hotend=220), "needs a nozzle of at least 230"),
        ("ABS", model(max_bed=60), "needs a bed of at least 80"),
        ("PLA", model(slicer_model="", firmware="bambu"), "bambu firmware"),
    ],
)
def test_no_profile_says_why(engine: Engine, material: str, one: PrinterModel, why: str) -> None:
    found = select(engine, material, QualityTier.STANDARD, one)
    assert isinstance(found, NoProfile)
    assert why in found.reason


def test_an_unknown_printer_says_so(engine: Engine) -> None:
    found = shelf(engine).select("PLA", QualityTier.DRAFT, "nowhere")
    assert isinstance(found, NoProfile)
    assert "nowhere" in found.reason


def test_pla_without_a_heated_bed_is_possible(engine: Engine) -> None:
    found = select(engine, "PLA", QualityTier.STANDARD, model(max_bed=0))
    assert isinstance(found, Profile)
    assert found.settings["bed_temperature"] == "0"


@pytest.mark.parametrize("tier", list(QualityTier))
def test_every_packaged_printer_has_pla_or_a_reason_to_use_its_own_program(
    engine: Engine, tier: QualityTier
) -> None:
    models = load_printer_models()
    table = shelf(engine, *models.values())
    materials = load_materials()
    for model_id, one in models.items():
        found = table.select("PLA", tier, model_id)
        if one.firmware == "bambu":
            assert isinstance(found, NoProfile)
            continue
        assert isinstance(found, Profile)
        low, high = materials["PLA"].hotend
        assert low <= float(found.settings["temperature"]) <= min(high, one.max_hotend)
        assert float(found.settings["bed_temperature"]) <= one.max_bed
        assert float(found.settings["filament_max_volumetric_speed"]) <= one.max_flow
        assert float(found.settings["max_print_height"]) <= one.height
