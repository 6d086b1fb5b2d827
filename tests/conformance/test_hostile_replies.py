"""Replies that no honest server gives, on the wire; every adapter that speaks HTTP has a row in HTTP_ADAPTERS."""

import asyncio
import time
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from adapters.registry import create
from core.contract import Adapter, AdapterError, Link, Phase, PrinterConfig, ReplyKind
from tests.conformance.rigs import OUR_NAME
from tests.servers.clock import RealClock
from tests.servers.hostile import (
    Behaviour,
    HostileServer,
    drip,
    drop,
    flood,
    hang,
    hostile,
    raw,
    reply,
)

HTTP_ADAPTERS = ["octoprint"]

UNKEYED: dict[str, Callable[[Adapter], Awaitable[object]]] = {
    "start": lambda a: a.start(OUR_NAME, "t"),
    "pause": lambda a: a.pause(),
    "resume": lambda a: a.resume(),
    "cancel": lambda a: a.cancel(),
    "set_temperature": lambda a: a.set_temperature("tool0", 50.0),
    "send_gcode": lambda a: a.send_gcode(("M117 x",)),
    "emergency_stop": lambda a: a.emergency_stop(),
}

DEEP = b"[" * 5_000 + b"]" * 5_000
ESCAPES = msgspec.json.encode(
    {
        "state": "Operational\x1b]0;owned\x07\x1b[2J",
        "job": {"file": {"path": "x\x1b[31m\u202egcode", "origin": "local"}},
        "progress": {"completion": 1e308},
        "error": "\x9b31m" + "e" * 5000,
        "text": "\x1b[2J",
    }
)

BAD_REPLIES: dict[str, Behaviour] = {
    "flood": flood,
    "drip": drip,
    "hang": hang,
    "drop": drop,
    "not-http": raw(b"\x00\x01\x02SSH-2.0-OpenSSH_9\r\n" * 50),
    "endless-header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000),
    "html": reply(200, b"<html><body>Router login</body></html>"),
    "empty": reply(200, b""),
    "deep": reply(200, DEEP),
    "wrong-shape": reply(200, b'{"state": {"text": []}, "job": 3, "progress": "x"}'),
    "list": reply(200, b"[1, 2, 3]"),
    "not-utf8": reply(200, b'{"state": "\xff\xfe"}'),
    "huge-number": reply(200, b'{"state": "Operational", "progress": {"completion": 1e999}}'),
    "escapes": reply(200, ESCAPES),
    "compressed": reply(200, b"\x1f\x8b\x08\x00", "Content-Encoding: gzip"),
    "short-body": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}"),
    "redirect": reply(302, b"", "Location: /elsewhere"),
    "server-error": reply(500, b"oops"),
    "gateway": reply(502, b"<html>bad gateway</html>"),
}


def adapter_for(kind: str, address: str) -> Adapter:
    config = PrinterConfig(printer_id="p", name="P", adapter=kind, address=address, secret="A" * 32)
    return create(config, RealClock())


def harmless(text: str) -> bool:
    return all(unicodedata.category(char)[0] != "C" for char in text)


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
@pytest.mark.parametrize("behaviour", BAD_REPLIES)
async def test_a_look_survives_it_within_five_seconds(kind: str, behaviour: str) -> None:
    async with hostile(BAD_REPLIES[behaviour]) as server:
        adapter = adapter_for(kind, server.url)
        before = time.monotonic()
        look = await adapter.observe()
        assert time.monotonic() - before < 5.0
        assert not look.phase.startable or behaviour == "huge-number"
        assert look.phase in (Phase.OFFLINE, Phase.UNKNOWN, Phase.IDLE)
        assert not look.printer_job.complete_evidence
        assert len(look.raw) <= 2000
        for text in (look.raw, look.printer_job.remote_file, *look.messages):
            assert harmless(text)
            assert len(text) <= 2000
        assert server.bytes_sent < 60_000_000, "the answer was read far beyond its bound"
        assert server.unkeyed() == []
        assert not any("elsewhere" in line for line in server.requests)
        await adapter.close()


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
@pytest.mark.parametrize("behaviour", ["hang", "drop", "not-http", "gateway"])
async def test_no_answer_is_offline(kind: str, behaviour: str) -> None:
    async with hostile(BAD_REPLIES[behaviour]) as server:
        adapter = adapter_for(kind, server.url)
        assert (await adapter.observe()).link is Link.OFFLINE
        await adapter.close()


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
@pytest.mark.parametrize("behaviour", sorted(set(BAD_REPLIES) - {"hang", "drip"}))
async def test_keyed_calls_fail_with_a_sentence(kind: str, behaviour: str, tmp_path: Path) -> None:
    source = tmp_path / "x.gcode"
    source.write_text("G28\n")
    async with hostile(BAD_REPLIES[behaviour]) as server:
        adapter = adapter_for(kind, server.url)
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: adapter.upload(OUR_NAME, source, "0" * 64),
            adapter.camera_still,
        ]
        said = []
        for call in calls:
            with pytest.raises(AdapterError) as caught:
                await call()
            said.append(str(caught.value))
        for lenient in (adapter.list_files(), adapter.read_back(OUR_NAME)):
            try:
                assert not await lenient
            except AdapterError as error:
                said.append(str(error))
        assert all(harmless(sentence) for sentence in said)
        assert server.bytes_sent < 150_000_000
        await adapter.close()


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
@pytest.mark.parametrize("call", UNKEYED)
async def test_a_lost_reply_is_no_reply_and_exactly_one_request(kind: str, call: str) -> None:
    async with hostile(drop) as server:
        adapter = adapter_for(kind, server.url)
        said = await UNKEYED[call](adapter)
        assert getattr(said, "kind", None) is ReplyKind.NO_REPLY
        await asyncio.sleep(0.3)
        assert len(server.requests) == 1
        await adapter.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
