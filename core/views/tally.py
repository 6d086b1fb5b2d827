"""How far an Order is, counted in physical parts: promised, good, in progress, still to make."""

import msgspec

from core.domain.objects import Intent
from core.domain.words import ItemResult
from core.views.inputs import Facts


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of an Order or of one line item. In progress: on a printer, or ended and not judged yet."""

    promised: int = 0
    good: int = 0
    in_progress: int = 0

    @property
    def to_make(self) -> int:
        """What is neither good nor in progress; never below 0, also when more was made than promised."""
        return max(0, self.promised - self.good - self.in_progress)


def tallies(intent: Intent, facts: Facts) -> dict[str, Tally]:
    """The count of each line item of an Order, by item id."""
    good: dict[str, int] = {}
    busy: dict[str, int] = {}
    for plate in facts.plates_of.get(intent.intent_id, ()):
        runs = facts.runs_of.get(plate.plate_id)
        if not runs:
            continue
        passed: set[str] = set()
        held: set[str] = set()
        for run in runs:
            judged = {o.item_id for o in run.outcomes}
            passed.update(o.item_id for o in run.outcomes if o.result is ItemResult.SUCCESS)
            if run.state.active or facts.awaits_outcome(run):
                held.update(item.item_id for item in plate.items if item.item_id not in judged)
        for item in plate.items:
            if item.intent_id != intent.intent_id:
                continue
            if item.item_id in passed:
                good[item.line_item_id] = good.get(item.line_item_id, 0) + 1
            elif item.item_id in held:
                busy[item.line_item_id] = busy.get(item.line_item_id, 0) + 1
    return {
        line.item_id: Tally(
            promised=line.quantity, good=good.get(line.item_id, 0), in_progress=busy.get(line.item_id, 0)
        )
        for line in intent.items
    }


def total(parts: dict[str, Tally]) -> Tally:
    """The sum over line items; what one item has too many never fills up another."""
    return Tally(
        promised=sum(t.promised for t in parts.values()),
        good=sum(min(t.good, t.promised) for t in parts.values()),
        in_progress=sum(min(t.in_progress, max(0, t.promised - t.good)) for t in parts.values()),
    )
