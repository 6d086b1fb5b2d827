"""The one source of what keys do: bindings, key bar, palette and help are all made from `Command`s."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from core.client.views import Action
from kiln_tui.presentation.icons import Icons
from kiln_tui.presentation.text import Span, cut_end, width_of

RESERVED = frozenset("1234567jkw/:?qu") | {
    "up",
    "down",
    "escape",
    "ctrl+p",
    "pageup",
    "pagedown",
    "home",
    "end",
}
"""Keys that mean the same on every screen; no row's action may take them."""
DESTRUCTIVE = frozenset({"abort", "cancel_order"})
"""Sheets of actions that are never what Enter does."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something a key does now. `disabled` is why it does not ('' = it works); `shown` puts it in the key bar;
    `repeat` lets a held key do it again and again, for what moves or marks, never for what decides."""

    key: str
    label: str
    run: Callable[[], None]
    help: str = ""
    danger: bool = False
    disabled: str = ""
    shown: bool = True
    repeat: bool = False
    aliases: tuple[str, ...] = ()
    group: str = "This screen"

    def answers(self, key: str) -> bool:
        """Whether it is this command's key."""
        return key == self.key or key in self.aliases


_KEY_WORDS = {
    "escape": "Esc",
    "space": "Space",
    "up": "Up",
    "down": "Down",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
}


def key_word(key: str, icons: Icons) -> str:
    """A key as people read it: ``⏎``, ``Esc``, ``^P``, ``a``."""
    if key == "enter":
        return icons.enter
    if key.startswith("ctrl+"):
        return "^" + key[5:].upper()
    return _KEY_WORDS.get(key, key)


def row_keys(actions: Sequence[Action]) -> tuple[tuple[str, Action], ...]:
    """Each action of a row with the key that does it. ``enter`` goes to the action that asks for it, else to the
    first unless that destroys something. Keys that mean something everywhere, or that are taken, become
    capitals; what then has no key is left to the palette ('')."""
    asked = [index for index, action in enumerate(actions) if action.key in ("enter", "⏎")]
    first = asked[0] if asked else 0 if actions and actions[0].opens not in DESTRUCTIVE else -1
    out: list[tuple[str, Action]] = []
    taken: set[str] = set()
    for index, action in enumerate(actions):
        wanted = "enter" if index == first else "" if index in asked else action.key
        if wanted in RESERVED or wanted in taken:
            wanted = wanted.upper() if len(wanted) == 1 else ""
        if wanted in RESERVED or wanted in taken:
            wanted = ""
        taken.add(wanted)
        out.append((wanted, action))
    return tuple(out)


def find(commands: Iterable[Command], key: str) -> Command | None:
    """The first command that answers to this key."""
    return next((command for command in commands if key and command.answers(key)), None)


def unique(commands: Iterable[Command]) -> tuple[Command, ...]:
    """The commands in order, each key once: the first wins, the later one keeps its place in the palette."""
    seen: set[str] = set()
    out = []
    for command in commands:
        if command.key and command.key in seen:
            command = replace(command, key="", shown=False)
        seen.update({command.key, *command.aliases})
        out.append(command)
    return tuple(out)


@dataclass(frozen=True)
class BarEntry:
    """A command's place in the key bar, in cells."""

    command: Command
    start: int
    end: int


_STAY = ("escape", ":", "?")


def _cut_first(shown: Sequence[Command], width: int, icons: Icons) -> tuple[list[Command], list[int]]:
    """The commands and their cells in the key bar, the first one's words cut to fit."""
    out = list(shown)
    sizes = [width_of(key_word(c.key, icons)) + 1 + width_of(c.label) + (4 if c.disabled else 3) for c in out]
    if out and sizes[0] > width - 1:
        label = cut_end(out[0].label, max(1, width_of(out[0].label) - sizes[0] + width - 1))
        out[0] = replace(out[0], label=label)
        sizes[0] = width - 1
    return out, sizes


def key_bar(
    commands: Sequence[Command], width: int, icons: Icons
) -> tuple[tuple[Span, ...], tuple[BarEntry, ...]]:
    """The key bar's spans and where each command stands. What Enter does stands first and stays always, its
    words cut where there is no room; then the way back, palette and help; then the others in their order, up to
    the first that does not fit: what stands further behind never outlives what stands before it."""
    shown = sorted((c for c in commands if c.shown and c.key), key=lambda c: c.key != "enter")
    shown, sizes = _cut_first(shown, width, icons)
    order = sorted(range(len(shown)), key=lambda index: index > 0 and shown[index].key not in _STAY)
    keep: set[int] = set()
    room = width - 1
    for index in order:
        if sizes[index] <= room:
            keep.add(index)
            room -= sizes[index]
        elif shown[index].key not in _STAY:
            break
    spans: list[Span] = [(" ", "text")]
    entries = []
    at = 1
    for index in sorted(keep):
        command = shown[index]
        word = key_word(command.key, icons)
        off = bool(command.disabled)
        label = f"({command.label})" if off else command.label
        role = "disabled" if off else "text"
        spans += [(word, "disabled" if off else "key"), (" " + label, role), ("  " if off else "   ", "text")]
        size = width_of(word) + 1 + width_of(label)
        entries.append(BarEntry(command, at, at + size))
        at += size + (2 if off else 3)
    return tuple(spans), tuple(entries)
