"""What a decision works in: it reads objects, emits events and asks for effects; nothing is written here.

The handlers are pure functions of a `Transaction`: it loads projections through a `Loader`, folds each emitted
event over them at once, and hands everything to the kernel's shell, which writes it in one transaction.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar, cast

import msgspec

from core.domain import events as ev
from core.domain.commands import Envelope, Refusal
from core.domain.objects import Drop, Intent, Plan, Plate, Printer, Run
from core.domain.policy import POLICY_ID, Policy, Ruling, evaluate
from core.domain.printer_model import PrinterModel
from core.domain.site import SiteState
from core.domain.words import Actor
from core.kernel.ports import Effect, Ids, Stamp
from core.ledger.tables import KINDS, Stored

_T = TypeVar("_T")

SITE_ID = "site"
EVENT_VERSION = 1


class Refused(Exception):
    """A command cannot be carried out; carries a code and sentences, most actionable first."""

    def __init__(self, code: str, *reasons: str) -> None:
        super().__init__(reasons[0] if reasons else code)
        self.refusal = Refusal(code=code, reasons=reasons or (code,))


class Blocked(Refused):
    """Policy refused; the decision itself is recorded although nothing else happens."""


class Loader(Protocol):
    """What a decision may read besides the objects it names (the state before its own events)."""

    def load(self, kind: str, object_id: str) -> Stored | None: ...
    def plans_of_intent(self, intent_id: str) -> tuple[Plan, ...]: ...
    def plates_of_intent(self, intent_id: str) -> tuple[Plate, ...]: ...
    def runs_of_plate(self, plate_id: str) -> tuple[Run, ...]: ...
    def active_run_of(self, printer_id: str) -> Run | None: ...
    def intent_of_content(self, sha256: str) -> str | None: ...
    def printer_named(self, name: str) -> Printer | None: ...
    def next_number(self, table: str) -> int: ...
    def last_event_of(self, kind: str, subject_id: str) -> str | None: ...
    def effect_open(self, effect_id: str) -> bool: ...
    def last_decision(self, kind: str, subject_id: str) -> ev.DecisionMade | None: ...


class World(msgspec.Struct, frozen=True):
    """What decisions know besides the ledger: the policy in force (None when unreadable) and the catalogue."""

    policy: Policy | None
    models: dict[str, PrinterModel]
    materials: tuple[str, ...]
    incarnation: str
    program: str = ""


class Transaction:
    """One command's reading and writing."""

    def __init__(self, loader: Loader, world: World, now: Stamp, ids: Ids, envelope: Envelope) -> None:
        self.loader = loader
        self.world = world
        self.now = now
        self.ids = ids
        self.envelope = envelope
        self.events: list[ev.Event] = []
        self.effects: list[Effect] = []
        self.settled: list[tuple[str, str]] = []
        self.settled_kinds: list[tuple[str, str, str]] = []
        self.made: dict[str, str] = {}
        self.changed: dict[tuple[str, str], Stored] = {}
        self._numbers: dict[str, int] = {}
        self._cause: str | None = None

    # --- reading ---

    def _get(self, kind: str, object_id: str, name: str) -> Stored:
        found = self.changed.get((kind, object_id)) or self.loader.load(kind, object_id)
        if found is None:
            raise Refused("UNKNOWN", f"There is no {name} {object_id}.")
        return found

    def intent(self, intent_id: str) -> Intent:
        """An Order; Refused when unknown."""
        return cast("Intent", self._get("intent", intent_id, "Order"))

    def plan(self, plan_id: str) -> Plan:
        """A Build Plan; Refused when unknown."""
        return cast("Plan", self._get("plan", plan_id, "Build Plan"))

    def plate(self, plate_id: str) -> Plate:
        """A Plate; Refused when unknown."""
        return cast("Plate", self._get("plate", plate_id, "Plate"))

    def run(self, run_id: str) -> Run:
        """A Print Attempt; Refused when unknown."""
        return cast("Run", self._get("run", run_id, "Print Attempt"))

    def printer(self, printer_id: str) -> Printer:
        """A printer of the site; Refused when unknown or removed."""
        found = cast("Printer", self._get("printer", printer_id, "printer"))
        if found.removed:
            raise Refused("UNKNOWN", f"{found.name} was removed from this site.")
        return found

    def drop(self, drop_id: str) -> Drop:
        """A drop; Refused when unknown."""
        return cast("Drop", self._get("drop", drop_id, "drop"))

    def site(self) -> SiteState:
        """The site's own state."""
        found = self.changed.get(("site", SITE_ID)) or self.loader.load("site", SITE_ID)
        return cast("SiteState", found) if found else SiteState(site_id=SITE_ID)

    def plans_of(self, intent_id: str) -> tuple[Plan, ...]:
        """The Build Plans of an Order, as this transaction sees them."""
        return self._overlaid("plan", self.loader.plans_of_intent(intent_id), lambda p: p.plan_id)

    def plates_of(self, intent_id: str) -> tuple[Plate, ...]:
        """The Plates with parts of an Order, as this transaction sees them."""
        return self._overlaid("plate", self.loader.plates_of_intent(intent_id), lambda p: p.plate_id)

    def runs_of(self, plate_id: str) -> tuple[Run, ...]:
        """The attempts of a Plate, as this transaction sees them."""
        return self._overlaid("run", self.loader.runs_of_plate(plate_id), lambda r: r.run_id)

    def _overlaid(self, kind: str, stored: tuple[_T, ...], key: Callable[[_T], str]) -> tuple[_T, ...]:
        return tuple(cast("_T", self.changed.get((kind, key(item)), item)) for item in stored)

    # --- writing ---

    def emit(self, kind: str, subject_id: str, body: ev.AnyBody, *, cause: str | None = None) -> Stored:
        """Record that something happened; answers the subject's new state."""
        before = self.changed.get((kind, subject_id)) or self.loader.load(kind, subject_id)
        version = (before.version if before else 0) + 1
        event = ev.Event(
            seq=0,
            event_id=self.ids.new("ev"),
            version=EVENT_VERSION,
            wall_ns=self.now.wall_ns,
            mono_ns=self.now.mono_ns,
            boot_id=self.now.boot_id,
            subject_kind=kind,
            subject_id=subject_id,
            subject_version=version,
            intent_id=None,
            plan_id=None,
            build_plate_id=None,
            run_id=None,
            printer_id=None,
            correlation_id=None,
            causation_id=cause or self._cause or self._first_cause(kind, subject_id),
            actor=self.envelope.actor,
            who=self.envelope.who,
            body=body,
        )
        state = cast("Stored", KINDS[kind].fold(before, event))
        refs = KINDS[kind].refs(state)
        event = msgspec.structs.replace(event, correlation_id=refs.get("intent_id") or subject_id, **refs)
        self.changed[(kind, subject_id)] = state
        self.events.append(event)
        if self._cause is None:
            self._cause = event.event_id
        return state

    def _first_cause(self, kind: str, subject_id: str) -> str:
        if self.envelope.causation_id:
            return self.envelope.causation_id
        if self.envelope.actor is not Actor.OPERATOR:
            before = self.loader.last_event_of(kind, subject_id)
            if before is not None:
                return before
        return f"cmd:{self.envelope.key}"

    def effect(self, kind: str, subject_kind: str, subject_id: str, **args: str) -> None:
        """Ask a controller for work; it is performed only after this transaction is durable."""
        self.effects.append(
            Effect(
                effect_id=self.ids.new("fx"),
                kind=kind,
                subject_kind=subject_kind,
                subject_id=subject_id,
                incarnation=self.world.incarnation,
                args=args,
            )
        )

    def only_the_decision(self) -> bool:
        """Forget everything but the refusing decision; False when the last one recorded said the same."""
        event = self.events[-1]
        body = event.body
        before = self.loader.last_decision(event.subject_kind, event.subject_id)
        if not isinstance(body, ev.DecisionMade):
            return False
        said = (body.transition, body.inputs, body.outcome)
        if before is not None and (before.transition, before.inputs, before.outcome) == said:
            return False
        key = (event.subject_kind, event.subject_id)
        self.events, self.changed = [event], {key: self.changed[key]}
        self.effects, self.settled, self.settled_kinds = [], [], []
        return True

    def any_open(self, intent_ids: tuple[str, ...]) -> bool:
        """Whether anybody still waits for these Orders."""
        return any(self.intent(intent_id).open for intent_id in intent_ids)

    def settle(self, effect_kind: str, subject_id: str, result: str = "done") -> None:
        """The pending effects of one kind for one subject are over."""
        self.settled_kinds.append((effect_kind, subject_id, result))

    def number(self, table: str) -> int:
        """The next number people say for an Order, a Plate or a Print Attempt."""
        following = self._numbers.get(table) or self.loader.next_number(table)
        self._numbers[table] = following + 1
        return following

    def decide(self, transition: str, kind: str, subject_id: str, inputs: dict[str, str]) -> Ruling:
        """Ask policy, and record what it said with exactly the inputs it used."""
        actor = "operator" if self.envelope.actor is Actor.OPERATOR else "policy"
        used = {"actor": actor, **inputs}
        ruling = evaluate(self.world.policy, transition, used)
        self.emit(
            kind,
            subject_id,
            ev.DecisionMade(
                decision_id=self.ids.new("dec"),
                policy_id=POLICY_ID,
                policy_version=str(self.world.policy.version) if self.world.policy else "unreadable",
                transition=transition,
                inputs=used,
                outcome=ruling.outcome.value,
                explanations=ruling.explanations,
            ),
        )
        return ruling

    @property
    def who(self) -> str:
        """Who acts, in a word for the operator."""
        return self.envelope.who or self.envelope.actor.value
