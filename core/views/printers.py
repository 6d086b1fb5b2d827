"""Printers as the list shows them: live state with its age, why nothing starts there, and what a person may do."""

from core.client.views import Action, PrinterRow
from core.domain.objects import Printer, Run
from core.domain.words import Health, RunState
from core.views import actions as act
from core.views.inputs import Facts, ShopInputs
from core.views.naming import run_title
from core.views.starting import Bar, Block, block_of
from core.views.trust import live_age


def printer_rows(inputs: ShopInputs) -> tuple[PrinterRow, ...]:
    """Every printer of the site by name. Pure."""
    return printer_rows_of(Facts(inputs))


def printer_rows_of(facts: Facts) -> tuple[PrinterRow, ...]:
    """The same, from indexed inputs."""
    return tuple(
        printer_row(printer, facts)
        for printer in sorted(facts.printers.values(), key=lambda p: (p.name, p.printer_id))
    )


def printer_row(printer: Printer, facts: Facts) -> PrinterRow:
    """One printer: `block` is the one reason why nothing starts there ('' when something could)."""
    run = facts.active.get(printer.printer_id) or facts.unjudged.get(printer.printer_id)
    block = block_of(printer, facts)
    live = facts.inputs.live.get(printer.printer_id)
    return PrinterRow(
        printer=printer,
        model_name=facts.inputs.model_names.get(printer.model_id, printer.model_id),
        capability=facts.inputs.capabilities.get(printer.printer_id),
        live=live,
        age_s=live_age(printer.printer_id, facts),
        run=run,
        run_title=run_title(run, facts).split(" · ", 1)[1] if run is not None else "",
        block=block.text,
        actions=_actions(printer, run, block, facts),
        upload=facts.inputs.uploads.get(run.run_id) if run is not None else None,
        finish_at=facts.finish_at(printer.printer_id, live) if live is not None else None,
    )


def _actions(printer: Printer, run: Run | None, block: Block, facts: Facts) -> tuple[Action, ...]:
    """The one useful thing first (looking, when nothing is to be done), then all the rest, each key once."""
    live = facts.inputs.live.get(printer.printer_id)
    can = facts.inputs.capabilities.get(printer.printer_id)
    active = run if run is not None and run.state.active else None
    ended = run if run is not None and run.state.terminal else None
    first = _first(printer, active, ended, block, facts)
    rest: list[Action] = []
    if active is not None and active.state is RunState.NEEDS_DECISION:
        rest += act.resolve(active, live)
    elif active is not None:
        if active.state is RunState.PRINTING:
            rest.append(act.pause(active, can, live))
        if active.state is RunState.PAUSED:
            rest.append(act.resume(active, live))
        rest.append(act.abort(active, can, live))
    if ended is not None:
        rest.append(act.outcome(ended))
    if active is None and printer.permit is None:
        rest.append(act.bed_is_clear(printer))
    rest.append(act.load_material(printer))
    if printer.health in (Health.DEGRADED, Health.OUT_OF_SERVICE):
        rest.append(_acknowledge(printer))
    if printer.health is not Health.OUT_OF_SERVICE:
        rest.append(act.out_of_service(printer))
    rest.append(act.refresh())
    if first is None:
        return (act.goto("Show printer"), *rest)
    # The primary action is not listed a second time under its own letter.
    same = (first.command, first.opens)
    return (act.primary(first), *(a for a in rest if (a.command, a.opens) != same))


def _first(
    printer: Printer, active: Run | None, ended: Run | None, block: Block, facts: Facts
) -> Action | None:
    if active is not None:
        live = facts.inputs.live.get(printer.printer_id)
        if active.state is RunState.PAUSED:
            return act.resume(active, live)
        if active.state is RunState.NEEDS_DECISION or block.bar in (Bar.OFFLINE, Bar.NO_ACCESS):
            return act.refresh()
        if active.state in (RunState.CLAIMED, RunState.UPLOADED) and printer.permit is None:
            return act.bed_is_clear(printer)
        return None
    if ended is not None:
        return act.outcome(ended)
    match block.bar:
        case Bar.DEGRADED | Bar.OUT_OF_SERVICE:
            return _acknowledge(printer)
        case Bar.OFFLINE | Bar.NO_ACCESS | Bar.UNSEEN | Bar.NOT_READY | Bar.FOREIGN:
            return act.refresh()
        case Bar.BED | Bar.PLATE:
            return act.bed_is_clear(printer)
    return act.load_material(printer) if printer.material is None else None


def _acknowledge(printer: Printer) -> Action:
    out = printer.health is Health.OUT_OF_SERVICE
    return act.acknowledge(printer, "Put back in service" if out else "Acknowledge")
