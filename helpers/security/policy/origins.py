"""Where values come from: the facts that tool results give, each with its origin."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from helpers.security.policy.values import Scalar, leaves, occurs, occurs_as_id, same


class Origin(IntEnum):
    """Where a value comes from; the more the user has to do with it, the higher."""

    UNTRUSTED = 0
    """Text that anybody may have written."""
    OWN = 1
    """A structured field of the user's own records, or of the service's own catalogue."""
    NAMED = 2
    """A record that the user named: the file, the page, the message of this sender."""
    REQUEST = 3
    """The user's own words."""

    def __str__(self) -> str:
        return ("untrusted text", "own records", "a record you named", "your request")[self]


@dataclass(frozen=True)
class Fact:
    """A value, or a text that holds values, that a tool has returned.

    Attributes:
        value: one whole field of the result.
        origin: where it comes from.
        kind: what it is ("payee", "sender", "page"): a sender's account is no payee's.
        source: the tool that returned it, or "request".
        text: whether it is free text, in which values may be found; a structured field counts as a
            whole only.
    """

    value: Scalar
    origin: Origin
    kind: str
    source: str
    text: bool = False

    def holds(self, value: Scalar) -> bool:
        """Whether this is the value, or a text that holds it."""
        return occurs(value, str(self.value)) if self.text else same(value, self.value)


@dataclass(frozen=True)
class Facts:
    """What the agent has read so far, in the order in which it was read."""

    known: tuple[Fact, ...] = ()

    def and_also(self, more: Iterable[Fact]) -> "Facts":
        """These facts and more."""
        return Facts((*self.known, *more))

    @property
    def tainted(self) -> bool:
        """Whether any text was read. Numbers and flags cannot carry orders; words can."""
        return any(isinstance(fact.value, str) for fact in self.known)

    def sources(self, value: Scalar, request: str, *, identifier: bool = False) -> list[Fact]:
        """Everything that the value may come from, the most trusted first; empty: nowhere known.

        Args:
            value: one value of an argument.
            request: the user's words.
            identifier: the value is an id, which must not match a bare number in the request.
        """
        found = occurs_as_id(value, request) if identifier else occurs(value, request)
        asked = [Fact(value, Origin.REQUEST, "request", "request")] if found else []
        known = [fact for fact in self.known if fact.holds(value)]
        return [*asked, *sorted(known, key=lambda fact: -fact.origin)]

    def as_data(self) -> list[dict[str, Any]]:
        """The facts as plain data, as a checkpointer keeps them."""
        return [asdict(fact) | {"origin": int(fact.origin)} for fact in self.known]

    @classmethod
    def from_data(cls, data: Iterable[Mapping[str, Any]]) -> "Facts":
        """The facts that `as_data` gave."""
        return cls(tuple(Fact(**{**each, "origin": Origin(each["origin"])}) for each in data))


def records(result: Any) -> Iterator[Any]:
    """The records of a result: the items of a list, or the result itself."""
    if isinstance(result, list | tuple):
        yield from result
    else:
        yield result


def names(value: Scalar, request: str, *, spoken: bool = False) -> bool:
    """Whether the request holds this value of a record as a whole.

    "Ada Byron" is not ada.byron@evil.example: everybody may register an address with her name in
    it, so the name in an address and the name shown beside it never name its owner. A number names
    a record only where it is called an id: "5" stands in "5 May" too.
    With `spoken`, "meeting-notes.txt" is named by "meeting notes" too.
    """
    written = str(value)
    if written.isdigit():
        return occurs_as_id(written, request)
    if occurs(written, request):
        return True
    said = re.sub(r"[-_]", " ", re.sub(r"\.\w{1,5}$", "", written))
    return spoken and occurs(said, request)


def values_at(record: Any, path: str) -> list[Scalar]:
    """The values of a record at a path (see `leaves`)."""
    return [value for where, value in leaves(record) if where == path]
