"""Palettes: a style for each role, as rich style strings. No screen names a colour.

Never colour alone: every role that carries meaning is also told by an icon, a word and its place, so the
``mono`` palette loses nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Palette(NamedTuple):
    """`styles` maps roles to rich style strings; the other fields feed Textual's own widgets (inputs, scrollbars)."""

    name: str
    title: str
    dark: bool
    ansi: bool
    foreground: str
    background: str
    surface: str
    accent: str
    error: str
    scroll: str
    styles: Mapping[str, str]
    mono: bool = False


DARK = Palette(
    name="kiln-dark",
    title="Dark",
    dark=True,
    ansi=False,
    foreground="#c8ccd4",
    background="#14171c",
    surface="#1d2127",
    accent="#7fb4ff",
    error="#ff7b72",
    scroll="#3a414c",
    styles={
        "base": "#c8ccd4 on #14171c",
        "sheet": "#c8ccd4 on #1d2127",
        "bar": "#c8ccd4 on #232830",
        "cursor": "on #2c3644",
        "cursor_mark": "bold #7fb4ff",
        "text": "",
        "bold": "bold #eef1f6",
        "dim": "#8b93a1",
        "title": "bold #eef1f6",
        "key": "bold #7fb4ff",
        "rule": "#3a414c",
        "alert": "bold #ff7b72",
        "warn": "bold #e8b84a",
        "ok": "#6fcf97",
        "info": "#7fb4ff",
        "progress": "#6fcf97",
        "track": "#3a414c",
        "brand": "bold #f0a35e",
        "tab": "#a9b1bd",
        "tab_on": "bold #14171c on #7fb4ff",
        "disabled": "#767e8b",
    },
)

LIGHT = Palette(
    name="kiln-light",
    title="Light",
    dark=False,
    ansi=False,
    foreground="#23272e",
    background="#fbfaf7",
    surface="#efede7",
    accent="#0b57b0",
    error="#a8201a",
    scroll="#b9b6ad",
    styles={
        "base": "#23272e on #fbfaf7",
        "sheet": "#23272e on #f3f1eb",
        "bar": "#23272e on #e6e3da",
        "cursor": "on #d6e4f5",
        "cursor_mark": "bold #0b57b0",
        "text": "",
        "bold": "bold #0d1014",
        "dim": "#5d646e",
        "title": "bold #0d1014",
        "key": "bold #0b57b0",
        "rule": "#b9b6ad",
        "alert": "bold #a8201a",
        "warn": "bold #7a5200",
        "ok": "#17672f",
        "info": "#0b57b0",
        "progress": "#17672f",
        "track": "#b9b6ad",
        "brand": "bold #94480a",
        "tab": "#4b525c",
        "tab_on": "bold #ffffff on #0b57b0",
        "disabled": "#6c7079",
    },
)

CONTRAST = Palette(
    name="kiln-contrast",
    title="High contrast",
    dark=True,
    ansi=False,
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    accent="#00ffff",
    error="#ff8080",
    scroll="#ffffff",
    styles={
        "base": "#ffffff on #000000",
        "sheet": "#ffffff on #000000",
        "bar": "bold #ffffff on #303030",
        "cursor": "on #0000c0",
        "cursor_mark": "bold #ffff00",
        "text": "",
        "bold": "bold #ffffff",
        "dim": "#e0e0e0",
        "title": "bold #ffffff",
        "key": "bold #00ffff",
        "rule": "#ffffff",
        "alert": "bold #ff8080",
        "warn": "bold #ffff00",
        "ok": "bold #80ff80",
        "info": "bold #00ffff",
        "progress": "bold #80ff80",
        "track": "#c0c0c0",
        "brand": "bold #ffff00",
        "tab": "#ffffff",
        "tab_on": "bold #000000 on #ffff00",
        "disabled": "#c0c0c0",
    },
)

ANSI = Palette(
    name="kiln-ansi",
    title="16 colours (the terminal's own)",
    dark=True,
    ansi=True,
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    accent="ansi_cyan",
    error="ansi_red",
    scroll="ansi_white",
    styles={
        "base": "default on default",
        "sheet": "default on default",
        "bar": "default on default",
        "cursor": "reverse",
        "cursor_mark": "bold",
        "text": "",
        "bold": "bold",
        "dim": "default",
        "title": "bold",
        "key": "bold cyan",
        "rule": "default",
        "alert": "bold red",
        "warn": "bold yellow",
        "ok": "green",
        "info": "cyan",
        "progress": "green",
        "track": "default",
        "brand": "bold",
        "tab": "",
        "tab_on": "bold reverse",
        "disabled": "default",
    },
)

MONO = ANSI._replace(
    name="kiln-mono",
    title="No colour",
    mono=True,
    accent="ansi_default",
    error="ansi_default",
    scroll="ansi_default",
    styles={
        **ANSI.styles,
        "key": "bold",
        "alert": "bold",
        "warn": "bold",
        "ok": "default",
        "info": "default",
        "progress": "default",
    },
)

PALETTES: dict[str, Palette] = {p.name: p for p in (DARK, LIGHT, CONTRAST, ANSI, MONO)}
"""All palettes by name."""


def choose(environ: Mapping[str, str], wanted: str | None = None) -> Palette:
    """The palette asked for (short names work: ``light``), else what the terminal can show."""
    if wanted:
        return PALETTES.get(wanted) or PALETTES[f"kiln-{wanted}"]
    if "NO_COLOR" in environ:
        return MONO
    if environ.get("TERM") in ("linux", "dumb", "vt100", "ansi", "xterm-16color"):
        return ANSI
    named = environ.get("KILN_THEME", "")
    return PALETTES.get(f"kiln-{named}", DARK)
