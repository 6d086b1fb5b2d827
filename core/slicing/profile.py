"""A profile: an immutable, named, versioned set of slicer settings, and its text form."""

import hashlib
import re
from collections.abc import Collection, Mapping

import msgspec

from core.domain.words import QualityTier
from core.slicing import ini

MAX_SETTINGS = 2000
_KEY = re.compile(r"[a-z][a-z0-9_]{0,79}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_CLEAN = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]*")  # vendors do use tabs in G-code
# patterns that come out differently on every run, so that a slice cannot be repeated
_NEVER_SAME = {
    "fill_pattern": ("lightning",),
    "fuzzy_skin": ("external", "all"),
    "perimeter_generator": ("arachne",),
}


class ProfileRefused(ValueError):
    """Settings that are not a profile; `script` is set when they would run a program after slicing."""

    def __init__(self, reason: str, *, script: bool = False) -> None:
        super().__init__(reason)
        self.script = script


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A released profile. `settings` are flat, in the slicer's own keys and spelling; `printer_class` is a
    model id of the printer table; `notes` say what Kiln changed and why; `source` where the rest comes from.
    """

    name: str
    semver: str
    slicer: str
    settings: dict[str, str]
    checksum: str
    material: str
    tier: QualityTier
    printer_class: str
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def ref(self) -> str:
        """``name@semver``, the form that a plan pins together with the checksum."""
        return f"{self.name}@{self.semver}"

    @property
    def reproducible(self) -> bool:
        """Whether slicing the same plate twice is known to give the same bytes.

        A setting that is left to the slicer's default counts by that default (Arachne walls since 2.5).
        """
        defaults = {"perimeter_generator": "arachne"}
        return not any(self.settings.get(k, defaults.get(k)) in never for k, never in _NEVER_SAME.items())


def make_profile(
    *,
    name: str,
    semver: str,
    slicer: str,
    settings: Mapping[str, str],
    material: str,
    tier: QualityTier,
    printer_class: str,
    known: Collection[str],
    notes: tuple[str, ...] = (),
    source: str = "",
) -> Profile:
    """A checked profile with its checksum; raises ProfileRefused."""
    if not _NAME.fullmatch(name):
        raise ProfileRefused("the name of a profile may hold lower-case letters, digits and . _ - only")
    if not _SEMVER.fullmatch(semver):
        raise ProfileRefused(f"'{semver[:40]}' is not a version like 1.0.0")
    check_settings(settings, known)
    return Profile(
        name=name,
        semver=semver,
        slicer=slicer,
        settings=dict(sorted(settings.items())),
        checksum=checksum(settings),
        material=material,
        tier=tier,
        printer_class=printer_class,
        notes=notes,
        source=source,
    )


def check_settings(settings: Mapping[str, str], known: Collection[str]) -> None:
    """Raise ProfileRefused for settings that the slicer would ignore, misread, or run a program for."""
    if len(settings) > MAX_SETTINGS:
        raise ProfileRefused(f"{len(settings)} settings; the limit is {MAX_SETTINGS}")
    if settings.get("post_process", "").strip(' ";'):
        raise ProfileRefused("post_process is not empty", script=True)
    for key, value in settings.items():
        if not _KEY.fullmatch(key):
            raise ProfileRefused(f"'{key[:60]}' is not the name of a setting")
        if key not in known:
            raise ProfileRefused(f"the slicer does not know the setting '{key}'")
        if len(value) > ini.MAX_VALUE or not _CLEAN.fullmatch(value) or value != value.strip():
            raise ProfileRefused(f"the value of '{key}' is not a single clean line")


def checksum(settings: Mapping[str, str]) -> str:
    """SHA-256 of the settings, whatever order they come in."""
    return hashlib.sha256(settings_text(settings).encode()).hexdigest()


def settings_text(settings: Mapping[str, str]) -> str:
    """The settings as the slicer loads them, sorted by key."""
    return "".join(f"{key} = {value}\n" for key, value in sorted(settings.items()))


def to_text(profile: Profile) -> str:
    """The profile as text for review, export and version control; `from_text` reads it back."""
    head = {
        "name": profile.name,
        "semver": profile.semver,
        "slicer": profile.slicer,
        "material": profile.material,
        "tier": profile.tier.value,
        "printer_class": profile.printer_class,
        "source": ini.escape(profile.source),
        "checksum": profile.checksum,
        "notes": ini.escape("\n".join(profile.notes)),
    }
    return (
        "[profile]\n"
        + "".join(f"{key} = {value}\n" for key, value in head.items())
        + "\n[settings]\n"
        + settings_text(profile.settings)
    )


def from_text(text: str, known: Collection[str]) -> Profile:
    """The profile in a text of `to_text`; raises ProfileRefused for anything else, also a wrong checksum."""
    try:
        sections = ini.parse(text)
        head = sections.get("profile", {})
        source, notes = ini.unescape(head.get("source", "")), ini.unescape(head.get("notes", ""))
    except ini.IniRefused as error:
        raise ProfileRefused(str(error)) from None
    settings = sections.get("settings")
    fields = {"name", "semver", "slicer", "material", "tier", "printer_class", "source", "checksum", "notes"}
    if (
        sections.get("")
        or settings is None
        or set(sections) != {"", "profile", "settings"}
        or set(head) != fields
    ):
        raise ProfileRefused("the text is not a profile of Kiln")
    try:
        tier = QualityTier(head["tier"])
    except ValueError:
        raise ProfileRefused(f"'{head['tier'][:40]}' is not a quality tier") from None
    profile = make_profile(
        name=head["name"],
        semver=head["semver"],
        slicer=head["slicer"],
        settings=settings,
        material=head["material"],
        tier=tier,
        printer_class=head["printer_class"],
        known=known,
        notes=tuple(notes.split("\n")) if notes else (),
        source=source,
    )
    if profile.checksum != head["checksum"]:
        raise ProfileRefused("the settings do not match the profile's checksum")
    return profile
