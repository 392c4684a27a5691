"""Values inside arguments and results: how they are taken apart, and how one is found again.

A model hands over values without saying where it has them from, so their origin has to be found
by comparing. That errs in both directions; `false_matches` counts how often.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from helpers.security.policy.addresses import addresses as addresses

Scalar = str | int | float | bool

_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-])")
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""Small letters for A to Z only: further folding would make one word of two that look alike."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Scalar]]:
    """The single values inside a result, each with its path.

    Fields of a record are joined by dots; the items of a list share the list's path; a key that is
    no field's name stands as `*`, and is a value itself, at the path `*key`. None is no value.
    """
    if value is None:
        return
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from leaves(getattr(value, name), _below(path, name))
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), _below(path, field.name))
    elif isinstance(value, Mapping):
        for key, inside in value.items():
            yield _below(path, "*key"), str(key)
            yield from leaves(inside, _below(path, "*"))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inside in value:
            yield from leaves(inside, path)
    else:
        yield path, _scalar(value)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _scalar(value: Any) -> Scalar:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):  # a datetime too
        return value.isoformat()
    return value if isinstance(value, bool | int | float) else str(value)


def same(one: Scalar, other: Scalar) -> bool:
    """Whether two whole values are equal: numbers as numbers, words whatever the case of A to Z."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one) == float(other)
    return _plain(str(one)) == _plain(str(other)) != ""


def occurs(value: Scalar, text: str) -> bool:
    """Whether the text holds the value as a whole word, number or address.

    "Ann" does not occur in "Annual", nor "shop.example" in "www.shop.example" or
    "shop.example/evil". A flag (True, False) occurs nowhere.
    """
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return any(float(n.replace(",", "")) == float(value) for n in _NUMBER.findall(text))
    wanted = _plain(value)
    if not wanted:
        return False
    whole = rf"(?<![\w@./-]){re.escape(wanted)}(?![\w@/-]|\.\w)"
    return re.search(whole, _plain(text)) is not None


def occurs_as_id(value: Scalar, text: str) -> bool:
    """Whether the text names the value as an id: "id 13", "ID: 13", "no. 13", "#13".

    A bare number will not do: "13" stands in "June 13" too. An id of letters and digits, which no
    other word equals by chance, may stand alone.
    """
    wanted = _plain(str(value))
    if re.search(r"\d", wanted) and re.search(r"[a-z]", wanted):
        return occurs(wanted, text)
    labelled = rf"(?:\bids?\b|\bno\.|\bnumber\b|#)\s*[:=]?\s*['\"]?{re.escape(wanted)}(?!\w)"
    return bool(wanted) and re.search(labelled, _plain(text)) is not None


def _plain(text: str) -> str:
    """The text as it is compared: small letters, single spaces, no scheme in front of a link."""
    small = " ".join(text.translate(_LOWER).split())
    return re.sub(r"https?://", "", small).rstrip("/")
