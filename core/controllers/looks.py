"""What a printer showed lately, condensed to what decisions need: the newest look, since when the same facts
stand, and since when the link is down. Pushed hints never get here; polls are evidence."""

import msgspec

from core.contract import BootSignature, Link, Observation, Phase

Facts = tuple[str, str, str | None, BootSignature]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One answered or failed query. `at_ms` is the kernel clock's monotonic milliseconds when the query was
    *begun*, so that "a look after X" never counts what was already on its way."""

    at_ms: int
    obs: Observation
    hung: bool = False

    @property
    def snapshot(self) -> bool:
        """Whether it is evidence: a full read over a live link with a phase that means something (W21)."""
        return (
            self.obs.full
            and self.obs.link is Link.ONLINE
            and self.obs.phase not in (Phase.UNKNOWN, Phase.OFFLINE)
        )

    @property
    def down(self) -> bool:
        """Whether the printer cannot be reached (also: the server answers, the machine behind it does not)."""
        return self.hung or self.obs.link is not Link.ONLINE or self.obs.phase is Phase.OFFLINE


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """The looks of one connection so far. `steady_since_ms` is the beginning of the unbroken series of
    snapshots that all showed what the newest shows; None when the newest look is no snapshot."""

    latest: Look | None = None
    steady_since_ms: int | None = None
    down_since_ms: int | None = None

    def after(self, look: Look) -> "Looks":
        """These looks with one more; a look older than the newest changes nothing (invariant 16)."""
        if self.latest is not None and look.at_ms < self.latest.at_ms:
            return self
        down_since = (
            (self.down_since_ms if self.down_since_ms is not None else look.at_ms) if look.down else None
        )
        steady = None
        if look.snapshot:
            same = (
                self.steady_since_ms is not None
                and self.latest is not None
                and facts(self.latest.obs) == facts(look.obs)
            )
            steady = self.steady_since_ms if same else look.at_ms
        return Looks(latest=look, steady_since_ms=steady, down_since_ms=down_since)

    @property
    def evidence(self) -> Look | None:
        """The newest look if it is a snapshot."""
        return self.latest if self.latest is not None and self.latest.snapshot else None

    def steady_for(self, milliseconds: int) -> bool:
        """Whether two looks at least so far apart, and all between them, show the same."""
        if self.steady_since_ms is None or self.latest is None:
            return False
        return self.latest.at_ms - self.steady_since_ms >= max(milliseconds, 1)


def facts(obs: Observation) -> Facts:
    """What must not change between two looks. Progress and temperatures may; the several words for
    "nothing runs" count as one, and so do those for "something runs"."""
    job = obs.printer_job
    if obs.phase.running:
        return ("running", job.remote_file, job.job_id, obs.boot)
    if obs.phase.startable:
        return ("startable", job.remote_file, None, obs.boot)
    return (obs.phase.value, job.remote_file, None, obs.boot)
