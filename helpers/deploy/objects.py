"""A set of objects as rules ask about it: pods, their containers, and what selects them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from helpers.deploy.finding import Problem
from helpers.deploy.render import Item
from helpers.deploy.sources import Place, get
from helpers.testbed.connections import directions, selects

__all__ = ["Container", "Objects", "Pod", "get", "matches", "rows"]

_SPEC: dict[str, Place] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
}
"""Where the kinds that make pods have the pod's spec."""
# Extensions' groups and kinds that make nothing that others refer to, but for Secrets.
_QUIET_GROUPS = (".k8s.io", "cert-manager.io", "external-secrets.io", "keda.sh")
_QUIET_KINDS = {"PodMonitor", "PrometheusRule", "ServiceMonitor"}
# Labels that controllers give to pods, and no template has.
_GIVEN_LATER = {
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "job-name",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
}


def rows(body: Any, *place: str | int) -> list[tuple[Place, dict[str, Any]]]:
    """The objects of the list at a place, each with its own place; empty where there is none."""
    found = get(body, *place)
    members = enumerate(found) if isinstance(found, list) else ()
    return [((*place, number), one) for number, one in members if isinstance(one, dict)]


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a selector selects pods of a template with these labels; an empty one selects all."""
    wanted = (get(selector, "matchLabels") or {}).items()
    given = {key: one for key, one in wanted if key in _GIVEN_LATER}
    return isinstance(selector, Mapping) and selects(selector, {**labels, **given})


@dataclass(frozen=True, eq=False)
class Container:
    """A container of a pod; `first` says that it ends before the others start."""

    item: Item
    place: Place
    body: dict[str, Any]
    first: bool

    def problem(self, rule: str, what: str, *steps: str | int, sure: bool = True) -> Problem:
        """A rule that it breaks, and where below it."""
        text = f"container {self.body.get('name', '?')}: {what}"
        return Problem(rule, self.item, (*self.place, *steps), text, sure)

    @property
    def amounts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Its requests and its limits."""
        asked, most = (get(self.body, "resources", key) or {} for key in ("requests", "limits"))
        return asked, most


@dataclass(frozen=True, eq=False)
class Pod:
    """A pod, or what a workload makes pods of; `place` leads to its spec."""

    item: Item
    place: Place

    @property
    def spec(self) -> dict[str, Any]:
        """The pod's spec."""
        return get(self.item.body, *self.place) or {}

    @property
    def labels(self) -> dict[str, Any]:
        """The labels that selectors see."""
        return get(self.item.body, *self.place[:-1], "metadata", "labels") or {}

    @property
    def stays(self) -> bool:
        """Whether it runs until it is stopped, as that of a Job does not."""
        return self.item.kind not in {"Job", "CronJob"}

    @cached_property
    def containers(self) -> list[Container]:
        """All its containers."""
        return [
            Container(
                self.item,
                (*self.place, *place),
                one,
                first=key == "initContainers" and one.get("restartPolicy") != "Always",
            )
            for key in ("initContainers", "containers")
            for place, one in rows(self.spec, key)
        ]

    @property
    def running(self) -> list[Container]:
        """The containers that run as long as the pod does."""
        return [one for one in self.containers if not one.first]

    @cached_property
    def ports(self) -> dict[str, int]:
        """The ports that its containers declare, by name and by number, as texts."""
        declared = [port for one in self.running for _, port in rows(one.body, "ports")]
        numbers = {str(one["containerPort"]): one for one in declared if "containerPort" in one}
        named = {str(one["name"]): one for one in declared if "name" in one}
        return {key: one.get("containerPort", 0) for key, one in {**numbers, **named}.items()}


class Objects:
    """All objects of one folder."""

    def __init__(self, items: Sequence[Item], unknown: Sequence[Item] = ()) -> None:
        self.items = items
        self.unknown = unknown
        """Objects of kinds without a schema, which may make pods and other objects."""
        self._by_kind: dict[str, list[Item]] = {}
        for one in items:
            self._by_kind.setdefault(one.kind, []).append(one)
        self._by_name = {(one.kind, one.name, one.namespace): one for one in reversed(items)}
        self.pods = [Pod(one, _SPEC[one.kind]) for one in items if one.kind in _SPEC]
        """Every pod, and every template of pods."""
        self.namespaces = list(dict.fromkeys(pod.item.namespace for pod in self.pods))
        """Those that have pods."""

    def of(self, *kinds: str) -> list[Item]:
        """The objects of some of Kubernetes' own kinds."""
        return [item for kind in kinds for item in self._by_kind.get(kind, ())]

    def named(self, kind: str, name: str, namespace: str) -> Item | None:
        """One object."""
        return self._by_name.get((kind, name, namespace))

    @property
    def containers(self) -> Iterator[tuple[Pod, Container]]:
        """Every container, with its pod."""
        return ((pod, one) for pod in self.pods for one in pod.containers)

    @cached_property
    def makers(self) -> list[Item]:
        """Objects without a schema that may make pods, Services or ConfigMaps."""
        return [
            one
            for one in self.unknown
            if one.kind in _SPEC  # of an older Kubernetes
            or (
                one.kind not in _QUIET_KINDS
                and "." in one.api.rpartition("/")[0]
                and not one.api.rpartition("/")[0].endswith(_QUIET_GROUPS)
            )
        ]

    def is_whole(self, namespace: str) -> bool:
        """Whether what is missing here is missing in the cluster too, as far as can be known.

        Not where an unknown kind may make pods or Services, or where the folder has no pods.
        """
        return not self.makers and any(pod.item.namespace == namespace for pod in self.pods)

    def selected(self, selector: Any, namespace: str) -> list[Pod]:
        """The pods that a label selector selects in a namespace."""
        return [
            pod
            for pod in self.pods
            if pod.item.namespace == namespace and matches(selector, pod.labels)
        ]

    def behind(self, service: Item) -> list[Pod]:
        """The pods that a Service sends requests to."""
        labels = get(service.body, "spec", "selector")
        return self.selected({"matchLabels": labels}, service.namespace) if labels else []

    @cached_property
    def served(self) -> set[Pod]:
        """The pods that some Service sends requests to."""
        return {pod for one in self.of("Service") for pod in self.behind(one)}

    @cached_property
    def _scalers(self) -> dict[tuple[Any, Any, str], Item]:
        found = {}
        for one in self.of("HorizontalPodAutoscaler"):
            target = get(one.body, "spec", "scaleTargetRef") or {}
            found[target.get("kind"), target.get("name"), one.namespace] = one
        return found

    def replicas(self, item: Item) -> int:
        """How many pods of a workload there are at the least."""
        scaler = self._scalers.get((item.kind, item.name, item.namespace))
        place = ("spec", "minReplicas" if scaler else "replicas")
        least = get((scaler or item).body, *place)
        return 1 if least is None else int(least)

    def policies_of(self, pod: Pod, direction: str) -> Iterator[Item]:
        """The NetworkPolicies that limit a pod's `Ingress` or `Egress`."""
        for policy in self.of("NetworkPolicy"):
            here = policy.namespace == pod.item.namespace
            selector = get(policy.body, "spec", "podSelector") or {}
            if here and direction in directions(policy.body) and matches(selector, pod.labels):
                yield policy
