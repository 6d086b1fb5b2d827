"""Findings of the G-code gate on the limits of the printer: heat, room, excluded areas, flow."""

from collections.abc import Iterator

from core.domain.findings import Finding
from core.domain.material import Material
from core.domain.printer_model import PrinterModel
from core.domain.words import Verdict
from core.gcode.commands import MIN_EXTRUDE
from core.gcode.policy import Reach
from core.gcode.report import Box, GcodeReport, Peak, Rect

_ROUNDING = 0.05
"""mm by which coordinates may exceed a limit through rounding."""
_UNKNOWN_REACH = 5.0
"""mm beyond the bed that are taken for a park position (WARN) where the reach of a printer is not known."""
_LIFT = 5.0
"""mm above the volume that a lift at the end may ask for; firmware stops it at the top (WARN)."""
_FLOW_MARGIN = 1.1
_BRUSH_DEPTH = 2.0
"""mm below 0 to which Bambu's own start code presses the nozzle onto the exposed steel edge."""

_SLICE_AGAIN = "Slice the part again with the profile of this printer."
_OTHER_PRINTER = "Kiln can look for a printer in the farm on which the file may run."


def temperatures(report: GcodeReport, model: PrinterModel, material: Material | None) -> Iterator[Finding]:
    """OVER_TEMPERATURE, NO_CHAMBER_HEATER, MATERIAL_TEMPERATURE."""
    for heater, peak, limit in (
        ("hotend", report.hotend, model.max_hotend),
        ("bed", report.bed, model.max_bed),
        ("chamber", report.chamber, model.max_chamber),
    ):
        if peak is None or peak.celsius <= limit:
            continue
        if heater == "chamber" and limit == 0:
            yield Finding(
                code="NO_CHAMBER_HEATER",
                severity=Verdict.WARN,
                what=f"The file heats the chamber to {_c(peak.celsius)}; "
                f"no chamber heater is known on a {model.name}.",
                why="The printer may ignore it, wait for it for ever, or the part may warp without the warmth.",
                fix="Take the chamber temperature out of the profile, or print on a printer that has the heater.",
                where=_at(peak),
            )
            continue
        yield Finding(
            code="OVER_TEMPERATURE",
            severity=Verdict.FAIL,
            what=f"The file heats the {heater} to {_c(peak.celsius)}; a {model.name} stands {_c(limit)}.",
            why="Beyond its limit the printer stops with a fault, or gives off fumes and takes damage.",
            fix=f"Lower the {heater} temperature in the profile and slice again, or use a printer that stands it.",
            kiln_can=_OTHER_PRINTER,
            where=_at(peak),
        )
    if material is not None and report.hotend is not None and report.hotend.celsius >= MIN_EXTRUDE:
        low, high = material.hotend
        if not low <= report.hotend.celsius <= high:
            yield Finding(
                code="MATERIAL_TEMPERATURE",
                severity=Verdict.WARN,
                what=f"The hottest hotend setting is {_c(report.hotend.celsius)}; {material.name} is printed at "
                f"{low}–{high} °C.",
                why="Too cold it does not bond or clogs, too hot it strings and breaks down.",
                fix="Check that the file was sliced for this material.",
                where=_at(report.hotend),
            )


def extents(report: GcodeReport, model: PrinterModel, reach: Reach | None) -> Iterator[Finding]:
    """OUTSIDE_BED, PRIMES_BESIDE_BED, OUTSIDE_REACH, TOO_HIGH, BELOW_BED, COORDINATES_UNKNOWN."""
    bed = bed_rect(model)
    room = _hull(bed, reach.prime if reach else ())
    yield from _printing(report, model, bed, room)
    if report.priming and (over := _beyond(report.priming, room)):
        yield _outside(model, "primes", over, "The purge line would be drawn where no bed is.")
    yield from _travel(report, model, bed, reach)
    yield from _heights(report, model)
    if report.frame_unknown:
        yield Finding(
            code="COORDINATES_UNKNOWN",
            severity=Verdict.FAIL,
            what="The file redefines where it is (G92 on X, Y or Z) before it has homed or moved there.",
            why="Where the nozzle then goes cannot be known, so nothing about the limits can be promised.",
            fix="Home first (G28), or take the G92 out.",
        )


def excluded(report: GcodeReport, model: PrinterModel) -> Iterator[Finding]:
    """EXCLUDED_AREA, EXCLUDED_UNCHECKED."""
    looked = {use.rect: use.first_line for use in report.zones}
    for zone in excluded_zones(model):
        where = f"x {zone[0]:g}–{zone[2]:g} y {zone[1]:g}–{zone[3]:g} mm"
        if zone not in looked:
            yield Finding(
                code="EXCLUDED_UNCHECKED",
                severity=Verdict.FAIL,
                what=f"The file was scanned without looking at an area that is excluded on a {model.name}.",
                why="The printer needs that area for itself; a part there would be hit.",
                fix="Scan the file again with the areas of this printer.",
                kiln_can="Kiln can scan it again now.",
                where=where,
            )
        elif (line := looked[zone]) is not None:
            yield Finding(
                code="EXCLUDED_AREA",
                severity=Verdict.FAIL,
                what=f"The file prints on an area that is excluded on a {model.name}.",
                why="The printer needs that area for itself; a part there would be hit.",
                fix="Move the part on the plate and slice again.",
                where=f"line {line}, {where}",
            )


