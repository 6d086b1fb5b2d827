"""What the slicing controller does with its hands: choose a profile, lay out, call the slicer, gate the product."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from core.controllers.gcode_gate import OUTSIDE, GcodeGate, summary
from core.domain.commands import PlanReady
from core.domain.findings import Finding
from core.domain.material import Material
from core.domain.objects import GateSummary, LineItem, Placement, Plan, Plate, Printer, SlicerPin
from core.domain.words import Health, QualityTier, Verdict
from core.gcode.gate import GateVerdict
from core.gcode.report import GcodeReport
from core.kernel.ports import Artifacts
from core.plates.layout import Footprint, Layout, arrange
from core.plates.plate_file import Instance, PlateFile, write_plate
from core.plates.stl import MeshRefused
from core.slicing import prusa, sandbox
from core.slicing.engine import Engine, EngineMissing, Engines
from core.slicing.key import slice_key
from core.slicing.known import KnownSettings
from core.slicing.outcomes import OF_MESH, NotSliced, SliceOutcome
from core.slicing.overrides import with_supports
from core.slicing.profile import Profile
from core.slicing.recipe import NoProfile
from core.slicing.shelf import ProfileShelf, released_profiles
from core.workers.types import WorkerError


class NoSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no product: a SliceOutcome (or SLICER_CHANGED), and sentences for the operator."""

    code: str
    message: str
    key: str = ""


class ProductGate:
    """The gate on the product of one slice: asked once by the slicing, its answer kept for the ledger."""

    def __init__(self, gate: GcodeGate, model_id: str, material: Material) -> None:
        self._gate, self._model_id, self._material = gate, model_id, material
        self.said: tuple[GcodeReport, GateVerdict] | None = None

    def __call__(self, path: Path) -> prusa.Gated:
        """Scan and judge the file; what cannot be scanned is unsafe."""
        try:
            report = self._gate.scan(path)
        except WorkerError as error:
            return prusa.Gated(unsafe=f"The product could not be scanned: {error}")
        verdict = self._gate.judge(report, self._model_id, self._material)
        self.said = (report, verdict)
        failed = [f for f in verdict.findings if f.severity is Verdict.FAIL]
        return prusa.Gated(
            out_of_volume=_first(f for f in failed if f.code in OUTSIDE),
            unsafe=_first(f for f in failed if f.code not in OUTSIDE),
        )


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A slice ready to run."""

    key: str
    request: prusa.SliceRequest
    gate: ProductGate
    layout: tuple[Placement, ...]
    material: Material
    name: str


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A verified product with what its gate said."""

    path: Path
    name: str
    gate: GateSummary
    report: bytes
    warnings: tuple[str, ...]
    seconds: float


