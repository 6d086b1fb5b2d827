"""The real G-code gate bound to a printer, as the driver's check."""

from collections.abc import Callable
from pathlib import Path

from core.catalog import load_materials, load_reaches
from core.domain.printer_model import PrinterModel
from core.domain.words import Verdict
from core.gcode.gate import judge, zones_of
from core.gcode.policy import GcodePolicy
from core.gcode.service import scan_file
from core.slicing.prusa import Gated

_VOLUME = frozenset({"OUTSIDE_BED", "OUTSIDE_REACH", "TOO_HIGH", "BELOW_BED", "EXCLUDED_AREA"})


def gate(model: PrinterModel, material: str = "PLA") -> Callable[[Path], Gated]:
    """Scans and judges a product for `model`, loaded with `material`."""
    policy = GcodePolicy(reaches=load_reaches())
    loaded = load_materials()[material]

    def check(path: Path) -> Gated:
        report = scan_file(path, zones_of({model.model_id: model}))
        verdict = judge(report, model, material=loaded, policy=policy)
        failed = [f for f in verdict.findings if f.severity is Verdict.FAIL]
        return Gated(
            out_of_volume=next((f.what for f in failed if f.code in _VOLUME), ""),
            unsafe=next((f.what for f in failed if f.code not in _VOLUME), ""),
        )

    return check