@pytest.mark.parametrize("behaviour", [hang, drip, flood])
async def test_a_start_without_end_of_answer_is_bounded(kind: str, behaviour: Behaviour) -> None:
    async with hostile(behaviour) as server:
        adapter = adapter_for(kind, server.url)
        before = time.monotonic()
        said = await adapter.start(OUR_NAME, "t")
        assert time.monotonic() - before < 11
        # A status line is an answer, whatever happens to the body behind it.
        assert said.kind is (ReplyKind.NO_REPLY if behaviour is hang else ReplyKind.ACCEPTED)
        assert len(server.requests) == 1
        await adapter.close()


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
@pytest.mark.parametrize(
    ("behaviour", "kind_of_reply"),
    [
        (reply(204), ReplyKind.ACCEPTED),
        (reply(409, b'{"error": "busy\x1b[2J"}'), ReplyKind.REFUSED),
        (reply(302, b"", "Location: /elsewhere"), ReplyKind.REFUSED),
        (reply(307, b"", "Location: /elsewhere"), ReplyKind.REFUSED),
        (reply(500, b"oops"), ReplyKind.NO_REPLY),
        (reply(503, b"", "Retry-After: 0"), ReplyKind.NO_REPLY),
        (raw(b"garbage\r\n\r\n"), ReplyKind.NO_REPLY),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n"), ReplyKind.NO_REPLY),
    ],
    ids=["204", "409", "302", "307", "500", "503", "garbage", "continue"],
)
async def test_each_kind_of_answer_to_a_start(
    kind: str, behaviour: Behaviour, kind_of_reply: ReplyKind
) -> None:
    async with hostile(behaviour) as server:
        adapter = adapter_for(kind, server.url)
        said = await adapter.start(OUR_NAME, "t")
        assert said.kind is kind_of_reply
        assert harmless(said.detail)
        await asyncio.sleep(0.2)
        assert len(server.requests) == 1
        await adapter.close()


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
async def test_nobody_listens_is_not_sent(kind: str) -> None:
    async with hostile(drop) as server:
        address = server.url
    adapter = adapter_for(kind, address)
    for call in UNKEYED.values():
        assert getattr(await call(adapter), "kind", None) is ReplyKind.NOT_SENT
    await adapter.close()


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
async def test_a_start_after_an_idle_connection_was_closed_is_sent_once(kind: str) -> None:
    """A kept-alive connection that died in the meantime must neither lose nor repeat the start."""

    async def by_kind(server: HostileServer, writer: asyncio.StreamWriter) -> None:
        last = server.requests[-1]
        await (reply(200, b"{}") if last.startswith("GET") else reply(204))(server, writer)

    async with hostile(by_kind) as server:
        adapter = adapter_for(kind, server.url)
        await adapter.observe()
        server.drop_idle()
        assert (await adapter.start(OUR_NAME, "t")).kind is ReplyKind.ACCEPTED
        assert len(server.unkeyed()) == 1
        server.drop_idle()
        assert (await adapter.observe()).link is Link.ONLINE, "a poll may open a new connection"
        await adapter.close()


@pytest.mark.parametrize("kind", HTTP_ADAPTERS)
async def test_the_environment_does_not_redirect_us(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hostile(reply(200, b"{}")) as proxy, hostile(reply(204)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        adapter = adapter_for(kind, server.url)
        await adapter.start(OUR_NAME, "t")
        await adapter.observe()
        assert proxy.requests == []
        assert len(server.unkeyed()) == 1
        await adapter.close()
