"""JSON from strangers: decoded within bounds, and read without ever raising (pure)."""

import math
from collections.abc import Iterator

import msgspec

from core.contract import ProtocolError
from core.domain.text import clean

MAX_DEPTH = 32
MAX_ITEMS = 400_000


def decode_json(data: bytes, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS) -> object:
    """The value in `data`; ProtocolError where it is not JSON, nested too deeply or has too many items.

    The caller bounds the size in bytes.
    """
    if data.count(b"[") + data.count(b"{") > max_items:
        raise ProtocolError("The printer's answer has too many parts.")
    try:
        value: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError("The printer's answer is not readable (no valid JSON).") from error
    items = 0
    level = [value]
    for _ in range(max_depth):
        level = [child for node in level for child in _children(node)]
        items += len(level)
        if items > max_items:
            raise ProtocolError("The printer's answer has too many parts.")
        if not level:
            return value
    raise ProtocolError("The printer's answer is nested too deeply.")


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def at(value: object, *path: str) -> object:
    """The value under the keys of `path`, or None where any of them is missing or not an object."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def number(value: object) -> float | None:
    """A finite number, or None (truth values and text are no numbers)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) else None


def whole(value: object) -> int | None:
    """A number without fraction that fits 63 bits, or None."""
    found = number(value)
    return int(found) if found is not None and found == int(found) and abs(found) < 2**63 else None


def text(value: object, limit: int = 200) -> str:
    """Cleaned text, or '' for anything that is not text."""
    return clean(value, limit) if isinstance(value, str) else ""
