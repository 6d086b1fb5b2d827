"""What can come of a slice, in the operator's words; the order is the order in which causes are looked for."""

from enum import StrEnum

import msgspec

from core.plates.stl import MeshFault


class SliceOutcome(StrEnum):
    """Why there is no usable product; `sentence` says what happened, `next_step` what to do."""

    CANCELLED = "CANCELLED"
    TIMEOUT = "TIMEOUT"
    MODEL_EMPTY = "MODEL_EMPTY"
    MODEL_TRUNCATED = "MODEL_TRUNCATED"
    MODEL_UNREADABLE = "MODEL_UNREADABLE"
    MODEL_NO_LAYERS = "MODEL_NO_LAYERS"
    DOES_NOT_FIT = "DOES_NOT_FIT"
    PROFILE_GCODE = "PROFILE_GCODE"
    PROFILE_INVALID = "PROFILE_INVALID"
    SCRIPT_REFUSED = "SCRIPT_REFUSED"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    DISK_FULL = "DISK_FULL"
    OUTPUT_TOO_BIG = "OUTPUT_TOO_BIG"
    SLICER_CRASHED = "SLICER_CRASHED"
    SLICER_FAILED = "SLICER_FAILED"
    EMPTY_RESULT = "EMPTY_RESULT"
    PARTS_DROPPED = "PARTS_DROPPED"
    OUT_OF_VOLUME = "OUT_OF_VOLUME"
    UNSAFE_GCODE = "UNSAFE_GCODE"

    @property
    def sentence(self) -> str:
        """What happened, in one plain sentence."""
        return _WORDS[self][0]

    @property
    def next_step(self) -> str:
        """What to do about it."""
        return _WORDS[self][1]


_WORDS: dict[SliceOutcome, tuple[str, str]] = {
    SliceOutcome.CANCELLED: ("Slicing was cancelled.", "Slice again when you want it."),
    SliceOutcome.TIMEOUT: (
        "Slicing took longer than the time limit and was stopped.",
        "Put fewer parts on the plate, simplify the model, or raise the time limit.",
    ),
    SliceOutcome.MODEL_EMPTY: (
        "The model holds no geometry.",
        "Export the part again from the design program.",
    ),
    SliceOutcome.MODEL_TRUNCATED: (
        "The model file ends too early; part of it is missing.",
        "Copy or export the file again.",
    ),
    SliceOutcome.MODEL_UNREADABLE: (
        "The model cannot be read.",
        "Export the part again as STL or 3MF.",
    ),
    SliceOutcome.MODEL_NO_LAYERS: (
        "The model is too thin or too small to give a single printable layer.",
        "Check its units and its scale.",
    ),
    SliceOutcome.DOES_NOT_FIT: (
        "A part does not fit into the printer's build volume.",
        "Choose a larger printer, turn the part, or take parts off the plate.",
    ),
    SliceOutcome.PROFILE_GCODE: (
        "The profile's custom G-code has an error.",
        "Correct the start, end or layer G-code of the profile, or go back to its previous version.",
    ),
    SliceOutcome.PROFILE_INVALID: (
        "The slicer does not accept the profile's settings.",
        "Correct the named setting, or go back to the profile's previous version.",
    ),
    SliceOutcome.SCRIPT_REFUSED: (
        "The profile asks to run a program after slicing; that is never allowed.",
        "Remove post_process from the profile.",
    ),
    SliceOutcome.OUT_OF_MEMORY: (
        "The slicer needed more memory than it may use.",
        "Put fewer parts on the plate, simplify the model, or choose a plainer infill such as grid.",
    ),
    SliceOutcome.DISK_FULL: (
        "There is no room left on the disk.",
        "Free some space on the site's disk, then slice again.",
    ),
    SliceOutcome.OUTPUT_TOO_BIG: (
        "The G-code grew beyond the size limit.",
        "Choose a plainer infill such as grid, or put fewer parts on the plate.",
    ),
    SliceOutcome.SLICER_CRASHED: (
        "The slicer crashed.",
        "Repair the model, or try another profile; the slicer's last words are in the details.",
    ),
    SliceOutcome.SLICER_FAILED: (
        "The slicer gave up.",
        "Read the slicer's last words in the details.",
    ),
    SliceOutcome.EMPTY_RESULT: (
        "The slicer produced nothing to print, although it reported success.",
        "Check the model's size and place on the plate.",
    ),
    SliceOutcome.PARTS_DROPPED: (
        "The slicer left parts out without saying so.",
        "Put fewer parts on the plate; if it stays so, another slicer version is needed.",
    ),
    SliceOutcome.OUT_OF_VOLUME: (
        "The toolpaths leave the printer's build volume.",
        "Choose a larger printer, or leave more room for skirt and brim.",
    ),
    SliceOutcome.UNSAFE_GCODE: (
        "The G-code did not pass the safety gate.",
        "Read the gate's findings; correct the profile's temperatures or custom G-code.",
    ),
}


OF_MESH = {
    MeshFault.EMPTY: SliceOutcome.MODEL_EMPTY,
    MeshFault.TRUNCATED: SliceOutcome.MODEL_TRUNCATED,
    MeshFault.UNREADABLE: SliceOutcome.MODEL_UNREADABLE,
}
"""What a mesh that the plate file refused means for the slice."""


class NotSliced(msgspec.Struct, frozen=True, kw_only=True):
    """A slice that gave no product. `detail` and `log` are cleaned and bounded text of the slicer or the gate."""

    outcome: SliceOutcome
    detail: str = ""
    log: tuple[str, ...] = ()
    engine: str = ""
    seconds: float = 0.0
