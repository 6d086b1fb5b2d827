"""The live store and the rows that workers get (pure parts of the fleet)."""

from core.contract import Heater, Link, Observation, Phase
from core.controllers.fleet import rows_by_printer
from core.controllers.live import HISTORY, LiveStore
from core.domain.objects import Run
from core.domain.words import RunState
from core.kernel.ports import Effect
from tests.kernel.fake_kernel import FakeLedger
from tests.kernel.shop import StillClock


def seen(at: float, link: Link = Link.ONLINE) -> Observation:
    full = link is Link.ONLINE
    heaters = (Heater(name="bed", actual=at),) if full else ()
    return Observation(seen_at=at, link=link, phase=Phase.IDLE, full=full, heaters=heaters)


def test_the_age_is_that_of_the_last_full_answer() -> None:
    live = LiveStore()
    assert live.get("p1").age_s(5.0) is None
    live.saw("p1", seen(10.0))
    live.saw("p1", seen(70.0, Link.OFFLINE))
    found = live.get("p1")
    assert found.observation is not None
    assert found.observation.link is Link.OFFLINE
    assert found.age_s(71.0) == 61.0


def test_the_revision_grows_only_when_something_changed() -> None:
    live, calls = LiveStore(), []
    unsubscribe = live.on_change(lambda: calls.append(live.revision))
    live.set_block("p1", "Bed not cleared")
    live.set_block("p1", "Bed not cleared")
    live.set_run_blocks({"run_a": "why"})
    live.set_run_blocks({"run_a": "why"})
    live.set_upload("p1", 0.5)
    live.forget("nobody")
    assert calls == [1, 2, 3]
    unsubscribe()
    live.forget("p1")
    assert live.revision == 4
    assert calls == [1, 2, 3]


def test_the_history_is_thinned_and_bounded() -> None:
    live = LiveStore()
    for tick in range(HISTORY * 3):
        live.saw("p1", seen(float(tick)))
    history = live.history("p1")
    assert len(history) == HISTORY
    assert history[-1].at - history[-2].at >= 2.0


def test_rows_are_sorted_to_their_printers() -> None:
    ledger = FakeLedger(StillClock().stamp)
    printers = (ledger.add_printer("p1"), ledger.add_printer("p2"))

    def run(run_id: str, state: RunState, printer_id: str | None, deleted: bool = False) -> Run:
        return ledger.queue(
            run_id, state=state, printer_id=printer_id, remote_name=f"k_{run_id}", remote_deleted=deleted
        )

    runs = (
        run("a", RunState.PRINTING, "p1"),
        run("b", RunState.COMPLETED, "p1"),
        run("c", RunState.COMPLETED, "p2", deleted=True),
        run("d", RunState.QUEUED, None),
        run("e", RunState.NEEDS_DECISION, "p2"),
    )
    wish = Effect(effect_id="f1", kind="pause", subject_kind="run", subject_id="a", incarnation="x")
    stray = Effect(effect_id="f2", kind="pause", subject_kind="run", subject_id="d", incarnation="x")
    rows = rows_by_printer(printers, runs, (wish, stray))
    assert rows["p1"].run is runs[0]
    assert rows["p1"].leftovers == (runs[1],)
    assert rows["p1"].effects == (wish,)
    assert rows["p2"].run is runs[4]
    assert rows["p2"].leftovers == ()
