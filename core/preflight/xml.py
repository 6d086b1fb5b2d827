"""The XML parts of a package, read by the standard library's expat with what could be an attack refused."""

from collections.abc import Callable
from xml.parsers import expat

from core.domain.text import clean
from core.preflight.limits import ReadLimits, Refusal
from core.preflight.package import Package

_TOKEN = 4 << 20

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]


class XmlReader:
    """Feeds one member to handlers; document types, entities and deep nesting are refused.

    Names come as ``namespace name``. `namespaces` holds the prefixes declared so far.
    """

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self.namespaces: dict[str, str] = {}

    def parse(
        self, package: Package, name: str, start: Start, end: End, between: Callable[[], None] | None = None
    ) -> None:
        """Feed the member `name` to the handlers; `between` is called between pieces of at most 256 kB."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._forbid
        parser.EntityDeclHandler = self._forbid
        parser.StartNamespaceDeclHandler = self._namespace

        depth = 0
        most = self._limits.xml_depth

        def on_start(tag: str, attrs: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > most:
                raise Refusal("XML_TOO_DEEP", f"more than {most} levels")
            start(tag, attrs)

        def on_end(tag: str) -> None:
            nonlocal depth
            depth -= 1
            end(tag)

        parser.StartElementHandler = on_start
        parser.EndElementHandler = on_end
        try:
            fed = 0
            for data in package.chunks(name):
                parser.Parse(data, False)
                fed += len(data)
                # an attribute or comment without end is scanned again with every piece: quadratic time
                if fed - parser.CurrentByteIndex > _TOKEN:
                    raise Refusal(
                        "UNREADABLE", f"{clean(name, 60)} holds a word of more than {_TOKEN >> 20} MB"
                    )
                if between is not None:
                    between()
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            code = "TRUNCATED" if error.code in (3, 5) else "UNREADABLE"
            detail = expat.ErrorString(error.code)
            raise Refusal(code, f"{clean(name, 60)}: {detail}", f"line {error.lineno}") from error

    def _forbid(self, *_: object) -> None:
        raise Refusal("XML_FORBIDDEN", "a document type or an entity is declared")

    def _namespace(self, prefix: str | None, uri: str) -> None:
        if len(self.namespaces) < 256:
            self.namespaces[prefix or ""] = uri
