"""The demo's printers: six simulated machines of different size and kind."""

from pathlib import Path

import msgspec

from core.domain import commands as cmd
from core.domain.words import Actor
from core.kernel.ports import Kernel


class DemoPrinter(msgspec.Struct, frozen=True, kw_only=True):
    """One simulated printer; `faults` are options of the virtual adapter, `clear` says that its bed starts clear."""

    name: str
    model_id: str
    material: str
    color: str
    clear: bool = True
    faults: dict[str, str] = {}


PRINTERS = (
    DemoPrinter(name="mk3-1", model_id="prusa_mk3s", material="PETG", color="black"),
    DemoPrinter(
        name="mk3-2", model_id="prusa_mk3s", material="PETG", color="black", faults={"runout_at_layer": "30"}
    ),
    DemoPrinter(name="mini-1", model_id="prusa_mini", material="PLA", color="white", clear=False),
    DemoPrinter(
        name="ender-1", model_id="creality_ender3", material="PLA", color="orange",
        faults={"fail_at_layer": "40"},
    ),
    DemoPrinter(name="ender-2", model_id="creality_ender3", material="PLA", color="orange", clear=False),
    DemoPrinter(name="voron-1", model_id="voron_24_300", material="ASA", color="grey"),
)  # fmt: skip

ERROR_S = 40.0
"""Seconds on the wall until somebody at a simulated machine clears its error: nobody can walk to it."""


def furnish(kernel: Kernel, root: Path, speed: float) -> None:
    """Add the printers to a new demo site, say what is loaded, and clear the beds that start clear."""
    known = {p.printer_id for p in kernel.reader.printers()}
    for printer in PRINTERS:
        if printer.name in known:
            continue
        options = {
            "time_scale": f"{speed:g}",
            "state_dir": str(root / "simulated" / printer.name),
            "error_clears_s": f"{ERROR_S * speed:g}",
            **printer.faults,
        }
        _do(
            kernel,
            f"add:{printer.name}",
            cmd.AddPrinter(
                printer_id=printer.name,
                name=printer.name,
                adapter="virtual",
                address="",
                model_id=printer.model_id,
                options=options,
            ),
        )
        loaded = cmd.LoadMaterial(printer_id=printer.name, material=printer.material, color=printer.color)
        _do(kernel, f"load:{printer.name}", loaded)
        if printer.clear:
            _do(kernel, f"clear:{printer.name}", cmd.ClearBed(printer_id=printer.name))


def _do(kernel: Kernel, key: str, body: cmd.AnyCommand) -> None:
    kernel.submit(cmd.Envelope(key=f"demo:{key}", body=body, actor=Actor.OPERATOR, who="demo"))
