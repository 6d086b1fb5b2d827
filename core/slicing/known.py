"""Which settings a slicer knows: a profile with any other would be something else than what was reviewed."""

import importlib.resources
import tempfile
from pathlib import Path

from core.slicing import classify, ini, prusa
from core.slicing.engine import Engine
from core.slicing.outcomes import NotSliced


def shipped_settings() -> frozenset[str]:
    """The packaged list, of PrusaSlicer 2.5."""
    sections = _packaged()
    return frozenset(sections["saved"]) | frozenset(sections["optional"])


def _packaged() -> dict[str, dict[str, str]]:
    text = (importlib.resources.files("data") / "profiles" / "known_settings.ini").read_text("utf-8")
    return ini.parse(text)


class KnownSettings:
    """Asks each engine once for its own list."""

    def __init__(self) -> None:
        self._by_engine: dict[str, frozenset[str]] = {}

    def of(self, engine: Engine, folder: Path) -> frozenset[str] | NotSliced:
        """What this engine writes for an empty profile, and what it takes besides.

        `folder` holds a temporary file.
        """
        known = self._by_engine.get(engine.digest)
        if known is None:
            with tempfile.TemporaryDirectory(prefix="known-", dir=folder) as name:
                saved = Path(name) / "default.ini"
                ended = prusa.run_engine(engine, ["--save", saved.name], Path(name), prusa.short_limits())
                if ended.code != 0 or not saved.is_file():
                    outcome, detail = classify.failure(ended)
                    return NotSliced(outcome=outcome, detail=detail, engine=engine.label)
                own = frozenset(ini.parse(saved.read_text("utf-8"))[""])
            optional = frozenset(_packaged()["optional"])
            known = self._by_engine.setdefault(engine.digest, (own | optional) - {"threads"})
        return known
