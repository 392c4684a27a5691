"""Both ends of a connection: the sender's policies and the receiver's have to let it through."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from typing import Any, Literal

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, Pod, get, rows
from helpers.deploy.render import Item
from helpers.deploy.rules.network import closed_ports, namespace_of, nearly, peers
from helpers.deploy.sources import Place
from helpers.testbed import connections
from helpers.testbed.connections import NAME_LABEL, Connections

# A pod has no address yet. An `ipBlock` with one of these may be meant for pods.
_ADDRESSES = ("10.244.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fd00::1")
_MOST_TRIED = 20_000
"""Pairs of pods that are tried in one set, which takes seconds."""
_Port = tuple[int, str]


@dataclass(frozen=True)
class _Rule:
    """A peer of a policy's rule, which names pods of this set by their labels."""

    policy: Item
    outward: bool
    place: Place
    own: Sequence[Pod]
    named: Sequence[Pod]
    ports: Sequence[dict[str, Any]]

    @property
    def pairs(self) -> Iterator[tuple[Pod, Pod]]:
        """Each sender with each receiver, but for those on the node's network."""
        for own, named in product(self.own, self.named):
            outside = any(pod.spec.get("hostNetwork") for pod in (own, named))
            if own is not named and not outside:
                yield (own, named) if self.outward else (named, own)


def one_sided(objects: Objects) -> Iterator[Problem]:
    """A connection that one policy opens and another stops is in no status, and times out.

    Only rules that name pods by labels are looked at: `podSelector: {}` says what may be, and not
    what has to be. What cannot be known here counts as open. Of a very large set a part is looked
    at.
    """
    if any("NetworkPolicy" in one.kind for one in objects.unknown):
        return  # an extension's policies may open the rest
    cluster, told, left = _Cluster(objects), set(), _MOST_TRIED
    for rule in _rules(objects):
        pairs = list(islice(rule.pairs, left))
        left -= len(pairs)
        found = [(*pair, cluster.stopped(rule, *pair)) for pair in pairs]
        selector = get(rule.policy.body, "spec", "podSelector") or {}
        if not any(selector.values()) and any(port is False for *_, port in found):
            continue  # a policy of all pods is right where some of them connect
        for sender, receiver, port in found:
            key = (sender, receiver, port)
            if port and key not in told and not cluster.is_known(rule, sender, receiver):
                told.add(key)
                yield _problem(objects, rule, sender, receiver, port)


def _problem(objects: Objects, rule: _Rule, sender: Pod, receiver: Pod, port: _Port) -> Problem:
    one, other = (f"{pod.item.kind} {pod.item.name}" for pod in (sender, receiver))
    stopped, way = (other, "in") if rule.outward else (one, "out")
    what = (
        f"it opens the way from {one} to {other} on {port[1]} port {port[0]},"
        f" and no policy of {stopped} lets it {way}"
    )
    sure = all(objects.is_whole(pod.item.namespace) for pod in (sender, receiver))
    return Problem("policy-one-sided", rule.policy, rule.place, what, sure)


def _rules(objects: Objects) -> Iterator[_Rule]:
    for policy in objects.of("NetworkPolicy"):
        own = objects.selected(get(policy.body, "spec", "podSelector") or {}, policy.namespace)
        for part, side in (("ingress", "from"), ("egress", "to")):
            for place, rule in rows(policy.body, "spec", part):
                ports = [one for _, one in rows(rule, "ports")]
                for inner, peer in rows(rule, side):
                    selector = peer.get("podSelector") or {}
                    if any(selector.values()):
                        # `namespaceSelector: {}` means all namespaces.
                        everywhere = peer.get("namespaceSelector") == {}
                        spaces = objects.namespaces if everywhere else [namespace_of(policy, peer)]
                        named = [pod for one in spaces for pod in objects.selected(selector, one)]
                        here = (*place, *inner)
                        yield _Rule(policy, part == "egress", here, own, named, ports)


