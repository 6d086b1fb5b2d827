"""Triage cards of Print Attempts: one function per state an attempt can be in."""

from core.client.views import Card
from core.contract import Observation
from core.domain.objects import Run
from core.domain.reasons import FAMILY_OF, Family
from core.domain.words import RunState
from core.views import actions as act
from core.views.end_cards import ended_card
from core.views.inputs import Facts
from core.views.run_row import abort_of, capability_of, live_of, run_row
from core.views.start_cards import on_the_way_card, queued_card, starting_card
from core.views.starting import Place
from core.views.trust import doubt_of, is_ours
from core.views.words import age, duration, percent, phase_word, sentence, short_duration

_STARTING = (RunState.INTENDED, RunState.CONFIRMING, RunState.FENCING)


def run_card(run: Run, facts: Facts, place: Place | None) -> Card | None:
    """The card of an attempt; None for one that ended with nothing left to say or do (its outcomes are in and
    nothing has to be made again, or its Orders are closed). `place` is where a queued attempt would go."""
    if run.state is RunState.PENDING_APPROVAL:
        return _parked(run, facts)
    if run.state is RunState.QUEUED:
        return queued_card(run, facts, place)
    if run.state is RunState.NEEDS_DECISION:
        return _undecided(run, facts)
    if run.state.terminal:
        return ended_card(run, facts)
    doubt = doubt_of(run, facts)
    if doubt is not None:
        return run_row(
            run,
            facts,
            section="attention",
            severity="alert",
            tag=doubt.tag,
            brief=doubt.brief,
            text=doubt.sentence,
            because=doubt.because,
            actions=(act.primary(act.refresh()), abort_of(run, facts)),
        )
    if run.state is RunState.PAUSED:
        return _paused(run, facts)
    if run.state is RunState.PRINTING:
        return _printing(run, facts)
    if run.state in _STARTING:
        return starting_card(run, facts)
    return on_the_way_card(run, facts)


def _parked(run: Run, facts: Facts) -> Card:
    reasons = tuple(part.strip() for part in run.question.split(";") if part.strip())
    first = sentence(reasons[0]) if reasons else "The policy of this site asks for it."
    return run_row(
        run,
        facts,
        section="attention",
        severity="warn",
        tag="APPROVE",
        brief="policy asks",
        text=f"This attempt waits for your approval. {first}",
        because=tuple(sentence(r) for r in reasons[1:]),
        actions=(act.primary(act.approve_run(run)), abort_of(run, facts)),
    )


def _undecided(run: Run, facts: Facts) -> Card:
    live = live_of(run, facts)
    return run_row(
        run,
        facts,
        section="attention",
        severity="alert",
        tag="NEEDS DECISION",
        brief="what happened?",
        text=run.question or "Kiln cannot tell what became of this attempt. Look at the printer, then say.",
        because=_printer_says(run, live, facts),
        actions=(act.primary(act.refresh()), *act.resolve(run, live)),
    )


def _paused(run: Run, facts: Facts) -> Card:
    live = live_of(run, facts)
    messages = live.messages if live is not None else ()
    said = messages[-1] if messages else run.reason_text
    plate = facts.plates.get(run.plate_id)
    needed = facts.material_of(plate) if plate is not None else None
    because: tuple[str, ...]
    if FAMILY_OF.get(run.reason) is Family.MATERIAL or _is_runout(said):
        brief = "runout"
        spool = f"a new spool of {needed}" if needed else "a new spool"
        text = f"Filament ran out. Load {spool}, purge until the colour is clean, then resume."
        because = (f"The printer says: {sentence(said)}",) if said else ()
    elif said:
        brief = "paused"
        text = f"Paused. The printer says: {sentence(said)}"
        because = ("Put right what it asks for, then resume.",)
    else:
        brief = "paused"
        asked = [e.text for e in run.evidence if e.text.startswith("pause requested")]
        text = "Paused from here." if asked else "The printer paused and did not say why."
        because = tuple(sentence(a) for a in asked[-1:]) or ("Look at it before you resume.",)
    return run_row(
        run,
        facts,
        section="attention",
        severity="warn",
        tag="PAUSED",
        brief=brief,
        text=text,
        because=because,
        actions=(act.primary(act.resume(run, live)), abort_of(run, facts)),
        observed=live,
    )


def _printing(run: Run, facts: Facts) -> Card:
    live = live_of(run, facts)
    actions = (act.pause(run, capability_of(run, facts), live), abort_of(run, facts))
    if live is None:
        return run_row(
            run,
            facts,
            section="running",
            severity="info",
            tag="PRINTING",
            brief="not seen yet",
            text="Kiln has not looked at this printer yet since it started.",
            actions=(act.primary(act.refresh()), *actions),
        )
    seen = live.printer_job
    told = [f"{percent(seen.progress)} done" if seen.progress is not None else "progress unknown"]
    told.append(
        f"{duration(seen.remaining_s)} of print time left"
        if seen.remaining_s is not None
        else "time left unknown"
    )
    text = sentence(", ".join(told))
    if not live.phase.running:
        text = f"The printer says: {phase_word(live.phase)}. Kiln is taking that down."
    elif live.phase.value != "printing":
        text = f"{phase_word(live.phase)}. {text}"
    if seen.layer is not None:
        text += f" Layer {seen.layer}" + (f" of {seen.layers}." if seen.layers else ".")
    short = [f"{int(seen.progress * 100)}%"] if seen.progress is not None else []
    short += [short_duration(seen.remaining_s)] if seen.remaining_s is not None else []
    return run_row(
        run,
        facts,
        section="running",
        severity="info",
        tag="PRINTING",
        brief=" ".join(short) or phase_word(live.phase).lower(),
        text=text,
        because=_material_line(run, facts),
        actions=(act.goto("Show printer"), *actions),
        observed=live,
    )


def _printer_says(run: Run, live: Observation | None, facts: Facts) -> tuple[str, ...]:
    if live is None:
        return ("The printer has not been looked at yet.",)
    seen = age(facts.inputs.mono - live.seen_at)
    name = live.printer_job.remote_file
    file = f", {'this attempt' if is_ours(run, live) else name}" if name else ""
    return (f"The printer says: {phase_word(live.phase)}{file} ({seen}).",)


def _material_line(run: Run, facts: Facts) -> tuple[str, ...]:
    printer = facts.printers.get(run.printer_id or "")
    if printer is None or printer.material is None:
        return ("Material: nobody said what is loaded.",)
    return (f"Material: {printer.material}" + (f", {printer.color}." if printer.color else "."),)


def _is_runout(said: str) -> bool:
    low = said.casefold()
    return "runout" in low or ("filament" in low and any(w in low for w in ("out", "empty", "end", "no ")))
