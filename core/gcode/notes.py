"""What a reader of G-code writes down about lines: unreadable ones, unknown commands, watched ones. Bounded."""

from core.domain.text import clean
from core.gcode.report import Place

_MAX_UNKNOWN = 200
_MAX_PLACES = 20


class Notes:
    """Notes on the line at hand, `text`, which is number `line` of the file."""

    def __init__(self) -> None:
        self.line = 0
        self.text = ""
        self.unknown: dict[str, int] = {}
        self.watched: dict[str, tuple[int, Place]] = {}
        self.unreadable: list[Place] = []
        self.unreadable_count = 0

    def refuse(self) -> None:
        """The line at hand cannot be read for certain; it changes nothing."""
        self.unreadable_count += 1
        if len(self.unreadable) < _MAX_PLACES:
            self.unreadable.append(self.place())

    def place(self) -> Place:
        """The line at hand, for the screen."""
        return Place(self.line, clean(self.text, 80))

    def watch(self, command: str) -> None:
        """The line at hand holds a command that a gate may forbid."""
        count, first = self.watched.get(command, (0, None))
        self.watched[command] = (count + 1, first or self.place())

    def list_unknown(self, command: str) -> None:
        """The line at hand holds a command that is not known."""
        name = clean(command, 40)
        if name in self.unknown or len(self.unknown) < _MAX_UNKNOWN:
            self.unknown[name] = self.unknown.get(name, 0) + 1
