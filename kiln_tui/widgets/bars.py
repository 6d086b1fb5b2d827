"""The one-line bars: top bar, notices, message line and key bar. Each draws only when its words changed."""

from collections.abc import Callable, Sequence

from textual.events import Click
from textual.strip import Strip
from textual.widget import Widget

from kiln_tui.commands import BarEntry, Command, key_bar
from kiln_tui.presentation.text import Span, spans_width
from kiln_tui.widgets.paint import Paint


class SpanBar(Widget, can_focus=False):
    """One or more lines of spans."""

    BASE = "base"

    def __init__(self, paint: Paint, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.paint = paint
        self._rows: tuple[tuple[Span, ...], ...] = ()

    def show(self, *rows: tuple[Span, ...]) -> None:
        """Show these lines."""
        if rows != self._rows:
            self._rows = rows
            self.refresh()

    @property
    def rows(self) -> tuple[tuple[Span, ...], ...]:
        """What was last shown."""
        return self._rows

    def render_line(self, y: int) -> Strip:
        """One line."""
        return self.paint.strip(self._rows[y] if y < len(self._rows) else (), self.size.width, self.BASE)


class TopBar(SpanBar):
    """Name, screens, and the two or three numbers that matter."""

    BASE = "bar"

    def __init__(self, paint: Paint, go: Callable[[str], None]) -> None:
        super().__init__(paint, id="top")
        self._go = go
        self._tabs: tuple[tuple[int, int, str], ...] = ()

    def present(
        self, brand: str, tabs: Sequence[tuple[str, str, str]], current: str, right: tuple[Span, ...]
    ) -> None:
        """`tabs` are (key, title, screen name). Where all do not fit, the brand's first word has to do, then
        the tabs' numbers."""
        full = sum(len(f" {key} {title} ") for key, title, _ in tabs)
        if full + len(brand) + 2 + spans_width(right) + 1 > self.size.width:
            brand = brand.split(" ")[0]
        spans: list[Span] = [(f" {brand} ", "brand")]
        at = spans_width(tuple(spans))
        places = []
        room = self.size.width - at - spans_width(right) - 1
        for key, title, name in tabs:
            text = f" {key} {title} " if full <= room or name == current else f" {key} "
            spans.append((text, "tab_on" if name == current else "tab"))
            places.append((at, at + len(text), name))
            at += len(text)
        gap = self.size.width - at - spans_width(right) - 1
        self._tabs = tuple(places)
        self.show((*spans, (" " * max(0, gap), "text"), *right, (" ", "text")))

    def on_click(self, event: Click) -> None:
        """Go to the screen that was clicked."""
        event.stop()
        for start, end, name in self._tabs:
            if start <= event.x < end:
                self._go(name)


class Notices(SpanBar):
    """Banners below the top bar; takes no room without any."""

    def show(self, *rows: tuple[Span, ...]) -> None:
        """Show these lines and take as much room."""
        if len(rows) != len(self.rows):
            self.styles.height = len(rows)
        super().show(*rows)


class MessageLine(SpanBar):
    """What just happened, or what to press next."""


class KeyBar(SpanBar):
    """The keys that work now."""

    BASE = "bar"

    def __init__(self, paint: Paint) -> None:
        super().__init__(paint, id="keys")
        self._commands: tuple[Command, ...] = ()
        self._entries: tuple[BarEntry, ...] = ()

    def present(self, commands: Sequence[Command]) -> None:
        """Show the keys of these commands, most important first, palette and help last."""
        self._commands = tuple(commands)
        spans, self._entries = key_bar(self._commands, self.size.width, self.paint.icons)
        self.show(spans)

    def on_resize(self) -> None:
        """Fit the keys to the new width."""
        self.present(self._commands)

    def on_click(self, event: Click) -> None:
        """A click on a key is the key."""
        event.stop()
        for entry in self._entries:
            if entry.start <= event.x < entry.end and not entry.command.disabled:
                entry.command.run()


class Rule(SpanBar):
    """A thin line between two panes, lying or standing."""

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - every line of a rule is the same
        """One line of the rule."""
        sign = "│" if self.size.width == 1 else "─"
        return self.paint.strip(((sign * self.size.width, "rule"),), self.size.width)
