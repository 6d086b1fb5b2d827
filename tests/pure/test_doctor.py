"""Doctor: each trouble is found, and each says how to mend it."""

import io
import json
import os
import socket
from pathlib import Path

import apsw
import msgspec
import pytest

from core.domain.objects import Printer
from core.site.paths import SitePaths
from kiln_tui.cli import doctor_machine as machine
from kiln_tui.cli import doctor_site as site_checks
from kiln_tui.cli.doctor import Check, Result, checks, report

UTF8 = {"LANG": "de_DE.UTF-8", "TERM": "xterm-256color"}


def by_name(found: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in found}


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "site"
    SitePaths(root).create()
    return root


def test_this_computer_and_a_place_where_no_site_is_yet(tmp_path):
    found = by_name(checks(tmp_path / "none"))
    assert found["Python"].result is Result.OK
    assert found["SQLite"].result is Result.OK
    assert "made at the first start" in found["Site folder"].says
    assert "made at the first start" in found["Inbox"].says
    assert found["Database"].result is Result.OK
    assert not (tmp_path / "none").exists(), "doctor only looks"
    assert all(check.fix for check in found.values() if check.result is not Result.OK)


def test_old_python():
    assert machine.python((3, 10, 12)).result is Result.FAIL
    assert machine.python((3, 11, 0)).result is Result.OK


@pytest.mark.parametrize(
    ("version", "result"),
    [((3, 51, 2), Result.FAIL), ((3, 40, 1), Result.FAIL), ((3, 7, 0), Result.FAIL), ((3, 51, 3), Result.OK)],
)
def test_sqlite_with_the_wal_reset_bug(version, result):
    assert machine.sqlite_version(version).result is result


@pytest.mark.parametrize(
    ("environ", "size", "name", "result", "says"),
    [
        (UTF8, (80, 24), "Terminal", Result.OK, "80×24, 256 colors"),
        ({**UTF8, "COLORTERM": "truecolor"}, (200, 60), "Terminal", Result.OK, "all colors"),
        ({**UTF8, "TERM": "linux"}, (80, 25), "Terminal", Result.OK, "8 colors"),
        ({**UTF8, "NO_COLOR": "1"}, (80, 24), "Terminal", Result.OK, "no colors"),
        ({**UTF8, "SSH_CONNECTION": "1"}, (80, 24), "Terminal", Result.OK, "over SSH"),
        (UTF8, (79, 24), "Terminal", Result.WARN, "smaller than 80×24"),
        ({**UTF8, "TERM": "dumb"}, (80, 24), "Terminal", Result.FAIL, "no screen can be drawn"),
        ({"LANG": "de_DE.UTF-8"}, (80, 24), "Terminal", Result.FAIL, "(unset)"),
        (UTF8, None, "Terminal", Result.OK, "not run at one"),
        ({"TERM": "xterm"}, (80, 24), "Letters", Result.WARN, "not set"),
        ({**UTF8, "LC_ALL": "C"}, (80, 24), "Letters", Result.WARN, "the locale is C"),
        ({**UTF8, "TMUX": "/tmp/x"}, (80, 24), "tmux", Result.WARN, "garbles"),
    ],
)
def test_terminals(environ, size, name, result, says):
    check = by_name(machine.terminal_of(environ, size))[name]
    assert check.result is result
    assert says in check.says
    assert bool(check.fix) == (result is not Result.OK)


def test_tmux_that_keeps_the_escape_key_waiting():
    environ = {**UTF8, "TERM": "tmux-256color", "TMUX": "/tmp/x"}
    assert "500 ms" in by_name(machine.terminal_of(environ, (80, 24), 500))["tmux"].says
    assert "tmux" not in by_name(machine.terminal_of(environ, (80, 24), 10))


@pytest.mark.parametrize(
    ("before", "after", "ntp", "result"),
    [
        ((1.8e9, 5.0), (1.8e9 + 0.05, 5.05), True, Result.OK),
        ((1.8e9, 5.0), (1.8e9 + 0.05, 5.05), None, Result.OK),
        ((1.8e9, 5.0), (1.8e9 + 0.05, 5.05), False, Result.WARN),
        ((1.8e9, 5.0), (1.8e9 + 90, 5.05), True, Result.WARN),
        ((1.8e9, 5.0), (1.8e9 + 0.05, 5.0), True, Result.FAIL),
        ((0.0, 5.0), (0.05, 5.05), True, Result.FAIL),
    ],
)
def test_clocks(before, after, ntp, result):
    assert machine.clock_of(before, after, ntp).result is result


def test_what_is_not_known_of_the_clock_is_said():
    assert "can't be told" in machine.clock_of((1.8e9, 5.0), (1.8e9, 5.05), None).says


def test_inotify_limits():
    assert machine.inotify_of(1000, 128).result is Result.WARN
    assert machine.inotify_of(65536, 8).result is Result.WARN
    assert machine.inotify_of(65536, 128).result is Result.OK
    assert machine.inotify_of(None, None).result is Result.OK


def test_disk():
    assert site_checks.disk_of(100 << 20, 1 << 40).result is Result.FAIL
    assert site_checks.disk_of(1 << 30, 1 << 40).result is Result.WARN
    assert site_checks.disk_of(1 << 40, 1 << 41).result is Result.OK


def test_keys_that_others_can_read(site):
    secrets = SitePaths(site).secrets
    secrets.write_text("octo: 0123456789\n")
    secrets.chmod(0o644)
    check = by_name(site_checks.folder(site))["Secrets"]
    assert check.result is Result.FAIL
    assert "chmod 600" in check.fix
    assert "0123456789" not in str(check)
    secrets.chmod(0o600)
    assert "Secrets" not in by_name(site_checks.folder(site))


