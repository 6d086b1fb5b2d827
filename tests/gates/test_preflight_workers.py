"""The worker pool: every way a process can end is told apart, and nothing survives it."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.domain.material import Material
from core.workers import (
    Limits,
    WorkerCancelled,
    WorkerCrashed,
    WorkerFailed,
    WorkerMemory,
    WorkerPool,
    WorkerTimeout,
)

VICTIMS = "preflight_victims:"
HERE = str(Path(__file__).parent)


@pytest.fixture(scope="module", autouse=True)
def _victims_can_be_imported() -> Iterator[None]:
    sys.path.append(HERE)
    yield
    sys.path.remove(HERE)


@pytest.fixture(scope="module")
def pool(_victims_can_be_imported: None) -> Iterator[WorkerPool]:
    with WorkerPool(2) as made:
        yield made


def gone(pid: int, within: float = 5.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def read_pids(path: Path) -> list[int]:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if path.exists() and len(path.read_text().split()) == 2:
            return [int(pid) for pid in path.read_text().split()]
        time.sleep(0.02)
    raise AssertionError("the worker never began")


def test_a_value_comes_back(pool: WorkerPool) -> None:
    assert pool.submit(VICTIMS + "add", 2, 3, returns=int).result(20) == 5


def test_arguments_arrive_as_annotated(pool: WorkerPool) -> None:
    pla = Material(name="PLA", family="PLA", density=1.24, hotend=(190, 220), bed=(50, 60))
    assert pool.submit(VICTIMS + "name_of", Path("/x/y.stl"), pla).result(20) == "y.stl PLA"


def test_a_function_can_be_given_itself(pool: WorkerPool) -> None:
    assert pool.submit(msgspec.json.decode, b"[1, 2]").result(20) == [1, 2]


def test_a_wrong_answer_type_is_refused(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailed, match="cannot be read"):
        pool.submit(VICTIMS + "add", 2, 3, returns=str).result(20)


def test_wall_clock(pool: WorkerPool) -> None:
    pool.submit(VICTIMS + "add", 1, 1).result(20)
    began = time.monotonic()
    with pytest.raises(WorkerTimeout, match="no answer"):
        pool.submit(VICTIMS + "sleep", 60, limits=Limits(wall_s=0.3)).result(20)
    assert time.monotonic() - began < 3


def test_processor_time(pool: WorkerPool) -> None:
    with pytest.raises(WorkerTimeout, match="processor time"):
        pool.submit(VICTIMS + "spin", limits=Limits(wall_s=60, cpu_s=1)).result(60)


def test_memory(pool: WorkerPool) -> None:
    with pytest.raises(WorkerMemory):
        pool.submit(VICTIMS + "hoard", 1 << 30, limits=Limits(memory_bytes=600 << 20)).result(20)


def test_file_size(pool: WorkerPool, tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed, match="too large"):
        pool.submit(VICTIMS + "fill", tmp_path / "big", 1 << 20, limits=Limits(file_bytes=1 << 16)).result(20)
    assert (tmp_path / "big").stat().st_size <= 1 << 16


def test_a_crash_names_its_signal(pool: WorkerPool) -> None:
    with pytest.raises(WorkerCrashed, match="SIGSEGV"):
        pool.submit(VICTIMS + "segfault").result(20)


def test_leaving_without_an_answer_is_a_crash(pool: WorkerPool) -> None:
    with pytest.raises(WorkerCrashed, match="without an answer"):
        pool.submit(VICTIMS + "leave").result(20)


def test_an_exception_crosses_as_clean_text(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailed) as caught:
        pool.submit(VICTIMS + "refuse").result(20)
    assert caught.value.kind == "ValueError"
    assert "\x1b" not in caught.value.message
    assert "good" in caught.value.message


def test_an_unknown_function_fails(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailed, match="ModuleNotFoundError"):
        pool.submit("core.no_such_module:f").result(20)


def test_an_argument_that_cannot_cross_is_the_callers_mistake(pool: WorkerPool) -> None:
    with pytest.raises(NotImplementedError, match="cannot cross"):
        pool.submit(VICTIMS + "add", object(), 1)


def test_too_large_an_answer_is_refused(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailed, match="too large"):
        pool.submit(VICTIMS + "flood").result(20)


def test_limits_are_set_and_output_is_void(pool: WorkerPool, capfd: pytest.CaptureFixture[str]) -> None:
    given = Limits(memory_bytes=900 << 20, file_bytes=5 << 20)
    assert pool.submit(VICTIMS + "limits", limits=given).result(20) == [900 << 20, 5 << 20, 0]
    assert pool.submit(VICTIMS + "shout").result(20) == [True, True, True]
    assert capfd.readouterr() == ("", "")


def test_progress_arrives_in_order_before_the_value(pool: WorkerPool) -> None:
    seen: list[int] = []
    assert pool.submit(VICTIMS + "count", 200, on_progress=seen.append).result(20) == 200
    assert seen == list(range(200))


def test_a_raising_progress_callback_ends_its_task_only(pool: WorkerPool) -> None:
    def broken(_: int) -> None:
        raise RuntimeError("screen is gone")

    with pytest.raises(WorkerFailed, match="screen is gone"):
        pool.submit(VICTIMS + "count", 3, on_progress=broken).result(20)
    assert pool.submit(VICTIMS + "add", 1, 1).result(20) == 2


def test_cancel_kills_the_whole_family(pool: WorkerPool, tmp_path: Path) -> None:
    task = pool.submit(VICTIMS + "family", tmp_path / "pids")
    pids = read_pids(tmp_path / "pids")
    began = time.monotonic()
    task.cancel()
    with pytest.raises(WorkerCancelled):
        task.result(20)
    assert time.monotonic() - began < 1
    assert all(gone(pid) for pid in pids)
    task.cancel()
    assert task.done()


def test_a_waiting_task_is_cancelled_before_it_begins(tmp_path: Path) -> None:
    with WorkerPool(1) as single:
        first = single.submit(VICTIMS + "sleep", 30)
        second = single.submit(VICTIMS + "sleep", 30)
        second.cancel()
        with pytest.raises(WorkerCancelled, match="before it began"):
            second.result(20)
        assert not first.done()


def test_close_kills_and_cancels(tmp_path: Path) -> None:
    single = WorkerPool(1)
    running = single.submit(VICTIMS + "family", tmp_path / "pids")
    waiting = single.submit(VICTIMS + "sleep", 30)
    pids = read_pids(tmp_path / "pids")
    single.close()
    single.close()
    for task in (running, waiting):
        with pytest.raises(WorkerCancelled):
            task.result(0)
    assert all(gone(pid) for pid in pids)
    with pytest.raises(WorkerCancelled, match="closed"):
        single.submit(VICTIMS + "sleep", 1)


def test_a_dead_server_is_told_and_replaced(pool: WorkerPool, tmp_path: Path) -> None:
    task = pool.submit(VICTIMS + "family", tmp_path / "pids")
    worker, grandchild = read_pids(tmp_path / "pids")
    server = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    with pytest.raises(WorkerCrashed, match="server"):
        task.result(20)
    assert gone(worker)
    os.kill(grandchild, signal.SIGKILL)
    assert pool.submit(VICTIMS + "add", 1, 2).result(20) == 3


def test_used_from_many_threads_and_from_asyncio(pool: WorkerPool) -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda i=i: results.append(pool.submit(VICTIMS + "add", i, i).result(60)))
        for i in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [2 * i for i in range(12)]

    async def wait() -> object:
        return await asyncio.wrap_future(pool.submit(VICTIMS + "add", 20, 22).future)

    assert asyncio.run(wait()) == 42


def test_a_killed_parent_leaves_nothing_and_main_is_never_run_again(tmp_path: Path) -> None:
    script = tmp_path / "console-script"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path[:0] = {[str(Path(HERE).parents[1]), HERE]!r}
        print("main ran", flush=True)
        from core.workers import WorkerPool
        pool = WorkerPool(2)
        print(pool.submit("preflight_victims:main_module").result(20), flush=True)
        pool.submit("preflight_victims:family", {str(tmp_path / "pids")!r}).result()
        """)
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as parent:
        worker, grandchild = read_pids(tmp_path / "pids")
        parent.kill()
        out = parent.stdout.read().decode() if parent.stdout else ""
    assert gone(worker)
    assert gone(grandchild)
    assert out.count("main ran") == 1
    assert "console-script" not in out


