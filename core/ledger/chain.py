"""The hash chain over canonical JSON (RFC 8785 for what we store: sorted ASCII keys, integers, strings).

Each event's hash covers its whole envelope, its payload bytes and the former event's hash, so that neither a
changed, nor a removed, nor a reordered event goes unnoticed; a cut tail shows against an exported head.
"""

import hashlib

import msgspec

GENESIS = "0" * 64
"""The `prev_hash` of the first event."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What is hashed of an event; `payload` are the stored canonical bytes."""

    seq: int
    event_id: str
    type: str
    version: int
    wall_ns: int
    mono_ns: int
    boot_id: str
    subject_kind: str
    subject_id: str
    subject_version: int
    intent_id: str | None
    plan_id: str | None
    build_plate_id: str | None
    run_id: str | None
    printer_id: str | None
    correlation_id: str | None
    causation_id: str | None
    actor: str
    who: str
    payload: msgspec.Raw
    prev_hash: str


_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    """Canonical JSON bytes of a value made of structs, dicts, tuples, strings, integers, booleans, None."""
    return _ENCODER.encode(value)


def link_hash(link: Link) -> str:
    """The SHA-256 (hex) of an event's canonical form."""
    return hashlib.sha256(_ENCODER.encode(link)).hexdigest()
