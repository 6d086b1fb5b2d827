"""What OctoPrint's answers mean (pure; never raises, whatever the JSON looks like).

Facts observed on OctoPrint 1.11.8 with its Virtual Printer, and read in its source: `/api/job` is one
consistent snapshot of state text, file and progress, so the phase comes from there alone; `/api/printer`, read
a moment apart, adds temperatures. The state texts are those of `MachineCom.getStateString` and never localised.
"""

import msgspec

from adapters.bounded_json import at, number, text, whole
from core.contract import BootSignature, Heater, Link, Observation, Phase, PrinterJob, RemoteFile
from core.domain.text import clean

_TEXTS = {
    "Starting": Phase.PREPARING,
    "Printing": Phase.PRINTING,
    "Printing from SD": Phase.PRINTING,
    "Starting print from SD": Phase.PREPARING,
    "Finishing": Phase.PRINTING,
    "Pausing": Phase.PAUSING,
    "Paused": Phase.PAUSED,
    "Resuming": Phase.RESUMING,
    "Cancelling": Phase.CANCELLING,
    "Offline": Phase.OFFLINE,
    "Opening serial connection": Phase.OFFLINE,
    "Detecting serial connection": Phase.OFFLINE,
    "Connecting": Phase.OFFLINE,
    "Sending file to SD": Phase.BUSY,
    "Starting to send file to SD": Phase.BUSY,
    "Transferring file to SD": Phase.BUSY,
    "Error": Phase.ERROR,
    "Offline after error": Phase.ERROR,
}
_COLD_BY = 10.0
_MAX_HEATERS = 24
_MAX_FILES = 2000
_MAX_FOLDER_DEPTH = 16


def observation(
    *,
    job: object,
    printer: object = None,
    error: object = None,
    file_info: object = None,
    boot: BootSignature,
    seen_at: float,
    full: bool,
) -> Observation:
    """One look, from the answers of `/api/job`, `/api/printer`, `/api/printer/error` and the selected file.

    Answers that were not asked for, or not given (409 of an unconnected printer), are None.
    """
    heaters = heaters_of(at(printer, "temperature"))
    return Observation(
        seen_at=seen_at,
        link=Link.ONLINE,
        phase=phase_of(job, file_info, heaters),
        full=full and isinstance(at(job, "state"), str),
        printer_job=printer_job_of(job),
        heaters=heaters,
        boot=boot,
        messages=_messages(job, printer, error),
        raw=_raw(job, printer, error),
    )


def state_text(job: object) -> str:
    """OctoPrint's word for the state, '' where the answer has none."""
    return text(at(job, "state"))


def phase_of(job: object, file_info: object, heaters: tuple[Heater, ...]) -> Phase:
    """The canonical phase; UNKNOWN for a state text that this version of OctoPrint did not have."""
    said = state_text(job)
    if said == "Operational":
        return _resting(job, file_info)
    if said.startswith(("Offline (Error", "Offline after error", "Error")):
        return Phase.ERROR
    phase = _TEXTS.get(said, Phase.UNKNOWN)
    if phase is Phase.PRINTING and said != "Finishing" and _cold(heaters):
        return Phase.PREPARING
    return phase


def _resting(job: object, file_info: object) -> Phase:
    if complete_evidence(job):
        return Phase.FINISHED
    completion = number(at(job, "progress", "completion"))
    if completion is None:
        last = at(file_info, "prints", "last")
        if isinstance(last, dict) and last.get("success") is False:
            return Phase.CANCELLED
        return Phase.IDLE
    if completion == 100.0 and number(at(job, "progress", "printTime")) is not None:
        # The end is recorded by a thread of OctoPrint a moment after the state changes; until then this is
        # neither an end with evidence nor an idle printer.
        return Phase.BUSY
    # A progress below the end, or one without a print time, is what a phantom "done" leaves behind.
    return Phase.IDLE


def complete_evidence(job: object) -> bool:
    """Whether the selected file demonstrably ran to its end.

    Completion alone does not do: a select that overlaps an end shows the new file with the former progress for
    a moment, and a phantom "done" has no print time. `lastPrintTime` belongs to the file itself and is written
    by a success only; for a file that is printed at most once it is that print's.
    """
    size, position = number(at(job, "job", "file", "size")), number(at(job, "progress", "filepos"))
    return (
        state_text(job) in ("Operational", "Finishing")
        and number(at(job, "progress", "completion")) == 100.0
        and number(at(job, "progress", "printTime")) is not None
        and number(at(job, "job", "lastPrintTime")) is not None
        and (size is None or position is None or position >= size)
    )


def remote_file_of(job: object) -> str:
    """The selected file by its path; one on the printer's own card gets the prefix ``sd:``."""
    path = text(at(job, "job", "file", "path"), 300)
    origin = text(at(job, "job", "file", "origin"))
    return f"sd:{path}" if path and origin == "sdcard" else path


