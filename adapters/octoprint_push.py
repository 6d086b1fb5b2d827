"""OctoPrint's push messages as hints (never as evidence).

Raw WebSocket of its SockJS endpoint: log in passively with the key, send ``auth``, narrow the subscription, then
read ``current`` (at most twice a second) and the state events that polls and ``current`` are too slow for.
"""

from collections.abc import AsyncIterator

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from adapters.bounded_http import BoundedHttp
from adapters.bounded_json import at, decode_json, text
from adapters.octoprint_http import checked
from adapters.octoprint_translate import observation, state_text
from core.contract import BootSignature, Observation, ProtocolError, SiteClock

MESSAGE_CAP = 1_000_000
_SILENCE_S = 15.0
_SUBSCRIBE = {
    "subscribe": {
        "state": {"logs": False, "messages": False},
        "events": ["PrinterStateChanged"],
        "plugins": [],
    }
}


async def pushed(http: BoundedHttp, key: str, clock: SiteClock) -> AsyncIterator[Observation]:
    """Hints until the link breaks or OctoPrint wants a new login; raises AdapterError when login fails."""
    address = "ws" + http.base_url.removeprefix("http") + "/sockjs/websocket"
    auth = await _session(http)
    try:
        async with connect(
            address,
            additional_headers={"X-Api-Key": key},
            max_size=MESSAGE_CAP,
            open_timeout=5,
            close_timeout=1,
            ping_interval=_SILENCE_S / 2,
            ping_timeout=_SILENCE_S / 2,
            compression=None,
            proxy=None,
        ) as socket:
            await socket.send(msgspec.json.encode({"auth": auth}), text=True)
            await socket.send(msgspec.json.encode(_SUBSCRIBE), text=True)
            current: object = None
            async for message in socket:
                data = message.encode() if isinstance(message, str) else message
                value = decode_json(data)
                if at(value, "reauthRequired") is not None:
                    return
                current, changed = merge(current, value)
                if changed:
                    yield _hint(current, clock.monotonic())
    except (OSError, TimeoutError, WebSocketException, InvalidHandshake, InvalidURI, ProtocolError):
        # The end of the stream is all that a hint's reader needs to know; polls tell the rest.
        return


async def _session(http: BoundedHttp) -> str:
    answer = checked(await http.fetch("POST", "/api/login", body={"passive": True})).json()
    name, session = text(at(answer, "name"), 120), text(at(answer, "session"), 200)
    if not name or not session:
        raise ProtocolError("OctoPrint gave no session for its push messages.")
    return f"{name}:{session}"


def merge(current: object, message: object) -> tuple[object, bool]:
    """The last known ``current`` payload after a message, and whether it tells anything new (pure)."""
    for kind in ("current", "history"):
        payload = at(message, kind)
        if isinstance(payload, dict) and isinstance(at(payload, "state", "text"), str):
            return payload, True
    if at(message, "event", "type") == "PrinterStateChanged" and isinstance(current, dict):
        said = at(message, "event", "payload", "state_string")
        if isinstance(said, str):
            return {**current, "state": {"text": said}}, True
    return current, False


def job_of(current: object) -> object:
    """A ``current`` payload in the shape of `/api/job` (pure)."""
    return {
        "job": at(current, "job"),
        "progress": at(current, "progress"),
        "state": at(current, "state", "text"),
        "error": at(current, "state", "error"),
    }


def _hint(current: object, now: float) -> Observation:
    temps = at(current, "temps")
    newest = temps[-1] if isinstance(temps, list) and temps else None
    job = job_of(current)
    printer = {"temperature": newest, "state": at(current, "state")} if state_text(job) else None
    return observation(job=job, printer=printer, boot=BootSignature(), seen_at=now, full=False)
