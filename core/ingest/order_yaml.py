"""Reading `order.yaml`: strict, bounded, and naming the key that is wrong.

The file is only *composed* into nodes, never constructed: every scalar stays the text that was written
(`customer: 007` keeps its zeros), no tag can name a type, and anchors, aliases and merge keys are refused.
"""

import difflib
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import msgspec
import yaml

from core.domain.findings import Finding
from core.domain.text import clean
from core.domain.words import QualityTier, Verdict
from core.ingest.facts import (
    MAX_NOTES,
    Due,
    Unclear,
    read_color,
    read_constraint,
    read_due,
    read_material,
    read_quantity,
    read_tier,
)

FILE_NAMES = ("order.yaml", "order.yml")
MAX_BYTES = 64 * 1024
MAX_DEPTH = 6
MAX_NODES = 8_000
MAX_ITEMS = 500

_ORDER_KEYS = ("customer", "due", "items", "notes")
_ITEM_KEYS = ("file", "name", "quantity", "material", "color", "tier", "constraints", "notes")


T = TypeVar("T")


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the order; `file` is a path inside the dropped folder."""

    file: str
    name: str = ""
    quantity: int | None = None
    material: str | None = None
    color: str | None = None
    tier: QualityTier | None = None
    constraints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class OrderYaml(msgspec.Struct, frozen=True, kw_only=True):
    """What the sidecar says about the whole order."""

    customer: str = ""
    due: Due | None = None
    items: tuple[OrderItem, ...] = ()
    notes: tuple[str, ...] = ()


def parse_order(data: bytes, materials: Collection[str]) -> tuple[OrderYaml | None, tuple[Finding, ...]]:
    """The order, or None with the reasons; never raises.

    Every wrong key is reported in one go, with its line, so that one correction is enough.
    """
    if len(data) > MAX_BYTES:
        return None, (_problem(f"order.yaml is larger than {MAX_BYTES // 1024} KiB.", ""),)
    try:
        node = _compose(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, (_problem("order.yaml is not UTF-8 text.", ""),)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        text = clean(error.problem or "not valid YAML", 160)
        return None, (_problem(f"order.yaml can't be read: {text}.", f"line {line}"),)
    except (yaml.YAMLError, RecursionError) as error:
        return None, (_problem(f"order.yaml can't be read: {clean(str(error), 160)}.", ""),)
    if node is None:
        return None, (_problem("order.yaml is empty.", ""),)
    reader = _Reader(materials)
    order = reader.order(node)
    return (None, tuple(reader.problems[:MAX_NOTES])) if reader.problems else (order, ())


class _BoundedLoader(yaml.BaseLoader):
    """Composes without resolving types; refuses aliases, own tags, depth and sheer number."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave the parser untyped
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(
                None, None, "anchors (&) and aliases (*) are not used here", mark
            )
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise yaml.composer.ComposerError(None, None, "tags (!) are not used here", mark)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise yaml.composer.ComposerError(None, None, f"more than {MAX_NODES} values", mark)
        if self._depth >= MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)
        self._depth += 1
        try:
            node: yaml.Node | None = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        return node


def _compose(text: str) -> yaml.Node | None:
    loader = _BoundedLoader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


