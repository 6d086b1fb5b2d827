"""The report of a file out of what an interpreter has seen."""

import itertools
from typing import BinaryIO

from core.gcode.reference import Interpreter, take_lines
from core.gcode.report import Box, GcodeReport, Rect, ToolUse, Watched, ZoneUse, filament_area
from core.gcode.source import Source


def summarise(seen: Interpreter, source: Source) -> GcodeReport:
    """What `seen` has seen, together with what is known of the file. To be called once, at the end of the file."""
    tally, said = seen.tally, seen.comments
    tally.flow.close()
    marked = seen.phase == 1
    phase = tally.phases[seen.phase]
    diameter = said.filament_diameter or 1.75
    area = filament_area(diameter)
    heights = sorted(phase.heights)
    return GcodeReport(
        kind=source.kind,
        size=source.size,
        sha256=source.sha256(),
        lines=seen.line,
        moves=tally.moves,
        printing_moves=phase.moves,
        nul_bytes=source.nul_bytes,
        long_lines=seen.long_lines,
        hotend=seen.heaters.peaks.get("hotend"),
        bed=seen.heaters.peaks.get("bed"),
        chamber=seen.heaters.peaks.get("chamber"),
        heating_by_macro=seen.heaters.macro_may_heat,
        cold_moves=tally.cold_moves,
        cold_line=tally.cold_line,
        travel=tally.travel.box(),
        printing=phase.extents.box(),
        priming=tally.phases[0].extents.box() if marked else None,
        layer_marked=marked,
        zones=tuple(ZoneUse(zone, tally.zone_line.get(zone)) for zone in tally.zones),
        filament=tuple(
            ToolUse(tool=tool, mm=mm, mm3=mm * area) for tool, mm in sorted(tally.used.items()) if mm > 0.0
        ),
        filament_diameter=diameter,
        max_flow=None if tally.flow.best is None else tally.flow.best * area,
        max_flow_line=tally.flow.best_line,
        layers=len(heights),
        layers_capped=tally.layers_capped,
        first_layer=heights[0] / 1000.0 if heights else None,
        layer_height=_usual_step(heights),
        top=_top(phase.extents.box()),
        spiral_moves=phase.spiral,
        marked_layers=said.marked_layers,
        declared_layers=said.declared_layers,
        objects=tuple(said.objects),
        thumbnails=tuple(said.thumbnails),
        slicer=said.slicer,
        slicer_version=said.slicer_version,
        printer_models=tuple(said.printer_models),
        filament_types=tuple(said.filament_types),
        nozzles=tuple(said.nozzles),
        estimated_seconds=said.estimated_seconds,
        declared_filament_mm=tuple(said.declared_filament_mm),
        unknown=dict(sorted(seen.unknown.items())),
        watched=tuple(
            Watched(command=name, count=count, first=first)
            for name, (count, first) in sorted(seen.watched.items())
        ),
        unreadable_count=seen.unreadable_count,
        unreadable=tuple(seen.unreadable),
        frame_unknown=seen.frame_unknown,
        extruder_mode_unclear=seen.extruder_mode_unclear,
    )


def _usual_step(heights: list[int]) -> float | None:
    steps = sorted(b - a for a, b in itertools.pairwise(heights))
    return steps[len(steps) // 2] / 1000.0 if steps else None


def _top(box: Box | None) -> float | None:
    return None if box is None else box.max_z


def scan_plainly(stream: BinaryIO, zones: tuple[Rect, ...] = ()) -> GcodeReport:
    """Read a whole file line by line. Slow and plain; `core.gcode.scan.scan` gives the same, faster."""
    source = Source(stream)
    interpreter = Interpreter(zones)
    for block in source.blocks():
        take_lines(interpreter, block.split(b"\n")[:-1])
    return source.refused() or summarise(interpreter, source)
