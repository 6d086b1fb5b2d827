"""A list that holds hundreds of live rows: line API, strips cached, only changed spans sent again.

The cursor is anchored to a row's id, not to its position: rows may come and go above it. Items are given in
the order they shall be shown; the list never sorts.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kiln_tui.presentation.text import Span, width_of
from kiln_tui.widgets.paint import Paint


class Item(NamedTuple):
    """A row: its id, what it shows, and whether the cursor may rest on it."""

    key: str
    data: object
    selectable: bool = True


Format = Callable[[object, int], tuple[Span, ...]]
"""From a row's data and the width in cells to its spans."""


class LiveList(ScrollView, can_focus=False):
    """Rows of one line each, with one cursor."""

    class Moved(Message):
        """The cursor rests on another row; `by_itself` when its former row went away."""

        def __init__(self, sender: "LiveList", key: str | None, by_itself: bool) -> None:
            super().__init__()
            self.sender = sender
            self.key = key
            self.by_itself = by_itself

    class Chosen(Message):
        """A row was double-clicked."""

        def __init__(self, sender: "LiveList", key: str) -> None:
            super().__init__()
            self.sender = sender
            self.key = key

    def __init__(self, paint: Paint, form: Format, *, id: str | None = None, base: str = "base") -> None:
        super().__init__(id=id)
        self._paint = paint
        self._form = form
        self._base = base
        self._items: tuple[Item, ...] = ()
        self._index: dict[str, int] = {}
        self._cursor = -1
        self._spans: dict[str, tuple[Span, ...]] = {}
        self._strips: dict[str, Strip] = {}

    # --- what it shows -------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[Item, ...]:
        """The rows as last given."""
        return self._items

    @property
    def cursor_key(self) -> str | None:
        """Id of the row under the cursor."""
        return self._items[self._cursor].key if 0 <= self._cursor < len(self._items) else None

    @property
    def cursor_data(self) -> object | None:
        """Data of the row under the cursor."""
        return self._items[self._cursor].data if 0 <= self._cursor < len(self._items) else None

    def show(self, items: Sequence[Item]) -> None:
        """Take the rows of a new snapshot; only what changed on screen is drawn again."""
        before, was = self._items, self._cursor
        old_key = self.cursor_key
        self._items = tuple(items)
        if len(before) == len(items) and all(a.key == b.key for a, b in zip(before, items, strict=True)):
            self._refresh_changed()
            return
        self._index = {item.key: index for index, item in enumerate(items)}
        self._spans.clear()
        self._strips.clear()
        kept = self._index.get(old_key, -1) if old_key is not None else -1
        lost = old_key is not None and kept < 0
        self._cursor = kept if kept >= 0 else self._nearest(self._after(before, was) if lost else 0)
        self.virtual_size = Size(self.size.width, len(items))
        if kept >= 0 and was >= 0 and kept != was:
            self.scroll_to(y=max(0, self.scroll_offset.y + kept - was), animate=False, immediate=True)
        self._keep_visible()
        self.refresh()
        if self.cursor_key != old_key:
            self.post_message(self.Moved(self, self.cursor_key, by_itself=lost))

    def _after(self, before: tuple[Item, ...], was: int) -> int:
        """Where the cursor goes when its row went away: to the next of the old rows that still exists."""
        for item in before[was + 1 :]:
            if item.selectable and item.key in self._index:
                return self._index[item.key]
        return len(self._items) - 1

    def _nearest(self, start: int) -> int:
        """The selectable row at or after `start`, else before it, else -1."""
        for index in range(max(0, start), len(self._items)):
            if self._items[index].selectable:
                return index
        for index in range(min(start, len(self._items) - 1), -1, -1):
            if self._items[index].selectable:
                return index
        return -1

    def redraw(self) -> None:
        """Forget every strip; for a change of theme or of what the formatter shows."""
        self._spans.clear()
        self._strips.clear()
        self.refresh()

    def _refresh_changed(self) -> None:
        top, width = self.scroll_offset.y, self._row_width
        for y in range(top, min(top + self.size.height, len(self._items))):
            item = self._items[y]
            old = self._spans.get(item.key)
            new = self._form(item.data, width)
            if old == new:
                continue
            self._spans[item.key] = new
            self._strips.pop(item.key, None)
            start, end = _changed(old, new, width)
            self.refresh(Region(start, y - top, end - start, 1))
        # rows out of sight are formatted when they come into sight
        if len(self._spans) > 4 * max(1, self.size.height):
            shown = {item.key for item in self._items[top : top + self.size.height]}
            self._spans = {key: value for key, value in self._spans.items() if key in shown}
            self._strips = {key: value for key, value in self._strips.items() if key in shown}
        stale = [key for key in self._spans if not top <= self._index.get(key, -1) < top + self.size.height]
        for key in stale:
            del self._spans[key]
            self._strips.pop(key, None)

    @property
    def _row_width(self) -> int:
        return self.scrollable_content_region.width or self.size.width

    def render_line(self, y: int) -> Strip:
        """One line of the visible part."""
        index, width = y + self.scroll_offset.y, self._row_width
        if index >= len(self._items):
            return self._paint.strip((), width, self._base)
        item = self._items[index]
        at_cursor = index == self._cursor
        if not at_cursor and (cached := self._strips.get(item.key)) is not None:
            return cached
        spans = self._spans.get(item.key)
        if spans is None:
            spans = self._spans[item.key] = self._form(item.data, width)
        if at_cursor:
            mark = (self._paint.icons.cursor, "cursor_mark")
            return self._paint.strip((mark, *_without_first_cell(spans)), width, self._base, "cursor")
        strip = self._strips[item.key] = self._paint.strip(spans, width, self._base)
        return strip

    # --- the cursor ----------------------------------------------------------------------------------------

    def move(self, step: int) -> None:
        """Move the cursor by `step` selectable rows; stops at the ends."""
        index, left = self._cursor, abs(step)
        direction = 1 if step > 0 else -1
        probe = index
        while left and 0 <= probe + direction < len(self._items):
            probe += direction
            if self._items[probe].selectable:
                index = probe
                left -= 1
        self._set(index)

    def page(self, direction: int) -> None:
        """Move by a screenful."""
        self.move(direction * max(1, self.size.height - 2))

    def end(self, direction: int) -> None:
        """Move to the first (-1) or last (1) row."""
        self.move(direction * max(1, len(self._items)))

    def select(self, key: str) -> bool:
        """Put the cursor on the row of this id; False if there is none."""
        index = self._index.get(key, -1)
        if index < 0 or not self._items[index].selectable:
            return False
        self._set(index)
        return True

    def _set(self, index: int) -> None:
        if index == self._cursor or not 0 <= index < len(self._items):
            return
        old, self._cursor = self._cursor, index
        for row in (old, index):
            if 0 <= row - self.scroll_offset.y < self.size.height:
                self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))
        self._keep_visible()
        self.post_message(self.Moved(self, self.cursor_key, by_itself=False))

    def _keep_visible(self) -> None:
        if self._cursor < 0 or self.size.height <= 0:
            return
        first = self._cursor
        while first > 0 and not self._items[first - 1].selectable:
            first -= 1  # the headings above a row belong to it
        top, height = self.scroll_offset.y, self.size.height
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)

    def on_resize(self, event: Resize) -> None:
        """Rows depend on the width: draw them all again."""
        self.virtual_size = Size(event.size.width, len(self._items))
        self._keep_visible()
        self.redraw()

    def on_click(self, event: Click) -> None:
        """One click selects, two act like the primary key."""
        event.stop()
        index = event.y + self.scroll_offset.y
        if 0 <= index < len(self._items) and self._items[index].selectable:
            self._set(index)
            if event.chain == 2:
                self.post_message(self.Chosen(self, self._items[index].key))


def _without_first_cell(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Rows begin with one blank cell, which the cursor's mark takes."""
    if spans and spans[0][0][:1] == " ":
        return ((spans[0][0][1:], spans[0][1]), *spans[1:])
    return spans


def _changed(old: tuple[Span, ...] | None, new: tuple[Span, ...], width: int) -> tuple[int, int]:
    """The cells from the first to past the last change; the whole line when spans do not line up."""
    if old is None or len(old) != len(new):
        return 0, width
    start, end, at = width, 0, 0
    for before, after in zip(old, new, strict=True):
        size = width_of(after[0])
        if size != width_of(before[0]):
            return min(start, at), width
        if before != after:
            start, end = min(start, at), at + size
        at += size
    return (start, min(end, width)) if end > start else (0, width)
