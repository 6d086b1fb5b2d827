"""A complete answer of a printer's server."""

import msgspec

from adapters.bounded_json import decode_json


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Status, body and entity tag, received within their bounds."""

    status: int
    body: bytes
    etag: str = ""

    def json(self) -> object:
        """The body as JSON; ProtocolError where it is none."""
        return decode_json(self.body)
