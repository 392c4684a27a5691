"""Which connections a set of NetworkPolicies lets through.

    cluster = Connections(policies, namespaces={"shop": {"team": "shop"}})
    cluster.passes(agent, redis, 6379)

The rules are those of Kubernetes' documentation ("Network Policies",
https://kubernetes.io/docs/concepts/services-networking/network-policies/), for a network plugin
that follows them to the letter. What the documentation leaves to the plugin is decided on the
strict side: an `ipBlock` also means the pods with such addresses. Connections from a pod's own
node, which always pass, and pods on the host's network are not looked at. The answer to a
connection that passes always passes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Literal, TypeAlias

from helpers.deploy.objects import get, matches, rows

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that Kubernetes gives each namespace: its name."""

Direction: TypeAlias = Literal["Ingress", "Egress"]


@dataclass(frozen=True)
class Pod:
    """A running pod, as the network sees it.

    Attributes:
        name: its name, unique in the namespace.
        namespace: where it is.
        labels: by which it is selected.
        address: its IP address.
        ports: the named ports of its containers: protocol and number, such as ("TCP", 8080).
    """

    name: str
    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


End: TypeAlias = Pod | str
"""One end of a connection: a pod, or an IP address outside of the cluster."""


class Connections:
    """A cluster's policies, and what they let through.

    Args:
        policies: NetworkPolicy objects, as `yaml.safe_load` gives them.
        namespaces: the labels of the namespaces that have any, by name. Every namespace has
            `NAME_LABEL` too, as Kubernetes sets it.
    """

    def __init__(
        self,
        policies: Sequence[Mapping[str, Any]],
        namespaces: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._policies = policies
        self._namespaces = namespaces or {}

    def passes(self, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection comes through, from one end to a port of the other.

        Raises:
            ValueError: the address or the range of an `ipBlock` is none.
        """
        return self.stopped_by(source, target, port, protocol) is None

    def stopped_by(
        self, source: End, target: End, port: int, protocol: str = "TCP"
    ) -> Direction | None:
        """What stops a connection: the source's egress, or the target's ingress; None if nothing.

        Raises:
            ValueError: the address or the range of an `ipBlock` is none.
        """
        if source == target:  # a pod cannot block itself
            return None
        sides: tuple[tuple[Direction, End, End], ...] = (
            ("Egress", source, target),
            ("Ingress", target, source),
        )
        for direction, own, other in sides:
            applying = list(self._applying(own, direction))
            if applying and not any(
                self._opens(rule, policy, direction, other, target, port, protocol)
                for policy in applying
                for _, rule in rows(policy, "spec", direction.lower())
            ):
                return direction
        return None

    def _applying(self, own: End, direction: Direction) -> Iterator[Mapping[str, Any]]:
        """The policies that isolate this end in this direction."""
        for policy in self._policies if isinstance(own, Pod) else ():
            assert isinstance(own, Pod)
            here = _namespace(policy) == own.namespace
            selector = get(policy, "spec", "podSelector") or {}
            if here and direction in _types(policy) and matches(selector, own.labels):
                yield policy

    def _opens(
        self,
        rule: Mapping[str, Any],
        policy: Mapping[str, Any],
        direction: Direction,
        other: End,
        target: End,
        port: int,
        protocol: str,
    ) -> bool:
        peers = rows(rule, "from" if direction == "Ingress" else "to")
        ports = rows(rule, "ports")
        right_peer = not peers or any(self._is(other, peer, policy) for _, peer in peers)
        return right_peer and (
            not ports or any(_is_port(one, target, port, protocol) for _, one in ports)
        )

    def _is(self, other: End, peer: Mapping[str, Any], policy: Mapping[str, Any]) -> bool:
        """Whether the other end is one that a peer of a rule describes."""
        if block := peer.get("ipBlock"):
            return _within(other if isinstance(other, str) else other.address, block)
        pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
        if isinstance(other, str) or (pods is None and namespaces is None):
            return False
        if namespaces is None:
            here = other.namespace == _namespace(policy)
        else:
            labels = {**self._namespaces.get(other.namespace, {}), NAME_LABEL: other.namespace}
            here = matches(namespaces, labels)
        return here and (pods is None or matches(pods, other.labels))


def _namespace(policy: Mapping[str, Any]) -> str:
    return str(get(policy, "metadata", "namespace") or "default")


def _types(policy: Mapping[str, Any]) -> Sequence[str]:
    """Its policyTypes; without them Ingress, and Egress where it has rules for that."""
    given = get(policy, "spec", "policyTypes")
    if given:
        return [str(one) for one in given]
    return ["Ingress", "Egress"] if get(policy, "spec", "egress") else ["Ingress"]


def _is_port(given: Mapping[str, Any], target: End, port: int, protocol: str) -> bool:
    """Whether a port is the one of a rule: any of its protocol, a number, a range or a name."""
    if given.get("protocol", "TCP") != protocol:
        return False
    wanted = given.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return wanted <= port <= int(given.get("endPort", wanted))
    return isinstance(target, Pod) and target.ports.get(str(wanted)) == (protocol, port)


def _within(address: str, block: Mapping[str, Any]) -> bool:
    one = _address(address)
    return one in _range(str(block.get("cidr"))) and not any(
        one in _range(str(part)) for part in block.get("except") or ()
    )


# The same few are asked for thousands of times.
_address = cache(ip_address)


@cache
def _range(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)
