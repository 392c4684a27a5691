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


Ports: TypeAlias = Sequence[Sequence[Mapping[str, Any]]]
"""The ports of some rules; a rule without any opens every port."""


@dataclass(frozen=True)
class Path:
    """The way from one end to another one, with what each side's rules open.

    Attributes:
        target: where it leads.
        leaving: what the source may send to; None where no policy applies to it.
        entering: what the target takes; None where no policy applies to it.
    """

    target: End
    leaving: Ports | None
    entering: Ports | None

    @property
    def shut(self) -> bool:
        """Whether no port is open, by any protocol."""
        return [] in (self.leaving, self.entering)

    def stopped_by(self, port: int, protocol: str = "TCP") -> Direction | None:
        """What stops a connection to a port: the source's side first; None if nothing."""
        sides: tuple[tuple[Direction, Ports | None], ...] = (
            ("Egress", self.leaving),
            ("Ingress", self.entering),
        )
        for direction, rules in sides:
            if rules is not None and not any(
                not ports or any(_is_port(one, self.target, port, protocol) for one in ports)
                for ports in rules
            ):
                return direction
        return None


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
        return self.between(source, target).stopped_by(port, protocol)

    def between(self, source: End, target: End) -> "Path":
        """What lies between two ends, for those who ask about many ports."""
        if source == target:  # a pod cannot block itself
            return Path(target, None, None)
        leaving = self._ports(source, target, "Egress")
        return Path(target, leaving, self._ports(target, source, "Ingress"))

    def _ports(self, own: End, other: End, direction: Direction) -> "Ports | None":
        """The ports of each rule that is about the other end; None where no policy applies."""
        applying = list(self._applying(own, direction))
        if not applying:
            return None
        return [
            _rows(rule, "ports")
            for policy in applying
            for rule in _rows(policy, "spec", direction.lower())
            if self._is_about(other, rule, policy, "from" if direction == "Ingress" else "to")
        ]

    def _applying(self, own: End, direction: Direction) -> Iterator[Mapping[str, Any]]:
        """The policies that isolate this end in this direction."""
        for policy in self._policies if isinstance(own, Pod) else ():
            assert isinstance(own, Pod)
            here = _namespace(policy) == own.namespace
            selector = _get(policy, "spec", "podSelector") or {}
            if here and direction in directions(policy) and selects(selector, own.labels):
                yield policy

    def _is_about(
        self, other: End, rule: Mapping[str, Any], policy: Mapping[str, Any], side: str
    ) -> bool:
        """Whether the other end is among those of a rule; without peers, it is about everyone."""
        peers = _rows(rule, side)
        return not peers or any(self._is(other, peer, policy) for peer in peers)

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
            here = selects(namespaces, labels)
        return here and (pods is None or selects(pods, other.labels))


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects these labels; an empty one selects all."""
    wanted = _get(selector, "matchLabels") or {}
    return all(labels.get(key) == one for key, one in wanted.items()) and all(
        _holds(rule, labels) for rule in _rows(selector, "matchExpressions")
    )


def _holds(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = str(rule.get("key")), rule.get("values") or ()
    return {
        "In": key in labels and labels[key] in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }.get(str(rule.get("operator")), False)


def _get(body: Any, *keys: str) -> Any:
    for key in keys:
        body = body.get(key) if isinstance(body, Mapping) else None
    return body


def _rows(body: Any, *keys: str) -> list[Mapping[str, Any]]:
    """The mappings of a list, wherever it is; empty where there is none."""
    found = _get(body, *keys)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _namespace(policy: Mapping[str, Any]) -> str:
    return str(_get(policy, "metadata", "namespace") or "default")


def directions(policy: Mapping[str, Any]) -> Sequence[str]:
    """What a policy limits; without policyTypes Ingress, and Egress where it has rules for that."""
    given = _get(policy, "spec", "policyTypes")
    if given:
        return [str(one) for one in given]
    return ["Ingress", "Egress"] if _get(policy, "spec", "egress") else ["Ingress"]


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
