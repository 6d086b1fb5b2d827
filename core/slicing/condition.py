"""The little language of vendor bundles that says which print and filament presets suit a printer.

Comparisons over settings (``nozzle_diameter[0]==0.4``, ``printer_notes=~/.*MINI.*/``) joined by and, or, not.
Whatever the language has beyond that is refused, never guessed.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

_T = TypeVar("_T", str, float)

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>-?\d+(?:\.\d+)?)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<regex>/(?:[^/\\]|\\.)*/)
    | (?P<op>==|!=|=~|!~|<=|>=|<|>|&&|\|\||!|\(|\))
    | (?P<word>[A-Za-z_]\w*(?:\[\s*\d+\s*\])?)
    )""",
    re.VERBOSE,
)
MAX_LENGTH = 4000
_MAX_DEPTH = 50


class ConditionRefused(ValueError):
    """A condition that this evaluator does not understand."""


def holds(condition: str, settings: Mapping[str, str]) -> bool:
    """Whether `condition` is true for `settings`; an empty condition always is. Raises ConditionRefused."""
    if not condition.strip():
        return True
    if len(condition) > MAX_LENGTH:
        raise ConditionRefused("the condition is too long")
    return _Parser(_tokens(condition), settings).whole()


def _tokens(condition: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    text = condition.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ConditionRefused(f"not understood at '{text[position : position + 20]}'")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], settings: Mapping[str, str]) -> None:
        self.tokens = tokens
        self.settings = settings
        self.at = 0
        self.depth = 0

    def whole(self) -> bool:
        value = self._or()
        if self.at != len(self.tokens):
            raise ConditionRefused(f"not understood at '{self.tokens[self.at][1]}'")
        return value

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _or(self) -> bool:
        value = self._and()
        while self._peek()[1] in ("or", "||"):
            self._take()
            right = self._and()
            value = value or right
        return value

    def _and(self) -> bool:
        value = self._not()
        while self._peek()[1] in ("and", "&&"):
            self._take()
            right = self._not()
            value = value and right
        return value

    def _not(self) -> bool:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ConditionRefused("the condition is nested too deeply")
        try:
            kind, text = self._peek()
            if text in ("!", "not"):
                self._take()
                return not self._not()
            if text == "(":
                self._take()
                value = self._or()
                if self._take()[1] != ")":
                    raise ConditionRefused("a closing bracket is missing")
                return value
            if kind in ("word", "number", "string"):
                return self._comparison()
            raise ConditionRefused(f"not understood at '{text}'")
        finally:
            self.depth -= 1

    def _comparison(self) -> bool:
        left = self._value()
        operator = self._peek()[1]
        if operator in ("=~", "!~"):
            self._take()
            kind, text = self._take()
            if kind != "regex":
                raise ConditionRefused(f"'{operator}' needs a pattern")
            return _matches(text[1:-1], str(left)) == (operator == "=~")
        if operator in ("==", "!=", "<", "<=", ">", ">="):
            self._take()
            return _compare(left, operator, self._value())
        if left in ("0", "1", ""):
            # a switch that no preset mentions is off, the slicer's default for all that bundles ask for
            return left == "1"
        raise ConditionRefused("a setting without a comparison is not a yes or no")

    def _value(self) -> str | float:
        kind, text = self._take()
        if kind == "number":
            return float(text)
        if kind == "string":
            return text[1:-1]
        if kind == "word":
            return self._setting(text)
        raise ConditionRefused(f"a value was expected at '{text}'")

    def _setting(self, word: str) -> str:
        name, bracket, index = word.partition("[")
        if name == "num_extruders":
            return str(len(self.settings.get("nozzle_diameter", "0").split(",")))
        value = self.settings.get(name, "")
        if not bracket:
            return value
        parts = value.split(",")
        number = int(index.rstrip("]").strip())
        # as in the slicer: an index past the end gives the first value
        return parts[number] if number < len(parts) else parts[0]


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    except re.error as error:
        raise ConditionRefused(f"pattern not understood: {error}") from None


def _compare(left: str | float, operator: str, right: str | float) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        try:
            low, high = float(left), float(right)
        except ValueError:
            raise ConditionRefused(f"'{left}' and '{right}' cannot be compared") from None
        return _ordered(low, operator, high)
    return _ordered(left, operator, right)


def _ordered(left: _T, operator: str, right: _T) -> bool:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right