def flow(report: GcodeReport, model: PrinterModel) -> Iterator[Finding]:
    """FLOW_TOO_HIGH."""
    if report.max_flow is not None and report.max_flow > model.max_flow * _FLOW_MARGIN:
        yield Finding(
            code="FLOW_TOO_HIGH",
            severity=Verdict.WARN,
            what=f"The file asks for {report.max_flow:.1f} mm³/s of filament; {model.max_flow:g} mm³/s is what the "
            f"hotend of a {model.name} is known to melt.",
            why="The extruder skips and the walls come out thin and weak.",
            fix="Lower the speed or the layer height, or set the flow limit of the filament in the slicer.",
            where=f"around line {report.max_flow_line}",
        )


def bed_rect(model: PrinterModel) -> Rect:
    """The bed in machine coordinates."""
    x, y = model.origin
    return -x, -y, model.width - x, model.depth - y


def excluded_zones(model: PrinterModel) -> tuple[Rect, ...]:
    """The excluded areas in machine coordinates."""
    x, y = model.origin
    return tuple((x0 - x, y0 - y, x1 - x, y1 - y) for x0, y0, x1, y1 in model.excluded)


def _printing(report: GcodeReport, model: PrinterModel, bed: Rect, room: Rect) -> Iterator[Finding]:
    if report.printing is None:
        return
    if over := _beyond(report.printing, bed if report.layer_marked else room):
        yield _outside(
            model, "prints", over, "The part would be drawn beside the bed, and the nozzle may hit the frame."
        )
    elif over := _beyond(report.printing, bed):
        yield Finding(
            code="PRIMES_BESIDE_BED",
            severity=Verdict.WARN,
            what=f"The file extrudes {over} of the {model.name}, "
            "where the vendor's own start code draws its purge line.",
            why="The file marks no layers, so a purge line cannot be told from the part.",
            fix="Look at the preview; slice with layer marks in the file to be sure.",
        )


def _travel(report: GcodeReport, model: PrinterModel, bed: Rect, reach: Reach | None) -> Iterator[Finding]:
    if report.travel is None:
        return
    area = reach.area if reach else bed
    over = _beyond(report.travel, _hull(bed, (area,)))
    if not over:
        return
    known = reach is not None
    far = known or bool(_beyond(report.travel, _grown(bed, _UNKNOWN_REACH)))
    yield Finding(
        code="OUTSIDE_REACH",
        severity=Verdict.FAIL if far else Verdict.WARN,
        what=f"The file moves the nozzle {over} of a {model.name}"
        + ("." if known else "; how far that printer reaches there is not known."),
        why="The axis runs into its end: lost steps, a grinding noise, a part shifted from there on.",
        fix=_SLICE_AGAIN,
        kiln_can=_OTHER_PRINTER,
    )


def _heights(report: GcodeReport, model: PrinterModel) -> Iterator[Finding]:
    printed = report.printing.max_z if report.printing else None
    moved = report.travel.max_z if report.travel else None
    if printed is not None and printed > model.height + _ROUNDING:
        yield _too_high(
            model, Verdict.FAIL, f"prints up to z {printed:g} mm", "The top of the part would be missing."
        )
    elif moved is not None and moved > model.height + _ROUNDING:
        severity = Verdict.FAIL if moved > model.height + _LIFT else Verdict.WARN
        yield _too_high(model, severity, f"moves up to z {moved:g} mm", "The axis may run into its end.")
    lowest = report.travel.min_z if report.travel else None
    printed_low = report.printing.min_z if report.printing else None
    deepest = -_BRUSH_DEPTH if model.firmware == "bambu" else -_ROUNDING
    if (lowest is not None and lowest < deepest) or (printed_low is not None and printed_low < -_ROUNDING):
        low = min(z for z in (lowest, printed_low) if z is not None)
        yield Finding(
            code="BELOW_BED",
            severity=Verdict.FAIL,
            what=f"The file moves the nozzle to z {low:g} mm, below the bed.",
            why="The nozzle would be driven into the bed.",
            fix="Check the z offset and the custom G-code of the profile, and slice again.",
        )


def _too_high(model: PrinterModel, severity: Verdict, does: str, why: str) -> Finding:
    return Finding(
        code="TOO_HIGH",
        severity=severity,
        what=f"The file {does}; a {model.name} has {model.height:g} mm.",
        why=why,
        fix="Print on a taller printer, or turn or split the part and slice again.",
        kiln_can=_OTHER_PRINTER,
    )


def _outside(model: PrinterModel, does: str, over: str, why: str) -> Finding:
    return Finding(
        code="OUTSIDE_BED",
        severity=Verdict.FAIL,
        what=f"The file {does} {over} of a {model.name}.",
        why=why,
        fix=_SLICE_AGAIN,
        kiln_can=_OTHER_PRINTER,
    )


def _beyond(box: Box, room: Rect) -> str:
    """By how much `box` sticks out of `room`, in words; '' if it does not."""
    said = []
    for value, limit, side, sign in (
        (box.min_x, room[0], "left", -1),
        (box.max_x, room[2], "right", 1),
        (box.min_y, room[1], "in front", -1),
        (box.max_y, room[3], "behind", 1),
    ):
        if value is not None and (value - limit) * sign > _ROUNDING:
            said.append(f"{abs(value - limit):.1f} mm {side}")
    return " and ".join(said)


def _hull(bed: Rect, others: tuple[Rect, ...]) -> Rect:
    every = (bed, *others)
    return (
        min(r[0] for r in every),
        min(r[1] for r in every),
        max(r[2] for r in every),
        max(r[3] for r in every),
    )


def _grown(rect: Rect, by: float) -> Rect:
    return rect[0] - by, rect[1] - by, rect[2] + by, rect[3] + by


def _c(celsius: float) -> str:
    return f"{celsius:g} °C"


def _at(peak: Peak) -> str:
    return f"line {peak.line}: {peak.text}"
