"""Whose personal data a text shows: names, addresses and numbers of people whom the shop knows.

The redactor (`helpers.security.controls.pii`) finds what *looks* like personal data; this finds
what *is* somebody's, names included, since it knows the values. Both read numbers in the same way
(`folding`, `numbers`).
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from helpers.security.controls.folding import fold
from helpers.security.controls.numbers import national
from helpers.shop import Orders

Owners = dict[str, frozenset[str]]
"""The values, each with the ids of those it belongs to."""

_WORD: Final = re.compile(r"[^\W_]+")
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,31});", re.IGNORECASE)
# As Royal Mail writes them: area and district, then sector and unit.
_POSTCODE: Final = re.compile(
    r"(?<![^\W_])([A-Z]{1,2}[0-9][A-Z0-9]?)[ .-]{0,3}([0-9][ABD-HJLNP-UW-Z]{2})(?![^\W_])",
    re.IGNORECASE,
)
_NOT_UNITS: Final = re.compile(r"[0-9](?:st|nd|rd|th|ft|lb|hr|gb|ah|yd)")
"""What follows "A4", "M25" or "T8" in honest texts: 2nd, 8ft. Nobody mixes capitals like this."""


def postcodes(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each British postcode, in capitals or not, spaced in any way on one line."""
    folded = fold(text)
    for found in _POSTCODE.finditer(folded.text):
        outward, inward = found.groups()
        if not (outward.isupper() and _NOT_UNITS.fullmatch(inward)):
            yield folded.span(*found.span())


@dataclass(frozen=True)
class OthersData:
    """Personal data of the shop's customers, each value with the ids of those it belongs to.

    Attributes:
        words: e-mail addresses and streets, in lower case.
        numbers: telephone numbers (national digits) and postcodes, without what stands between.
        names: names, in lower case.

    A name is found in both orders, with one word or letter between its parts ("Eastgarth, Ms
    Harriet", "Harriet J. Eastgarth") and in one word ("HarrietEastgarth"); a number with
    anything but letters and digits between its digits, over line ends too. Not found: a first
    name or a surname alone, nicknames, numbers in words or cut in two, letters of another script.
    Encodings (per cent, Base64) are for the caller to undo first; HTML's entities are undone here.
    """

    words: Owners
    numbers: Owners
    names: Owners = field(default_factory=dict)

    @classmethod
    def of(cls, orders: Orders) -> "OthersData":
        """The data of all customers in the order book."""
        words: dict[str, set[str]] = {}
        numbers: dict[str, set[str]] = {}
        names: dict[str, set[str]] = {}
        for customer in orders.all_customers():
            names.setdefault(_one_case(customer.name), set()).add(customer.id)
            for value in (customer.email, customer.street):
                words.setdefault(_one_case(value), set()).add(customer.id)
            for value in (national(customer.phone), _squeezed(customer.postcode)):
                numbers.setdefault(value, set()).add(customer.id)
        for each in (words, numbers, names):
            each.pop("", None)  # what nobody has told is no value
        return cls(_frozen(words), _frozen(numbers), _frozen(names))

    def shown(self, text: str, customer_id: str | None) -> list[str]:
        """The values in a text that belong to others than this customer (None: nobody)."""
        text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
        words, squeezed = _Words.of(text), _squeezed(text)
        own = [value for value, ids in self.names.items() if value and customer_id in ids]
        # "Dear Isla Hawthorn, Rohan will help you" shows nothing of a Rohan Hawthorn.
        others = words.without(map(_parts, own))
        found = [value for value in self.names if others.hold_name(_parts(value))]
        found += [value for value in self.words if words.hold(_parts(value))]
        # 01632... may stand there as +44 1632..., so the 0 is not looked for.
        found += [value for value in self.numbers if value.removeprefix("0") in squeezed]
        owners = {**self.words, **self.numbers, **self.names}
        return [value for value in found if customer_id not in owners[value]]

    def mail_of(self, customer_id: str | None) -> list[str]:
        """The e-mail addresses of one customer."""
        return [word for word, ids in self.words.items() if "@" in word and customer_id in ids]


@dataclass(frozen=True)
class _Words:
    """The words of a text, in order, and where each stands."""

    words: Sequence[str]
    places: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, text: str) -> "_Words":
        return cls.listed(_split(text))

    @classmethod
    def listed(cls, words: Sequence[str]) -> "_Words":
        places: dict[str, list[int]] = {}
        for place, word in enumerate(words):
            places.setdefault(word, []).append(place)
        return cls(words, places)

    def hold(self, value: Sequence[str]) -> bool:
        """Whether these words stand there in order, with at most one other between two of them."""
        places = self.places.get(value[0], ()) if value else ()
        return any(self._follow(place, value) for place in places)

    def hold_name(self, name: Sequence[str]) -> bool:
        """Whether a name stands there: first name first, surname first, or as one word."""
        surname_first = [*name[-1:], *name[:-1]]
        if any("".join(order) in self.places for order in (name, surname_first)):
            return True
        return self.hold(name) or self.hold(surname_first)

    def without(self, names: Iterable[Sequence[str]]) -> "_Words":
        """The same words with a blank in the place of each of these names, as it is written."""
        words = list(self.words)
        for name in names:
            for place in self.places.get(name[0], ()):
                if tuple(words[place : place + len(name)]) == tuple(name):
                    words[place : place + len(name)] = [""] * len(name)
        return _Words.listed(words)

    def _follow(self, place: int, value: Sequence[str]) -> bool:
        for word in value[1:]:
            if word in self.words[place + 1 : place + 2]:
                place += 1
            elif word in self.words[place + 2 : place + 3]:
                place += 2
            else:
                return False
        return True


@lru_cache(maxsize=4096)
def _parts(value: str) -> tuple[str, ...]:
    """The words of a value, which is looked for in every answer."""
    return tuple(_split(value))


def _split(text: str) -> list[str]:
    return _WORD.findall(fold(text).text.casefold())


def _one_case(text: str) -> str:
    return " ".join(text.casefold().split())


def _squeezed(text: str) -> str:
    """Letters and digits alone: without what people put between digits."""
    return "".join(sign for sign in fold(text).text.casefold() if sign.isalnum())


def _frozen(owners: dict[str, set[str]]) -> Owners:
    return {value: frozenset(ids) for value, ids in owners.items()}
