"""The packaged tables: complete, sourced, without contradictions."""

from pathlib import Path

import pytest

from core import catalog

MODELS = catalog.load_printer_models()
REQUIRED = {
    "prusa_mk3s", "prusa_mk4", "prusa_mini", "creality_ender3", "creality_ender3_v2", "creality_ender3_s1",
    "creality_k1", "voron_v0", "voron_24_250", "voron_24_300", "voron_24_350", "bambu_p1s", "bambu_x1c",
    "bambu_a1_mini", "sovol_sv06", "generic_220",
}  # fmt: skip


def test_the_promised_variants_are_there() -> None:
    assert set(MODELS) >= REQUIRED


@pytest.mark.parametrize("model_id", sorted(MODELS))
def test_every_limit_of_a_variant_has_a_source_and_a_date(model_id: str) -> None:
    model = MODELS[model_id]
    for field in ("width", "depth", "height", "max_hotend", "max_bed", "max_flow"):
        assert model.sources[field].source
        assert model.sources[field].date[:2] == "20"
    if model.excluded:
        assert model.sources["excluded"].source


@pytest.mark.parametrize("model_id", sorted(MODELS))
def test_limits_are_plausible(model_id: str) -> None:
    model = MODELS[model_id]
    assert 100 <= model.width <= 1000
    assert 180 <= model.max_hotend <= 320
    assert 0 <= model.max_bed <= 130


def test_a_slicer_name_belongs_to_one_variant_only() -> None:
    owner: dict[str, str] = {}
    for model in MODELS.values():
        for alias in {a.casefold() for a in (*model.aliases, model.slicer_model) if a}:
            assert owner.setdefault(alias, model.model_id) == model.model_id


def test_the_reach_of_a_variant_contains_its_bed() -> None:
    for model_id, reach in catalog.load_reaches().items():
        model = MODELS[model_id]
        x0, y0, x1, y1 = reach.area
        assert x0 <= -model.origin[0]
        assert y0 <= -model.origin[1]
        assert x1 >= model.width - model.origin[0]
        assert y1 >= model.depth - model.origin[1]


def test_materials_have_density_and_ordered_ranges() -> None:
    materials = catalog.load_materials()
    assert {"PLA", "PETG", "ABS", "ASA", "TPU", "PA", "PC"} <= set(materials)
    for material in materials.values():
        assert 0.8 < material.density < 2.0
        assert material.hotend[0] < material.hotend[1]
        assert material.bed[0] < material.bed[1]
        assert material.source


def test_facts_that_a_predecessor_had_wrong() -> None:
    assert MODELS["prusa_mk4"].max_hotend == 290
    assert MODELS["bambu_p1s"].max_bed == 100
    assert MODELS["voron_24_250"].width == 250
    assert MODELS["bambu_p1s"].excluded == ((0.0, 0.0, 18.0, 28.0),)


def _read_materials(file: Path) -> None:
    for where, row in catalog._rows(file):
        catalog._convert(row, catalog.Material, where)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {model_id: a, wdth: 3.0}", "wdth"),
        ("- {name: PLA, family: PLA, density: high, hotend: [1, 2], bed: [1, 2]}", "density"),
        ("name: PLA", "list of rows"),
        ("- [1, 2", "table.yaml"),
        ("- 5", "row 1"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "table.yaml"
    file.write_text(text)
    with pytest.raises(catalog.CatalogError, match=words):
        _read_materials(file)
