"""What the printers show right now: the latest look of each, its age, and why nothing starts. Not part of the
ledger; lives and dies with the process. Safe from any thread."""

import threading
from collections import deque
from collections.abc import Callable

import msgspec

from core.contract import Capability, Link, Observation

HISTORY = 900
"""Temperature samples kept per printer (half an hour at one in two seconds)."""
HISTORY_STEP_S = 2.0


class Sample(msgspec.Struct, frozen=True):
    """Temperatures of one moment: monotonic seconds and °C by heater name."""

    at: float
    actual: tuple[tuple[str, float], ...]


class LivePrinter(msgspec.Struct, frozen=True, kw_only=True):
    """One printer's live state. `answered_at` is when it last gave a full answer (monotonic seconds of the
    site's clock), `upload` a fraction, `block` the one reason why nothing starts; until `hold_until` nothing
    should be given to it because of `hold_reason`."""

    observation: Observation | None = None
    capability: Capability | None = None
    answered_at: float | None = None
    upload: float | None = None
    block: str = ""
    hold_until: float = 0.0
    hold_reason: str = ""

    def age_s(self, now: float) -> float | None:
        """Seconds since it last gave a full answer; None before the first."""
        return None if self.answered_at is None else max(0.0, now - self.answered_at)


class LiveStore:
    """The live states of all printers, with a revision that grows at every visible change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._printers: dict[str, LivePrinter] = {}
        self._history: dict[str, deque[Sample]] = {}
        self._run_blocks: dict[str, str] = {}
        self._revision = 0
        self._callbacks: tuple[Callable[[], None], ...] = ()

    @property
    def revision(self) -> int:
        """Grows whenever anything here changed."""
        return self._revision

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change, from the thread that made it (it must return at once); answers
        an unsubscriber."""
        with self._lock:
            self._callbacks = (*self._callbacks, callback)

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks = tuple(c for c in self._callbacks if c is not callback)

        return unsubscribe

    def get(self, printer_id: str) -> LivePrinter:
        """The live state of a printer; empty if it was never looked at."""
        with self._lock:
            return self._printers.get(printer_id, LivePrinter())

    def all(self) -> dict[str, LivePrinter]:
        """A copy of everything, by printer."""
        with self._lock:
            return dict(self._printers)

    def history(self, printer_id: str) -> tuple[Sample, ...]:
        """Temperatures, oldest first; at most `HISTORY` samples."""
        with self._lock:
            return tuple(self._history.get(printer_id, ()))

    def run_blocks(self) -> dict[str, str]:
        """Why each queued attempt does not start yet."""
        with self._lock:
            return dict(self._run_blocks)

    def saw(self, printer_id: str, observation: Observation) -> None:
        """Take in a look."""
        with self._lock:
            before = self._printers.get(printer_id, LivePrinter())
            answered = observation.full and observation.link is Link.ONLINE
            self._printers[printer_id] = msgspec.structs.replace(
                before,
                observation=observation,
                answered_at=observation.seen_at if answered else before.answered_at,
            )
            if observation.heaters:
                self._sample(printer_id, observation)
        self._changed()

    def _sample(self, printer_id: str, observation: Observation) -> None:
        kept = self._history.setdefault(printer_id, deque(maxlen=HISTORY))
        if not kept or observation.seen_at - kept[-1].at >= HISTORY_STEP_S:
            readings = tuple((heater.name, heater.actual) for heater in observation.heaters)
            kept.append(Sample(observation.seen_at, readings))

    def set_capability(self, printer_id: str, capability: Capability) -> None:
        """What the backend can do."""
        self._update(printer_id, capability=capability)

    def set_block(self, printer_id: str, reason: str) -> None:
        """Why nothing starts there, '' for no reason."""
        self._update(printer_id, block=reason)

    def set_upload(self, printer_id: str, fraction: float | None) -> None:
        """How far an upload is (0..1), None when there is none."""
        self._update(printer_id, upload=fraction)

    def hold(self, printer_id: str, until: float, reason: str) -> None:
        """Give this printer nothing until then (monotonic seconds of the site's clock)."""
        self._update(printer_id, hold_until=until, hold_reason=reason)

    def set_run_blocks(self, blocks: dict[str, str]) -> None:
        """Why each queued attempt does not start yet; replaces what was said before."""
        with self._lock:
            if blocks == self._run_blocks:
                return
            self._run_blocks = dict(blocks)
        self._changed()

    def forget(self, printer_id: str) -> None:
        """The printer was removed."""
        with self._lock:
            known = self._printers.pop(printer_id, None)
            self._history.pop(printer_id, None)
        if known is not None:
            self._changed()

    def _update(self, printer_id: str, **fields: object) -> None:
        with self._lock:
            before = self._printers.get(printer_id, LivePrinter())
            after = msgspec.structs.replace(before, **fields)
            if after == before:
                return
            self._printers[printer_id] = after
        self._changed()

    def _changed(self) -> None:
        with self._lock:
            self._revision += 1
            callbacks = self._callbacks
        for callback in callbacks:
            callback()
