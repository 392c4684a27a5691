"""How many pods there are: autoscaling, drains, and what each pod may use."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from helpers.deploy.objects import Objects, Pod, get, rows
from helpers.deploy.render import Item
from helpers.deploy.rules.registry import Problem, finds
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


@finds
def autoscalers(objects: Objects) -> Iterator[Problem]:
    """What a HorizontalPodAutoscaler scales, and by which measure."""
    for item in objects.of("HorizontalPodAutoscaler"):
        target = get(item.body, "spec", "scaleTargetRef") or {}
        kind, name = target.get("kind", ""), str(target.get("name", ""))
        least, most = (get(item.body, "spec", key) for key in ("minReplicas", "maxReplicas"))
        if least is not None and most is not None and least > most:
            what = f"minReplicas {least} is more than maxReplicas {most}"
            yield Problem("hpa-bounds", item, ("spec", "minReplicas"), what)
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
        for place, resource in _utilisation(item):
            for one in _pod_of(objects, scaled).running:
                amounts = (get(one.body, "resources", key) or {} for key in ("requests", "limits"))
                if not any(resource in amount for amount in amounts):
                    what = f"it scales on {resource}, and {one.name} requests no {resource}"
                    yield Problem("hpa-without-request", item, place, what)


def _utilisation(item: Item) -> Iterator[tuple[Place, str]]:
    if get(item.body, "spec", "targetCPUUtilizationPercentage"):
        yield ("spec", "targetCPUUtilizationPercentage"), "cpu"
    for place, metric in rows(item.body, "spec", "metrics"):
        resource = metric.get("resource") or {}
        if get(resource, "target", "type") == "Utilization":
            yield place, str(resource.get("name"))


def _pod_of(objects: Objects, item: Item) -> Pod:
    return next(pod for pod in objects.pods if pod.item is item)


@finds
def drains(objects: Objects) -> Iterator[Problem]:
    """Whether a node with these pods can be emptied, and whether somebody notices."""
    guarded: list[Pod] = []
    for item in objects.of("PodDisruptionBudget"):
        spec = item.body.get("spec", {})
        pods = objects.selected(spec.get("selector"), item.namespace)
        guarded += pods
        if not pods:
            sure = objects.is_whole(item.namespace)
            what = "its selector selects no pod"
            yield Problem("pdb-without-pods", item, ("spec", "selector"), what, sure)
            continue
        if not all(pod.item.kind in _SCALABLE for pod in pods):
            continue
        count = sum(objects.replicas(pod.item) for pod in pods)
        for key in ("minAvailable", "maxUnavailable"):
            if (given := spec.get(key)) is None:
                continue
            number = of_pods(given, count, up=True)
            if count and number >= count if key == "minAvailable" else number == 0:
                what = f"{key} is {given} of {count} pods, so none may be evicted"
                yield Problem("pdb-blocks-drain", item, ("spec", key), what)
    for pod in objects.pods:
        if pod.item.kind not in _SCALABLE or not objects.services_of(pod):
            continue
        replicas = objects.replicas(pod.item)
        if replicas == 1:
            what = "one pod answers all requests"
            yield Problem("one-replica", pod.item, ("spec", "replicas"), what)
        elif pod not in guarded and replicas > 1:
            yield Problem(
                "no-pdb", pod.item, (), f"no PodDisruptionBudget selects its {replicas} pods"
            )


def of_pods(given: Any, count: int, *, up: bool) -> int:
    """A number of pods, or a percentage of `count`, rounded up or down."""
    if isinstance(given, str) and given.endswith("%") and given[:-1].isdigit():
        exact = count * int(given[:-1]) / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(given) if str(given).isdigit() else 0


@finds
def resources(objects: Objects) -> Iterator[Problem]:
    """Requests and limits of each container."""
    for pod in objects.pods:
        for one in pod.containers:
            place = (*one.place, "resources")
            requests, limits = (
                get(one.body, "resources", key) or {} for key in ("requests", "limits")
            )
            for key, amounts in (("requests", requests), ("limits", limits)):
                for name, given in amounts.items():
                    number = quantity(given)
                    if number is None or (name == "memory" and 0 < number < 1024):
                        size = "not a quantity" if number is None else f"{number} bytes"
                        what = f"{one.name}: {name} {given!r} is {size}"
                        yield Problem("quantity", pod.item, (*place, key, name), what)
            for name in requests.keys() & limits.keys():
                request, limit = quantity(requests[name]), quantity(limits[name])
                if request is not None and limit is not None and limit < request:
                    what = f"{one.name}: {name} limit {limits[name]} < request {requests[name]}"
                    yield Problem("limit-below-request", pod.item, (*place, "limits", name), what)
            missing = [name for name in ("cpu", "memory") if name not in {**limits, **requests}]
            if missing and pod.stays:
                what = f"{one.name} requests no {' and no '.join(missing)}"
                yield Problem("no-requests", pod.item, place, what)
            if "memory" not in limits:
                what = f"{one.name} has no memory limit"
                yield Problem("no-memory-limit", pod.item, place, what)
