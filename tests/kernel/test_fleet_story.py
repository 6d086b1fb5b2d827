"""The fleet and the dispatcher on the real kernel with the simulated printer: from an approved Order to the end
of its attempts, over kills and restarts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.virtual import VirtualAdapter
from core.contract import Adapter, PrinterConfig, Reply
from core.domain import commands as cmd
from core.domain.objects import Outcome, Printer
from core.domain.words import Health, IntentState, ItemResult, RunState
from core.ledger.verify import projections, replay, verify
from tests.kernel.farm import Farm

S = RunState
SPEED = "400"


def gcode(name: str) -> bytes:
    layers = {"long": 60, "longer": 400}.get(name, 12)
    lines = ["M104 S200", "M140 S60", "M109 S200", "M190 S60", "G28", "G90", "M83"]
    for layer in range(layers):
        lines += [";LAYER_CHANGE", f";Z:{0.2 * (layer + 1):.2f}", f"G1 Z{0.2 * (layer + 1):.2f} F600"]
        lines += [f"G1 X{x} Y{y} E2 F1200" for x, y in ((60, 60), (120, 60), (120, 120), (60, 120))]
    return ("\n".join([*lines, "M104 S0", "M140 S0", "M84", f"; {name}"]) + "\n").encode()


class CountingAdapter(VirtualAdapter):
    """The simulated printer; starts that reach it are counted in `starts` of the test."""

    starts: list[str]

    async def start(self, name: str, token: str) -> Reply:
        self.starts.append(name)
        return await super().start(name, token)


def simulated(farm: Farm, printer: Printer) -> Adapter:
    options = {"time_scale": SPEED, "state_dir": str(farm.folder / printer.printer_id)}
    options |= farm.options.get(printer.printer_id, {})
    config = PrinterConfig(
        printer_id=printer.printer_id, name=printer.name, adapter="virtual", options=options
    )
    made = CountingAdapter(config, farm.clock)
    made.starts = farm.starts
    return made


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    farm = Farm(tmp_path, simulated, gcode)
    yield farm
    farm.close()


def test_an_approved_order_is_printed_and_fulfilled(farm: Farm) -> None:
    farm.add()
    intent_id = farm.order()
    run = farm.ends(intent_id)
    assert farm.starts == [run.remote_name]
    assert run.printer_job
    plate = farm.kernel.queries.plate(run.plate_id)
    assert plate is not None
    outcomes = tuple(Outcome(item_id=i.item_id, result=ItemResult.SUCCESS) for i in plate.items)
    farm.did(cmd.RecordOutcomes(run_id=run.run_id, outcomes=outcomes))
    intent = farm.kernel.queries.intent(intent_id)
    assert intent is not None
    assert intent.state is IntentState.FULFILLED


def test_six_orders_on_three_printers_wait_for_the_bed_between(farm: Farm) -> None:
    for name in ("p1", "p2", "p3"):
        farm.add(name)
    orders = [farm.order(f"part{n}") for n in range(6)]
    farm.until(lambda: sum(farm.run_of(o).state.terminal for o in orders) == 3)
    farm.until(lambda: all("not cleared" in b for b in farm.live.run_blocks().values()))
    assert len(farm.live.run_blocks()) == 3
    for name in ("p1", "p2", "p3"):
        farm.did(cmd.ClearBed(printer_id=name))
    for order in orders:
        farm.ends(order)
    assert len(farm.starts) == len(set(farm.starts)) == 6


@pytest.mark.parametrize("at", [S.CLAIMED, S.UPLOADED, S.INTENDED, S.CONFIRMING, S.PRINTING])
def test_the_core_stops_at_each_step_and_another_life_goes_on(farm: Farm, at: RunState) -> None:
    reached: list[RunState] = []
    order_of = [S.CLAIMED, S.UPLOADED, S.INTENDED, S.CONFIRMING, S.PRINTING]
    farm.add(clear=False)
    intent_id = farm.order("long")
    if at not in (S.CLAIMED, S.UPLOADED):
        farm.until(lambda: farm.live.get("p1").answered_at is not None)
    farm.did(cmd.ClearBed(printer_id="p1"))

    def there() -> bool:
        state = farm.run_of(intent_id).state
        reached.append(state)
        return state in order_of and order_of.index(state) >= order_of.index(at)

    farm.until(there)
    farm.close()
    farm.open()
    farm.until(lambda: farm.run_of(intent_id).state in (S.PRINTING, S.QUEUED, S.COMPLETED), 30)
    if farm.run_of(intent_id).state is S.QUEUED:
        farm.did(cmd.ClearBed(printer_id="p1"))
    run = farm.ends(intent_id)
    assert len(farm.starts) == len(set(farm.starts))
    assert farm.starts[-1] == run.remote_name
    assert len(farm.starts) == 1, "nothing that reached the printer is ever started again"


def test_pause_and_resume_by_hand_and_a_cancel(farm: Farm) -> None:
    farm.add()
    intent_id = farm.order("longer")
    farm.until(lambda: farm.run_of(intent_id).state is S.PRINTING)
    run_id = farm.run_of(intent_id).run_id
    farm.until(lambda: farm.live.get("p1").observation.phase.value == "printing")  # type: ignore[union-attr]  # seen
    farm.did(cmd.PauseRun(run_id=run_id))
    farm.until(lambda: farm.run_of(intent_id).state is S.PAUSED)
    farm.did(cmd.ResumeRun(run_id=run_id))
    farm.until(lambda: farm.run_of(intent_id).state is S.PRINTING)
    farm.did(cmd.AbortRun(run_id=run_id))
    run = farm.ends(intent_id, S.ABORTED)
    assert run.reason == "operator_abort"
    farm.until(lambda: farm.kernel.reader.effects_pending(("pause", "resume", "cancel")) == ())


def test_a_printer_that_fails_in_mid_print_fails_the_attempt(farm: Farm) -> None:
    farm.add(fail_at_layer="3")
    run = farm.ends(farm.order(), S.FAILED)
    assert run.reason == "printer_error"


def test_runout_pauses_and_is_shown(farm: Farm) -> None:
    farm.add(runout_at_layer="3")
    intent_id = farm.order()
    farm.until(lambda: farm.run_of(intent_id).state is S.PAUSED)
    farm.did(cmd.ResumeRun(run_id=farm.run_of(intent_id).run_id))
    farm.ends(intent_id)


def test_a_lost_link_ends_nothing_and_the_end_is_still_seen(farm: Farm) -> None:
    farm.add(link_loss_at_layer="3", link_loss_s="3200")
    intent_id = farm.order()

    def health() -> Health:
        printer = farm.kernel.reader.printer("p1")
        assert printer is not None
        return printer.health

    farm.until(lambda: health() is Health.OFFLINE)
    assert farm.run_of(intent_id).state is S.PRINTING
    farm.until(lambda: health() is Health.OK)
    farm.ends(intent_id)
    assert len(farm.starts) == 1


def test_a_printer_that_is_off_takes_nothing_and_says_so(farm: Farm) -> None:
    farm.add(offline="yes")
    intent_id = farm.order()
    run_id = farm.run_of(intent_id).run_id
    farm.until(lambda: farm.live.run_blocks().get(run_id) == "p1 is offline")
    assert farm.run_of(intent_id).state is S.QUEUED


def test_a_bed_cleared_while_off_is_bound_at_the_first_look(farm: Farm) -> None:
    farm.add(offline="yes")
    intent_id = farm.order()
    farm.until(lambda: farm.live.run_blocks())
    farm.close()
    farm.options["p1"] = {}
    farm.open()
    farm.ends(intent_id)


def test_verify_and_replay_hold_after_the_story(farm: Farm) -> None:
    farm.add()
    farm.ends(farm.order())
    farm.close()
    path = farm.folder / "kiln.db"
    report = verify(path)
    assert report.ok, report
    assert replay(path) == projections(path)
