"""Triage cards of Print Attempts that have not begun: queued, on their way to the printer, being started."""

from core.client.views import Action, Card
from core.controllers.dispatch import Needs
from core.domain.objects import Printer, Run
from core.domain.words import RunState
from core.views import actions as act
from core.views.inputs import Facts
from core.views.naming import orders_name
from core.views.run_row import abort_of, run_row
from core.views.starting import Bar, Block, Place, block_of
from core.views.words import percent, sentence


def queued_card(run: Run, facts: Facts, place: Place | None) -> Card:
    """Waits for a printer: where it would go, and the one reason why it is not there."""
    place = place or Place(printer=None, block=Block(bar=Bar.OFFLINE, text="There is no printer yet"))
    printer, block = place.printer, place.block
    if printer is None:
        lacking = block.bar is Bar.OFFLINE
        return run_row(
            run,
            facts,
            section="ready_start",
            severity="warn",
            tag="NO PRINTER" if lacking else "READY",
            brief="no printer" if lacking else "not ready",
            text=f"Nothing can print this: {_lower(block.text)}." if lacking else f"{block.text}.",
            actions=(act.add_printer() if lacking else act.goto("Show order"), abort_of(run, facts)),
        )
    if place.after is not None or block.bar is Bar.ACTIVE:
        before = place.after or block.run
        behind = orders_name(before.intent_ids, facts) if before is not None else ""
        return run_row(
            run,
            facts,
            section="waiting",
            severity="info",
            tag="QUEUED",
            brief=f"behind {printer.name}",
            text=f"Queued behind {behind or 'another attempt'} on {printer.name}.",
            actions=(act.goto("Show order"), abort_of(run, facts)),
        )
    if block.bar in (Bar.NONE, Bar.UNSEEN):
        told = facts.inputs.run_blocks.get(run.run_id, "")
        soon = sentence(told) if told else "It starts now."
        if block.bar is Bar.UNSEEN:
            soon = "It starts once the printer has been looked at."
        return run_row(
            run,
            facts,
            section="waiting",
            severity="info",
            tag="QUEUED",
            brief=f"next on {printer.name}",
            text=f"Next on {printer.name}. {soon}",
            because=_unsaid(printer, place.need),
            actions=(act.goto("Show order"), *_say_material(printer, place.need), abort_of(run, facts)),
        )
    helps = _remedies(printer, block, run, place.need)
    return run_row(
        run,
        facts,
        section="ready_start",
        severity="info" if block.bar <= Bar.MATERIAL else "warn",
        tag="READY",
        brief=f"{printer.name} {_brief(block)}",
        text=_ready_sentence(printer, block),
        because=_unsaid(printer, place.need),
        actions=(
            *(helps or (act.goto("Show order"),)),
            *_say_material(printer, place.need),
            abort_of(run, facts),
        ),
    )


def _unsaid(printer: Printer, need: Needs) -> tuple[str, ...]:
    """What nobody said and a person should look at, since Kiln cannot check it."""
    if printer.material is not None or need.material is None:
        return ()
    return (f"Nobody said what is loaded on {printer.name}; {need.material} is needed.",)


def _say_material(printer: Printer, need: Needs) -> tuple[Action, ...]:
    return (act.load_material(printer, need.material, need.color),) if _unsaid(printer, need) else ()


