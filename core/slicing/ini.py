"""PrusaSlicer's own text format: `key = value` lines, sections in vendor bundles, C-style escapes."""

MAX_TEXT = 16_000_000
MAX_VALUE = 200_000


class IniRefused(ValueError):
    """A settings text that we do not understand for certain."""


def parse(text: str) -> dict[str, dict[str, str]]:
    """Sections to their settings; lines before any section are under ''. Comments start with # or ;.

    Raises IniRefused for a line without ``=``, a key or section that comes twice, or a text that is too big:
    the slicer refuses the same, and a guess here would print something else than what was reviewed.
    """
    if len(text) > MAX_TEXT:
        raise IniRefused(f"the text has {len(text)} characters; the limit is {MAX_TEXT}")
    sections: dict[str, dict[str, str]] = {}
    current = sections.setdefault("", {})
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            name = line[1:-1].strip()
            if not name or name in sections:
                raise IniRefused(f"line {number}: section '{name[:60]}' is empty or comes twice")
            current = sections[name] = {}
            continue
        key, equals, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not key:
            raise IniRefused(f"line {number}: not a 'key = value' line")
        if key in current:
            raise IniRefused(f"line {number}: '{key[:60]}' comes twice")
        if len(value) > MAX_VALUE:
            raise IniRefused(f"line {number}: the value of '{key[:60]}' is too long")
        current[key] = value
    return sections


def unescape(value: str) -> str:
    r"""The text that an escaped value stands for (``\n`` is a line end, any other ``\c`` is ``c``)."""
    if "\\" not in value:
        return value
    out: list[str] = []
    escaped = False
    for char in value:
        if escaped:
            out.append({"n": "\n", "r": "\r"}.get(char, char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append(char)
    if escaped:
        raise IniRefused("a value ends in the middle of an escape")
    return "".join(out)


def escape(text: str) -> str:
    """One line that `unescape` turns back into `text`."""
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def split_strings(value: str) -> list[str]:
    """The parts of a list of strings (``;`` separates, quotes protect); IniRefused for unbalanced quotes."""
    parts: list[str] = []
    current: list[str] = []
    quoted = escaped = False
    for char in value:
        if escaped:
            current.append("\\" + char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            parts.append("".join(current).strip())
            current = []
        else:
            current.append(char)
    if quoted or escaped:
        raise IniRefused("quotes do not match")
    parts.append("".join(current).strip())
    return parts
