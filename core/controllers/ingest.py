"""What becomes of a claimed drop: its gates, then one command that makes the Order, or a refusal with reasons."""

import datetime as dt
import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from core.controllers.gcode_gate import GcodeGate, scan_failed, summary
from core.domain.commands import AcceptDrop, Envelope, RejectDrop
from core.domain.findings import Finding
from core.domain.material import Material
from core.domain.objects import ArtifactRef, DroppedPart, GateSummary
from core.domain.printer_model import PrinterModel
from core.domain.text import clean
from core.domain.words import Actor, QualityTier, Verdict
from core.ingest.content import ClaimedDrop, ClaimedFile
from core.ingest.names import split_suffix
from core.kernel.ports import Artifacts, Kernel
from core.preflight.fits import FitKind
from core.preflight.report import PartReport, PreflightReport, summary_of
from core.preflight.service import explain, run_normalise, run_preflight
from core.preflight.wording import finding as preflight_finding
from core.workers.pool import WorkerPool
from core.workers.types import WorkerError

log = logging.getLogger(__name__)

_GCODE_ENDINGS = (".gcode", ".gco", ".g")
_SLICED_ENDING = ".gcode.3mf"
_MODEL_ENDINGS = (".stl", ".3mf", "")
"""A name without an ending says nothing; then what is inside decides."""
_MIME = {"stl": "model/stl", "3mf": "model/3mf"}


class Keeper(Protocol):
    """Where claimed files go in the end (`core.controllers.inbox.InboxWatcher`)."""

    def finish_accepted(self, claimed: ClaimedDrop, order_dir_name: str) -> str: ...
    def reserve_rejected(self, claimed: ClaimedDrop) -> str: ...
    def finish_rejected(self, claimed: ClaimedDrop, findings: tuple[Finding, ...]) -> str: ...


