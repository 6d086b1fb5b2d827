"""What the tests with the real slicer share. There is no skip: the suite's set-up installs the slicer."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.catalog import load_materials, load_printer_models
from core.domain.printer_model import PrinterModel
from core.domain.words import QualityTier
from core.plates.plate_file import Instance, PlateFile, write_plate
from core.slicing.engine import Engine, Engines
from core.slicing.known import KnownSettings
from core.slicing.outcomes import NotSliced
from core.slicing.profile import Profile
from core.slicing.prusa import Expanded, Gated, Sliced, SliceRequest, expand_profile, slice_plate
from core.slicing.sandbox import default_limits
from core.slicing.shelf import ProfileShelf, released_profiles
from tests.slicer.blocks import write_block


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs the real slicer."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engines().find()


@pytest.fixture(scope="session")
def known(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    found = KnownSettings().of(engine, tmp_path_factory.mktemp("known"))
    assert not isinstance(found, NotSliced), found
    return found


@pytest.fixture(scope="session")
def shelf(engine: Engine, known: frozenset[str]) -> ProfileShelf:
    return released_profiles(load_printer_models(), load_materials(), engine, known)


@pytest.fixture(scope="session")
def model() -> PrinterModel:
    return load_printer_models()["generic_220"]


@pytest.fixture(scope="session")
def profile(shelf: ProfileShelf, model: PrinterModel) -> Profile:
    """The minimal profile: PLA, standard, 0.2 mm."""
    found = shelf.select("PLA", QualityTier.STANDARD, model.model_id)
    assert isinstance(found, Profile), found
    return found


@pytest.fixture
def block(tmp_path: Path) -> Callable[..., Path]:
    """Writes a box as preflight normalises a mesh: centred in x and y, standing on z = 0."""

    def write(x: float, y: float, z: float) -> Path:
        return write_block(tmp_path / f"block-{x}-{y}-{z}.stl", x, y, z)

    return write


class Bench:
    """One work folder with an engine, a printer and a profile, to slice plates in."""

    def __init__(self, folder: Path, engine: Engine, model: PrinterModel, settings: dict[str, str]) -> None:
        self.folder = folder
        self.engine = engine
        self.model = model
        self.settings = settings
        self.progress: list[tuple[int, str]] = []

    def expanded(self, known: frozenset[str] | None = None, **changes: str) -> Expanded:
        settings = self.settings | changes
        found = expand_profile(self.engine, settings, self.folder, known or frozenset(settings))
        assert isinstance(found, Expanded), found
        return found

    def plate(self, *instances: Instance) -> PlateFile:
        return self.plate_named("input.3mf", *instances)

    def plate_named(self, name: str, *instances: Instance) -> PlateFile:
        return write_plate(self.folder / name, instances)

    def slice(
        self,
        plate: PlateFile,
        *,
        cancel: threading.Event | None = None,
        profile: Expanded | None = None,
        changes: dict[str, str] | None = None,
        limits: dict[str, Any] | None = None,
        check: Callable[[Path], Gated] = lambda _path: Gated(),
        model: PrinterModel | None = None,
        engine: Engine | None = None,
    ) -> Sliced | NotSliced:
        request = SliceRequest(
            plate=plate,
            profile=profile or self.expanded(**(changes or {})),
            model=model or self.model,
            engine=engine or self.engine,
            check=check,
            product=self.folder / "product.gcode",
            limits=msgspec.structs.replace(default_limits(), **(limits or {})),
        )
        before = set(self.folder.iterdir())
        result = slice_plate(
            request, cancel or threading.Event(), lambda pct, text: self.progress.append((pct, text))
        )
        left = set(self.folder.iterdir()) - before
        assert left <= {request.product}, "the slice left files behind"
        return result


@pytest.fixture
def bench(tmp_path: Path, engine: Engine, model: PrinterModel, profile: Profile) -> Bench:
    folder = tmp_path / "work"
    folder.mkdir()
    return Bench(folder, engine, model, profile.settings)
