"""One plain sentence per event, for the Events screen and the timelines."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from core.client.views import EventRow
from core.contract import ReplyKind
from core.domain import events as ev
from core.domain.objects import ArtifactRef, Intent, Plate, Printer
from core.domain.text import clean
from core.views.endings import plain
from core.views.naming import order_name, parts
from core.views.words import count, day_and_time, duration, grams, reason_word, sentence, times

_NS = 1_000_000_000


class Lookups(msgspec.Struct, frozen=True, kw_only=True):
    """Names for the ids in events; what is missing is called by its kind only. `items` holds the names of line
    items and of instances."""

    orders: Mapping[str, str] = {}
    items: Mapping[str, str] = {}
    printers: Mapping[str, str] = {}
    utc_offset_s: int = 0

    def printer(self, printer_id: str | None) -> str:
        """A printer's name, or ``the printer``."""
        return self.printers.get(printer_id or "", "the printer")

    def order(self, intent_id: str | None) -> str:
        """``Order 1042``, or ``the order``."""
        return self.orders.get(intent_id or "", "the order")

    def item(self, item_id: str) -> str:
        """The name of a part, or ``a part``."""
        return self.items.get(item_id) or "a part"


def lookups(
    intents: Iterable[Intent], plates: Iterable[Plate], printers: Iterable[Printer], utc_offset_s: int = 0
) -> Lookups:
    """The names of these objects."""
    known = tuple(intents)
    items = {part.item_id: part.name for plate in plates for part in plate.items}
    items.update((line.item_id, line.name) for intent in known for line in intent.items)
    return Lookups(
        orders={i.intent_id: order_name(i) for i in known},
        items=items,
        printers={p.printer_id: p.name for p in printers},
        utc_offset_s=utc_offset_s,
    )


class _Scene(msgspec.Struct, frozen=True):
    """What an event is about, in names."""

    names: Lookups
    order: str
    printer: str


def summary(
    event_type: str, payload: Mapping[str, Any], lookups: Lookups, ids: Mapping[str, str | None]
) -> str:
    """One sentence of what happened. `payload` is the event's payload as builtins, `ids` holds the envelope's
    ``intent_id``, ``run_id`` and ``printer_id``. A type that is not known, or a payload that does not fit its
    type, gets a sentence that says no more than the type."""
    kind = _BODIES.get(event_type)
    if kind is None:
        return _generic(event_type)
    try:
        body = msgspec.convert({**payload, "type": event_type}, kind, strict=False)
    except msgspec.ValidationError:
        return _generic(event_type)
    return of_body(body, lookups, ids)


def of_body(body: ev.Body, lookups: Lookups, ids: Mapping[str, str | None]) -> str:
    """The same for a payload that was read already."""
    scene = _Scene(lookups, lookups.order(ids.get("intent_id")), lookups.printer(ids.get("printer_id")))
    said = (
        _site(body, scene)
        or _order(body, scene)
        or _plan(body, scene)
        or _plate(body)
        or _run(body, scene)
        or _run_end(body, scene)
        or _printer(body, scene.printer)
    )
    return clean(_stop(said), 240) if said else _generic(type(body).__name__)


def event_row(event: ev.Event, lookups: Lookups) -> EventRow:
    """An event as the Events screen shows it."""
    ids = {"intent_id": event.intent_id, "run_id": event.run_id, "printer_id": event.printer_id}
    return EventRow(
        seq=event.seq,
        event_id=event.event_id,
        type=event.type,
        wall=event.wall_ns / _NS,
        actor=event.actor.value,
        who=event.who,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        summary=of_body(event.body, lookups, ids),
        intent_id=event.intent_id,
        plan_id=event.plan_id,
        build_plate_id=event.build_plate_id,
        run_id=event.run_id,
        printer_id=event.printer_id,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        payload=msgspec.json.encode(event.body).decode(),
    )


def _generic(event_type: str) -> str:
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in event_type).strip()
    return sentence(clean(words, 120)) or "Something happened."


def _stop(text: str) -> str:
    """A full stop at the end, and a capital for our own words only: names are shown as they are."""
    flat = text.strip()
    if flat.startswith(("the ", "a part")):
        flat = flat[0].upper() + flat[1:]
    return flat if flat[-1:] in (".", "!", "?", "…") else f"{flat}."


def _tail(text: str) -> str:
    return f": {text}" if text else ""


_TRANSITIONS = {
    "ApprovePlan": "the Build Plan",
    "DispatchRun": "the printer for this attempt",
    "AutoReprint": "the reprint",
    "StartPrint": "the start",
}


