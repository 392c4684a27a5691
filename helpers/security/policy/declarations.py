"""What tools do, what their arguments accept, and what their results are.

A declaration is written for every tool that an agent has. What is not declared is denied: an
unknown tool, an argument that the declaration does not know, a field of a result that it does not
name (which counts as untrusted text).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from helpers.security.policy.origins import Fact, Facts, Origin, names, records, values_at
from helpers.security.policy.values import Scalar, addresses, leaves

Effect = Literal["read", "fetch", "act"]
"""What a call does: it reads the user's own data, it fetches from anywhere (whoever is asked
learns the address, and what is written in it), or it changes or sends something."""


class BadDeclaration(ValueError):  # noqa: N818 - named after what is the matter
    """A declaration contradicts itself or its tool; the message says where and what to do."""


@dataclass(frozen=True)
class Source:
    """An origin that an argument accepts, with the kind of value where the kind matters."""

    origin: Origin
    kind: str | None = None

    def admits(self, fact: Fact) -> bool:
        """Whether a fact is of this kind and at least as trusted."""
        if fact.origin is Origin.REQUEST:
            return self.origin is Origin.REQUEST
        return fact.kind == self.kind and fact.origin >= self.origin

    def __str__(self) -> str:
        return f"{self.origin} ({self.kind})" if self.kind else str(self.origin)


REQUEST = Source(Origin.REQUEST)
"""The user's own words."""


def own(kind: str) -> Source:
    """Accepts a structured field of this kind from the user's records, named or not."""
    return Source(Origin.OWN, kind)


def named(kind: str) -> Source:
    """Accepts a value of this kind from records that the user named; for text, one inside it."""
    return Source(Origin.NAMED, kind)


@dataclass(frozen=True)
class Argument:
    """What an argument accepts.

    Attributes:
        sources: the origins and kinds that will do.
        shape: "value": the whole value must come from one of the sources; "id": likewise, but a
            bare number in the request is no source; "words": free words from anywhere, in which
            every link, e-mail address and account number must come from one of the sources;
            "anything": not checked.
    """

    sources: tuple[Source, ...] = ()
    shape: Literal["value", "id", "words", "anything"] = "value"

    def __post_init__(self) -> None:
        if self.shape in ("value", "id") and not self.sources:
            raise BadDeclaration(
                "An argument that accepts no source can never be given: name a source, or write "
                "ANYTHING where the value does no harm."
            )
        if self.shape == "anything" and self.sources:
            raise BadDeclaration("ANYTHING is not checked, so it takes no sources.")

    def objection(self, value: Any, request: str, facts: Facts) -> str | None:
        """Why the value is not accepted; None when it is. None as a value is one left out."""
        if self.shape == "anything":
            return None
        for _, leaf in leaves(value):
            parts = addresses(str(leaf)) if self.shape == "words" else [leaf]
            for part in parts:
                found = facts.sources(part, request, identifier=self.shape == "id")
                if not any(each.admits(fact) for each in self.sources for fact in found):
                    return f"{_short(part)} comes from {_origins(found)}, accepted: {self}"
        return None

    def __str__(self) -> str:
        return " or ".join(map(str, self.sources)) or "no address"


ANYTHING = Argument(shape="anything")
"""Not checked: whatever the value, it does no harm as long as the other arguments are right."""


def value(*sources: Source) -> Argument:
    """The whole value must come from one of these."""
    return Argument(sources)


def identifier(*sources: Source) -> Argument:
    """An id that must come from one of these; a bare number in the request is none."""
    return Argument(sources, "id")


def words(*sources: Source) -> Argument:
    """Free words; every address in them must come from one of these."""
    return Argument(sources, "words")


@dataclass(frozen=True)
class Field:
    """What a field of a result is.

    Attributes:
        kind: what its values are called.
        text: free text: untrusted, unless the user named the record.
        parts: for a field that lists several values in one string: a pattern whose first group is
            one value.
        spoken: where it names a record: also without a file's ending, and with spaces for hyphens,
            as people say it.
    """

    kind: str
    text: bool = False
    parts: str | None = None
    spoken: bool = False


