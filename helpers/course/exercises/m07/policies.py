"""The NetworkPolicies of exercise 07.5, read and tried on the shop's cluster."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from helpers.deploy import ManifestError, check_objects
from helpers.deploy.objects import rows
from helpers.deploy.sources import documents, value
from helpers.testbed.connections import Connections, Direction
from helpers.testbed.shop_network import (
    NAMESPACES,
    PODS,
    Connection,
    every,
    later,
    must_pass,
)

_STRICT = {"schema-field", "schema-required", "schema-value", "not-an-object", "unknown-api"}
_SHOWN = 3

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
    """What an API server would refuse, as sentences: unknown fields, wrong types, bad ranges."""
    try:
        objects = read(given)
    except ManifestError as error:
        return [str(error)]
    found = [str(one).splitlines()[0] for one in check_objects(objects) if one.rule in _STRICT]
    names = [one["metadata"].get("name") for one in objects]
    twice = {name for name in names if names.count(name) > 1}
    same = [f"two policies have the name {name}: the second replaces the first" for name in twice]
    return found + same + [said for peer in _peers(objects) for said in _bad_block(peer)]


def _peers(objects: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in objects:
        for part, side in (("ingress", "from"), ("egress", "to")):
            for _, rule in rows(one, "spec", part):
                yield from (peer for _, peer in rows(rule, side))


def _bad_block(peer: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the `ipBlock` of a peer, if it has one."""
    block = peer.get("ipBlock")
    if not isinstance(block, dict):
        return
    if len(peer) > 1:
        yield "an item with ipBlock may have no selector beside it"
    try:
        whole = ip_network(str(block.get("cidr")), strict=False)
        for part in block.get("except") or ():
            inner = ip_network(str(part), strict=False)
            if inner.version != whole.version or not inner.subnet_of(whole):  # type: ignore[arg-type]
                yield f"{part} is no part of {block['cidr']}"
    except ValueError as error:
        yield f"ipBlock: {error}"


@dataclass(frozen=True)
class Wrong:
    """A connection that passes and must not, or the other way round."""

    connection: Connection
    stopped_by: Direction | None


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

    def all(self, test: Callable[[Connection], bool]) -> bool:
        """Whether there are wrong ones, and each of them is of this kind."""
        return bool(self.wrong) and all(test(one.connection) for one in self.wrong)

    def any(self, test: Callable[[Connection], bool]) -> bool:
        """Whether one of the wrong ones is of this kind."""
        return any(test(one.connection) for one in self.wrong)


def _told(one: Wrong) -> str:
    if one.stopped_by is None:
        return f"{one.connection} passes"
    side = "leave its source" if one.stopped_by == "Egress" else "enter its target"
    return f"{one.connection} may not {side}"


def tried(given: Any, look: Callable[[Connection], bool], *, week_later: bool = False) -> Tried:
    """Try the connections that `look` is about, and keep those that are wrong."""
    looked_at = [one for one in every(later() if week_later else PODS) if look(one)]
    wrong = []
    try:
        cluster = Connections(read(given), NAMESPACES)
        for one in looked_at:
            by = cluster.stopped_by(one.source, one.target, one.port, one.protocol)
            if (by is None) != must_pass(one):
                wrong.append(Wrong(one, by))
    except ValueError as error:  # it cannot be read, or a range of addresses is none
        return Tried(unread=str(error))
    return Tried(wrong, len(looked_at))
