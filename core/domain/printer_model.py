"""What is known of a printer variant: limits with a source and a date (`data/printers/*.yaml`)."""

import msgspec


class Sourced(msgspec.Struct, frozen=True):
    """Where a value was read, and when (ISO date)."""

    source: str
    date: str


class PrinterModel(msgspec.Struct, frozen=True, kw_only=True):
    """One printer *variant*; temperatures in °C, lengths in mm, flow in mm³/s.

    `origin` is where (0, 0) of the machine lies, relative to the front-left corner of the bed: (0, 0) for most,
    (w/2, d/2) for machines with the origin in the centre. `excluded` are rectangles (x0, y0, x1, y1),
    measured from that corner, that nothing may be printed on. `aliases` are names of the model as slicers write
    them into G-code.
    """

    model_id: str
    name: str
    width: float
    depth: float
    height: float
    max_hotend: int
    max_bed: int
    max_chamber: int = 0
    nozzle: float = 0.4
    max_flow: float = 12.0
    enclosure: bool = False
    origin: tuple[float, float] = (0.0, 0.0)
    excluded: tuple[tuple[float, float, float, float], ...] = ()
    firmware: str = "marlin"
    tools: int = 1
    aliases: tuple[str, ...] = ()
    slicer_model: str = ""
    sources: dict[str, Sourced] = {}
    """Field name to where its value comes from."""
