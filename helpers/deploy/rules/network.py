"""NetworkPolicies: what a hijacked pod reaches, and what the others no longer do."""

import difflib
from collections.abc import Iterator
from typing import Any

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, Pod, get, matches, rows
from helpers.deploy.render import Item
from helpers.testbed.connections import NAME_LABEL


def unlimited(objects: Objects) -> Iterator[Problem]:
    """Without a policy every pod reaches every other one, and any address."""
    open_: dict[str, tuple[Pod, set[str]]] = {}
    for pod in objects.pods:
        first, directions = open_.setdefault(pod.item.namespace, (pod, set()))
        for direction in ("Ingress", "Egress"):
            if direction not in directions and not any(objects.policies_of(pod, direction)):
                directions.add(direction)
    for namespace, (first, directions) in open_.items():
        if directions:
            which = " and ".join(sorted(directions, reverse=True)).lower()
            what = (
                f"namespace {namespace} has pods whose {which} is not limited by any NetworkPolicy"
            )
            yield Problem("no-default-deny", first.item, (), what)


def name_lookup(objects: Objects) -> Iterator[Problem]:
    """Who may send to a Service, and not ask for its address, reaches nothing."""
    told = set()
    for pod in objects.pods:
        policies = list(objects.policies_of(pod, "Egress"))
        allowed = [rule for one in policies for _, rule in rows(one.body, "spec", "egress")]
        # Who may send nothing at all, or only to addresses, needs no names.
        if not any(_by_name(rule) for rule in allowed) or any(map(_allows_dns, allowed)):
            continue
        item = next(one for one in policies if rows(one.body, "spec", "egress"))
        if item not in told:
            what = f"{pod.item.kind} {pod.item.name} may not ask DNS (UDP port 53)"
            yield Problem("egress-without-dns", item, ("spec", "egress"), what)
        told.add(item)


def _by_name(rule: dict[str, Any]) -> bool:
    to = rows(rule, "to")
    return not to or any("ipBlock" not in peer for _, peer in to)


def _allows_dns(rule: dict[str, Any]) -> bool:
    to, ports = ([one for _, one in rows(rule, key)] for key in ("to", "ports"))
    # The name server is in another namespace: a podSelector alone does not reach it.
    reaches = not to or any("namespaceSelector" in one or "ipBlock" in one for one in to)
    open_ = not ports or any(
        one.get("protocol", "TCP") == "UDP"
        and one.get("port") in {None, 53, "53", "dns", "dns-tcp", "domain"}
        for one in ports
    )
    return reaches and open_


def peers(objects: Objects) -> Iterator[Problem]:
    """A mistyped label keeps out the very pods that a policy was written for.

    They may also be deployed by others, into any namespace. So it is an error only where a pod of
    this set has nearly these labels.
    """
    for item in objects.of("NetworkPolicy"):
        for part, side in (("ingress", "from"), ("egress", "to")):
            for place, rule in rows(item.body, "spec", part):
                for inner, peer in rows(rule, side):
                    selector, namespace = peer.get("podSelector"), namespace_of(item, peer)
                    pods = [one for one in objects.pods if one.item.namespace == namespace]
                    if not selector or not pods:
                        continue
                    if not any(matches(selector, pod.labels) for pod in pods):
                        way = "in" if side == "from" else "out to"
                        what = f"no pod in namespace {namespace} has the labels that it lets {way}"
                        sure = objects.is_whole(namespace) and nearly(selector, pods)
                        yield Problem("policy-peer", item, (*place, *inner), what, sure)


def namespace_of(item: Item, peer: dict[str, Any]) -> str:
    """The namespace of a peer; empty where there may be several."""
    if "namespaceSelector" not in peer:
        return item.namespace
    labels = get(peer, "namespaceSelector", "matchLabels") or {}
    return str(labels[NAME_LABEL]) if list(labels) == [NAME_LABEL] else ""


def nearly(selector: dict[str, Any], pods: list[Pod]) -> bool:
    """Whether each label of a selector is, but for a letter or two, one of these pods'."""
    return all(
        difflib.get_close_matches(str(one), [str(pod.labels.get(key, "")) for pod in pods], 1)
        for key, one in (selector.get("matchLabels") or {}).items()
    )


def closed_ports(objects: Objects) -> Iterator[Problem]:
    """A policy counts the port of the pod, and not the Service's, which people know better."""
    for service in objects.of("Service"):
        for pod in objects.behind(service):
            policies = objects.policies_of(pod, "Ingress")
            rules = [rule for one in policies for _, rule in rows(one.body, "spec", "ingress")]
            if not rules or any(not rule.get("ports") for rule in rules):
                continue  # closed on purpose, or every port is open to some peer
            allowed = [port for rule in rules for _, port in rows(rule, "ports")]
            for place, port in rows(service.body, "spec", "ports"):
                target = port.get("targetPort", port.get("port"))
                number = _number(pod, target)
                if number is None or (pod.ports and str(target) not in pod.ports):
                    continue  # another rule says so
                if not any(_opens(one, pod, number) for one in allowed):
                    named = f"{pod.item.kind} {pod.item.name}"
                    what = f"no NetworkPolicy opens port {target} of {named}"
                    yield Problem("policy-closes-port", service, place, what)


def _number(pod: Pod, port: Any) -> int | None:
    return port if isinstance(port, int) else pod.ports.get(str(port))


def _opens(allowed: dict[str, Any], pod: Pod, number: int) -> bool:
    if "port" not in allowed:
        return True
    first = _number(pod, allowed["port"])
    return first is not None and first <= number <= int(allowed.get("endPort", first))
