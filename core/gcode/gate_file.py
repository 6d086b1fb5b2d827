"""Findings of the G-code gate on the file itself: kind, printer named in it, commands, completeness, extrusion."""

from collections.abc import Iterator

from core.domain.findings import Finding
from core.domain.material import Material
from core.domain.printer_model import PrinterModel
from core.domain.words import Verdict
from core.gcode.commands import MIN_EXTRUDE, WATCHED
from core.gcode.policy import GcodePolicy
from core.gcode.report import GcodeReport

_SHOWN = 5
_ENDS_WITH_SUMMARY = frozenset({"PrusaSlicer", "SuperSlicer"})
"""Slicers that write what they used of filament after the last layer."""
_OTHER_NAMES = {"flex": "tpu", "tpe": "tpu", "nylon": "pa", "pet": "petg", "pa12": "pa", "pa6": "pa"}
"""What slicers call a material where the table has another word."""
_KINDS = {
    "bgcode": (
        "The file is binary G-code (bgcode).",
        "Switch off binary G-code in the slicer and slice again.",
    ),
    "zip": ("The file is a zip archive, perhaps a .gcode.3mf.", "Take the plain .gcode file out of it."),
    "binary": ("The file is not text.", "Look at where the file comes from; slice the part again."),
    "empty": ("The file is empty.", "Upload or slice it again."),
}


def not_gcode(report: GcodeReport) -> Finding:
    """NOT_GCODE or EMPTY."""
    what, fix = _KINDS.get(report.kind, _KINDS["binary"])
    return Finding(
        code="EMPTY" if report.kind == "empty" else "NOT_GCODE",
        severity=Verdict.FAIL,
        what=what,
        why="Kiln starts only what it has read line by line.",
        fix=fix,
    )


def empty(report: GcodeReport) -> Finding:
    """EMPTY, for text without a single move."""
    return Finding(
        code="EMPTY",
        severity=Verdict.FAIL,
        what=f"None of the {report.lines} lines of the file moves the printer.",
        why="There is nothing to print; it may not be G-code at all.",
        fix="Check that it is the right file; slice the part again.",
    )


def printer(report: GcodeReport, model: PrinterModel) -> Iterator[Finding]:
    """WRONG_PRINTER, PRINTER_UNSTATED, OTHER_NOZZLE, MORE_TOOLS."""
    own = {
        name.casefold() for name in (model.model_id, model.name, model.slicer_model, *model.aliases) if name
    }
    others = [name for name in report.printer_models if name.casefold() not in own]
    generic = not model.slicer_model and not model.aliases
    if others:
        yield Finding(
            code="WRONG_PRINTER",
            severity=Verdict.WARN if generic else Verdict.FAIL,
            what=f"The file was sliced for {_listed(others)}; this printer is a {model.name}.",
            why="Start code, size and heat of another printer can crash the head or overheat the hotend.",
            fix="Slice the part for this printer, or send the file to the printer that it names.",
            kiln_can="Kiln can look for that printer in the farm.",
        )
    elif not report.printer_models:
        yield Finding(
            code="PRINTER_UNSTATED",
            severity=Verdict.WARN,
            what="The file does not say for which printer it was sliced.",
            why=f"That it suits a {model.name} can be checked by its limits only, not by its start code.",
            fix="Make sure yourself, or slice with a profile that names the printer.",
        )
    if report.nozzles and any(abs(nozzle - model.nozzle) > 0.01 for nozzle in report.nozzles):
        yield Finding(
            code="OTHER_NOZZLE",
            severity=Verdict.WARN,
            what=f"The file is for a nozzle of {_listed([f'{n:g}' for n in report.nozzles])} mm; "
            f"the printer is known with {model.nozzle:g} mm.",
            why="With another nozzle the lines come out too thin or too thick.",
            fix="Check which nozzle is mounted.",
        )
    used = [use.tool for use in report.filament if use.tool >= model.tools]
    if used:
        yield Finding(
            code="MORE_TOOLS",
            severity=Verdict.WARN,
            what=f"The file uses tool {_listed([f'T{tool}' for tool in used])}; "
            f"a {model.name} is known with {model.tools}.",
            why="Without a changer for filaments the print stops or comes out in one material.",
            fix="Check that the changer is there and loaded, or slice for one material.",
        )


def commands_of(report: GcodeReport, model: PrinterModel, policy: GcodePolicy) -> Iterator[Finding]:
    """FORBIDDEN_COMMAND, RISKY_COMMAND, UNKNOWN_COMMANDS, UNREADABLE."""
    for seen in report.watched:
        rule = WATCHED[seen.command]
        if model.firmware in rule.not_on:
            continue
        forbidden = rule.severity is Verdict.FAIL
        yield Finding(
            code="FORBIDDEN_COMMAND" if forbidden else "RISKY_COMMAND",
            severity=rule.severity,
            what=f"The file contains {seen.command}" + (f" ({seen.count} times)." if seen.count > 1 else "."),
            why=f"A print file should not contain it: {rule.why}.",
            fix="Take it out of the custom G-code of the profile and slice again.",
            where=f"line {seen.first.line}: {seen.first.text}",
        )
    if report.unknown and policy.unknown_commands is not Verdict.PASS:
        names = sorted(report.unknown, key=lambda name: -report.unknown[name])
        yield Finding(
            code="UNKNOWN_COMMANDS",
            severity=policy.unknown_commands,
            what=f"The file contains commands that are not known here: {_listed(names)}.",
            why="What they do on this printer cannot be checked.",
            fix="Look them up in the printer's own configuration.",
        )
    if report.unreadable_count:
        yield Finding(
            code="UNREADABLE",
            severity=Verdict.FAIL,
            what=f"{report.unreadable_count} lines cannot be read for certain.",
            why="Printers may understand such a line differently, so that its effect cannot be promised.",
            fix="Slice the part again; look at the lines if it was edited by hand.",
            where="; ".join(f"line {place.line}: {place.text}" for place in report.unreadable[:_SHOWN]),
        )


