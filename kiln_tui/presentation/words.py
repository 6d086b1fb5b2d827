"""The words of domain.md as they stand on screen."""

import re

from core.contract import Phase
from core.domain.objects import Plan
from core.domain.words import Health, PlanState, RiskLevel

_PHASE = {
    Phase.IDLE: "idle",
    Phase.PREPARING: "preparing",
    Phase.PRINTING: "printing",
    Phase.PAUSING: "pausing",
    Phase.PAUSED: "paused",
    Phase.RESUMING: "resuming",
    Phase.CANCELLING: "stopping",
    Phase.FINISHED: "finished",
    Phase.CANCELLED: "stopped",
    Phase.ERROR: "error",
    Phase.BUSY: "busy",
    Phase.OFFLINE: "offline",
    Phase.UNKNOWN: "unknown",
}


def live_word(phase: Phase) -> str:
    """What the printer says it does."""
    return _PHASE[phase]


def plan_word(plan: Plan) -> str:
    """Where a Build Plan stands."""
    if plan.dispatch_blocked:
        return "locked"
    return {
        PlanState.DRAFT: "to approve",
        PlanState.APPROVED: "approved",
        PlanState.SUPERSEDED: "superseded",
        PlanState.VOID: "void",
    }[plan.state]


def health_word(health: Health) -> str:
    """Standing of a printer."""
    return health.value.replace("_", " ")


RISK_ROLE = {RiskLevel.LOW: "ok", RiskLevel.MEDIUM: "warn", RiskLevel.HIGH: "alert"}


def risk_word(level: RiskLevel) -> str:
    """A risk level as every screen says it: ``Low risk``."""
    return f"{level.value.capitalize()} risk"


FACTOR_LABELS = {
    "THIN_WALL": "Thin walls",
    "HIGH_OVERHANG": "High overhangs",
    "LONG_BRIDGE": "Long bridges",
    "SMALL_FEATURE": "Small features",
    "TIP_OVER": "Tall and narrow",
    "WARPING": "Warping likely",
    "NOT_WATERTIGHT": "Mesh not watertight",
    "NEW_PROFILE": "New profile version",
    "NEW_SLICER": "New slicer version",
    "LOW_PRINTER_CONFIDENCE": "Printer confidence: Low",
    "RECENT_FAILURES": "Recent failures",
    "SLA_TIGHT": "Tight due time",
    "LOW_SPOOL": "Spool may run out",
}


def factor_label(code: str) -> str:
    """A risk factor's label."""
    return FACTOR_LABELS.get(code, code.replace("_", " ").capitalize())


_DONE = frozenset({"closed", "fulfilled", "shipped", "packed"})
_DEAD = frozenset({"canceled", "cancelled"})
_ALERT = frozenset({"needs human", "failed", "rework"})
_GOING = frozenset(
    {"printing", "queue", "queued", "slice", "slicing", "starting", "uploading", "cooling", "reprint"}
)


def stage_role(stage: str, block: str) -> str:
    """The role that an Order's stage is shown in."""
    word = stage.lower()
    if word in _DONE:
        return "ok"
    if word in _DEAD:
        return "dim"
    if word in _ALERT:
        return "alert"
    if block:
        return "warn"
    return "info" if word in _GOING else "text"


_OBJECT_WORDS = {"Intent": "Order", "Run": "Print Attempt", "Build Plate": "Plate", "Plan": "Build Plan"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def event_words(kind: str) -> str:
    """An event's type in the words of the screen: ``RunStarted`` reads ``Print Attempt started``."""
    if kind == "PlateCleared":
        return "Bed cleared"
    words = _CAMEL.sub(" ", kind).split(" ")
    for size in (2, 1):
        head = " ".join(words[:size])
        if head in _OBJECT_WORDS and len(words) > size:
            return " ".join((_OBJECT_WORDS[head], *(word.lower() for word in words[size:])))
    return " ".join((words[0], *(word.lower() for word in words[1:])))
