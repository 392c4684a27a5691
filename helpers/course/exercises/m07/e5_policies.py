"""Exercise 07.5: NetworkPolicies that let through what the shop needs, and nothing else."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m07.policies import Policies, Tried
    from helpers.testbed.shop_network import Connection


# A cell of YAML has no mutants: faulty sets of policies are tried in their place.
@exercise(
    "07.5",
    title="Only the connections on the list",
    gate=True,
    hints=[
        "First close everything: a policy with podSelector: {} and both policyTypes. Then open"
        " the lines of the list one by one, in one policy for each kind of pod.",
        Hint(
            "Between two pods of shop there are two doors: the egress of the one and the ingress of"
            " the other. Pods of other namespaces have no policies: one door.",
            "needed",
        ),
        Hint(
            "A podSelector alone means pods of shop. For a pod elsewhere, namespaceSelector and"
            " podSelector are two keys of the same item: only the first one has a dash.",
            "in",
            "out",
        ),
        Hint(
            "Every namespace has the label kubernetes.io/metadata.name. The label team is on"
            " several namespaces, and app: prometheus on pods of several namespaces.",
            "in",
        ),
        Hint(
            "ports: is a list next to from: or to:, in the same rule. A rule without it opens every"
            " port, and a port without a protocol is a TCP port.",
            "in",
            "out",
        ),
        Hint(
            "ipBlock: {cidr: ..., except: [...]} takes part of a range out.",
            "out",
        ),
        Hint(
            "Pods get other names and addresses with every release: select them by their labels.",
            "later",
        ),
    ],
)
def policies(answer: "Policies") -> Iterator[Case]:
    """Each pair of pods and addresses is tried on each port, over TCP and UDP."""
    from helpers.course.exercises.m07.policies import refused, tried
    from helpers.testbed.shop_network import must_pass

    def case(
        name: str,
        show: str,
        look: "Callable[[Connection], bool]",
        *slips: Slip,
        about: str,
        week_later: bool = False,
    ) -> Case:
        return Case(
            name,
            call=lambda: tried(answer, look, week_later=week_later),
            show=show,
            expect=Expectation("none is wrong", judge=lambda got: got.right, show=str),
            slips=slips,
            about=about,
        )

    not_all = Slip.when(
        "not-all-pods",
        _all(lambda one: "backup" in (one.source_app, one.target_app)),
        "A pod that no policy selects may do anything: close all pods first.",
    )
    yield Case(
        "an API server accepts them",
        call=lambda: refused(answer),
        show="kubectl apply --dry-run=server, with the strict schema of NetworkPolicy",
        expect=Expectation("no error", judge=lambda got: got == [], show="; ".join),
    )
    yield case(
        "every connection on the list passes",
        "the connections on the list, for each of their pods",
        must_pass,
        Slip.when(
            "service-port",
            lambda got: bool(got.wrong) and _names_port_80(answer),
            "A policy sees the port of the pod, not the port of the Service in front of it.",
        ),
        Slip.when(
            "no-dns",
            _all(lambda one: one.port == 53),
            "Names cannot be looked up: DNS listens on UDP and on TCP, in kube-system.",
        ),
        Slip.when(
            "egress-shut",
            lambda got: bool(got.wrong) and all(one.stopped_by == "Egress" for one in got.wrong),
            "The agent may not send: its pods need rules for egress, too.",
        ),
        Slip.when(
            "ingress-shut",
            lambda got: bool(got.wrong) and all(one.stopped_by == "Ingress" for one in got.wrong),
            "The connection may leave its source, but not enter its target: rules for ingress are"
            " missing, or select pods of shop where they should select pods of another namespace.",
        ),
        about="needed",
    )
    yield case(
        "nothing else gets into shop",
        "every other connection to a pod of shop, from pods and from outside",
        lambda one: not must_pass(one) and _is_shop(one.target) and not _is_shop(one.source),
        not_all,
        Slip.when(
            "or-for-and",
            _all(lambda one: one.source_app in ("grafana", "renewer") and not one.in_dev),
            "All pods of the namespace get in: with a dash before podSelector it is an item of its"
            " own, and one of the two is enough.",
        ),
        Slip.when(
            "look-alike",
            _all(lambda one: one.in_dev),
            "Pods of dev have the same labels, and get in: name the namespace.",
        ),
        Slip.when(
            "any-port",
            _all(lambda one: one.source_app in ("controller", "prometheus") and not one.in_dev),
            "The right pods reach more ports than they need.",
        ),
        about="in",
    )
    yield case(
        "nothing else gets out of shop",
        "every other connection from a pod of shop, to pods and outside",
        lambda one: not must_pass(one) and _is_shop(one.source) and not _is_shop(one.target),
        not_all,
        Slip.when(
            "whole-range",
            _all(lambda one: one.to_address.startswith("203.0.113.") and one.port == 443),
            "A part of the provider's range is not on the list: leave it out.",
        ),
        Slip.when(
            "all-of-kube-system",
            _all(lambda one: one.target_app in ("metrics-server", "kube-dns")),
            "More of kube-system is open than port 53 of its DNS pods.",
        ),
        Slip.when(
            "the-world",
            lambda got: got.any(lambda one: one.target == "169.254.169.254"),
            "The agent reaches any address, even the one that gives away a cloud's credentials.",
        ),
        about="out",
    )
    yield case(
        "nothing else passes within shop",
        "every other connection between two pods of shop",
        lambda one: not must_pass(one) and _is_shop(one.source) and _is_shop(one.target),
        not_all,
        about="in",
    )
    yield case(
        "a week later",
        "the same, when pods were replaced and shop has a third agent and a pod without labels",
        lambda _: True,
        Slip.when(
            "by-address",
            lambda got: got.any(must_pass) and tried(answer, must_pass).wrong == [],
            "It passed with the old addresses: a new pod has another one.",
        ),
        about="later",
        week_later=True,
    )


class _Seen:
    """A connection as slips ask about it."""

    def __init__(self, one: "Connection") -> None:
        self.port = one.port
        self.source_app, self.target_app = _app(one.source), _app(one.target)
        self.to_address = one.target if isinstance(one.target, str) else ""
        self.in_dev = getattr(one.source, "namespace", "") == "dev"


def _app(end: Any) -> str:
    labels = getattr(end, "labels", {})
    return str(labels.get("app", labels.get("k8s-app", "")))


def _all(test: Callable[[_Seen], bool]) -> "Callable[[Tried], bool]":
    return lambda got: got.all(lambda one: test(_Seen(one)))


def _is_shop(end: Any) -> bool:
    return getattr(end, "namespace", "") == "shop"


def _names_port_80(policies: Any) -> bool:
    from helpers.course.exercises.m07.policies import read

    return any(
        port.get("port") == 80
        for policy in read(policies)
        for direction in ("ingress", "egress")
        for rule in policy["spec"].get(direction) or ()
        for port in rule.get("ports") or ()
    )
