"""The core of one site, whole: ledger, kernel, controllers and gates, in worker threads of this process."""

import logging
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import msgspec
import yaml

from core import catalog
from core.contract import Adapter, PrinterConfig
from core.controllers.dispatch import Dispatcher
from core.controllers.fleet import Fleet
from core.controllers.gcode_gate import GcodeGate
from core.controllers.inbox import InboxStatus, InboxWatcher
from core.controllers.ingest import Ingest
from core.controllers.live import LiveStore
from core.controllers.slice_store import SliceStore
from core.controllers.slice_work import Bench
from core.controllers.slicing import SlicingController
from core.domain.objects import Printer
from core.domain.policy import Policy, read_policy
from core.domain.words import Verdict
from core.gcode.policy import GcodePolicy
from core.ingest.defaults import parse_folders
from core.ingest.stability import SETTLE_MS
from core.kernel.kernel import LedgerKernel
from core.kernel.system import RandomIds, SystemClock
from core.kernel.transaction import World
from core.ledger.artifacts import FileArtifacts
from core.ledger.lock import SiteLock
from core.preflight import service as preflight
from core.site.paths import SitePaths
from core.site.settings import Secrets, SiteSettings, load_policy, load_settings, zone_of
from core.workers.pool import WorkerPool

log = logging.getLogger(__name__)

MakeAdapter = Callable[[PrinterConfig, SystemClock], Adapter]


class CoreOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who starts a core decides: the program's version, a changed default policy for a new demo."""

    program: str = ""
    policy: Policy | None = None
    settle_ms: int = SETTLE_MS
    slicer_home: Path | None = None
    """The site whose fetched slicer is used; this one's own where it is None."""


def default_policy() -> Policy:
    """The policy of a new site."""
    return read_policy(yaml.safe_load((resources.files("data") / "policy.yaml").read_text("utf-8")))


class Core:
    """Everything that works on one site. Raises SiteInUse, SettingsInvalid, NewerSchema when it cannot start."""

    def __init__(self, root: Path, make_adapter: MakeAdapter, options: CoreOptions | None = None) -> None:
        options = options or CoreOptions()
        self.paths = SitePaths(root)
        self.paths.create()
        self._lock = SiteLock(self.paths.lock)
        self._stops: list[Callable[[], object]] = [self._lock.release]
        try:
            self._open(make_adapter, options)
        except BaseException:
            self.close()
            raise

    def _open(self, make_adapter: MakeAdapter, options: CoreOptions) -> None:
        paths = self.paths
        self.settings: SiteSettings = load_settings(paths)
        policy, self.banner = load_policy(paths, options.policy or default_policy())
        self.models, self.materials = catalog.load_printer_models(), catalog.load_materials()
        self.secrets = Secrets(paths.secrets)
        self.secrets.check()
        self.clock = SystemClock()
        self.zone = zone_of(self.settings)
        self.live = LiveStore()
        self.artifacts = FileArtifacts(paths.artifacts)
        self.artifacts.clear_incoming()
        shutil.rmtree(paths.work, ignore_errors=True)
        paths.create()
        names = tuple(self.materials)
        self.kernel = LedgerKernel(
            paths.database,
            self.clock,
            RandomIds(),
            lambda incarnation: World(policy, self.models, names, incarnation),
            options.program,
        )
        self._stops.append(self.kernel.close)
        self.pool = WorkerPool(2, preload=(*preflight.PRELOAD, "core.gcode.scan"))
        self._stops.append(self.pool.close)
        unknown = policy.unknown_gcode_commands if policy else Verdict.FAIL
        rules = GcodePolicy(unknown_commands=unknown, reaches=catalog.load_reaches())
        gate = GcodeGate(self.pool, self.models, rules)
        self._start_slicing(gate, options)
        self._start_printers(make_adapter)
        self._start_inbox(gate, options)

    def _start_slicing(self, gate: GcodeGate, options: CoreOptions) -> None:
        paths = self.paths
        self.bench = Bench(
            artifacts=self.artifacts,
            gate=gate,
            materials=self.materials,
            site=options.slicer_home or paths.root,
            work=paths.work,
            configured=Path(self.settings.slicer) if self.settings.slicer else None,
        )
        store = SliceStore(paths.slices, paths.artifacts)
        self.slicing = SlicingController(
            self.kernel, self.artifacts, self.bench, store, paths.work, self._touched
        )
        self._listeners: list[Callable[[], None]] = []
        self.slicing.start()
        self._stops.append(self.slicing.stop)

    def _start_printers(self, make_adapter: MakeAdapter) -> None:
        def make(printer: Printer) -> Adapter:
            config = PrinterConfig(
                printer_id=printer.printer_id,
                name=printer.name,
                adapter=printer.adapter,
                address=printer.address,
                model_id=printer.model_id,
                secret=self.secrets.get(printer.printer_id),
                options=printer.options,
            )
            return make_adapter(config, self.clock)

        self.fleet = Fleet(self.kernel, self.artifacts, make, self.clock, self.live)
        self.fleet.start()
        self._stops.append(self.fleet.stop)
        self.dispatcher = Dispatcher(self.kernel, self.live, self.clock)
        self.dispatcher.start()
        self._stops.append(self.dispatcher.stop)

    def _start_inbox(self, gate: GcodeGate, options: CoreOptions) -> None:
        paths, names = self.paths, tuple(self.materials)
        lanes, problems = parse_folders(self.settings.inbox.folders, names)
        for problem in problems:
            self.banner = self.banner or f"site.yaml: {problem.what}"
        self.inbox_path = Path(self.settings.inbox.path or paths.inbox).expanduser()
        for lane in lanes:
            (self.inbox_path / lane).mkdir(exist_ok=True)
        self.ingest = Ingest(
            kernel=self.kernel,
            artifacts=self.artifacts,
            pool=self.pool,
            gate=gate,
            materials=self.materials,
            work=paths.work,
            zone=self.zone,
            keeper=lambda: self.inbox,
        )
        self.inbox = InboxWatcher(
            site=paths.root,
            inbox=self.inbox_path,
            on_claimed=self.ingest.on_claimed,
            new_id=lambda: RandomIds().new("drop"),
            materials=names,
            lanes=lanes,
            on_status=self._inbox_status,
            settle_ms=options.settle_ms,
        )
        self.inbox.start()
        self._stops.append(self.inbox.stop)

    def on_touch(self, callback: Callable[[], None]) -> None:
        """Call back (any thread) when slicing progress or the inbox's status changed."""
        self._listeners.append(callback)

    def _touched(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _inbox_status(self, _status: InboxStatus) -> None:
        self._touched()

    def close(self) -> None:
        """Stop every worker, the youngest first; the ledger and the lock last."""
        while self._stops:
            self._stops.pop()()