class Refuse(Exception):
    """The drop is refused for these findings."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].what if findings else "refused")
        self.findings = findings


class Ingest:
    """Handles one claimed drop at a time, on the inbox's thread."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        artifacts: Artifacts,
        pool: WorkerPool,
        gate: GcodeGate,
        materials: Mapping[str, Material],
        work: Path,
        zone: dt.tzinfo,
        keeper: Callable[[], Keeper],
    ) -> None:
        self._kernel, self._artifacts, self._pool, self._gate = kernel, artifacts, pool, gate
        self._materials, self._work, self._zone, self._keeper = materials, work, zone, keeper

    def on_claimed(self, claimed: ClaimedDrop) -> None:
        """Gate it, commit it, then move the files; every step may be repeated after a crash."""
        if self._settled(claimed):
            return
        try:
            command = self._accept(claimed)
        except Refuse as refused:
            self._reject(claimed, refused.findings)
            return
        result = self._kernel.submit(self._envelope(claimed, "accept", command))
        if result.refusal is not None:
            self._reject(claimed, tuple(_refused(reason) for reason in result.refusal.reasons))
            return
        number = result.made.get("number")
        self._keeper().finish_accepted(claimed, _kept_name(claimed, number))

    def _settled(self, claimed: ClaimedDrop) -> bool:
        """Whether the ledger had this drop before a crash; then only its files are left to be moved. The gates are
        not asked again: their reports differ from one time to the next, and what was said of a drop stays said."""
        reader = self._kernel.reader
        known = reader.drop(claimed.drop_id)
        if known is None:
            return False
        if known.kept_at.startswith(
            "rejected/"
        ):  # its state may be another one by now: a person may dismiss it
            self._keeper().finish_rejected(claimed, known.findings)
            return True
        intent = reader.intent(known.intent_id) if known.intent_id and not known.duplicate_of else None
        self._keeper().finish_accepted(claimed, _kept_name(claimed, intent.number if intent else None))
        return True

    def _reject(self, claimed: ClaimedDrop, findings: tuple[Finding, ...]) -> None:
        kept_at = self._keeper().reserve_rejected(claimed)
        command = RejectDrop(
            drop_id=claimed.drop_id,
            name=claimed.name,
            findings=findings,
            sha256=claimed.sha256,
            kept_at=kept_at,
        )
        self._kernel.submit(self._envelope(claimed, "reject", command))
        self._keeper().finish_rejected(claimed, findings)

    def _envelope(self, claimed: ClaimedDrop, what: str, command: AcceptDrop | RejectDrop) -> Envelope:
        key = f"{what}:{claimed.drop_id}"
        return Envelope(key=key, body=command, actor=Actor.CONTROLLER, who="hot folder")

    def _accept(self, claimed: ClaimedDrop) -> AcceptDrop:
        wrong = [f for f in claimed.findings if f.severity is Verdict.FAIL]
        if wrong:
            raise Refuse(*wrong)
        parts: list[DroppedPart] = []
        for file in claimed.files:
            if file.name.lower().endswith(_GCODE_ENDINGS):
                parts.append(self._gcode(file))
            else:
                _check_kind(file)
                parts += self._model(file)
        order = claimed.order
        dues = [due for due in (order.due if order else None, *(f.facts.due for f in claimed.files)) if due]
        notes = [*(order.notes if order else ()), *(n for f in claimed.files for n in f.facts.notes)]
        notes += [f"{f.what} {f.where}".strip() for f in claimed.findings if f.severity is Verdict.WARN]
        return AcceptDrop(
            drop_id=claimed.drop_id,
            name=claimed.name,
            sha256=claimed.sha256,
            parts=tuple(parts),
            customer_ref=order.customer if order else "",
            due_at=min(due.at(self._zone) for due in dues) if dues else None,
            notes=tuple(dict.fromkeys(notes)),
        )

    def _stored(self, file: ClaimedFile, mime: str) -> ArtifactRef:
        """The file's copy in the store. Only that copy is checked and printed from here on: the claimed file may
        still be written by a program that opened it before it was claimed."""
        source = self._artifacts.put(file.path, mime, file.name)
        if source.sha256 != file.sha256:
            raise Refuse(_changed(file))
        return source

    def _site_models(self) -> tuple[PrinterModel, ...]:
        ids = dict.fromkeys(p.model_id for p in self._kernel.reader.printers())
        return tuple(self._gate.models[i] for i in ids if i in self._gate.models)

    # --- models ---

    def _model(self, file: ClaimedFile) -> list[DroppedPart]:
        source = self._stored(file, "application/octet-stream")
        report = run_preflight(self._pool, self._artifacts.path(source), self._site_models())
        if report.verdict is Verdict.FAIL or not report.parts:
            raise Refuse(*(_named(f, file) for f in _worst_first(report)))
        source = msgspec.structs.replace(source, mime=_MIME.get(report.format, source.mime))
        kept = self._artifacts.put_bytes(msgspec.json.encode(report), "application/json", "preflight.json")
        facts = file.facts
        made = []
        for part in report.parts:
            material = self._materials.get(facts.material or "")
            made.append(
                DroppedPart(
                    name=_part_name(file, part, len(report.parts)),
                    source=source,
                    part_index=part.index,
                    mesh=self._normalised(file, source, part),
                    quantity=(facts.quantity or 1) * part.quantity,
                    quantity_stated=facts.quantity is not None or part.quantity > 1,
                    material=facts.material,
                    color=facts.color,
                    tier=facts.tier,
                    constraints=facts.constraints,
                    preflight=summary_of(
                        report, part.index, material, facts.tier or QualityTier.STANDARD, kept
                    ),
                    fits_models=self._fitting(part),
                )
            )
        return made

    def _normalised(self, file: ClaimedFile, source: ArtifactRef, part: PartReport) -> ArtifactRef:
        with tempfile.TemporaryDirectory(prefix="ingest-", dir=self._work) as folder:
            target = Path(folder) / "mesh.stl"
            try:
                run_normalise(self._pool, self._artifacts.path(source), part.index, target)
            except WorkerError as error:
                code, detail = explain(error)
                raise Refuse(_named(preflight_finding(code, detail), file)) from error
            return self._artifacts.put(target, "model/stl", "normalised.stl", move=True)

    def _fitting(self, part: PartReport) -> tuple[str, ...]:
        """Models of the site on which the part stands as it was dropped; turning it is a person's choice."""
        return tuple(f.model_id for f in part.fits if f.kind is FitKind.AS_DROPPED)

    # --- ready G-code ---

    def _gcode(self, file: ClaimedFile) -> DroppedPart:
        source = self._stored(file, "text/x.gcode")
        try:
            report = self._gate.scan(self._artifacts.path(source))
        except WorkerError as error:
            raise Refuse(_named(scan_failed(error), file)) from error
        if report.sha256 != source.sha256:
            raise Refuse(_changed(file))
        facts = file.facts
        material = self._materials.get(facts.material or (report.filament_types or ("",))[0].upper())
        own = self._site_models()
        models = own or tuple(self._gate.models.values())
        verdicts = {m.model_id: self._gate.judge(report, m.model_id, material) for m in models}
        passing = {m: v for m, v in verdicts.items() if v.may_start}
        if not passing:
            # the printer for which least stands against it gives the most useful reasons
            least = min(verdicts, key=lambda m: sum(f.severity is Verdict.FAIL for f in verdicts[m].findings))
            found = verdicts[least].findings
            if not own:
                found = for_example(found, self._gate.models[least].name)
            raise Refuse(*(_named(f, file) for f in found))
        kept = self._artifacts.put_bytes(msgspec.json.encode(report), "application/json", "gcode.json")
        best_model = min(passing, key=lambda m: len(passing[m].findings))
        best = passing[best_model]
        if not own:
            best = msgspec.structs.replace(
                best, findings=for_example(best.findings, self._gate.models[best_model].name)
            )
        gate: GateSummary = msgspec.structs.replace(summary(report, best, material), report=kept)
        return DroppedPart(
            name=facts.name or clean(file.name),
            source=source,
            kind="gcode",
            quantity=facts.quantity or 1,
            quantity_stated=facts.quantity is not None,
            material=material.name if material else None,
            color=facts.color,
            tier=facts.tier,
            constraints=facts.constraints,
            gate=gate,
            fits_models=tuple(passing),
        )


