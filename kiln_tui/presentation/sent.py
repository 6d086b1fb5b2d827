"""What to say after a command was carried out, and which command takes it back."""

from core.client.views import Shop
from core.domain import commands as c
from core.domain.commands import AnyCommand


def printer_name(shop: Shop | None, printer_id: str) -> str:
    """A printer's name, or its id where the snapshot does not hold it."""
    if shop is not None:
        for row in shop.printers:
            if row.printer.printer_id == printer_id:
                return row.printer.name
    return printer_id


def order_name(shop: Shop | None, intent_id: str) -> str:
    """``Order 1042``."""
    if shop is not None:
        for row in shop.orders:
            if row.intent.intent_id == intent_id:
                return f"Order {row.intent.number}"
    return "The Order"


def run_name(shop: Shop | None, run_id: str) -> str:
    """The name of the printer that an attempt is on, or the attempt's own words."""
    if shop is not None:
        for row in shop.printers:
            if row.run is not None and row.run.run_id == run_id:
                return row.printer.name
    return "The printer"


def done_sentence(command: AnyCommand, shop: Shop | None) -> str:
    """One sentence in the past tense; asking a printer for something is called asking."""
    match command:
        case c.ApproveOrder(intent_id=i, dispatch=True):
            return f"{order_name(shop, i)} is approved; it prints as soon as its gates have passed."
        case c.ApproveOrder(intent_id=i):
            return f"{order_name(shop, i)} is approved; nothing is queued yet."
        case c.CancelOrder(intent_id=i):
            return f"{order_name(shop, i)} is canceled. A running Print Attempt goes on and stays visible."
        case c.FulfilOrder(intent_id=i):
            return f"{order_name(shop, i)} is fulfilled."
        case c.ClarifyItem():
            return "Noted."
        case c.OrderAgain():
            return "A second Order was made from the same file."
        case c.DismissDrop():
            return "Put aside; the file stays where it is."
        case c.ClearBed(printer_id=p):
            return f"{printer_name(shop, p)}: bed is clear."
        case c.RecordOutcomes(outcomes=o, clear_bed=clear):
            bed = " and the bed is clear" if clear else "; the bed is not clear yet"
            return f"Noted for {len(o)} part{'' if len(o) == 1 else 's'}{bed}."
        case c.ReprintFailed():
            return "The failed parts will be printed again."
        case c.PauseRun(run_id=r):
            return f"{run_name(shop, r)} was asked to pause."
        case c.ResumeRun(run_id=r):
            return f"{run_name(shop, r)} was asked to resume."
        case c.AbortRun(run_id=r):
            return f"{run_name(shop, r)} was asked to stop."
        case c.QueuePlate():
            return "A Print Attempt is queued."
        case c.RetrySlice():
            return "Slicing again."
        case c.ApproveRun():
            return "The Print Attempt may go."
        case c.ResolveRun():
            return "Your answer is recorded with the evidence."
        case c.AddPrinter(name=n):
            return f"{n} is added."
        case c.RemovePrinter(printer_id=p):
            return f"{printer_name(shop, p)} is removed."
        case c.LoadMaterial(printer_id=p, material=m):
            return f"{printer_name(shop, p)}: {m or 'nothing'} is loaded."
        case c.TakeOutOfService(printer_id=p):
            return f"{printer_name(shop, p)} is out of service; nothing starts there."
        case c.AcknowledgePrinter(printer_id=p):
            return f"{printer_name(shop, p)} is back in service."
        case _:
            return "Done."


def inverse(command: AnyCommand, shop: Shop | None) -> tuple[AnyCommand, str] | None:
    """The command that takes `command` back, and what it is called; None where there is no way back."""
    match command:
        case c.PauseRun(run_id=r):
            return c.ResumeRun(run_id=r), "Undo pause"
        case c.TakeOutOfService(printer_id=p):
            return c.AcknowledgePrinter(printer_id=p), "Undo out of service"
        case c.LoadMaterial(printer_id=p):
            for row in shop.printers if shop is not None else ():
                if row.printer.printer_id == p:
                    before = c.LoadMaterial(
                        printer_id=p, material=row.printer.material or "", color=row.printer.color or ""
                    )
                    return None if before == command else (before, "Undo load")
    return None
