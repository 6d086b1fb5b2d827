"""Whether what the ledger thinks of an attempt still agrees with what its printer says, and how old that is."""

import msgspec

from core.contract import Link, Observation, Phase
from core.domain.objects import Run
from core.domain.words import RunState
from core.views.inputs import Facts
from core.views.words import age, clock, duration, percent, phase_word, short_duration, state_word

SILENT_S = 10.0
"""A printer that was not seen for this long counts as silent (polls come every second or so), and is given nothing
to print (`core.controllers.dispatch.FRESH_S`)."""

_OVER = (Phase.FINISHED, Phase.CANCELLED, Phase.ERROR)


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Why what the ledger says of an attempt may not be so; `tag` is the word of its card."""

    tag: str
    brief: str
    sentence: str
    because: tuple[str, ...] = ()


def live_age(printer_id: str, facts: Facts) -> float | None:
    """Seconds since the newest look at a printer, whatever it showed; None before the first."""
    live = facts.inputs.live.get(printer_id)
    return None if live is None else max(0.0, facts.inputs.mono - live.seen_at)


def silence(printer_id: str, facts: Facts) -> float | None:
    """Seconds since the printer itself last answered; None where it never did in this life of the core."""
    heard = facts.inputs.heard.get(printer_id)
    return None if heard is None else max(0.0, facts.inputs.mono - heard.seen_at)


def is_ours(run: Run, observed: Observation) -> bool | None:
    """Whether the printer works on this attempt's file; None where it does not say which file."""
    remote = observed.printer_job.remote_file
    if not remote or not run.remote_name:
        return None
    return (
        remote.replace("\\", "/").rsplit("/", 1)[-1].casefold()
        == run.remote_name.rsplit("/", 1)[-1].casefold()
    )


def doubt_of(run: Run, facts: Facts) -> Doubt | None:
    """What stands against the ledger's word on an active attempt, or None when the two agree (or no look was
    taken yet since the core started and the printer is not known to be away)."""
    if run.printer_id is None:
        return None
    live = facts.inputs.live.get(run.printer_id)
    if live is None:
        return None
    if live.link is Link.UNAUTHORISED:
        return Doubt(
            tag="NO ACCESS",
            brief="key refused",
            sentence=f"{facts.printer_name(run.printer_id)} refuses Kiln's key, so nobody watches this print. "
            "Put the right key in place.",
            because=_thought(run, facts),
        )
    age_s = max(0.0, facts.inputs.mono - live.seen_at)
    if live.link is Link.OFFLINE or age_s > SILENT_S:
        return _silent(run, facts)
    return _contradicted(run, live, facts)


def _silent(run: Run, facts: Facts) -> Doubt:
    printer_id = run.printer_id or ""
    quiet = silence(printer_id, facts)
    heard = facts.inputs.heard.get(printer_id)
    if quiet is None or heard is None:
        return Doubt(
            tag="OFFLINE",
            brief="no answer",
            sentence=f"This printer has not answered since Kiln started. Kiln thought: {state_word(run.state)}.",
            because=("Check its power and its network; the print may well go on.",),
        )
    stopped = f"This printer stopped reporting {age(quiet)}."
    last = f"Last poll says: {_says(heard)}."
    thought = f"Kiln thought: {state_word(run.state)}."
    brief = f"silent {short_duration(quiet)}"
    if _contradicted(run, heard, facts) is not None:
        return Doubt(
            tag="DESYNCED", brief=brief, sentence=f"{stopped} {last} {thought}", because=_thought(run, facts)
        )
    return Doubt(
        tag="OFFLINE",
        brief=brief,
        sentence=f"{stopped} {last} {thought}",
        because=("Check its power and its network; the print may well go on.",),
    )


def _contradicted(run: Run, seen: Observation, facts: Facts) -> Doubt | None:
    """A look that does not fit an attempt that is printing or paused; one that fits, or says nothing, is fine."""
    if run.state not in (RunState.PRINTING, RunState.PAUSED) or not seen.full:
        return None
    ours = is_ours(run, seen)
    if seen.phase.running:
        if ours is not False:
            return None
        return Doubt(
            tag="DESYNCED",
            brief="another file",
            sentence=f"This printer says: {_says(seen)} {seen.printer_job.remote_file}, another file. "
            f"Kiln thought: {state_word(run.state)} this attempt.",
            because=_thought(run, facts),
        )
    if seen.phase in _OVER and ours is not False:
        return None
    return Doubt(
        tag="DESYNCED",
        brief=f"says {phase_word(seen.phase).lower()}",
        sentence=f"This printer says: {_says(seen)}. Kiln thought: {state_word(run.state)}.",
        because=_thought(run, facts),
    )


def _says(seen: Observation) -> str:
    progress = seen.printer_job.progress
    word = phase_word(seen.phase)
    return f"{word}, {percent(progress)}" if seen.phase.running and progress is not None else word


def _thought(run: Run, facts: Facts) -> tuple[str, ...]:
    if run.started_at is None:
        return ()
    since = facts.wall - run.started_at
    return (f"Started {duration(since)} ago, at {clock(run.started_at, facts.inputs.utc_offset_s)}.",)
