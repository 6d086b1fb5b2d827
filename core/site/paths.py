"""Where everything of a site lies; one directory, private to its user."""

import os
from pathlib import Path

import msgspec


class SitePaths(msgspec.Struct, frozen=True):
    """The files and folders of a site."""

    root: Path

    @property
    def database(self) -> Path:
        """The ledger."""
        return self.root / "kiln.db"

    @property
    def settings(self) -> Path:
        """site.yaml."""
        return self.root / "site.yaml"

    @property
    def policy(self) -> Path:
        """policy.yaml."""
        return self.root / "policy.yaml"

    @property
    def secrets(self) -> Path:
        """secrets.yaml, mode 0600."""
        return self.root / "secrets.yaml"

    @property
    def artifacts(self) -> Path:
        """The content-addressed store."""
        return self.root / "artifacts"

    @property
    def inbox(self) -> Path:
        """The hot folder."""
        return self.root / "inbox"

    @property
    def work(self) -> Path:
        """Temporary files of slicing and of checks; emptied at start."""
        return self.root / "work"

    @property
    def slices(self) -> Path:
        """What slicing of a key gave."""
        return self.root / "slices"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        """The site lock."""
        return self.root / "lock"

    @property
    def exists(self) -> bool:
        """Whether a core ever worked here."""
        return self.database.exists()

    def create(self) -> None:
        """Make what is missing; the folders are for the user alone, the inbox may be opened for a group by hand."""
        for folder in (self.root, self.artifacts, self.inbox, self.work, self.slices, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.chmod(0o600)
    temporary.replace(path)
