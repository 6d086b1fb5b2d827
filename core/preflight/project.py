"""What a slicer left in its project 3MF beside the shape, and what of it a person must know."""

import re

from core.domain.findings import Finding
from core.domain.text import clean
from core.preflight.limits import Refusal
from core.preflight.package import Package
from core.preflight.wording import finding

_MOST = 8 << 20
_SCRIPT = re.compile(rb'"?\bpost_process"?\s*(?:=|:)[ \t]*(\[[^\]]{0,4000}\]?|[^\r\n]{0,4000})')
_NOTHING = re.compile(rb'[\s"\'\[\],;]*')
_MODIFIERS = (
    # as PrusaSlicer writes them into its model settings
    re.compile(rb'key="volume_type"\s+value="(ParameterModifier|NegativeVolume|Support\w+)"'),
    re.compile(rb'key="(modifier)"\s+value="1"'),
    # as OrcaSlicer and Bambu Studio do
    re.compile(rb'subtype="(modifier_part|negative_part|support_\w+)"'),
)


def inspect(package: Package) -> list[Finding]:
    """EMBEDDED_SCRIPT, PROJECT_MODIFIERS and ALREADY_SLICED, where they apply."""
    found: list[Finding] = []
    names = package.names()
    for name in names:
        if not (name.startswith("metadata/") and name.endswith(".config")):
            continue
        text = package.head(name, _MOST + 1)
        if len(text) > _MOST:
            raise Refusal("UNREADABLE", f"{clean(name, 60)} is larger than any real setting")
        for match in _SCRIPT.finditer(text):
            if not _NOTHING.fullmatch(match[1]):
                command = clean(match[1].decode("utf-8", "replace").strip(' "[]'), 80)
                found.append(finding("EMBEDDED_SCRIPT", command, clean(name, 60)))
                break
        kinds = {m[1].decode("ascii", "replace") for pattern in _MODIFIERS for m in pattern.finditer(text)}
        if kinds:
            listed = ", ".join(sorted(_plain(kind) for kind in kinds)[:4])
            found.append(finding("PROJECT_MODIFIERS", listed, clean(name, 60)))
    return found


def is_sliced(package: Package) -> bool:
    """Whether G-code is inside."""
    return any(name.startswith("metadata/") and name.endswith(".gcode") for name in package.names())


def _plain(kind: str) -> str:
    return clean(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", kind).lower(), 40)
