"""The words between the start protocol, which decides, and the printer worker, which performs."""

import msgspec

from core.contract import Capability, RemoteFile, Reply
from core.controllers.looks import Facts, Looks, facts
from core.domain.commands import AnyCommand
from core.domain.objects import Printer, Run
from core.domain.words import RunState
from core.kernel.ports import Stamp


class Wait(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nothing to do now; `reason` is the one visible sentence why nothing starts."""

    reason: str


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Send this command to the kernel under this deterministic key."""

    command: AnyCommand
    key: str


class DoUpload(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Begin to put the attempt's G-code there, under its remote name."""

    run: Run


class DoReadBack(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask what the printer holds under the attempt's remote name."""

    run: Run


class DoWitness(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ask the printer's own record of our file for ended prints (W19)."""

    run: Run


class DoDelete(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Remove a file of ours and confirm that it is gone."""

    run_id: str
    name: str


class SendStart(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Send the one start of this attempt name."""

    run_id: str
    name: str
    nonce: str


Step = Wait | Submit | DoUpload | DoReadBack | DoWitness | DoDelete | SendStart


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """What the printer holds, beside the digest of our own file by the algorithm that the printer named
    (None where it named none, or one that we do not know)."""

    remote: RemoteFile | None
    local_digest: str | None = None


def verified(run: Run, back: ReadBack) -> bool:
    """Whether what was read back is our file: by size and digest, whichever are told, at least one of them."""
    remote = back.remote
    if remote is None or remote.name != run.remote_name:
        return False
    if remote.size is not None and remote.size != run.gcode_size:
        return False
    if remote.digest is not None and back.local_digest is not None:
        return remote.digest.lower() == back.local_digest.lower()
    return remote.size is not None


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """Failures of one repeatable thing: how many in a row, not again before `retry_ms`, and why."""

    failures: int = 0
    retry_ms: int = 0
    why: str = ""


class Memory(msgspec.Struct, kw_only=True):
    """What one printer's worker remembers in this incarnation and never from another one.

    Losing it is always safe: a fresh Memory has committed no intent, so it never sends. The fields about one
    attempt are of the remote name `name`; `enter` forgets them when the name changes.
    """

    name: str = ""
    state: RunState | None = None
    entered_ms: int = 0
    first_rows: bool = True
    fresh_claim: bool = False
    upload_begun: bool = False
    uploading: bool = False
    uploaded: bool = False
    read_back: ReadBack | None = None
    unsent: bool = False
    """The intent was committed by this incarnation, and start was not called yet."""
    sent: bool = False
    in_flight: bool = False
    reply: Reply | None = None
    """The answer to the one start, until the ledger has it."""
    witness: ReadBack | None = None
    """The printer's record of our file, read in the present state."""
    accepted: Facts | None = None
    """What the printer showed when a person settled a doubt about this attempt."""
    owed: set[str] = set()
    """Files of ours whose attempt was given back to the queue, to be removed."""
    gone: dict[str, int] = {}
    """File name to the moment (ms) when it was confirmed to be absent."""
    tries: dict[str, Try] = {}
    permits: dict[str, int] = {}
    """Permit id to the moment (ms) when this worker first knew of it."""
    noted: set[str] = set()
    """Keys of anomalies already noted."""

    def enter(self, run: Run | None, printer: Printer, looks: Looks, now_ms: int) -> None:
        """Take notice of the rows before a decision; bounded, and forgets what no longer matters."""
        name = run.remote_name if run is not None else ""
        state = run.state if run is not None else None
        if name != self.name:
            self._leave()
            self.name = name
            self.fresh_claim = not self.first_rows and state is RunState.CLAIMED
        elif self.state is RunState.NEEDS_DECISION and state in (RunState.PRINTING, RunState.PAUSED):
            self.accepted = facts(looks.evidence.obs) if looks.evidence is not None else None
        self.first_rows = False
        if state is not self.state:
            self.state = state
            self.entered_ms = now_ms
            self.witness = None
        known = printer.permit.permit_id if printer.permit is not None else None
        self.permits = {known: self.permits.get(known, now_ms)} if known is not None else {}
        if len(self.noted) > 200:
            self.noted = set()
        if len(self.gone) > 200:
            self.gone = {}

    def _leave(self) -> None:
        if self.name and self.name not in self.gone and len(self.owed) < 50:
            self.owed.add(self.name)
        self.upload_begun = self.uploading = self.uploaded = False
        self.unsent = self.sent = self.in_flight = False
        self.read_back = None
        self.reply = None
        self.accepted = None
        self.tries = {}

    def failed(self, what: str, why: str, now_ms: int) -> Try:
        """Count a failure; the next try is 2, 4, 8 … at most 60 s away."""
        failures = self.tries.get(what, Try()).failures + 1
        self.tries[what] = Try(
            failures=failures, retry_ms=now_ms + min(60_000, 1000 * 2 ** min(failures, 6)), why=why
        )
        return self.tries[what]

    def trial(self, what: str) -> Try:
        """How often `what` failed so far."""
        return self.tries.get(what, Try())


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision about one printer depends on.

    `run` is the active attempt of this printer, `leftovers` its ended attempts whose remote file may still
    be there.
    """

    printer: Printer
    run: Run | None
    leftovers: tuple[Run, ...]
    looks: Looks
    capability: Capability
    now: Stamp
    memory: Memory

    @property
    def now_ms(self) -> int:
        """Monotonic milliseconds."""
        return self.now.mono_ms

    @property
    def lag_ms(self) -> int:
        """How far apart two looks must be."""
        return int(self.capability.accept_lag_s * 1000)
