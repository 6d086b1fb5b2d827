"""The printer contract: what an adapter is, what it may say, and which calls may be repeated.

An adapter is asynchronous I/O and translation, nothing else: it holds no truth, makes no decision and
retries nothing. *Keyed* calls (observe, upload, read_back, delete, list_files, camera_still) are safe to
repeat and raise an `AdapterError` when they fail. *Unkeyed* calls (start, pause, resume, cancel,
set_temperature, send_gcode, emergency_stop) are sent exactly once by every implementation and by every
library under it; they never raise for what the printer or the network did, but return a `Reply`, which is
evidence and never proof.
"""

from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec


class AdapterError(Exception):
    """A keyed call failed; str() is a clean sentence for the operator."""


class Unreachable(AdapterError):
    """No answer: refused, timed out, or the connection broke."""


class Unauthorised(AdapterError):
    """The printer server refused our key."""


class NotPossible(AdapterError):
    """The backend cannot do this at all, or not in its present state (the message says which)."""


class ProtocolError(AdapterError):
    """The answer was too large, malformed, or not what this kind of server says."""


class Link(StrEnum):
    """State of the connection."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNAUTHORISED = "unauthorised"


class Phase(StrEnum):
    """Canonical phase of a printer, whatever the backend calls it."""

    IDLE = "idle"
    PREPARING = "preparing"
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    ERROR = "error"
    BUSY = "busy"
    OFFLINE = "offline"
    UNKNOWN = "unknown"

    @property
    def startable(self) -> bool:
        """Whether a start may be considered at all: nothing runs, nothing is paused, nothing is unclear."""
        return self in (Phase.IDLE, Phase.FINISHED, Phase.CANCELLED)

    @property
    def running(self) -> bool:
        """Whether a printer job is under way (also paused or on its way there)."""
        return self in _RUNNING


_RUNNING = frozenset(
    {
        Phase.PREPARING,
        Phase.PRINTING,
        Phase.PAUSING,
        Phase.PAUSED,
        Phase.RESUMING,
        Phase.CANCELLING,
    }
)


class PrinterJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the printer says it works on, or last worked on. Times in seconds, progress in 0..1.

    `job_id` is the printer's own identifier for this execution, or None where the backend has none.
    `complete_evidence` is the backend's positive proof of a full end (OctoPrint: a print time and 100 %).
    """

    remote_file: str = ""
    job_id: str | None = None
    started_at: float | None = None
    progress: float | None = None
    layer: int | None = None
    layers: int | None = None
    elapsed_s: float | None = None
    remaining_s: float | None = None
    complete_evidence: bool = False


class Heater(msgspec.Struct, frozen=True, kw_only=True):
    """A heater's reading in °C; `target` is None where the backend does not tell."""

    name: str
    actual: float
    target: float | None = None


class BootSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one power-on or server session from another, and one finished job from the next.

    Two equal signatures mean: nothing has been started, by anybody, between the two observations, as far as
    this backend can tell. `boot` is '' where the backend has nothing of the kind.
    """

    boot: str = ""
    last_name: str = ""
    job_counter: int | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a printer.

    `full` is True when every field was read by request and response since the present connection began;
    anything else is only a hint. `seen_at` is monotonic seconds of the site's clock. `raw` is a bounded,
    cleaned excerpt for evidence, without secrets.
    """

    seen_at: float
    link: Link
    phase: Phase
    full: bool
    printer_job: PrinterJob = PrinterJob()
    heaters: tuple[Heater, ...] = ()
    boot: BootSignature = BootSignature()
    messages: tuple[str, ...] = ()
    raw: str = ""


