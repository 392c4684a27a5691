"""What a set of NetworkPolicies has to be tried on, beside the pods that are known.

Fixed samples find the mistakes that somebody thought of. Here they are derived from the policies:
on each side of every boundary that one of them draws there is an address, a port and a pod.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from itertools import combinations
from typing import Any

from helpers.deploy.objects import rows
from helpers.testbed.connections import NAME_LABEL, Pod
from helpers.testbed.shop_network import LEFT_OUT, NAMESPACES, OUTSIDE, PORTS, PROVIDER

Labels = dict[str, str]

_OTHER = "something-else"
_MOST = 40
"""Sets of labels for the pods of each namespace: enough for any selector that can be right."""
_KNOWN: list[Labels] = [
    {"app": name}
    for name in ("agent", "model", "redis", "backup", "controller", "prometheus", "grafana")
] + [{"k8s-app": "kube-dns"}, {"k8s-app": "metrics-server"}]
_NAMED = {
    "http": ("TCP", 8000),
    "metrics": ("TCP", 9100),
    "redis": ("TCP", 6379),
    "dns": ("UDP", 53),
    "dns-tcp": ("TCP", 53),
}


def addresses(policies: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ends of every range that is named, and what is next to them, in both directions."""
    found = dict.fromkeys(OUTSIDE)
    named = [str(part) for peer in _peers(policies) for part in _ranges(peer)]
    for text in (str(PROVIDER), str(LEFT_OUT), *named):
        whole = ip_network(text, strict=False)
        kind = type(whole.network_address)
        first, last = int(whole.network_address), int(whole.broadcast_address)
        for number in (first, last, first - 1, last + 1, (first + last) // 2):
            if 0 <= number < 2**whole.max_prefixlen:
                found[str(kind(number))] = None
    return [str(ip_address(one)) for one in found]


def ports(policies: Sequence[Mapping[str, Any]]) -> list[int]:
    """Those of the pods, those that are named, and their neighbours."""
    found = {1, 65535, *PORTS}
    for number in named_ports(policies):
        found |= {number - 1, number, number + 1}
    return sorted(number for number in found if 1 <= number <= 65535)


def named_ports(policies: Sequence[Mapping[str, Any]]) -> set[int]:
    """The numbers of ports, and the ends of ranges of them, that the policies name."""
    given = [
        one.get(key)
        for _, rule in _rules(policies)
        for _, one in rows(rule, "ports")
        for key in ("port", "endPort")
    ]
    return {number for number in given if isinstance(number, int)}


def namespaces(policies: Sequence[Mapping[str, Any]]) -> dict[str, Labels]:
    """The labels of the known namespaces, and of others that may come."""
    selectors = [peer.get("namespaceSelector") for peer in _peers(policies)]
    own = [{"team": "shop"}, {"team": "platform"}, {"team": _OTHER}]
    found: dict[str, Labels] = {name: dict(labels) for name, labels in NAMESPACES.items()}
    later = [one for one in _sets(selectors, own) if NAME_LABEL not in one]
    return found | {f"later-{number}": labels for number, labels in enumerate(later, 1)}


def pods(policies: Sequence[Mapping[str, Any]]) -> tuple[Pod, ...]:
    """Pods that come later, in every namespace, with and without each label that is named."""
    selectors = [one["spec"].get("podSelector") for one in policies]
    selectors += [peer.get("podSelector") for peer in _peers(policies)]
    found: list[Pod] = []
    given = _sets(selectors, _KNOWN)
    for space in namespaces(policies):
        for number, labels in enumerate(given, 1):
            address = f"10.9.{len(found) // 250}.{len(found) % 250 + 1}"
            name = f"later-{number} ({_told(labels)})"
            # The container's ports are those that the list names for such a pod.
            open_ = _NAMED | ({"http": ("TCP", 8080)} if labels.get("app") == "model" else {})
            found.append(Pod(name, space, labels, address, open_))
    return tuple(found)


def _told(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in labels.items()) or "no labels"


def _rules(policies: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in policies:
        for part, side in (("ingress", "from"), ("egress", "to")):
            yield from ((side, rule) for _, rule in rows(one, "spec", part))


def _peers(policies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [peer for side, rule in _rules(policies) for _, peer in rows(rule, side)]


def _ranges(peer: Mapping[str, Any]) -> list[Any]:
    block = peer.get("ipBlock") or {}
    return [block["cidr"], *(block.get("except") or ())] if "cidr" in block else []


def _sets(selectors: Iterable[Any], own: Sequence[Labels]) -> list[Labels]:
    """Sets of labels: none, each alone, what each selector wants as a whole, and pairs of those."""
    single: list[Labels] = [dict(one) for one in own]
    whole: list[Labels] = []
    for selector in selectors:
        wanted = dict((selector or {}).get("matchLabels") or {})
        single += [{key: value} for key, value in wanted.items()]
        for _, one in rows(selector, "matchExpressions"):
            key, values = str(one.get("key")), one.get("values") or ()
            single += [{key: str(value)} for value in (*values, _OTHER)]
            if one.get("operator") in ("In", "Exists"):
                wanted[key] = str((*values, _OTHER)[0])
        whole.append(wanted)
    keys = {key for one in single for key in one}
    single += [{key: _OTHER} for key in sorted(keys)]
    pairs = [one | other for one, other in combinations(_once(single), 2) if not one.keys() & other]
    return _once([{}, *single, *whole, {"release": _OTHER, **own[0]}, *pairs])[:_MOST]


def _once(given: Iterable[Labels]) -> list[Labels]:
    return list({tuple(sorted(one.items())): one for one in given}.values())