def _site(body: ev.Body, scene: _Scene) -> str:
    match body:
        case ev.SiteOpened(version=version):
            return f"Kiln {version} opened this site"
        case ev.ChainCheckpoint(events=number):
            return f"The log was verified up to event {number}"
        case ev.ArtifactStored(child=child, how=how):
            return f"Stored {_file(child)}, made by: {how}"
        case ev.DropReceived(state="accepted", name=name, intent_id=intent_id):
            made = f" as {scene.names.order(intent_id)}" if intent_id else ""
            return f"{name} was dropped and accepted{made}"
        case ev.DropReceived(state="again", name=name):
            return f"{name} was dropped again; the same content came in before"
        case ev.DropReceived(name=name, findings=findings):
            return f"{name} was rejected{_tail(findings[0].what if findings else '')}"
        case ev.DropSettled(state="dismissed"):
            return "The drop was dismissed"
        case ev.DropSettled(intent_id=intent_id):
            return f"Ordered again as {scene.names.order(intent_id)}"
        case ev.DecisionMade(transition=transition, outcome=outcome, explanations=why):
            said = {"ALLOW": "allows", "BLOCK": "blocks", "REQUIRE_APPROVAL": "wants a person to decide on"}
            what = _TRANSITIONS.get(transition, _spaced(transition))
            return f"Policy {said.get(outcome, outcome.lower())} {what}{_tail('; '.join(why))}"
        case ev.StandingApproval(until=until, by=by):
            end = day_and_time(until, scene.names.utc_offset_s)
            return f"{by or 'Somebody'} approved similar orders until {end}"
        case ev.AnomalyDetected(text=text):
            return f"Something does not fit{_tail(text)}"
    return ""


def _order(body: ev.Body, scene: _Scene) -> str:
    match body:
        case ev.IntentCreated(number=number, items=items, customer_ref=customer):
            what = ", ".join(times(i.name, i.quantity) for i in items[:3]) + (" …" if len(items) > 3 else "")
            return f"Order {number} came in{_tail(what)}" + (f", for {customer}" if customer else "")
        case ev.IntentClarified():
            said = [
                f"{name} {value}"
                for name, value in (
                    ("material", body.material),
                    ("color", body.color),
                    ("quality", body.tier),
                    ("quantity", body.quantity),
                )
                if value is not None
            ]
            return f"{scene.names.item(body.item_id)}: {', '.join(said)}" if said else ""
        case ev.IntentFulfilled(by_hand=by_hand):
            return f"{scene.order} is fulfilled" + (", closed by hand" if by_hand else "")
        case ev.IntentCanceled(reason=reason):
            return f"{scene.order} was canceled: {reason.value.replace('_', ' ')}"
    return ""


def _plan(body: ev.Body, scene: _Scene) -> str:
    match body:
        case ev.PreflightRecorded(preflight=found) | ev.GateRecorded(gate=found):
            gate = "Preflight" if isinstance(body, ev.PreflightRecorded) else "The G-code gate"
            return f"{gate}: {found.verdict.value}{_first(found.findings)}"
        case ev.PlanDrafted(revision=revision, item_id=item_id, kind=kind):
            ready = " from ready G-code" if kind == "gcode" else ""
            return f"Build Plan of {scene.names.item(item_id)} drafted{ready}, revision {revision}"
        case ev.PlanPrepared(problem=problem) if problem:
            return f"The Build Plan cannot be made: {problem}"
        case ev.PlanPrepared(profile_ref=profile, slicer=slicer):
            by = f" and {slicer.name} {slicer.version}" if slicer is not None else ""
            return f"An approval would pin {profile or 'the G-code as it is'}{by}"
        case ev.PlanApproved(profile_ref=profile, by=by):
            return f"Build Plan approved by {by or 'nobody named'}" + (f", with {profile}" if profile else "")
        case ev.PlanVoided(reason=reason):
            return f"The Build Plan is void{_tail(reason.replace('_', ' '))}"
    return ""


def _first(findings: tuple[Any, ...]) -> str:
    return f", {findings[0].what}" if findings else ""


def _plate(body: ev.Body) -> str:
    match body:
        case ev.PlateDrafted(items=items, number=number, reprint_of=reprint):
            where = f" put together on Plate {number}" if len(items) > 1 else " is to be printed"
            return f"{parts(items)}{where}" + (" again, after a failure" if reprint else "")
        case ev.PlateSplit(keep=keep):
            return (
                f"Not everything fits one bed: {count(len(keep), 'part')} stay, the rest goes to other beds"
            )
        case ev.SlicingRequested(attempt=attempt):
            return "Slicing was asked for" + (f", for the {attempt}. time" if attempt > 1 else "")
        case ev.Sliced(gate=gate, seconds=seconds):
            figures = [duration(gate.time_s)] if gate.time_s is not None else []
            figures += [grams(gate.mass_mg)] if gate.mass_mg is not None else []
            return f"Sliced in {duration(seconds)}" + (f": {', '.join(figures)}" if figures else "")
        case ev.SliceFailed(message=message, code=code):
            return f"Slicing failed: {message or code}"
        case ev.PlateApproved():
            return "Parts, layout and G-code are pinned"
        case ev.PlateVoided(reason=reason):
            return f"This will not be printed{_tail(reason.replace('_', ' '))}"
    return ""