class Bench:
    """Engines, profiles and gates of one site, for the thread that prepares and the one that slices."""

    def __init__(
        self,
        *,
        artifacts: Artifacts,
        gate: GcodeGate,
        materials: Mapping[str, Material],
        site: Path,
        work: Path,
        configured: Path | None,
    ) -> None:
        self._artifacts, self._gate, self._materials = artifacts, gate, materials
        self._site, self._work, self._configured = site, work, configured
        self._engines, self._known = Engines(), KnownSettings()
        self._shelves: dict[str, ProfileShelf] = {}
        self._shelves_lock = threading.Lock()
        """For the shelves and what they remember; a slice runs without it."""
        self._expanded: dict[tuple[str, str, str], prusa.Expanded] = {}

    def engine(self) -> Engine:
        """The slicer in use; raises EngineMissing."""
        return self._engines.find(configured=self._configured, site=self._site)

    def _select(
        self, engine: Engine, material: str, tier: QualityTier, model_id: str
    ) -> Profile | NoProfile | NotSliced:
        """The released profile; NotSliced where the engine does not even say which settings it knows."""
        with self._shelves_lock:
            shelf = self._shelves.get(engine.digest)
            if shelf is None:
                known = self._known.of(engine, self._work)
                if isinstance(known, NotSliced):
                    return known
                shelf = released_profiles(self._gate.models, self._materials, engine, known)
                self._shelves[engine.digest] = shelf
            return shelf.select(material, tier, model_id)

    # --- preparing ---

    def prepare_gcode(self, plan: Plan, printers: tuple[Printer, ...], wanted: str | None) -> PlanReady:
        """Ready G-code: which printer model it runs on."""
        counts = Counter(p.model_id for p in printers)
        fitting = [m for m in plan.fits_models if m in counts]
        if wanted is not None and wanted in plan.fits_models:
            return PlanReady(plan_id=plan.plan_id, model_id=wanted)
        if fitting:
            return PlanReady(plan_id=plan.plan_id, model_id=max(fitting, key=lambda m: counts[m]))
        names = ", ".join(self._gate.models[m].name for m in plan.fits_models[:3]) or "none that is known"
        problem = f"No printer of this site can run this file. It runs on: {names}."
        return PlanReady(plan_id=plan.plan_id, problem=problem)

    def prepare_model(
        self, plan: Plan, item: LineItem, printers: tuple[Printer, ...], wanted: str | None
    ) -> PlanReady:
        """A model: material → tier → printer class → one locked profile version."""
        if item.material is None or item.tier is None:
            missing = " and ".join(
                word for word, value in (("material", item.material), ("quality", item.tier)) if value is None
            )
            return PlanReady(plan_id=plan.plan_id, problem=f"Say the {missing} of {item.name} first.")
        try:
            engine = self.engine()
        except EngineMissing as error:
            return PlanReady(plan_id=plan.plan_id, problem=str(error))
        choices = [wanted] if wanted else _rank_models(plan, item, printers)
        if not choices:
            return PlanReady(
                plan_id=plan.plan_id,
                problem="No printer of this site is large enough for this part."
                if printers
                else "There is no printer yet: add one first.",
            )
        reasons = []
        for model_id in choices:
            profile = self._select(engine, item.material, item.tier, model_id)
            if isinstance(profile, NotSliced):
                return PlanReady(plan_id=plan.plan_id, problem=_words(profile).message)
            if isinstance(profile, Profile):
                return PlanReady(
                    plan_id=plan.plan_id,
                    model_id=model_id,
                    profile_ref=f"{profile.name}@{profile.semver}",
                    profile_checksum=profile.checksum,
                    slicer=SlicerPin(name=engine.name, version=engine.version, digest=engine.digest),
                )
            reasons.append(profile.reason)
        return PlanReady(plan_id=plan.plan_id, problem=f"There is no profile: {reasons[0]}.")

    # --- slicing ---

    def arrange(self, plate: Plate, plans: Mapping[str, Plan]) -> tuple[Layout, ...] | NoSlice:
        """The Plates that these instances need on their printer model."""
        model = self._gate.models[plate.model_id or ""]
        feet = []
        for item in plate.items:
            preflight = plans[item.plan_id].preflight
            size = preflight.size_um if preflight else (0, 0, 0)
            width, depth, height = (value / 1000 for value in size)
            feet.append(Footprint(item_id=item.item_id, width=width, depth=depth, height=height))
        found = arrange(feet, model)
        if found.unplaced:
            return NoSlice(code=SliceOutcome.DOES_NOT_FIT, message=found.unplaced[0].reason)
        return found.plates

    def plan_slice(
        self,
        plate: Plate,
        plans: Mapping[str, Plan],
        lines: Mapping[str, LineItem],
        layout: Layout,
        folder: Path,
    ) -> Job | NoSlice:
        """Everything pinned is checked once more, the plate file is written, the content key computed."""
        plan = plans[plate.items[0].plan_id]
        line = lines[plate.items[0].line_item_id]
        chosen = self._pinned(plan, line)
        if isinstance(chosen, NoSlice):
            return chosen
        engine, expanded, material = chosen
        model = self._gate.models[plan.model_id or ""]
        try:
            written = self._write(plate, plans, layout, folder)
        except MeshRefused as error:
            outcome = OF_MESH[error.fault]
            return NoSlice(code=outcome, message=f"{outcome.sentence} ({error}) {outcome.next_step}")
        except ValueError as error:
            return NoSlice(code=SliceOutcome.MODEL_UNREADABLE, message=str(error))
        key = slice_key(
            plan_inputs={"model_id": model.model_id, "supports": plan.supports},
            engine_digest=engine.digest,
            profile_sha256=expanded.sha256,
            plate_sha256=written.sha256,
        )
        gate = ProductGate(self._gate, model.model_id, material)
        request = prusa.SliceRequest(
            plate=written,
            profile=expanded,
            model=model,
            engine=engine,
            check=gate,
            product=folder / "product.gcode",
            limits=sandbox.default_limits(),
        )
        placed = tuple(
            Placement(item_id=p.item_id, x_um=round(p.x * 1000), y_um=round(p.y * 1000), rotation=p.rotation)
            for p in layout.placements
        )
        name = plate.items[0].name
        return Job(key=key, request=request, gate=gate, layout=placed, material=material, name=name)

    def run(
        self, job: Job, cancel: threading.Event, on_progress: Callable[[int, str], None]
    ) -> Product | NoSlice:
        """Call the slicer and gate what it made. Blocks."""
        try:
            made = prusa.slice_plate(job.request, cancel, on_progress)
        except OSError as error:
            return NoSlice(code=SliceOutcome.DISK_FULL, message=f"The work folder can't be used: {error}")
        if isinstance(made, NotSliced):
            return msgspec.structs.replace(_words(made), key=job.key)
        said = job.gate.said
        if said is None or said[0].sha256 != made.sha256:
            return not_as_checked(job.key)
        report, verdict = said
        return Product(
            path=made.path,
            name=job.name,
            gate=summary(report, verdict, job.material),
            report=msgspec.json.encode({"report": report, "verdict": verdict}),
            warnings=made.warnings,
            seconds=made.seconds,
        )

    def _pinned(self, plan: Plan, line: LineItem) -> tuple[Engine, prusa.Expanded, Material] | NoSlice:
        try:
            engine = self.engine()
        except EngineMissing as error:
            return NoSlice(code="SLICER_MISSING", message=str(error))
        if plan.slicer is None or engine.digest != plan.slicer.digest:
            return NoSlice(
                code="SLICER_CHANGED",
                message=f"The approval pinned another slicer than the installed {engine.label}. "
                "Install the pinned one again, or order the part again to approve the new one.",
            )
        if line.material is None or line.tier is None or plan.model_id is None:
            return NoSlice(code=SliceOutcome.PROFILE_INVALID, message="The plan pins no profile.")
        profile = self._select(engine, line.material, line.tier, plan.model_id)
        if isinstance(profile, NotSliced):
            return _words(profile)
        if isinstance(profile, NoProfile) or profile.checksum != plan.profile_checksum:
            return NoSlice(
                code=SliceOutcome.PROFILE_INVALID,
                message=f"The pinned profile {plan.profile_ref} is not to be had as it was approved.",
            )
        # what the plan says over its profile is part of the expanded profile, and so of the content key
        settings = with_supports(profile.settings, plan.supports)
        cached = self._expanded.get((engine.digest, profile.checksum, plan.supports))
        if cached is None:
            known = self._known.of(engine, self._work)
            if isinstance(known, NotSliced):
                return _words(known)
            expanded = prusa.expand_profile(engine, settings, self._work, known)
            if isinstance(expanded, NotSliced):
                return _words(expanded)
            cached = self._expanded[(engine.digest, profile.checksum, plan.supports)] = expanded
        return engine, cached, self._materials[line.material]

    def _write(self, plate: Plate, plans: Mapping[str, Plan], layout: Layout, folder: Path) -> PlateFile:
        by_id = {item.item_id: item for item in plate.items}
        instances = []
        # names and order by content, not by identity: the same parts in the same places are the same file
        for n, placed in enumerate(sorted(layout.placements, key=lambda p: (p.y, p.x)), start=1):
            mesh = plans[by_id[placed.item_id].plan_id].mesh
            if mesh is None:
                raise ValueError("a part of this Plate has no mesh")
            instances.append(
                Instance(
                    name=f"part-{n}",
                    mesh=self._artifacts.path(mesh),
                    x=placed.x,
                    y=placed.y,
                    rotation=placed.rotation,
                )
            )
        return write_plate(folder / "plate.3mf", instances)


