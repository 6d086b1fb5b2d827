"""What crosses the socket between the pool and a worker: length-prefixed msgpack, never pickles.

A worker has read a hostile file, so the parent treats what it says like any other external input.
"""

import struct
from enum import IntEnum
from pathlib import PurePath
from typing import Any

import msgspec

from core.workers.types import Limits

HEADER = struct.Struct("<BI")
MAX_FRAME = 64 << 20
"""Largest message in bytes; a worker that sends more is killed."""


class Kind(IntEnum):
    """Kinds of message from a worker."""

    PROGRESS = 1
    VALUE = 2
    FAILED = 3
    MEMORY = 4


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The one message to a worker: ``module:function``, its positional arguments, its limits."""

    func: str
    args: list[Any]
    limits: Limits


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An exception of the function."""

    kind: str
    message: str


def _enc_hook(value: object) -> object:
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot cross to a worker")


def _dec_hook(kind: type, value: object) -> object:
    if issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    raise NotImplementedError(f"{kind.__name__} cannot cross to a worker")


def encode(value: object) -> bytes:
    """`value` as msgpack; paths become strings."""
    return msgspec.msgpack.encode(value, enc_hook=_enc_hook)


def decode(data: bytes, kind: Any) -> Any:
    """msgpack decoded and checked as type `kind`."""
    return msgspec.msgpack.decode(data, type=kind, dec_hook=_dec_hook)


def convert(value: object, kind: Any) -> Any:
    """Plain data (from `decode` as Any) checked as type `kind`."""
    return msgspec.convert(value, kind, dec_hook=_dec_hook)


def frame(kind: Kind, body: bytes) -> bytes:
    """One message with its header."""
    return HEADER.pack(kind, len(body)) + body