def text(kind: str) -> Field:
    """A field of free text."""
    return Field(kind, text=True)


@dataclass(frozen=True)
class Tool:
    """What a tool does, accepts and returns.

    Attributes:
        effect: see `Effect`.
        arguments: by name; an argument that is not here is denied.
        returns: fields by their path in a record of the result (see `values.leaves`; "" is the
            record itself); a field that is not here is untrusted text.
        named_by: paths of a record: when the request holds one of these values, the user has named
            the record.
        named_by_argument: likewise for an argument of the call, such as the path of a file.
        named_by_search: an argument that is searched for. Two words or more of the user's own that
            find a single record name it; one word would let an attacker pick among records.
    """

    effect: Effect
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    returns: Mapping[str, Field] = field(default_factory=dict)
    named_by: tuple[str, ...] = ()
    named_by_argument: str | None = None
    named_by_search: str | None = None

    def __post_init__(self) -> None:
        unknown = [path for path in self.named_by if path not in self.returns]
        if unknown:
            raise BadDeclaration(f"named_by holds {unknown[0]!r}, which is not in `returns`.")
        for name in (self.named_by_argument, self.named_by_search):
            if name is not None and name not in self.arguments:
                raise BadDeclaration(
                    f"A record cannot be named by {name!r}, which is no argument of the tool."
                )

    def facts(self, name: str, arguments: Mapping[str, Any], result: Any, request: str) -> Facts:
        """What a result of this tool says, each value with its origin.

        Args:
            name: of the tool.
            arguments: of the call.
            result: what it returned: records as models, dataclasses or mappings, or one value.
            request: the user's words, which may name records.
        """
        everything = list(records(result))
        all_named = self._named_by_call(arguments, len(everything), request)
        found: list[Fact] = []
        for record in everything:
            is_named = all_named or any(
                names(each, request, spoken=self.returns[path].spoken)
                for path in self.named_by
                for each in values_at(record, path)
            )
            for path, leaf in leaves(record):
                found.extend(self._facts(name, path, leaf, is_named))
        return Facts(tuple(found))

    def _named_by_call(self, arguments: Mapping[str, Any], found: int, request: str) -> bool:
        """Whether the call itself names what it returned."""
        if self.named_by_argument and names(
            str(arguments.get(self.named_by_argument, "")), request
        ):
            return True
        searched = str(arguments.get(self.named_by_search, "")) if self.named_by_search else ""
        return found == 1 and len(searched.split()) > 1 and names(searched, request)

    def _facts(self, name: str, path: str, leaf: Scalar, is_named: bool) -> Iterator[Fact]:
        declared = self.returns.get(path)
        if declared is None:
            yield Fact(leaf, Origin.UNTRUSTED, "undeclared", name, text=isinstance(leaf, str))
        elif declared.text:
            origin = Origin.NAMED if is_named else Origin.UNTRUSTED
            yield Fact(leaf, origin, declared.kind, name, text=True)
        else:
            origin = Origin.NAMED if is_named else Origin.OWN
            parts = re.findall(declared.parts, str(leaf)) if declared.parts else [leaf]
            for part in parts:
                yield Fact(part, origin, declared.kind, name)


Tools = Mapping[str, Tool]
"""The declarations of all tools of an agent, by name."""


def check_against(tools: Tools, schemas: Mapping[str, set[str]]) -> None:
    """Compare declarations with the tools themselves.

    Args:
        tools: the declarations.
        schemas: for each tool, the names of its arguments.

    Raises:
        BadDeclaration: one declares an argument that its tool does not have, or a tool that is not
            there. What a tool has and nobody declared is no error: it is denied.
    """
    for name, tool in tools.items():
        if name not in schemas:
            raise BadDeclaration(f"There is no tool {name!r}: remove its declaration.")
        extra = set(tool.arguments) - schemas[name]
        if extra:
            raise BadDeclaration(f"{name} has no argument {sorted(extra)[0]!r}: remove it.")


def _short(value: Scalar) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _origins(found: list[Fact]) -> str:
    if not found:
        return "nowhere that is known"
    return " and ".join(dict.fromkeys(f"{fact.origin} ({fact.kind})" for fact in found[:3]))
