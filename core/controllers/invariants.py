"""The last look before the one unkeyed call: the invariants of a start, checked apart from the protocol that
decided it. A tripped one stops starts on the whole fleet, not the watching."""

import threading

from core.controllers.steps import SendStart, Situation
from core.domain.words import RunState


class Brake:
    """Remembers every name that was ever sent by this process, and holds all starts once something is wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: set[str] = set()
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why nothing is started any more, '' while all is well."""
        return self._reason

    def release(self, s: Situation, step: SendStart) -> bool:
        """Whether this start may leave; at most once ever per name. False also trips the brake."""
        with self._lock:
            wrong = self._reason or _violation(s, step, step.name in self._sent)
            self._sent.add(step.name)
            self._reason = wrong
            return not wrong


def _violation(s: Situation, step: SendStart, sent_before: bool) -> str:
    """Which invariant of kernel.md this start would break, as a sentence; '' for none."""
    run, look = s.run, s.looks.evidence
    where = f"All starts are stopped: on {s.printer.name}, "
    if sent_before:
        return f"{where}{step.name} was about to be started a second time (invariant 1)."
    if run is None or run.state is not RunState.INTENDED or run.remote_name != step.name:
        return f"{where}{step.name} was about to be started without a committed intent (invariant 3)."
    if run.permit_id is None:
        return f"{where}{step.name} was about to be started without a bed-clear permit (invariant 4)."
    if look is None or not look.obs.phase.startable:
        return f"{where}{step.name} was about to be started while the printer was not known to rest (invariant 4)."
    return ""
