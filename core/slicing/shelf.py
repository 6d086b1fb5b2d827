"""The released profiles: for a material, a tier and a printer exactly one, or the reason why there is none."""

import importlib.resources
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.domain.material import Material
from core.domain.printer_model import PrinterModel
from core.domain.text import file_stem
from core.domain.words import QualityTier
from core.slicing import ini, profile, recipe, vendor
from core.slicing.engine import Engine
from core.slicing.profile import Profile
from core.slicing.recipe import NoProfile, Recipe
from core.slicing.vendor import Bundle, BundleRefused

FIRST_VERSION = "1.0.0"


class ProfileShelf:
    """Profiles are made on first demand and remembered; `select` takes 0.1 s the first time for a vendor."""

    def __init__(
        self,
        models: Mapping[str, PrinterModel],
        materials: Mapping[str, Material],
        slicer: str,
        bundles: Sequence[Path],
        known: frozenset[str],
    ) -> None:
        self._models = models
        self._materials = materials
        self._slicer = slicer
        self._paths = tuple(bundles)
        self._known = known
        self._bundles: dict[Path, Bundle | None] = {}
        self._done: dict[tuple[str, QualityTier, str], Profile | NoProfile] = {}
        minimal = importlib.resources.files("data") / "profiles" / "minimal.ini"
        self._minimal = ini.parse(minimal.read_text("utf-8"))

    def select(self, material: str, tier: QualityTier, model_id: str) -> Profile | NoProfile:
        """The released profile for a part of this material and tier on this printer variant."""
        wanted = (material, tier, model_id)
        if wanted not in self._done:
            self._done[wanted] = self._make(material, tier, model_id)
        return self._done[wanted]

    def _make(self, material_name: str, tier: QualityTier, model_id: str) -> Profile | NoProfile:
        model = self._models.get(model_id)
        material = self._materials.get(material_name)
        if model is None:
            return NoProfile(reason=f"the printer variant '{model_id}' is not in the table of printers")
        if material is None:
            return NoProfile(reason=f"the material '{material_name}' is not in the table of materials")
        found = self._recipe(model, material, tier)
        if not isinstance(found, NoProfile):
            found = recipe.within_limits(found, model, material)
        if isinstance(found, NoProfile):
            return found
        try:
            return profile.make_profile(
                name=file_stem(f"{material.name}-{tier.value}-{model.model_id}".lower(), 100),
                semver=FIRST_VERSION,
                slicer=self._slicer,
                settings=found.settings,
                material=material.name,
                tier=tier,
                printer_class=model.model_id,
                known=self._known,
                notes=found.notes,
                source=found.source,
            )
        except profile.ProfileRefused as error:
            return NoProfile(reason=f"the settings for {model.name} are refused: {error}")

    def _recipe(self, model: PrinterModel, material: Material, tier: QualityTier) -> Recipe | NoProfile:
        refused = ""
        for path in self._paths if model.slicer_model else ():
            bundle = self._bundle(path)
            if bundle is None:
                continue
            try:
                found = recipe.from_bundle(bundle, model, material, tier, self._known, self._minimal)
            except BundleRefused as error:
                refused = str(error)
                continue
            if isinstance(found, Recipe):
                return found
        found = recipe.from_minimal(self._minimal, model, material, tier)
        if refused and isinstance(found, Recipe):
            note = f"the vendor's presets could not be used: {refused}"
            return Recipe(settings=found.settings, notes=(*found.notes, note), source=found.source)
        return found

    def _bundle(self, path: Path) -> Bundle | None:
        if path not in self._bundles:
            try:
                self._bundles[path] = vendor.load_bundle(path)
            except (BundleRefused, OSError):
                # one vendor's unreadable file must not take the other vendors' printers away
                self._bundles[path] = None
        return self._bundles[path]


def released_profiles(
    models: Mapping[str, PrinterModel],
    materials: Mapping[str, Material],
    engine: Engine,
    known: frozenset[str],
) -> ProfileShelf:
    """The shelf of this engine and the vendor bundles that came with it; `known` are the settings it knows."""
    folders = vendor.profile_dirs(engine.path)
    paths = [path for folder in folders for path in sorted(folder.glob("*.ini"))]
    return ProfileShelf(models, materials, engine.label, paths, known)
