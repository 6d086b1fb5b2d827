"""What a 3MF asks to build: its distinct parts with their number of copies, as chunks of faces in mm.

Runs in a worker process only (numpy).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from core.preflight.limits import ReadLimits, Refusal
from core.preflight.stl import CHUNK
from core.preflight.threemf import Key, ModelData, ObjectData, Placed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Faces = NDArray[np.float32]
    Matrix = NDArray[np.float64]

_NESTING = 64
_FLAT = 1e-12


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """One distinct part: an object in one orientation and scale, and how many copies are asked for."""

    name: str
    key: Key
    transform: tuple[float, ...]
    """Rotation and scale only: where the copies stand is decided anew."""
    quantity: int


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The parts in the order of their first copy, and how many build items were left out on the file's word."""

    builds: tuple[Build, ...]
    not_printable: int = 0
    not_models: int = 0


def scene(model: ModelData, limits: ReadLimits) -> Scene:
    """Resolve the build items.

    Raises Refusal: UNREADABLE for what refers to nothing, COMPONENT_CYCLE, TOO_MANY_OBJECTS, TOO_MANY_FACES.
    """
    weigh = _Weigher(model, limits)
    counts: dict[tuple[Key, tuple[float, ...]], int] = {}
    hidden = others = faces = 0
    for item in model.items:
        target = weigh.target(item)
        if not item.printable:
            hidden += 1
        elif target.kind != "model":
            others += 1
        else:
            _matrix(item.transform)
            turned = (*(round(v, 9) + 0.0 for v in item.transform[:9]), 0.0, 0.0, 0.0)
            counts[item.key, turned] = counts.get((item.key, turned), 0) + 1
            faces += weigh.weight(item.key)[0]
    if faces > limits.instanced_faces:
        raise Refusal(
            "TOO_MANY_FACES", f"{faces:,} triangles over all copies; the limit is {limits.instanced_faces:,}"
        )
    if len(counts) > limits.parts:
        raise Refusal("TOO_MANY_OBJECTS", f"{len(counts):,} different parts; the limit is {limits.parts:,}")
    if sum(weigh.weight(key)[1] for key, _ in counts) > limits.expansions:
        raise Refusal("TOO_MANY_OBJECTS", "its components unfold without end")
    names: set[str] = set()
    builds = tuple(
        Build(name=_unique(model.objects[key], names), key=key, transform=transform, quantity=quantity)
        for (key, transform), quantity in counts.items()
    )
    return Scene(builds=builds, not_printable=hidden, not_models=others)


def faces_of(model: ModelData, build: Build) -> "Iterator[Faces]":
    """The faces of one part in mm, component by component, in chunks of shape (n, 3, 3)."""
    for data, matrix in _meshes(model, build.key, _matrix(build.transform)):
        points = np.frombuffer(data.vertices, dtype=np.float64).reshape(-1, 3)
        indices = np.frombuffer(data.triangles, dtype=np.uint32).reshape(-1, 3)
        with np.errstate(over="ignore", invalid="ignore"):
            placed = ((points @ matrix[:3] + matrix[3]) * model.mm_per_unit).astype(np.float32)
        if np.linalg.det(matrix[:3]) < 0:
            # mirrored: without this the part would be inside out
            indices = indices[:, ::-1]
        for i in range(0, len(indices), CHUNK):
            yield placed[indices[i : i + CHUNK]]


def _meshes(model: ModelData, key: Key, matrix: "Matrix") -> "Iterator[tuple[ObjectData, Matrix]]":
    data = model.objects[key]
    if data.triangles:
        yield data, matrix
    for component in data.components:
        inner = _matrix(component.transform)
        together = np.vstack((inner[:3] @ matrix[:3], inner[3] @ matrix[:3] + matrix[3]))
        yield from _meshes(model, component.key, together)


class _Weigher:
    """Faces and unfolded meshes below each object, counted without unfolding."""

    def __init__(self, model: ModelData, limits: ReadLimits) -> None:
        self._model = model
        self._limits = limits
        self._known: dict[Key, tuple[int, int]] = {}
        self._open: set[Key] = set()

    def target(self, placed: Placed) -> ObjectData:
        """The object that `placed` names."""
        data = self._model.objects.get(placed.key)
        if data is None:
            raise Refusal("UNREADABLE", f"object {placed.key[1]} is used but not there")
        return data

    def weight(self, key: Key) -> tuple[int, int]:
        """Number of faces and of meshes."""
        if key in self._known:
            return self._known[key]
        if key in self._open:
            raise Refusal("COMPONENT_CYCLE", f"object {key[1]} is built of itself")
        if len(self._open) >= _NESTING:
            raise Refusal("COMPONENT_CYCLE", f"objects within objects over more than {_NESTING} levels")
        self._open.add(key)
        data = self._model.objects[key]
        faces, meshes = len(data.triangles) // 3, 1
        for component in data.components:
            self.target(component)
            _matrix(component.transform)
            below = self.weight(component.key)
            faces, meshes = faces + below[0], meshes + below[1]
        self._open.discard(key)
        self._known[key] = (faces, meshes)
        return self._known[key]


def _matrix(transform: tuple[float, ...]) -> "Matrix":
    matrix = np.array(transform, dtype=np.float64).reshape(4, 3)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3])) < _FLAT:
        raise Refusal("UNREADABLE", "a transform is not a number or flattens its object")
    return matrix


def _unique(data: ObjectData, names: set[str]) -> str:
    base = data.name or f"object {data.key[1]}"
    name, number = base, 2
    while name in names:
        name, number = f"{base} ({number})", number + 1
    names.add(name)
    return name
