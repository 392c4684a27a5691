"""The shop's cluster as exercise 07.5 sees it: pods, outside addresses, and what must pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from helpers.testbed.connections import End, Pod

NAMESPACES = {
    "shop": {"team": "shop"},
    "ingress": {"team": "platform"},
    "monitoring": {"team": "platform"},
    "kube-system": {},
    "dev": {"team": "shop"},
}
"""The labels of each namespace, without the one that Kubernetes sets."""

PORTS = (22, 53, 80, 443, 6379, 8000, 8080, 9090, 9100, 10250)
"""Some ports, among them all that are used."""

PROTOCOLS = ("TCP", "UDP", "SCTP")
"""All that a policy knows."""

_AGENT = {"http": ("TCP", 8000), "metrics": ("TCP", 9100)}
_MODEL = {"http": ("TCP", 8080)}
_DNS = {"dns": ("UDP", 53), "dns-tcp": ("TCP", 53)}
_PODS: tuple[tuple[str, str, dict[str, str], dict[str, tuple[str, int]]], ...] = (
    ("shop", "agent-1", {"app": "agent"}, _AGENT),
    ("shop", "agent-2", {"app": "agent"}, _AGENT),
    ("shop", "model-1", {"app": "model"}, _MODEL),
    ("shop", "redis-1", {"app": "redis"}, {"redis": ("TCP", 6379)}),
    ("shop", "backup-1", {"app": "backup"}, {}),
    ("ingress", "controller-1", {"app": "controller"}, {"http": ("TCP", 80)}),
    ("ingress", "renewer-1", {"app": "renewer"}, {}),
    ("monitoring", "prometheus-1", {"app": "prometheus"}, {"http": ("TCP", 9090)}),
    ("monitoring", "grafana-1", {"app": "grafana"}, {"http": ("TCP", 8080)}),
    ("kube-system", "dns-1", {"k8s-app": "kube-dns"}, _DNS),
    ("kube-system", "dns-2", {"k8s-app": "kube-dns"}, _DNS),
    ("kube-system", "metrics-1", {"k8s-app": "metrics-server"}, {"https": ("TCP", 10250)}),
    ("dev", "agent-1", {"app": "agent"}, _AGENT),
    ("dev", "prometheus-1", {"app": "prometheus"}, {"http": ("TCP", 9090)}),
)

PROVIDER, LEFT_OUT = ip_network("203.0.113.0/24"), ip_network("203.0.113.64/28")
"""Where the outside model is, and the part of it where it is not."""

OUTSIDE = (
    "203.0.113.10",
    "203.0.113.63",
    "203.0.113.80",
    "203.0.113.64",
    "203.0.113.79",
    "203.0.112.10",
    "198.51.100.7",
    "169.254.169.254",
)
"""Addresses outside of the cluster; the last one gives a cloud's credentials to those who ask."""

PODS = tuple(
    Pod(name, namespace, labels, f"10.1.0.{number}", ports)
    for number, (namespace, name, labels, ports) in enumerate(_PODS, 1)
)


def later() -> tuple[Pod, ...]:
    """The cluster a week later: pods were replaced, and there is one more agent."""
    more: tuple[tuple[str, str, dict[str, str], dict[str, tuple[str, int]]], ...] = (
        ("shop", "agent-3", {"app": "agent"}, _AGENT),
    )
    return tuple(
        Pod(f"{name}-new", namespace, labels, f"10.7.3.{number}", ports)
        for number, (namespace, name, labels, ports) in enumerate([*more, *reversed(_PODS)], 1)
    )


@dataclass(frozen=True)
class Connection:
    """From one end to a port of another one."""

    source: End
    target: End
    port: int
    protocol: str

    def __str__(self) -> str:
        return f"{self.source} to {self.target}, {self.protocol} {self.port}"


def every(pods: tuple[Pod, ...] = PODS) -> Iterator[Connection]:
    """Every connection that begins or ends in the namespace shop, whether it must pass or not."""
    ends: tuple[End, ...] = (*pods, *OUTSIDE)
    for source in ends:
        for target in ends:
            if source != target and (in_shop(source) or in_shop(target)):
                for port in PORTS:
                    for protocol in ("TCP", "UDP"):
                        yield Connection(source, target, port, protocol)


def must_pass(one: Connection) -> bool:
    """Whether the shop needs a connection."""
    return (one.protocol, one.port) in needed(one.source, one.target)


def needed(source: End, target: End) -> frozenset[tuple[str, int]]:
    """The protocols and ports over which the shop needs to get from one end to the other."""
    return _NEEDED.get((_role(source), _role(target)), frozenset())


_NEEDED = {
    ("ingress/controller", "shop/agent"): frozenset({("TCP", 8000)}),
    ("monitoring/prometheus", "shop/agent"): frozenset({("TCP", 9100)}),
    ("monitoring/prometheus", "shop/model"): frozenset({("TCP", 8080)}),
    ("shop/agent", "shop/model"): frozenset({("TCP", 8080)}),
    ("shop/agent", "shop/redis"): frozenset({("TCP", 6379)}),
    ("shop/agent", "kube-system/kube-dns"): frozenset({("UDP", 53), ("TCP", 53)}),
    ("shop/agent", "provider"): frozenset({("TCP", 443)}),
}


def in_shop(end: End) -> bool:
    """Whether an end is a pod of the namespace that the policies are for."""
    return isinstance(end, Pod) and end.namespace == "shop"


def app(end: End) -> str:
    """By which label a pod is known: `k8s-app` in kube-system, `app` elsewhere; "" without it."""
    if isinstance(end, str):
        return ""
    return end.labels.get("k8s-app" if end.namespace == "kube-system" else "app", "")


def is_provider(end: End) -> bool:
    """Whether the outside model is at this address."""
    if isinstance(end, Pod):
        return False
    one = ip_address(end)
    return one in PROVIDER and one not in LEFT_OUT


def _role(end: End) -> str:
    if isinstance(end, Pod):
        return f"{end.namespace}/{app(end)}"
    return "provider" if is_provider(end) else "outside"
