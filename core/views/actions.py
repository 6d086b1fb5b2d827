"""What a person may do, with the same key for the same thing on every screen.

``enter`` is the one primary action of a row; besides it ``a c d g i K L n o O A p r x X`` mean what the functions
below say, everywhere. When an action `opens` a sheet, its `command` is the draft that the sheet completes and sends.
`opens` = ``refresh`` asks for a look at the printer now; ``goto`` shows the subject on its own screen.
"""

from msgspec.structs import replace

from core.client.views import Action
from core.contract import Capability, Link, Observation, Phase
from core.domain import commands as cmd
from core.domain.objects import Drop, Intent, Plate, Printer, Run
from core.domain.words import CancelReason, RunState
from core.views.trust import is_ours
from core.views.words import phase_word

ENTER = "enter"

_ADOPTED = {
    Phase.PRINTING: "counts as printing",
    Phase.PREPARING: "counts as printing",
    Phase.RESUMING: "counts as printing",
    Phase.PAUSED: "counts as paused",
    Phase.PAUSING: "counts as paused",
    Phase.FINISHED: "counts as completed",
    Phase.CANCELLED: "counts as aborted",
    Phase.IDLE: "counts as failed",
    Phase.ERROR: "counts as failed",
}
"""What adopting a phase makes of an attempt; the kernel refuses to adopt any other."""


def primary(action: Action) -> Action:
    """The same action on the primary key."""
    return replace(action, key=ENTER)


def dismiss(drop: Drop) -> Action:
    """Put a drop out of sight."""
    return Action(
        key="d", label="Dismiss", command=cmd.DismissDrop(drop_id=drop.drop_id), note="the file stays"
    )


def order_again(drop: Drop) -> Action:
    """Make a second Order of the same content."""
    return Action(key=ENTER, label="Order again", command=cmd.OrderAgain(drop_id=drop.drop_id))


def review(intent: Intent) -> Action:
    """Open the approval sheet."""
    command = cmd.ApproveOrder(intent_id=intent.intent_id)
    return Action(key=ENTER, label="Review & approve", command=command, opens="approve")


def add_printer() -> Action:
    """Open the sheet that makes a printer known."""
    return Action(key=ENTER, label="Add a printer", opens="add_printer")


def cancel_order(intent: Intent) -> Action:
    """Cancel an Order; the sheet asks for the reason."""
    command = cmd.CancelOrder(intent_id=intent.intent_id, reason=CancelReason.CUSTOMER_REQUEST)
    return Action(
        key="X", label="Cancel Order", command=command, opens="cancel_order", note="asks for the reason"
    )


def close_order(intent: Intent) -> Action:
    """Declare an Order fulfilled."""
    return Action(key=ENTER, label="Close order", command=cmd.FulfilOrder(intent_id=intent.intent_id))


def goto(label: str = "Show") -> Action:
    """Show the subject of the row on its own screen."""
    return Action(key=ENTER, label=label, opens="goto")


def retry_slice(plate: Plate, label: str = "Retry") -> Action:
    """Slice again, or for the first time."""
    return Action(key=ENTER, label=label, command=cmd.RetrySlice(plate_id=plate.plate_id))


def print_plate(plate: Plate, label: str = "Print") -> Action:
    """Queue a Print Attempt of a Plate."""
    return Action(key=ENTER, label=label, command=cmd.QueuePlate(plate_id=plate.plate_id))


def approve_run(run: Run) -> Action:
    """Let a parked attempt go."""
    return Action(key=ENTER, label="Approve", command=cmd.ApproveRun(run_id=run.run_id))


def outcome(run: Run, label: str = "What happened on the plate?") -> Action:
    """Open the end-of-attempt sheet."""
    command = cmd.RecordOutcomes(run_id=run.run_id, outcomes=())
    return Action(key="o", label=label, command=command, opens="outcome")


def reprint(run: Run) -> Action:
    """Make the failed instances again."""
    return Action(key=ENTER, label="Reprint failed", command=cmd.ReprintFailed(run_id=run.run_id))


def refresh() -> Action:
    """Look at the printer now."""
    return Action(key="g", label="Refresh state", opens="refresh", note="safe")


