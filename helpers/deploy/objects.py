"""A set of objects as rules ask about it: pods, their containers, and what selects them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from helpers.deploy.render import Item
from helpers.deploy.sources import Place

_WORKLOADS = {
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Pod",
}

# Extensions' groups and kinds that make nothing that others refer to, but for Secrets.
_QUIET = {
    "cert-manager.io",
    "external-secrets.io",
    "keda.sh",
    "PodMonitor",
    "PrometheusRule",
    "ServiceMonitor",
}
_PORT_KEYS = ("name", "containerPort")
# Labels that controllers give to pods, and no template has.
_GIVEN_LATER = {
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "job-name",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
}


def get(body: Any, *place: str | int) -> Any:
    """What is at a place; None where there is nothing, or nothing of that shape."""
    for step in place:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def rows(body: Any, *place: str | int) -> list[tuple[Place, dict[str, Any]]]:
    """The objects of the list at a place, each with its own place; empty where there is none."""
    found = get(body, *place)
    members = enumerate(found) if isinstance(found, list) else ()
    return [((*place, number), one) for number, one in members if isinstance(one, dict)]


def matches(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether a label selector selects these labels; an empty one selects all."""
    wanted = (selector.get("matchLabels") or {}).items()
    if any(labels.get(key) != one for key, one in wanted if key not in _GIVEN_LATER):
        return False
    for _, rule in rows(selector, "matchExpressions"):
        key, values = str(rule.get("key")), rule.get("values", [])
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds.get(rule.get("operator", ""), True):
            return False
    return True


def _makes_objects(item: Item) -> bool:
    group = item.api.rpartition("/")[0]
    if "." not in group or group.endswith(".k8s.io"):
        return item.kind in _WORKLOADS  # of an older Kubernetes; or a Gateway and its routes
    return group not in _QUIET and item.kind not in _QUIET


@dataclass(frozen=True, eq=False)
class Container:
    """A container of a pod; `first` says that it ends before the others start."""

    place: Place
    body: dict[str, Any]
    first: bool

    @property
    def name(self) -> str:
        """Its name, for a sentence."""
        return f"container {self.body.get('name', '?')}"


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
    def metadata(self) -> dict[str, Any]:
        """Labels and annotations."""
        return get(self.item.body, *self.place[:-1], "metadata") or {}

    @property
    def labels(self) -> dict[str, Any]:
        """The labels that selectors see."""
        return self.metadata.get("labels") or {}

    @property
    def stays(self) -> bool:
        """Whether it runs until somebody stops it, as that of a Job does not."""
        return self.item.kind not in {"Job", "CronJob"}

    @cached_property
    def containers(self) -> list[Container]:
        """All its containers."""
        return [
            Container(
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

    def ports(self) -> set[str]:
        """Names and numbers of the ports that its containers declare, as texts."""
        declared = [port for one in self.running for _, port in rows(one.body, "ports")]
        return {str(port[key]) for port in declared for key in _PORT_KEYS if key in port}


def _selects(selector: Any, namespace: str, pod: Pod) -> bool:
    if not isinstance(selector, Mapping) or pod.item.namespace != namespace:
        return False
    return matches(selector, pod.labels)


class Objects:
    """All objects of one folder."""

    def __init__(self, items: Sequence[Item], unknown: Sequence[Item] = ()) -> None:
        self.items = items
        self.unknown = unknown
        """Objects of kinds without a schema, which may make pods and other objects."""

    def of(self, *kinds: str) -> list[Item]:
        """The objects of some of Kubernetes' own kinds."""
        return [item for item in self.items if item.kind in kinds]

    def named(self, kind: str, name: str, namespace: str) -> Item | None:
        """One object."""
        return next(
            (one for one in self.of(kind) if (one.name, one.namespace) == (name, namespace)), None
        )

    @cached_property
    def pods(self) -> list[Pod]:
        """Every pod, and every template of pods."""
        inner: dict[str, Place] = {
            "Pod": ("spec",),
            "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
        }
        return [
            Pod(item, inner.get(item.kind, ("spec", "template", "spec")))
            for item in self.items
            if item.kind in _WORKLOADS
        ]

    def selected(self, selector: Any, namespace: str) -> list[Pod]:
        """The pods that a label selector selects in a namespace."""
        return [pod for pod in self.pods if _selects(selector, namespace, pod)]

    @cached_property
    def makers(self) -> list[Item]:
        """Objects without a schema that may make pods, Services or ConfigMaps."""
        return [item for item in self.unknown if _makes_objects(item)]

    def is_whole(self, namespace: str) -> bool:
        """Whether what is missing here is missing in the cluster too, as far as can be known.

        Not where an unknown kind may make pods or Services, or where the folder has no pods.
        """
        return not self.makers and any(pod.item.namespace == namespace for pod in self.pods)

    def behind(self, service: Item) -> list[Pod]:
        """The pods that a Service sends requests to."""
        labels = get(service.body, "spec", "selector")
        return self.selected({"matchLabels": labels}, service.namespace) if labels else []

    def services_of(self, pod: Pod) -> list[Item]:
        """The Services that send requests to a pod."""
        return [
            one
            for one in self.of("Service")
            if (labels := get(one.body, "spec", "selector"))
            and _selects({"matchLabels": labels}, one.namespace, pod)
        ]

    def autoscaler_of(self, item: Item) -> Item | None:
        """The HorizontalPodAutoscaler of a workload."""
        wanted = (item.kind, item.name)
        for one in self.of("HorizontalPodAutoscaler"):
            target = get(one.body, "spec", "scaleTargetRef") or {}
            same = (target.get("kind"), target.get("name")) == wanted
            if same and one.namespace == item.namespace:
                return one
        return None

    def replicas(self, item: Item) -> int:
        """How many pods of a workload there are at the least."""
        if scaler := self.autoscaler_of(item):
            least = get(scaler.body, "spec", "minReplicas")
        else:
            least = get(item.body, "spec", "replicas")
        return 1 if least is None else int(least)

    def policies_of(self, pod: Pod, direction: str) -> Iterator[Item]:
        """The NetworkPolicies that limit a pod's `Ingress` or `Egress`."""
        for policy in self.of("NetworkPolicy"):
            spec = policy.body.get("spec", {})
            default = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
            applies = direction in spec.get("policyTypes", default)
            if applies and _selects(spec.get("podSelector") or {}, policy.namespace, pod):
                yield policy
