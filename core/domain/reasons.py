"""Canonical reason codes with their families (domain.md); a site's own codes must map to one of these."""

from enum import StrEnum


class Family(StrEnum):
    """Groups of reasons that drive the circuit breakers."""

    FIRST_LAYER = "FIRST_LAYER"
    SPAGHETTI = "SPAGHETTI"
    MATERIAL = "MATERIAL"
    THERMAL = "THERMAL"
    POWER = "POWER"
    MACHINE = "MACHINE"
    OPERATOR = "OPERATOR"
    QUALITY = "QUALITY"
    UNKNOWN = "UNKNOWN"


_CODES: dict[Family, tuple[str, ...]] = {
    Family.FIRST_LAYER: ("first_layer", "adhesion_loss"),
    Family.SPAGHETTI: ("spaghetti", "layer_shift", "detached_part"),
    Family.MATERIAL: (
        "filament_runout",
        "filament_tangle",
        "clog",
        "under_extrusion",
        "wrong_material",
    ),
    Family.THERMAL: ("thermal", "thermal_runaway", "heater_fault", "temp_drift"),
    Family.POWER: ("power_loss",),
    Family.MACHINE: ("printer_error", "firmware_shutdown", "link_lost", "storage_full"),
    Family.OPERATOR: ("operator_abort", "test_print", "wrong_file"),
    Family.QUALITY: ("dimensional", "cosmetic", "stringing", "warping"),
    Family.UNKNOWN: ("unknown",),
}

FAMILY_OF: dict[str, Family] = {code: family for family, codes in _CODES.items() for code in codes}
"""Canonical code to its family."""


def is_code(code: str) -> bool:
    """Whether `code` is a canonical reason code."""
    return code in FAMILY_OF


def label(code: str) -> str:
    """The words for a reason code on screen, e.g. ``first_layer`` to ``First layer``."""
    return code.replace("_", " ").capitalize()
