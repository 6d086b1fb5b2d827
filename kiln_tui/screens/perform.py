"""From an `Action` of a view to what happens: a sheet, a question, or a command sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from core.client.views import Action, Card, PrinterRow, Shop
from core.domain import commands as c
from kiln_tui.commands import DESTRUCTIVE, Command, row_keys
from kiln_tui.presentation.look import Look
from kiln_tui.presentation.units import age

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp


class Target(msgspec.Struct, frozen=True):
    """What an action is about; '' where it does not apply."""

    intent_id: str = ""
    run_id: str = ""
    printer_id: str = ""


_ORDER = re.compile(r"\bOrders? (\d+)")


def order_named(text: str, shop: Shop) -> str:
    """Id of the first Order that a title names by its number; '' if it names none."""
    found = _ORDER.search(text)
    number = int(found.group(1)) if found else -1
    return next((row.intent.intent_id for row in shop.orders if row.intent.number == number), "")


def target_of(
    action: Action, shop: Shop | None, kind: str = "", subject_id: str = "", names: str = ""
) -> Target:
    """The ids an action needs: those of its command, else its row's subject, else what the shop knows, else the
    Order that the row's title (`names`) names."""
    command = action.command
    intent_id = getattr(command, "intent_id", "") or (subject_id if kind in ("intent", "order") else "")
    run_id = getattr(command, "run_id", "") or (subject_id if kind == "run" else "")
    printer_id = getattr(command, "printer_id", "") or (subject_id if kind == "printer" else "")
    if shop is not None:
        for row in shop.printers:
            if run_id and row.run is not None and row.run.run_id == run_id and not printer_id:
                printer_id = row.printer.printer_id
            if run_id and row.run is not None and row.run.run_id == run_id and not intent_id:
                intent_id = next(iter(row.run.intent_ids), "")
        intent_id = intent_id or order_named(names, shop)
    return Target(intent_id, run_id, printer_id or "")


def names_of(card: Card) -> str:
    """All of a card's short texts that may name its Order."""
    return " ".join((card.where, card.title, card.what, *card.because))


def card_target(card: Card, shop: Shop | None) -> Target:
    """The ids of a card, gathered from its subject and all of its actions."""
    names = names_of(card)
    found = [
        target_of(a, shop, card.subject_kind, card.subject_id, names)
        for a in (*card.actions, Action(key="", label=""))
    ]
    return Target(
        next((t.intent_id for t in found if t.intent_id), ""),
        next((t.run_id for t in found if t.run_id), ""),
        next((t.printer_id for t in found if t.printer_id), ""),
    )


def stale_reason(action: Action, row: PrinterRow | None, look: Look) -> str:
    """Why an action that needs the printer to listen does not work now: nobody has heard of it for a while."""
    if row is None or not isinstance(action.command, c.PauseRun | c.ResumeRun):
        return ""
    seen = look.age(row.age_s)
    if seen is None:
        return f"{row.printer.name} was never seen; press g to look at it"
    if seen > look.stale_s:
        return f"no word from {row.printer.name} for {age(seen)}; press g to look again"
    return ""


def commands_for(
    kiln: KilnApp,
    actions: Sequence[Action],
    kind: str,
    subject_id: str,
    settling: str = "",
    names: str = "",
    here: Callable[[], None] | None = None,
) -> list[Command]:
    """The row's actions as commands, with their keys and with every reason why one does not work. `here` is what
    going to the subject means on the subject's own screen."""
    out = []
    shop = kiln.shop
    for key, action in row_keys(actions):
        target = target_of(action, shop, kind, subject_id, names)
        row = next(
            (r for r in (shop.printers if shop else ()) if r.printer.printer_id == target.printer_id), None
        )
        disabled = action.disabled or kiln.stale_reason or stale_reason(action, row, kiln.look()) or settling
        out.append(
            Command(
                key=key,
                label=action.label,
                run=here
                if here is not None and action.opens == "goto"
                else lambda action=action, target=target: perform(kiln, action, target),  # type: ignore[misc]  # bound at once
                help=action.note,
                danger=action.opens in DESTRUCTIVE or bool(action.confirm),
                disabled=disabled,
                group="This row",
            )
        )
    return out


def perform(kiln: KilnApp, action: Action, target: Target) -> None:
    """Do what the action says."""
    match action.opens:
        case "":
            _send(kiln, action, target)
        case "approve" | "clarify":
            if not target.intent_id:
                kiln.say("Open the Order on screen 2 to approve it.", "warn")
                return
            from kiln_tui.screens.approve import Approve

            kiln.open(Approve(kiln, target.intent_id))
        case "outcome":
            from kiln_tui.screens.outcome import OutcomePanel

            kiln.open(OutcomePanel(kiln, target.run_id))
        case "cancel_order":
            from kiln_tui.screens.dialogs import cancel_order

            kiln.open(cancel_order(kiln, target.intent_id))
        case "abort":
            from kiln_tui.screens.dialogs import Abort

            kiln.open(Abort(kiln, target.run_id))
        case "resolve":
            from kiln_tui.screens.resolve import Resolve

            kiln.open(Resolve(kiln, target.run_id, getattr(action.command, "answer", "")))
        case "add_printer":
            from kiln_tui.screens.add_printer import AddPrinterSheet

            kiln.open(AddPrinterSheet(kiln))
        case "load_material":
            from kiln_tui.screens.printer_dialogs import LoadMaterialSheet

            kiln.open(LoadMaterialSheet(kiln, target.printer_id))
        case "out_of_service":
            from kiln_tui.screens.printer_dialogs import out_of_service

            kiln.open(out_of_service(kiln, target.printer_id))
        case "refresh":
            look_again(kiln, target.printer_id)
        case _:
            goto(kiln, target, action.label)


def goto(kiln: KilnApp, target: Target, label: str = "") -> None:
    """Show the thing on its own screen; where a row is about several things, the label names the one."""
    words = label.casefold()
    if "printer" in words or not ("order" in words or "plan" in words or target.intent_id):
        kiln.go("printers", target.printer_id or None)
        return
    kiln.selected_intent = target.intent_id or kiln.selected_intent
    if "plan" in words:
        kiln.go("plans")
    else:
        kiln.go("orders", kiln.selected_intent)


def look_again(kiln: KilnApp, printer_id: str) -> None:
    """Have the core look at a printer now."""
    if not printer_id:
        kiln.say("There is no printer to look at here.", "dim")
        return

    async def look() -> None:
        await kiln.ask(kiln.client.refresh(printer_id))

    kiln.run_worker(look(), group="send")
    kiln.say("Looking again.", "dim")


def _send(kiln: KilnApp, action: Action, target: Target) -> None:
    if action.command is None:
        look_again(kiln, target.printer_id)
        return
    if not action.confirm:
        kiln.send(action.command)
        return
    from kiln_tui.screens.dialogs import Confirm

    kiln.open(Confirm(kiln, action.label, action.confirm, action.command))