def for_example(findings: tuple[Finding, ...], model: str) -> tuple[Finding, ...]:
    """The same for a site without printers: nobody has this model, so it is said to be an example."""
    return tuple(
        msgspec.structs.replace(f, what=f"No printer is added yet; on a {model}, for example: {f.what}")
        if model in f.what or model in f.why or f.severity is Verdict.FAIL
        else f
        for f in findings
    )


def _check_kind(file: ClaimedFile) -> None:
    """Raises Refuse for kinds of files that no gate reads: other bytes can look like a binary STL by chance."""
    ending = split_suffix(file.name)[1]
    if ending in _MODEL_ENDINGS:
        return
    if ending == _SLICED_ENDING:
        what = f"{file.name} was sliced already, and Kiln does not read G-code inside a 3MF."
        fix = "Drop the project as 3MF before slicing, or export plain G-code (.gcode)."
    else:
        what = f"{file.name} is not a kind of file that Kiln prints: {ending} is neither STL, 3MF nor G-code."
        fix = "Export the part as STL or 3MF, or as plain G-code (.gcode)."
    raise Refuse(
        Finding(
            code="KIND_NOT_TAKEN",
            severity=Verdict.FAIL,
            what=what,
            why="Kiln prints only what it has checked.",
            fix=fix,
            kiln_can="It is kept whole in rejected/ beside this reason.",
            where=file.name,
        )
    )


def _changed(file: ClaimedFile) -> Finding:
    return Finding(
        code="CHANGED_WHILE_READ",
        severity=Verdict.FAIL,
        what=f"{file.name} was changed while Kiln was reading it.",
        why="What was checked would not be what is printed.",
        fix="Let the program that writes it finish, then drop the file again.",
        kiln_can="It is kept whole in rejected/ beside this reason.",
        where=file.name,
    )


def _kept_name(claimed: ClaimedDrop, number: str | int | None) -> str:
    return f"{number}-{claimed.name}" if number else f"again-{claimed.name}"


def _part_name(file: ClaimedFile, part: PartReport, count: int) -> str:
    whole = file.facts.name or clean(file.name.rsplit(".", 1)[0])
    return whole if count == 1 else clean(part.name) or f"{whole} {part.index + 1}"


def _worst_first(report: PreflightReport) -> list[Finding]:
    order = [Verdict.FAIL, Verdict.WARN, Verdict.PASS]
    return sorted(report.all_findings, key=lambda f: order.index(f.severity))


def _named(found: Finding, file: ClaimedFile) -> Finding:
    where = f"{file.name}: {found.where}" if found.where else file.name
    return msgspec.structs.replace(found, where=where)


def _refused(reason: str) -> Finding:
    return Finding(
        code="REFUSED",
        severity=Verdict.FAIL,
        what=reason,
        why="No Order was made.",
        fix="Mend it and drop the files again.",
    )
