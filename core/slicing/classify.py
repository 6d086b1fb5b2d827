"""From the slicer's last words to an outcome (pure); the words were observed with PrusaSlicer 2.5.0 and 2.9.2."""

import re
import signal
from collections.abc import Sequence

from core.slicing.outcomes import SliceOutcome
from core.slicing.sandbox import Ended, Stopped

_LOG_PREFIX = re.compile(r"^\[[^\]]*\] \[0x[0-9a-f]+\] \[(\w+)\]\s*")
_LITTLE_SPACE = 16 * 1024 * 1024

_TEXTS: tuple[tuple[SliceOutcome, re.Pattern[str]], ...] = tuple(
    (outcome, re.compile(pattern, re.IGNORECASE))
    for outcome, pattern in (
        (SliceOutcome.MODEL_EMPTY, r"invalid object id|contains no (printable )?objects?|file is empty"),
        (SliceOutcome.MODEL_TRUNCATED, r"unexpected end of file|truncated"),
        (
            SliceOutcome.MODEL_UNREADABLE,
            r"Loading of a model file failed|Unable to open the file|valid model",
        ),
        (SliceOutcome.MODEL_NO_LAYERS, r"No layers were detected|The print is empty|no extrusions"),
        (
            SliceOutcome.DOES_NOT_FIT,
            r"outside (of )?the print(able)? (volume|area)|Nothing to print|exceeds the maximum build volume",
        ),
        (SliceOutcome.PROFILE_GCODE, r"invalid custom G-code|custom G-code template|Parsing error at line"),
        (SliceOutcome.SCRIPT_REFUSED, r"post-?processing script"),
        (
            SliceOutcome.OUT_OF_MEMORY,
            r"bad_alloc|failed to map segment|Resource temporarily unavailable|Cannot allocate memory"
            r"|out of memory",
        ),
        (SliceOutcome.DISK_FULL, r"No space left on device|disk full"),
        (SliceOutcome.OUTPUT_TOO_BIG, r"File too large|File size limit exceeded"),
        (
            SliceOutcome.PROFILE_INVALID,
            r"reading config file|composite configation|composite configuration|Invalid value|Value out of range"
            r"|layer height|nozzle diameter|Relative extruder addressing|not compatible with|unknown option",
        ),
    )
)


def failure(ended: Ended, free: int | None = None) -> tuple[SliceOutcome, str]:
    """The outcome of a process that did not succeed, and the words that say so.

    `free` is the free space in bytes of the disk that it wrote to, where known.
    """
    if ended.stopped is Stopped.CANCELLED:
        return SliceOutcome.CANCELLED, ""
    if ended.stopped is Stopped.TIMEOUT:
        return SliceOutcome.TIMEOUT, ""
    said = last_words(ended.lines)
    outcome = from_text(ended.lines)
    if outcome is not None:
        return outcome, said
    if free is not None and free < _LITTLE_SPACE:
        return SliceOutcome.DISK_FULL, said
    if ended.code == -signal.SIGXFSZ:
        return SliceOutcome.OUTPUT_TOO_BIG, said
    if ended.code == -signal.SIGKILL:
        # we did not send it: the kernel ends what takes the machine's last memory
        return SliceOutcome.OUT_OF_MEMORY, said
    if ended.code < 0:
        return SliceOutcome.SLICER_CRASHED, f"{signal.Signals(-ended.code).name} {said}".strip()
    return SliceOutcome.SLICER_FAILED, said or f"exit code {ended.code}"


def from_text(lines: Sequence[str]) -> SliceOutcome | None:
    """The first outcome, in their fixed order, that the words of the slicer name."""
    text = "\n".join(words(line) for line in lines)
    return next((outcome for outcome, pattern in _TEXTS if pattern.search(text)), None)


def last_words(lines: Sequence[str]) -> str:
    """The end of what the slicer said besides its progress, in one line."""
    said = [text for line in lines if (text := words(line)) and not re.match(r"\d{1,3} => ", text)]
    return " · ".join(said[-4:])


def words(line: str) -> str:
    """A line of the slicer without its log prefix; '' for what is only meant for its developers."""
    match = _LOG_PREFIX.match(line)
    if match is None:
        return line.strip()
    return "" if match.group(1) in ("trace", "debug", "info") else line[match.end() :].strip()