def printer_job_of(job: object) -> PrinterJob:
    """The selected file and how far it is; OctoPrint knows neither a job id nor layers."""
    completion = number(at(job, "progress", "completion"))
    return PrinterJob(
        remote_file=remote_file_of(job),
        progress=None if completion is None else min(max(completion / 100.0, 0.0), 1.0),
        elapsed_s=_not_negative(number(at(job, "progress", "printTime"))),
        remaining_s=_not_negative(number(at(job, "progress", "printTimeLeft"))),
        complete_evidence=complete_evidence(job) and state_text(job) == "Operational",
    )


def _not_negative(value: float | None) -> float | None:
    return value if value is not None and value >= 0 else None


def heaters_of(temperature: object) -> tuple[Heater, ...]:
    """Heaters by OctoPrint's names: ``tool0``…, ``bed``, ``chamber``."""
    if not isinstance(temperature, dict):
        return ()
    found = []
    for name, reading in list(temperature.items())[:_MAX_HEATERS]:
        actual = number(at(reading, "actual"))
        if isinstance(name, str) and actual is not None:
            found.append(Heater(name=clean(name, 40), actual=actual, target=number(at(reading, "target"))))
    return tuple(sorted(found, key=lambda heater: heater.name))


def _cold(heaters: tuple[Heater, ...]) -> bool:
    return any(h.target is not None and h.target > 0 and h.actual < h.target - _COLD_BY for h in heaters)


def _messages(job: object, printer: object, error: object) -> tuple[str, ...]:
    found = [
        text(at(job, "error")),
        text(at(printer, "state", "error")),
        text(at(error, "error")),
    ]
    if state_text(job) == "Offline":
        found.insert(0, "OctoPrint is running but not connected to the printer.")
    return tuple(dict.fromkeys(message for message in found if message))


def _raw(job: object, printer: object, error: object) -> str:
    kept = {"job": job, "state": at(printer, "state"), "error": at(error, "error")}
    try:
        return clean(msgspec.json.encode(kept).decode(), 1500)
    except (msgspec.EncodeError, UnicodeEncodeError, TypeError, ValueError, RecursionError):
        return ""


def boot_from_statistics(stats_answer: object) -> BootSignature | None:
    """The signature from OctoPrint's own statistics (`/plugin/achievements/`, bundled since 1.11).

    `server_starts` counts starts of OctoPrint, `prints_started` counts every print at its beginning, both are
    kept on disk at once. None where the answer has no such numbers.
    """
    stats = at(stats_answer, "stats")
    created, starts = whole(at(stats, "created")), whole(at(stats, "server_starts"))
    prints = whole(at(stats, "prints_started"))
    if created is None or starts is None or prints is None:
        return None
    return BootSignature(boot=f"{created}-{starts}", job_counter=prints)


def boot_from_files(listing: object) -> BootSignature:
    """The weaker signature, from the print counters of the files that are still there.

    It does not see a restart of OctoPrint, nor a print that a kill of OctoPrint ended; deleting a printed file
    changes it, which is the safe side.
    """
    total, newest, newest_name = 0, -1.0, ""
    for entry in walk_files(listing):
        prints = at(entry, "prints")
        total += max(whole(at(prints, "success")) or 0, 0) + max(whole(at(prints, "failure")) or 0, 0)
        when = number(at(prints, "last", "date"))
        if when is not None and when > newest:
            newest, newest_name = when, text(at(entry, "path"), 300)
    return BootSignature(boot="", last_name=newest_name, job_counter=total)


def walk_files(listing: object) -> tuple[object, ...]:
    """The machine-code files of a recursive listing, folders unfolded, at most 2,000."""
    found: list[object] = []
    level: list[object] = _entries(at(listing, "files"))
    for _ in range(_MAX_FOLDER_DEPTH):
        deeper: list[object] = []
        for entry in level:
            if at(entry, "type") == "folder":
                deeper.extend(_entries(at(entry, "children")))
            elif at(entry, "type") == "machinecode" and len(found) < _MAX_FILES:
                found.append(entry)
        level = deeper
    return tuple(found)


def _entries(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def remote_file(entry: object) -> RemoteFile | None:
    """A file of a listing with its size in bytes and the SHA-1 of its content, None without a path.

    A file without a record of prints was never printed to an end that OctoPrint noticed; a record that cannot
    be trusted gives None for the counts.
    """
    path = text(at(entry, "path"), 300)
    if not path:
        return None
    digest = text(at(entry, "hash"), 64).lower()
    known = len(digest) == 40 and all(c in "0123456789abcdef" for c in digest)
    prints = at(entry, "prints")
    # Two overlapping starts can leave a "success" without a print time for a file that never printed.
    phantom = at(prints, "last", "success") is True and number(at(prints, "last", "printTime")) is None
    return RemoteFile(
        name=path,
        size=whole(at(entry, "size")),
        digest=f"sha1:{digest}" if known else None,
        successes=None if phantom else max(whole(at(prints, "success")) or 0, 0),
        failures=None if phantom else max(whole(at(prints, "failure")) or 0, 0),
    )
