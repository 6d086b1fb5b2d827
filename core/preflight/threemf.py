"""A bounded reader of 3MF models: objects, components and build items, over all model parts of the package.

Only geometry is read. Facts from the 3MF core specification 1.3 and the production extension 1.1. Runs in a
worker process; the standard library's expat does the XML, with document types and entities refused.
"""

from array import array
from collections.abc import Callable

import msgspec

from core.domain.text import clean
from core.preflight.limits import ReadLimits, Refusal
from core.preflight.package import Package
from core.preflight.xml import XmlReader

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
_MODEL_REL = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
_RELATIONSHIP = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
_PATH = f"{_PRODUCTION} path"
_VERTEX, _TRIANGLE, _OBJECT = f"{CORE} vertex", f"{CORE} triangle", f"{CORE} object"
_COMPONENT, _ITEM, _MODEL = f"{CORE} component", f"{CORE} item", f"{CORE} model"

# what a file may require and geometry alone does not need: paths are read; colours and slices change no shape
_KNOWN_EXTENSIONS = frozenset(
    {
        _PRODUCTION,
        "http://schemas.microsoft.com/3dmanufacturing/material/2015/02",
        "http://schemas.microsoft.com/3dmanufacturing/slice/2015/07",
        "http://schemas.microsoft.com/3dmanufacturing/securecontent/2019/04",
        "http://schemas.microsoft.com/3dmanufacturing/trianglesets/2021/07",
    }
)
_MM_PER_UNIT = {
    "micron": 0.001,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "inch": 25.4,
    "foot": 304.8,
    "meter": 1000.0,
}
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)

Transform = tuple[float, ...]
"""Twelve numbers, the rows of a 4 × 3 matrix that row vectors are multiplied with."""

Key = tuple[str, int]
"""Model part (lower case, no leading slash) and object id: what names an object within a package."""


class Placed(msgspec.Struct, frozen=True):
    """An object placed by a component or a build item."""

    key: Key
    transform: Transform
    printable: bool = True


class ObjectData:
    """One object: either vertices and triangles, or components."""

    def __init__(self, key: Key, name: str, kind: str) -> None:
        self.key = key
        self.name = name
        self.kind = kind
        self.vertices = array("d")
        self.triangles = array("I")
        self.components: list[Placed] = []


class ModelData:
    """All objects of a package by key, the build items of its root model part, and its unit in mm."""

    def __init__(self) -> None:
        self.objects: dict[Key, ObjectData] = {}
        self.items: list[Placed] = []
        self.mm_per_unit = 1.0
        self.root = ""


def root_model(package: Package, limits: ReadLimits) -> str:
    """The name of the root model part, from the package's relationships."""
    if not package.has("_rels/.rels"):
        raise Refusal("UNKNOWN_FORMAT", "it is a zip file, but not a 3MF")
    targets: list[str] = []

    def start(name: str, attrs: dict[str, str]) -> None:
        if name == _RELATIONSHIP and attrs.get("Type") == _MODEL_REL:
            targets.append(attrs.get("Target", ""))

    XmlReader(limits).parse(package, "_rels/.rels", start, lambda _: None)
    if not targets:
        raise Refusal("UNKNOWN_FORMAT", "it is a zip file without a 3D model")
    return targets[0]


def load(package: Package, limits: ReadLimits) -> ModelData:
    """Read the root model and every model part that it refers to.

    Raises Refusal: UNKNOWN_FORMAT, UNREADABLE, TRUNCATED, XML_FORBIDDEN, XML_TOO_DEEP, TOO_MANY_FACES,
    TOO_MANY_OBJECTS, UNSUPPORTED_EXTENSION.
    """
    model = ModelData()
    loaded: set[str] = set()
    wanted = [root_model(package, limits)]
    while wanted:
        part = wanted.pop()
        if _part(part) in loaded:
            continue
        loaded.add(_part(part))
        is_root = len(loaded) == 1
        unit = _ModelParser(model, package, part, limits, is_root=is_root).run()
        if is_root:
            model.root = _part(part)
            model.mm_per_unit = unit
        elif unit != model.mm_per_unit:
            raise Refusal("UNREADABLE", "its model parts use different units")
        refs = [p for o in model.objects.values() if o.key[0] == _part(part) for p in o.components]
        wanted += sorted({p.key[0] for p in (*refs, *model.items)} - loaded)
    return model


def _part(name: str) -> str:
    return name.lower().lstrip("/")