def bed_is_clear(printer: Printer) -> Action:
    """Give the bed-clear permit."""
    command = cmd.ClearBed(printer_id=printer.printer_id)
    return Action(
        key="c", label="Bed is clear", command=command, note=f"you looked at the bed of {printer.name}"
    )


def load_material(printer: Printer, material: str | None = None, color: str | None = None) -> Action:
    """Say what is loaded; `material` and `color` are proposed."""
    command = cmd.LoadMaterial(printer_id=printer.printer_id, material=material or "", color=color or "")
    return Action(key="L", label="Load material", command=command, opens="load_material")


def out_of_service(printer: Printer) -> Action:
    """Take a printer out of service; the sheet asks for the reason."""
    command = cmd.TakeOutOfService(printer_id=printer.printer_id, reason="")
    return Action(key="O", label="Out of service", command=command, opens="out_of_service")


def acknowledge(printer: Printer, label: str = "Acknowledge") -> Action:
    """End DEGRADED or OUT_OF_SERVICE."""
    return Action(key="A", label=label, command=cmd.AcknowledgePrinter(printer_id=printer.printer_id))


def pause(run: Run, capability: Capability | None, live: Observation | None) -> Action:
    """Ask the printer to pause."""
    disabled = _unreachable(live)
    if not disabled and capability is not None and not capability.pause:
        disabled = "This printer cannot be paused from here."
    if not disabled and live is not None and live.phase is Phase.PAUSING:
        disabled = "It is already pausing."
    return Action(key="p", label="Pause", command=cmd.PauseRun(run_id=run.run_id), disabled=disabled)


def resume(run: Run, live: Observation | None) -> Action:
    """Ask the printer to go on."""
    disabled = _unreachable(live)
    if not disabled and live is not None and live.phase in (Phase.PAUSING, Phase.RESUMING):
        disabled = f"The printer is still {phase_word(live.phase).lower()}."
    return Action(key="r", label="Resume", command=cmd.ResumeRun(run_id=run.run_id), disabled=disabled)


def abort(run: Run, capability: Capability | None, live: Observation | None) -> Action:
    """Stop an attempt; asks first."""
    # Until a start is intended, an attempt ends in the ledger alone; afterwards the printer has to listen.
    asks = run.state.active and run.state not in (RunState.CLAIMED, RunState.UPLOADED)
    disabled = _unreachable(live) if asks else ""
    if not disabled and asks and capability is not None and not capability.cancel:
        disabled = "This printer cannot be stopped from here."
    label = "Abort" if run.state.active else "Take out of queue"
    command = cmd.AbortRun(run_id=run.run_id)
    return Action(key="x", label=label, command=command, opens="abort", disabled=disabled)


def resolve(run: Run, live: Observation | None) -> tuple[Action, ...]:
    """The four answers to needs_decision (kernel.md step 9)."""
    online = live is not None and live.link is Link.ONLINE
    becomes = _ADOPTED.get(live.phase, "") if live is not None and online else ""
    says = f"it says {phase_word(live.phase)}: {becomes}" if live is not None and becomes else ""
    ran = "It was seen printing, so it did run." if run.started_at is not None else ""
    nothing = "The printer does not answer, so there is nothing to adopt."
    if online and live is not None:
        nothing = "" if becomes else "What the printer says is not clear now; refresh first."
        if live.phase not in (Phase.IDLE, Phase.ERROR) and is_ours(run, live) is not True:
            nothing = nothing or "The printer shows another file than this attempt's."
            says = ""
    rows = (
        ("a", "Adopt printer state", "adopt", says, nothing),
        ("K", "Keep Kiln state", "keep", "go on as Kiln thought", ""),
        ("n", "It never ran", "never_ran", "a new attempt may be made", ran),
        ("i", "It ran", "it_ran", "then say what came out", ""),
    )
    return tuple(
        Action(
            key=key,
            label=label,
            command=cmd.ResolveRun(run_id=run.run_id, answer=answer),
            opens="resolve",
            note=note,
            disabled=disabled,
        )
        for key, label, answer, note, disabled in rows
    )


def _unreachable(live: Observation | None) -> str:
    if live is None or live.link is Link.OFFLINE:
        return "The printer does not answer; go there."
    return "The printer refuses Kiln's key." if live.link is Link.UNAUTHORISED else ""
