"""The hot folder as a whole, with real files, real threads and real notifications."""

import itertools
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.controllers import inbox as inbox_module
from core.controllers.inbox import ClaimedDrop, InboxState, InboxWatcher
from core.domain.findings import verdict_of
from core.domain.words import QualityTier, Verdict
from core.ingest.facts import PartFacts
from core.ingest.files import being_written, open_regular

SETTLE_MS = 200
LANES = {"draft": PartFacts(material="PLA", tier=QualityTier.DRAFT)}


class Shop:
    """A watcher whose callback accepts what is fine and refuses the rest, as ingest will."""

    def __init__(self, root: Path) -> None:
        self.root = root / "site"
        self.inbox = self.root / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.seen: list[ClaimedDrop] = []
        self.threads: set[str] = set()
        self.before: Callable[[ClaimedDrop], None] = lambda _: None
        count = itertools.count(1)
        self.watcher = InboxWatcher(
            site=self.root,
            inbox=self.inbox,
            on_claimed=self.claimed,
            new_id=lambda: f"drop-{time.time_ns()}-{next(count)}",
            materials=("PLA", "PETG"),
            lanes=LANES,
            settle_ms=SETTLE_MS,
        )

    def claimed(self, drop: ClaimedDrop) -> None:
        self.before(drop)
        self.seen.append(drop)
        self.threads.add(threading.current_thread().name)
        if verdict_of(drop.findings) is Verdict.FAIL:
            assert self.watcher.reserve_rejected(drop) == self.watcher.finish_rejected(drop, drop.findings)
        else:
            self.watcher.finish_accepted(drop, f"{len(self.seen)}-{drop.name}")

    def wait(self, what: Callable[[], bool], seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < ends, f"waited in vain; status {self.watcher.status()}"
            time.sleep(0.01)

    def files(self, folder: str) -> list[str]:
        top = self.root / folder
        return sorted(str(p.relative_to(top)) for p in top.rglob("*") if p.is_symlink() or not p.is_dir())


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path)
    yield made
    assert made.watcher.stop()


def test_what_lay_there_before_the_start_and_what_comes_after(shop):
    (shop.inbox / "before.stl").write_bytes(b"1")
    shop.watcher.start()
    (shop.inbox / "after.stl").write_bytes(b"2")
    shop.wait(lambda: len(shop.seen) == 2)
    assert {drop.name for drop in shop.seen} == {"before.stl", "after.stl"}
    shop.wait(lambda: shop.files("inbox") == [] and shop.files("claimed") == [])
    assert shop.watcher.status().state is InboxState.WATCHING


def test_a_slow_writer_is_waited_for(shop):
    shop.watcher.start()
    with (shop.inbox / "slow.stl").open("wb") as file:
        for _ in range(8):
            file.write(b"x" * 1000)
            file.flush()
            time.sleep(SETTLE_MS / 1000 * 0.7)
        assert shop.seen == []
    shop.wait(lambda: len(shop.seen) == 1)
    assert shop.seen[0].files[0].size == 8000


def test_a_writer_that_stalls_with_the_file_open_is_waited_for(shop):
    shop.watcher.start()
    with (shop.inbox / "stalled.stl").open("wb") as file:
        file.write(b"half ")
        file.flush()
        with open_regular(shop.inbox / "stalled.stl") as fd:
            if being_written(fd) is None:
                pytest.skip("this filesystem grants no leases, so an open writer can't be told here")
        shop.wait(lambda: any("still has it open" in w.why for w in shop.watcher.status().waiting))
        time.sleep(SETTLE_MS / 1000 * 3)
        assert shop.seen == []
        file.write(b"whole")
    shop.wait(lambda: len(shop.seen) == 1)
    assert shop.seen[0].files[0].size == 10


def test_upload_under_a_temporary_name_and_rename(shop):
    shop.watcher.start()
    (shop.inbox / "a.stl.part").write_bytes(b"abc")
    shop.wait(lambda: any("still being written" in w.why for w in shop.watcher.status().waiting))
    time.sleep(SETTLE_MS / 1000 * 3)
    assert shop.seen == []
    (shop.inbox / "a.stl.part").rename(shop.inbox / "a.stl")
    shop.wait(lambda: [d.name for d in shop.seen] == ["a.stl"])


