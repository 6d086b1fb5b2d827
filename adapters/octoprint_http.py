"""OctoPrint's HTTP interface: keyed requests, the upload as a stream, and the camera picture."""

import asyncio
import hashlib
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from adapters.answer import Answer
from adapters.bounded_http import BoundedHttp
from adapters.bounded_json import at, text
from core.contract import NotPossible, ProgressFn, ProtocolError, Unauthorised, Unreachable

LIST_CAP = 16_000_000
STILL_CAP = 10_000_000
_CHUNK = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,119}")
_SLOWEST_BYTES_PER_S = 20_000
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def file_path(name: str) -> str:
    """The address of an uploaded file; NotPossible for a name that OctoPrint would change or misread."""
    if not _NAME.fullmatch(name):
        raise NotPossible("This file name cannot be used on OctoPrint (letters, digits, . _ + - only).")
    return f"/api/files/local/{quote(name)}"


def checked(answer: Answer, *also: int) -> Answer:
    """The answer if it is a 2xx or one of `also`; else the matching AdapterError."""
    if 200 <= answer.status < 300 or answer.status in also:
        return answer
    if answer.status in (401, 403):
        raise Unauthorised("OctoPrint refuses the API key, or the key lacks a permission.")
    if answer.status in (502, 503, 504):
        raise Unreachable("A web server answers, but OctoPrint behind it does not.")
    said = ""
    if answer.body.startswith(b"{"):
        said = text(at(answer.json(), "error"), 160)
    if answer.status == 409:
        raise NotPossible(f"OctoPrint cannot do this now ({said or 'the printer is busy'}).")
    raise ProtocolError(f"OctoPrint answered HTTP {answer.status}{f' ({said})' if said else ''}.")


async def upload(
    http: BoundedHttp, name: str, source: Path, sha256: str, progress: ProgressFn | None
) -> None:
    """Send the file under exactly this name, neither selected nor printed.

    The content is hashed while it is sent; the last part is held back when it is not the promised one, so that
    OctoPrint never stores a file that changed under our hands.
    """
    file_path(name)
    size = (await asyncio.to_thread(source.stat)).st_size
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="select"\r\n\r\nfalse\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="print"\r\n\r\nfalse\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    answer = await http.fetch(
        "POST",
        "/api/files/local",
        content=_parts(source, size, sha256, head, tail, progress),
        headers={
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + size + len(tail)),
        },
        total_s=60.0 + size / _SLOWEST_BYTES_PER_S,
    )
    stored = text(at(checked(answer).json(), "files", "local", "path"), 300)
    if stored != name:
        raise ProtocolError(f"OctoPrint stored the file under another name ({stored or 'none told'}).")


async def _parts(
    source: Path, size: int, sha256: str, head: bytes, tail: bytes, progress: ProgressFn | None
) -> AsyncIterator[bytes]:
    yield head
    digest = hashlib.sha256()
    sent = 0
    handle = await asyncio.to_thread(source.open, "rb")
    try:
        while sent < size:
            chunk = await asyncio.to_thread(handle.read, min(_CHUNK, size - sent))
            if not chunk:
                break
            digest.update(chunk)
            sent += len(chunk)
            if sent == size and digest.hexdigest() != sha256.lower():
                break
            yield chunk
            if progress is not None:
                progress(sent, size)
    finally:
        await asyncio.to_thread(handle.close)
    if sent != size or digest.hexdigest() != sha256.lower():
        raise NotPossible("The file to upload is not the approved one any more; nothing was stored.")
    yield tail


def still_address(base_url: str, snapshot_url: str) -> str:
    """Where to ask for the camera picture; NotPossible unless it is on OctoPrint's own host.

    OctoPrint fetches pictures itself, so ``localhost`` in its settings means its host, not ours.
    """
    base = urlsplit(base_url)
    try:
        url = urlsplit(urljoin(base_url + "/", snapshot_url))
        port = url.port
    except ValueError as error:
        raise NotPossible("The camera address in OctoPrint's settings is none.") from error
    if not snapshot_url or url.scheme not in ("http", "https") or not url.hostname:
        raise NotPossible("OctoPrint has no camera set up.")
    if url.hostname not in _LOCAL_HOSTS and url.hostname != base.hostname:
        raise NotPossible(
            "The camera is on another host than OctoPrint; Kiln does not follow such addresses."
        )
    host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
    return url._replace(netloc=f"{host}:{port}" if port else f"{host}").geturl()


async def camera_still(http: BoundedHttp) -> bytes:
    """A JPEG or PNG from the camera that OctoPrint's settings name."""
    settings = checked(await http.fetch("GET", "/api/settings")).json()
    address = still_address(http.base_url, text(at(settings, "webcam", "snapshotUrl"), 500))
    # A camera server is not OctoPrint: it gets a connection without our key.
    camera = BoundedHttp(address, {})
    try:
        picture = checked(await camera.fetch("GET", address, cap=STILL_CAP, total_s=10.0)).body
    finally:
        await camera.close()
    if not picture.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise ProtocolError("The camera's answer is not a JPEG or PNG picture.")
    return picture
