"""site.yaml, policy.yaml and secrets.yaml: read strictly, with the wrong key named."""

import datetime as dt
import os
import zoneinfo
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.domain.policy import Policy, PolicyInvalid, read_policy
from core.domain.text import clean
from core.site.paths import SitePaths, write_private

_MAX_BYTES = 256 * 1024


class SettingsInvalid(Exception):
    """A settings file cannot be used; str() names the file and the key."""


class InboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hot folder: another place than ``<site>/inbox``, and defaults per folder inside it."""

    path: str = ""
    folders: dict[str, dict[str, Any]] = {}


class SiteSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """site.yaml. `name` is shown on the screens; `slicer` is a path that overrides the one on PATH."""

    name: str = ""
    slicer: str = ""
    inbox: InboxSettings = InboxSettings()
    timezone: str = ""


def load_settings(paths: SitePaths) -> SiteSettings:
    """The site's settings; defaults where there is no file."""
    document = _load(paths.settings)
    try:
        return msgspec.convert({} if document is None else document, SiteSettings, strict=True)
    except msgspec.ValidationError as error:
        raise SettingsInvalid(f"site.yaml: {error}") from None


def zone_of(settings: SiteSettings) -> dt.tzinfo:
    """The zone of due dates: the one that site.yaml names, else this computer's."""
    if not settings.timezone:
        return dt.datetime.now().astimezone().tzinfo or dt.UTC
    try:
        return zoneinfo.ZoneInfo(settings.timezone)
    except (KeyError, ValueError, OSError):
        shown = clean(settings.timezone, 60)
        raise SettingsInvalid(
            f"site.yaml: `timezone` is “{shown}”, which is no time zone; write one such as Europe/Berlin"
        ) from None


def load_policy(paths: SitePaths, default: Policy) -> tuple[Policy | None, str]:
    """The policy in force and, when its file cannot be used, None and why (automatic actions then stop)."""
    try:
        document = _load(paths.policy)
        return (default if document is None else read_policy(document)), ""
    except OSError as error:
        return None, f"policy.yaml can't be read, so nothing starts by itself: {error.strerror}"
    except (PolicyInvalid, SettingsInvalid) as error:
        return None, f"policy.yaml can't be used, so nothing starts by itself: {error}"


class Secrets:
    """API keys by printer id, in a file of mode 0600; never logged, never in the ledger."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Read the file once, which takes other users' rights to it away; SettingsInvalid when it can't be used."""
        self._all()

    def get(self, printer_id: str) -> str:
        """The secret of a printer, or ''."""
        return self._all().get(printer_id, "")

    def put(self, printer_id: str, secret: str) -> None:
        """Remember a secret durably; '' forgets it."""
        known = self._all()
        known.pop(printer_id, None)
        if secret:
            known[printer_id] = secret
        write_private(self._path, yaml.safe_dump(known, default_flow_style=False))

    def _all(self) -> dict[str, str]:
        document = _load(self._path)
        if document is None:
            return {}
        if os.stat(self._path).st_mode & 0o077:
            self._path.chmod(0o600)
        try:
            return msgspec.convert(document, dict[str, str], strict=True)
        except msgspec.ValidationError:
            raise SettingsInvalid(
                "secrets.yaml: must be lines of “printer: key”; a key of digits only stands in quotes"
            ) from None


def _load(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SettingsInvalid(f"{path.name} is larger than {_MAX_BYTES // 1024} KiB")
        return yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except RecursionError:
        raise SettingsInvalid(f"{path.name} can't be read: nested too deeply") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0] if str(error) else "not YAML"
        raise SettingsInvalid(f"{path.name} can't be read: {first}") from None