def test_a_site_that_others_can_enter(site):
    site.chmod(0o755)
    (check,) = site_checks.folder(site)
    assert (check.result, check.fix) == (Result.WARN, f"chmod 700 {site}")


def test_a_site_that_is_a_file(tmp_path):
    (tmp_path / "site").write_text("x")
    (check,) = site_checks.folder(tmp_path / "site")
    assert check.result is Result.FAIL


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("inbocks: {}", "inbocks"),
        ("[", "can't be read"),
        ("inbox: {folders: {a: {materiel: PLA}}}", "inbox.folders.a.materiel is no known key"),
    ],
)
def test_wrong_settings_are_named(site, text, says):
    SitePaths(site).settings.write_text(text)
    check = site_checks.settings(site)
    assert check.result is Result.FAIL
    assert says in check.says


def test_a_slicer_path_that_is_wrong_and_none_at_all(site, monkeypatch):
    SitePaths(site).settings.write_text("slicer: /nowhere/prusa-slicer")
    assert site_checks.slicer(site).result is Result.FAIL
    SitePaths(site).settings.unlink()
    monkeypatch.setenv("PATH", "/nowhere")
    check = site_checks.slicer(site)
    assert check.result is Result.WARN
    assert "slicer fetch" in check.fix


def test_an_inbox_that_is_configured_and_gone(site):
    SitePaths(site).settings.write_text("inbox: {path: /nowhere/inbox}")
    check = site_checks.inbox(site)
    assert check.result is Result.FAIL
    assert "Mount the share" in check.fix


def test_where_the_inbox_is_mounted(site, tmp_path):
    mounts = tmp_path / "mounts"
    place = SitePaths(site).inbox.resolve()
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\n//nas/share {place} cifs rw,relatime 0 0\n")
    assert "cifs" in site_checks.inbox(site, mounts).says
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\n//nas/share {place} cifs ro,relatime 0 0\n")
    assert site_checks.inbox(site, mounts).result is Result.FAIL
    mounts.write_text("garbage\n")
    assert site_checks.inbox(site, mounts).result is Result.OK


def make_database(site: Path, printers: list[Printer], version: int = 1) -> Path:
    path = SitePaths(site).database
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, filler TEXT)")
    connection.execute("CREATE TABLE printers (id TEXT, name TEXT, removed INTEGER, doc BLOB)")
    for printer in printers:
        row = (printer.printer_id, printer.name, 0, msgspec.json.encode(printer))
        connection.execute("INSERT INTO printers VALUES (?,?,?,?)", row)
    connection.executemany("INSERT INTO events (filler) VALUES (?)", [("x" * 500,)] * 200)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    return path


def test_databases_good_damaged_newer_and_no_database_at_all(site):
    path = make_database(site, [])
    good = site_checks.database(site)
    assert good.result is Result.OK
    assert "200 events" in good.says
    whole = path.read_bytes()
    path.write_bytes(whole[:9000] + os.urandom(8000) + whole[17000:])
    assert site_checks.database(site).result is Result.FAIL
    path.write_bytes(b"this is no database, just text " * 100)
    assert "can't be read" in site_checks.database(site).says
    path.unlink()
    make_database(site, [], version=99)
    assert "newer" in site_checks.database(site).says


def printer(name: str, adapter: str, address: str) -> Printer:
    return Printer(printer_id=name, version=1, name=name, adapter=adapter, address=address, model_id="mk4")


def test_printers_that_answer_and_that_do_not(site):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as closed:
        gone = closed.getsockname()[1]
        closed.close()
        make_database(
            site,
            [
                printer("here", "octoprint", f"http://127.0.0.1:{server.getsockname()[1]}"),
                printer("gone", "octoprint", f"127.0.0.1:{gone}"),
                printer("odd", "octoprint", "ftp://x"),
                printer("virtual", "virtual", ""),
                printer("alien", "telepathy", ""),
            ],
        )
        found = by_name(site_checks.printers(site))
    assert {name.removeprefix("Printer "): check.result for name, check in found.items()} == {
        "here": Result.OK,
        "gone": Result.WARN,
        "odd": Result.FAIL,
        "virtual": Result.OK,
        "alien": Result.FAIL,
    }


FOUND = [
    Check(name="Disk", result=Result.OK, says="80 GB free"),
    Check(name="Slicer", result=Result.FAIL, says="none", fix="Install it → now."),
]


def test_the_table_and_the_exit_code():
    out = io.StringIO()
    assert report(FOUND, out=out) == 1
    assert "FAIL  Slicer  none\n" in out.getvalue()
    assert "→ Install it → now." in out.getvalue()
    assert "1 to mend" in out.getvalue()
    assert report(FOUND[:1], out=io.StringIO()) == 0


def test_json():
    out = io.StringIO()
    assert report(FOUND, as_json=True, out=out) == 1
    assert json.loads(out.getvalue())[1] == {
        "name": "Slicer",
        "result": "fail",
        "says": "none",
        "fix": "Install it → now.",
    }


def test_an_output_that_knows_no_arrows():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    report(FOUND, out=out)
    assert b"? Install it ? now." in raw.getvalue()


def test_a_check_that_can_not_be_carried_out_does_not_end_the_others(tmp_path, monkeypatch):
    def broken() -> Check:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine, "inotify", broken)
    found = by_name(checks(tmp_path / "none"))
    assert "could not be checked" in found["Folder notifications"].says
    assert "Printers" in found
