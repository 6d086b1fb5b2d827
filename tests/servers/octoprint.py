"""A real OctoPrint with its Virtual Printer, installed and run by the suite itself.

OctoPrint lives in a virtual environment of its own (its pins are not ours), made once with pip from PyPI and
kept under `KILN_TEST_CACHE` (default ``.cache/`` of the repository). Every server gets a fresh directory, a
free loopback port and an administrator whose API key is fixed by writing it into ``users.yaml`` before the
first start, so that no web form has to be walked through.
"""

import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml

REQUIREMENT = "OctoPrint>=1.11,<1.12"
API_KEY = "0123456789ABCDEF0123456789ABCDEF"
REPOSITORY = Path(__file__).resolve().parents[2]

DISABLED_PLUGINS = [
    "announcements",
    "backup",
    "discovery",
    "errortracking",
    "health_check",
    "pluginmanager",
    "softwareupdate",
    "tracking",
]

_STARTED = re.compile(r"Print job started - origin: (\S+), path: (.*?), owner: ")


def cache_dir() -> Path:
    """Where environments of servers are kept between runs of the suite."""
    return Path(os.environ.get("KILN_TEST_CACHE", REPOSITORY / ".cache"))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure_octoprint() -> Path:
    """The `octoprint` program, installed first if it is not there yet; other processes wait for it."""
    venv = cache_dir() / "octoprint-venv"
    done = venv / "complete"
    program = venv / "bin" / "octoprint"
    with _locked(cache_dir() / "octoprint-venv.lock"):
        if done.exists() and done.read_text() == REQUIREMENT and program.exists():
            return program
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # Dependencies of OctoPrint without a wheel import pkg_resources while they are built.
        for wanted in (["setuptools<80", "wheel"], [REQUIREMENT]):
            made = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise RuntimeError(f"OctoPrint could not be installed: {made.stderr[-2000:]}")
        done.write_text(REQUIREMENT)
    return program


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _config(virtual_printer: dict[str, Any] | None, disabled_plugins: tuple[str, ...]) -> dict[str, Any]:
    return {
        "server": {
            "firstRun": False,
            "seenWizards": {"corewizard": 4, "classicwebcam": 1, "softwareupdate": 1},
            "onlineCheck": {"enabled": False},
            "pluginBlacklist": {"enabled": False},
        },
        "plugins": {
            "_disabled": [*DISABLED_PLUGINS, *disabled_plugins],
            "virtual_printer": {"enabled": True, **(virtual_printer or {})},
        },
        "serial": {"port": "VIRTUAL", "baudrate": 250000, "autoconnect": True},
    }


def _users_file(program: Path, basedir: Path) -> str:
    """A users.yaml with an administrator that has our key; OctoPrint makes it (3 s), we keep a copy."""
    kept = cache_dir() / "octoprint-venv" / "kiln-users.yaml"
    with _locked(cache_dir() / "octoprint-venv.lock"):
        if not kept.exists():
            subprocess.run(
                [str(program), "-b", str(basedir), "user", "add", "admin", "--password", "x", "--admin"],
                check=True,
                capture_output=True,
            )
            users = yaml.safe_load((basedir / "users.yaml").read_text())
            users["admin"]["apikey"] = API_KEY
            kept.write_text(yaml.safe_dump(users))
        return kept.read_text()


