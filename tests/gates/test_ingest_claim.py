"""Claiming, reading and keeping of real files, also across crashes and filesystems."""

import contextlib
import errno
import hashlib
import itertools
import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.findings import Finding
from core.domain.words import QualityTier, Verdict
from core.ingest import keeping
from core.ingest.claim import CantTake, Claim, Claims, StillOpen
from core.ingest.content import ClaimedDrop, read_claim
from core.ingest.facts import PartFacts
from core.ingest.files import NotRegular, being_written, kept_name, move, open_regular
from core.ingest.listing import MAX_DEPTH, list_inbox

NO = Finding(
    code="EMPTY",
    severity=Verdict.FAIL,
    what="It is\x1b[2J empty.",
    why="Nothing prints.",
    fix="Export again.",
)


class Site:
    """A site on disk with an inbox; ids are d0001, d0002 …"""

    def __init__(self, root: Path) -> None:
        self.root = root / "site"
        self.inbox = self.root / "inbox"
        self.inbox.mkdir(parents=True)
        count = itertools.count(1)
        self.claims = Claims(
            site=self.root, inbox=self.inbox, new_id=lambda: f"d{next(count):04}", wall=lambda: 1_800_000_000
        )

    def put(self, name: str, data: bytes = b"solid x") -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, lanes: tuple[str, ...] = ()) -> Claim:
        (dropped,) = list_inbox(self.inbox, lanes)
        claim = self.claims.take(dropped)
        assert claim is not None
        return claim

    def drop(self, lanes: dict[str, PartFacts] | None = None) -> ClaimedDrop:
        return read_claim(self.take(tuple(lanes or ())), materials=("PLA", "PETG"), lanes=lanes)

    def tree(self) -> list[str]:
        return sorted(
            str(p.relative_to(self.root)) for p in self.root.rglob("*") if not p.is_dir() or p.is_symlink()
        )


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def codes(drop: ClaimedDrop) -> list[str]:
    return [finding.code for finding in drop.findings]


def test_one_file(site):
    site.put("bracket__x4__PETG.stl", b"solid bracket")
    drop = site.drop()
    assert drop.drop_id == "d0001"
    assert drop.name == "bracket__x4__PETG.stl"
    assert drop.sha256 == hashlib.sha256(b"solid bracket").hexdigest()
    (file,) = drop.files
    assert (file.size, file.sha256) == (13, drop.sha256)
    assert (file.facts.name, file.facts.quantity, file.facts.material) == ("bracket", 4, "PETG")
    assert file.path.read_bytes() == b"solid bracket"
    assert (drop.problems, drop.order, drop.folder) == ((), None, False)
    assert site.tree() == ["claimed/d0001/.claim.json", "claimed/d0001/bracket__x4__PETG.stl"]


def test_the_content_decides_the_hash_and_not_the_name(site):
    site.put("a.stl", b"same")
    first = site.drop()
    site.put("b__x9.stl", b"same")
    assert site.drop().sha256 == first.sha256


def test_a_folder_with_order_yaml(site):
    site.put(
        "ann/order.yaml",
        b"customer: Ann\nitems:\n- {file: a.stl, quantity: 3, tier: fine}\n- {file: a.stl, color: red}\n",
    )
    site.put("ann/a.stl", b"aaa")
    site.put("ann/extra__x2.stl", b"bbb")
    site.put("ann/.DS_Store", b"junk")
    drop = site.drop()
    assert drop.folder
    assert drop.order is not None
    assert drop.order.customer == "Ann"
    assert [(f.name, f.facts.quantity, f.facts.tier, f.facts.color) for f in drop.files] == [
        ("a.stl", 3, QualityTier.FINE, None),
        ("a.stl", None, None, "red"),
    ]
    assert [(p.code, p.severity) for p in drop.problems] == [("NOT_IN_ORDER_YAML", Verdict.WARN)]


def test_a_folder_without_order_yaml_is_one_order_of_all_its_files(site):
    site.put("ann/a__x2.stl", b"aaa")
    site.put("ann/sub/b__PLA.3mf", b"bbb")
    drop = site.drop()
    assert [(f.name, f.facts.quantity, f.facts.material) for f in drop.files] == [
        ("a__x2.stl", 2, None),
        ("b__PLA.3mf", None, "PLA"),
    ]
    assert drop.findings == ()


def test_order_yaml_that_names_a_file_that_is_not_there(site):
    site.put("ann/order.yaml", b"items:\n- {file: bracket.stl}\n")
    site.put("ann/braket.stl")
    drop = site.drop()
    assert "bracket.stl, which is not in the folder (there: braket.stl)" in drop.problems[0].what


