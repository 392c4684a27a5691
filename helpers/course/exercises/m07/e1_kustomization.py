"""Exercise 07.1: twelve faults, and a kustomization that fixes them."""

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Expectation, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m07.manifests import Rendered

STARTER = """
resources: [agent.yaml, network.yaml, scaling.yaml]
patches: []
"""


@exercise(
    "07.1",
    title="Fix twelve faults",
    starter=STARTER,
    hints=[
        "Take the first finding, open its file at that line, write one patch, and check again. One"
        " fault is hidden behind another, and there is one that no checker can see: compare each"
        " value with the facts in the statement.",
        Hint(
            "In a JSON patch the first container is /spec/template/spec/containers/0, and its"
            " second variable .../env/1. {op: move, from: ..., path: ...} renames a field.",
            "checker",
        ),
        Hint(
            "For the image there is `images: [{name: shop/agent, newTag: ...}]`. A variable from a"
            " Secret has no value. It has valueFrom: {secretKeyRef: {name: ..., key: ...}} instead."
            " Replace the whole variable.",
            "runs",
        ),
        Hint(
            "The grace period begins together with preStop. What is left after it has to be as"
            " long as the longest answer.",
            "ends",
        ),
        Hint(
            "A liveness probe asks whether a restart would help. It does not help a pod that is"
            " only busy.",
            "probes",
        ),
        Hint(
            "With two pods, a budget that keeps two available lets no pod go, and one that keeps"
            " none protects nothing.",
            "way",
        ),
        Hint(
            "DNS asks by UDP first. Add the port to the rule that names the name server, as the"
            " last of its ports: path: /spec/egress/0/ports/-.",
            "network",
        ),
        Hint(
            "Name in each patch only the fields that have a fault. A merge patch keeps all others;"
            " `replace` and `remove` on a whole probe or list do not.",
            "else",
        ),
    ],
    gate=True,
)
def kustomization(answer: Any) -> Iterator[Case]:
    """A kustomization whose objects have no fault, and are otherwise what they were."""
    from helpers.course.exercises.m07 import manifests

    rendered = functools.cache(lambda: manifests.rendered(answer))

    not_rendered = Slip.raises(
        "not-rendered",
        manifests.NotRendered,
        "Without objects there is nothing to check: start here.",
    )

    def case(
        name: str, look: Callable[["Rendered"], Any], expect: Any, *slips: Slip, about: str
    ) -> Case:
        def call() -> Any:
            try:
                return look(rendered())
            except manifests.NotRendered:
                if about == "checker":
                    raise
                raise manifests.NotRendered("no objects: the first case says why") from None

        return Case(
            name,
            call=call,
            show="kubectl kustomize, with your kustomization.yaml",
            expect=expect,
            slips=[not_rendered, *slips],
            about=about,
        )

    yield case(
        "deploy-check, and the same seven objects",
        manifests.checked,
        Expectation(
            "no finding, no object missing, none added",
            judge=lambda got: not any(got.values()),
            show=manifests.told,
        ),
        Slip.when(
            "object-removed",
            lambda got: bool(got["missing"]),
            "An object that is gone has no faults, and does nothing. Fix it instead.",
        ),
        about="checker",
    )
    yield case(
        "what runs",
        manifests.runs,
        manifests.RUNS,
        Slip.when(
            "host-mistyped",
            lambda got: got["env"].get("MODEL_URL") == "http://model.model:8080/v1",
            "No checker knows where the model's server is. The statement does.",
        ),
        Slip.when(
            "key-is-gone",
            lambda got: "MODEL_API_KEY" not in got["env"],
            "Without MODEL_API_KEY the model's server refuses every request.",
        ),
        about="runs",
    )
    yield case(
        "what a pod may use, and how it ends",
        manifests.ends,
        manifests.ENDS,
        Slip.when(
            "request-lowered",
            lambda got: got["request of memory"] != "600Mi" and got["limit of memory"] != "800Mi",
            "The pod needs the memory that it requests: raise the limit instead.",
        ),
        Slip.when(
            "request-changed",
            lambda got: got["request of memory"] != "600Mi",
            "The request of memory had no fault: leave it at 600Mi.",
        ),
        Slip.when(
            "pre-stop-removed",
            lambda got: got["preStop"] == "none",
            "Without preStop the pod ends while requests still arrive.",
        ),
        Slip.when(
            "answers-cut-off",
            lambda got: not got["40 s or more to end in"],
            "preStop takes 10 s of the grace period, and the longest answer another 30.",
        ),
        about="ends",
    )
    yield case(
        "the probes",
        manifests.probes,
        manifests.PROBES,
        Slip.when(
            "probe-removed",
            lambda got: "none" in got.values(),
            "A probe is missing, or its name is mistyped: all three are needed.",
        ),
        Slip.when(
            "busy-is-dead",
            lambda got: got["livenessProbe"] == "GET /readyz on port 8000",
            "A busy pod answers 503 to /readyz, and is restarted for it.",
        ),
        about="probes",
    )
    yield case(
        "from the Service to two pods or more",
        manifests.way,
        manifests.WAY,
        Slip.when(
            "no-protection",
            lambda got: got["of 2 pods may be evicted"] == 2,
            "A drain may now evict both pods at once.",
        ),
        Slip.when(
            "scaled-for-the-budget",
            lambda got: got["pods"][0] > 2,
            "The number of pods was right: change the budget.",
        ),
        about="way",
    )
    yield case(
        "the network",
        manifests.network,
        manifests.NETWORK,
        Slip.when(
            "too-open",
            lambda got: (
                not {*got["in"], *got["out"]}
                <= {*manifests.NETWORK["in"], *manifests.NETWORK["out"]}
            ),
            "More is open than has to be, or to others: a hijacked agent would use it.",
        ),
        Slip.when(
            "others-too",
            lambda got: got["policy agent"] == "for every pod",
            "What this policy opens is open to every pod of the namespace now.",
        ),
        Slip.when(
            "deny-changed",
            lambda got: got["policy deny"] != manifests.NETWORK["policy deny"],
            "`deny` had no fault. It closes both directions for every pod of the namespace.",
        ),
        about="network",
    )
    yield case(
        "whatever had no fault",
        manifests.unchanged,
        Expectation("no other field has changed", judge=lambda got: got == [], show=manifests.few),
        about="else",
    )
