"""The way of a request: Ingress or HTTPRoute, Service, pod."""

from collections.abc import Iterator

from helpers.deploy.objects import Objects, Pod, get, matches, rows
from helpers.deploy.render import Item
from helpers.deploy.rules.registry import Problem, finds
from helpers.deploy.sources import Place


@finds
def own_pods(objects: Objects) -> Iterator[Problem]:
    """A workload's selector, which has to select its own pods."""
    for pod in objects.pods:
        selector = get(pod.item.body, "spec", "selector")
        if pod.item.kind not in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}:
            continue
        if isinstance(selector, dict) and not matches(selector, pod.labels):
            wanted = _shown(selector.get("matchLabels"))
            what = f"it selects {wanted}, and its pods have {_shown(pod.labels)}"
            yield Problem("selector-template", pod.item, ("spec", "selector"), what)


@finds
def services(objects: Objects) -> Iterator[Problem]:
    """A Service's pods, and the ports of theirs that it sends to."""
    for item in objects.of("Service"):
        labels = get(item.body, "spec", "selector")
        if not labels or get(item.body, "spec", "type") == "ExternalName":
            continue
        pods = objects.behind(item)
        if not pods:
            sure = objects.is_whole(item.namespace)
            what = f"no pod has the labels {_shown(labels)}"
            yield Problem("service-without-pods", item, ("spec", "selector"), what, sure)
        for place, port in rows(item.body, "spec", "ports"):
            target = port.get("targetPort", port.get("port"))
            if isinstance(target, str) and target.isdigit():
                target = int(target)
            if pods and not any(_has(pod, target) for pod in pods):
                declared = ", ".join(sorted(map(str, set().union(*(p.ports() for p in pods)))))
                what = f"it sends to port {target}, and its pods declare {declared or 'no port'}"
                step = "targetPort" if "targetPort" in port else "port"
                yield Problem("service-port", item, (*place, step), what)


def _has(pod: Pod, target: object) -> bool:
    """Whether a pod has a port; a number may be open without being declared where none is."""
    ports = pod.ports()
    return target in ports or (not ports and isinstance(target, int))


@finds
def routes(objects: Objects) -> Iterator[Problem]:
    """Services that an Ingress or an HTTPRoute sends to."""
    for item in objects.of("Ingress"):
        for place, backend in _ingress_backends(item):
            service = get(backend, "service") or {}
            port = get(service, "port", "number") or get(service, "port", "name")
            if name := service.get("name"):
                yield from _backend(objects, item, (*place, "service"), name, port)
    for item in objects.unknown:
        if item.kind != "HTTPRoute":
            continue
        for rule_place, rule in rows(item.body, "spec", "rules"):
            for place, backend in rows(rule, "backendRefs"):
                elsewhere = backend.get("namespace", item.namespace) != item.namespace
                if backend.get("kind", "Service") == "Service" and not elsewhere:
                    name, port = str(backend.get("name")), backend.get("port")
                    yield from _backend(objects, item, (*rule_place, *place), name, port)


def _ingress_backends(item: Item) -> Iterator[tuple[Place, dict[str, object]]]:
    if backend := get(item.body, "spec", "defaultBackend"):
        yield ("spec", "defaultBackend"), backend
    for place, rule in rows(item.body, "spec", "rules"):
        for inner, path in rows(rule, "http", "paths"):
            if backend := path.get("backend"):
                yield (*place, *inner, "backend"), backend


def _backend(
    objects: Objects, item: Item, place: Place, name: str, port: object
) -> Iterator[Problem]:
    service = objects.named("Service", name, item.namespace)
    if service is None:
        sure = objects.is_whole(item.namespace)
        what = f"there is no Service {name} in namespace {item.namespace}"
        yield Problem("route-backend", item, (*place, "name"), what, sure)
        return
    ports = [one for _, one in rows(service.body, "spec", "ports")]
    known = [str(one[key]) for one in ports for key in ("name", "port") if key in one]
    if port is not None and str(port) not in known:
        what = f"Service {name} has no port {port}; it has {', '.join(known) or 'none'}"
        yield Problem("route-backend", item, (*place, "port"), what)


def _shown(labels: object) -> str:
    pairs = labels.items() if isinstance(labels, dict) else ()
    return ", ".join(f"{key}={one}" for key, one in pairs) or "nothing"
