"""HTTP towards printers: bounded in size and time, without retries, redirects, proxies or compression."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from functools import cache

import httpx
import msgspec

from adapters.answer import Answer
from adapters.bounded_json import decode_json
from adapters.poll_http import PollConnection
from core.contract import ProtocolError, Reply, ReplyKind, Unreachable
from core.domain.text import clean

CONNECT_S = 3.0
ANSWER_S = 4.0
UNKEYED_S = 10.0
DEFAULT_CAP = 1_000_000
REPLY_CAP = 16_000


class BoundedHttp:
    """Three ways to one server: a kept connection for polls, a few for transfers, a fresh one per unkeyed call.

    A fresh connection makes "no byte was sent" provable: only a failure to connect is NOT_SENT, everything
    after that is NO_REPLY at best. Environment variables (proxies, .netrc) are ignored.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        """`headers` go with every request; `base_url` has no trailing slash."""
        self.base_url = base_url
        common = {"Accept-Encoding": "identity", "User-Agent": "kiln-tui", **headers}
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        tls = _tls(base_url.startswith("https"))
        self._polls = PollConnection(base_url, common, tls)
        self._reader = httpx.AsyncClient(
            base_url=base_url,
            headers=common,
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            transport=httpx.AsyncHTTPTransport(
                retries=0,
                verify=tls,
                trust_env=False,
                limits=httpx.Limits(max_connections=4, max_keepalive_connections=1, keepalive_expiry=20.0),
            ),
        )
        self._once = httpx.AsyncClient(
            base_url=base_url,
            headers={**common, "Connection": "close"},
            timeout=httpx.Timeout(UNKEYED_S - CONNECT_S, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=False,
            transport=httpx.AsyncHTTPTransport(
                retries=0,
                verify=tls,
                trust_env=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            ),
        )

    async def close(self) -> None:
        """Give up all connections."""
        self._polls.close()
        await self._reader.aclose()
        await self._once.aclose()

    async def poll(
        self, path: str, *, headers: Mapping[str, str] | None = None, cap: int = DEFAULT_CAP
    ) -> Answer:
        """One GET over the connection kept for polls; errors as for fetch."""
        return await self._polls.get(path, headers or {}, cap, CONNECT_S, ANSWER_S)

    async def fetch(
        self,
        method: str,
        url: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        cap: int = DEFAULT_CAP,
        total_s: float = ANSWER_S,
        content: AsyncIterator[bytes] | None = None,
    ) -> Answer:
        """One keyed request; raises Unreachable or ProtocolError, and returns any status as an Answer.

        `body` is sent as JSON; `content` is a streamed body, for which `headers` must tell the length.
        """
        sent = dict(headers or {})
        payload: bytes | AsyncIterator[bytes] | None = content
        if body is not None:
            sent["Content-Type"] = "application/json"
            payload = msgspec.json.encode(body)
        try:
            async with asyncio.timeout(total_s):
                timeout = httpx.Timeout(min(total_s, 60.0), connect=CONNECT_S)
                async with self._reader.stream(
                    method, url, content=payload, headers=sent, timeout=timeout
                ) as response:
                    return Answer(
                        status=response.status_code,
                        body=await _bounded_body(response, cap),
                        etag=response.headers.get("etag", "")[:200],
                    )
        except TimeoutError as error:
            raise Unreachable("The printer's server did not answer in time.") from error
        except httpx.RemoteProtocolError as error:
            # Either the connection broke, or whatever listens there does not speak HTTP.
            raise Unreachable("The printer's server broke off, or is no web server.") from error
        except (httpx.InvalidURL, httpx.DecodingError) as error:
            raise ProtocolError("The printer's server names an address that is none.") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"No answer from the printer's server ({_short(error)}).") from error

    async def send_once(self, method: str, path: str, body: object) -> Reply:
        """One unkeyed request, sent at most once; never raises for what the server or network did."""
        status = 0
        detail = ""
        try:
            async with (
                asyncio.timeout(UNKEYED_S),
                self._once.stream(
                    method,
                    path,
                    content=msgspec.json.encode(body),
                    headers={"Content-Type": "application/json"},
                ) as response,
            ):
                status = response.status_code
                detail = _words(await _bounded_body(response, REPLY_CAP))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Reply(
                kind=ReplyKind.NOT_SENT, detail=f"No connection ({_short(error)}); nothing was sent."
            )
        except (httpx.HTTPError, TimeoutError, ProtocolError) as error:
            if not status:
                return Reply(kind=ReplyKind.NO_REPLY, detail=f"Sent, but no answer came ({_short(error)}).")
        return _reply(status, detail)


@cache
def _tls(needed: bool) -> ssl.SSLContext:
    """One context for all printers: loading the authorities takes 20 ms, and most printers speak plain HTTP.

    Without them (`needed` is false) every certificate is refused.
    """
    return ssl.create_default_context() if needed else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _reply(status: int, detail: str) -> Reply:
    said = f"HTTP {status}{': ' + detail if detail else ''}"
    if 200 <= status < 300:
        return Reply(kind=ReplyKind.ACCEPTED, detail=said)
    # A 5xx may come from a proxy, or after the command took effect: it answers nothing.
    return Reply(kind=ReplyKind.NO_REPLY if status >= 500 else ReplyKind.REFUSED, detail=said)


async def _bounded_body(response: httpx.Response, cap: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ProtocolError("The printer's server compresses its answer although it was asked not to.")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > cap:
            raise ProtocolError(f"The printer's answer is larger than {cap:,} bytes.")
    return bytes(body)


def _words(body: bytes) -> str:
    """What a person may read of an error answer: OctoPrint and its like put it under `error`."""
    try:
        value = decode_json(body)
    except ProtocolError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        return clean(value["error"], 160)
    return clean(body[:400].decode(errors="replace"), 160)


def _short(error: Exception) -> str:
    return clean(str(error) or type(error).__name__, 120)