def _run(body: ev.Body, scene: _Scene) -> str:
    printer = scene.printer
    match body:
        case ev.RunQueued(number=number, pinned_printer=pinned):
            return f"Print Attempt {number} queued" + (
                f" for {scene.names.printer(pinned)}" if pinned else ""
            )
        case ev.ApprovalRequired(explanations=why):
            return f"Waits for a person's approval{_tail('; '.join(why))}"
        case ev.RunApproved(by=by):
            return f"The attempt was let go by {by or 'nobody named'}"
        case ev.RunClaimed(printer_id=printer_id, attempt=attempt):
            again = f", start {attempt}" if attempt > 1 else ""
            return f"The attempt goes to {scene.names.printer(printer_id)}{again}"
        case ev.RunUploaded():
            return f"The file is on {printer} and was read back"
        case ev.StartIntended():
            return f"{printer} is about to be started; the bed-clear permit is used up"
        case ev.StartReplied(reply=reply, detail=detail):
            return f"{_REPLIES.get(reply, f'The start was answered: {reply}')}{_tail(detail)}"
        case ev.RunStarted():
            return f"{printer} prints it"
        case ev.RunPaused(evidence=evidence):
            return f"{printer} paused{_tail(evidence)}"
        case ev.RunResumed():
            return f"{printer} prints again"
        case ev.ControlRequested(what=what, reason=reason):
            return f"{what.capitalize()} was asked of {printer}{_tail(reason.replace('_', ' '))}"
        case ev.RunFencing(evidence=evidence):
            return f"The start left no trace; the file is being removed{_tail(evidence)}"
        case ev.RunRequeued(evidence=evidence):
            return f"Back in the queue, nothing had started{_tail(evidence)}"
        case ev.RunNeedsDecision(question=question):
            return f"A person has to decide: {question}"
    return ""


_REPLIES = {
    ReplyKind.ACCEPTED.value: "The printer accepted the start, which proves nothing yet",
    ReplyKind.REFUSED.value: "The printer refused the start, which proves nothing yet",
    ReplyKind.NO_REPLY.value: "The start was not answered",
    ReplyKind.NOT_SENT.value: "The start was not sent",
}


def _run_end(body: ev.Body, scene: _Scene) -> str:
    printer = scene.printer
    match body:
        case ev.RunReconciled(answer=answer, by=by, to_state=state):
            said = {
                "adopt": "take over what the printer says",
                "keep": "keep what Kiln thought",
                "never_ran": "it never ran",
                "it_ran": "it ran",
            }
            return f"{by or 'Kiln'} decided: {said.get(answer, answer)}; the attempt is {state.replace('_', ' ')}"
        case ev.RunCompleted(used_mg=used):
            return f"{printer} finished it" + (f" with {grams(used)}" if used is not None else "")
        case ev.RunFailed(reason=reason, text=text):
            return f"The attempt failed: {reason_word(reason)}" + (f". {plain(text)}" if text else "")
        case ev.RunAborted(reason=reason, text=text):
            why = "" if reason == "operator_abort" else f": {reason_word(reason).lower()}"
            return f"The attempt was stopped{why}{_tail(plain(text))}"
        case ev.RemoteFileDeleted():
            return f"The file was removed from {printer}"
        case ev.ItemOutcomeRecorded(outcome=outcome, line_item_id=line, by=by):
            result = {"success": "good"}.get(outcome.result.value, outcome.result.value)
            why = f", {reason_word(outcome.reason).lower()}" if outcome.reason else ""
            return f"{scene.names.item(line)}: {result}{why}" + (f" (said by {by})" if by else "")
        case ev.ReprintCreated(items=items):
            return f"{count(len(items), 'failed part')} will be made again"
    return ""


def _printer(body: ev.Body, printer: str) -> str:
    match body:
        case ev.PrinterAdded(name=name, adapter=adapter):
            return f"Printer {name} was added ({adapter})"
        case ev.PrinterRemoved():
            return f"{printer} was removed"
        case ev.PrinterStateChanged(foreign=foreign) if foreign:
            return f"{printer} works on a printer job that Kiln did not start: {foreign}"
        case ev.PrinterStateChanged(health=health, reason=reason):
            return f"{printer} is {health.replace('_', ' ')}{_tail(reason.replace('_', ' '))}"
        case ev.PlateCleared(by=by):
            return f"{by or 'Somebody'} saw the empty bed of {printer}"
        case ev.PermitBound():
            return f"The bed-clear permit of {printer} is bound to what it shows now"
        case ev.PermitRevoked(evidence=evidence):
            return f"The bed of {printer} has to be looked at again{_tail(evidence)}"
        case ev.PermitConsumed():
            return f"The bed-clear permit of {printer} is used up"
        case ev.MaterialLoaded(material=material, color=color):
            loaded = f"{material}, {color}" if color else material
            return f"{printer} has {loaded} loaded" if loaded else f"Nothing is loaded on {printer}"
    return ""


def _file(ref: ArtifactRef) -> str:
    return ref.name or f"a file ({ref.sha256[:12]})"


def _spaced(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


_BODIES: dict[str, type[ev.Body]] = {kind.__name__: kind for kind in ev.Body.__subclasses__()}
"""Event type to its payload type."""