def test_the_programs_secrets_reach_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOPRINT_API_KEY", "secret")
    with WorkerPool(1) as fresh:
        seen = fresh.submit(VICTIMS + "environment", returns=list[str]).result(20)
    assert "PATH" in seen
    assert "OCTOPRINT_API_KEY" not in seen


def test_the_side_of_the_kernel_loads_no_numpy() -> None:
    code = (
        "import sys, core.preflight.service, core.workers.pool;"
        "sys.exit('numpy' in sys.modules or 'textual' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(HERE).parents[1], check=False).returncode == 0
    )


def test_a_full_disk_of_the_worker_is_its_own_failure(pool: WorkerPool) -> None:
    with pytest.raises(WorkerFailed, match="OSError"):
        pool.submit(VICTIMS + "fill", Path("/dev/full"), 10).result(20)


def test_no_process_and_no_descriptor_is_left_behind() -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    for _ in range(3):
        with WorkerPool(2) as short:
            assert short.submit("os:getcwd").result(20)
            with pytest.raises(WorkerTimeout):
                short.submit(VICTIMS + "sleep", 20, limits=Limits(wall_s=0.05)).result(20)
    assert descriptors() <= before  # the shared pool may still be closing what an earlier test left


def test_tasks_beyond_the_size_wait_their_turn() -> None:
    with WorkerPool(2) as two:
        two.submit("os:getcwd").result(20)
        began = time.monotonic()
        tasks = [two.submit(VICTIMS + "sleep", 0.3) for _ in range(4)]
        for task in tasks:
            task.result(20)
        assert time.monotonic() - began >= 0.55


def test_waiting_for_a_result_can_be_given_up() -> None:
    with WorkerPool(1) as single:
        task = single.submit(VICTIMS + "sleep", 30)
        with pytest.raises(TimeoutError):
            task.result(0.2)
        assert not task.done()
