"""What a test says to a Kiln in another process, and what that answers: one JSON line each."""

import msgspec

from core.client.views import OutcomeSheet, Shop
from core.domain.commands import AnyCommand, Result
from core.domain.objects import Run


class AddOctoPrint(msgspec.Struct, frozen=True, tag=True):
    """Make an OctoPrint known."""

    url: str
    api_key: str


class Look(msgspec.Struct, frozen=True, tag=True):
    """Ask for the snapshot that screens show, and the attempts."""


class Send(msgspec.Struct, frozen=True, tag=True):
    """Send a person's command."""

    command: AnyCommand


class Outcomes(msgspec.Struct, frozen=True, tag=True):
    """Ask for the sheet of an ended attempt."""

    run_id: str


class Refresh(msgspec.Struct, frozen=True, tag=True):
    """Look at a printer now."""

    printer_id: str


class Close(msgspec.Struct, frozen=True, tag=True):
    """End in the orderly way."""


Ask = AddOctoPrint | Look | Send | Outcomes | Refresh | Close


class Seen(msgspec.Struct, frozen=True, tag=True):
    """The answer to Look."""

    shop: Shop
    runs: tuple[Run, ...]


class Did(msgspec.Struct, frozen=True, tag=True):
    """The answer to commands."""

    result: Result


class Sheet(msgspec.Struct, frozen=True, tag=True):
    """The answer to Outcomes."""

    sheet: OutcomeSheet | None


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The core is open; also the answer to what has none of its own."""


Answer = Seen | Did | Sheet | Ready
