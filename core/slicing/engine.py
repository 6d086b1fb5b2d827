"""Finding the slicing engine, and knowing exactly which one it is."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

FETCHED_ROOT = Path("slicer") / "root"
"""Where `kiln-tui slicer fetch` unpacks the distribution's packages, below the site."""

_VERSION = re.compile(r"(PrusaSlicer|SuperSlicer|OrcaSlicer|BambuStudio)-(\d+\.\d+\.\d+[\w.-]*)")
# the libraries whose code or rounding reaches the toolpaths; window and network libraries do not
_GEOMETRY_LIBS = re.compile(
    r"lib(stdc\+\+|gcc_s|m|c|tbb\w*|openvdb|Imath.*|nlopt\w*|gmp|mpfr|boost_\w+|CGAL\w*|qhull\w*|expat|z|TK\w+)\.so"
)
_PROBE_SECONDS = 30


class EngineMissing(Exception):
    """No usable slicer; the text says what was tried and how to get one."""


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """One installed slicer: where it is, which version, and a digest of everything that shapes its output.

    `environment` is what it needs besides the minimal one (a fetched copy needs its own library path).
    """

    name: str
    version: str
    path: Path
    digest: str
    environment: dict[str, str] = {}

    @property
    def label(self) -> str:
        """E.g. ``PrusaSlicer 2.5.0``."""
        return f"{self.name} {self.version}"


def how_to_get() -> str:
    """How to get a slicer on this machine, in one sentence."""
    return (
        "Install it with 'sudo apt-get install -y --no-install-recommends prusa-slicer', "
        "or without root with 'kiln-tui slicer fetch'. Ready G-code can be printed without it."
    )


class Engines:
    """Finds the engine and remembers its digest until one of its files changes."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[tuple[str, int, int], ...], Engine]] = {}

    def find(self, *, configured: Path | None = None, site: Path | None = None) -> Engine:
        """The engine to use: the configured path, else prusa-slicer on PATH, else the site's fetched copy.

        A configured path that does not work is an error, never a reason to use another one silently.
        Raises EngineMissing.
        """
        if configured is not None:
            return self._probe(configured, {})
        on_path = shutil.which("prusa-slicer")
        if on_path:
            return self._probe(Path(on_path), {})
        if site is not None and fetched_binary(site) is not None:
            return self.fetched(site)
        raise EngineMissing(f"No slicer is installed on this machine. {how_to_get()}")

    def fetched(self, site: Path) -> Engine:
        """The site's fetched copy, also where another slicer is installed; raises EngineMissing."""
        binary = fetched_binary(site)
        if binary is None:
            raise EngineMissing(f"There is no fetched slicer in this site. {how_to_get()}")
        return self._probe(binary, fetched_environment(site))

    def _probe(self, path: Path, environment: Mapping[str, str]) -> Engine:
        try:
            real = path.resolve(strict=True)
        except OSError:
            raise EngineMissing(f"There is no slicer at {path}. {how_to_get()}") from None
        if not real.is_file() or not os.access(real, os.X_OK):
            raise EngineMissing(f"{path} is not a program that can be run. {how_to_get()}")
        known = self._known.get(real)
        if known is not None and known[1].environment == dict(environment) and _stamps(known[0]) == known[0]:
            return known[1]
        full = {**minimal_environment(Path("/nonexistent")), **environment}
        name, version = _version(real, full)
        files = (real, *_libraries(real, full))
        engine = Engine(
            name=name,
            version=version,
            path=real,
            digest=_digest(files, version),
            environment=dict(environment),
        )
        self._known[real] = (_stamps((str(f), 0, 0) for f in files), engine)
        return engine


def minimal_environment(home: Path) -> dict[str, str]:
    """All that a slicer gets to see of our environment."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def fetched_binary(site: Path) -> Path | None:
    """The slicer that was fetched into this site, if there is one."""
    binary = site / FETCHED_ROOT / "usr" / "bin" / "prusa-slicer"
    return binary if binary.is_file() else None


def fetched_environment(site: Path) -> dict[str, str]:
    """The library path that a fetched slicer needs."""
    root = (site / FETCHED_ROOT).resolve()
    # the multi-arch folder, and the folders of their own that a few packages use (blas, pulseaudio)
    patterns = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib", "lib", "usr/lib/*-linux-gnu*/*")
    folders = [folder for pattern in patterns for folder in sorted(root.glob(pattern))]
    found = [str(f) for f in folders if f.is_dir() and next(f.glob("lib*.so*"), None) is not None]
    return {"LD_LIBRARY_PATH": ":".join(found)}


def _version(path: Path, environment: dict[str, str]) -> tuple[str, str]:
    try:
        answer = subprocess.run(
            [str(path), "--help"],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise EngineMissing(f"{path} does not answer. {how_to_get()}") from None
    text = answer.stdout[:20_000].decode("utf-8", "replace")
    match = _VERSION.search(text)
    if match is None:
        broken = answer.stderr[:2000].decode("utf-8", "replace")
        missing = re.search(r"(lib[\w.+-]+): cannot open shared object", broken)
        why = f"it misses {missing.group(1)}" if missing else "it does not say that it is a slicer we know"
        raise EngineMissing(f"{path} cannot be used: {why}. {how_to_get()}")
    return match.group(1), match.group(2)


def _libraries(path: Path, environment: dict[str, str]) -> tuple[Path, ...]:
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return ()  # a wrapper script or an AppImage: its own bytes are all we can know
    ldd = shutil.which("ldd")
    if ldd is None:
        return ()
    try:
        listed = subprocess.run(
            [ldd, str(path)],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = set()
    for line in listed.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and _GEOMETRY_LIBS.match(name):
            target = Path(rest.rsplit(" (", 1)[0])
            if target.is_file():
                found.add(target.resolve())
    return tuple(sorted(found, key=lambda f: f.name))  # where a library lies does not shape the toolpaths


def _digest(files: tuple[Path, ...], version: str) -> str:
    whole = hashlib.sha256(f"{platform.machine()}\n{version}\n".encode())
    for path in files:
        with path.open("rb") as file:
            whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _stamps(files: Iterable[tuple[str, int, int]]) -> tuple[tuple[str, int, int], ...]:
    stamps = []
    for name, _, _ in files:
        try:
            status = os.stat(name)
        except OSError:
            return ()
        stamps.append((name, status.st_mtime_ns, status.st_size))
    return tuple(stamps)
