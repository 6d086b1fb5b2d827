"""The one line to type into."""

from textual.widgets import Input


class TypedLine(Input):
    """An input of one line without borders; its cursor does not blink, since blinking is traffic on a slow line."""

    def __init__(self, placeholder: str = "", *, id: str | None = None, max_length: int = 200) -> None:
        super().__init__(placeholder=placeholder, id=id, max_length=max_length, compact=True)
        self.cursor_blink = False
