"""Which directory a command works on, and the one place where a core is put together with its adapters."""

import logging
import logging.handlers
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.client.local import LocalClient
    from core.client.views import ProbeView
    from core.site.core import Core, CoreOptions

_LOG_BYTES = 10 * 1024 * 1024
_LOG_FILES = 5


def default_site() -> Path:
    """The platform's own place for this user's site."""
    import platformdirs

    return Path(platformdirs.user_data_dir("kiln-tui", appauthor=False)) / "site"


def log_to_file(folder: Path) -> None:
    """Send the log to ``kiln.log`` in `folder` (10 MB, five of them), never to the terminal."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / "kiln.log", maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # a log that can't be written (disk full) must not write its complaints across the screens
    logging.raiseExceptions = False
    # request lines carry addresses, and at debug level headers: keys must never get into a log
    for name in ("httpx", "httpcore", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)


def open_core(site: Path, options: "CoreOptions") -> "Core":
    """A core on this site, with every adapter; raises SiteInUse, SettingsInvalid or NewerSchema."""
    from adapters import registry
    from core.site.core import Core

    log_to_file(site / "logs")
    return Core(site, registry.create, options)


def local_client(core: "Core", *, demo: str = "", time_scale: float = 1.0, who: str = "") -> "LocalClient":
    """The client of a core in this process."""
    from core.client.local import LocalClient

    async def probe(address: str, secret: str) -> "ProbeView":
        return await _probe(core, address, secret)

    return LocalClient(core, probe, demo=demo, time_scale=time_scale, who=who)


async def _probe(core: "Core", address: str, secret: str) -> "ProbeView":
    from adapters import registry
    from core.client.views import ProbeStep, ProbeView

    found = await registry.probe(address, secret, core.clock)
    steps = tuple(ProbeStep(name=s.title, ok=s.passed, detail=s.said) for s in found.steps)
    return ProbeView(ok=found.passed, adapter=found.adapter, steps=steps)


def program_version() -> str:
    """The installed version."""
    from importlib.metadata import version

    return version("kiln-tui")
