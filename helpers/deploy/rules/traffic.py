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
        yield from _targets(item, pods)


def _targets(item: Item, pods: list[Pod]) -> Iterator[Problem]:
    known = set().union(*(pod.ports() for pod in pods))
    ports = rows(item.body, "spec", "ports")
    targets = [str(port.get("targetPort", port.get("port"))) for _, port in ports]
    one_fits = any(target in known for target in targets)
    for (place, port), target in zip(ports, targets, strict=True):
        # A container may listen on a number that it does not declare. Where no port of the Service
        # is declared that is hardly so, and a name needs a declaration.
        if target not in known and (known or not target.isdigit()) and pods:
            what = (
                f"it sends to port {target}; its pods declare {', '.join(sorted(known)) or 'none'}"
            )
            step = "targetPort" if "targetPort" in port else "port"
            sure = not (one_fits and target.isdigit())
            yield Problem("service-port", item, (*place, step), what, sure)


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
