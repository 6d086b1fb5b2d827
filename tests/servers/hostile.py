"""A server on the wire that misbehaves in one chosen way, and counts the requests that really arrived."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Behaviour = Callable[["HostileServer", asyncio.StreamWriter], Awaitable[None]]


class HostileServer:
    """Reads whole requests, then hands the connection to a behaviour; `requests` are request lines in order."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[str] = []
        self.bytes_sent = 0
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def unkeyed(self) -> list[str]:
        """The requests that could make a printer do something."""
        return [line for line in self.requests if not line.startswith(("GET", "HEAD"))]

    def drop_idle(self) -> None:
        """Close every connection that is open now."""
        for writer in self._writers:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = 0
                for line in head.split("\r\n")[1:]:
                    name, _, value = line.partition(":")
                    if name.lower() == "content-length":
                        length = int(value)
                await reader.readexactly(length)
                self.requests.append(head.split("\r\n", 1)[0])
                await self.behaviour(self, writer)
                if writer.is_closing():
                    break
        self._writers.discard(writer)
        writer.close()

    async def send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()
        self.bytes_sent += len(data)


@asynccontextmanager
async def hostile(behaviour: Behaviour) -> AsyncIterator[HostileServer]:
    """A running HostileServer on a free loopback port."""
    server = HostileServer(behaviour)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        server.drop_idle()


def reply(status: int, body: bytes = b"", *headers: str, reason: str = "X") -> Behaviour:
    """A complete answer."""

    async def behave(server: HostileServer, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} {reason}", "Content-Type: application/json", *headers]
        if not any(h.lower().startswith("content-length") for h in headers) and status != 204:
            lines.append(f"Content-Length: {len(body)}")
        await server.send(writer, "\r\n".join([*lines, "", ""]).encode() + body)

    return behave


def raw(data: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""

    async def behave(server: HostileServer, writer: asyncio.StreamWriter) -> None:
        await server.send(writer, data)
        writer.close()

    return behave


async def hang(server: HostileServer, writer: asyncio.StreamWriter) -> None:
    """Take the request and never answer."""
    await asyncio.sleep(3600)


async def drop(server: HostileServer, writer: asyncio.StreamWriter) -> None:
    """Take the request and close the connection."""
    writer.close()


async def flood(server: HostileServer, writer: asyncio.StreamWriter) -> None:
    """Announce a gigabyte and send it."""
    await server.send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    block = b"[" + b"1," * 32_000
    while server.bytes_sent < 1_000_000_000 and not writer.is_closing():
        await server.send(writer, block)


async def drip(server: HostileServer, writer: asyncio.StreamWriter) -> None:
    """Answer with one byte per 0.2 s: no single read ever times out."""
    await server.send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        await server.send(writer, b" ")
        await asyncio.sleep(0.2)
