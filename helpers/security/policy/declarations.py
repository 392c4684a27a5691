"""What tools do, what their arguments accept, and what their results are.

A declaration is written for every tool that an agent has. What is not declared is denied: an
unknown tool, an argument that the declaration does not know, a field of a result that it does not
name (which counts as untrusted text).
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from helpers.security.policy.addresses import addresses
from helpers.security.policy.asking import asks_for
from helpers.security.policy.origins import Fact, Facts, Origin, names, records, values_at
from helpers.security.policy.values import Scalar, leaves, occurs, same

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
            "amount": a sum of money, which is a finite number above zero and, where there are
            sources, comes from one of them; "anything": not checked.
    """

    sources: tuple[Source, ...] = ()
    shape: Literal["value", "id", "words", "amount", "anything"] = "value"

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
        written = addresses(request) if self.shape in ("value", "words") else []
        for _, leaf in leaves(value):
            if self.shape == "amount" and not _is_sum(leaf):
                return f"{_short(leaf)} is no sum of money above zero"
            for part in self._checked(leaf):
                found = facts.sources(part, request, identifier=self.shape == "id")
                if any(same(part, each) for each in written):  # in another spelling
                    found = [Fact(part, Origin.REQUEST, "request", "request"), *found]
                if not any(each.admits(fact) for each in self.sources for fact in found):
                    return f"{_short(part)} comes from {_origins(found)}, accepted: {self}"
        return None

    def _checked(self, leaf: Scalar) -> list[Any]:
        """What of a value has to come from one of the sources."""
        if self.shape == "words":
            return addresses(str(leaf))
        return [leaf] if self.sources else []

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


def amount(*sources: Source) -> Argument:
    """A sum of money: finite and above zero; with sources it must come from one of these."""
    return Argument(sources, "amount")


@dataclass(frozen=True)
class Field:
    """What a field of a result is.

    Attributes:
        kind: what its values are called.
        text: free text: untrusted, unless the user named the record.
        assigned: the service sets it and who wrote the record cannot choose it: an id, the number
            of a customer who is logged in, the name of an account in a closed workspace. A
            subject, a title, a file's name and a name that is shown beside an address are the
            author's choice.
        parts: for a field that lists several values in one string: a pattern whose first group is
            one value.
        spoken: where it names a record: also without a file's ending, and with spaces for hyphens,
            as people say it.
    """

    kind: str
    text: bool = False
    assigned: bool = False
    parts: str | None = None
    spoken: bool = False


def assigned(kind: str) -> Field:
    """A field that the service sets, such as an id."""
    return Field(kind, assigned=True)


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
        named_by: paths of a record by which the user may name it, when the request holds the whole
            value. An assigned field, or an address that is written out, names the record and all
            that is in it. Any other is a label that its author has chosen: it picks the record, so
            its assigned fields are named, and vouches for nothing that the author wrote in it, no
            sender, no participant and no text.
        named_by_argument: an argument of the call that names all of what comes back: the path of a
            file, the address of a page.
        named_by_search: an argument that is searched for. Two words or more of the user's own that
            find a single record are a label of it; one word would let an attacker pick among
            records.
        own: for records that others may put among the user's, the path of the field in which the
            service writes whose they are, and the user's own value there. A label names the user's
            own records then, all that is in them, and no others.
        asked: what the user's request must ask for before the tool may be used, as a pattern (see
            `asking`); empty: nothing.
    """

    effect: Effect
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    returns: Mapping[str, Field] = field(default_factory=dict)
    named_by: tuple[str, ...] = ()
    named_by_argument: str | None = None
    named_by_search: str | None = None
    own: tuple[str, str] | None = None
    asked: str = ""

    def __post_init__(self) -> None:
        unknown = [path for path in self.named_by if path not in self.returns]
        if unknown:
            raise BadDeclaration(f"named_by holds {unknown[0]!r}, which is not in `returns`.")
        free = [path for path in self.named_by if self.returns[path].text]
        if free:
            raise BadDeclaration(
                f"named_by holds {free[0]!r}, which is free text: name a record by a field that "
                "the service assigns, such as its id."
            )
        if self.own and self.own[0] not in self.returns:
            raise BadDeclaration(f"own holds {self.own[0]!r}, which is not in `returns`.")
        try:
            re.compile(self.asked)
        except re.error as broken:
            raise BadDeclaration(
                f"asked is no regular expression ({broken}): {self.asked!r}."
            ) from broken
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
        called, searched = self._named_by_call(arguments, len(everything), request)
        found: list[Fact] = []
        for record in everything:
            whole, label = self._named(record, request)
            label = label or searched
            if self.own is not None and label:
                label = False
                path, mine = self.own
                whole = whole or any(same(each, mine) for each in values_at(record, path))
            for path, leaf in leaves(record):
                found.extend(self._facts(name, path, leaf, called or whole, label))
        return Facts(tuple(found))

    def objection(self, request: str) -> str | None:
        """Why the request gives no leave to use the tool; None when it does."""
        if self.asked and not asks_for(self.asked, request):
            return "the request does not ask for it"
        return None

    def _named_by_call(
        self, arguments: Mapping[str, Any], found: int, request: str
    ) -> tuple[bool, bool]:
        """Whether the call names what it returned, and whether its search is a label of it."""
        given = str(arguments.get(self.named_by_argument or "", ""))
        searched = str(arguments.get(self.named_by_search or "", ""))
        return (
            names(given, request),
            found == 1 and len(searched.split()) > 1 and names(searched, request),
        )

    def _named(self, record: Any, request: str) -> tuple[bool, bool]:
        """Whether the request names a record and all that is in it, and whether by a label."""
        whole = label = False
        for path in self.named_by:
            declared = self.returns[path]
            for each in values_at(record, path):
                if names(each, request, spoken=declared.spoken):
                    is_address = "@" in str(each) and occurs(each, request)
                    whole = whole or declared.assigned or is_address
                    label = True
        return whole, label

    def _facts(
        self, name: str, path: str, leaf: Scalar, is_named: bool, by_label: bool
    ) -> Iterator[Fact]:
        declared = self.returns.get(path)
        if declared is None:
            yield Fact(leaf, Origin.UNTRUSTED, "undeclared", name, text=isinstance(leaf, str))
        elif declared.text:
            origin = Origin.NAMED if is_named else Origin.UNTRUSTED
            yield Fact(leaf, origin, declared.kind, name, text=True)
        else:
            picked = is_named or (by_label and declared.assigned)
            origin = Origin.NAMED if picked else Origin.OWN
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


def _is_sum(leaf: Scalar) -> bool:
    """Whether this is a finite number above zero, or a text that a tool would read as one."""
    try:
        return not isinstance(leaf, bool) and math.isfinite(float(leaf)) and float(leaf) > 0
    except (ValueError, OverflowError):
        return False


def _short(value: Scalar) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _origins(found: list[Fact]) -> str:
    if not found:
        return "nowhere that is known"
    return " and ".join(dict.fromkeys(f"{fact.origin} ({fact.kind})" for fact in found[:3]))