def not_as_checked(key: str) -> NoSlice:
    """The G-code on disk is not the one that the gate read."""
    return NoSlice(
        code=SliceOutcome.UNSAFE_GCODE,
        message="The sliced file is not the one that was checked: something changed it on the disk of this "
        "computer. Slice again; if it happens again, check the disk and what else writes into the site's folder.",
        key=key,
    )


def _first(findings: Iterable[Finding]) -> str:
    return next((f"{f.what} {f.where}".strip() for f in findings), "")


def _words(made: NotSliced) -> NoSlice:
    detail = f" ({made.detail})" if made.detail else ""
    return NoSlice(
        code=made.outcome.value, message=f"{made.outcome.sentence}{detail} {made.outcome.next_step}"
    )


def _rank_models(plan: Plan, item: LineItem, printers: tuple[Printer, ...]) -> list[str]:
    """Printer models of the site that fit, best first: the material is loaded there, then the most printers."""
    usable = [p for p in printers if p.health is not Health.OUT_OF_SERVICE]
    fitting = [p for p in usable if p.model_id in plan.fits_models]
    loaded = Counter(p.model_id for p in fitting if p.material == item.material)
    color = Counter(
        p.model_id for p in fitting if p.material == item.material and item.color in (None, p.color)
    )
    free = Counter(p.model_id for p in fitting)
    return sorted(free, key=lambda m: (-color[m], -loaded[m], -free[m], m))
