"""From a printer's limits, a material and a tier to the flat settings of a profile (pure, given the texts)."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from core.domain.material import Material
from core.domain.printer_model import PrinterModel
from core.domain.words import QualityTier
from core.plates.layout import bed_rect
from core.slicing import ini, vendor
from core.slicing.vendor import Bundle, Preset

LAYER_HEIGHT = {
    QualityTier.DRAFT: 0.28,
    QualityTier.STANDARD: 0.2,
    QualityTier.FINE: 0.12,
    QualityTier.FUNCTIONAL: 0.2,
}
"""Layer height in mm that a tier asks for with a 0.4 mm nozzle."""

_FUNCTIONAL_WALLS = 4
_FUNCTIONAL_INFILL = 40.0
_PRINT_WORDS = {
    QualityTier.DRAFT: ("draft", "speed", "fast"),
    QualityTier.STANDARD: ("normal", "quality", "standard", "optimal"),
    QualityTier.FINE: ("detail", "quality", "optimal", "fine"),
    QualityTier.FUNCTIONAL: ("structural", "strong", "normal", "quality", "optimal"),
}
_SPELLINGS = {
    "PLA": ("PLA",),
    "PETG": ("PETG", "PET"),
    "ABS": ("ABS",),
    "ASA": ("ASA",),
    "TPU": ("FLEX", "TPU", "TPE"),
    "PA": ("PA", "NYLON"),
    "PC": ("PC",),
    "HIPS": ("HIPS",),
    "PVA": ("PVA",),
    "PP": ("PP",),
}
# what is filled prints differently from what is not, although the bundle calls both by one type
_FILLED = re.compile(r"carbon|fibre|fiber|glass|\b[CG]F\b|wood|metal|high flow", re.IGNORECASE)


class NoProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no profile for a material, tier and printer, in one sentence with a next step."""

    reason: str


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Flat settings, what Kiln changed in them, and where the rest comes from."""

    settings: dict[str, str]
    notes: tuple[str, ...]
    source: str


def from_bundle(
    bundle: Bundle,
    model: PrinterModel,
    material: Material,
    tier: QualityTier,
    known: frozenset[str],
    minimal: Mapping[str, Mapping[str, str]],
) -> Recipe | NoProfile:
    """A recipe of the vendor's own presets; raises vendor.BundleRefused for presets that cannot be flattened.

    The vendor's start code knows the machine, so it is kept even where the vendor has no preset for the
    material: then the material's section of the packaged `minimal` profile stands in.
    """
    printer = printer_preset(bundle, model)
    if printer is None:
        return NoProfile(reason=f"the bundle {bundle.name} has no preset for {model.name}")
    prints = vendor.compatible(bundle, "print", printer)
    if not prints:
        return NoProfile(reason=f"the bundle {bundle.name} has no print preset for {model.name}")
    chosen = min(prints, key=lambda p: _print_rank(p, tier, model.nozzle))
    filament = _filament(vendor.compatible(bundle, "filament", printer, chosen), material)
    notes: list[str] = []
    settings: dict[str, str] | None = None
    if filament is not None:
        try:
            settings = vendor.flatten(bundle, printer.name, chosen.name, filament.name, known)
        except vendor.BundleRefused as error:
            notes.append(f"the vendor's preset {filament.name} could not be used: {error}")
        else:
            filament_name = filament.name
            if not _is_generic(filament):
                notes.append(f"made for the filament {filament_name}: compare with what your spool says")
    if settings is None:
        own = _material_section(minimal, material)
        if own is None:
            return NoProfile(reason=f"the bundle {bundle.name} has no {material.name} for {model.name}")
        settings = vendor.flatten(bundle, printer.name, chosen.name, None, known) | dict(minimal[own])
        filament_name = f"kiln minimal {material.name}"
        settings["filament_type"] = own.partition(":")[2]
        notes.append(f"plain settings for {material.name} instead of a preset of the vendor")
    settings["filament_settings_id"] = f'"{filament_name}"'
    if tier is QualityTier.FUNCTIONAL:
        notes += _strengthen(settings)
    if settings.get("perimeter_generator", "arachne") != "classic":
        settings["perimeter_generator"] = "classic"
        notes.append("classic walls, so that the same plate always gives the same G-code")
    settings["bed_shape"] = _bed_shape(model, settings.get("bed_shape"))
    return Recipe(
        settings=settings,
        notes=tuple(notes),
        source=f"vendor bundle {bundle.name} {bundle.version}: {printer.name} / {chosen.name} / {filament_name}",
    )


def from_minimal(
    sections: Mapping[str, Mapping[str, str]], model: PrinterModel, material: Material, tier: QualityTier
) -> Recipe | NoProfile:
    """A recipe of the packaged minimal profile, expanded with the printer's limits."""
    wanted = ["common", f"firmware:{model.firmware}", f"tier:{tier.value}"]
    own = _material_section(sections, material)
    if f"firmware:{model.firmware}" not in sections:
        return NoProfile(
            reason=f"Kiln makes no G-code for the {model.firmware} firmware of {model.name}; "
            "slice the part in the maker's own program and drop its G-code into the inbox"
        )
    if own is None:
        return NoProfile(
            reason=f"there is no tested profile for {material.name}; import one, or drop ready G-code"
        )
    settings: dict[str, str] = {}
    for section in (*wanted, own):
        settings.update(sections[section])
    scale = model.nozzle / 0.4
    for key in ("layer_height", "first_layer_height"):
        settings[key] = f"{float(settings[key]) * scale:.3g}"
    settings |= {
        "bed_shape": _bed_shape(model, None),
        "nozzle_diameter": f"{model.nozzle:g}",
        "max_layer_height": f"{model.nozzle * 0.8:.3g}",
        "min_layer_height": f"{model.nozzle * 0.15:.3g}",
        "printer_model": model.slicer_model or model.model_id,
        "print_settings_id": f"kiln minimal {tier.value}",
        "printer_settings_id": f"kiln minimal {model.model_id}",
        "filament_settings_id": f'"kiln minimal {material.name}"',
        "filament_type": own.partition(":")[2],
    }
    notes = (
        "generic start G-code: it homes, but does not level the bed; watch the first layer",
        "retraction of 2 mm suits direct and short Bowden extruders; tune it for yours",
    )
    return Recipe(settings=settings, notes=notes, source="minimal profile")


