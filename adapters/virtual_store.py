"""Where a virtual printer keeps its files and its state, so that it outlives the process that shows it."""

import hashlib
import io
import os
import re
from pathlib import Path

import msgspec

from adapters.virtual_gcode import Program, read_program
from adapters.virtual_machine import Machine
from core.contract import NotPossible

_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,119}")
_STATE_CAP = 1_000_000
_MAX_FILES = 2000


class VirtualFile(msgspec.Struct, frozen=True):
    """A file on the printer: size in bytes, digest, and what the machine would do for it."""

    size: int
    sha256: str
    program: Program


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `saved_at` is wall time, 0 where nothing was kept."""

    machine: Machine = Machine()
    boot: str = ""
    saved_at: float = 0.0
    files: dict[str, VirtualFile] = {}


class _State(msgspec.Struct, frozen=True):
    machine: Machine
    boot: str
    saved_at: float


class VirtualStore:
    """Files and state in a directory; without one, nothing is kept. All methods block."""

    def __init__(self, directory: Path | None) -> None:
        """The directory is made at the first write."""
        self._directory = directory

    def load(self) -> Kept:
        """What the last process left; NotPossible where the state is unreadable (never a silent new machine)."""
        if self._directory is None:
            return Kept()
        files = {}
        folder = self._directory / "files"
        for path in sorted(folder.glob("*"))[:_MAX_FILES] if folder.is_dir() else []:
            if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                files[path.name] = virtual_file(path.read_bytes())
        path = self._directory / "state.json"
        if not path.exists():
            return Kept(files=files)
        try:
            with path.open("rb") as handle:
                state = msgspec.json.decode(handle.read(_STATE_CAP), type=_State)
        except (msgspec.DecodeError, OSError) as error:
            raise NotPossible(
                f"The state of this simulated printer cannot be read ({path.name} in its state folder); "
                "remove that file to begin with a new one."
            ) from error
        return Kept(machine=state.machine, boot=state.boot, saved_at=state.saved_at, files=files)

    def save(self, machine: Machine, boot: str, wall: float) -> None:
        """Keep the state; complete or not at all."""
        if self._directory is not None:
            self._directory.mkdir(parents=True, exist_ok=True)
            _write(self._directory / "state.json", msgspec.json.encode(_State(machine, boot, wall)))

    def put(self, name: str, data: bytes) -> None:
        """Keep a file; NotPossible for a name that no printer would take."""
        if not _NAME.fullmatch(name):
            raise NotPossible("This file name cannot be used on the printer (letters, digits, . _ + - only).")
        if self._directory is not None:
            folder = self._directory / "files"
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / name, data)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        if self._directory is not None and _NAME.fullmatch(name):
            (self._directory / "files" / name).unlink(missing_ok=True)


def virtual_file(data: bytes) -> VirtualFile:
    """A file's content as the machine sees it; NotPossible where it is beyond what the simulation takes."""
    try:
        program = read_program(io.BytesIO(data))
    except ValueError as error:
        raise NotPossible(str(error)) from error
    return VirtualFile(size=len(data), sha256=hashlib.sha256(data).hexdigest(), program=program)


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    partial.replace(path)
