"""What a kustomization makes of the given manifests, as plain values that a card can show."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from helpers.course.exercises.m07.unchanged import GIVEN, changes
from helpers.course.exercises.words import kind
from helpers.deploy import schema
from helpers.deploy.check import judge
from helpers.deploy.objects import Objects, Pod, get, rows
from helpers.deploy.render import Item, load
from helpers.deploy.rules.scaling import of_pods, quantity
from helpers.deploy.sources import ManifestError

_NAMESPACE = "shop"
_MOST_SHOWN = 6
OBJECTS = [
    "Deployment agent",
    "HorizontalPodAutoscaler agent",
    "NetworkPolicy agent",
    "NetworkPolicy deny",
    "PodDisruptionBudget agent",
    "Service agent",
    "ServiceAccount agent",
]
"""The objects of the given files."""


class NotRendered(Exception):  # noqa: N818 - it says what it is
    """The kustomization gives no objects; the message says why."""


@dataclass(frozen=True)
class Rendered:
    """What the kustomization gives: objects, without values of a wrong type, and findings.

    `all` are the objects with whatever is in them.
    """

    items: Sequence[Item]
    findings: Sequence[str]
    all: Sequence[Item]

    @property
    def names(self) -> list[str]:
        """Kind and name of each object, in order; the namespace where it is another."""
        return sorted(
            f"{item.kind} {item.name}"
            + ("" if item.namespace == _NAMESPACE else f" in namespace {item.namespace}")
            for item in self.items
        )

    @cached_property
    def objects(self) -> Objects:
        """The objects as the rules ask about them."""
        return Objects(self.items)

    def body(self, named: str) -> dict[str, Any]:
        """One object, by kind and name; empty where it is missing."""
        found = (one.body for one in self.items if f"{one.kind} {one.name}" == named)
        return next(found, {})

    @cached_property
    def pod(self) -> Pod | None:
        """The Deployment's pods; None where there is no Deployment."""
        return next((one for one in self.objects.pods if one.item.kind == "Deployment"), None)

    @property
    def container(self) -> dict[str, Any]:
        """The container of the service; empty where it is missing."""
        found = self.pod.running if self.pod else []
        return next((one.body for one in found if one.body.get("name") == "agent"), {})


