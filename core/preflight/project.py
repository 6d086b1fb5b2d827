"""What a slicer left in its project 3MF beside the shape: scripts, names, and helper shapes that are no part.

Runs in a worker process only (numpy). The formats are those that PrusaSlicer 2.5 and OrcaSlicer 2.x write.
"""

import re
from array import array

import msgspec
import numpy as np

from core.domain.findings import Finding
from core.domain.text import clean
from core.preflight.limits import ReadLimits, Refusal
from core.preflight.package import Package
from core.preflight.threemf import ModelData, ObjectData
from core.preflight.wording import finding
from core.preflight.xml import XmlReader

_MOST = 8 << 20
_SCRIPT = re.compile(rb'"?\bpost_process"?\s*(?:=|:)[ \t]*(\[[^\]]{0,4000}\]?|[^\r\n]{0,4000})')
_NOTHING = re.compile(rb'[\s"\'\[\],;]*')
_PRUSA = "metadata/slic3r_pe_model.config"
_ORCA = "metadata/model_settings.config"
_PART = {"", "ModelPart", "normal_part"}
_CUTS_AWAY = {"NegativeVolume", "negative_part"}


class Helper(msgspec.Struct, frozen=True):
    """A shape of an object that is not a piece of the part: faces `first` to `last`, or the `component`."""

    kind: str
    object_id: int
    first: int = 0
    last: int = -1
    component: int | None = None


class Hints(msgspec.Struct, frozen=True):
    """Names of objects of the root model, and the helper shapes among them."""

    names: dict[int, str]
    helpers: tuple[Helper, ...]


def scripts(package: Package) -> list[Finding]:
    """EMBEDDED_SCRIPT for every setting that would make the slicer run a program."""
    found: list[Finding] = []
    for name in package.names():
        if not (name.startswith("metadata/") and name.endswith(".config")):
            continue
        text = package.head(name, _MOST + 1)
        if len(text) > _MOST:
            raise Refusal("UNREADABLE", f"{clean(name, 60)} is larger than any real setting")
        for match in _SCRIPT.finditer(text):
            if not _NOTHING.fullmatch(match[1]):
                command = clean(match[1].decode("utf-8", "replace").strip(' "[]\r\n'), 80)
                found.append(finding("EMBEDDED_SCRIPT", command, clean(name, 60)))
                break
    return found


def is_sliced(package: Package) -> bool:
    """Whether G-code is inside."""
    return any(name.startswith("metadata/") and name.endswith(".gcode") for name in package.names())


def read_hints(package: Package, limits: ReadLimits) -> Hints:
    """What the project's own files say of its objects; raises Refusal if they cannot be read."""
    names: dict[int, str] = {}
    helpers: list[Helper] = []
    for member in (_PRUSA, _ORCA):
        if package.has(member):
            reader = _HintReader(names, helpers)
            try:
                XmlReader(limits).parse(package, member, reader.start, reader.end)
            except (KeyError, ValueError) as error:
                raise Refusal("UNREADABLE", "the list of its shapes is damaged", member) from error
    return Hints(names, tuple(helpers))


def apply(model: ModelData, hints: Hints) -> list[Finding]:
    """Name the objects and take the helper shapes out of them.

    A shape that cuts away (PROJECT_CUTS, FAIL) is not replaced by anything: the part would be another one.
    """
    for number, name in hints.names.items():
        data = model.objects.get((model.root, number))
        if data is not None and not data.name:
            data.name = name
    for helper in hints.helpers:
        if helper.component is not None:
            data = _object(model, helper)
            data.components = [c for c in data.components if c.key[1] != helper.component]
    for number in {h.object_id for h in hints.helpers if h.component is None}:
        own = [h for h in hints.helpers if h.component is None and h.object_id == number]
        _cut_faces(_object(model, own[0]), own)
    found = []
    for code, kinds in (
        ("PROJECT_CUTS", {h.kind for h in hints.helpers if h.kind in _CUTS_AWAY}),
        ("HELPERS_LEFT_OUT", {h.kind for h in hints.helpers if h.kind not in _CUTS_AWAY}),
    ):
        if kinds:
            found.append(finding(code, ", ".join(sorted(map(_plain, kinds))[:4])))
    return found


class _HintReader:
    def __init__(self, names: dict[int, str], helpers: list[Helper]) -> None:
        self._names = names
        self._helpers = helpers
        self._object: int | None = None
        self._inner: Helper | None = None

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        if tag == "object":
            self._object = int(attrs["id"])
        elif self._object is None:
            return
        elif tag == "volume":
            self._inner = Helper("", self._object, int(attrs["firstid"]), int(attrs["lastid"]))
        elif tag == "part":
            self._inner = Helper(attrs.get("subtype", ""), self._object, component=int(attrs["id"]))
        elif tag == "metadata":
            self._metadata(attrs.get("key", ""), attrs.get("value", ""))

    def end(self, tag: str) -> None:
        if tag == "object":
            self._object = None
        elif tag in ("volume", "part") and self._inner is not None:
            if self._inner.kind not in _PART:
                self._helpers.append(self._inner)
            self._inner = None

    def _metadata(self, key: str, value: str) -> None:
        if self._inner is None:
            if key == "name" and self._object is not None:
                self._names[self._object] = clean(value, 80)
        elif key == "volume_type":
            self._inner = msgspec.structs.replace(self._inner, kind=value)
        elif key == "modifier" and value == "1" and self._inner.kind in _PART:
            self._inner = msgspec.structs.replace(self._inner, kind="ParameterModifier")


def _object(model: ModelData, helper: Helper) -> ObjectData:
    data = model.objects.get((model.root, helper.object_id))
    if data is None:
        raise Refusal("UNREADABLE", f"object {helper.object_id} has a helper shape but is not there")
    return data


def _cut_faces(data: ObjectData, helpers: list[Helper]) -> None:
    faces = np.frombuffer(data.triangles, dtype=np.uint32).reshape(-1, 3)
    keep = np.ones(len(faces), dtype=bool)
    for helper in helpers:
        if not 0 <= helper.first <= helper.last < len(faces):
            raise Refusal("UNREADABLE", f"a helper shape of object {data.key[1]} is not where it should be")
        keep[helper.first : helper.last + 1] = False
    data.triangles = array("I", faces[keep].tobytes())


def _plain(kind: str) -> str:
    return clean(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", kind).lower(), 40)