class ReplyKind(StrEnum):
    """How an unkeyed call was answered."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_REPLY = "no_reply"
    NOT_SENT = "not_sent"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to an unkeyed call; NOT_SENT only when provably no byte left this machine."""

    kind: ReplyKind
    detail: str = ""


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the printer's server holds it; `digest` is ``algorithm:hex`` where the backend offers one.

    `successes` and `failures` count the ended prints of this very file, where the backend records them (None
    where it does not): the witness for a print that ended, and was overwritten on the printer, while we were away.
    """

    name: str
    size: int | None = None
    digest: str | None = None
    successes: int | None = None
    failures: int | None = None


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend can do. `accept_lag_s`: how long an accepted start may stay invisible in polls before the
    second look counts; `grace_s`: after that long without a trace of our start, the fence is due."""

    adapter: str
    hash_algorithm: str | None = None
    job_id: bool = False
    history: bool = False
    job_counter: bool = False
    pause: bool = True
    cancel: bool = True
    skip_object: bool = False
    camera: bool = False
    send_gcode: bool = False
    set_temperature: bool = False
    emergency_stop: bool = False
    simulated: bool = False
    accept_lag_s: float = 2.0
    grace_s: float = 20.0
    poll_s: float = 1.0


ProgressFn = Callable[[int, int], None]
"""Called with (bytes sent, bytes in all) during an upload; must return at once."""


class Adapter(Protocol):
    """One printer behind its backend. All methods run on the fleet thread's event loop."""

    @property
    def capability(self) -> Capability:
        """What this backend can do, known without a connection."""
        ...

    async def observe(self) -> Observation:
        """A full look by request and response. Never raises for an unreachable or refusing printer: that is
        an observation too (link OFFLINE or UNAUTHORISED). Bounded by 5 s."""
        ...

    def hints(self) -> AsyncIterator[Observation]:
        """Pushed observations where the backend has them; ends when the link breaks."""
        ...

    async def upload(self, name: str, source: Path, sha256: str, progress: ProgressFn | None = None) -> None:
        """Keyed. Put a file there under exactly this name; never selects, never prints it."""
        ...

    async def read_back(self, name: str) -> RemoteFile | None:
        """Keyed. The file as the server holds it, or None if it has none of that name."""
        ...

    async def delete(self, name: str) -> None:
        """Keyed. Remove the file; success also when it was not there."""
        ...

    async def list_files(self) -> tuple[RemoteFile, ...]:
        """Keyed. At most 2,000 files."""
        ...

    async def camera_still(self) -> bytes:
        """Keyed. A JPEG or PNG of at most 10 MB; NotPossible where there is no camera."""
        ...

    async def start(self, name: str, token: str) -> Reply:
        """Unkeyed. Start the uploaded file; `token` is the attempt's nonce for backends that can carry one."""
        ...

    async def pause(self) -> Reply:
        """Unkeyed."""
        ...

    async def resume(self) -> Reply:
        """Unkeyed."""
        ...

    async def cancel(self) -> Reply:
        """Unkeyed."""
        ...

    async def set_temperature(self, heater: str, target: float) -> Reply:
        """Unkeyed. °C; limits are the kernel's, checked before this is called."""
        ...

    async def send_gcode(self, lines: tuple[str, ...]) -> Reply:
        """Unkeyed. Validated lines, at most 100."""
        ...

    async def emergency_stop(self) -> Reply:
        """Unkeyed."""
        ...

    async def close(self) -> None:
        """Give up connections; the adapter is not used again."""
        ...


class PrinterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach one printer (site.yaml); `secret` comes from secrets.yaml and is never logged or stored."""

    printer_id: str
    name: str
    adapter: str
    address: str = ""
    model_id: str = "generic_220"
    secret: str = ""
    options: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"PrinterConfig({self.printer_id!r}, {self.adapter!r}, {self.address!r})"


class SiteClock(Protocol):
    """Injected time, so that adapters and controllers run under virtual time in tests."""

    def monotonic(self) -> float:
        """Seconds that never go back; the base of all deadlines."""
        ...

    def wall(self) -> float:
        """Unix time in seconds; may jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait in this clock's time."""
        ...