def test_decomposed_and_composed_names_are_the_same_file(site):
    site.put("ann/order.yaml", "items:\n- {file: größe.stl}\n".encode())
    site.put("ann/gro\u0308ße.stl")
    assert codes(site.drop()) == []


def test_a_lone_order_yaml_is_refused_in_words(site):
    site.put("order.yaml", b"customer: Ann")
    assert "ORDER_YAML_ALONE" in codes(site.drop())


def test_a_wrong_order_yaml_fails_the_drop(site):
    site.put("ann/order.yaml", b"custommer: Ann")
    site.put("ann/a.stl")
    drop = site.drop()
    assert codes(drop) == ["ORDER_YAML"]
    assert len(drop.files) == 1


def test_a_lane_gives_its_defaults_to_each_file(site):
    site.put("petg-draft/a__x4.stl")
    drop = site.drop({"petg-draft": PartFacts(material="PETG", tier=QualityTier.DRAFT)})
    assert not drop.folder
    facts = drop.files[0].facts
    assert (facts.quantity, facts.material, facts.tier) == (4, "PETG", QualityTier.DRAFT)
    assert (site.inbox / "petg-draft").is_dir()


def test_a_link_is_taken_out_of_the_way_and_never_followed(site, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    (site.inbox / "a.stl").symlink_to(secret)
    drop = site.drop()
    assert codes(drop) == ["NOT_A_FILE"]
    assert drop.files == ()
    kept = keeping.keep_rejected(site.root, drop.claim, drop.findings)
    assert (site.root / kept).is_symlink()
    assert secret.read_text() == "s"


def test_a_pipe_does_not_block(site):
    os.mkfifo(site.inbox / "a.stl")
    drop = site.drop()
    assert codes(drop) == ["NOT_A_FILE"]
    keeping.keep_rejected(site.root, drop.claim, drop.findings)
    assert "rejected/a.stl.reason.txt" in site.tree()


def test_a_socket_does_not_block(site, monkeypatch):
    monkeypatch.chdir(site.inbox)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.stl")
        assert codes(site.drop()) == ["NOT_A_FILE"]


def test_a_folder_that_holds_a_link_or_a_pipe(site):
    site.put("ann/a.stl")
    (site.inbox / "ann/passwd").symlink_to("/etc/passwd")
    os.mkfifo(site.inbox / "ann/pipe")
    assert codes(site.drop()) == ["NOT_A_FILE", "NOT_A_FILE"]


def test_too_deep_and_too_many_are_refused_whole(site):
    site.put("ann/" + "d/" * MAX_DEPTH + "a.stl")
    drop = site.drop()
    assert codes(drop) == ["FOLDER_TOO_MUCH"]
    assert drop.files == ()
    for number in range(501):
        site.put(f"many/{number}.stl", b"")
    assert codes(site.drop()) == ["FOLDER_TOO_MUCH"]


def test_a_huge_sparse_file_is_not_read(site):
    site.put("a.stl")
    os.truncate(site.inbox / "a.stl", 2 << 30)
    assert codes(site.drop()) == ["FILE_TOO_LARGE"]


def test_an_unreadable_file():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, _ordinary_user(Path(folder)):
        site = Site(Path(folder))
        site.put("a.stl").chmod(0)
        drop = site.drop()
        assert codes(drop) == ["FILE_UNREADABLE"]
        assert "Permission denied" in drop.problems[0].what
        keeping.keep_rejected(site.root, drop.claim, drop.findings)
        assert site.tree() == ["rejected/a.stl", "rejected/a.stl.reason.txt"]


def test_an_inbox_that_may_not_be_written_to_says_what_to_do():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, _ordinary_user(Path(folder)):
        site = Site(Path(folder))
        site.put("a.stl")
        site.inbox.chmod(0o555)
        with pytest.raises(CantTake, match="write permission on the inbox"):
            site.take()
        site.inbox.chmod(0o755)
        assert site.tree() == ["inbox/a.stl"]


@contextlib.contextmanager
def _ordinary_user(folder: Path):
    """Permissions mean nothing to root; as root, work as `nobody` for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_names_are_cleaned_on_the_way_in(site):
    raw = os.fsencode(site.inbox) + b"/a\x1b]0;owned\x07\xff__x2.stl"
    Path(os.fsdecode(raw)).write_bytes(b"x")
    drop = site.drop()
    assert drop.claim.path.name.isprintable()
    assert drop.files[0].facts.quantity == 2
    assert drop.claim.path.name.encode("utf-8")


def test_a_changed_file_is_not_claimed(site):
    site.put("a.stl", b"one")
    (dropped,) = list_inbox(site.inbox)
    site.put("a.stl", b"more")
    assert site.claims.take(dropped) is None
    (site.inbox / "a.stl").unlink()
    assert site.claims.take(dropped) is None
    assert site.tree() == []


def test_a_file_that_is_open_for_writing_is_not_claimed(site):
    path = site.put("a.stl", b"half")
    (dropped,) = list_inbox(site.inbox)
    with path.open("ab") as writer, open_regular(path) as fd:
        if being_written(fd) is None:
            pytest.skip("this filesystem grants no leases, so an open writer can't be told here")
        with pytest.raises(StillOpen):
            site.claims.take(dropped)
        writer.write(b"")
    assert site.claims.take(dropped) is not None


def test_an_id_that_is_in_use_harms_nothing(site):
    site.put("a.stl")
    claim = site.take()
    clashing = Claims(site=site.root, inbox=site.inbox, new_id=lambda: claim.drop_id, wall=lambda: 0)
    site.put("b.stl")
    (dropped,) = list_inbox(site.inbox)
    with pytest.raises(CantTake):
        clashing.take(dropped)
    assert site.tree() == ["claimed/d0001/.claim.json", "claimed/d0001/a.stl", "inbox/b.stl"]


# --- keeping -----------------------------------------------------------------------------------------------


def test_accepted_files_go_to_the_orders_folder(site):
    site.put("a.stl", b"aaa")
    assert keeping.keep_accepted(site.root, site.take(), "1042-a/../..") == "accepted/1042-a-..-.."
    assert site.tree() == ["accepted/1042-a-..-../a.stl"]


def test_an_accepted_folder_is_kept_whole(site):
    site.put("ann/a.stl")
    site.put("ann/.hidden")
    keeping.keep_accepted(site.root, site.take(), "1043-ann")
    assert site.tree() == ["accepted/1043-ann/ann/.hidden", "accepted/1043-ann/ann/a.stl"]


def test_a_taken_name_gets_a_suffix(site):
    for data in (b"1", b"2", b"3"):
        site.put("a.stl", data)
        keeping.keep_rejected(site.root, site.take(), (NO,))
        site.put("a.stl", data)
        keeping.keep_accepted(site.root, site.take(), "7-a")
    for number, name in enumerate(["a.stl", "a-2.stl", "a-3.stl"], start=1):
        assert (site.root / "rejected" / name).read_text() == str(number)
        assert (site.root / "rejected" / f"{name}.reason.txt").exists()
    assert sorted(p.name for p in (site.root / "accepted").iterdir()) == ["7-a", "7-a-2", "7-a-3"]


def test_the_reason_says_all_four_parts_and_no_escape_sequence(site):
    site.put("a.stl")
    keeping.keep_rejected(site.root, site.take(), (NO,))
    text = (site.root / "rejected/a.stl.reason.txt").read_text()
    assert "Nothing prints." in text
    assert "Export again." in text
    assert "EMPTY" in text
    assert "\x1b" not in text


def test_a_file_that_a_person_put_where_ours_was_to_go_is_left_alone(site):
    site.put("a.stl", b"ours")
    claim = keeping.reserve_rejected(site.root, site.take())
    (site.root / "rejected/a.stl").write_text("theirs")
    assert keeping.keep_rejected(site.root, claim, (NO,)) == "rejected/a-2.stl"
    assert (site.root / "rejected/a.stl").read_text() == "theirs"


def test_move_never_overwrites(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    with pytest.raises(FileExistsError):
        move(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "b"


# --- after a crash -----------------------------------------------------------------------------------------


class PowerCut(BaseException):
    """Ends the work at a chosen call, as kill -9 would between two system calls."""


def cut_after(monkeypatch, calls: int) -> list[int]:
    """Let the first `calls` state-changing file calls through; the next one never happens."""
    count = [0]

    def wrap(owner, name):
        real = getattr(owner, name)

        def step(*args, **kwargs):
            count[0] += 1
            if count[0] > calls:
                raise PowerCut
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, step)

    for owner, names in ((os, ("mkdir", "rmdir", "unlink", "rename", "replace", "fsync", "write")),):
        for name in names:
            wrap(owner, name)
    return count


@pytest.mark.parametrize("other_filesystem", [False, True])
@pytest.mark.parametrize("ending", ["accepted", "rejected"])
def test_cut_off_at_any_step_nothing_is_lost_or_doubled(tmp_path, monkeypatch, ending, other_filesystem):
    """For every n: stop after n file operations, start again, finish. One copy in the end, of one drop id."""
    for calls in itertools.count(0):
        site = Site(tmp_path / str(calls))
        site.put("ann/a.stl", b"aaa")
        with monkeypatch.context() as patch:
            if other_filesystem:
                _refuse_rename_out_of(patch, site.inbox)
            ids = []
            with patch.context() as cut:
                cut_after(cut, calls)
                try:
                    _whole_way(site, ending, ids)
                    finished = True
                except PowerCut:
                    finished = False
            restarted = Claims(site=site.root, inbox=site.inbox, new_id=lambda: "later", wall=lambda: 2e9)
            left = restarted.left_over()
            assert len(left) <= 1
            for claim in left:
                ids.append(claim.drop_id)
                _finish(site, claim, ending)
            for dropped in list_inbox(site.inbox):
                claim = restarted.take(dropped)
                assert claim is not None
                assert not left, "the copied original came up as a second drop"
                _finish(site, claim, ending)
            assert restarted.left_over() == ()
        copies = [name for name in site.tree() if name.endswith("a.stl")]
        assert len(copies) == 1, (calls, site.tree())
        assert copies[0].startswith(ending)
        assert (site.root / copies[0]).read_bytes() == b"aaa"
        assert list((site.root / "claimed").glob("*")) == []
        assert list_inbox(site.inbox) == ()
        if finished:
            assert calls > 20
            return


def _whole_way(site: Site, ending: str, ids: list[str]) -> None:
    claim = site.take()
    ids.append(claim.drop_id)
    _finish(site, claim, ending)


def _finish(site: Site, claim: Claim, ending: str) -> None:
    read_claim(claim)
    if ending == "accepted":
        keeping.keep_accepted(site.root, claim, "1-ann")
    else:
        keeping.keep_rejected(site.root, claim, (NO,))


def _refuse_rename_out_of(patch, inbox: Path) -> None:
    """What the kernel answers when the inbox is another mount; the copying that follows is real."""
    real = os.rename

    def rename(source, target, **kwargs):
        if Path(source).is_relative_to(inbox) and not Path(target).is_relative_to(inbox):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(source, target, **kwargs)

    patch.setattr(os, "rename", rename)


def test_an_inbox_on_another_filesystem(tmp_path):
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this computer has no second writable filesystem to try it on")
    inbox = other / f"kiln-test-{os.getpid()}"
    inbox.mkdir()
    try:
        (inbox / "a.stl").write_bytes(b"aaa")
        claims = Claims(site=tmp_path, inbox=inbox, new_id=lambda: "d0001", wall=lambda: 0)
        (dropped,) = list_inbox(inbox)
        claim = claims.take(dropped)
        assert claim is not None
        assert claim.source_key == ("", "a.stl")
        assert (inbox / "a.stl").exists(), "the original stays until the drop has found its place"
        keeping.keep_accepted(tmp_path, claim, "1-a")
        assert not (inbox / "a.stl").exists()
        assert (tmp_path / "accepted/1-a/a.stl").read_bytes() == b"aaa"

        (inbox / "a.stl").write_bytes(b"bbb")
        claims = Claims(site=tmp_path, inbox=inbox, new_id=lambda: "d0002", wall=lambda: 0)
        (dropped,) = list_inbox(inbox)
        claim = claims.take(dropped)
        assert claim is not None
        (inbox / "a.stl").write_bytes(b"written over meanwhile")
        keeping.keep_accepted(tmp_path, claim, "2-a")
        assert (inbox / "a.stl").read_bytes() == b"written over meanwhile"

        (inbox / "a.stl").unlink()
        os.mkfifo(inbox / "pipe")
        (dropped,) = list_inbox(inbox)
        claims = Claims(site=tmp_path, inbox=inbox, new_id=lambda: "d0003", wall=lambda: 0)
        with pytest.raises(CantTake, match="by hand"):
            claims.take(dropped)
    finally:
        shutil.rmtree(inbox)


def test_a_damaged_note_loses_no_file(site):
    site.put("a.stl")
    claim = site.take()
    (claim.folder / ".claim.json").write_bytes(b"\x00" * 40)
    (left,) = site.claims.left_over()
    assert left.path == claim.path
    assert left.drop_id == claim.drop_id


# --- names and opening -------------------------------------------------------------------------------------


@given(st.one_of(st.text(max_size=300), st.binary(min_size=1, max_size=255).map(os.fsdecode)))
def test_kept_names_are_always_usable(name):
    kept = kept_name(name)
    assert kept
    assert "/" not in kept
    assert not kept.startswith(".")
    assert kept.isprintable()
    assert len(kept.encode()) <= 180
    assert kept_name(kept) == kept


def test_open_regular_refuses_everything_else(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "link", "folder", "/dev/zero"):
        with pytest.raises(NotRegular), open_regular(tmp_path / name):
            pass
