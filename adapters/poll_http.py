"""The connection that polls use: one per printer, kept open, and light.

A full HTTP client costs 1.2 ms of CPU per request (httpx 0.28, measured); two hundred printers polled once a second
with three requests each would keep most of a core busy. This one speaks HTTP/1.1 through h11 alone, and only GET; it
takes a fifth of that.
"""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import h11

from adapters.answer import Answer
from core.contract import ProtocolError, Unreachable
from core.domain.text import clean

_READ = 65_536
_HEADER_CAP = 65_536


class _Gone(Exception):
    """A kept connection had been closed before the answer began: worth one new connection."""


class PollConnection:
    """GET requests to one server, one at a time, over one connection that is opened anew when it is gone."""

    def __init__(self, base_url: str, headers: Mapping[str, str], tls: ssl.SSLContext) -> None:
        """`headers` go with every request; nothing is connected yet."""
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if secure else 80)
        self._tls = tls if secure else None
        self._prefix = parts.path
        self._headers = [("Host", parts.netloc), *headers.items()]
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEADER_CAP)

    async def get(
        self, path: str, headers: Mapping[str, str], cap: int, connect_s: float, total_s: float
    ) -> Answer:
        """The answer, whatever its status; Unreachable or ProtocolError as for any keyed call."""
        async with self._lock:
            try:
                async with asyncio.timeout(total_s):
                    return await self._get(path, headers, cap, connect_s)
            except TimeoutError as error:
                self.close()
                raise Unreachable("The printer's server did not answer in time.") from error
            except h11.RemoteProtocolError as error:
                self.close()
                raise Unreachable("The printer's server broke off, or is no web server.") from error
            except h11.LocalProtocolError as error:
                self.close()
                raise ProtocolError("The printer's server cannot be asked that way.") from error
            except (OSError, _Gone) as error:
                self.close()
                said = clean(str(error) or type(error).__name__, 120)
                raise Unreachable(f"No answer from the printer's server ({said}).") from error
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the connection; the next get opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _get(self, path: str, headers: Mapping[str, str], cap: int, connect_s: float) -> Answer:
        if self._streams is not None:
            try:
                return await self._exchange(self._streams, path, headers, cap)
            except (_Gone, ConnectionError):
                self.close()
        async with asyncio.timeout(connect_s):
            opened = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEADER_CAP)
        self._streams = opened
        return await self._exchange(opened, path, headers, cap)

    async def _exchange(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        path: str,
        headers: Mapping[str, str],
        cap: int,
    ) -> Answer:
        reader, writer = streams
        request = h11.Request(
            method="GET", target=self._prefix + path, headers=[*self._headers, *headers.items()]
        )
        writer.write(self._state.send(request) or b"")
        writer.write(self._state.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        response: h11.Response | None = None
        body = bytearray()
        received = 0
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(_READ)
                received += len(data)
                if not data and not received:
                    raise _Gone("the connection was closed")
                self._state.receive_data(data)
            elif isinstance(event, h11.Response):
                response = event
                _check_encoding(event)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > cap:
                    raise ProtocolError(f"The printer's answer is larger than {cap:,} bytes.")
            elif isinstance(event, h11.EndOfMessage) and response is not None:
                return self._finish(response, bytes(body))
            elif isinstance(event, h11.ConnectionClosed):
                raise _Gone("the connection was closed")

    def _finish(self, response: h11.Response, body: bytes) -> Answer:
        if self._state.our_state is h11.DONE and self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
        else:
            self.close()
        return Answer(status=response.status_code, body=body, etag=_header(response, b"etag")[:200])


def _header(response: h11.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key == name), "")


def _check_encoding(response: h11.Response) -> None:
    if _header(response, b"content-encoding") not in ("", "identity"):
        raise ProtocolError("The printer's server compresses its answer although it was asked not to.")
