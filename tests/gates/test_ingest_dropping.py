"""Dropping for a person: nothing that was dropped is lost, whoever else drops the same name at that moment."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.ingest import files
from core.ingest.dropping import drop_into
from core.ingest.files import MAX_NAME_BYTES, move, rename_new

THREADS = 16


@pytest.fixture(params=["renameat2", "reserved"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to take a name: the system's own call, and the one for systems that do not know that call."""
    if request.param == "reserved":
        monkeypatch.setattr(files, "_renamed_exclusively", lambda _source, _target: False)
    return str(request.param)


def drop_all_at_once(inbox: Path, paths: list[Path]) -> list[str]:
    barrier = threading.Barrier(len(paths))

    def drop(path: Path) -> str:
        barrier.wait()
        return drop_into(inbox, path)

    with ThreadPoolExecutor(len(paths)) as threads:
        return list(threads.map(drop, paths))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["clip__x4.stl", "plate.gcode.3mf", "noending", "ü" * 120 + ".stl"])
def test_sixteen_files_of_one_name_dropped_at_once_all_arrive(tmp_path: Path, name: str) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    paths = []
    for number in range(THREADS):
        path = tmp_path / str(number) / name
        path.parent.mkdir()
        path.write_bytes(str(number).encode() * 10_000)
        paths.append(path)
    said = drop_all_at_once(inbox, paths)
    assert all("dropped into" in words for words in said), said
    arrived = list(inbox.iterdir())
    assert sorted(p.read_bytes() for p in arrived) == sorted(p.read_bytes() for p in paths)
    assert all(p.name.endswith(name[name.find(".") :] if "." in name else "") for p in arrived)
    assert all(len(p.name.encode()) <= MAX_NAME_BYTES for p in arrived)


@pytest.mark.usefixtures("way")
def test_sixteen_folders_of_one_name_dropped_at_once_all_arrive(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    paths = []
    for number in range(THREADS):
        path = tmp_path / str(number) / "ann"
        path.mkdir(parents=True)
        (path / f"part-{number}.stl").write_bytes(b"solid")
        paths.append(path)
    said = drop_all_at_once(inbox, paths)
    assert all("dropped into" in words for words in said), said
    arrived = [sorted(p.name for p in folder.iterdir()) for folder in inbox.iterdir()]
    assert sorted(arrived) == sorted([f"part-{number}.stl"] for number in range(THREADS))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("there", ["file", "empty folder", "full folder", "dangling link"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_name_that_is_taken_is_left_as_it_is(tmp_path: Path, there: str, kind: str) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir() if kind == "folder" else source.write_text("new")
    if there == "file":
        target.write_text("old")
    elif there == "dangling link":
        target.symlink_to("nowhere")
    else:
        target.mkdir()
        if there == "full folder":
            (target / "old").write_text("old")
    before = os.lstat(target)
    for way in (rename_new, move):
        with pytest.raises(FileExistsError):
            way(source, target)
    assert os.lstat(target) == before
    assert source.exists()


@pytest.mark.usefixtures("way")
def test_what_could_not_be_dropped_leaves_nothing(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    assert "could not be dropped: No such file" in drop_into(inbox, tmp_path / "missing.stl")
    assert list(inbox.iterdir()) == []
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is looked at
        rename_new(tmp_path / "missing", tmp_path / "target")
    assert caught.value.errno == errno.ENOENT
    assert not (tmp_path / "target").exists()


def test_a_link_to_a_folder_is_refused_and_nothing_is_copied(tmp_path):
    inbox, folder, link = tmp_path / "inbox", tmp_path / "parts", tmp_path / "link"
    inbox.mkdir()
    folder.mkdir()
    (folder / "a.stl").write_text("solid")
    link.symlink_to(folder)
    assert "it is a link to a folder. Drop the folder itself" in drop_into(inbox, link)
    assert not list(inbox.iterdir())
