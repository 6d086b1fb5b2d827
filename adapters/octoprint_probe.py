"""The check of a new OctoPrint's address and key: only reads, and says plainly what is wrong."""

import asyncio
import socket
from collections.abc import Coroutine
from urllib.parse import urlsplit

from adapters.address import base_url
from adapters.bounded_http import BoundedHttp
from adapters.bounded_json import at, text
from adapters.octoprint_translate import state_text
from adapters.probing import ProbeResult, ProbeStep
from core.contract import AdapterError, NotPossible, ProtocolError, SiteClock

_CONNECT_S = 3.0
_NEEDED = ("STATUS", "FILES_LIST", "FILES_UPLOAD", "FILES_SELECT", "FILES_DELETE", "PRINT", "CONTROL")
_TESTED = "1.11"


class _Failed(Exception):
    """The present step failed; str() is the sentence for the person."""


class _Probe:
    def __init__(self, address: str, secret: str) -> None:
        self.address = address
        self.secret = secret.strip()
        self.url = ""
        self.version = ""
        self.found = False

    async def address_step(self) -> str:
        try:
            self.url = base_url(self.address, 80)
        except NotPossible as error:
            raise _Failed(str(error)) from error
        return self.url

    async def port_step(self) -> str:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError as error:
            raise _Failed(
                f"Nothing answers at {host} within {_CONNECT_S:.0f} s. Is the printer's computer on, and in "
                "this network?"
            ) from error
        except socket.gaierror as error:
            raise _Failed(
                f"The name {host} is not known on this network. Check its spelling, or use the number "
                "(such as 192.168.1.20) that the router gave the printer's computer."
            ) from error
        except OSError as error:
            raise _Failed(
                f"{host} cannot be reached on port {port}. Check the address; OctoPrint often listens on "
                "port 80 (OctoPi) or 5000."
            ) from error
        writer.close()
        return f"{host} answers on port {port}."

    async def kind_step(self, http: BoundedHttp) -> str:
        answer = await http.fetch("GET", "/api/version")
        if answer.status == 200:
            said = answer.json()
            if text(at(said, "text")).startswith("OctoPrint"):
                self.found, self.version = True, text(at(said, "server"), 40)
                return f"This is OctoPrint {self.version}."
        elif answer.status in (401, 403):
            page = await http.fetch("GET", "/login/")
            if page.status == 200 and b"OctoPrint" in page.body:
                self.found = True
                return "This is OctoPrint."
        elif answer.status in (502, 503, 504):
            raise _Failed("A web server answers, but OctoPrint behind it is not running (yet).")
        raise _Failed("Something answers there, but it is not OctoPrint. Check the port.")

    async def key_step(self, http: BoundedHttp) -> str:
        user = (await http.fetch("GET", "/api/currentuser")).json()
        granted = at(user, "permissions")
        have = granted if isinstance(granted, list) else []
        if not have or not self.version:
            raise _Failed(
                "OctoPrint does not accept this key. Copy it again, in OctoPrint: user menu → User Settings → "
                "API Key."
            )
        missing = [name for name in _NEEDED if name not in have]
        if missing:
            raise _Failed(
                f"The key works but its user may not: {', '.join(missing)}. Give that user these permissions "
                "in OctoPrint's Access Control."
            )
        return "The key is accepted and has the permissions that Kiln needs."

    async def version_step(self) -> str:
        if self.version.startswith(_TESTED):
            return f"Version {self.version} is one that Kiln is tested with."
        return f"Version {self.version} should work; Kiln is tested with {_TESTED}.x."

    async def printer_step(self, http: BoundedHttp) -> str:
        state = state_text((await http.fetch("GET", "/api/job")).json())
        if not state:
            raise _Failed("OctoPrint does not tell the state of its printer.")
        if state.startswith("Offline"):
            return "OctoPrint is not connected to its printer just now; that can be done later."
        return f"OctoPrint says of its printer: {state}."


async def probe(address: str, secret: str, clock: SiteClock) -> ProbeResult:  # noqa: ARG001 - same form for all kinds
    """Address, port, kind of server, key, version, printer: as far as it gets."""
    tried = _Probe(address, secret)
    steps: list[ProbeStep] = []
    http: BoundedHttp | None = None
    try:
        steps.append(await _step("Address", tried.address_step()))
        steps.append(await _step("Connection", tried.port_step()))
        key = tried.secret if tried.secret.isascii() and tried.secret.isprintable() else ""
        http = BoundedHttp(tried.url, {"X-Api-Key": key} if key else {})
        steps.append(await _step("Kind of server", tried.kind_step(http)))
        steps.append(await _step("API key", tried.key_step(http)))
        steps.append(await _step("Version", tried.version_step()))
        steps.append(await _step("Printer", tried.printer_step(http)))
    except _StepFailed as failed:
        steps.append(failed.step)
    finally:
        if http is not None:
            await http.close()
    return ProbeResult(steps=tuple(steps), adapter="octoprint" if tried.found else "", version=tried.version)


class _StepFailed(Exception):
    def __init__(self, step: ProbeStep) -> None:
        super().__init__(step.said)
        self.step = step


async def _step(title: str, work: Coroutine[object, object, str]) -> ProbeStep:
    try:
        return ProbeStep(title=title, passed=True, said=await work)
    except _Failed as error:
        raise _StepFailed(ProbeStep(title=title, passed=False, said=str(error))) from error
    except ProtocolError as error:
        said = "Something answers there, but it is not OctoPrint. Check the port."
        raise _StepFailed(ProbeStep(title=title, passed=False, said=said)) from error
    except AdapterError as error:
        raise _StepFailed(ProbeStep(title=title, passed=False, said=str(error))) from error
