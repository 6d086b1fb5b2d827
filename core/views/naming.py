"""Names of things on screen: Orders, Plates and Print Attempts. A Plate is named only when it holds several parts."""

from collections.abc import Iterable

from core.domain.objects import Intent, Plate, PlateItem, Run
from core.views.inputs import Facts
from core.views.words import listing, times


def order_name(intent: Intent) -> str:
    """``Order 1042``."""
    return f"Order {intent.number}"


def order_what(intent: Intent) -> str:
    """What was ordered, short: ``bracket ×4 +1``."""
    if not intent.items:
        return "nothing"
    first, *others = intent.items
    return times(first.name, first.quantity) + (f" +{len(others)}" if others else "")


def order_title(intent: Intent) -> str:
    """``Order 1042 · bracket ×4 +1``."""
    return f"{order_name(intent)} · {order_what(intent)}"


def parts(items: Iterable[PlateItem]) -> str:
    """Instances by name, short: ``bracket ×4 +1``, where +1 counts the other kinds of part."""
    numbers: dict[str, int] = {}
    for item in items:
        name = item.name or "part"
        numbers[name] = numbers.get(name, 0) + 1
    if not numbers:
        return "nothing"
    name, number = next(iter(numbers.items()))
    return times(name, number) + (f" +{len(numbers) - 1}" if len(numbers) > 1 else "")


def plate_what(plate: Plate | None) -> str:
    """What is on a Plate; ``unknown part`` where the Plate is not known."""
    return parts(plate.items) if plate is not None else "unknown part"


def plate_name(plate: Plate) -> str:
    """``Plate 118`` for several parts, '' for one: a single part never shows a Plate."""
    return f"Plate {plate.number}" if len(plate.items) > 1 else ""


def orders_name(intent_ids: tuple[str, ...], facts: Facts) -> str:
    """``Order 1042`` or ``Orders 1041 and 1042``; '' where none is known."""
    numbers = [str(i.number) for k in intent_ids if (i := facts.intents.get(k))]
    return ("Order " if len(numbers) == 1 else "Orders ") + listing(numbers) if numbers else ""


def attempt_name(run: Run, facts: Facts) -> str:
    """``Print Attempt 57 · Order 1042``, with the Plate where there is one to speak of."""
    owner = orders_name(run.intent_ids, facts)
    plate = facts.plates.get(run.plate_id)
    name = f"Print Attempt {run.number}" + (f" · {owner}" if owner else "")
    return f"{name} · {plate_name(plate)}" if plate is not None and plate_name(plate) else name


def run_title(run: Run, facts: Facts) -> str:
    """``mk4-1 · bracket ×4``; without a printer ``Order 1042 · bracket ×4``."""
    where = facts.printer_name(run.printer_id) or orders_name(run.intent_ids, facts) or "Print Attempt"
    return f"{where} · {plate_what(facts.plates.get(run.plate_id))}"
