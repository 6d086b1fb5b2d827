"""Where a queued Print Attempt would go, and the one reason why it does not start yet.

This explains; the dispatch controller decides. Both look at the same things: model, material, health, link, bed.
"""

from enum import IntEnum

import msgspec

from core.contract import Link
from core.domain.objects import Plate, Printer, Run
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
    UNSTATED = 3
    MATERIAL = 4
    UNSEEN = 5
    ACTIVE = 6
    FOREIGN = 7
    NOT_READY = 8
    DEGRADED = 9
    OFFLINE = 10
    NO_ACCESS = 11
    OUT_OF_SERVICE = 12


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """The one reason why nothing starts on a printer; `text` is '' when something could start now."""

    bar: Bar
    text: str = ""
    run: Run | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a queued attempt would go: the printer (None: nowhere), why not now, and who is before it."""

    printer: Printer | None
    block: Block
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


def material_block(printer: Printer, needed: str | None) -> Block | None:
    """The reason when the loaded filament is not the one that is needed; None when it is, or nothing is needed."""
    if needed is None or (printer.material or "").casefold() == needed.casefold():
        return None
    if printer.material is None:
        return Block(bar=Bar.UNSTATED, text=f"Nobody said what is loaded; {needed} is needed")
    return Block(bar=Bar.MATERIAL, text=f"{printer.material} is loaded; {needed} is needed")


class Starts:
    """Gives each queued attempt its place: the free printer with the least to do first, each printer once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._blocks: dict[str, Block] = {}
        self._next: dict[str, Run] = {}
        self._ranked: dict[
            tuple[str, str | None, str | None, tuple[str, ...]], list[tuple[Printer, Block]]
        ] = {}
        self._at: dict[tuple[str, str | None, str | None, tuple[str, ...]], int] = {}

    def block(self, printer: Printer) -> Block:
        """`block_of`, remembered."""
        known = self._blocks.get(printer.printer_id)
        if known is None:
            known = self._blocks[printer.printer_id] = block_of(printer, self._facts)
        return known

    def place(self, run: Run, plate: Plate | None) -> Place:
        """Where this attempt would go; asked once per attempt, in the order in which they are to start."""
        needed = self._facts.material_of(plate) if plate is not None else None
        fits = self._fits(run, plate)
        key = (run.model_id or "", run.pinned_printer, needed, fits)
        ranked = self._ranked.get(key)
        if ranked is None:
            ranked = self._ranked[key] = self._rank(run, needed, fits)
        if not ranked:
            return Place(printer=None, block=Block(bar=Bar.OFFLINE, text=self._nowhere(run, fits)))
        at = self._at.get(key, 0)
        while at < len(ranked) and ranked[at][0].printer_id in self._next and ranked[at][1].bar < Bar.ACTIVE:
            at += 1
        self._at[key] = at
        if at < len(ranked) and ranked[at][1].bar < Bar.ACTIVE:
            printer, block = ranked[at]
            self._next[printer.printer_id] = run
            return Place(printer=printer, block=block)
        return self._behind(run, ranked)

    def _behind(self, run: Run, ranked: list[tuple[Printer, Block]]) -> Place:
        """Every printer that fits is taken: behind whom."""
        printer, block = ranked[0]
        before = self._next.get(printer.printer_id) or block.run
        self._next.setdefault(printer.printer_id, run)
        return Place(printer=printer, block=block, after=before)

    def _fits(self, run: Run, plate: Plate | None) -> tuple[str, ...]:
        if run.model_id is not None or plate is None:
            return ()
        plans = [plan for item in plate.items[:1] if (plan := self._facts.plan_of(item))]
        return plans[0].fits_models if plans else ()

    def _rank(self, run: Run, needed: str | None, fits: tuple[str, ...]) -> list[tuple[Printer, Block]]:
        rows = []
        for printer in self._facts.printers.values():
            if run.pinned_printer is not None and printer.printer_id != run.pinned_printer:
                continue
            if run.model_id is not None and printer.model_id != run.model_id:
                continue
            if fits and printer.model_id not in fits:
                continue
            block = self.block(printer)
            if block.bar < Bar.UNSTATED:
                block = material_block(printer, needed) or block
            rows.append((printer, block))
        return sorted(rows, key=lambda row: (row[1].bar, row[0].name, row[0].printer_id))

    def _nowhere(self, run: Run, fits: tuple[str, ...]) -> str:
        if run.pinned_printer is not None:
            return f"{self._facts.printer_name(run.pinned_printer)} is no longer part of the site"
        names = self._facts.inputs.model_names
        wanted = (run.model_id,) if run.model_id else fits
        if wanted:
            return f"No {' or '.join(names.get(w, w) for w in wanted)} is part of the site"
        return "There is no printer yet"
