"""The NetworkPolicies of exercise 07.5, read and tried on the shop's cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from helpers.course.exercises.m07 import probes
from helpers.course.exercises.m07.accepted import invalid
from helpers.deploy import ManifestError, check_objects
from helpers.deploy.sources import documents, value
from helpers.testbed.connections import Connections, Direction, End, Pod
from helpers.testbed.shop_network import (
    OUTSIDE,
    PODS,
    PROTOCOLS,
    Connection,
    in_shop,
    is_provider,
    later,
    needed,
)

_STRICT = {"schema-field", "schema-required", "schema-value", "not-an-object", "unknown-api"}
_SHOWN = 3
_ENOUGH = 20_000  # connections that are wrong, after which no more are looked for

Policies = str | list[dict[str, Any]]


def read(given: Any) -> list[dict[str, Any]]:
    """The objects of the learner's text, or of a list of dicts.

    Raises:
        ManifestError: it is no YAML, or has something other than NetworkPolicies of shop.
    """
    if isinstance(given, str):
        objects = [value(source.node) for source in documents(given, "POLICIES")]
    elif isinstance(given, dict):
        objects = [given]
    else:
        objects = list(given) if isinstance(given, Sequence) else [given]
    if not objects:
        raise ManifestError("there is no NetworkPolicy: without one, every connection passes")
    for number, one in enumerate(objects, 1):
        kind = one.get("kind") if isinstance(one, dict) else type(one).__name__
        if kind != "NetworkPolicy":
            raise ManifestError(f"object {number} is no NetworkPolicy: its kind is {kind}")
        metadata = one.get("metadata")
        there = metadata.get("namespace") if isinstance(metadata, dict) else None
        if there != "shop":
            raise ManifestError(
                f"object {number} is in the namespace {there or 'default'}, not in shop: set"
                " metadata.namespace"
            )
    return objects


def refused(given: Any) -> list[str]:
    """What an API server would refuse, as sentences: unknown fields, wrong types, bad values."""
    try:
        objects = read(given)
    except ManifestError as error:
        return [str(error)]
    found = [str(one).splitlines()[0] for one in check_objects(objects) if one.rule in _STRICT]
    names = [str(one["metadata"].get("name")) for one in objects]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        found.append(f"two policies have the name {name}: the second replaces the first")
    if found:  # what does not fit the schema cannot be looked at further
        return found
    return [
        f"{one['metadata']['name']}: {said}"
        for one in objects
        for said in dict.fromkeys(invalid(one))
    ]


@dataclass(frozen=True)
class Wrong:
    """A connection that passes and must not, or the other way round."""

    connection: Connection
    stopped_by: Direction | None
    free: bool
    """Whether no policy applies to an end that is in shop, in its direction."""

    @property
    def must_pass(self) -> bool:
        """Whether it should pass, and does not."""
        return self.stopped_by is not None


@dataclass(frozen=True)
class Tried:
    """The connections that are wrong, in order, and how many were tried.

    `unread` says why none could be tried.
    """

    wrong: list[Wrong] = field(default_factory=list)
    tried: int = 0
    unread: str = ""

    @property
    def right(self) -> bool:
        """Whether all were tried, and none is wrong."""
        return not (self.wrong or self.unread)

    def __str__(self) -> str:
        if self.unread:
            return self.unread
        if not self.wrong:
            return f"all {self.tried} right"
        told = "; ".join(map(_told, self.wrong[:_SHOWN]))
        more = len(self.wrong) - _SHOWN
        return told + (f"; and {more} more" if more > 0 else "")

    @property
    def targets(self) -> int:
        """How many ends the wrong ones lead to."""
        return len({str(one.connection.target) for one in self.wrong})

    def all(self, test: Callable[[Wrong], bool]) -> bool:
        """Whether there are wrong ones, and each of them is of this kind."""
        return bool(self.wrong) and all(map(test, self.wrong))

    def any(self, test: Callable[[Wrong], bool]) -> bool:
        """Whether one of the wrong ones is of this kind."""
        return any(map(test, self.wrong))


def _told(one: Wrong) -> str:
    if one.stopped_by is None:
        return f"{one.connection} passes"
    side = "leave its source" if one.stopped_by == "Egress" else "enter its target"
    return f"{one.connection} may not {side}"


@dataclass(frozen=True)
class _Pair:
    """What became of all connections from one end to another."""

    source: End
    target: End
    wanted: int
    others: int
    wrong: list[Wrong]


Look = Callable[[End, End], bool]
"""Whether to look at the connections from one end to another."""


class Trials:
    """A set of policies on trial. What several cases look at is tried once."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def now(self, look: Look, *, wanted: bool) -> Tried:
        """The connections of the known pods, with each other and with addresses outside.

        Args:
            look: which of them.
            wanted: those that must pass; otherwise those that must not.
        """
        if self.refused:
            return self._unread
        pairs = [one for one in self._now if look(one.source, one.target)]
        wrong = [one for pair in pairs for one in pair.wrong if one.must_pass is wanted]
        return Tried(wrong, sum(one.wanted if wanted else one.others for one in pairs))

    def replaced(self) -> Tried:
        """All connections when each known pod was replaced."""
        return self._unread if self.refused else _all(self._tried(later(), OUTSIDE))

    def to_come(self) -> Tried:
        """All connections of pods that are not known yet, in any namespace."""
        if self.refused:
            return self._unread
        return _all(self._tried(probes.pods(self._objects), OUTSIDE[-2:]))

    @cached_property
    def refused(self) -> list[str]:
        """What an API server refuses, as sentences."""
        return refused(self._given)

    @cached_property
    def _objects(self) -> list[dict[str, Any]]:
        return read(self._given)

    @property
    def ports(self) -> set[int]:
        """The numbers of ports that the policies name."""
        return set() if self.refused else probes.named_ports(self._objects)

    @property
    def provider(self) -> int:
        """How many of the addresses that are tried are the outside model's."""
        return sum(map(is_provider, probes.addresses(self._objects)))

    @property
    def _unread(self) -> Tried:
        return Tried(unread=f"not tried, since an API server refuses them: {self.refused[0]}")

    @cached_property
    def _now(self) -> list[_Pair]:
        return self._tried(PODS, probes.addresses(self._objects))

    def _tried(self, pods: Sequence[Pod], addresses: Sequence[str]) -> list[_Pair]:
        """Every pair of ends of which at least one is in shop, on every port and protocol."""
        cluster = Connections(self._objects, probes.namespaces(self._objects))
        ports = [(protocol, port) for port in probes.ports(self._objects) for protocol in PROTOCOLS]

        def pair(source: End, target: End) -> _Pair:
            path, wanted = cluster.between(source, target), needed(source, target)
            wrong = []
            for protocol, port in wanted if path.shut else ports:
                by = path.stopped_by(port, protocol)
                if (by is None) != ((protocol, port) in wanted):
                    one = Connection(source, target, port, protocol)
                    free = in_shop(source) and path.leaving is None
                    free = free or (in_shop(target) and path.entering is None)
                    wrong.append(Wrong(one, by, free))
            return _Pair(source, target, len(wanted), len(ports) - len(wanted), wrong)

        found: list[_Pair] = []
        ends: list[End] = [*pods, *addresses]
        for own in filter(in_shop, pods):
            for other in ends:
                if own is not other:
                    found.append(pair(own, other))
                    if not in_shop(other):
                        found.append(pair(other, own))
            if sum(len(one.wrong) for one in found) > _ENOUGH:
                break
        return found


def _all(pairs: Sequence[_Pair]) -> Tried:
    wrong = [one for pair in pairs for one in pair.wrong]
    return Tried(wrong, sum(one.wanted + one.others for one in pairs))
