"""The ledger against quality.md: durable commands, replay and verify, the Triage snapshot over a long history.

Run: ``python -m tests.bench.bench_core_ledger [commands|log|triage] [EVENTS]``. The baseline of the commands is one
row per commit into a table of the same database settings, in the same run and folder; the log's is reading its rows
without checking or folding them; the snapshot's is the same site with 50 ended attempts.
"""

import asyncio
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

from core.client.snapshot import Snapshots
from core.domain import commands as cmd
from core.domain.words import Actor
from core.ledger.store import EVENT_COLUMNS, Store, event_of, open_database
from core.ledger.tables import KINDS
from core.ledger.verify import replay, verify
from core.site.core import CoreOptions
from kiln_tui.cli.site_dir import open_core
from tests.kernel.shop import KernelShop

PRODUCERS = 8
SECONDS = 4.0
EVENTS = 200_000
ATTEMPTS = 5_000


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# --- durable commands -------------------------------------------------------------------------------------------


def one_row_per_commit(folder: Path) -> float:
    """Rows per second of what one writes first: a transaction per command."""
    database = open_database(folder / "naive.db", query_only=False)
    database.connect()
    connection: apsw.Connection = database.connection()
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, doc BLOB NOT NULL)")
    payload, count, end = bytes(900), 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        connection.execute("BEGIN IMMEDIATE; INSERT INTO rows (doc) VALUES (?); COMMIT", (payload,))
        count += 1
    database.close()
    return count / SECONDS


def _loads(producer: int, count: int) -> cmd.Envelope:
    body = cmd.LoadMaterial(printer_id=f"p{producer}", material=("PLA", "PETG")[count % 2])
    return cmd.Envelope(key=f"{producer}:{count}", body=body, actor=Actor.OPERATOR, who="bench")