def completeness(report: GcodeReport) -> Iterator[Finding]:
    """DAMAGED, TRUNCATED, FILAMENT_MISSING."""
    if report.nul_bytes:
        yield Finding(
            code="DAMAGED",
            severity=Verdict.FAIL,
            what=f"The file contains {report.nul_bytes} zero bytes.",
            why="That is what a disk or a transfer leaves where content was lost.",
            fix="Copy or slice it again.",
        )
    declared, found = report.declared_layers, report.marked_layers or report.layers
    if declared is not None and found < declared and not report.spiral_moves:
        yield _truncated(f"The slicer speaks of {declared} layers; the file has {found}.", Verdict.FAIL)
    elif report.slicer in _ENDS_WITH_SUMMARY and not report.declared_filament_mm:
        yield _truncated(f"The summary that {report.slicer} writes at the end is missing.", Verdict.WARN)
    stated = sum(report.declared_filament_mm)
    if stated > 100.0 and report.filament_mm < stated * 0.9:
        yield Finding(
            code="FILAMENT_MISSING",
            severity=Verdict.FAIL,
            what=f"The slicer speaks of {stated / 1000:.2f} m of filament; "
            f"the file feeds {report.filament_mm / 1000:.2f} m.",
            why="A piece of the file is missing.",
            fix="Copy or slice it again.",
        )


def extrusion(report: GcodeReport) -> Iterator[Finding]:
    """NO_EXTRUSION, COLD_EXTRUSION, HEATING_UNSTATED, EXTRUDER_MODE_UNCLEAR."""
    if report.printing_moves == 0:
        yield Finding(
            code="NO_EXTRUSION",
            severity=Verdict.FAIL,
            what="The file moves, but never lays down filament.",
            why="The printer would be busy and the bed empty.",
            fix="Check that it is the right file; slice the part again.",
        )
    if report.cold_moves:
        mostly = report.cold_moves * 100 > report.printing_moves
        yield Finding(
            code="COLD_EXTRUSION",
            severity=Verdict.FAIL if mostly else Verdict.WARN,
            what=f"{report.cold_moves} moves extrude before the hotend was told to be hot ({MIN_EXTRUDE:g} °C).",
            why="The printer refuses them, or the extruder grinds the filament.",
            fix="Put the hotend temperature (M104, M109) into the start G-code and slice again.",
            where=f"line {report.cold_line}",
        )
    if report.heating_by_macro and (report.hotend is None or report.hotend.celsius < MIN_EXTRUDE):
        yield Finding(
            code="HEATING_UNSTATED",
            severity=Verdict.WARN,
            what="The file leaves heating to a macro of the printer and names no temperature.",
            why="Whether the temperature suits the material cannot be checked.",
            fix="Hand the temperatures to the macro (START_PRINT EXTRUDER_TEMP=… BED_TEMP=…).",
        )
    if report.extruder_mode_unclear:
        yield Finding(
            code="EXTRUDER_MODE_UNCLEAR",
            severity=Verdict.WARN,
            what="After G90 the file does not say again whether E is relative (M82 or M83).",
            why="Marlin then takes E as absolute, Klipper and Prusa as before: amounts may be wrong.",
            fix="Write M82 or M83 after G90 in the custom G-code.",
        )


def material_of(report: GcodeReport, material: Material | None) -> Iterator[Finding]:
    """OTHER_MATERIAL."""
    if material is None or not report.filament_types:
        return
    own = {_plain_name(material.name), _plain_name(material.family)}
    if not any(_plain_name(name) in own for name in report.filament_types):
        yield Finding(
            code="OTHER_MATERIAL",
            severity=Verdict.WARN,
            what=f"The file was sliced for {_listed(list(report.filament_types))}; loaded is {material.name}.",
            why="Temperatures, speed and cooling of another material give a bad part or a clog.",
            fix="Load the material of the file, or slice the part for what is loaded.",
        )


def _plain_name(name: str) -> str:
    plain = name.strip().casefold().rstrip("+")
    return _OTHER_NAMES.get(plain, plain)


def _truncated(what: str, severity: Verdict) -> Finding:
    return Finding(
        code="TRUNCATED",
        severity=severity,
        what=what,
        why="A file that ends early leaves half a part, and the heaters on.",
        fix="Copy or slice it again.",
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