def within_limits(recipe: Recipe, model: PrinterModel, material: Material) -> Recipe | NoProfile:
    """The recipe with temperatures, flow and size clamped to the printer's limits and the material's range."""
    for what, part, low, limit in (
        ("nozzle", "hotend", material.hotend[0], model.max_hotend),
        ("bed", "bed", material.bed[0], model.max_bed),
    ):
        # a bed range that starts at room temperature needs no heated bed
        if low > limit and not (part == "bed" and low <= 30):
            return NoProfile(
                reason=f"{material.name} needs a {what} of at least {low} °C; {model.name} allows {limit} °C"
            )
    settings = dict(recipe.settings)
    notes = list(recipe.notes)
    for keys, span, limit in (
        (("temperature", "first_layer_temperature"), material.hotend, model.max_hotend),
        (("bed_temperature", "first_layer_bed_temperature"), material.bed, model.max_bed),
    ):
        for key in keys:
            before = _number(settings.get(key), span[0])
            after = min(max(before, span[0]), span[1], limit)
            settings[key] = f"{after:g}"
            if after != before:
                notes.append(f"{key} {after:g} °C instead of {before:g} °C: limits of printer and material")
    flow = _number(settings.get("filament_max_volumetric_speed"), 0.0)
    capped = min(flow, model.max_flow) if flow > 0 else model.max_flow
    settings["filament_max_volumetric_speed"] = f"{capped:g}"
    if capped < flow:
        notes.append(f"flow {capped:g} mm³/s instead of {flow:g} mm³/s: limit of the printer")
    height = min(_number(settings.get("max_print_height"), model.height), model.height)
    settings |= {
        "max_print_height": f"{height:g}",
        "filament_density": f"{material.density:g}",
        "gcode_label_objects": "1",
    }
    if settings.get("binary_gcode", "0") != "0":
        settings["binary_gcode"] = "0"
        notes.append("plain G-code instead of binary: the safety gate reads every line")
    if material.abrasive:
        notes.append(f"{material.name} wears brass nozzles: use a hardened one")
    if material.needs_enclosure and not model.enclosure:
        notes.append(f"{material.name} wants an enclosure, which {model.name} does not have")
    return msgspec.structs.replace(recipe, settings=settings, notes=tuple(notes))


