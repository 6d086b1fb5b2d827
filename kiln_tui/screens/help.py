"""Help: the keys of this screen, made from the same commands as the key bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kiln_tui.commands import key_word
from kiln_tui.presentation.text import BLANK, Line, Span, line
from kiln_tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp
    from kiln_tui.screens.base import KilnScreen

_GROUPS = ("This row", "This screen", "Move", "Screens", "Everywhere")


class Help(Sheet):
    """Keys by group; a key that does not work now says why."""

    def __init__(self, kiln: KilnApp, screen: KilnScreen) -> None:
        super().__init__(kiln)
        self._commands = screen.commands()
        self._of = screen.NAME

    def lines(self) -> Sequence[Line]:
        """All keys."""
        icons = self.kiln.paint.icons
        out: list[Line] = [line((f"Keys on {self._of.replace('_', ' ').capitalize()}", "title"))]
        for group in _GROUPS:
            commands = [c for c in self._commands if c.group == group and c.key]
            if not commands:
                continue
            out += [BLANK, line((group, "dim"))]
            if group in ("Screens", "Move"):
                spans: list[Span] = [("  ", "text")]
                for command in commands:
                    keys = "/".join(key_word(k, icons) for k in (command.key, *command.aliases))
                    spans += [(keys, "key"), (f" {command.label}".replace(" ", "\u00a0") + "   ", "text")]
                out.append(Line(tuple(spans), hang=2))
                continue
            for command in commands:
                keys = " ".join(key_word(k, icons) for k in (command.key, *command.aliases))
                words = f"not now: {command.disabled}" if command.disabled else command.help
                out.append(
                    line(
                        (f"  {keys:<7}", "disabled" if command.disabled else "key"),
                        (f"{command.label:<22}", "disabled" if command.disabled else "text"),
                        (f"  {words}" if words else "", "dim"),
                        hang=33,
                    )
                )
        return out
