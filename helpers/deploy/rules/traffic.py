"""The way of a request: Ingress or HTTPRoute, Service, pod."""

from collections.abc import Iterator
from typing import Any

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, get, matches, rows
from helpers.deploy.render import Item
from helpers.deploy.sources import Place

_SELECTORS: dict[str, Place] = {
    "Service": ("spec", "selector"),
    "PodDisruptionBudget": ("spec", "selector"),
    "NetworkPolicy": ("spec", "podSelector"),
}


def own_pods(objects: Objects) -> Iterator[Problem]:
    """A label is written twice in each workload, and changed once."""
    for pod in objects.pods:
        selector = get(pod.item.body, "spec", "selector")
        if pod.item.kind not in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}:
            continue
        if isinstance(selector, dict) and not matches(selector, pod.labels):
            wanted = _shown(selector.get("matchLabels"))
            what = f"it selects {wanted}, and its pods have {_shown(pod.labels)}"
            yield Problem("selector-template", pod.item, ("spec", "selector"), what)


def selectors(objects: Objects) -> Iterator[Problem]:
    """What selects pods by labels that none has does nothing, and no status says so."""
    for item in objects.of(*_SELECTORS):
        place = _SELECTORS[item.kind]
        selector = get(item.body, *place)
        if item.kind == "Service":
            if not selector or get(item.body, "spec", "type") == "ExternalName":
                continue
            selector = {"matchLabels": selector}
        elif item.kind == "NetworkPolicy":
            selector = selector or {}
        if not objects.selected(selector, item.namespace):
            what = f"no pod has the labels {_shown((selector or {}).get('matchLabels'))}"
            sure = objects.is_whole(item.namespace)
            yield Problem("selects-nothing", item, place, what, sure)


def service_ports(objects: Objects) -> Iterator[Problem]:
    """A Service has a port of its own and one of its pods, which are easily confused."""
    for item in objects.of("Service"):
        pods = objects.behind(item)
        known = set().union(*(pod.ports for pod in pods))
        ports = rows(item.body, "spec", "ports")
        targets = [str(port.get("targetPort", port.get("port"))) for _, port in ports]
        one_fits = any(target in known for target in targets)
        for (place, port), target in zip(ports, targets, strict=True):
            # A container may listen on a number that it does not declare. Where no port of the
            # Service is declared that is hardly so, and a name needs a declaration.
            if target not in known and (known or not target.isdigit()) and pods:
                declared = ", ".join(sorted(known)) or "none"
                what = f"it sends to port {target}; its pods declare {declared}"
                step = "targetPort" if "targetPort" in port else "port"
                sure = not (one_fits and target.isdigit())
                yield Problem("service-port", item, (*place, step), what, sure)


def routes(objects: Objects) -> Iterator[Problem]:
    """A route to a Service that is not there is accepted, and answers 503."""
    for item, place, name, port in _backends(objects):
        service = objects.named("Service", name, item.namespace)
        if service is None:
            what = f"there is no Service {name} in namespace {item.namespace}"
            sure = objects.is_whole(item.namespace)
            yield Problem("route-backend", item, (*place, "name"), what, sure)
            continue
        ports = [one for _, one in rows(service.body, "spec", "ports")]
        known = [str(one[key]) for one in ports for key in ("name", "port") if key in one]
        if port is not None and str(port) not in known:
            what = f"Service {name} has no port {port}; it has {', '.join(known) or 'none'}"
            yield Problem("route-backend", item, (*place, "port"), what)


def _backends(objects: Objects) -> Iterator[tuple[Item, Place, str, Any]]:
    """Item, place, name and port of each Service that a route sends to."""
    for item in objects.of("Ingress"):
        paths = [
            (*place, *inner, "backend", "service")
            for place, rule in rows(item.body, "spec", "rules")
            for inner, _ in rows(rule, "http", "paths")
        ]
        for place in (("spec", "defaultBackend", "service"), *paths):
            service = get(item.body, *place) or {}
            port = get(service, "port", "number") or get(service, "port", "name")
            if name := service.get("name"):
                yield item, place, name, port
    for item in objects.unknown:
        for outer, rule in rows(item.body, "spec", "rules") if item.kind == "HTTPRoute" else ():
            for place, backend in rows(rule, "backendRefs"):
                here = backend.get("namespace", item.namespace) == item.namespace
                if here and backend.get("kind", "Service") == "Service":
                    yield item, (*outer, *place), str(backend.get("name")), backend.get("port")


def _shown(labels: object) -> str:
    pairs = labels.items() if isinstance(labels, dict) else ()
    return ", ".join(f"{key}={one}" for key, one in pairs) or "nothing"
