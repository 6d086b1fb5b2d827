"""One honest model of a printing machine: heaters, layers and time from the real G-code, faults on demand.

Pure: every function takes the state and the machine's time in seconds, and gives the next state. Only inputs
(start, pause, …) change what time alone would not, so a state saved at its last input and advanced by the time
that passed since is the same machine: killing the process that shows it does not stop it.
"""

import math

import msgspec

from adapters.virtual_gcode import Program, StepKind
from core.contract import Heater, Phase

AMBIENT = 22.0
_TAU = {"tool": 45.0, "bed": 150.0}
_COOL_TAU = {"tool": 90.0, "bed": 400.0}
_DRIVE = {"tool": 120.0, "bed": 40.0}
_SETTLE_S = {Phase.PAUSING: 2.0, Phase.RESUMING: 2.0, Phase.CANCELLING: 4.0}
_SETTLED = {Phase.PAUSING: Phase.PAUSED, Phase.RESUMING: Phase.PRINTING, Phase.CANCELLING: Phase.CANCELLED}

NEEDS_FILE = (Phase.PREPARING, Phase.PRINTING, Phase.PAUSING, Phase.PAUSED, Phase.RESUMING)
"""Phases in which the machine reads, or will go on to read, the file that it prints."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """Faults that happen by themselves, each once, in print number `on_job` (0: in every print).

    After `error_clears_s` in error (None: never) somebody at the simulated machine clears it.
    """

    on_job: int = 1
    runout_at_layer: int | None = None
    fail_at_layer: int | None = None
    link_loss_at_layer: int | None = None
    link_loss_s: float = 60.0
    error_clears_s: float | None = None


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """State at `now` (machine seconds). `step` and `done_s` say where in the program it is."""

    now: float = 0.0
    phase: Phase = Phase.IDLE
    file: str = ""
    jobs: int = 0
    step: int = 0
    done_s: float = 0.0
    printed_s: float = 0.0
    elapsed_s: float = 0.0
    settle_s: float = 0.0
    actual: dict[str, float] = msgspec.field(default_factory=lambda: {"tool0": AMBIENT, "bed": AMBIENT})
    target: dict[str, float] = msgspec.field(default_factory=lambda: {"tool0": 0.0, "bed": 0.0})
    message: str = ""
    tripped: tuple[str, ...] = ()
    link_back_at: float = 0.0
    error_s: float = 0.0


def start(machine: Machine, file: str) -> Machine:
    """The machine as it begins to print the file; the caller has checked that it may."""
    return msgspec.structs.replace(
        machine,
        phase=Phase.PREPARING,
        file=file,
        jobs=machine.jobs + 1,
        step=0,
        done_s=0.0,
        printed_s=0.0,
        elapsed_s=0.0,
        message="",
        tripped=(),
    )


def pause(machine: Machine) -> Machine:
    """Begin to pause."""
    return _settling(machine, Phase.PAUSING)


def resume(machine: Machine) -> Machine:
    """Begin to resume; what the machine complained about counts as put right."""
    return _settling(machine, Phase.RESUMING, message="")


def cancel(machine: Machine) -> Machine:
    """Begin to cancel, or leave an error behind."""
    if machine.phase is Phase.ERROR:
        return msgspec.structs.replace(machine, phase=Phase.IDLE, message="")
    return _heaters_off(_settling(machine, Phase.CANCELLING, message=""))


def stop(machine: Machine) -> Machine:
    """Emergency stop: heaters off, error until it is cleared."""
    return fail(machine, "Stopped by emergency stop.")


def fail(machine: Machine, message: str) -> Machine:
    """The machine stops with an error and switches its heaters off."""
    return _heaters_off(msgspec.structs.replace(machine, phase=Phase.ERROR, message=message, error_s=0.0))


def set_target(machine: Machine, heater: str, target: float) -> Machine:
    """A new target in °C for a heater, which appears if it was not there yet."""
    return msgspec.structs.replace(
        machine,
        target={**machine.target, heater: target},
        actual={heater: AMBIENT, **machine.actual},
    )


def _settling(machine: Machine, phase: Phase, message: str | None = None) -> Machine:
    said = machine.message if message is None else message
    return msgspec.structs.replace(machine, phase=phase, settle_s=_SETTLE_S[phase], message=said)


def _heaters_off(machine: Machine) -> Machine:
    return msgspec.structs.replace(machine, target=dict.fromkeys(machine.target, 0.0))


def advance(machine: Machine, now: float, program: Program, faults: Faults) -> Machine:
    """The machine at `now`, having done what it does in that time; `program` is that of its file."""
    budget = now - machine.now
    while budget > 1e-9:
        machine, used = _once(machine, budget, program, faults)
        budget -= used
    return msgspec.structs.replace(machine, now=max(now, machine.now))


def _once(machine: Machine, budget: float, program: Program, faults: Faults) -> tuple[Machine, float]:
    """One stretch in which nothing changes its manner; returns the seconds it took (possibly 0, with progress)."""
    if machine.phase in _SETTLED:
        used = min(budget, machine.settle_s)
        machine = _pass(machine, used)
        left = machine.settle_s - used
        phase = machine.phase if left > 1e-9 else _SETTLED[machine.phase]
        return msgspec.structs.replace(machine, settle_s=max(left, 0.0), phase=phase), used
    if machine.phase is Phase.ERROR and faults.error_clears_s is not None:
        used = min(budget, max(faults.error_clears_s - machine.error_s, 0.0))
        machine = msgspec.structs.replace(_pass(machine, used), error_s=machine.error_s + used)
        return (cancel(machine), used) if faults.error_clears_s - machine.error_s <= 1e-9 else (machine, used)
    if machine.phase not in (Phase.PREPARING, Phase.PRINTING):
        return _pass(machine, budget), budget
    if machine.step >= len(program.steps):
        return msgspec.structs.replace(machine, phase=Phase.FINISHED), 0.0
    tripped = _trip(machine, program.steps[machine.step].layer, faults)
    if tripped is not None:
        return tripped, 0.0
    return _work(machine, budget, program)


def _work(machine: Machine, budget: float, program: Program) -> tuple[Machine, float]:
    step = program.steps[machine.step]
    following = msgspec.structs.replace(machine, step=machine.step + 1, done_s=0.0)
    if step.kind is StepKind.TARGET:
        return set_target(following, step.heater, step.target), 0.0
    if step.kind is StepKind.WAIT:
        need = time_to(step.heater, machine.actual.get(step.heater, AMBIENT), step.target)
        if need <= budget:
            reached = _pass(following, need, working=True)
            exact = {**reached.actual, step.heater: max(step.target, reached.actual.get(step.heater, 0.0))}
            return msgspec.structs.replace(reached, actual=exact), need
        return _pass(machine, budget, working=True), budget
    used = min(budget, step.seconds - machine.done_s)
    moved = _pass(machine, used, working=True)
    moved = msgspec.structs.replace(
        moved,
        printed_s=moved.printed_s + used,
        done_s=moved.done_s + used,
        phase=Phase.PRINTING if step.layer > 0 else moved.phase,
    )
    if step.seconds - moved.done_s <= 1e-9:
        moved = msgspec.structs.replace(moved, step=moved.step + 1, done_s=0.0)
    return moved, used


def _trip(machine: Machine, layer: int, faults: Faults) -> Machine | None:
    if faults.on_job not in (0, machine.jobs):
        return None

    def due(name: str, at_layer: int | None) -> bool:
        return at_layer is not None and layer >= at_layer and name not in machine.tripped

    if due("link", faults.link_loss_at_layer):
        back = machine.now + faults.link_loss_s
        return msgspec.structs.replace(machine, tripped=(*machine.tripped, "link"), link_back_at=back)
    if due("runout", faults.runout_at_layer):
        return msgspec.structs.replace(
            machine,
            tripped=(*machine.tripped, "runout"),
            phase=Phase.PAUSED,
            message=f"Filament ran out at layer {layer}.",
        )
    if due("fail", faults.fail_at_layer):
        failed = fail(machine, f"Heating failed at layer {layer}; the machine switched its heaters off.")
        return msgspec.structs.replace(failed, tripped=(*machine.tripped, "fail"))
    return None


def _pass(machine: Machine, seconds: float, working: bool = False) -> Machine:
    """Time passes: heaters follow their targets, and the clock of the print runs while it works."""
    actual = {
        name: temperature_after(name, value, machine.target.get(name, 0.0), seconds)
        for name, value in machine.actual.items()
    }
    elapsed = machine.elapsed_s + (seconds if working else 0.0)
    return msgspec.structs.replace(machine, now=machine.now + seconds, actual=actual, elapsed_s=elapsed)


def _family(heater: str) -> str:
    return "bed" if heater == "bed" else "tool"


def time_to(heater: str, actual: float, target: float) -> float:
    """Seconds until the heater reaches the target from below; 0 when it is there or hotter.

    First-order heating towards a temperature above the target, as a controller at full power does it.
    """
    if actual >= target:
        return 0.0
    final = target + _DRIVE[_family(heater)]
    return _TAU[_family(heater)] * math.log((final - actual) / (final - target))


def temperature_after(heater: str, actual: float, target: float, seconds: float) -> float:
    """The temperature in °C after `seconds` with that target; 0 means off, and nothing cools below the room."""
    floor = max(target, AMBIENT)
    if actual < target:
        final = target + _DRIVE[_family(heater)]
        return min(final - (final - actual) * math.exp(-seconds / _TAU[_family(heater)]), target)
    return floor + (actual - floor) * math.exp(-seconds / _COOL_TAU[_family(heater)])


def heaters_of(machine: Machine) -> tuple[Heater, ...]:
    """Readings, by name."""
    return tuple(
        Heater(name=name, actual=round(value, 1), target=machine.target.get(name, 0.0))
        for name, value in sorted(machine.actual.items())
    )
