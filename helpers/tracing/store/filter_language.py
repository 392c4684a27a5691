"""The filter language's grammar: calls, names, texts, numbers and lists."""

import json
import re
from dataclasses import dataclass
from typing import Any

from helpers.tracing.errors import Invalid

_DEEPEST = 40
_MOST_CALLS = 300  # SQLite takes conditions of up to a thousand parts


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a field."""

    text: str


_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[(),\[\]])|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])"""
    r"""|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>[A-Za-z_]\w*))"""
)


def parse(text: str) -> Call:
    """The expression that a text holds.

    Raises:
        Invalid: it is none.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("The filter holds half of a surrogate pair.") from None
    parser = _Parser(text)
    found = parser.value(0)
    parser.end()
    if not isinstance(found, Call):
        raise Invalid(f'The filter {text[:200]!r} is no condition, such as eq(run_type, "llm").')
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._calls = 0

    def value(self, depth: int) -> Any:
        """A call, a list, a name, a text or a number."""
        if depth > _DEEPEST:
            raise Invalid("The filter is nested too deeply.")
        found = self._next()
        if found["text"] is not None:
            return _unquoted(found["text"])
        if found["number"] is not None:
            return json.loads(found["number"])
        if found["mark"] == "[":
            return self._listed("]", depth)
        if found["name"] is None:
            self._refuse()
        word = found["name"]
        if self._peek() == "(":
            self._next()
            self._calls += 1
            if self._calls > _MOST_CALLS:
                raise Invalid(f"A filter may have up to {_MOST_CALLS} conditions.")
            return Call(word, tuple(self._listed(")", depth)))
        constants = {"true": True, "false": False, "null": None}
        return constants[word.lower()] if word.lower() in constants else Name(word)

    def end(self) -> None:
        """Nothing may follow."""
        if self._text[self._place :].strip():
            self._refuse()

    def _listed(self, closing: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while self._peek() != closing:
            items.append(self.value(depth + 1))
            if self._peek() not in (",", closing):
                self._refuse()
            if self._peek() == ",":
                self._next()
        self._next()
        return items

    def _peek(self) -> str | None:
        found = _TOKEN.match(self._text, self._place)
        return found["mark"] if found else None

    def _next(self) -> re.Match[str]:
        found = _TOKEN.match(self._text, self._place)
        if found is None:
            self._refuse()
        assert found is not None
        self._place = found.end()
        return found

    def _refuse(self) -> None:
        raise Invalid(
            f"The filter {self._text[:200]!r} cannot be read from character {self._place + 1} on."
        )


def _unquoted(text: str) -> str:
    if text[0] == '"':
        try:
            found = str(json.loads(text, strict=False))
            found.encode()  # not half of a surrogate pair
            return found
        except ValueError:
            raise Invalid(f"The filter's text {text[:80]} cannot be read.") from None
    return re.sub(r"\\(.)", r"\1", text[1:-1])
