"""Exercise 07.5: NetworkPolicies that let through what the shop needs, and nothing else."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m07.policies import Policies, Tried
    from helpers.testbed.connections import End


# A cell of YAML has no mutants: faulty sets of policies are tried in their place.
@exercise(
    "07.5",
    title="Only the connections on the list",
    gate=True,
    hints=[
        Hint(
            "Begin each policy like the one in the statement. Ports are numbers without quotes, or"
            " names; protocols are TCP, UDP or SCTP, in capitals.",
            "fields",
        ),
        Hint(
            "First close everything: a policy with podSelector: {} and both policyTypes. Then open"
            " the lines of the list one by one, in one policy for each kind of pod.",
            "closed",
        ),
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
            "later",
        ),
        Hint(
            "ports: is a list next to from: or to:, in the same rule. A rule without it opens every"
            " port, and a port without a protocol is a TCP port.",
            "in",
            "out",
            "within",
        ),
        Hint(
            "ipBlock: {cidr: ..., except: [...]} takes part of a range out.",
            "out",
        ),
        Hint(
            "Pods get other names and addresses with every release: select them by their labels.",
            "replaced",
        ),
        Hint(
            "Say which pods you mean, by a label and its value. NotIn, Exists and an empty selector"
            " also select pods that come later. Only podSelector: {} selects all of them.",
            "later",
        ),
        "Take one line of the list after the other: which policy lets the connection leave, which"
        " one lets it enter, and on which port?",
    ],
)
def policies(answer: "Policies") -> Iterator[Case]:
    """Pods and addresses are tried on many ports; the policies themselves say on which ones."""
    from helpers.course.exercises.m07 import policy_slips as known
    from helpers.course.exercises.m07.policies import Trials
    from helpers.testbed.shop_network import app, in_shop

    trials = Trials(answer)

    def case(name: str, show: str, call: "Callable[[], Tried]", *slips: Slip, about: str) -> Case:
        return Case(
            name,
            call=call,
            show=show,
            expect=Expectation("none is wrong", judge=lambda got: got.right, show=str),
            slips=slips,
            about=about,
        )

    def unlisted(end: "End") -> bool:
        return in_shop(end) and app(end) == "backup"

    yield Case(
        "an API server accepts them",
        call=lambda: trials.refused,
        show="kubectl apply --dry-run=server, with the strict schema of NetworkPolicy",
        expect=Expectation("no error", judge=lambda got: got == [], show="; ".join),
        about="fields",
    )
    yield case(
        "every connection on the list passes",
        "the connections on the list, for each of their pods",
        lambda: trials.now(lambda *_: True, wanted=True),
        *known.needed(trials),
        about="needed",
    )
    yield case(
        "a pod that is not on the list is closed",
        "every connection from and to app: backup",
        lambda: trials.now(lambda a, b: unlisted(a) or unlisted(b), wanted=False),
        known.DNS_FOR_ALL,
        known.NOT_CLOSED,
        about="closed",
    )
    yield case(
        "nothing else gets into shop",
        "every other connection to a pod of shop, from pods and from outside",
        lambda: trials.now(lambda a, b: in_shop(b) and not in_shop(a), wanted=False),
        *known.INTO_SHOP,
        about="in",
    )
    yield case(
        "nothing else gets out of shop",
        "every other connection from a pod of shop, to pods and outside",
        lambda: trials.now(lambda a, b: in_shop(a) and not in_shop(b), wanted=False),
        *known.OUT_OF_SHOP,
        about="out",
    )
    yield case(
        "nothing else passes within shop",
        "every other connection between two pods of shop",
        lambda: trials.now(lambda a, b: in_shop(a) and in_shop(b), wanted=False),
        known.NOT_CLOSED,
        about="within",
    )
    yield case(
        "a week later",
        "the same, when each pod was replaced and shop has a third agent",
        trials.replaced,
        known.by_address(trials),
        about="replaced",
    )
    yield case(
        "pods and namespaces that come later",
        "the same for new pods with any labels or none, in shop, in the other namespaces and in"
        " new ones",
        trials.to_come,
        known.NOT_CLOSED,
        known.TOO_WIDE,
        about="later",
    )
