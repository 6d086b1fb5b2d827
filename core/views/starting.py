"""Where a queued Print Attempt would go, and the one reason why it does not start yet.

This explains; the dispatch controller decides. What an attempt needs of a printer is asked of the dispatcher's own
function, and where its reason is another one, that one is shown.
"""

from enum import IntEnum

import msgspec

from core.contract import Link
from core.controllers.dispatch import Needs, needs_of
from core.domain.objects import Printer, Run
from core.domain.words import Health
from core.views.inputs import Facts
from core.views.naming import plate_what
from core.views.trust import SILENT_S, is_ours, silence
from core.views.words import duration, phase_word, reason_word


class Bar(IntEnum):
    """What keeps a printer from starting, from the least to the most that has to happen first."""

    NONE = 0
    BED = 1
    PLATE = 2
    MATERIAL = 3
    UNSEEN = 4
    ACTIVE = 5
    FOREIGN = 6
    NOT_READY = 7
    DEGRADED = 8
    OFFLINE = 9
    NO_ACCESS = 10
    OUT_OF_SERVICE = 11


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """The one reason why nothing starts on a printer; `text` is '' when something could start now."""

    bar: Bar
    text: str = ""
    run: Run | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a queued attempt would go: the printer (None: nowhere), why not now, and who is before it."""

    printer: Printer | None
    block: Block
    need: Needs = Needs(models=None)
    after: Run | None = None


def block_of(printer: Printer, facts: Facts, run: Run | None = None) -> Block:
    """The one reason why nothing starts on this printer. With `run` (which already has the printer), its own
    claim does not count as a reason."""
    if printer.health is Health.OUT_OF_SERVICE:
        why = f": {printer.health_reason}" if printer.health_reason else ""
        return Block(bar=Bar.OUT_OF_SERVICE, text=f"Out of service{why}")
    live = facts.inputs.live.get(printer.printer_id)
    if live is not None and live.link is Link.UNAUTHORISED:
        return Block(bar=Bar.NO_ACCESS, text="It refuses Kiln's key")
    stale = live is not None and facts.inputs.mono - live.seen_at > SILENT_S
    if printer.health is Health.OFFLINE or stale or (live is not None and live.link is Link.OFFLINE):
        quiet = silence(printer.printer_id, facts)
        return Block(
            bar=Bar.OFFLINE, text="No answer" + (f" for {duration(quiet)}" if quiet is not None else "")
        )
    if printer.health is Health.DEGRADED:
        return Block(bar=Bar.DEGRADED, text=f"Degraded: {reason_word(printer.health_reason)}")
    active = facts.active.get(printer.printer_id)
    if active is not None and active is not run:
        what = plate_what(facts.plates.get(active.plate_id))
        return Block(bar=Bar.ACTIVE, text=f"{active.state.on_screen.capitalize()} {what}", run=active)
    if live is None:
        return Block(bar=Bar.UNSEEN, text="Not looked at yet")
    foreign = foreign_job(printer, facts)
    if foreign and active is None:
        return Block(bar=Bar.FOREIGN, text=f"Busy with a printer job that Kiln did not start: {foreign}")
    if not live.phase.startable:
        return Block(bar=Bar.NOT_READY, text=f"The printer says: {phase_word(live.phase)}")
    if (ended := facts.unjudged.get(printer.printer_id)) is not None and printer.permit is None:
        what = plate_what(facts.plates.get(ended.plate_id))
        return Block(bar=Bar.PLATE, text=f"Its bed still holds {what}", run=ended)
    if printer.permit is None:
        return Block(bar=Bar.BED, text="Bed not confirmed clear")
    return Block(bar=Bar.NONE)


def foreign_job(printer: Printer, facts: Facts) -> str:
    """The name of a printer job that Kiln did not start, or ''."""
    live = facts.inputs.live.get(printer.printer_id)
    active = facts.active.get(printer.printer_id)
    if live is not None and live.link is Link.ONLINE and live.phase.running:
        if active is None or is_ours(active, live) is False:
            return live.printer_job.remote_file or printer.foreign or "no name given"
        return ""
    if live is not None and live.link is Link.ONLINE and live.full:
        return ""
    return printer.foreign


def material_block(printer: Printer, need: Needs) -> Block | None:
    """The reason when the loaded filament is known not to be the one that is needed. What nobody said is no
    reason here, as it is none for the dispatcher; the card says so beside it."""
    loaded = printer.material
    if need.material and loaded and need.material.casefold() != loaded.casefold():
        return Block(bar=Bar.MATERIAL, text=f"{loaded} is loaded; {need.material} is needed")
    if need.color and printer.color and need.color.casefold() != printer.color.casefold():
        return Block(
            bar=Bar.MATERIAL, text=f"{printer.color.capitalize()} filament is loaded; {need.color} is needed"
        )
    return None


_Key = tuple[str | None, tuple[str, ...] | None, str | None, str | None]


class Starts:
    """Gives each queued attempt its place: the free printer with the least to do first, each printer once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._blocks: dict[str, Block] = {}
        self._next: dict[str, Run] = {}
        self._ranked: dict[_Key, list[tuple[Printer, Block]]] = {}
        self._at: dict[_Key, int] = {}

    def place(self, run: Run) -> Place:
        """Where this attempt would go; asked once per attempt, in the order in which they are to start."""
        facts = self._facts
        need = needs_of(run, facts.plates.get(run.plate_id), facts.intents, facts.plans)
        if need.problem:
            return Place(printer=None, block=Block(bar=Bar.NOT_READY, text=need.problem), need=need)
        key = (run.pinned_printer, need.models, need.material, need.color)
        ranked = self._ranked.get(key)
        if ranked is None:
            ranked = self._ranked[key] = self._rank(run, need)
        if not ranked:
            return Place(printer=None, block=Block(bar=Bar.OFFLINE, text=self._nowhere(run, need)), need=need)
        at = self._at.get(key, 0)
        while at < len(ranked) and ranked[at][0].printer_id in self._next and ranked[at][1].bar < Bar.ACTIVE:
            at += 1
        self._at[key] = at
        if at < len(ranked) and ranked[at][1].bar < Bar.ACTIVE:
            printer, block = ranked[at]
            self._next[printer.printer_id] = run
            return Place(printer=printer, block=block, need=need)
        # Every printer that fits is taken or not ready: behind whom.
        printer, block = ranked[0]
        before = self._next.get(printer.printer_id) or block.run
        self._next.setdefault(printer.printer_id, run)
        return Place(printer=printer, block=block, need=need, after=before)

    def _rank(self, run: Run, need: Needs) -> list[tuple[Printer, Block]]:
        rows = []
        for printer in self._facts.printers.values():
            if run.pinned_printer not in (None, printer.printer_id):
                continue
            if need.models is None and run.pinned_printer is None:
                continue
            if need.models is not None and printer.model_id not in need.models:
                continue
            block = self._blocks.get(printer.printer_id)
            if block is None:
                block = self._blocks[printer.printer_id] = block_of(printer, self._facts)
            if block.bar < Bar.MATERIAL:
                block = material_block(printer, need) or block
            rows.append((printer, block))
        return sorted(
            rows, key=lambda row: (row[1].bar, row[0].material is None, row[0].name, row[0].printer_id)
        )

    def _nowhere(self, run: Run, need: Needs) -> str:
        if not self._facts.printers:
            return "There is no printer yet"
        if run.pinned_printer is not None:
            return "The printer that it is meant for is not there, or is of another model"
        if need.models is None:
            return "Nobody said which printer model it is for"
        names = self._facts.inputs.model_names
        wanted = " or ".join(names.get(model, model) for model in need.models)
        return f"No {wanted} is part of the site" if wanted else "No printer fits all of its parts"
