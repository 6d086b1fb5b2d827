"""`kiln-tui slicer fetch`: the distribution's own slicer packages unpacked into the site, without root.

apt resolves, downloads and verifies; nothing is installed and no file outside the site is written.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from core.domain.text import clean
from core.slicing.engine import FETCHED_ROOT, Engine, EngineMissing, Engines, fetched_environment

PACKAGE = "prusa-slicer"
_URI = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+\.deb) (?P<size>\d+)\b", re.MULTILINE)
_UNPACKED_PER_PACKED = 5
"""Space needed per byte of package, with some air (measured: 3.7 with Debian 12)."""
_APT_SECONDS = 1800


class FetchRefused(Exception):
    """The slicer could not be fetched; the text says why and what to do."""


def fetch(site: Path, on_progress: Callable[[str], None], *, dpkg_status: Path | None = None) -> Engine:
    """Fetch the distribution's slicer into `site` and return it, ready to slice.

    Takes 15 s to some minutes, and about 700 MB of disk. `dpkg_status` replaces the machine's list of installed
    packages. A copy that is there already is replaced only when the new one works. Raises FetchRefused, or
    OSError if the site cannot be written.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FetchRefused(
                f"{tool} is not on this machine, so the packages of the distribution cannot be fetched. "
                "Install PrusaSlicer in another way and set its path in the site's settings."
            )
    home = site / FETCHED_ROOT.parent
    work = home / "apt"
    for folder in (work / "archives" / "partial", work / "lists" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        apt = _Apt(work, dpkg_status)
        packages = _resolve(apt, on_progress)
        total = sum(size for _, size in packages)
        free = shutil.disk_usage(home).free
        if free < total * (1 + _UNPACKED_PER_PACKED):
            raise FetchRefused(
                f"The slicer needs {total * (1 + _UNPACKED_PER_PACKED) >> 20} MB of disk; {free >> 20} MB are "
                "free. Make room, then fetch again."
            )
        on_progress(f"Downloading {len(packages)} packages, {total >> 20} MB")
        apt.run("--download-only", "-y", "install", *_WANTED)
        _unpack(work / "archives", home, on_progress)
        engine = _swap_in(site, home)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    on_progress(f"Ready: {engine.label}")
    return engine


_WANTED = ("--no-install-recommends", "--reinstall", PACKAGE)


class _Apt:
    """apt-get with every folder that it writes to inside the site."""

    def __init__(self, work: Path, dpkg_status: Path | None) -> None:
        self._options = [
            *("-o", f"Dir::Cache={work}"),
            *("-o", f"Dir::Cache::archives={work / 'archives'}"),
            *("-o", "Debug::NoLocking=1"),
            *("-o", "APT::Sandbox::User="),
        ]
        self._lists = ["-o", f"Dir::State::lists={work / 'lists'}"]
        if dpkg_status is not None:
            self._options += ["-o", f"Dir::State::status={dpkg_status}"]

    def use_own_lists(self) -> None:
        """Look into package lists in the site from now on, for a machine whose own are missing or stale."""
        self._options += self._lists
        self._lists = []

    def run(self, *arguments: str) -> str:
        try:
            ended = subprocess.run(
                ["apt-get", "-q", *self._options, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_APT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise FetchRefused("apt-get did not finish within half an hour. Check the network.") from None
        if ended.returncode != 0:
            raise FetchRefused(f"apt-get could not do it: {_reason(ended.stderr)}")
        return ended.stdout.decode("utf-8", "replace")


def _resolve(apt: _Apt, on_progress: Callable[[str], None]) -> list[tuple[str, int]]:
    on_progress(f"Asking apt what {PACKAGE} needs")
    try:
        return _uris(apt)
    except FetchRefused:
        on_progress("The machine's package lists do not have it; reading the lists into the site")
    apt.use_own_lists()
    try:
        apt.run("update")
    except FetchRefused as error:
        raise FetchRefused(
            f"The machine has no usable package lists, and they could not be read: {error}. "
            "Check the network, or run 'sudo apt-get update'."
        ) from None
    try:
        return _uris(apt)
    except FetchRefused as error:
        raise FetchRefused(
            f"The distribution's package sources have no {PACKAGE} that fits this machine ({error}). "
            "Add a Debian source that has it, or install PrusaSlicer in another way."
        ) from None


def _uris(apt: _Apt) -> list[tuple[str, int]]:
    answer = apt.run("--print-uris", "-y", "install", *_WANTED)
    packages = [(m.group("file"), int(m.group("size"))) for m in _URI.finditer(answer)]
    if not any(name.startswith(f"{PACKAGE}_") for name, _ in packages):
        raise FetchRefused(f"apt knows no address to download {PACKAGE} from")
    return packages


def _unpack(archives: Path, home: Path, on_progress: Callable[[str], None]) -> None:
    fresh = home / "root.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    packages: Sequence[Path] = sorted(archives.glob("*.deb"))
    for number, package in enumerate(packages, 1):
        on_progress(f"Unpacking {number} of {len(packages)}: {clean(package.name.partition('_')[0], 60)}")
        ended = subprocess.run(
            ["dpkg-deb", "-x", str(package), str(fresh)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_APT_SECONDS,
            check=False,
        )
        if ended.returncode != 0:
            raise FetchRefused(f"{package.name} could not be unpacked: {_reason(ended.stderr)}")
        package.unlink()


def _swap_in(site: Path, home: Path) -> Engine:
    """Make the fresh copy the site's one; the old one comes back if the fresh one does not work."""
    root, fresh, old = home / "root", home / "root.new", home / "root.old"
    shutil.rmtree(old, ignore_errors=True)
    if root.exists():
        root.rename(old)
    fresh.rename(root)
    try:
        engine = Engines().fetched(site)
    except EngineMissing as error:
        root.rename(fresh)
        if old.exists():
            old.rename(root)
        shutil.rmtree(fresh, ignore_errors=True)
        raise FetchRefused(f"The fetched slicer does not run on this machine. {error}") from None
    shutil.rmtree(old, ignore_errors=True)
    _write_wrapper(site, home, engine)
    return engine


def _write_wrapper(site: Path, home: Path, engine: Engine) -> None:
    """A command for people; Kiln itself starts the program directly."""
    libraries = fetched_environment(site)["LD_LIBRARY_PATH"]
    quoted = [part.replace("'", "'\\''") for part in (libraries, str(engine.path))]
    wrapper = home / PACKAGE
    wrapper.write_text(
        f"#!/bin/sh\nLD_LIBRARY_PATH='{quoted[0]}' exec '{quoted[1]}' \"$@\"\n", encoding="utf-8"
    )
    wrapper.chmod(0o755)


def _reason(stderr: bytes) -> str:
    lines = [
        line for line in stderr.decode("utf-8", "replace").splitlines() if line.startswith(("E:", "dpkg"))
    ]
    return clean(" ".join(lines[:3]) or "no reason given", 300)
