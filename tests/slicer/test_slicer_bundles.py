"""The vendor bundles that come with the installed slicer: they flatten, load and slice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.catalog import load_printer_models
from core.domain.words import QualityTier
from core.plates.plate_file import Instance
from core.slicing import vendor
from core.slicing.engine import Engine
from core.slicing.known import shipped_settings
from core.slicing.outcomes import NotSliced
from core.slicing.profile import Profile
from core.slicing.prusa import Expanded, Sliced, expand_profile
from core.slicing.recipe import NoProfile
from core.slicing.shelf import ProfileShelf
from tests.slicer.conftest import Bench
from tests.slicer.gating import gate

SLICED = sorted(
    model_id for model_id, model in load_printer_models().items() if model.firmware in ("marlin", "klipper")
)


def bundles(engine: Engine) -> list[vendor.Bundle]:
    folders = vendor.profile_dirs(engine.path)
    assert folders, "the slicer came without vendor bundles"
    return [vendor.load_bundle(path) for folder in folders for path in sorted(folder.glob("*.ini"))]


def test_every_printer_preset_flattens_and_a_sample_loads_into_the_slicer(
    engine: Engine, known: frozenset[str], tmp_path: Path
) -> None:
    flat: dict[str, dict[str, str]] = {}
    refused: dict[str, str] = {}
    lonely: list[str] = []
    for bundle in bundles(engine):
        for printer in vendor.list_printers(bundle):
            prints = vendor.compatible(bundle, "print", printer)
            filaments = vendor.compatible(bundle, "filament", printer, prints[0] if prints else None)
            if not prints or not filaments:
                lonely.append(printer.name)
                continue
            try:
                flat[f"{bundle.name}/{printer.name}"] = vendor.flatten(
                    bundle, printer.name, prints[0].name, filaments[0].name, known
                )
            except vendor.BundleRefused as error:
                refused[printer.name] = str(error)
    assert len(flat) >= 300
    assert len(refused) <= len(flat) // 100, refused
    # printers for which the vendor ships no print or no filament preset at all: 2 in 2.5.0, 45 in 2.9.2
    assert len(lonely) <= len(flat) // 15, lonely
    names = sorted(flat)
    for name in names[:: max(1, len(names) // 40)]:
        found = expand_profile(engine, flat[name], tmp_path, known)
        assert isinstance(found, Expanded), (name, found)


@pytest.mark.parametrize("model_id", SLICED)
def test_every_packaged_printer_slices_and_passes_the_gate(
    bench: Bench, block: Callable[..., Path], shelf: ProfileShelf, known: frozenset[str], model_id: str
) -> None:
    model = load_printer_models()[model_id]
    found = shelf.select("PLA", QualityTier.STANDARD, model_id)
    assert isinstance(found, Profile), found
    bench.settings, bench.model = found.settings, model
    x, y = model.width / 2 - model.origin[0], model.depth / 2 - model.origin[1]
    plate = bench.plate(Instance(name="p", mesh=block(30, 20, 4), x=x, y=y))
    made = bench.slice(plate, profile=bench.expanded(known), check=gate(model))
    assert isinstance(made, Sliced), made
    assert made.layers == 20


def test_every_released_profile_loads_into_the_slicer(
    shelf: ProfileShelf, engine: Engine, known: frozenset[str], tmp_path: Path
) -> None:
    count = 0
    for model_id in load_printer_models():
        for material in ("PLA", "PETG", "TPU"):
            found = shelf.select(material, QualityTier.FUNCTIONAL, model_id)
            if isinstance(found, NoProfile):
                continue
            expanded = expand_profile(engine, found.settings, tmp_path, known)
            assert not isinstance(expanded, NotSliced), (found.ref, expanded)
            assert found.reproducible
            count += 1
    assert count >= 30


def test_the_packaged_list_of_settings_is_the_slicers_own(engine: Engine, known: frozenset[str]) -> None:
    shipped = shipped_settings()
    assert {"post_process", "layer_height", "filament_wipe"} <= shipped & known
    if engine.version.startswith("2.5."):
        assert known == shipped