def test_two_hundred_files_at_once_are_one_queue(shop):
    for number in range(200):
        (shop.inbox / f"part-{number:03}__x2.stl").write_bytes(b"%d" % number)
    totals: set[int] = set()
    shop.before = lambda _: totals.add(shop.watcher.status().total)
    shop.watcher.start()
    shop.wait(lambda: len(shop.seen) == 200, 60)
    assert len({drop.drop_id for drop in shop.seen}) == 200
    assert len({drop.sha256 for drop in shop.seen}) == 200
    assert shop.threads == {"inbox-take"}
    assert max(totals) >= 190
    shop.wait(lambda: shop.files("inbox") == [] and shop.files("claimed") == [])
    assert len(shop.files("accepted")) == 200
    shop.wait(lambda: shop.watcher.status().total == 0)


def test_two_files_of_the_same_name_one_after_the_other(shop):
    shop.watcher.start()
    for data in (b"first", b"other"):
        (shop.inbox / "a.stl").write_bytes(data)
        shop.wait(lambda: shop.files("inbox") == [] and shop.files("claimed") == [])
    assert len({drop.sha256 for drop in shop.seen}) == 2
    assert shop.files("accepted") == ["1-a.stl/a.stl", "2-a.stl/a.stl"]


def test_a_folder_is_one_order_and_a_lane_is_not(shop):
    order = shop.inbox / "ann"
    order.mkdir()
    (order / "a.stl").write_bytes(b"a")
    (order / "order.yaml").write_bytes(b"customer: Ann\nitems:\n- {file: a.stl, quantity: 3}\n")
    lane = shop.inbox / "draft"
    lane.mkdir()
    (lane / "b.stl").write_bytes(b"b")
    (lane / "c.stl").write_bytes(b"c")
    shop.watcher.start()
    shop.wait(lambda: len(shop.seen) == 3)
    by_name = {drop.name: drop for drop in shop.seen}
    assert set(by_name) == {"ann", "b.stl", "c.stl"}
    assert by_name["ann"].files[0].facts.quantity == 3
    assert by_name["b.stl"].files[0].facts.material == "PLA"
    assert lane.is_dir()


def test_links_and_pipes_are_refused_and_everything_else_goes_on(shop, tmp_path):
    (tmp_path / "secret").write_text("s")
    (shop.inbox / "link.stl").symlink_to(tmp_path / "secret")
    os.mkfifo(shop.inbox / "pipe.stl")
    (shop.inbox / "good.stl").write_bytes(b"good")
    shop.watcher.start()
    shop.wait(lambda: len(shop.seen) == 3)
    shop.wait(lambda: shop.files("claimed") == [])
    assert shop.files("rejected") == ["link.stl", "link.stl.reason.txt", "pipe.stl", "pipe.stl.reason.txt"]
    assert [name.split("/")[1] for name in shop.files("accepted")] == ["good.stl"]
    assert (tmp_path / "secret").read_text() == "s"


def test_an_inbox_that_goes_away_is_reported_and_taken_up_again(shop):
    shop.watcher.start()
    shop.wait(lambda: shop.watcher.status().state is InboxState.WATCHING)
    shop.inbox.rename(shop.root / "unplugged")
    shop.wait(lambda: shop.watcher.status().state is InboxState.MISSING)
    assert "can't be read" in shop.watcher.status().says
    (shop.root / "unplugged").rename(shop.inbox)
    (shop.inbox / "a.stl").write_bytes(b"a")
    shop.wait(lambda: len(shop.seen) == 1)
    assert shop.watcher.status().state is InboxState.WATCHING


def test_another_folder_in_its_place_is_said(shop):
    shop.watcher.start()
    shop.wait(lambda: shop.watcher.status().state is InboxState.WATCHING)
    shop.inbox.rename(shop.root / "unplugged")
    shop.inbox.mkdir()
    shop.wait(lambda: "share may have come off" in shop.watcher.status().says)
    (shop.inbox / "a.stl").write_bytes(b"a")
    shop.wait(lambda: len(shop.seen) == 1)


