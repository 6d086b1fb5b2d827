"""The words of every finding of Gate A: what is wrong, why it matters, how to fix it, what Kiln can do."""

import msgspec

from core.domain.findings import Finding
from core.domain.words import Verdict

_EXPORT = "Export the part again from the program it was drawn in, and drop the new file."


class Words(msgspec.Struct, frozen=True):
    """Severity and sentences of a code; ``{0}`` in `what` is replaced by the detail."""

    severity: Verdict
    what: str
    why: str
    fix: str
    kiln_can: str = ""


WORDS: dict[str, Words] = {
    "EMPTY": Words(Verdict.FAIL, "There is no part in this file: {0}.", "Nothing could be printed.", _EXPORT),
    "TRUNCATED": Words(
        Verdict.FAIL,
        "The file is incomplete: {0}.",
        "A piece of the part would be missing from the print.",
        "Copy the file again, or export it again if it was cut short while being saved.",
    ),
    "UNREADABLE": Words(Verdict.FAIL, "The file cannot be read: {0}.", "Its shape is not known.", _EXPORT),
    "UNKNOWN_FORMAT": Words(
        Verdict.FAIL,
        "This is not a model that Kiln can read: {0}.",
        "Only STL and 3MF are read; the content counts, not the ending of the name.",
        "Export the part as 3MF or STL.",
    ),
    "NOT_A_FILE": Words(
        Verdict.FAIL,
        "This is not a plain file: {0}.",
        "Kiln reads no links, pipes or devices, as their content can change or never end.",
        "Put the file itself into the inbox.",
    ),
    "FILE_TOO_BIG": Words(
        Verdict.FAIL,
        "The file is too big: {0}.",
        "Checking and slicing it would take the whole machine.",
        "Export the part with a coarser resolution; 0.01 mm is finer than any printer.",
    ),
    "TOO_MANY_FACES": Words(
        Verdict.FAIL,
        "The part is too finely divided: {0}.",
        "Checking and slicing it would take the whole machine, and no printer could show the difference.",
        "Export with a coarser resolution, or reduce the mesh.",
    ),
    "COUNT_MISMATCH": Words(
        Verdict.FAIL,
        "The file contradicts itself: {0}.",
        "It is not known which triangles belong to the part.",
        _EXPORT,
    ),
    "TRAILING_DATA": Words(
        Verdict.WARN,
        "The file has {0} after its last triangle.",
        "They belong to no triangle and are ignored.",
        "Look whether the part is complete; export it again if in doubt.",
        "print the part without them",
    ),
    "NAN_VERTICES": Words(
        Verdict.FAIL,
        "The part has {0} whose coordinates are not numbers.",
        "There is a hole where they should be, and slicers crash on them.",
        "Repair the mesh in your drawing program, or export it again.",
    ),
    "COORDINATES_TOO_LARGE": Words(
        Verdict.FAIL,
        "The part reaches out to {0}.",
        "No coordinate of a printable part is further than a kilometre from zero; the numbers lose their precision.",
        "Move the part to the origin, check its unit, and export it again.",
    ),
    "NO_VOLUME": Words(
        Verdict.FAIL,
        "The part encloses no space: {0}.",
        "A surface without thickness cannot be printed.",
        "Give the surface a thickness in your drawing program.",
    ),
    "NOT_WATERTIGHT": Words(
        Verdict.WARN,
        "The surface of the part is not closed, or some triangles face the wrong way.",
        "The slicer has to guess what is inside; walls or layers may be missing.",
        "Repair the mesh in your drawing program, or look at the layers before you approve.",
    ),
    "INVERTED": Words(
        Verdict.WARN,
        "The part is inside out: its surface faces inwards.",
        "Taken as it is, it would be a hole.",
        "Nothing to do; to be sure, recalculate the normals in your drawing program.",
        "turn the surface outwards before slicing",
    ),
    "UNITS_SUSPICIOUS": Words(
        Verdict.WARN,
        "The part is {0}.",
        "This is an unlikely size in millimetres; STL files do not say which unit they mean.",
        "Check the size, and export in millimetres.",
        "scale the part by the factor, once you say so",
    ),
    "TOO_BIG": Words(
        Verdict.FAIL,
        "The part is {0} and fits none of your printers, however it is turned.",
        "No printer could make it in one piece.",
        "Cut it into pieces or scale it down.",
    ),
    "FITS_ROTATED": Words(
        Verdict.WARN,
        "The part fits only if it is turned: {0}.",
        "As it was dropped it is larger than every printer.",
        "Turn it in your drawing program and export it again.",
    ),
    "ZIP_BOMB": Words(
        Verdict.FAIL,
        "The file unfolds to far more than it is: {0}.",
        "Such files are made to bring a machine down; no real part looks like this.",
        "Ask the sender for the part as STL.",
    ),
    "ZIP_OVERLAP": Words(
        Verdict.FAIL,
        "The 3MF is put together in a forbidden way: {0}.",
        "It could show one part to the check and another to the slicer.",
        _EXPORT,
    ),
    "PATH_TRAVERSAL": Words(
        Verdict.FAIL,
        "The 3MF holds a file that wants to be written elsewhere: {0}.",
        "Such a name is an attack on the machine that unpacks it.",
        "Do not use this file; ask the sender for the part as STL.",
    ),
    "XML_FORBIDDEN": Words(
        Verdict.FAIL,
        "The 3MF holds what no 3MF may hold: {0}.",
        "It is used to read other files or to exhaust the machine.",
        _EXPORT,
    ),
    "XML_TOO_DEEP": Words(
        Verdict.FAIL,
        "The 3MF is nested too deeply: {0}.",
        "No real part looks like this, and readers crash on it.",
        _EXPORT,
    ),
    "TOO_MANY_OBJECTS": Words(
        Verdict.FAIL,
        "The 3MF holds too much: {0}.",
        "No bed holds that many parts, and checking them would take the whole machine.",
        "Split the file.",
    ),
    "COMPONENT_CYCLE": Words(
        Verdict.FAIL,
        "The 3MF never ends: {0}.",
        "Its shape cannot be known.",
        _EXPORT,
    ),
    "UNSUPPORTED_EXTENSION": Words(
        Verdict.FAIL,
        "The 3MF needs an extension that Kiln does not know: {0}.",
        "A part of its shape would be missing from the print.",
        "Export the part as plain 3MF or as STL.",
    ),
    "ALREADY_SLICED": Words(
        Verdict.FAIL,
        "This 3MF is already sliced and holds G-code, no model.",
        "There is no shape that could be sliced again.",
        "Send it to a printer it was sliced for, or drop the project it was made from.",
    ),
    "EMBEDDED_SCRIPT": Words(
        Verdict.WARN,
        "The project tells the slicer to run a program: {0}.",
        "A file from outside could so run anything on this machine.",
        "Nothing to do; if you need the script, tell whoever sent it that it does not run here.",
        "take the shape only; the script has been left out",
    ),
    "PROJECT_CUTS": Words(
        Verdict.FAIL,
        "The project cuts shapes out of the part when it is sliced ({0}).",
        "Kiln takes the shape alone, and without these cuts it would print another part.",
        "Apply the cuts in your slicer, or export the sliced shape as STL.",
    ),
    "HELPERS_LEFT_OUT": Words(
        Verdict.WARN,
        "The project holds helper shapes beside the part ({0}).",
        "They change settings or supports in places and are no piece of the part; Kiln does not follow them.",
        "If they matter, slice the project yourself and drop the G-code.",
        "print the part without them",
    ),
    "ITEMS_LEFT_OUT": Words(
        Verdict.WARN,
        "Left out: {0}.",
        "The file itself says that they are not to be printed.",
        "Mark them as printable in the project if they are wanted.",
    ),
    "TIMEOUT": Words(
        Verdict.FAIL,
        "The check was stopped: {0}.",
        "A file that takes that long would hold up everything else.",
        "Reduce the mesh, or export it again.",
    ),
    "OUT_OF_MEMORY": Words(
        Verdict.FAIL,
        "The check needs more memory than it may have.",
        "The file would take the memory of everything else on this machine.",
        "Reduce the mesh, or export it again.",
    ),
    "CHECK_CRASHED": Words(
        Verdict.FAIL,
        "The check broke down on this file: {0}.",
        "What breaks the check may break the slicer; nothing is known of the part.",
        "Export it again; if it breaks again, keep the file and report it.",
    ),
    "CHECK_STOPPED": Words(
        Verdict.FAIL,
        "The check was stopped before its end.",
        "Nothing is known of the part.",
        "Drop the file again.",
    ),
}
"""Every code of Gate A."""


def finding(code: str, detail: str = "", where: str = "", kiln_can: str = "") -> Finding:
    """The finding of `code`, one of `WORDS`."""
    words = WORDS[code]
    return Finding(
        code=code,
        severity=words.severity,
        what=words.what.format(detail or "no more is known"),
        why=words.why,
        fix=words.fix,
        kiln_can=kiln_can or words.kiln_can,
        where=where,
    )
