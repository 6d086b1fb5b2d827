"""The meaning of OctoPrint's answers: known cases, and no case that raises."""

import unicodedata
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import octoprint_translate as translate
from adapters.address import base_url
from adapters.bounded_json import decode_json
from adapters.octoprint_http import file_path, still_address
from adapters.octoprint_push import job_of, merge
from core.contract import AdapterError, BootSignature, Heater, NotPossible, Phase, ProtocolError

NOW = 12.5
BOOT = BootSignature(boot="1-1", job_counter=3)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4)
    ),
    max_leaves=20,
)
KEYS = [
    "job",
    "file",
    "path",
    "origin",
    "size",
    "lastPrintTime",
    "progress",
    "completion",
    "filepos",
    "printTime",
]
KEYS += [
    "state",
    "text",
    "error",
    "temperature",
    "tool0",
    "actual",
    "target",
    "prints",
    "last",
    "success",
    "files",
]
KEYS += [
    "children",
    "type",
    "hash",
    "date",
    "stats",
    "created",
    "server_starts",
    "prints_started",
    "printTimeLeft",
]
WORDS = ["Operational", "Printing", "Offline", "Finishing", "Offline after error", "machinecode", "folder"]
SHAPED = st.recursive(
    JSON | st.sampled_from(WORDS) | st.sampled_from([100.0, 100, 1e308, -1, 2**70]),
    lambda children: (
        st.dictionaries(st.sampled_from(KEYS), children, max_size=6) | st.lists(children, max_size=3)
    ),
    max_leaves=25,
)


def job(
    state: str = "Operational",
    *,
    path: str | None = "a.gcode",
    completion: float | None = None,
    time: float | None = None,
    last: float | None = None,
    position: int | None = None,
) -> dict[str, Any]:
    return {
        "job": {
            "file": {"path": path, "origin": "local" if path else None, "size": 944},
            "lastPrintTime": last,
        },
        "progress": {"completion": completion, "printTime": time, "filepos": position, "printTimeLeft": 60},
        "state": state,
    }


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("Operational", Phase.IDLE),
        ("Starting", Phase.PREPARING),
        ("Printing", Phase.PRINTING),
        ("Printing from SD", Phase.PRINTING),
        ("Finishing", Phase.PRINTING),
        ("Pausing", Phase.PAUSING),
        ("Paused", Phase.PAUSED),
        ("Resuming", Phase.RESUMING),
        ("Cancelling", Phase.CANCELLING),
        ("Offline", Phase.OFFLINE),
        ("Connecting", Phase.OFFLINE),
        ("Offline after error", Phase.ERROR),
        ("Offline (Error: heater)", Phase.ERROR),
        ("Error", Phase.ERROR),
        ("Sending file to SD", Phase.BUSY),
        ("Unknown State (99)", Phase.UNKNOWN),
        ("", Phase.UNKNOWN),
    ],
)
def test_state_words(state: str, phase: Phase) -> None:
    assert translate.phase_of(job(state), None, ()) is phase


def test_finished_needs_every_piece_of_evidence() -> None:
    full: dict[str, Any] = {"completion": 100.0, "time": 10.0, "last": 10.4, "position": 944}
    assert translate.phase_of(job(**full), None, ()) is Phase.FINISHED
    for missing in ("completion", "time", "last"):
        assert translate.phase_of(job(**{**full, missing: None}), None, ()) is not Phase.FINISHED
    assert not translate.complete_evidence(job(**{**full, "position": 12})), "the former print's progress"
    assert not translate.complete_evidence(job("Printing", **full))


def test_an_end_not_recorded_yet_is_neither_idle_nor_finished() -> None:
    assert translate.phase_of(job(completion=100.0, time=10.0), None, ()) is Phase.BUSY


def test_a_phantom_done_is_idle() -> None:
    assert translate.phase_of(job(completion=0, time=None, last=None), None, ()) is Phase.IDLE


