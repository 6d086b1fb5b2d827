"""The closed sets of words that the whole program uses (stored lower-case; families and factors UPPER_CASE)."""

from enum import StrEnum


class Verdict(StrEnum):
    """Outcome of a gate."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    FAIL = "fail"


class QualityTier(StrEnum):
    """What the customer expects of the surface and strength."""

    DRAFT = "draft"
    STANDARD = "standard"
    FINE = "fine"
    FUNCTIONAL = "functional"


class IntentState(StrEnum):
    """Life of an Order."""

    CREATED = "created"
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    FULFILLED = "fulfilled"
    CANCELED = "canceled"


class CancelReason(StrEnum):
    """Why an Order was canceled."""

    CUSTOMER_REQUEST = "customer_request"
    FRAUD = "fraud"
    OUT_OF_CAPACITY = "out_of_capacity"
    UNMANUFACTURABLE = "unmanufacturable"
    NONPAYMENT = "nonpayment"


class PaymentStatus(StrEnum):
    """Whether the Order is paid, as told by a person or an import."""

    NOT_REQUIRED = "not_required"
    PENDING = "pending"
    PAID = "paid"
    REFUNDED = "refunded"


class PlanState(StrEnum):
    """Life of one revision of a Build Plan."""

    DRAFT = "draft"
    APPROVED = "approved"
    SUPERSEDED = "superseded"
    VOID = "void"


class PlateState(StrEnum):
    """Life of a Plate."""

    DRAFT = "draft"
    APPROVED = "approved"
    SUPERSEDED = "superseded"
    VOID = "void"


class RunState(StrEnum):
    """Life of a Print Attempt; the states from CLAIMED to FENCING are the start protocol's own."""

    PENDING_APPROVAL = "pending_approval"
    QUEUED = "queued"
    CLAIMED = "claimed"
    UPLOADED = "uploaded"
    INTENDED = "intended"
    CONFIRMING = "confirming"
    FENCING = "fencing"
    PRINTING = "printing"
    PAUSED = "paused"
    NEEDS_DECISION = "needs_decision"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def terminal(self) -> bool:
        """Whether the attempt has ended for good."""
        return self in _TERMINAL

    @property
    def active(self) -> bool:
        """Whether the attempt owns its printer (at most one such attempt per printer)."""
        return not self.terminal and self not in (RunState.QUEUED, RunState.PENDING_APPROVAL)

    @property
    def on_screen(self) -> str:
        """The word an operator reads."""
        return _SCREEN_WORDS.get(self, self.value.replace("_", " "))


_TERMINAL = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.ABORTED})
_SCREEN_WORDS = {
    RunState.PENDING_APPROVAL: "waiting for approval",
    RunState.CLAIMED: "uploading",
    RunState.UPLOADED: "uploaded",
    RunState.INTENDED: "starting",
    RunState.CONFIRMING: "starting",
    RunState.FENCING: "start unclear",
}


class ItemResult(StrEnum):
    """What became of one physical part on a Plate."""

    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Health(StrEnum):
    """Standing of a printer; DEGRADED ends only by acknowledgement, OUT_OF_SERVICE only by hand."""

    OK = "ok"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    OUT_OF_SERVICE = "out_of_service"


class Bed(StrEnum):
    """What is known of the bed of a printer."""

    CLEAR = "clear"
    OCCUPIED = "occupied"
    UNKNOWN = "unknown"


class RiskLevel(StrEnum):
    """How likely trouble is; never a bare number."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Actor(StrEnum):
    """Who caused an event."""

    OPERATOR = "operator"
    POLICY = "policy"
    CONTROLLER = "controller"
    EXTENSION = "extension"


class DecisionOutcome(StrEnum):
    """What policy said to a governed transition."""

    ALLOW = "ALLOW"
    BLOCK = "BLOCK"
    REQUIRE_APPROVAL = "REQUIRE_APPROVAL"
