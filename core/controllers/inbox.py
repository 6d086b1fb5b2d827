"""The hot folder: looks, claims what is complete, and hands one claimed drop after the other to ingest.

Two threads: one looks (so that a mount that comes and goes is noticed at any time), one claims, reads and
calls back (so that two hundred files are one queue). Notifications only wake the looker; what counts is
what a look shows, so the program works the same on shares that send none.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
from watchfiles import watch

from core.domain.findings import Finding
from core.domain.text import clean
from core.ingest import keeping
from core.ingest.claim import CantTake, Claim, Claims, StillOpen, load
from core.ingest.content import ClaimedDrop, ClaimedFile, StillChanging, read_claim
from core.ingest.facts import PartFacts
from core.ingest.listing import list_inbox
from core.ingest.stability import SETTLE_MS, Dropped, Memory, Waiting, look

__all__ = ["ClaimedDrop", "ClaimedFile", "InboxState", "InboxStatus", "InboxWatcher"]

_LOG = logging.getLogger(__name__)
_RETRY_MS = (2_000, 10_000, 60_000, 300_000)
_STUCK_RETRY_MS = 10_000
_REWATCH_MS = 60_000
SETTLING_MS = 5_000
"""For this long after its last change a drop is looked at twice per settle time; later only now and then."""


class InboxState(StrEnum):
    """How the inbox is being watched."""

    STARTING = "starting"
    WATCHING = "watching"
    POLLING = "polling"
    MISSING = "missing"
    STOPPED = "stopped"


class InboxStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the screen shows of the inbox. Names are cleaned. `done` of `total` counts the running batch."""

    state: InboxState = InboxState.STARTING
    says: str = ""
    current: str = ""
    queued: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    done: int = 0
    total: int = 0


