"""OctoPrint behind the printer contract.

Which call starts a print: the file command ``select`` with ``print: true`` on the exact path. It is one request
that names the file; ``POST /api/job start`` prints whatever happens to be selected, and printing with the upload
cannot be told apart from a repeat of the upload. A 204 still proves nothing (two overlapping ones both get it).

Boot signature: the bundled Achievements plugin (OctoPrint ≥ 1.11) counts starts of OctoPrint and prints begun, on
disk and at their beginning; any API user may read it. Where it is missing, print counters of the files serve, which
do not show a restart. Neither shows that the printer alone was switched off and on, nor a print from the printer's
own card that OctoPrint did not notice.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from adapters import octoprint_http as calls
from adapters import octoprint_push as push
from adapters import octoprint_translate as translate
from adapters.address import base_url
from adapters.bounded_http import BoundedHttp
from adapters.bounded_json import at, number
from core.contract import (
    AdapterError,
    BootSignature,
    Capability,
    Link,
    NotPossible,
    Observation,
    Phase,
    PrinterConfig,
    ProgressFn,
    ProtocolError,
    RemoteFile,
    Reply,
    ReplyKind,
    SiteClock,
    Unauthorised,
    Unreachable,
)

OBSERVE_S = 4.5
DEFAULT_PORT = 80
_LISTING = "/api/files/local?recursive=true"

CAPABILITY = Capability(
    adapter="octoprint",
    hash_algorithm="sha1",
    job_counter=True,
    camera=True,
    send_gcode=True,
    set_temperature=True,
    emergency_stop=True,
    accept_lag_s=2.0,
    grace_s=20.0,
    poll_s=1.0,
)


class OctoPrintAdapter:
    """One OctoPrint server with its one printer; see `core.contract.Adapter` for the methods."""

    def __init__(self, config: PrinterConfig, clock: SiteClock) -> None:
        """No connection is made yet; NotPossible when the address or key cannot be one."""
        key = config.secret.strip()
        if not key.isascii() or not key.isprintable():
            raise NotPossible("The API key contains characters that no OctoPrint key has.")
        self._clock = clock
        self._key = key
        self._http = BoundedHttp(base_url(config.address, DEFAULT_PORT), {"X-Api-Key": key})
        self._listing_etag = ""
        self._listing_boot = BootSignature()

    @property
    def capability(self) -> Capability:
        """The same for every OctoPrint; a missing camera is told by camera_still."""
        return CAPABILITY

    async def close(self) -> None:
        """Give up connections."""
        await self._http.close()

    async def observe(self) -> Observation:
        """Job state, temperatures, counters, by three to four small requests within 4.5 s."""
        try:
            async with asyncio.timeout(OBSERVE_S):
                return await self._look()
        except (Unreachable, TimeoutError) as error:
            said = str(error) or "The printer's server did not answer in time."
            return self._without(Link.OFFLINE, Phase.OFFLINE, said)
        except Unauthorised as error:
            return self._without(Link.UNAUTHORISED, Phase.UNKNOWN, str(error))
        except AdapterError as error:
            return self._without(Link.ONLINE, Phase.UNKNOWN, str(error))

    def _without(self, link: Link, phase: Phase, message: str) -> Observation:
        return Observation(
            seen_at=self._clock.monotonic(), link=link, phase=phase, full=False, messages=(message,)
        )

    async def _look(self) -> Observation:
        boot = await self._boot()
        answer = calls.checked(await self._http.poll("/api/printer"), 409)
        printer = answer.json() if answer.status == 200 else None
        job = calls.checked(await self._http.poll("/api/job")).json()
        if not translate.state_text(job):
            raise ProtocolError("The answer is not that of an OctoPrint.")
        error = None
        if translate.phase_of(job, None, ()) is Phase.ERROR:
            error = calls.checked(await self._http.poll("/api/printer/error"), 404).json()
        return translate.observation(
            job=job,
            printer=printer,
            error=error,
            file_info=await self._selected(job),
            boot=boot,
            seen_at=self._clock.monotonic(),
            full=True,
        )

    async def _selected(self, job: object) -> object:
        """The selected file's record, where it tells a cancelled print from one that never began."""
        name = translate.remote_file_of(job)
        resting = translate.state_text(job) == "Operational"
        if not name or not resting or number(at(job, "progress", "completion")) is not None:
            return None
        try:
            path = calls.file_path(name)
        except NotPossible:
            return None
        answer = calls.checked(await self._http.poll(path), 404)
        return answer.json() if answer.status == 200 else None

    async def _boot(self) -> BootSignature:
        answer = await self._http.poll("/plugin/achievements/")
        if answer.status == 200:
            boot = translate.boot_from_statistics(answer.json())
            if boot is not None:
                return boot
        return await self._boot_of_files()

    async def _boot_of_files(self) -> BootSignature:
        headers = {"If-None-Match": self._listing_etag} if self._listing_etag else {}
        answer = calls.checked(await self._http.poll(_LISTING, headers=headers, cap=calls.LIST_CAP), 304)
        if answer.status != 304:
            self._listing_boot = translate.boot_from_files(answer.json())
            self._listing_etag = answer.etag
        return self._listing_boot

    async def hints(self) -> AsyncIterator[Observation]:
        """Pushed states; ends when the link breaks."""
        async for hint in push.pushed(self._http, self._key, self._clock):
            yield hint

    async def upload(self, name: str, source: Path, sha256: str, progress: ProgressFn | None = None) -> None:
        """Keyed; OctoPrint refuses to overwrite the file it is printing (NotPossible)."""
        await calls.upload(self._http, name, source, sha256, progress)

    async def read_back(self, name: str) -> RemoteFile | None:
        """Keyed; the digest is the SHA-1 that OctoPrint took when it stored the file."""
        answer = calls.checked(await self._http.fetch("GET", calls.file_path(name)), 404)
        return None if answer.status == 404 else translate.remote_file(answer.json())

    async def delete(self, name: str) -> None:
        """Keyed; a selected file is deselected by OctoPrint, one being printed is refused (NotPossible)."""
        calls.checked(await self._http.fetch("DELETE", calls.file_path(name)), 404)

    async def list_files(self) -> tuple[RemoteFile, ...]:
        """Keyed; files of all folders in OctoPrint's own storage."""
        listing = await self._http.fetch("GET", _LISTING, cap=calls.LIST_CAP)
        entries = translate.walk_files(calls.checked(listing).json())
        found = (translate.remote_file(entry) for entry in entries)
        return tuple(file for file in found if file is not None)

    async def camera_still(self) -> bytes:
        """Keyed; from the webcam that OctoPrint's settings name, on its own host only."""
        return await calls.camera_still(self._http)

    async def start(self, name: str, token: str) -> Reply:  # noqa: ARG002 - OctoPrint can carry no token
        """Unkeyed; select and print exactly this file, in one request."""
        try:
            path = calls.file_path(name)
        except NotPossible as error:
            return Reply(kind=ReplyKind.NOT_SENT, detail=str(error))
        return await self._http.send_once("POST", path, {"command": "select", "print": True})

    async def pause(self) -> Reply:
        """Unkeyed; with the explicit action, since a bare pause toggles."""
        return await self._job("pause", action="pause")

    async def resume(self) -> Reply:
        """Unkeyed."""
        return await self._job("pause", action="resume")

    async def cancel(self) -> Reply:
        """Unkeyed."""
        return await self._job("cancel")

    async def _job(self, command: str, **more: str) -> Reply:
        return await self._http.send_once("POST", "/api/job", {"command": command, **more})

    async def set_temperature(self, heater: str, target: float) -> Reply:
        """Unkeyed; heaters are named as observed: ``tool0``…, ``bed``, ``chamber``."""
        if heater.startswith("tool"):
            body: dict[str, object] = {"command": "target", "targets": {heater: target}}
            return await self._http.send_once("POST", "/api/printer/tool", body)
        if heater in ("bed", "chamber"):
            body = {"command": "target", "target": target}
            return await self._http.send_once("POST", f"/api/printer/{heater}", body)
        return Reply(kind=ReplyKind.NOT_SENT, detail="OctoPrint has no heater of that name.")

    async def send_gcode(self, lines: tuple[str, ...]) -> Reply:
        """Unkeyed."""
        if not 0 < len(lines) <= 100 or any("\n" in line or "\r" in line for line in lines):
            return Reply(kind=ReplyKind.NOT_SENT, detail="Between 1 and 100 single lines can be sent.")
        return await self._http.send_once("POST", "/api/printer/command", {"commands": list(lines)})

    async def emergency_stop(self) -> Reply:
        """Unkeyed; M112, which OctoPrint puts before everything else it has to send."""
        return await self.send_gcode(("M112",))