class _Cluster:
    """The set, as the evaluator of connections sees it."""

    def __init__(self, objects: Objects) -> None:
        self._labels = {
            one.name: get(one.body, "metadata", "labels") or {} for one in objects.of("Namespace")
        }
        written = [get(pod.item.body, "metadata", "namespace") for pod in objects.pods]
        self._named, self._labelled = all(written), {*written} <= self._labels.keys()
        self._limiting = cache(lambda pod, way: list(objects.policies_of(pod, way)))
        services = [(one, objects.behind(one)) for one in objects.of("Service")]
        self._services = cache(lambda pod: [one for one, behind in services if pod in behind])
        self._bodies = {one: self._lenient(one) for one in objects.of("NetworkPolicy")}
        self._seen = cache(_seen)
        self._closed = {problem.item for problem in closed_ports(objects)}
        self._mistyped = list(peers(objects))

    def stopped(self, rule: _Rule, sender: Pod, receiver: Pod) -> _Port | Literal[False] | None:
        """A port of the rule that is stopped; False if none; None if the receiver has none."""
        wanted = [one for one in self._wanted(rule, receiver) if one]
        # Where a rule leaves the port open, it is enough that one of them is reached.
        closed = (
            ports[0]
            for ports in wanted
            if all(self._stops(sender, receiver, *port) for port in ports)
        )
        return next(closed, False) if wanted else None

    def _wanted(self, rule: _Rule, receiver: Pod) -> Iterator[list[_Port]]:
        """For each port of the rule, which ports of the receiver it may mean."""
        bodies = [port for one in receiver.running for _, port in rows(one.body, "ports")]
        targets = [
            {"containerPort": port.get("targetPort", port.get("port")), **port}
            for service in self._services(receiver)
            for _, port in rows(service.body, "spec", "ports")
        ]
        known: list[_Port] = [
            (number, one.get("protocol", "TCP"))
            for one in (*bodies, *targets)
            if isinstance(number := one.get("containerPort"), int)
        ]
        if not rule.ports:
            yield known
        for given in rule.ports:
            port, protocol = given.get("port"), given.get("protocol", "TCP")
            first = port if isinstance(port, int) else receiver.ports.get(str(port), 0)
            last = given.get("endPort", first) if port is not None else 65_535
            fits = [one for one in known if one[1] == protocol and first <= one[0] <= last]
            yield fits if known or first != last or not first else [(first, protocol)]

    def _stops(self, sender: Pod, receiver: Pod, port: int, protocol: str) -> bool:
        applying = (*self._limiting(sender, "Egress"), *self._limiting(receiver, "Ingress"))
        cluster = Connections([self._bodies[one] for one in applying], self._labels)
        ends = zip(self._seen(sender), self._seen(receiver), strict=True)
        try:
            return not any(cluster.passes(*pair, port, protocol) for pair in ends)
        except ValueError:  # a range of addresses that is none
            return False

    def _lenient(self, policy: Item) -> dict[str, Any]:
        """A policy in which a namespace that cannot be known here is any."""
        body = copy.deepcopy(policy.body)
        for part, side in (("ingress", "from"), ("egress", "to")):
            for _, rule in rows(body, "spec", part):
                for _, peer in rows(rule, side):
                    selector = peer.get("namespaceSelector") or {}
                    keys = {*(selector.get("matchLabels") or {})}
                    keys |= {one.get("key") for _, one in rows(selector, "matchExpressions")}
                    if keys and not (self._named and (keys == {NAME_LABEL} or self._labelled)):
                        peer["namespaceSelector"] = {}
        return body

    def is_known(self, rule: _Rule, sender: Pod, receiver: Pod) -> bool:
        """Whether another rule has found why the connection is stopped."""
        blocked, other = (receiver, sender) if rule.outward else (sender, receiver)
        applying = self._limiting(blocked, "Ingress" if rule.outward else "Egress")
        mistyped = any(
            one.item in applying and nearly(get(one.item.body, *one.place, "podSelector"), [other])
            for one in self._mistyped
        )
        return mistyped or (rule.outward and not self._closed.isdisjoint(self._services(receiver)))


def _seen(pod: Pod) -> list[connections.Pod]:
    """A pod as the evaluator knows it, with each address that it may get."""
    ports = {
        str(port["name"]): (port.get("protocol", "TCP"), port.get("containerPort", 0))
        for one in pod.running
        for _, port in rows(one.body, "ports")
        if "name" in port
    }
    name, namespace = f"{pod.item.kind} {pod.item.name}", pod.item.namespace
    return [connections.Pod(name, namespace, pod.labels, one, ports) for one in _ADDRESSES]