def printer_preset(bundle: Bundle, model: PrinterModel) -> Preset | None:
    """The first single-extruder preset of the bundle for this model and nozzle."""
    for preset in vendor.list_printers(bundle):
        nozzles = preset.get("nozzle_diameter").split(",")
        if (
            preset.get("printer_model") == model.slicer_model
            and len(nozzles) == 1
            and _number(nozzles[0], 0.0) == model.nozzle
            and preset.get("single_extruder_multi_material") in ("", "0")
        ):
            return preset
    return None


def _print_rank(preset: Preset, tier: QualityTier, nozzle: float) -> tuple[float, int, str]:
    height = _number(preset.get("layer_height"), math.inf)
    name = preset.name.lower()
    words = _PRINT_WORDS[tier]
    rank = next((n for n, word in enumerate(words) if word in name), len(words))
    if "soluble" in name:
        rank = len(words) + 1
    return (round(abs(height - LAYER_HEIGHT[tier] * nozzle / 0.4), 3), rank, preset.name)


def _material_section(sections: Mapping[str, Mapping[str, str]], material: Material) -> str | None:
    names = (f"material:{material.name}", f"material:{material.family}")
    return next((name for name in names if name in sections), None)


def _is_generic(filament: Preset) -> bool:
    return filament.name.startswith(("Generic", "Basic"))


def _filament(presets: Sequence[Preset], material: Material) -> Preset | None:
    filled = _FILLED.search(material.name) is not None
    base = material.name.partition("-")[0]
    spellings = _SPELLINGS.get(base, (base,))
    suitable = [
        p
        for p in presets
        if ini.split_strings(p.get("filament_type"))[0].upper() in spellings
        and (_FILLED.search(p.name) is not None) == filled
    ]

    def rank(preset: Preset) -> tuple[bool, int]:
        spelling = ini.split_strings(preset.get("filament_type"))[0].upper()
        return (not _is_generic(preset), spellings.index(spelling))

    return min(suitable, key=rank, default=None)


def _strengthen(settings: dict[str, str]) -> Iterator[str]:
    walls = int(_number(settings.get("perimeters"), 2))
    if walls < _FUNCTIONAL_WALLS:
        settings["perimeters"] = str(_FUNCTIONAL_WALLS)
        yield f"{_FUNCTIONAL_WALLS} walls instead of {walls}: functional part"
    infill = _number(settings.get("fill_density", "").rstrip("%"), 15.0)
    if infill < _FUNCTIONAL_INFILL:
        settings["fill_density"] = f"{_FUNCTIONAL_INFILL:g}%"
        yield f"{_FUNCTIONAL_INFILL:g} % infill instead of {infill:g} %: functional part"


def _bed_shape(model: PrinterModel, vendors: str | None) -> str:
    """The printer's rectangle, or what of it lies in the vendor's, where that is a rectangle too."""
    x0, y0, x1, y1 = bed_rect(model)
    if vendors:
        try:
            points = [(float(x), float(y)) for x, y in (p.split("x") for p in vendors.split(","))]
        except ValueError:
            points = []
        if len(points) == 4:
            xs, ys = [p[0] for p in points], [p[1] for p in points]
            x0, y0 = max(x0, min(xs)), max(y0, min(ys))
            x1, y1 = min(x1, max(xs)), min(y1, max(ys))
    x0, y0, x1, y1 = (value + 0.0 for value in (x0, y0, x1, y1))  # no -0 in the text
    return f"{x0:g}x{y0:g},{x1:g}x{y0:g},{x1:g}x{y1:g},{x0:g}x{y1:g}"


def _number(value: str | None, otherwise: float) -> float:
    try:
        found = float((value or "").split(",")[0])
    except ValueError:
        return otherwise
    return found if math.isfinite(found) else otherwise