class OctoPrintServer:
    """One OctoPrint on loopback; use as a context manager, or call start() and stop()."""

    def __init__(
        self,
        basedir: Path | None = None,
        virtual_printer: dict[str, Any] | None = None,
        port: int | None = None,
        disabled_plugins: tuple[str, ...] = (),
    ) -> None:
        """`virtual_printer` overrides settings of that plugin; `disabled_plugins` are left out as well."""
        self._owned = basedir is None
        self.basedir = basedir or Path(tempfile.mkdtemp(prefix="kiln-octoprint-"))
        self.port = port or free_port()
        self.api_key = API_KEY
        self._program: Path | None = None
        self._virtual_printer = virtual_printer
        self._disabled_plugins = disabled_plugins
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """Base address, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "OctoPrintServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, timeout: float = 90.0) -> None:
        """Start it and wait until its printer is Operational."""
        program = self._program = self._program or ensure_octoprint()
        if not (self.basedir / "config.yaml").exists():
            self.basedir.mkdir(parents=True, exist_ok=True)
            (self.basedir / "config.yaml").write_text(
                yaml.safe_dump(_config(self._virtual_printer, self._disabled_plugins))
            )
            (self.basedir / "users.yaml").write_text(_users_file(program, self.basedir))
        self._output = (self.basedir / "output.txt").open("ab")
        command = [str(program), "serve", "-b", str(self.basedir)]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--iknowwhatimdoing"]
        self._process = subprocess.Popen(
            command, stdout=self._output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            self._wait_operational(self._process, timeout)
        except BaseException:
            self.kill()
            raise

    def _wait_operational(self, process: subprocess.Popen[bytes], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"OctoPrint ended with {process.returncode}: {self._tail()}")
            if self._operational():
                return
            time.sleep(0.2)
        raise RuntimeError(f"OctoPrint was not operational after {timeout} s: {self._tail()}")

    def _tail(self) -> str:
        return (self.basedir / "output.txt").read_text(errors="replace")[-1500:]

    def _operational(self) -> bool:
        try:
            return str(self.get("/api/connection")["current"]["state"]) == "Operational"
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return False

    def stop(self, timeout: float = 20.0) -> None:
        """End it in the orderly way (SIGTERM), by force after `timeout`."""
        self._end(signal.SIGTERM, timeout)

    def kill(self) -> None:
        """End it like a power cut of the host (SIGKILL)."""
        self._end(signal.SIGKILL, 10)

    def _end(self, how: signal.Signals, timeout: float) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            # a frozen process takes no SIGTERM
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, how)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        if self._output is not None:
            self._output.close()
            self._output = None

    def close(self) -> None:
        """Stop it and remove its directory, if it was ours."""
        self.kill()
        if self._owned:
            shutil.rmtree(self.basedir, ignore_errors=True)

    def restart(self) -> None:
        """Orderly stop, then start on the same port with the same files."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop it without ending it (SIGSTOP): connections stay open, nothing answers."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Undo freeze()."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def get(self, path: str) -> Any:
        """The JSON answer of a GET with the key: the test's own eyes, independent of any adapter."""
        return json.loads(self._request("GET", path, None))

    def post(self, path: str, body: object) -> str:
        """The text answer of a POST of JSON with the key."""
        return self._request("POST", path, json.dumps(body).encode())

    def _request(self, method: str, path: str, body: bytes | None) -> str:
        headers = {"X-Api-Key": self.api_key, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())

    def gcode(self, *lines: str) -> None:
        """Send lines to the printer, e.g. ``!!DEBUG:`` commands of the Virtual Printer."""
        self.post("/api/printer/command", {"commands": list(lines)})

    def state(self) -> str:
        """OctoPrint's own word for what the printer does."""
        return str(self.get("/api/job")["state"])

    def wait_state(self, *wanted: str, timeout: float = 60.0) -> str:
        """Wait until `state()` is one of `wanted`."""
        deadline = time.monotonic() + timeout
        while (state := self.state()) not in wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"state is {state!r}, wanted {wanted}")
            time.sleep(0.1)
        return state

    def physical_starts(self) -> list[str]:
        """Every print that OctoPrint ever began on this printer, in order, by file; survives restarts.

        Read from OctoPrint's own log, which it appends to. `starts_counted()` is an independent second count.
        """
        logs = sorted((self.basedir / "logs").glob("octoprint.log*"), key=lambda log: log.stat().st_mtime)
        return [
            match.group(2) for log in logs for match in _STARTED.finditer(log.read_text(errors="replace"))
        ]

    def starts_counted(self) -> int:
        """Number of prints begun, from the statistics that OctoPrint's Achievements plugin keeps on disk."""
        kept = list((self.basedir / "data" / "achievements").glob("data.json"))
        return int(json.loads(kept[0].read_text())["stats"]["prints_started"]) if kept else 0

    def print_counters(self, name: str) -> tuple[int, int]:
        """(successes, failures) that OctoPrint recorded for the file."""
        prints = self.get(f"/api/files/local/{name}").get("prints", {})
        return int(prints.get("success", 0)), int(prints.get("failure", 0))


def gcode_of(seconds: float, layers: int = 4, hotend: int = 0) -> str:
    """G-code that the Virtual Printer prints in about `seconds`.

    The Virtual Printer takes a tenth of the time of a move, and none for moves to smaller coordinates.

    `hotend` > 0 heats first (the virtual nozzle takes about 10 °C per second).
    """
    length, per_layer = 50.0, 10
    moves = layers * per_layer // 2
    speed = 60 * length * moves / (seconds * 10)
    lines = ["; a test part", "G21", "G90", "M83"]
    lines += [f"M104 S{hotend}", f"M109 S{hotend}"] if hotend else []
    lines += ["G92 X0 Y0 Z0 E0"]
    for layer in range(layers):
        lines += [f";LAYER:{layer}", f"G1 Z{0.2 * (layer + 1):.2f} F6000"]
        lines += [f"G1 X{length if i % 2 == 0 else 0:.1f} E1 F{speed:.1f}" for i in range(per_layer)]
    lines += ["M104 S0"] if hotend else []
    return "\n".join(lines) + "\n"


def short_gcode() -> str:
    """Prints in about 8 s."""
    return gcode_of(7.0)


def long_gcode() -> str:
    """Prints in about 60 s."""
    return gcode_of(60.0, layers=10)
