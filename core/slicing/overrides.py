"""What a Build Plan says over its pinned profile."""

from collections.abc import Mapping

SUPPORTS = ("auto", "on", "off")


def with_supports(settings: Mapping[str, str], supports: str) -> dict[str, str]:
    """The settings with supports ``off``, ``auto`` or ``on``; raises ValueError for anything else.

    ``auto`` puts supports only where an overhang is flatter than the profile's own threshold (45° from the bed
    where it has none) and stands on the bed; ``on`` also lets them stand on the part itself.
    """
    if supports not in SUPPORTS:
        raise ValueError(f"supports must be one of {', '.join(SUPPORTS)}")
    if supports == "off":
        return dict(settings) | {"support_material": "0"}
    threshold = settings.get("support_material_threshold", "0")
    return dict(settings) | {
        "support_material": "1",
        "support_material_auto": "1",
        "support_material_buildplate_only": "1" if supports == "auto" else "0",
        "support_material_threshold": "45" if threshold in ("", "0") else threshold,
    }
