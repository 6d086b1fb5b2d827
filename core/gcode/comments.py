"""What slicers say about a file in its comments: hints with a name, never the truth about motion or heat."""

import re

from core.domain.text import clean

_MAX_NAMES = 2000
_MAX_SHORT = 50

_SLICER = (
    re.compile(r"generated (?:by|with) (PrusaSlicer|SuperSlicer|OrcaSlicer|Slic3r|Cura_SteamEngine)[ _]?(\S*)", re.I),
    re.compile(r"(BambuStudio|OrcaSlicer|PrusaSlicer|KISSlicer|ideaMaker|FlashPrint|Simplify3D)\S*\s*(?:Version\s*)?"
               r"[-–]?\s*(\d[\w.+-]*)?", re.I),
)  # fmt: skip
_KEY_VALUE = re.compile(r"([A-Za-z_][\w. \[\]()³^-]{0,60}?)\s*[=:]\s*(.{0,400})")
_DURATION = re.compile(r"(\d+)\s*([dhms])(?![a-z])")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_OBJECT = re.compile(r"printing object (.+?)(?: id:\s*\d+ copy \d+)?$")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_LAYER_OF = re.compile(r"layer num/total_layer_count:\s*\d+/(\d+)")


class Comments:
    """Collects the hints of one file; bounded in everything."""

    def __init__(self) -> None:
        self.marked_layers = 0
        self.declared_layers: int | None = None
        self.objects: dict[str, None] = {}
        self.thumbnails: list[str] = []
        self.slicer: str | None = None
        self.slicer_version: str | None = None
        self.printer_models: dict[str, None] = {}
        self.filament_types: list[str] = []
        self.nozzles: list[float] = []
        self.filament_diameter: float | None = None
        self.estimated_seconds: int | None = None
        self.declared_filament_mm: list[float] = []

    def take(self, text: str) -> bool:
        """Note what the comment `text` (without its semicolon) says; True if it marks the start of a layer."""
        text = text.strip()
        if not text:
            return False
        if text.startswith(("LAYER_CHANGE", "CHANGE_LAYER")):
            self.marked_layers += 1
            return True
        if text.startswith("LAYER:"):
            if text[6:].strip().lstrip("-").isdigit():
                self.marked_layers += 1
                return True
            return False
        if text.startswith(("TYPE:", "WIDTH:", "HEIGHT:", "Z:", "WIPE_")):
            return False
        if text.startswith("thumbnail"):
            self._thumbnail(text)
        elif text.startswith("printing object "):
            if match := _OBJECT.match(text):
                self.name_object(match[1])
        elif text.startswith("MESH:"):
            if text[5:].strip() != "NONMESH":
                self.name_object(text[5:])
        elif match := _LAYER_OF.match(text):
            self._declare_layers(match[1])
        else:
            self._general(text)
        return False

    def name_object(self, name: str) -> None:
        """Note the label of an object on the plate."""
        if len(self.objects) < _MAX_NAMES and (label := clean(name, 120)):
            self.objects.setdefault(label)

    def name_printer(self, name: str) -> None:
        """Note the model that the file is for."""
        if len(self.printer_models) < _MAX_SHORT and (model := clean(name, 120)):
            self.printer_models.setdefault(model)

    def _thumbnail(self, text: str) -> None:
        parts = text.split()
        if len(parts) >= 3 and parts[1] == "begin" and len(self.thumbnails) < _MAX_SHORT:
            self.thumbnails.append(clean(parts[2], 20))

    def _general(self, text: str) -> None:
        if self.slicer is None and len(text) < 300:
            for pattern in _SLICER:
                if match := pattern.search(text):
                    self.slicer = clean(match[1], 40)
                    self.slicer_version = clean(match[2], 40) if match[2] else None
                    break
        if "total estimated time" in text or "estimated printing time" in text:
            self._time(text)
            return
        if match := _KEY_VALUE.match(text):
            self._key(match[1].strip().lower(), match[2].strip())

    def _time(self, text: str) -> None:
        if "(silent mode)" in text:
            return
        said = text.rpartition("total estimated time")[2] if "total estimated time" in text else text
        seconds = sum(int(number[:9]) * _SECONDS[unit] for number, unit in _DURATION.findall(said))
        if seconds and self.estimated_seconds is None:
            self.estimated_seconds = seconds

    def _key(self, key: str, value: str) -> None:
        if key in ("printer_model", "target_machine.name"):
            self.name_printer(value.strip("\"'"))
        elif key == "filament_type":
            self.filament_types = [clean(t, 30) for t in value.split(";") if t.strip()][:_MAX_SHORT]
        elif key == "nozzle_diameter":
            self.nozzles = _numbers(value)
        elif key == "filament_diameter":
            plausible = [d for d in _numbers(value) if 1.0 <= d <= 4.0]
            self.filament_diameter = plausible[0] if plausible else None
        elif key in ("filament used [mm]", "total filament length [mm]", "filament_length"):
            self.declared_filament_mm = _numbers(value)
        elif key == "filament used" and value.endswith("m") and not value.endswith("mm"):
            self.declared_filament_mm = [metres * 1000.0 for metres in _numbers(value)]
        elif key in ("layer_count", "total layers count", "total layer number"):
            self._declare_layers(value)
        elif key == "time" and self.estimated_seconds is None and (numbers := _numbers(value)):
            self.estimated_seconds = int(numbers[0]) or None

    def _declare_layers(self, value: str) -> None:
        if value.isdigit() and len(value) < 9:
            self.declared_layers = int(value)


def _numbers(text: str) -> list[float]:
    found = (m for m in _NUMBER.findall(text) if len(m) < 20)
    return [float(m) for m in found][:_MAX_SHORT]
