"""The small commands: drop, verify, events, slicer."""

import argparse
import json
import sys
from pathlib import Path


def run(options: argparse.Namespace, site: Path) -> int:
    """Carry out one of them; the exit code."""
    match options.command:
        case "drop":
            return drop(site, options.paths)
        case "verify":
            return verify_site(site, options.head, as_json=options.json)
        case "events":
            return events(site, options.order)
        case _:
            return slicer(site, options.what)


def drop(site: Path, paths: list[Path]) -> int:
    """Copy files into the site's inbox; a running core takes them at once, else the next one does."""
    from core.ingest.dropping import drop_into
    from core.site.paths import SitePaths
    from core.site.settings import SettingsInvalid, load_settings

    layout = SitePaths(site)
    try:
        inbox = Path(load_settings(layout).inbox.path or layout.inbox).expanduser()
        inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (SettingsInvalid, OSError) as error:
        sys.stderr.write(f"kiln-tui: {error}\n")
        return 1
    said = [drop_into(inbox, path) for path in paths]
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 1 if any("could not" in line for line in said) else 0


def verify_site(site: Path, head: str, *, as_json: bool) -> int:
    """Walk the chain, and rebuild every table from the events."""
    from core.ledger.verify import projections, replay, verify
    from core.site.paths import SitePaths

    database = SitePaths(site).database
    if not database.exists():
        sys.stderr.write(f"kiln-tui: there is no ledger in {site}\n")
        return 1
    found = verify(database, expected_head=head)
    differing = []
    if found.ok:
        rebuilt, stored = replay(database), projections(database)
        differing = sorted(
            f"{kind} {name}"
            for kind, name in rebuilt.keys() | stored.keys()
            if rebuilt.get((kind, name)) != stored.get((kind, name))
        )
    good = found.ok and not differing
    if as_json:
        document = {"ok": good, "events": found.events, "head": found.head, "problem": found.problem}
        sys.stdout.write(json.dumps({**document, "differing": differing}) + "\n")
    elif good:
        sys.stdout.write(f"The chain holds: {found.events} events, head {found.head}.\n")
        sys.stdout.write("Every table is what its events say.\n")
    else:
        problem = found.problem or f"tables differ from their events: {', '.join(differing[:5])}"
        sys.stdout.write(f"DAMAGED after {found.events} events: {problem}.\n")
        sys.stdout.write("Do not start prints on this site. Restore a backup of kiln.db.\n")
    return 0 if good else 1


def events(site: Path, order: int | None) -> int:
    """The event log as JSON lines, oldest first."""
    import msgspec

    from core.client.views import EventFilter
    from core.ledger.reader import SqlReader
    from core.site.paths import SitePaths

    database = SitePaths(site).database
    if not database.exists():
        sys.stderr.write(f"kiln-tui: there is no ledger in {site}\n")
        return 1
    reader = SqlReader(database)
    wanted = None
    if order is not None:
        found = [i for i in reader.intents_recent(5000) if i.number == order]
        if not found:
            sys.stderr.write(f"kiln-tui: there is no Order {order}\n")
            return 1
        wanted = found[0].intent_id
    after = 0
    while page := reader.events_after(after, EventFilter(intent_id=wanted)):
        for event in page:
            sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
        after = page[-1].seq
    reader.close()
    return 0


def slicer(site: Path, what: str) -> int:
    """Get the distribution's slicer into the site without root, or tell which one is used."""
    from core.slicing.engine import EngineMissing, Engines
    from core.slicing.fetch import FetchRefused, fetch

    try:
        if what == "fetch":
            site.mkdir(mode=0o700, parents=True, exist_ok=True)
            engine = fetch(site, _line)
        else:
            engine = Engines().find(site=site)
    except (EngineMissing, FetchRefused, OSError) as error:
        sys.stderr.write(f"kiln-tui: {error}\n")
        return 1
    sys.stdout.write(f"{engine.label} at {engine.path}\ndigest {engine.digest}\n")
    return 0


def _line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
