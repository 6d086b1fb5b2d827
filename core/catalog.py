"""The packaged tables of facts: printer variants and materials (`data/`), read and checked.

Nothing is read at import time; the caller keeps the result. A table that is wrong stops the program with the file,
the row and the field named: a silently dropped limit would be an unsafe limit.
"""

import importlib.resources
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import msgspec
import yaml

from core.domain.material import Material
from core.domain.printer_model import PrinterModel
from core.gcode.policy import Reach

T = TypeVar("T", bound=msgspec.Struct)


class CatalogError(ValueError):
    """A packaged table does not read; the text names the file, the row and the field."""


def load_printer_models() -> dict[str, PrinterModel]:
    """All packaged printer variants by `model_id`, sorted. Raises CatalogError."""
    return dict(sorted((model.model_id, model) for model, _ in _printer_rows()))


def load_reaches() -> dict[str, Reach]:
    """What each variant may do beyond its bed, by `model_id`; a variant that is missing may do nothing there."""
    return {model.model_id: reach for model, reach in _printer_rows() if reach is not None}


def load_materials() -> dict[str, Material]:
    """All packaged materials by name, e.g. ``PETG``. Raises CatalogError."""
    materials: dict[str, Material] = {}
    for where, row in _rows(_data() / "materials.yaml"):
        material = _convert(row, Material, where)
        if material.name in materials:
            raise CatalogError(f"{where}: {material.name!r} is given twice")
        materials[material.name] = material
    return materials


def _data() -> Traversable:
    return importlib.resources.files("data")


def _printer_rows() -> Iterator[tuple[PrinterModel, Reach | None]]:
    seen: set[str] = set()
    files = sorted((_data() / "printers").iterdir(), key=lambda f: f.name)
    for file in files:
        if not file.name.endswith(".yaml"):
            continue
        for where, row in _rows(file):
            raw_reach = row.pop("reach", None)
            reach = None if raw_reach is None else _convert(raw_reach, Reach, f"{where} reach")
            model = _convert(row, PrinterModel, where)
            if model.model_id in seen:
                raise CatalogError(f"{where}: {model.model_id!r} is given twice")
            seen.add(model.model_id)
            _check_limits(model, where)
            yield model, reach


def _rows(file: Traversable) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogError(f"{file.name}: {error}") from error
    if not isinstance(table, list):
        raise CatalogError(f"{file.name}: expected a list of rows, found {type(table).__name__}")
    for number, row in enumerate(table, 1):
        if not isinstance(row, dict):
            raise CatalogError(f"{file.name} row {number}: expected fields, found {type(row).__name__}")
        name = row.get("model_id") or row.get("name") or number
        yield f"{file.name} row {name}", row


def _convert(row: object, kind: type[T], where: str) -> T:
    if isinstance(row, dict):
        unknown = sorted(str(key) for key in row if key not in kind.__struct_fields__)
        if unknown:
            raise CatalogError(f"{where}: unknown field {', '.join(unknown)}")
    try:
        return msgspec.convert(row, kind, strict=True)
    except msgspec.ValidationError as error:
        raise CatalogError(f"{where}: {error}") from error


def _check_limits(model: PrinterModel, where: str) -> None:
    positive = ("width", "depth", "height", "nozzle", "max_flow", "max_hotend", "tools")
    for field in positive:
        if getattr(model, field) <= 0:
            raise CatalogError(f"{where}: {field} must be greater than 0")
    for field in ("max_bed", "max_chamber"):
        if getattr(model, field) < 0:
            raise CatalogError(f"{where}: {field} must not be negative")
    for x0, y0, x1, y1 in model.excluded:
        if x0 >= x1 or y0 >= y1:
            raise CatalogError(f"{where}: excluded area must be x0 < x1 and y0 < y1")
    for field in model.sources:
        if field not in model.__struct_fields__:
            raise CatalogError(f"{where}: source for unknown field {field}")
