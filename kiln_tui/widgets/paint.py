"""From spans with roles to strips: the only place where a role becomes a style."""

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kiln_tui.presentation.icons import Icons, to_ascii
from kiln_tui.presentation.text import NO_BREAK, Span, fit, printable
from themes.palettes import Palette


class Paint:
    """Styles of one palette and one set of signs; shared by all line widgets of the app."""

    def __init__(self, palette: Palette, icons: Icons) -> None:
        self.icons = icons
        self.use(palette)

    def use(self, palette: Palette) -> None:
        """Change the palette; widgets have to be refreshed by the caller."""
        self.palette = palette
        self._styles: dict[str, Style] = {}

    def style(self, role: str) -> Style:
        """The style of a role; an unknown role is a programming error and raises KeyError."""
        found = self._styles.get(role)
        if found is None:
            found = self._styles[role] = Style.parse(self.palette.styles[role])
        return found

    def strip(self, spans: tuple[Span, ...], width: int, base: str = "base", over: str = "") -> Strip:
        """Exactly `width` cells of the spans over the style of `base`, with `over` (the cursor) above it."""
        ground = self.style(base)
        if over:
            ground += self.style(over)
        ascii_only = self.icons.ascii_only
        segments = []
        for text, role in fit(spans, width):
            text = printable(text.replace(NO_BREAK, " "))
            segments.append(Segment(to_ascii(text) if ascii_only else text, ground + self.style(role)))
        return Strip(segments, width)
