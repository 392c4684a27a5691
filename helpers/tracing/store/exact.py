"""JSON that keeps what was sent: integers of any size, and what has no place in JSON named.

`orjson` is quick, but rounds integers beyond 64 bits; the standard library keeps them, but lets
NaN and lone surrogates through, which neither SQLite nor another reader of JSON takes.
"""

import json
import math
from typing import Any

import orjson

from helpers.tracing.errors import Invalid

DEEPEST = 250
"""Levels of nesting that are kept; `orjson` writes 254."""
_MOST_DIGITS = 300  # an integer with more is no float either, which is how many readers take it
NOT_FINITE = "NaN, an infinite or an oversized number was stored as null"
SURROGATE = "half of a surrogate pair was stored as \N{REPLACEMENT CHARACTER}"


def parsed(content: bytes, what: str) -> Any:
    """Parse JSON, exactly; NaN and lone surrogates are still in it (see `repaired`).

    Raises:
        Invalid: it is no JSON; the sentence names `what`.
    """
    try:
        return json.loads(content, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise Invalid(f"{what} is no JSON: {reason}.") from None


def repaired(value: Any, what: str) -> tuple[Any, list[str]]:
    """The value without what JSON cannot hold, and a remark on each kind that was replaced.

    Raises:
        Invalid: it is nested more than 250 levels deep.
    """
    remarks: dict[str, None] = {}
    return _repaired(value, what, remarks, 0), list(remarks)


def strict(content: bytes, what: str) -> Any:
    """Parse JSON, exactly, and take nothing that JSON cannot hold.

    Raises:
        Invalid: it is no JSON, or holds NaN or a lone surrogate.
    """
    value, remarks = repaired(parsed(content, what), what)
    if remarks:
        raise Invalid(f"{what} holds a number that is not finite, or half of a surrogate pair.")
    return value


def text(value: Any) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(content: bytes, what: str) -> tuple[str, Any, list[str]]:
    """JSON text to keep, its value, and remarks on what had to be replaced in it.

    The text is the one that was sent wherever that is possible.

    Raises:
        Invalid: it is no JSON, or is nested too deeply.
    """
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        value, remarks = repaired(parsed(content, what), what)
        return text(value), value, remarks
    if content.count(b"[") + content.count(b"{") > DEEPEST:
        repaired(value, what)  # says when it is too deep
    return content.decode(), value, []


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf


def _repaired(value: Any, what: str, remarks: dict[str, None], depth: int) -> Any:
    if depth > DEEPEST:
        raise Invalid(f"{what} is nested more than {DEEPEST} levels deep.")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            remarks[SURROGATE] = None
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value
    if isinstance(value, float) and not math.isfinite(value):
        remarks[NOT_FINITE] = None
        return None
    if isinstance(value, list):
        return [_repaired(item, what, remarks, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            _repaired(key, what, remarks, depth + 1): _repaired(item, what, remarks, depth + 1)
            for key, item in value.items()
        }
    return value