class InboxWatcher:
    """Watches one inbox. `on_claimed` runs on the watcher's own thread, for one drop at a time; it must end
    with `finish_accepted` or `finish_rejected`. When it raises, the claim stays and is offered again later.

    `settle_ms` is how long a file must be unchanged; `on_status` is called after changes, from any thread.
    """

    def __init__(
        self,
        *,
        site: Path,
        inbox: Path,
        on_claimed: Callable[[ClaimedDrop], None],
        new_id: Callable[[], str],
        materials: Collection[str] = (),
        lanes: Mapping[str, PartFacts] | None = None,
        on_status: Callable[[InboxStatus], None] | None = None,
        wall: Callable[[], float] = time.time,
        mono: Callable[[], float] = time.monotonic,
        settle_ms: int = SETTLE_MS,
    ) -> None:
        self._site = site
        self._inbox = inbox
        self._on_claimed = on_claimed
        self._materials = materials
        self._lanes = dict(lanes or {})
        self._on_status = on_status
        self._mono = mono
        self._settle_ms = settle_ms
        self._claims = Claims(site=site, inbox=inbox, new_id=new_id, wall=wall)
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._ready: list[Dropped] = []
        self._later: list[tuple[int, int, Claim]] = []
        self._held: set[tuple[str, str]] = set()
        self._taking: tuple[str, str] | None = None
        self._stuck: dict[tuple[str, str], tuple[int, str]] = {}
        self._failed: dict[str, Waiting] = {}
        self._memory: Memory = {}
        self._watch_fails = False
        self._settling = False
        self._status = InboxStatus()
        self._threads = [
            threading.Thread(target=self._look_forever, name="inbox-look", daemon=True),
            threading.Thread(target=self._take_forever, name="inbox-take", daemon=True),
        ]

    def start(self) -> None:
        """Pick up what a crash left in `claimed/`, then watch."""
        for claim in self._claims.left_over():
            self._later.append((0, 0, claim))
            if claim.source_key is not None:
                self._held.add(claim.source_key)
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 2.0) -> bool:
        """End both threads; False when a callback was still at work after `timeout` seconds."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        ends = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, ends - time.monotonic()))
        self._say(state=InboxState.STOPPED, says="")
        return not any(thread.is_alive() for thread in self._threads)

    def status(self) -> InboxStatus:
        """The newest status."""
        return self._status

    def finish_accepted(self, claimed: ClaimedDrop, order_dir_name: str) -> str:
        """Move an accepted drop to `accepted/<order_dir_name>/`; answers its path relative to the site.

        Call it after the Order was committed; calling it again after a restart does no harm.
        """
        kept_at = keeping.keep_accepted(self._site, _as_noted(claimed), order_dir_name)
        self._let_go(claimed.claim)
        return kept_at

    def reserve_rejected(self, claimed: ClaimedDrop) -> str:
        """Where a refusal is going to be kept: for the command that is committed before anything moves."""
        return keeping.reserve_rejected(self._site, _as_noted(claimed)).kept_at

    def finish_rejected(self, claimed: ClaimedDrop, findings: tuple[Finding, ...]) -> str:
        """Move a refused drop to `rejected/` with its `.reason.txt`; answers its path relative to the site."""
        kept_at = keeping.keep_rejected(self._site, _as_noted(claimed), findings)
        self._let_go(claimed.claim)
        return kept_at

    # --- looking -------------------------------------------------------------------------------------------

    def _look_forever(self) -> None:
        first: tuple[int, int] | None = None
        while not self._stop.is_set():
            try:
                identity = self._identity()
                first = first or identity
                with contextlib.closing(self._wakes()) as wakes:
                    for state in wakes:
                        self._look(state, "" if identity == first else _REPLACED)
                        # while something settles, look at its pace; else only when a change wakes us
                        while self._settling and not self._stop.wait(self._settle_ms / 2_000):
                            self._look(state, "" if identity == first else _REPLACED)
                        if self._identity() != identity:
                            break
            except OSError as error:
                self._memory = {}
                self._say(state=InboxState.MISSING, says=self._missing(error))
                self._stop.wait(1.0)

    def _wakes(self) -> Generator[InboxState, None, None]:
        """Yields when it is time to look: at once, on each change, and every half settle time."""
        pause = max(0.05, min(1.0, self._settle_ms / 800))
        yield InboxState.POLLING if self._watch_fails else InboxState.WATCHING
        try:
            for _ in watch(
                self._inbox,
                watch_filter=None,
                debounce=200,
                step=100,  # a change is answered after one quiet step
                stop_event=self._stop,
                rust_timeout=int(pause * 1_000),
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                self._watch_fails = False
                yield InboxState.WATCHING
        except (OSError, RuntimeError) as error:  # inotify limits, filesystems without notifications
            if not self._watch_fails:
                _LOG.warning("no change notifications for the inbox, looking every second: %s", error)
            self._watch_fails = True
        ends = self._mono() + _REWATCH_MS / 1_000
        while not self._stop.wait(pause) and self._mono() < ends:
            yield InboxState.POLLING

    def _look(self, state: InboxState, note: str) -> None:
        listing = list_inbox(self._inbox, self._lanes)
        now = self._now()
        looked = look(self._memory, listing, now, self._settle_ms)
        self._memory = looked.memory
        self._settling = any(now - seen.since_ms < SETTLING_MS for seen in looked.memory.values())
        with self._changed:
            there = {dropped.key for dropped in listing}
            self._stuck = {key: stuck for key, stuck in self._stuck.items() if key in there}
            ready = [d for d in looked.ready if d.key not in self._held and d.key != self._taking]
            stuck = [d for d in ready if self._stuck.get(d.key, (0, ""))[0] > now]
            self._ready = [d for d in ready if d not in stuck]
            self._changed.notify_all()
            failed = tuple(self._failed.values())
            blocked = tuple(
                Waiting(clean(d.name), clean(d.lane), self._stuck[d.key][1], looked.memory[d.key].since_ms)
                for d in stuck
            )
        waiting = tuple(Waiting(clean(w.name), clean(w.lane), w.why, w.since_ms) for w in looked.waiting)
        self._say(state=state, says=note or _STATE_SAYS.get(state, ""), waiting=failed + blocked + waiting)

    def _identity(self) -> tuple[int, int]:
        status = self._inbox.stat()
        return (status.st_dev, status.st_ino)

    def _missing(self, error: OSError) -> str:
        return (
            f"The inbox {clean(str(self._inbox))} can't be read ({clean(error.strerror or str(error), 80)}). "
            "Nothing dropped there is seen until it is back. Mount the share, or create the folder."
        )

    # --- taking --------------------------------------------------------------------------------------------

    def _take_forever(self) -> None:
        while not self._stop.is_set():
            with self._changed:
                next_one = self._next()
                queued = tuple(clean(dropped.name) for dropped in self._ready)
            if next_one is None:
                self._say(current="", queued=(), done=0, total=0)
                with self._changed:
                    if not self._ready and not self._stop.is_set():
                        self._changed.wait(0.5)
                continue
            attempt, what = next_one
            done = self._status.done
            self._say(current=clean(_name_of(what)), queued=queued, total=done + 1 + len(queued))
            if self._process(attempt, what):
                self._say(done=done + 1)

    def _next(self) -> "tuple[int, Claim | Dropped] | None":
        """The next thing to do; claims of a former life first. Called with the lock held."""
        now = self._now()
        for index, (due, attempt, claim) in enumerate(self._later):
            if due <= now:
                del self._later[index]
                return attempt, claim
        self._taking = self._ready[0].key if self._ready else None
        return (0, self._ready.pop(0)) if self._ready else None

    def _process(self, attempt: int, what: "Claim | Dropped") -> bool:
        """Take one drop its whole way; False when it could not be taken, or not yet."""
        claim: Claim | None = None
        try:
            claim = load(what.folder) if isinstance(what, Claim) else self._claims.take(what)
            if claim is None:
                return False
            if claim.source_key is not None:
                with self._changed:
                    self._held.add(claim.source_key)
                    self._ready = [dropped for dropped in self._ready if dropped.key != claim.source_key]
            self._on_claimed(read_claim(claim, materials=self._materials, lanes=self._lanes))
        except CantTake as error:
            wait = self._settle_ms if isinstance(error, StillOpen) else _STUCK_RETRY_MS
            if isinstance(what, Dropped):
                with self._changed:
                    self._stuck[what.key] = (self._now() + wait, str(error))
        except StillChanging:
            self._again(claim, 0)
        except Exception as error:  # noqa: BLE001 - outermost loop of the worker: one bad drop must not end the queue
            _LOG.exception("a drop could not be processed; it stays in claimed/ and is tried again")
            self._again(claim, attempt)
            self._note_failure(claim, error)
        else:
            with self._changed:
                self._failed.pop(claim.drop_id, None)
            return True
        return False

    def _again(self, claim: Claim | None, attempt: int) -> None:
        if claim is not None and os.path.lexists(claim.path):
            wait = _RETRY_MS[min(attempt, len(_RETRY_MS) - 1)]
            with self._changed:
                self._later.append((self._now() + wait, attempt + 1, claim))

    def _note_failure(self, claim: Claim | None, error: Exception) -> None:
        """Keep why a claim was not taken in, for the screen."""
        if claim is None:
            return
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
        why = f"it could not be taken in ({clean(reason, 100)}); it is kept in claimed/ and tried again"
        with self._changed:
            since = self._failed[claim.drop_id].since_ms if claim.drop_id in self._failed else self._now()
            self._failed[claim.drop_id] = Waiting(clean(claim.path.name), clean(claim.lane), why, since)

    def _let_go(self, claim: Claim) -> None:
        if claim.source_key is not None:
            with self._changed:
                self._held.discard(claim.source_key)

    # --- status --------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self._mono() * 1_000)

    def _say(self, **changes: object) -> None:
        with self._changed:
            newer = msgspec.structs.replace(self._status, **changes)
            same = newer == self._status
            self._status = newer
        if same:
            return
        if self._on_status is not None:
            self._on_status(newer)


_REPLACED = (
    "The inbox folder is not the one that was there at the start: a network share may have come off. "
    "What lies there now is watched."
)
_STATE_SAYS = {
    InboxState.POLLING: "The inbox sends no change notifications; Kiln looks every second instead.",
}


def _as_noted(claimed: ClaimedDrop) -> Claim:
    """The claim as its note on disk has it now: with the place that was reserved since it was read."""
    return load(claimed.claim.folder) or claimed.claim


def _name_of(what: "Claim | Dropped") -> str:
    return what.path.name if isinstance(what, Claim) else what.name