class _Reader:
    """Walks the nodes, collecting a problem per wrong key."""

    def __init__(self, materials: Collection[str]) -> None:
        self._materials = materials
        self.problems: list[Finding] = []

    def order(self, node: yaml.Node) -> OrderYaml:
        keys = self._mapping(node, _ORDER_KEYS, "")
        return OrderYaml(
            customer=self._value(keys, "customer", "", _text) or "",
            due=self._value(keys, "due", "", read_due),
            items=self._items(keys.get("items")),
            notes=self._texts(keys.get("notes"), "notes", _text),
        )

    def _items(self, node: yaml.Node | None) -> tuple[OrderItem, ...]:
        if node is None or _empty(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self._wrong("items", node, "must be a list, each line starting with “- file: …”")
            return ()
        if len(node.value) > MAX_ITEMS:
            self._wrong("items", node, f"has {len(node.value)} entries; at most {MAX_ITEMS}")
            return ()
        return tuple(self._item(child, f"items[{n}]") for n, child in enumerate(node.value, start=1))

    def _item(self, node: yaml.Node, path: str) -> OrderItem:
        keys = self._mapping(node, _ITEM_KEYS, path)
        file = self._value(keys, "file", path, _file_path)
        if file is None and not ("file" in keys and not _empty(keys["file"])):
            self._wrong(f"{path}.file", node, "is missing; say which file of the folder is meant")
        return OrderItem(
            file=file or "",
            name=self._value(keys, "name", path, _text) or "",
            quantity=self._value(keys, "quantity", path, read_quantity),
            material=self._value(keys, "material", path, lambda text: read_material(text, self._materials)),
            color=self._value(keys, "color", path, read_color),
            tier=self._value(keys, "tier", path, read_tier),
            constraints=self._texts(keys.get("constraints"), f"{path}.constraints", read_constraint),
            notes=self._texts(keys.get("notes"), f"{path}.notes", _text),
        )

    def _mapping(self, node: yaml.Node, known: tuple[str, ...], path: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._wrong(
                path or "order.yaml", node, f"must be “key: value” lines; keys are {', '.join(known)}"
            )
            return {}
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            name = _join(path, clean(key, 40) or "(unnamed)")
            if key not in known:
                near = difflib.get_close_matches(key[:40], known, n=1)
                hint = f"did you mean “{near[0]}”?" if near else f"known keys: {', '.join(known)}"
                self._wrong(name, key_node, f"is no known key; {hint}")
            elif key in found:
                self._wrong(name, key_node, "is given twice")
            else:
                found[key] = value
        return found

    def _value(self, keys: dict[str, yaml.Node], key: str, path: str, read: Callable[[str], T]) -> T | None:
        node = keys.get(key)
        return None if node is None or _empty(node) else self._scalar(node, _join(path, key), read)

    def _scalar(self, node: yaml.Node, path: str, read: Callable[[str], T]) -> T | None:
        if not isinstance(node, yaml.ScalarNode):
            self._wrong(path, node, "must be a single value")
            return None
        try:
            return read(node.value)
        except Unclear as error:
            self._wrong(path, node, f"is wrong: {error}")
            return None

    def _wrong(self, path: str, node: yaml.Node, says: str) -> None:
        stop = "" if says.endswith("?") else "."
        self.problems.append(_problem(f"{path} {says}{stop}", f"order.yaml line {node.start_mark.line + 1}"))

    def _texts(self, node: yaml.Node | None, path: str, read: Callable[[str], str]) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        if node is None or _empty(node):
            return ()
        children = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if len(children) > MAX_NOTES:
            self._wrong(path, node, f"has {len(children)} entries; at most {MAX_NOTES}")
            return ()
        texts = (self._scalar(child, path, read) for child in children)
        return tuple(text for text in texts if text)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _empty(node: yaml.Node) -> bool:
    """`key:` with nothing behind it, or `~`/`null`: nobody said."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in ("", "~", "null")


def _text(text: str) -> str:
    return clean(text, 200)


def _file_path(text: str) -> str:
    """A path that stays inside the folder; compared with what lies there, never opened as given."""
    parts = text.strip().split("/")
    if len(text) > 300 or text.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise Unclear(f"“{clean(text, 60)}” is no file inside the folder")
    return "/".join(parts)


def _problem(what: str, where: str) -> Finding:
    return Finding(
        code="ORDER_YAML",
        severity=Verdict.FAIL,
        what=what,
        why="order.yaml says what was promised; Kiln never guesses the part of it that it can't read.",
        fix="Correct order.yaml and drop the folder again.",
        kiln_can="The folder is kept whole in rejected/ beside this reason.",
        where=where,
    )
