"""The tour: what a newcomer should press next, computed from the shop alone."""

from core.client.views import Card, Shop
from core.domain import commands as c


def next_step(shop: Shop | None, screen: str, cursor: str | None = None, *, hidden: str = "") -> str:
    """One sentence; the most useful thing first. `cursor` is the id of the card under the cursor, `hidden` the
    filter that hides every row of this screen."""
    if shop is None:
        return "Waiting for the first picture of the shop."
    if hidden:
        return f"Nothing matches “{hidden}” — Esc clears the filter."
    if not shop.printers:
        return "No printer yet — press N to add one by its address."
    waiting = [(card, words) for card in shop.cards if (words := _words(card))]
    waiting.sort(key=lambda pair: _RANK[pair[0].section])
    same = [pair for pair in waiting if pair[0].section == waiting[0][0].section]
    found = next((pair for pair in same if pair[0].card_id == cursor), same[0] if same else None)
    if found is None:
        if any(card.section == "running" for card in shop.cards):
            return "All is running. 5 shows the printers, 6 what happened; new files go into the inbox."
        return f"Nothing waits for you. Drop an STL, 3MF or G-code file into {shop.inbox}"
    card, words = found
    if not words[1]:
        return words[0]
    if screen != "triage":
        return f"{words[0]} — press 1 for Triage."
    move = "" if cursor == card.card_id else "go to it (↑↓), "
    return f"{words[0]} — {move}press {words[1]}."


def _remedy(card: Card) -> str:
    """What stands against an approval, without the words around it."""
    return card.sentence.removeprefix("Cannot be approved as it is. ")


_RANK = {"attention": 0, "at_risk": 1, "ready_qa": 2, "ready_start": 3}


def _words(card: Card) -> tuple[str, str] | None:
    """(what waits, the key) for a card whose primary key works and does something; without a key where the remedy
    lies elsewhere; None for all others."""
    if card.tag == "NO SLICER":
        return "No slicer, so models wait — in another terminal: kiln-tui slicer fetch", ""
    if card.section not in _RANK or not card.actions:
        return None
    action = card.actions[0]
    if action.disabled or action.opens in ("goto", "refresh"):
        return None
    if action.opens == "approve" and card.brief == "problem":
        return f"{card.where} needs something else first: {_remedy(card)}", ""
    if action.opens == "add_printer":
        return "A printer is missing", "⏎ to add one"
    if action.opens == "approve" or isinstance(action.command, c.ApproveOrder):
        return "An Order waits for approval", "⏎"
    if action.opens == "outcome" or isinstance(action.command, c.RecordOutcomes):
        return f"{card.where} has ended; say how it came out", "⏎"
    if isinstance(action.command, c.ClearBed):
        return f"{card.where} waits for an empty bed: take the part off", "⏎"
    if isinstance(action.command, c.ResumeRun):
        return f"{card.where} is paused ({card.brief}): see to it", "⏎ to resume"
    if isinstance(action.command, c.ReprintFailed):
        return "A part failed: print it again", "⏎"
    if action.opens == "resolve":
        return f"Kiln cannot tell what happened on {card.where}", "⏎ to decide"
    return f"{card.where} needs you", f"⏎ ({action.label})"
