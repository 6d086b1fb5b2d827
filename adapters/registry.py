"""The kinds of printers Kiln can talk to, how to make an adapter, and the check of a new address.

Adapters are imported when the first printer of their kind is made, so that a site pays only for what it has.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import cast

import msgspec

from adapters.probing import ProbeResult
from core.contract import Adapter, NotPossible, PrinterConfig, SiteClock
from core.domain.text import clean


class AdapterKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a person chooses from; `factory` and `prober` are ``module:name``, a prober only where one can ask."""

    name: str
    factory: str
    needs_address: bool
    needs_key: bool
    default_port: int = 0
    key_help: str = ""
    prober: str = ""


ADAPTERS: dict[str, AdapterKind] = {
    "octoprint": AdapterKind(
        name="OctoPrint",
        factory="adapters.octoprint:OctoPrintAdapter",
        needs_address=True,
        needs_key=True,
        default_port=80,
        key_help="In OctoPrint: user menu → User Settings → API Key.",
        prober="adapters.octoprint_probe:probe",
    ),
    "virtual": AdapterKind(
        name="Virtual printer (simulated)",
        factory="adapters.virtual:VirtualAdapter",
        needs_address=False,
        needs_key=False,
    ),
}
"""Adapter name in site.yaml to its kind."""


def create(config: PrinterConfig, clock: SiteClock) -> Adapter:
    """The adapter for a printer of the site, not connected yet; NotPossible with a sentence where it cannot be."""
    kind = ADAPTERS.get(config.adapter)
    if kind is None:
        known = ", ".join(sorted(ADAPTERS))
        raise NotPossible(f"There is no adapter {clean(config.adapter, 40)!r}; Kiln has: {known}.")
    make = cast(Callable[[PrinterConfig, SiteClock], Adapter], _load(kind.factory))
    return make(config, clock)


async def probe(address: str, secret: str, clock: SiteClock) -> ProbeResult:
    """Find out what answers at an address and whether the key is right; only reads, never raises for it.

    The result with the most passed steps among the kinds that can be asked is given.
    """
    results: list[ProbeResult] = []
    for kind in ADAPTERS.values():
        if kind.prober:
            ask = cast(Callable[[str, str, SiteClock], Awaitable[ProbeResult]], _load(kind.prober))
            results.append(await ask(address, secret, clock))
            if results[-1].passed:
                return results[-1]
    return max(results, key=lambda result: sum(step.passed for step in result.steps))


def _load(path: str) -> object:
    module, _, name = path.partition(":")
    return cast(object, getattr(import_module(module), name))