def on_the_way_card(run: Run, facts: Facts) -> Card:
    """Claimed or uploaded: on its way, unless only a person can let it start."""
    printer = facts.printers.get(run.printer_id or "")
    sent = facts.inputs.uploads.get(run.run_id)
    uploading = run.state is RunState.CLAIMED
    block = block_of(printer, facts, run) if printer is not None else Block(bar=Bar.NONE)
    helps = _remedies(printer, block, run, Needs(models=None)) if printer is not None else ()
    progress = sent if uploading else None
    if uploading:
        state = "Uploading" + (f", {percent(sent)} sent" if sent is not None else "")
    else:
        state = "The file is on the printer"
    if block.bar is Bar.NONE:
        text = f"{state}. It starts when the printer has been looked at twice."
    elif block.bar is Bar.BED:
        text = f"{state}. It starts when the bed is clear. Look at the bed, then say so."
    else:
        text = (
            f"{state}. Then it waits: {block.text}." if uploading else f"{state}, but {_lower(block.text)}."
        )
    stuck = not uploading and bool(helps)
    return run_row(
        run,
        facts,
        section="ready_start" if stuck else "waiting",
        severity="info",
        tag="UPLOADING" if uploading else ("READY" if stuck else "STARTING"),
        brief=(percent(sent).replace(" ", "") if sent is not None else "uploading")
        if uploading
        else _brief(block),
        text=text,
        actions=(*(helps or (act.goto("Show printer"),)), abort_of(run, facts)),
        progress=progress,
    )


def starting_card(run: Run, facts: Facts) -> Card:
    """The one start was sent, or its fate is being found out."""
    fencing = run.state is RunState.FENCING
    return run_row(
        run,
        facts,
        section="running",
        severity="warn" if fencing else "info",
        tag="START UNCLEAR" if fencing else "STARTING",
        brief="checking" if fencing else "starting",
        text=(
            "The start left no trace on the printer. Kiln removes the file so that it cannot run later, then "
            "looks again."
            if fencing
            else "The start was sent once; Kiln waits to see the printer begin."
        ),
        actions=(act.primary(act.refresh()), abort_of(run, facts)),
    )


def _ready_sentence(printer: Printer, block: Block) -> str:
    match block.bar:
        case Bar.BED:
            return f"Goes to {printer.name} when its bed is clear. Look at the bed, then say so."
        case Bar.PLATE:
            return f"Goes to {printer.name} when its bed is empty. {block.text}."
        case Bar.MATERIAL:
            return f"Goes to {printer.name} when the filament is right. {block.text}."
        case Bar.OFFLINE:
            return f"Goes to {printer.name} once it answers again. {block.text}."
        case Bar.DEGRADED:
            return f"Goes to {printer.name} once somebody acknowledges it. {block.text}."
        case Bar.OUT_OF_SERVICE:
            return f"Goes to {printer.name} once it is back in service. {block.text}."
    return f"Goes to {printer.name} once it is ready. {block.text}."


def _remedies(printer: Printer, block: Block, run: Run, need: Needs) -> tuple[Action, ...]:
    """What a person can do about a block, the useful thing first."""
    match block.bar:
        case Bar.BED:
            return (act.primary(act.bed_is_clear(printer)),)
        case Bar.PLATE if block.run is not None:
            return (act.primary(act.outcome(block.run)), act.bed_is_clear(printer))
        case Bar.MATERIAL:
            return (act.primary(act.load_material(printer, need.material, need.color)),)
        case Bar.DEGRADED | Bar.OUT_OF_SERVICE:
            return (act.primary(act.acknowledge(printer, _ack_label(block))),)
        case Bar.OFFLINE | Bar.NOT_READY | Bar.NO_ACCESS | Bar.FOREIGN if run.printer_id is not None:
            return (act.primary(act.refresh()),)
    return ()


def _ack_label(block: Block) -> str:
    return "Put back in service" if block.bar is Bar.OUT_OF_SERVICE else "Acknowledge"


def _brief(block: Block) -> str:
    words = {
        Bar.NONE: "starting",
        Bar.BED: "when clear",
        Bar.PLATE: "when clear",
        Bar.MATERIAL: "wrong material",
        Bar.UNSEEN: "not seen yet",
        Bar.FOREIGN: "busy",
        Bar.NOT_READY: "not ready",
        Bar.DEGRADED: "degraded",
        Bar.OFFLINE: "offline",
        Bar.NO_ACCESS: "key refused",
        Bar.OUT_OF_SERVICE: "out of service",
    }
    return words.get(block.bar, "busy")


def _lower(text: str) -> str:
    """The same in the middle of a sentence; names in capitals stay."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
