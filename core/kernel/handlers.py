"""Which function decides which command."""

from collections.abc import Callable
from typing import Any

from core.domain import commands as cmd
from core.kernel import orders, plates, printers, runs
from core.kernel.transaction import Transaction

HANDLERS: dict[type[cmd.Command], Callable[[Transaction, Any], None]] = {
    cmd.AcceptDrop: orders.accept_drop,
    cmd.RejectDrop: orders.reject_drop,
    cmd.OrderAgain: orders.order_again,
    cmd.DismissDrop: orders.dismiss_drop,
    cmd.ClarifyItem: orders.clarify_item,
    cmd.PlanReady: orders.plan_ready,
    cmd.ApproveOrder: orders.approve_order,
    cmd.CancelOrder: orders.cancel_order,
    cmd.FulfilOrder: orders.fulfil_order,
    cmd.SliceDone: plates.slice_done,
    cmd.SliceFailed: plates.slice_failed,
    cmd.SplitPlate: plates.split_plate,
    cmd.RetrySlice: plates.retry_slice,
    cmd.QueuePlate: plates.queue_plate,
    cmd.ReprintFailed: plates.reprint_failed,
    cmd.ApproveRun: runs.approve_run,
    cmd.ClaimRun: runs.claim_run,
    cmd.RunUploaded: runs.run_uploaded,
    cmd.IntendStart: runs.intend_start,
    cmd.StartReplied: runs.start_replied,
    cmd.RunSeen: runs.run_seen,
    cmd.RunEnded: runs.run_ended,
    cmd.FenceRun: runs.fence_run,
    cmd.FenceHeld: runs.fence_held,
    cmd.AskAboutRun: runs.ask_about_run,
    cmd.RunBackToQueue: runs.run_back_to_queue,
    cmd.RemoteDeleted: runs.remote_deleted,
    cmd.ResolveRun: runs.resolve_run,
    cmd.PauseRun: runs.pause_run,
    cmd.ResumeRun: runs.resume_run,
    cmd.AbortRun: runs.abort_run,
    cmd.RecordOutcomes: runs.record_outcomes,
    cmd.ClearBed: runs.clear_bed,
    cmd.AddPrinter: printers.add_printer,
    cmd.RemovePrinter: printers.remove_printer,
    cmd.LoadMaterial: printers.load_material,
    cmd.TakeOutOfService: printers.take_out_of_service,
    cmd.AcknowledgePrinter: printers.acknowledge_printer,
    cmd.PrinterSeen: printers.printer_seen,
    cmd.BindPermit: printers.bind_permit,
    cmd.RevokePermit: printers.revoke_permit,
    cmd.NoteAnomaly: printers.note_anomaly,
    cmd.SetAsideEffect: printers.set_aside_effect,
}


def decide(tx: Transaction, command: cmd.AnyCommand) -> None:
    """Carry out a command in a transaction; raises `Refused`."""
    HANDLERS[type(command)](tx, command)
