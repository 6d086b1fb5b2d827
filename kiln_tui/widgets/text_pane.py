"""A scrollable page of styled lines, wrapped to its width; draws only when its lines changed."""

from collections.abc import Sequence

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kiln_tui.presentation.text import Line, Span, wrap_line
from kiln_tui.widgets.paint import Paint


class TextPane(ScrollView, can_focus=False):
    """Read-only lines; the left cell is a margin."""

    def __init__(self, paint: Paint, *, id: str | None = None, base: str = "base") -> None:
        super().__init__(id=id)
        self._paint = paint
        self._base = base
        self._lines: tuple[Line, ...] = ()
        self._wrapped: list[tuple[Span, ...]] = []
        self._strips: dict[int, Strip] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """What was last shown."""
        return self._lines

    def show(self, lines: Sequence[Line], *, keep_place: bool = True) -> None:
        """Show these lines; a page that did not change costs nothing."""
        given = tuple(lines)
        if given == self._lines and keep_place:
            return
        self._lines = given
        self._wrap()
        if not keep_place:
            self.scroll_to(y=0, animate=False, immediate=True)

    def redraw(self) -> None:
        """Forget the strips; for a change of theme."""
        self._strips.clear()
        self.refresh()

    def height_for(self, width: int) -> int:
        """Lines that the page takes at a width of `width` cells."""
        return sum(len(wrap_line(item, max(4, width - 2))) for item in self._lines)

    def _wrap(self) -> None:
        width = max(4, self.size.width - 2)
        before = self._wrapped
        self._wrapped = [spans for item in self._lines for spans in wrap_line(item, width)]
        self.virtual_size = Size(self.size.width, len(self._wrapped))
        if len(before) != len(self._wrapped):
            self._strips.clear()
            self.refresh()
            return
        top = self.scroll_offset.y
        for index, (old, new) in enumerate(zip(before, self._wrapped, strict=True)):
            if old != new:
                self._strips.pop(index, None)
                if top <= index < top + self.size.height:
                    self.refresh_line(index)

    def render_line(self, y: int) -> Strip:
        """One line of the visible part."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width or self.size.width
        if index >= len(self._wrapped):
            return self._paint.strip((), width, self._base)
        strip = self._strips.get(index)
        if strip is None:
            spans = ((" ", "text"), *self._wrapped[index])
            strip = self._strips[index] = self._paint.strip(spans, width, self._base)
        return strip

    def on_resize(self) -> None:
        """Wrap again at the new width."""
        self._strips.clear()
        self._wrap()
        self.refresh()

    def page(self, step: int) -> None:
        """Scroll by most of a screenful."""
        self.scroll_to(
            y=self.scroll_offset.y + step * max(1, self.size.height - 2), animate=False, immediate=True
        )
