"""Vendor bundles of PrusaSlicer (`share/PrusaSlicer/profiles/*.ini`), read and flattened.

A bundle holds print, filament and printer presets that inherit from each other. The slicer's command line
cannot resolve them, so we do: the result is one flat set of settings that the slicer loads as it is.
"""

from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from core.slicing import condition, ini

MAX_DEPTH = 30

_BOOK_KEEPING = frozenset(
    {
        "inherits",
        "renamed_from",
        "renamed_From",
        "compatible_printers",
        "compatible_printers_condition",
        "compatible_prints",
        "compatible_prints_condition",
        "default_filament_profile",
        "default_print_profile",
        "default_sla_material_profile",
        "default_sla_print_profile",
        "host_type",
        "print_host",
        "octoprint_host",
        "octoprint_apikey",
        "serial_port",
        "serial_speed",
    }
)
_STRING_LISTS = frozenset(
    {
        "start_filament_gcode",
        "end_filament_gcode",
        "filament_type",
        "filament_colour",
        "filament_notes",
        "filament_vendor",
        "filament_ramming_parameters",
        "filament_settings_id",
        "extruder_colour",
        "post_process",
    }
)


class BundleRefused(ValueError):
    """A bundle or preset that cannot be flattened for certain; the text says why."""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """One preset with everything it inherits; `kind` is ``printer``, ``print`` or ``filament``."""

    kind: str
    name: str
    settings: dict[str, str]

    def get(self, key: str) -> str:
        """The value of a setting, '' if the preset does not say."""
        return self.settings.get(key, "")


class Bundle:
    """One vendor's presets; parents are resolved on demand and remembered."""

    def __init__(self, name: str, text: str) -> None:
        try:
            sections = ini.parse(text)
        except ini.IniRefused as error:
            raise BundleRefused(f"bundle {name}: {error}") from None
        self.name = name
        self.version = sections.get("vendor", {}).get("config_version", "unknown")
        self._sections = sections
        self._resolved: dict[str, dict[str, str]] = {}
        self._order: dict[str, list[str]] = {"printer": [], "print": [], "filament": []}
        for section in sections:
            kind, colon, preset = section.partition(":")
            if colon and kind in self._order and not (preset.startswith("*") and preset.endswith("*")):
                self._order[kind].append(preset)

    def names(self, kind: str) -> tuple[str, ...]:
        """All presets of a kind that are not abstract, in the order of the file."""
        return tuple(self._order[kind])

    def preset(self, kind: str, name: str) -> Preset:
        """A preset with everything it inherits; raises BundleRefused."""
        return Preset(kind=kind, name=name, settings=self._resolve(kind, name, 0))

    def _resolve(self, kind: str, name: str, depth: int) -> dict[str, str]:
        section = f"{kind}:{name}"
        done = self._resolved.get(section)
        if done is not None:
            return done
        own = self._sections.get(section)
        if own is None:
            raise BundleRefused(f"bundle {self.name} has no {kind} preset '{name[:80]}'")
        if depth > MAX_DEPTH:
            raise BundleRefused(f"the {kind} preset '{name[:80]}' inherits from itself")
        settings: dict[str, str] = {}
        # a later parent wins over an earlier one, and the preset itself over both
        for parent in ini.split_strings(own.get("inherits", "")):
            if parent:
                settings.update(self._resolve(kind, parent, depth + 1))
        settings.update(own)
        self._resolved[section] = settings
        return settings