def rendered(text: object) -> Rendered:
    """Render a `kustomization.yaml` beside copies of the given files, and judge the result.

    Raises:
        NotRendered: it is no text, no kustomization, or kubectl does not accept it.
    """
    if not isinstance(text, str):
        raise NotRendered(f"KUSTOMIZATION must be a text, in YAML; this is {kind(text)}.")
    with tempfile.TemporaryDirectory(prefix="course-lab-") as home:
        folder = Path(home)
        for file in GIVEN.glob("*.yaml"):
            (folder / file.name).write_bytes(file.read_bytes())
        (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
        try:
            items = load(folder)
            findings = judge(items, None)
        except ManifestError as error:
            # By its real name, too: some systems reach their temporary folder by a link.
            said = str(error)
            for prefix in {str(folder), str(folder.resolve())}:
                said = said.replace(f"{prefix}/", "").replace(f"{prefix}\\", "")
                said = said.replace(prefix, "the kustomization")
            raise NotRendered(said) from None
    told = [str(one).splitlines()[0].replace(f"{folder}/", "") for one in findings]
    newest = schema.chosen(None)[-1:]
    fitting = [schema.usable(item, list(schema.problems(item, newest))) for item in items]
    return Rendered(fitting, told, items)


def checked(found: Rendered) -> dict[str, list[str]]:
    """What `deploy-check` finds, and which objects are missing or new."""
    return {
        "deploy-check": list(found.findings),
        "missing": [one for one in OBJECTS if one not in found.names],
        "new": [one for one in found.names if one not in OBJECTS or found.names.count(one) > 1],
    }


def told(got: Mapping[str, Sequence[str]]) -> str:
    """What `checked` says, a line for each."""
    lines = [f"{word}: {one}" for word in ("missing", "new") for one in got[word]]
    return "\n".join([*lines, *got["deploy-check"]]) or "no finding, and the same objects"


def unchanged(found: Rendered) -> list[str]:
    """What is different now though it had no fault."""
    return changes([item.body for item in found.all])


def few(lines: Sequence[str]) -> str:
    """The first lines, and how many more there are."""
    more = [f"... and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
    return "\n".join([*lines[:_MOST_SHOWN], *more]) or "no other field has changed"


def runs(found: Rendered) -> dict[str, Any]:
    """What runs: image, port, and each environment variable or where its value is from."""
    box = found.container
    return {
        "containers": [one.body.get("name") for one in found.pod.containers] if found.pod else [],
        "command": [*box.get("command", []), *box.get("args", [])],
        "image": str(box.get("image", "none")).removeprefix("docker.io/"),  # where no host is named
        "ports": sorted({str(row.get("containerPort")) for _, row in rows(box, "ports")}),
        "env": {row.get("name"): _value(row) for _, row in rows(box, "env")},
    }


RUNS: dict[str, Any] = {
    "containers": ["agent"],
    "command": [],
    "image": "shop/agent:1.4.0",
    "ports": ["8000"],
    "env": {
        "MODEL_URL": "http://model.models:8080/v1",
        "MODEL_API_KEY": "key `key` of Secret model-key",
        "MAX_TOKENS": "200",
    },
}


# A Service's name in a cluster may be written out.
_FULL_NAME = re.compile(r"(?<=\.models)\.svc(\.cluster\.local\.?)?(?=:)")


def _value(row: Mapping[str, Any]) -> Any:
    source = get(row, "valueFrom", "secretKeyRef")
    if not source:
        value = row.get("value", row.get("valueFrom"))
        return _FULL_NAME.sub("", value) if isinstance(value, str) else value
    maybe = ", which may be missing" if source.get("optional") else ""
    return f"key `{source.get('key')}` of Secret {source.get('name')}{maybe}"


def ends(found: Rendered) -> dict[str, Any]:
    """What a pod may use, and the seconds that it has to end in."""
    box = found.container
    spec = found.pod.spec if found.pod else {}
    asked, most = (get(box, "resources", key) or {} for key in ("requests", "limits"))
    grace = spec.get("terminationGracePeriodSeconds", 30)
    return {
        "request of CPU": _amount(asked.get("cpu")),
        "request of memory": _amount(asked.get("memory")),
        "limit of memory": _amount(most.get("memory")),
        "preStop": _pause(get(box, "lifecycle", "preStop")),
        "40 s or more to end in": isinstance(grace, int) and grace >= 40,
    }


ENDS = {
    "request of CPU": "250m",
    "request of memory": "600Mi",
    "limit of memory": "800Mi",
    "preStop": "sleeps for 10 s",
    "40 s or more to end in": True,
}
_AMOUNTS: dict[Any, str] = {quantity(one): one for one in ("250m", "600Mi", "800Mi")}


def _amount(given: object) -> str:
    """A quantity, by the name it has in the statement where it is the same amount."""
    return "none" if given is None else _AMOUNTS.get(quantity(given), str(given))


def _pause(hook: Any) -> str:
    seconds = get(hook, "sleep", "seconds")
    if seconds is None:
        return "something else" if hook else "none"
    return f"sleeps for {seconds} s"


def probes(found: Rendered) -> dict[str, Any]:
    """What each probe asks, and how long a start may take."""
    box = found.container
    startup = box.get("startupProbe") or {}
    patience = startup.get("periodSeconds", 10) * startup.get("failureThreshold", 3)
    return {
        **{name: _asks(box, name) for name in ("startupProbe", "readinessProbe", "livenessProbe")},
        "seconds for a start": patience if startup else 0,
    }


PROBES = {
    "startupProbe": "GET /livez on port 8000",
    "readinessProbe": "GET /readyz on port 8000",
    "livenessProbe": "GET /livez on port 8000",
    "seconds for a start": 120,
}


def _asks(box: Mapping[str, Any], name: str) -> str:
    asked = get(box, name, "httpGet")
    if not isinstance(asked, dict):
        return "another question" if box.get(name) else "none"
    port = asked.get("port")
    named = {row.get("name"): row.get("containerPort") for _, row in rows(box, "ports")}
    return f"GET {asked.get('path', '/')} on port {named.get(port, port)}"


def way(found: Rendered) -> dict[str, Any]:
    """From the Service to the pods, and how many there are."""
    service = next(iter(found.objects.of("Service")), None)
    pods = found.objects.behind(service) if service else []
    scaler = found.body("HorizontalPodAutoscaler agent").get("spec", {})
    strategy = get(found.body("Deployment agent"), "spec", "strategy") or {}
    return {
        "Service": [
            f"port {port.get('port')} to port {_number(found, port)} of {pod.item.kind} "
            f"{pod.item.name}"
            for pod in pods
            for _, port in rows(service.body if service else {}, "spec", "ports")
        ],
        "autoscaler of": f"{get(scaler, 'scaleTargetRef', 'kind')} "
        f"{get(scaler, 'scaleTargetRef', 'name')}",
        "pods": [scaler.get("minReplicas", 1), scaler.get("maxReplicas")],
        "CPU": [
            get(row, "resource", "target", "averageUtilization")
            for _, row in rows(scaler, "metrics")
        ],
        "of 2 pods may be evicted": _evictable(found),
        "rollout": f"{strategy.get('type', 'RollingUpdate')}, {_surge(strategy)}",
        "select other pods, too": [one for one in _SELECTING if _selected(found, one) != _OWN],
    }


WAY = {
    "Service": ["port 80 to port 8000 of Deployment agent"],
    "autoscaler of": "Deployment agent",
    "pods": [2, 6],
    "CPU": [60],
    "of 2 pods may be evicted": 1,
    "rollout": "RollingUpdate, maxUnavailable 0, maxSurge 1",
    "select other pods, too": [],
}
_SELECTING = ("Deployment agent", "Service agent", "PodDisruptionBudget agent")
_OWN = "the agent's pods"


def _surge(strategy: Mapping[str, Any]) -> str:
    given = get(strategy, "rollingUpdate") or {}
    return ", ".join(f"{key} {given.get(key, '25%')}" for key in ("maxUnavailable", "maxSurge"))


def _selected(found: Rendered, named: str) -> str:
    """Which pods an object selects, in words where they are the agent's alone, or all."""
    body = found.body(named)
    kind_ = body.get("kind")
    selector = get(body, "spec", "podSelector" if kind_ == "NetworkPolicy" else "selector")
    labels = _labels({"matchLabels": selector} if kind_ == "Service" else selector or {})
    own = found.pod.labels.items() if found.pod else {}.items()
    if labels == {} and kind_ != "Service":
        return "every pod"
    return _OWN if labels and labels.items() <= own else json.dumps(selector, sort_keys=True)


def _labels(selector: Any) -> dict[str, Any] | None:
    """The labels that a selector asks for; None where it asks for anything but equal values."""
    asked = dict(get(selector, "matchLabels") or {})
    for _, row in rows(selector, "matchExpressions"):
        values = row.get("values") or []
        if row.get("operator") != "In" or len(set(map(str, values))) != 1:
            return None
        if asked.setdefault(str(row.get("key")), values[0]) != values[0]:
            return None
    return asked


def _number(found: Rendered, port: Mapping[str, Any]) -> Any:
    target = port.get("targetPort", port.get("port"))
    own = rows(found.container, "ports")
    return next((row.get("containerPort") for _, row in own if row.get("name") == target), target)


def _evictable(found: Rendered) -> int | None:
    """How many of two pods a drain may evict at once; None where no budget selects them."""
    for budget in found.objects.of("PodDisruptionBudget"):
        spec = budget.body.get("spec", {})
        if found.pod not in found.objects.selected(spec.get("selector"), budget.namespace):
            continue
        if "minAvailable" in spec and "maxUnavailable" in spec:
            return None  # the API server does not take both
        if "minAvailable" in spec:
            return max(0, 2 - of_pods(spec["minAvailable"], 2, up=True))
        return min(2, of_pods(spec.get("maxUnavailable", 0), 2, up=True))
    return None


def network(found: Rendered) -> dict[str, Any]:
    """Whom the pods may talk to: each peer with each port, over all policies that select them."""
    policies = found.objects.of("NetworkPolicy")
    return {
        "in": sorted(_open(found, policies, "Ingress", "ingress", "from")),
        "out": sorted(_open(found, policies, "Egress", "egress", "to")),
        "policy agent": f"for {_selected(found, 'NetworkPolicy agent')}",
        "policy deny": _denied(found),
    }


NETWORK: dict[str, Any] = {
    "in": ["namespace ingress: TCP 8000"],
    "out": [
        "namespace kube-system, pods k8s-app=kube-dns: TCP 53",
        "namespace kube-system, pods k8s-app=kube-dns: UDP 53",
        "namespace models: TCP 8080",
    ],
    "policy agent": "for the agent's pods",
    "policy deny": "for every pod: nothing in, nothing out",
}


def _denied(found: Rendered) -> str:
    """Whom the policy `deny` is for, and which directions it closes, in words."""
    spec = found.body("NetworkPolicy deny").get("spec", {})
    types = spec.get("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    words = {"ingress": "in", "egress": "out"}
    closed = [
        f"something {word}"
        if spec.get(part)
        else f"nothing {word}"
        if part.capitalize() in types
        else f"everything {word}"
        for part, word in words.items()
    ]
    return f"for {_selected(found, 'NetworkPolicy deny')}: {', '.join(closed)}"


def _open(
    found: Rendered, policies: Sequence[Item], direction: str, part: str, side: str
) -> Iterator[str]:
    limited = list(found.objects.policies_of(found.pod, direction)) if found.pod else []
    if not limited:
        yield f"everything: no policy limits {direction.lower()}"
    rules = [rule for one in policies if one in limited for _, rule in rows(one.body, "spec", part)]
    # A rule without peers is for everyone, and one without ports for every port.
    pairs = {
        (_peer(peer), port)
        for rule in rules
        for peer in ([one for _, one in rows(rule, side)] or [{}])
        for port in (
            [_port(found, one, direction) for _, one in rows(rule, "ports")] or ["every port"]
        )
    }
    yield from (f"{peer}: {port}" for peer, port in pairs)


_NAME = "kubernetes.io/metadata.name"
_SIDES = {"namespaceSelector", "podSelector"}


def _peer(peer: Mapping[str, Any]) -> str:
    """A peer in words, where it is one of the statement's; as it is written otherwise."""
    if not peer:
        return "everyone"
    near = _labels(peer.get("namespaceSelector"))
    pods = _labels(peer.get("podSelector"))
    if list(near or ()) != [_NAME] or pods is None or set(peer) - _SIDES:
        return json.dumps(peer, sort_keys=True)
    some = ", ".join(f"{key}={one}" for key, one in sorted(pods.items()))
    return f"namespace {near[_NAME] if near else ''}" + (f", pods {some}" if some else "")


def _port(found: Rendered, port: Mapping[str, Any], direction: str) -> str:
    number, last = port.get("port", "every port"), port.get("endPort")
    if direction == "Ingress":  # a name is one of the pod's own ports
        number = _number(found, {"targetPort": number})
    more = f" to {last}" if last not in (None, number) else ""
    return f"{port.get('protocol', 'TCP')} {number}{more}"
