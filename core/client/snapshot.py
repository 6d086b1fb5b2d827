"""Gathers what the views are made of: the ledger's part is read again only after a commit, the live part always."""

import datetime as dt

import msgspec

from core.client.views import Shop
from core.contract import Link, Observation
from core.controllers.inbox import InboxStatus
from core.domain.objects import Intent, Plan
from core.domain.policy import approval_reasons
from core.domain.words import PlanState, Verdict
from core.ingest.stability import EMPTY_FOLDER
from core.site.core import Core
from core.slicing.engine import EngineMissing
from core.views.inputs import ShopInputs
from core.views.shop import shop

RECENT_ORDERS = 300
ENGINE_CHECK_S = 30.0
LEFT_MS = 12_000
"""A file that lies unchanged for so long and is not taken deserves a word; an empty one settles for 10 s."""


class Snapshots:
    """Makes `Shop` snapshots of one core. Not thread-safe: one reader thread uses it."""

    def __init__(self, core: Core, *, demo: str = "", time_scale: float = 1.0) -> None:
        self._core, self._demo, self._time_scale = core, demo, time_scale
        self._ledger: ShopInputs | None = None
        self._ledger_revision = -1
        self._heard: dict[str, Observation] = {}
        self._engine, self._engine_problem, self._engine_at = "", "", -1e9
        self._model_names = {model_id: m.name for model_id, m in core.models.items()}

    def inputs(self, ledger_revision: int) -> ShopInputs:
        """Everything of this moment."""
        if self._ledger is None or ledger_revision != self._ledger_revision:
            self._ledger = self._read_ledger()
            self._ledger_revision = ledger_revision
        core = self._core
        live = {p: state for p, state in core.live.all().items() if state.observation is not None}
        seen = {p: s.observation for p, s in live.items() if s.observation is not None}
        self._heard.update({p: o for p, o in seen.items() if o.link is Link.ONLINE and o.full})
        active = {r.printer_id: r.run_id for r in self._ledger.runs if r.state.active and r.printer_id}
        return msgspec.structs.replace(
            self._ledger,
            wall=core.clock.wall(),
            mono=core.clock.monotonic(),
            live=seen,
            heard=dict(self._heard),
            run_blocks=core.live.run_blocks(),
            capabilities={p: s.capability for p, s in live.items() if s.capability is not None},
            slicing=core.slicing.progress(),
            uploads={active[p]: s.upload for p, s in live.items() if s.upload is not None and p in active},
            slicer_problem=self._slicer()[1],
            utc_offset_s=self._utc_offset(),
        )

    def shop(self, ledger_revision: int, revision: int) -> Shop:
        """The snapshot of this moment."""
        status = self._core.inbox.status()
        working = (*((status.current,) if status.current else ()), *status.queued)
        return shop(
            self.inputs(ledger_revision),
            revision=revision,
            site=self._core.settings.name or self._core.paths.root.name,
            inbox=str(self._core.inbox_path),
            ingesting=working,
            banner=self._core.banner or self._core.fleet.stopped_starts or status.says or self._left(status),
            slicer=self._slicer()[0],
            demo=self._demo,
            time_scale=self._time_scale,
        )

    def _left(self, status: InboxStatus) -> str:
        """What lies in the inbox and is not taken, after a while in which it usually would be."""
        now_ms = int(self._core.clock.monotonic() * 1000)
        for waiting in status.waiting:
            if waiting.why != EMPTY_FOLDER and now_ms - waiting.since_ms > LEFT_MS:
                return f"{waiting.name} is not taken from the inbox: {waiting.why}."
        return ""

    def _slicer(self) -> tuple[str, str]:
        now = self._core.clock.monotonic()
        if now - self._engine_at > ENGINE_CHECK_S:
            self._engine_at = now
            try:
                self._engine, self._engine_problem = self._core.bench.engine().label, ""
            except EngineMissing as error:
                self._engine, self._engine_problem = "", str(error)
        return self._engine, self._engine_problem

    def _utc_offset(self) -> int:
        offset = dt.datetime.now(self._core.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0

    def _read_ledger(self) -> ShopInputs:
        reader = self._core.kernel.queries
        intents = {i.intent_id: i for i in (*reader.intents_open(), *reader.intents_recent(RECENT_ORDERS))}
        ids = tuple(intents)
        plans, plates = reader.plans_of_intents(ids), reader.plates_of_intents(ids)
        runs = {r.run_id: r for r in reader.runs_of_plates(tuple(p.plate_id for p in plates))}
        runs.update((r.run_id, r) for r in reader.runs_live())
        return ShopInputs(
            wall=0.0,
            mono=0.0,
            intents=tuple(intents.values()),
            plans=plans,
            plates=plates,
            runs=tuple(runs.values()),
            printers=reader.printers(),
            drops=reader.drops_attention(),
            model_names=self._model_names,
            approvals=self.approvals(intents, plans),
        )

    def approvals(self, intents: dict[str, Intent], plans: tuple[Plan, ...]) -> dict[str, tuple[str, ...]]:
        """Why each Order with drafts needs a person, by policy."""
        policy = self._core.kernel.world.policy
        found: dict[str, tuple[str, ...]] = {}
        for plan in plans:
            intent = intents.get(plan.intent_id)
            if plan.state is not PlanState.DRAFT or intent is None:
                continue
            if policy is None:
                found[plan.intent_id] = ("The policy file cannot be read",)
                continue
            item = next(i for i in intent.items if i.item_id == plan.item_id)
            source = plan.preflight or plan.gate
            why = approval_reasons(
                policy,
                {
                    "preflight": (source.verdict if source else Verdict.FAIL).value,
                    "tier": item.tier or "",
                    "material": item.material or "",
                    "risk": plan.risk_level.value,
                    "payment": intent.payment.value,
                    "source": intent.source,
                },
            )
            known = found.get(plan.intent_id, ())
            found[plan.intent_id] = tuple(dict.fromkeys((*known, *why)))
        return found