def test_cancelled_only_by_a_recorded_failure() -> None:
    failed = {"prints": {"success": 0, "failure": 1, "last": {"success": False}}}
    assert translate.phase_of(job(), failed, ()) is Phase.CANCELLED
    assert translate.phase_of(job(), {"prints": {"last": {"success": True}}}, ()) is Phase.IDLE
    assert translate.phase_of(job(), None, ()) is Phase.IDLE


def test_printing_with_cold_heaters_is_preparing() -> None:
    cold = (Heater(name="tool0", actual=30.0, target=210.0),)
    warm = (Heater(name="tool0", actual=205.0, target=210.0), Heater(name="bed", actual=60.0, target=0.0))
    assert translate.phase_of(job("Printing"), None, cold) is Phase.PREPARING
    assert translate.phase_of(job("Printing"), None, warm) is Phase.PRINTING
    assert translate.phase_of(job("Finishing"), None, cold) is Phase.PRINTING


def test_a_file_on_the_card_is_never_taken_for_ours() -> None:
    card = job("Printing")
    card["job"]["file"]["origin"] = "sdcard"
    assert translate.remote_file_of(card) == "sd:a.gcode"


def test_signature_from_statistics_and_from_files() -> None:
    stats = {"stats": {"created": 1795249265, "server_starts": 2, "prints_started": 7}}
    assert translate.boot_from_statistics(stats) == BootSignature(boot="1795249265-2", job_counter=7)
    assert translate.boot_from_statistics({"stats": {"server_starts": 2}}) is None
    listing = {
        "files": [
            {
                "type": "machinecode",
                "path": "a.gcode",
                "prints": {"success": 1, "failure": 2, "last": {"date": 5}},
            },
            {
                "type": "folder",
                "children": [
                    {
                        "type": "machinecode",
                        "path": "f/b.gcode",
                        "prints": {"success": 1, "last": {"date": 9}},
                    }
                ],
            },
            {"type": "model", "path": "c.stl"},
        ]
    }
    assert translate.boot_from_files(listing) == BootSignature(last_name="f/b.gcode", job_counter=4)
    names = [file.name for entry in translate.walk_files(listing) if (file := translate.remote_file(entry))]
    assert names == ["a.gcode", "f/b.gcode"]


def test_a_files_record_counts_unless_it_is_a_phantom() -> None:
    def held(prints: object) -> tuple[int | None, int | None]:
        file = translate.remote_file({"path": "a.gcode", "prints": prints})
        assert file is not None
        return file.successes, file.failures

    assert held(None) == (0, 0)
    assert held({"success": 1, "failure": 2, "last": {"success": True, "printTime": 3.5}}) == (1, 2)
    assert held({"success": 0, "failure": 1, "last": {"success": False, "printTime": None}}) == (0, 1)
    assert held({"success": 1, "failure": 0, "last": {"success": True, "printTime": None}}) == (None, None)


def test_escape_sequences_never_get_through() -> None:
    look = translate.observation(
        job=job("Oper\x1b[2Jational", path="\x1b]0;x\x07.gcode"),
        printer={"state": {"error": "\x9b31mred"}, "temperature": {"\x1b[1mtool": {"actual": 3}}},
        error={"error": "bad\u202e"},
        boot=BOOT,
        seen_at=NOW,
        full=True,
    )
    told = (look.raw, look.printer_job.remote_file, *look.messages, *(h.name for h in look.heaters))
    assert all(unicodedata.category(char)[0] != "C" for text in told for char in text)


@given(SHAPED, SHAPED, SHAPED, SHAPED)
def test_no_json_makes_it_raise(job_: object, printer: object, error: object, file_info: object) -> None:
    look = translate.observation(
        job=job_, printer=printer, error=error, file_info=file_info, boot=BOOT, seen_at=NOW, full=True
    )
    assert len(look.raw) <= 2000
    assert look.full is False or isinstance(job_, dict)
    if look.printer_job.complete_evidence:
        assert look.phase is Phase.FINISHED
    if look.printer_job.progress is not None:
        assert 0.0 <= look.printer_job.progress <= 1.0
    msgspec.json.encode(look)


