"""How many pods there are: autoscaling, and what is left of them when nodes are drained."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, get, rows
from helpers.deploy.render import Item
from helpers.deploy.sources import Place

_SCALABLE = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}
_UNITS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {unit: 1024**n for n, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)}
_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)([numkMGTPE]|[KMGTPE]i|)")


def quantity(given: object) -> Decimal | None:
    """A quantity such as `500m` or `2Gi` as a number; None where it is none."""
    if not (found := _QUANTITY.fullmatch(str(given))):
        return None
    number, unit = Decimal(found[1]), found[2]
    return number * _BINARY[unit] if unit in _BINARY else number.scaleb(_UNITS[unit])


def of_pods(given: Any, count: int, *, up: bool) -> int:
    """A number of pods, or a percentage of `count`, rounded up or down."""
    if isinstance(given, str) and given.endswith("%") and given[:-1].isdigit():
        exact = count * int(given[:-1]) / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(given) if str(given).isdigit() else 0


def autoscalers(objects: Objects) -> Iterator[Problem]:
    """An autoscaler that cannot work changes nothing, and only its status says so."""
    for item in objects.of("HorizontalPodAutoscaler"):
        least, most = (get(item.body, "spec", key) for key in ("minReplicas", "maxReplicas"))
        if least is not None and most is not None and least > most:
            what = f"minReplicas {least} is more than maxReplicas {most}"
            yield Problem("rejected", item, ("spec", "minReplicas"), what)
        target = get(item.body, "spec", "scaleTargetRef") or {}
        kind, name = target.get("kind", ""), str(target.get("name", ""))
        if kind not in _SCALABLE:
            continue  # an extension's kind, with a scale of its own
        scaled = objects.named(kind, name, item.namespace)
        if scaled is None:
            what = f"there is no {kind} {name} in namespace {item.namespace}"
            here = ("spec", "scaleTargetRef", "name")
            yield Problem("hpa-target", item, here, what, objects.is_whole(item.namespace))
            continue
        if get(scaled.body, "spec", "replicas") is not None:
            what = f"replicas is fixed here, and HorizontalPodAutoscaler {item.name} sets it"
            yield Problem("hpa-and-replicas", scaled, ("spec", "replicas"), what)
        boxes = next(pod for pod in objects.pods if pod.item is scaled).running
        for place, resource in _utilisation(item):
            for one in boxes:
                if not any(resource in amounts for amounts in one.amounts):
                    box = f"container {one.body.get('name')}"
                    what = f"it scales on {resource}, and {box} requests no {resource}"
                    yield Problem("hpa-without-request", item, place, what)


def _utilisation(item: Item) -> Iterator[tuple[Place, str]]:
    if get(item.body, "spec", "targetCPUUtilizationPercentage"):
        yield ("spec", "targetCPUUtilizationPercentage"), "cpu"
    for place, metric in rows(item.body, "spec", "metrics"):
        resource = metric.get("resource") or {}
        if get(resource, "target", "type") == "Utilization":
            yield place, str(resource.get("name"))


def budgets(objects: Objects) -> Iterator[Problem]:
    """Whether a budget lets a pod go depends on the number of pods, which is written elsewhere."""
    for item in objects.of("PodDisruptionBudget"):
        spec = item.body.get("spec", {})
        pods = objects.selected(spec.get("selector"), item.namespace)
        if not all(pod.item.kind in _SCALABLE for pod in pods):
            continue
        count = sum(objects.replicas(pod.item) for pod in pods)
        for key in ("minAvailable", "maxUnavailable"):
            if (given := spec.get(key)) is None or not pods:
                continue
            number = of_pods(given, count, up=True)
            if count and number >= count if key == "minAvailable" else number == 0:
                what = f"{key} is {given} of {count} pods, so none may be evicted"
                yield Problem("pdb-blocks-drain", item, ("spec", key), what)


def lone_pods(objects: Objects) -> Iterator[Problem]:
    """Nodes are drained for updates: a service needs a second pod, and a budget that keeps it."""
    guarded = {
        pod
        for item in objects.of("PodDisruptionBudget")
        for pod in objects.selected(get(item.body, "spec", "selector"), item.namespace)
    }
    for pod in objects.pods:
        if pod.item.kind not in _SCALABLE or pod not in objects.served:
            continue
        replicas = objects.replicas(pod.item)
        if replicas == 1 and pod.item.kind != "StatefulSet":  # mostly a store: one by nature
            what = "one pod answers all requests"
            yield Problem("one-replica", pod.item, ("spec", "replicas"), what)
        elif pod not in guarded and replicas > 1:
            what = f"no PodDisruptionBudget selects its {replicas} pods"
            yield Problem("no-pdb", pod.item, (), what)