def waiting_producers(shop: KernelShop) -> float:
    """Commands per second of producers that wait for each answer."""
    counts = [0] * PRODUCERS
    end = time.monotonic() + SECONDS

    def produce(number: int) -> None:
        while time.monotonic() < end:
            result = shop.kernel.submit(_loads(number, counts[number]))
            assert result.ok, result.refusal
            counts[number] += 1

    threads = [threading.Thread(target=produce, args=(n,)) for n in range(PRODUCERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


async def eager_producers(shop: KernelShop, ahead: int = 32) -> float:
    """Commands per second of producers with `ahead` commands under way each."""
    counts = [0] * PRODUCERS
    end = time.monotonic() + SECONDS

    async def produce(number: int, lane: int) -> None:
        while time.monotonic() < end:
            envelope = _loads(number, 1_000_000 * (lane + 1) + counts[number])
            counts[number] += 1
            assert (await shop.kernel.submit_async(envelope)).ok

    await asyncio.gather(*(produce(n, lane) for n in range(PRODUCERS) for lane in range(ahead)))
    return sum(counts) / SECONDS


def commands(folder: Path) -> None:
    before = one_row_per_commit(folder)
    shop = KernelShop(folder)
    for number in range(PRODUCERS):
        shop.printer(f"p{number}", ready=False)
    waiting = waiting_producers(shop)
    eager = asyncio.run(eager_producers(shop))
    shop.close()
    after = one_row_per_commit(folder / "again") if (folder / "again").mkdir() is None else 0.0
    base = (before + after) / 2
    print(f"one row per commit: {base:.0f}/s (before {before:.0f}, after {after:.0f})")
    print(f"{PRODUCERS} producers, each waits: {waiting:.0f}/s = {waiting / base:.1f}×  (goal 3000/s, 6×)")
    print(f"{PRODUCERS} producers, 32 under way each: {eager:.0f}/s = {eager / base:.1f}×  (goal 3000/s, 6×)")


# --- replay and verify ------------------------------------------------------------------------------------------


def story(folder: Path) -> KernelShop:
    """A site with one printer and one Order, made and judged."""
    shop = KernelShop(folder)
    shop.printer()
    _, run_id = shop.queued()
    shop.completed(run_id)
    shop.judge(run_id)
    shop.did(cmd.RemoteDeleted(run_id=run_id), actor=Actor.CONTROLLER)
    return shop


def long_log(path: Path, events: int) -> None:
    """Repeat the events of one Order under new ids until the log has `events`; hashes and versions hold."""
    store = Store(path)
    sql = f"SELECT {EVENT_COLUMNS} FROM events WHERE subject_kind != 'site' AND subject_kind != 'printer'"
    pattern = [event_of(row) for row in store.connection.execute(sql + " ORDER BY seq")]
    store.connection.execute("PRAGMA synchronous = OFF; BEGIN IMMEDIATE")
    copy = 0
    while store.seq < events:
        copy += 1
        for event in pattern:
            fresh = {"event_id": f"{event.event_id}-{copy}", "subject_id": f"{event.subject_id}-{copy}"}
            store.append(msgspec.structs.replace(event, **fresh))
    store.connection.execute("COMMIT")
    store.close()


def log(folder: Path, events: int) -> None:
    story(folder).close()
    path = folder / "kiln.db"
    made = timed(lambda: long_log(path, events))

    def rows() -> None:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        for _ in connection.execute(f"SELECT {EVENT_COLUMNS} FROM events ORDER BY seq"):
            pass
        connection.close()

    plain, folded, checked = timed(rows), timed(lambda: replay(path)), timed(lambda: verify(path))
    assert verify(path).ok
    print(f"{events:,} events, made in {made:.0f} s, {path.stat().st_size / 1e6:.0f} MB")
    print(f"rows alone {events / plain / 1000:.0f} k/s")
    print(f"replay {events / folded / 1000:.0f} k/s = {plain / folded:.2f} of the rows alone  (goal 150 k/s)")
    print(
        f"chain check {events / checked / 1000:.0f} k/s = {plain / checked:.2f} of the rows alone  (goal 40 k/s)"
    )


# --- the Triage snapshot ----------------------------------------------------------------------------------------


def long_history(path: Path, attempts: int) -> None:
    """Repeat the made Order's rows under new ids and numbers: tables only, as they are what a snapshot reads."""
    store = Store(path)
    found = {
        kind: [row[0] for row in store.connection.execute(f"SELECT doc FROM {KINDS[kind].table}")]
        for kind in ("intent", "plan", "plate", "run")
    }
    (intent,), (plan,), (plate,), (run,) = found["intent"], found["plan"], found["plate"], found["run"]
    ids = {k: msgspec.json.decode(doc[0])[f"{k}_id"].encode() for k, doc in found.items()}
    items = msgspec.json.decode(intent)["items"][0]["item_id"].encode()
    store.connection.execute("BEGIN IMMEDIATE")
    for copy in range(1, attempts):
        for kind, doc in (("intent", intent), ("plan", plan), ("plate", plate), ("run", run)):
            fresh = doc
            for old in (*ids.values(), items):
                fresh = fresh.replace(old, old + b"-%d" % copy)
            state = KINDS[kind].decode(fresh)
            if kind != "plan":
                number = getattr(state, "number") + copy  # noqa: B009 - three of the four kinds have one
                state = msgspec.structs.replace(state, number=number)
            store.save(kind, state)
    store.connection.execute("COMMIT")
    store.close()


def snapshot_ms(folder: Path, attempts: int) -> dict[str, float]:
    """Median milliseconds of what a screen waits for, on a site with that many ended attempts."""
    folder.mkdir()
    story(folder).close()
    long_history(folder / "kiln.db", attempts)
    core = open_core(folder, CoreOptions())
    try:
        snapshots, queries = Snapshots(core), core.kernel.queries
        revision = iter(range(1_000_000))

        def median(work: Callable[[], object]) -> float:
            return statistics.median(timed(work) for _ in range(40)) * 1000

        def attention() -> None:
            queries.intents_open(), queries.plates_live(), queries.runs_live(), queries.drops_attention()

        return {
            "what needs attention, by query": median(attention),
            "snapshot after a commit": median(lambda: snapshots.shop(next(revision), 1)),
            "snapshot, only telemetry new": median(lambda: snapshots.shop(-2, 1)),
        }
    finally:
        core.close()


def triage(folder: Path) -> None:
    few, many = snapshot_ms(folder / "few", 50), snapshot_ms(folder / "many", ATTEMPTS)
    print(f"{'ms, median of 40':<34}{'50 ended':>10}{f'{ATTEMPTS} ended':>14}{'ratio':>8}")
    for name, value in many.items():
        goal = "   (goal 1 ms)" if name.endswith("query") else ""
        print(f"{name:<34}{few[name]:>10.2f}{value:>14.2f}{value / few[name]:>7.1f}×{goal}")


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    events = int(sys.argv[2]) if len(sys.argv) > 2 else EVENTS
    benches: dict[str, Callable[[Path], None]] = {
        "commands": commands,
        "log": lambda folder: log(folder, events),
        "triage": triage,
    }
    for name, bench in benches.items():
        if wanted in (name, "all"):
            with tempfile.TemporaryDirectory() as folder:
                print(f"--- {name}")
                bench(Path(folder))


if __name__ == "__main__":
    main()