def load_bundle(path: Path) -> Bundle:
    """The bundle in a file; raises BundleRefused, or OSError if the file cannot be read."""
    if path.stat().st_size > ini.MAX_TEXT:
        raise BundleRefused(f"bundle {path.stem} is too big")
    try:
        return Bundle(path.stem, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise BundleRefused(f"bundle {path.stem} is not UTF-8 text") from None


def profile_dirs(engine: Path) -> tuple[Path, ...]:
    """Where the bundles that came with this slicer program are."""
    share = engine.parent.parent / "share"
    found = (share / name / "profiles" for name in ("PrusaSlicer", "prusa-slicer"))
    return tuple(folder for folder in found if folder.is_dir())


def list_printers(bundle: Bundle) -> list[Preset]:
    """All printer presets for filament printers that resolve, in the order of the file."""
    found = []
    for name in bundle.names("printer"):
        preset = bundle.preset("printer", name)
        if preset.get("printer_technology") in ("", "FFF"):
            found.append(preset)
    return found


def compatible(
    bundle: Bundle, kind: str, printer: Preset, chosen_print: Preset | None = None
) -> list[Preset]:
    """The print or filament presets whose conditions hold for `printer` (and `chosen_print`, where given).

    A preset whose condition is not understood is left out: it is not known to suit.
    """
    checks = [_Suits(printer, "compatible_printers")]
    if chosen_print is not None:
        checks.append(_Suits(chosen_print, "compatible_prints"))
    presets = (bundle.preset(kind, name) for name in bundle.names(kind))
    return [preset for preset in presets if all(check(preset) for check in checks)]


class _Suits:
    """Whether presets suit one other preset; bundles repeat a few hundred conditions for thousands of presets."""

    def __init__(self, other: Preset, key: str) -> None:
        self._name = other.name
        self._key = key
        self._settings = {k: _unescaped(v) for k, v in other.settings.items()}
        self._known: dict[tuple[str, str], bool] = {}

    def __call__(self, preset: Preset) -> bool:
        wanted = (preset.get(self._key), preset.get(f"{self._key}_condition"))
        if wanted not in self._known:
            self._known[wanted] = self._decide(*wanted)
        return self._known[wanted]

    def _decide(self, names: str, text: str) -> bool:
        try:
            named = [name for name in ini.split_strings(names) if name]
            if named:
                return self._name in named
            return condition.holds(ini.unescape(text), self._settings)
        except (condition.ConditionRefused, ini.IniRefused):
            return False


def _unescaped(value: str) -> str:
    try:
        return ini.unescape(value)
    except ini.IniRefused:
        return value  # no condition is about a value that is broken


def flatten(
    bundle: Bundle, printer: str, print_: str, filament: str | None, known: Collection[str] | None = None
) -> dict[str, str]:
    """One flat set of settings for the slicer: print ∪ filament ∪ printer.

    Without a filament the caller adds its settings. Book-keeping keys are left out, also keys outside `known`
    where given (the slicer would ignore them).
    Filament settings are repeated for every extruder. Raises BundleRefused for presets that do not exist,
    values with unbalanced quotes, embedded scripts, and a first layer given as a share of nothing.
    """
    machine = bundle.preset("printer", printer)
    extruders = len(machine.get("nozzle_diameter").split(","))
    flat = dict(bundle.preset("print", print_).settings)
    filament_settings = bundle.preset("filament", filament).settings if filament is not None else {}
    for key, value in filament_settings.items():
        flat[key] = _repeated(key, value, extruders)
    flat.update(machine.settings)
    flat["print_settings_id"] = print_
    flat["printer_settings_id"] = printer
    wanted: Callable[[str], bool] = (lambda _: True) if known is None else known.__contains__
    flat = {k: v for k, v in flat.items() if k not in _BOOK_KEEPING and wanted(k)}
    for key in _STRING_LISTS & flat.keys():
        try:
            ini.split_strings(flat[key])
        except ini.IniRefused:
            raise BundleRefused(
                f"the value of '{key}' in bundle {bundle.name} has unbalanced quotes"
            ) from None
    if flat.pop("post_process", "").strip(' ";'):
        raise BundleRefused(f"preset '{print_}' of bundle {bundle.name} runs a script after slicing")
    # an override that says nil means "as the printer says", which is what leaving it out means too
    flat = {k: v for k, v in flat.items() if set(v.split(",")) != {"nil"}}
    flat["first_layer_height"] = _first_layer(flat)
    return flat


def _repeated(key: str, value: str, extruders: int) -> str:
    if extruders == 1 or key.startswith(("compatible_", "inherits")):
        return value
    if key in _STRING_LISTS:
        return ";".join([value] * extruders)
    return ",".join([value] * extruders)


def _first_layer(flat: dict[str, str]) -> str:
    value = flat.get("first_layer_height", "0.2")
    if not value.endswith("%"):
        return value
    try:
        return f"{float(flat['layer_height']) * float(value[:-1]) / 100:.4g}"
    except (KeyError, ValueError):
        raise BundleRefused(f"the first layer height '{value[:20]}' cannot be worked out") from None
