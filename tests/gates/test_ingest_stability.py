"""When a dropped thing counts as complete, as a pure function of what was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ingest.stability import EMPTY_FACTOR, FOLDER_FACTOR, Dropped, Entry, Kind, ignored, look


def file(
    name: str, size: int = 10, mtime: int = 1, inode: int = 7, lane: str = "", kind: Kind = Kind.FILE
) -> Dropped:
    return Dropped(name, lane, (Entry("", kind, size, mtime, inode),))


def folder(name: str, *inside: Entry, cut: bool = False) -> Dropped:
    return Dropped(name, "", (Entry("", Kind.FOLDER, 0, 1, 2), *inside), cut)


def entry(path: str, size: int = 10) -> Entry:
    return Entry(path, Kind.FILE, size, 1, 3)


SETTLE = 1000


def ready_after(*steps: tuple[int, tuple[Dropped, ...]]) -> list[str]:
    memory, names = {}, []
    for now, listing in steps:
        looked = look(memory, listing, now, SETTLE)
        memory, names = looked.memory, [d.name for d in looked.ready]
    return names


def test_two_equal_looks_a_second_apart():
    assert ready_after((0, (file("a"),))) == []
    assert ready_after((0, (file("a"),)), (999, (file("a"),))) == []
    assert ready_after((0, (file("a"),)), (1000, (file("a"),))) == ["a"]


@pytest.mark.parametrize(
    "other", [file("a", size=11), file("a", mtime=2), file("a", inode=8), file("a", kind=Kind.LINK)]
)
def test_any_change_begins_the_wait_anew(other):
    assert ready_after((0, (file("a"),)), (900, (other,)), (1800, (other,))) == []
    assert ready_after((0, (file("a"),)), (900, (other,)), (1900, (other,))) == ["a"]


def test_gone_and_back_begins_anew():
    assert ready_after((0, (file("a"),)), (500, ()), (1000, (file("a"),))) == []


def test_a_clock_that_goes_back_only_waits_longer():
    assert ready_after((5000, (file("a"),)), (100, (file("a"),)), (1100, (file("a"),))) == ["a"]


@pytest.mark.parametrize("name", [".hidden", "~$a.stl", "a.stl~", ".a.stl.Xy12", "Thumbs.db", "desktop.ini"])
def test_ignored_names_are_neither_ready_nor_waiting(name):
    looked = look({}, (file(name),), 0)
    assert (looked.memory, looked.ready, looked.waiting) == ({}, (), ())
    assert ignored(name)


@pytest.mark.parametrize("name", ["a.stl.part", "a.STL.PART", "a.crdownload", "a.tmp", "a.stl.filepart"])
def test_unfinished_names_wait_however_long(name):
    assert ready_after((0, (file(name),)), (10**9, (file(name),))) == []
    assert "still being written" in look({}, (file(name),), 0).waiting[0].why


def test_an_empty_file_waits_much_longer():
    empty = (file("a", size=0),)
    assert ready_after((0, empty), (SETTLE * EMPTY_FACTOR - 1, empty)) == []
    assert ready_after((0, empty), (SETTLE * EMPTY_FACTOR, empty)) == ["a"]


def test_a_folder_waits_until_all_of_it_rests():
    part = folder("o", entry("a.stl"))
    more = folder("o", entry("a.stl"), entry("b.stl"))
    assert ready_after((0, (part,)), (2_900, (more,)), (2_899 + SETTLE * FOLDER_FACTOR, (more,))) == []
    assert ready_after((0, (part,)), (2_900, (more,)), (2_900 + SETTLE * FOLDER_FACTOR, (more,))) == ["o"]


def test_a_folder_with_an_unfinished_file_waits():
    order = (folder("o", entry("a.stl"), entry("b.stl.part")),)
    assert ready_after((0, order), (10**6, order)) == []


def test_a_hidden_file_that_grows_holds_its_folder_back():
    steps = [(t, (folder("o", entry("a.stl"), entry(".b.stl.x7", size=t)),)) for t in range(0, 10_000, 500)]
    assert ready_after(*steps) == []


def test_an_empty_folder_waits_and_an_unreadable_one_is_taken_to_be_refused():
    empty, cut = (folder("o", entry(".DS_Store")),), (folder("o", cut=True),)
    assert ready_after((0, empty), (10**6, empty)) == []
    assert look({}, empty, 0).waiting[0].why == "the folder is empty"
    assert ready_after((0, cut), (SETTLE * FOLDER_FACTOR, cut)) == ["o"]


def test_the_oldest_comes_first():
    both = (file("b", mtime=1), file("a", mtime=2))
    assert ready_after((0, both), (1000, both)) == ["b", "a"]


def test_the_same_name_in_two_lanes_is_two_drops():
    both = (file("a"), file("a", lane="petg"))
    assert ready_after((0, both), (1000, both)) == ["a", "a"]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 3)), min_size=1, max_size=30))
def test_ready_means_unchanged_for_a_second(steps):
    now, memory, history = 0, {}, []
    for pause, size in steps:
        now += pause
        history.append((now, size))
        looked = look(memory, (file("a", size=size),), now, SETTLE)
        memory = looked.memory
        since = now
        for then, seen in reversed(history):
            if seen != size:
                break
            since = then
        assert bool(looked.ready) == (now - since >= 1000)
