"""Pause, resume and cancel: each asked for by a committed transition, sent at most once, only while the printer
demonstrably runs our print, and never for a wish of a former life of the core."""

import asyncio
from collections.abc import Iterator

from core.contract import Adapter, Phase, Reply, ReplyKind
from core.controllers.evidence import has_our_name, other_execution
from core.controllers.looks import Looks
from core.domain.commands import NoteAnomaly, SetAsideEffect
from core.domain.objects import Run
from core.domain.text import clean
from core.domain.words import RunState
from core.kernel.ports import Effect

KINDS = ("pause", "resume", "cancel")
GIVE_UP_MS = 30_000
"""A wish that could not be sent for so long is given up, so that it does not surprise anybody later."""
CALL_S = 60.0
FRESH_MS = 6_000

_FROM = {
    "pause": (Phase.PREPARING, Phase.PRINTING, Phase.RESUMING),
    "resume": (Phase.PAUSED, Phase.PAUSING),
    "cancel": (Phase.PREPARING, Phase.PRINTING, Phase.PAUSING, Phase.PAUSED, Phase.RESUMING),
}
_WINDOW = (RunState.INTENDED, RunState.CONFIRMING, RunState.FENCING)


class Controls:
    """The wishes for one printer. `answered` outlives this object: an effect in it is never performed again."""

    def __init__(self, adapter: Adapter, answered: dict[str, str], incarnation: str) -> None:
        self.adapter = adapter
        self.answered = answered
        self.incarnation = incarnation
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._first_seen: dict[str, int] = {}

    def next_answers(
        self, effects: tuple[Effect, ...], run: Run | None, looks: Looks, now_ms: int, wake: asyncio.Event
    ) -> Iterator[tuple[SetAsideEffect, NoteAnomaly | None]]:
        """Send what can be sent now; answers the commands that set settled wishes aside, with a note for the
        person whose wish was not carried out."""
        self._collect()
        for effect in effects:
            verdict = self._verdict(effect, run, looks, now_ms)
            if verdict is None:
                continue
            if verdict == "send":
                # Written down before the call, so that nothing can lead to a second one.
                self.answered[effect.effect_id] = "sent, not answered"
                task = asyncio.get_running_loop().create_task(self._call(effect, wake))
                self.tasks[effect.effect_id] = task
                continue
            self.answered[effect.effect_id] = verdict
            note = None
            if not verdict.startswith("accepted"):
                text = f"{effect.kind} as asked for: {verdict}"
                note = NoteAnomaly(subject_kind="run", subject_id=effect.subject_id, text=text)
            yield SetAsideEffect(effect_id=effect.effect_id, result=verdict), note

    def _verdict(self, effect: Effect, run: Run | None, looks: Looks, now_ms: int) -> str | None:
        """``send``, a result to settle it with, or None to wait."""
        if effect.effect_id in self.tasks:
            return None
        if effect.effect_id in self.answered:
            return self.answered[effect.effect_id]
        if run is not None and run.run_id == effect.subject_id and run.state in _WINDOW:
            # Either it is seen printing soon, or it never started and the fleet ends it then.
            return None
        if effect.incarnation != self.incarnation:
            return "lost with restart"
        if run is None or run.run_id != effect.subject_id:
            return "the attempt is not on this printer any more"
        if self._sendable(effect, run, looks, now_ms):
            return "send"
        waited = now_ms - self._first_seen.setdefault(effect.effect_id, now_ms)
        return "not sent: the printer did not show this print" if waited >= GIVE_UP_MS else None

    def _sendable(self, effect: Effect, run: Run, looks: Looks, now_ms: int) -> bool:
        """Whether a fresh look shows our print in a phase that this wish makes sense in."""
        look = looks.evidence
        return (
            look is not None
            and now_ms - look.at_ms <= FRESH_MS
            and run.state in (RunState.PRINTING, RunState.PAUSED)
            and has_our_name(run, look.obs)
            and not other_execution(run, look.obs)
            and look.obs.phase in _FROM[effect.kind]
        )

    async def _call(self, effect: Effect, wake: asyncio.Event) -> None:
        call = {"pause": self.adapter.pause, "resume": self.adapter.resume, "cancel": self.adapter.cancel}
        try:
            async with asyncio.timeout(CALL_S):
                reply = await call[effect.kind]()
        except TimeoutError:
            reply = Reply(kind=ReplyKind.NO_REPLY, detail=f"no answer within {CALL_S:.0f} s")
        said = reply.kind.value.replace("_", " ")
        self.answered[effect.effect_id] = clean(f"{said}: {reply.detail}" if reply.detail else said)
        wake.set()

    def _collect(self) -> None:
        """Forget calls that ended; one that raised is the adapter's bug and ends its life."""
        for effect_id, task in list(self.tasks.items()):
            if task.done():
                del self.tasks[effect_id]
                if not task.cancelled():
                    task.result()
