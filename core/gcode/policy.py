"""What a site decides about G-code, and what is known of where a printer may move beyond its bed."""

import msgspec

from core.domain.words import Verdict
from core.gcode.report import Rect


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Where the nozzle of a printer variant may travel, and prime, beyond the bed; machine coordinates in mm.

    `area` (x0, y0, x1, y1) is the rectangle within which the firmware or the vendor's own start and end G-code
    moves; `prime` are rectangles beside the bed on which the vendor's start code extrudes (a purge line or a brush).
    """

    area: Rect
    prime: tuple[Rect, ...] = ()
    source: str
    date: str


class GcodePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """`unknown_commands` is what the gate says to commands it does not know; `reaches` are by model id."""

    unknown_commands: Verdict = Verdict.WARN
    reaches: dict[str, Reach] = {}
