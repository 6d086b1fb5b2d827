"""Doctor's look at a site: slicer, folder, settings, disk, inbox, database, printers. Changes nothing."""

import os
import shutil
import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import apsw
import msgspec

from adapters.address import base_url
from adapters.registry import ADAPTERS
from core.catalog import load_materials
from core.contract import NotPossible
from core.domain.objects import Printer
from core.domain.text import clean
from core.ingest.defaults import parse_folders
from core.ledger.schema import SCHEMA_VERSION
from core.site.paths import SitePaths
from core.site.settings import SettingsInvalid, load_settings
from core.slicing.engine import EngineMissing, Engines
from kiln_tui.cli.doctor import Check, Result

_DISK_FAIL, _DISK_WARN = 200 << 20, 2 << 30
_QUICK_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
_NETWORK = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "afs")


def slicer(site: Path) -> Check:
    """Whether a slicer is there and answers."""
    try:
        configured = load_settings(SitePaths(site)).slicer
    except SettingsInvalid:
        configured = ""  # reported by `settings`
    try:
        engine = Engines().find(configured=Path(configured) if configured else None, site=site)
    except EngineMissing as error:
        says, _, fix = str(error).partition(". ")
        # A wrong path in the settings is an error; without any slicer, ready G-code can still be printed.
        result = Result.FAIL if configured else Result.WARN
        return Check(name="Slicer", result=result, says=clean(says, 200), fix=clean(fix, 300))
    return Check(name="Slicer", result=Result.OK, says=f"{engine.label} ({engine.path})")


def folder(site: Path) -> list[Check]:
    """Whether the site's folder is there, ours and private."""
    name = "Site folder"
    shown = clean(str(site))
    if not site.exists():
        parent = next(p for p in site.absolute().parents if p.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return [Check(name=name, result=Result.OK, says=f"{shown} is made at the first start")]
        fix = f"Choose another place with --site DIR, or ask for permission to write in {clean(str(parent))}."
        return [Check(name=name, result=Result.FAIL, says=f"{shown} can't be made", fix=fix)]
    if not site.is_dir() or not os.access(site, os.R_OK | os.W_OK | os.X_OK):
        fix = f"Give the folder to the user that runs Kiln: sudo chown -R $USER {shown}"
        return [Check(name=name, result=Result.FAIL, says=f"{shown} can't be written", fix=fix)]
    found = []
    mode = stat.S_IMODE(site.stat().st_mode)
    if mode & 0o077:
        says = f"{shown} is open to other users (mode {mode:04o})"
        found.append(Check(name=name, result=Result.WARN, says=says, fix=f"chmod 700 {shown}"))
    else:
        found.append(Check(name=name, result=Result.OK, says=shown))
    secrets = SitePaths(site).secrets
    if secrets.exists() and (mode := stat.S_IMODE(secrets.stat().st_mode)) & 0o077:
        says = f"other users can read the printers' keys (secrets.yaml has mode {mode:04o})"
        found.append(
            Check(
                name="Secrets",
                result=Result.FAIL,
                says=says,
                fix=f"chmod 600 {clean(str(secrets))}; then renew the keys",
            )
        )
    return found


def settings(site: Path) -> Check:
    """Whether site.yaml can be read, and the folder defaults in it."""
    try:
        told = load_settings(SitePaths(site))
    except SettingsInvalid as error:
        fix = "Correct that line of site.yaml."
        return Check(name="Settings", result=Result.FAIL, says=clean(str(error), 300), fix=fix)
    _, problems = parse_folders(told.inbox.folders, load_materials())
    if problems:
        return Check(
            name="Settings", result=Result.FAIL, says=clean(problems[0].what, 300), fix=problems[0].fix
        )
    return Check(name="Settings", result=Result.OK, says="site.yaml is fine, or not needed yet")


def disk(site: Path) -> Check:
    """Free space where the site lies."""
    place = next(p for p in (site, *site.absolute().parents) if p.exists())
    usage = shutil.disk_usage(place)
    return disk_of(usage.free, usage.total)


def disk_of(free: int, total: int) -> Check:
    """Judge the free space; sizes in bytes."""
    says = f"{free / 1e9:.1f} GB free of {total / 1e9:.0f} GB"
    if free < _DISK_FAIL:
        fix = "Free some space now: Kiln takes no new work when it can't write what it promised."
        return Check(name="Disk", result=Result.FAIL, says=says, fix=fix)
    if free < _DISK_WARN:
        fix = "Free some space soon: one sliced plate may need hundreds of megabytes."
        return Check(name="Disk", result=Result.WARN, says=says, fix=fix)
    return Check(name="Disk", result=Result.OK, says=says)


def inbox(site: Path, mounts: Path = Path("/proc/mounts")) -> Check:
    """Whether the hot folder is there, writable, and on what kind of filesystem."""
    paths = SitePaths(site)
    try:
        configured = load_settings(paths).inbox.path
    except SettingsInvalid:
        configured = ""
    place = Path(configured).expanduser() if configured else paths.inbox
    shown = clean(str(place))
    if not place.exists():
        if not configured:
            return Check(name="Inbox", result=Result.OK, says=f"{shown} is made at the first start")
        fix = "Mount the share or create the folder; or take inbox.path out of site.yaml."
        return Check(name="Inbox", result=Result.FAIL, says=f"{shown} is not there", fix=fix)
    if not place.is_dir() or not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        fix = f"Kiln moves files out of it: give its user write permission on {shown}."
        return Check(name="Inbox", result=Result.FAIL, says=f"{shown} can't be written by this user", fix=fix)
    kind, read_only = _mounted(place.resolve(), mounts)
    if read_only:
        return Check(
            name="Inbox", result=Result.FAIL, says=f"{shown} is mounted read-only", fix="Mount it writable."
        )
    if kind.startswith(_NETWORK):
        says = f"{shown} on {kind}: looked at every second; files are copied from there, then removed"
        return Check(name="Inbox", result=Result.OK, says=says)
    return Check(name="Inbox", result=Result.OK, says=shown)


def database(site: Path) -> Check:
    """A quick check of the ledger, read-only and for at most ten seconds; `kiln-tui verify` walks all of it."""
    path = SitePaths(site).database
    name = "Database"
    if not path.exists():
        return Check(name=name, result=Result.OK, says="none yet; it is made at the first start")
    restore = "Stop Kiln, copy kiln.db aside, and restore the newest backup; nothing was changed."
    connection = None
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        version = int(_scalar(connection, "PRAGMA user_version"))
        if version > SCHEMA_VERSION:
            says = f"written by a newer kiln-tui (schema {version}, this one knows {SCHEMA_VERSION})"
            return Check(name=name, result=Result.FAIL, says=says, fix="Install that version again.")
        ends = time.monotonic() + _QUICK_CHECK_SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > ends, 100_000)
        answer = _scalar(connection, "PRAGMA quick_check(1)")
        if answer != "ok":
            return Check(name=name, result=Result.FAIL, says=f"damaged: {clean(answer, 160)}", fix=restore)
        events = int(_scalar(connection, "SELECT count(*) FROM events"))
    except apsw.InterruptError:
        says = f"too large to look through in {_QUICK_CHECK_SECONDS:.0f} s"
        return Check(name=name, result=Result.WARN, says=says, fix="Run kiln-tui verify when there is time.")
    except apsw.BusyError:
        return Check(
            name=name, result=Result.WARN, says="busy just now", fix="Run kiln-tui doctor once more."
        )
    except apsw.Error as error:
        return Check(
            name=name, result=Result.FAIL, says=f"can't be read: {clean(str(error), 160)}", fix=restore
        )
    finally:
        if connection is not None:
            connection.close()
    return Check(name=name, result=Result.OK, says=f"{events} events, {path.stat().st_size / 1e6:.1f} MB")