@given(SHAPED)
def test_listings_statistics_and_pushes_never_raise(value: object) -> None:
    translate.boot_from_statistics(value)
    translate.boot_from_files(value)
    for entry in translate.walk_files(value):
        translate.remote_file(entry)
    current, _ = merge(None, value)
    translate.observation(job=job_of(current), boot=BOOT, seen_at=NOW, full=False)


@given(SHAPED, st.sampled_from(["current", "history", "event", "reauthRequired"]))
def test_push_messages_of_the_right_kind_never_raise(value: object, kind: str) -> None:
    current, changed = merge({"state": {"text": "Printing"}}, {kind: value})
    assert changed or current == {"state": {"text": "Printing"}}


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        decode_json(data)
    except ProtocolError:
        return


def test_depth_and_number_of_parts_are_bounded() -> None:
    assert decode_json(b"[" * 20 + b"]" * 20) is not None
    for bad in (b"[" * 40 + b"]" * 40, b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"1," * 900_000 + b"1]"):
        with pytest.raises(ProtocolError):
            decode_json(bad)


@given(st.text(max_size=60))
def test_any_address_is_taken_or_refused(typed: str) -> None:
    try:
        url = base_url(typed, 80)
    except NotPossible:
        return
    assert url.startswith(("http://", "https://"))
    assert url.isascii()
    assert not any(c.isspace() for c in url)


@pytest.mark.parametrize(
    ("typed", "port", "url"),
    [
        ("192.168.1.20", 80, "http://192.168.1.20"),
        (" octopi.local:5000/ ", 80, "http://octopi.local:5000"),
        ("https://farm.example/octo1/", 80, "https://farm.example/octo1"),
        ("http://[::1]:5000", 80, "http://[::1]:5000"),
        ("k1.local", 7125, "http://k1.local:7125"),
    ],
)
def test_addresses_as_people_type_them(typed: str, port: int, url: str) -> None:
    assert base_url(typed, port) == url


@pytest.mark.parametrize(
    "typed",
    ["", "http://", "ftp://x", "http://u:p@x", "x:99999", "x:y", "http://x/?a=b", "a b", "http://x/a b"],
)
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(NotPossible):
        base_url(typed, 80)


@given(st.text(max_size=40))
def test_file_names_are_kept_or_refused(name: str) -> None:
    try:
        path = file_path(name)
    except AdapterError:
        return
    assert path.removeprefix("/api/files/local/").replace("%2B", "+") == name


@pytest.mark.parametrize(
    ("snapshot", "address"),
    [
        ("/webcam/?action=snapshot", "http://10.0.0.5/webcam/?action=snapshot"),
        ("http://localhost:8080/?action=snapshot", "http://10.0.0.5:8080/?action=snapshot"),
        ("http://127.0.0.1/cam", "http://10.0.0.5/cam"),
        ("http://10.0.0.5:9/x", "http://10.0.0.5:9/x"),
    ],
)
def test_where_the_camera_is(snapshot: str, address: str) -> None:
    assert still_address("http://10.0.0.5", snapshot) == address


@given(st.text(max_size=40) | st.text(alphabet="/:@[]?#.httpx1\\", max_size=30))
def test_no_camera_address_leads_to_another_host(snapshot: str) -> None:
    try:
        address = still_address("http://10.0.0.5", snapshot)
    except NotPossible:
        return
    assert urlsplit(address).hostname == "10.0.0.5"
    assert urlsplit(address).username is None


@pytest.mark.parametrize(
    "snapshot",
    [
        "",
        "file:///etc/passwd",
        "http://evil.example/x",
        "http://10.0.0.5@evil.example/",
        "http://x:y/",
        "http://[/",
    ],
)
def test_a_camera_elsewhere_is_refused(snapshot: str) -> None:
    with pytest.raises(NotPossible):
        still_address("http://10.0.0.5", snapshot)