def test_an_inbox_that_is_not_there_at_the_start(shop):
    shop.inbox.rmdir()
    shop.watcher.start()
    shop.wait(lambda: shop.watcher.status().state is InboxState.MISSING)
    shop.inbox.mkdir()
    (shop.inbox / "a.stl").write_bytes(b"a")
    shop.wait(lambda: len(shop.seen) == 1)


def test_without_notifications_it_looks_every_second(shop, monkeypatch):
    def no_watches(*_, **__):
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(inbox_module, "watch", no_watches)
    shop.watcher.start()
    (shop.inbox / "a.stl").write_bytes(b"a")
    shop.wait(lambda: len(shop.seen) == 1)
    shop.wait(lambda: shop.watcher.status().state is InboxState.POLLING)


def test_a_callback_that_fails_keeps_the_claim_for_the_next_life(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(inbox_module, "_RETRY_MS", (50,))
    failures: list[str] = []

    def fail(drop: ClaimedDrop) -> None:
        if drop.name == "bad.stl":
            failures.append(drop.drop_id)
            raise RuntimeError("the kernel is not there")

    shop.before = fail
    shop.watcher.start()
    (shop.inbox / "bad.stl").write_bytes(b"bad")
    shop.wait(lambda: len(failures) >= 3)
    (shop.inbox / "good.stl").write_bytes(b"good")
    shop.wait(lambda: [d.name for d in shop.seen] == ["good.stl"])
    assert len(set(failures)) == 1
    assert shop.watcher.stop()
    assert shop.files("inbox") == []

    second = Shop(tmp_path)
    second.watcher.start()
    second.wait(lambda: len(second.seen) == 1)
    assert second.seen[0].drop_id == failures[0]
    second.wait(lambda: second.files("claimed") == [])
    assert second.watcher.stop()


def test_stop_is_quick_and_leaves_files_alone(shop):
    for number in range(50):
        (shop.inbox / f"{number}.stl").write_bytes(b"%d" % number)
    shop.before = lambda _: time.sleep(0.05)
    shop.watcher.start()
    shop.wait(lambda: len(shop.seen) > 2)
    began = time.monotonic()
    assert shop.watcher.stop()
    assert time.monotonic() - began < 1
    assert shop.watcher.status().state is InboxState.STOPPED
    there = shop.files("inbox") + [
        n for n in shop.files("claimed") + shop.files("accepted") if n.endswith(".stl")
    ]
    assert len(there) == 50


def test_a_reserved_place_is_the_place_even_when_others_are_refused_meanwhile(shop):
    """The ledger was told `rejected/a.stl`; the names that a second look would choose do not matter."""
    shop.watcher.start()
    told: list[str] = []

    def reserve(drop: ClaimedDrop) -> None:
        told.append(shop.watcher.reserve_rejected(drop))
        (shop.root / "rejected" / "a.stl.reason.txt").write_text("left by an interrupted attempt of ours")

    shop.before = reserve
    os.mkfifo(shop.inbox / "a.stl")
    shop.wait(lambda: shop.files("rejected") == ["a.stl", "a.stl.reason.txt"])
    assert told == ["rejected/a.stl"]
    assert "NOT_A_FILE" in (shop.root / "rejected/a.stl.reason.txt").read_text()


def test_stop_before_start(shop):
    assert shop.watcher.stop()


def test_an_inbox_on_another_filesystem(tmp_path):
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this computer has no second writable filesystem to try it on")
    share = other / f"kiln-inbox-{os.getpid()}"
    share.mkdir()
    shop = Shop(tmp_path)
    shop.inbox.rmdir()
    shop.inbox.symlink_to(share)
    shop.before = lambda _: time.sleep(SETTLE_MS / 1000 * 3)
    try:
        shop.watcher.start()
        (share / "a.stl").write_bytes(b"a")
        os.mkfifo(share / "pipe.stl")
        shop.wait(lambda: len(shop.seen) == 1)
        shop.wait(lambda: any("by hand" in w.why for w in shop.watcher.status().waiting))
        shop.wait(lambda: [p.name for p in share.iterdir()] == ["pipe.stl"])
        assert shop.files("accepted") == ["1-a.stl/a.stl"]
        assert len(shop.seen) == 1
    finally:
        assert shop.watcher.stop()
        shutil.rmtree(share)
