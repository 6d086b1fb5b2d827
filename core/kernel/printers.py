"""Decisions about printers: membership, health, material, and the bed-clear permit's life."""

import re

from core.domain import commands as cmd
from core.domain import events as ev
from core.domain.objects import Printer
from core.domain.words import Health
from core.kernel.transaction import Refused, Transaction

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def add_printer(tx: Transaction, c: cmd.AddPrinter) -> None:
    """Make a printer known."""
    if not _ID.fullmatch(c.printer_id):
        raise Refused("BAD_NAME", "A printer's id is lower-case letters, digits, - and _, at most 40.")
    if c.model_id not in tx.world.models:
        raise Refused("UNKNOWN_MODEL", f"{c.model_id} is not a known printer model.")
    if not c.name.strip():
        raise Refused("BAD_NAME", "A printer needs a name.")
    if tx.loader.load("printer", c.printer_id) is not None or tx.loader.printer_named(c.name) is not None:
        raise Refused("NAME_TAKEN", f"There is a printer named {c.name} already; choose another name.")
    tx.emit(
        "printer",
        c.printer_id,
        ev.PrinterAdded(
            name=c.name, adapter=c.adapter, address=c.address, model_id=c.model_id, options=c.options
        ),
    )
    tx.made["printer"] = c.printer_id


def remove_printer(tx: Transaction, c: cmd.RemovePrinter) -> None:
    """Forget a printer that has nothing to do."""
    printer = tx.printer(c.printer_id)
    if tx.loader.active_run_of(printer.printer_id) is not None:
        raise Refused("PRINTER_TAKEN", f"{printer.name} has an attempt under way; end it first.")
    tx.emit("printer", printer.printer_id, ev.PrinterRemoved())


def load_material(tx: Transaction, c: cmd.LoadMaterial) -> None:
    """What a person says is loaded."""
    printer = tx.printer(c.printer_id)
    if c.material and c.material not in tx.world.materials:
        known = ", ".join(tx.world.materials)
        raise Refused("UNKNOWN_MATERIAL", f"{c.material} is not a known material. Known: {known}.")
    loaded = ev.MaterialLoaded(material=c.material, color=c.color)
    tx.emit("printer", printer.printer_id, loaded)


def take_out_of_service(tx: Transaction, c: cmd.TakeOutOfService) -> None:
    """No starts here until a person puts it back; a running attempt goes on."""
    printer = tx.printer(c.printer_id)
    if not c.reason.strip():
        raise Refused("NO_REASON", "Say why, in a word or two.")
    _health(tx, printer.printer_id, Health.OUT_OF_SERVICE, c.reason, printer.foreign)
    _forget_permit(tx, printer, "taken out of service")


def acknowledge_printer(tx: Transaction, c: cmd.AcknowledgePrinter) -> None:
    """A person ends DEGRADED or OUT_OF_SERVICE; the bed must be seen clear again."""
    printer = tx.printer(c.printer_id)
    if printer.health not in (Health.DEGRADED, Health.OUT_OF_SERVICE):
        raise Refused("NOTHING_TO_ACKNOWLEDGE", f"{printer.name} is {printer.health.value}.")
    _health(tx, printer.printer_id, Health.OK, "", printer.foreign)
    _forget_permit(tx, printer, "put back into service")


def _forget_permit(tx: Transaction, printer: Printer, why: str) -> None:
    """Hands were in the machine: the bed must be seen clear again."""
    if printer.permit is not None:
        revoked = ev.PermitRevoked(permit_id=printer.permit.permit_id, evidence=why)
        tx.emit("printer", printer.printer_id, revoked)


def printer_seen(tx: Transaction, c: cmd.PrinterSeen) -> None:
    """Edges of health and foreign work, as observed; a person's word stands above them."""
    printer = tx.printer(c.printer_id)
    health, reason = Health(c.health), c.reason
    if printer.health in (Health.DEGRADED, Health.OUT_OF_SERVICE):
        health, reason = printer.health, printer.health_reason
    if (health, reason, c.foreign) != (printer.health, printer.health_reason, printer.foreign):
        _health(tx, printer.printer_id, health, reason, c.foreign)


def _health(tx: Transaction, printer_id: str, health: Health, reason: str, foreign: str) -> None:
    tx.emit(
        "printer",
        printer_id,
        ev.PrinterStateChanged(health=health.value, reason=reason, foreign=foreign),
    )


def bind_permit(tx: Transaction, c: cmd.BindPermit) -> None:
    """The first full look since the permit was given."""
    printer = tx.printer(c.printer_id)
    permit = printer.permit
    if permit is None or permit.permit_id != c.permit_id:
        raise Refused("NO_PERMIT", "That permit is gone.")
    if permit.signature is not None:
        raise Refused("BOUND", "That permit is bound already.")
    tx.emit(
        "printer",
        printer.printer_id,
        ev.PermitBound(permit_id=c.permit_id, signature=c.signature),
    )


def revoke_permit(tx: Transaction, c: cmd.RevokePermit) -> None:
    """Something moved since the bed was seen clear."""
    printer = tx.printer(c.printer_id)
    if printer.permit is None or printer.permit.permit_id != c.permit_id:
        raise Refused("NO_PERMIT", "That permit is gone.")
    revoked = ev.PermitRevoked(permit_id=c.permit_id, evidence=c.evidence)
    tx.emit("printer", printer.printer_id, revoked)


def note_anomaly(tx: Transaction, c: cmd.NoteAnomaly) -> None:
    """Record something that does not fit."""
    if c.subject_kind == "run":
        tx.run(c.subject_id)
    elif c.subject_kind == "printer":
        tx.printer(c.subject_id)
    else:
        raise Refused("UNKNOWN", f"Anomalies are noted about runs and printers, not {c.subject_kind}.")
    tx.emit(c.subject_kind, c.subject_id, ev.AnomalyDetected(text=c.text[:500]))


def set_aside_effect(tx: Transaction, c: cmd.SetAsideEffect) -> None:
    """An effect was performed, or given up."""
    tx.settled.append((c.effect_id, c.result))