class _ModelParser:
    """One model part into the shared `ModelData`."""

    def __init__(
        self, model: ModelData, package: Package, part: str, limits: ReadLimits, *, is_root: bool
    ) -> None:
        self._model = model
        self._package = package
        self._name = part
        self._part = _part(part)
        self._limits = limits
        self._is_root = is_root
        self._xml = XmlReader(limits)
        self._unit: float | None = None
        self._object: ObjectData | None = None
        self._add_point: Callable[[tuple[float, float, float]], None]
        self._add_face: Callable[[tuple[int, int, int]], None]
        self._counts = sum(1 + len(o.components) for o in model.objects.values()) + len(model.items)
        self._faces = sum(len(o.triangles) // 3 for o in model.objects.values())
        self._points = sum(len(o.vertices) // 3 for o in model.objects.values())

    def run(self) -> float:
        """Parse; returns the unit in mm."""
        try:
            self._xml.parse(self._package, self._name, self._start, self._end, self._check_counts)
            self._check_counts()
        except (KeyError, ValueError, OverflowError) as error:
            raise Refusal(
                "UNREADABLE", "a number or an attribute is missing or wrong", clean(self._name, 60)
            ) from error
        if self._unit is None:
            raise Refusal("UNREADABLE", f"{clean(self._name, 60)} is not a 3MF model")
        return self._unit

    def _start(self, tag: str, attrs: dict[str, str]) -> None:
        # these two make up nearly all of a file; their number is checked between pieces
        if tag == _VERTEX:
            if self._object is not None:
                self._add_point((float(attrs["x"]), float(attrs["y"]), float(attrs["z"])))
        elif tag == _TRIANGLE:
            if self._object is not None:
                self._add_face((int(attrs["v1"]), int(attrs["v2"]), int(attrs["v3"])))
        elif tag == _OBJECT:
            self._begin_object(attrs)
        elif tag == _COMPONENT:
            if self._object is not None:
                self._object.components.append(self._placed(attrs))
        elif tag == _ITEM:
            if self._is_root:
                self._model.items.append(self._placed(attrs))
        elif tag == _MODEL:
            self._begin_model(attrs)

    def _end(self, tag: str) -> None:
        if tag == _OBJECT and self._object is not None:
            _check_indices(self._object)
            self._faces += len(self._object.triangles) // 3
            self._points += len(self._object.vertices) // 3
            self._object = None

    def _check_counts(self) -> None:
        now = self._object
        for what, before, numbers in (
            ("triangles", self._faces, now.triangles if now else ()),
            ("vertices", self._points, now.vertices if now else ()),
        ):
            if before + len(numbers) // 3 > self._limits.faces:
                raise Refusal("TOO_MANY_FACES", f"more than {self._limits.faces:,} {what}")

    def _begin_model(self, attrs: dict[str, str]) -> None:
        unit = attrs.get("unit", "millimeter")
        if unit not in _MM_PER_UNIT:
            raise Refusal("UNREADABLE", f"its unit {clean(unit, 20)} is unknown")
        self._unit = _MM_PER_UNIT[unit]
        for prefix in attrs.get("requiredextensions", "").split():
            uri = self._xml.namespaces.get(prefix, prefix)
            if uri not in _KNOWN_EXTENSIONS:
                raise Refusal("UNSUPPORTED_EXTENSION", clean(uri, 100))

    def _begin_object(self, attrs: dict[str, str]) -> None:
        self._count()
        key = (self._part, int(attrs["id"]))
        if key in self._model.objects or self._object is not None:
            raise Refusal("UNREADABLE", f"object {key[1]} is there twice")
        self._object = ObjectData(key, clean(attrs.get("name", ""), 80), attrs.get("type", "model"))
        self._model.objects[key] = self._object
        self._add_point = self._object.vertices.extend
        self._add_face = self._object.triangles.extend

    def _placed(self, attrs: dict[str, str]) -> Placed:
        self._count()
        part = _part(attrs[_PATH]) if _PATH in attrs else self._part
        text = attrs.get("transform")
        transform = tuple(float(word) for word in text.split()) if text else _IDENTITY
        if len(transform) != 12:
            raise ValueError("a transform has twelve numbers")
        return Placed((part, int(attrs["objectid"])), transform, attrs.get("printable", "1") != "0")

    def _count(self) -> None:
        self._counts += 1
        if self._counts > self._limits.objects:
            raise Refusal("TOO_MANY_OBJECTS", f"more than {self._limits.objects:,} objects and copies")


def _check_indices(data: ObjectData) -> None:
    if data.triangles and max(data.triangles) >= len(data.vertices) // 3:
        raise Refusal("UNREADABLE", f"a triangle of object {data.key[1]} uses a point that does not exist")