def printers(site: Path) -> list[Check]:
    """Whether each printer's address answers. Keys are not tried: a wrong one shows on the Printers screen."""
    known = _known_printers(SitePaths(site).database)
    if not known:
        return [Check(name="Printers", result=Result.OK, says="none added yet")]
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(_printer, known))


def _printer(printer: Printer) -> Check:
    name = f"Printer {clean(printer.name, 40)}"
    kind = ADAPTERS.get(printer.adapter)
    if kind is None:
        says = f"Kiln has no adapter “{clean(printer.adapter, 40)}”"
        return Check(name=name, result=Result.FAIL, says=says, fix="Remove the printer and add it anew.")
    if not kind.needs_address:
        return Check(name=name, result=Result.OK, says="simulated, always there")
    shown = clean(printer.address, 100)
    try:
        url = urlsplit(base_url(printer.address, kind.default_port))
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except NotPossible as error:
        return Check(
            name=name,
            result=Result.FAIL,
            says=clean(str(error), 200),
            fix="Remove the printer and add it anew.",
        )
    except OSError as error:
        says = f"{shown} does not answer ({clean(error.strerror or str(error), 80)})"
        fix = "Switch the printer and its server on, and look whether the address is still the same."
        return Check(name=name, result=Result.WARN, says=says, fix=fix)
    return Check(name=name, result=Result.OK, says=f"{shown} answers")


def _known_printers(path: Path) -> list[Printer]:
    if not path.exists():
        return []
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            rows = list(
                connection.execute("SELECT doc FROM printers WHERE removed = 0 ORDER BY name LIMIT 500")
            )
        finally:
            connection.close()
        return [msgspec.json.decode(row[0], type=Printer) for row in rows]
    except (apsw.Error, msgspec.DecodeError):
        return []  # reported by `database`


def _scalar(connection: apsw.Connection, sql: str) -> str:
    row = connection.execute(sql).fetchone()
    return str(row[0]) if row else ""


def _mounted(place: Path, mounts: Path) -> tuple[str, bool]:
    """(filesystem type, read-only) of the mount that `place` lies on; ('', False) where it can't be told."""
    best, kind, read_only = "", "", False
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return "", False
    for line in lines:
        fields = line.split()
        if len(fields) < 4:
            continue
        point = fields[1].replace("\\040", " ")
        if place.is_relative_to(point) and len(point) >= len(best):
            best, kind, read_only = point, fields[2], "ro" in fields[3].split(",")
    return kind, read_only
