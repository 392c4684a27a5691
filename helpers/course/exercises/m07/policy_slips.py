"""Known mistakes in the NetworkPolicies of exercise 07.5, by the connections that are wrong."""

from collections.abc import Callable
from ipaddress import ip_address

from helpers.course.exercises import Slip
from helpers.course.exercises.m07.policies import Trials, Tried, Wrong
from helpers.testbed.connections import End, Pod
from helpers.testbed.shop_network import LEFT_OUT, app, is_provider


def _name(end: End) -> str:
    """A pod as the statement's table knows it, such as `shop/agent`; an address as it is."""
    return f"{end.namespace}/{app(end)}" if isinstance(end, Pod) else end


def _source(one: Wrong) -> str:
    return _name(one.connection.source)


def _target(one: Wrong) -> str:
    return _name(one.connection.target)


def _all(test: Callable[[Wrong], bool]) -> Callable[[Tried], bool]:
    return lambda got: got.all(test)


def _is_outside(one: Wrong) -> bool:
    return isinstance(one.connection.target, str)


def _in_dev(one: Wrong) -> bool:
    return _source(one).startswith("dev/")


def _to_dns(one: Wrong) -> bool:
    return _target(one) == "kube-system/kube-dns" and one.connection.port == 53


def _over_https(one: Wrong) -> bool:
    return (one.connection.protocol, one.connection.port) == ("TCP", 443)


def _left_out(one: Wrong) -> bool:
    target = one.connection.target
    return isinstance(target, str) and ip_address(target) in LEFT_OUT


NOT_CLOSED = Slip.when(
    "not-all-pods",
    _all(lambda one: one.free),
    "Where no policy selects a pod for a direction, it may do anything in it: close all pods"
    " first, with both policyTypes.",
)
DNS_FOR_ALL = Slip.when(
    "dns-for-all",
    _all(lambda one: _to_dns(one) and _source(one) != "shop/agent" and not one.free),
    "Of the pods of shop, only the agent is on the list for DNS.",
)
TOO_WIDE = Slip.when(
    "too-wide",
    _all(lambda one: not one.must_pass),
    "A selector also selects pods or namespaces that come later: name the label and its value, and"
    " the namespace by kubernetes.io/metadata.name.",
)


def needed(trials: Trials) -> tuple[Slip, ...]:
    """What closes connections that are on the list."""
    return (
        Slip.when(
            "service-port",
            lambda got: bool(got.wrong) and 80 in trials.ports,
            "A policy sees the port of the pod, not the port of the Service in front of it.",
        ),
        Slip.when(
            "no-dns",
            _all(_to_dns),
            "Names cannot be looked up: DNS listens on UDP and on TCP, in kube-system.",
        ),
        Slip.when(
            "part-of-range",
            lambda got: got.all(_is_outside) and got.targets < trials.provider,
            "A part of the outside model's range is closed: take out 203.0.113.64/28, and no more.",
        ),
        Slip.when(
            "egress-shut",
            _all(lambda one: one.stopped_by == "Egress"),
            "The agent may not send: its pods need rules for egress, too.",
        ),
        Slip.when(
            "ingress-shut",
            _all(lambda one: one.stopped_by == "Ingress"),
            "The connection may leave its source, but not enter its target: rules for ingress are"
            " missing, or select pods of shop where they should select pods of another namespace.",
        ),
    )


INTO_SHOP = (
    NOT_CLOSED,
    Slip.when(
        "or-for-and",
        _all(lambda one: _source(one) in ("monitoring/grafana", "ingress/renewer")),
        "All pods of the namespace get in: with a dash before podSelector it is an item of its"
        " own, and one of the two is enough.",
    ),
    Slip.when(
        "look-alike",
        _all(_in_dev),
        "Pods of dev have the same labels, and get in: name the namespace.",
    ),
    Slip.when(
        "any-port",
        _all(lambda one: _source(one) in ("ingress/controller", "monitoring/prometheus")),
        "The right pods reach more ports or protocols than they need.",
    ),
)
OUT_OF_SHOP = (
    NOT_CLOSED,
    DNS_FOR_ALL,
    Slip.when(
        "whole-range",
        _all(lambda one: _left_out(one) and _over_https(one)),
        "A part of the provider's range is not on the list: leave it out.",
    ),
    Slip.when(
        "more-than-https",
        _all(lambda one: is_provider(one.connection.target) and not _over_https(one)),
        "The outside model is reached on more than port 443 over TCP.",
    ),
    Slip.when(
        "all-of-kube-system",
        _all(lambda one: _source(one) == "shop/agent" and _target(one).startswith("kube-system/")),
        "More of kube-system is open than port 53 of its DNS pods, over UDP and TCP.",
    ),
    Slip.when(
        "the-world",
        lambda got: got.any(
            lambda one: _source(one) == "shop/agent" and _target(one) == "169.254.169.254"
        ),
        "The agent reaches any address, even the one that gives away a cloud's credentials.",
    ),
)


def by_address(trials: Trials) -> Slip:
    """What works for the pods of today alone."""
    return Slip.when(
        "by-address",
        lambda got: (
            got.any(lambda one: one.must_pass) and trials.now(lambda *_: True, wanted=True).right
        ),
        "It passed with the old addresses: a new pod has another one.",
    )
