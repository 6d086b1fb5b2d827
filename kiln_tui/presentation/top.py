"""The top bar's words."""

from core.client.views import Shop
from core.contract import Link
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.text import Span
from kiln_tui.presentation.units import clock


def brand(shop: Shop | None) -> str:
    """``KILN``; a demo says so on every screen."""
    if shop is None or not shop.demo:
        return "KILN"
    return f"KILN demo {shop.time_scale:g}x" if shop.time_scale != 1.0 else "KILN demo"


def top_right(shop: Shop | None, look: Look) -> tuple[Span, ...]:
    """Printers online, things that need a person, time of day."""
    if shop is None:
        return (("…", "dim"),)
    online = sum(1 for row in shop.printers if row.live is not None and row.live.link is Link.ONLINE)
    alerts = sum(1 for card in shop.cards if card.section == "attention")
    icons = look.icons
    printers = f"{online}" if online == len(shop.printers) else f"{online}/{len(shop.printers)}"
    return (
        (f"{icons.online} {printers}", "ok" if online == len(shop.printers) else "warn"),
        ("  ", "text"),
        (f"{icons.alert} {alerts}", "alert" if alerts else "dim"),
        (f"  {clock(look.now, look.zone)}", "text"),
    )
