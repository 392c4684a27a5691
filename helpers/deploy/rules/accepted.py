"""What fits the schema, and what the API server rejects all the same."""

import re
from collections.abc import Iterator

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, get, rows
from helpers.deploy.render import Item
from helpers.deploy.rules.scaling import quantity
from helpers.deploy.sources import Place

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
# Kinds whose names may hold more: `system:node-reader` is a ClusterRole.
_FREE = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
HANDLERS = ("httpGet", "tcpSocket", "grpc", "exec")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def names(objects: Objects) -> Iterator[Problem]:
    """A schema takes any text as a name; a host name, which most names become, is less."""
    for item, place, name, pattern, most in _all_names(objects):
        if not pattern.fullmatch(name) or len(name) > most:
            what = f"the name {name!r} is not allowed (at most {most} characters)"
            yield Problem("bad-name", item, place, what)


def _all_names(objects: Objects) -> Iterator[tuple[Item, Place, str, re.Pattern[str], int]]:
    for item in objects.items:
        pattern, most = (_LABEL, 63) if item.kind == "Service" else (_SUBDOMAIN, 253)
        if item.name and item.kind not in _FREE:
            yield item, ("metadata", "name"), item.name, pattern, most
    for pod, one in objects.containers:
        yield pod.item, (*one.place, "name"), str(one.body.get("name", "")), _LABEL, 63
        for place, port in rows(one.body, "ports"):
            here = (*one.place, *place, "name")
            yield pod.item, here, str(port.get("name", "unnamed")), _LABEL, 15


def duplicates(objects: Objects) -> Iterator[Problem]:
    """Of two with one name, one silently wins, or both are rejected."""
    named: list[tuple[object, Item, Place, str, bool]] = [
        ((one.api.rpartition("/")[0], one.kind, one.namespace, one.name), one, (), one.kind, True)
        for one in (*objects.items, *objects.unknown)
        if one.name
    ]
    for pod, one in objects.containers:
        box = one.body.get("name")
        named.append(((id(pod), box), pod.item, (*one.place, "name"), f"container {box}", True))
        for part, sure in (("ports", True), ("env", False)):
            for place, row in rows(one.body, part):
                if name := row.get("name"):
                    here = (*one.place, *place)
                    named.append(((id(one), part, name), pod.item, here, f"{name} in {part}", sure))
    seen = set()
    for key, item, place, what, sure in named:
        if key in seen:
            yield Problem("duplicate", item, place, f"another {what} has this name", sure)
        seen.add(key)


def words(objects: Objects) -> Iterator[Problem]:
    """The published schemas call many fixed words texts, and say nothing of fields together."""
    for pod in objects.pods:
        allowed = {"Always"} if pod.stays else {"OnFailure", "Never"}
        if pod.item.kind == "Pod":
            allowed = {"Always", "OnFailure", "Never"}
        policy = pod.spec.get("restartPolicy", "Always" if pod.stays else "Never")
        yield from _word(pod.item, (*pod.place, "restartPolicy"), policy, allowed)
    for pod, one in objects.containers:
        policy = one.body.get("imagePullPolicy", "Always")
        allowed = {"Always", "IfNotPresent", "Never"}
        yield from _word(pod.item, (*one.place, "imagePullPolicy"), policy, allowed)
        if not one.body.get("image"):
            yield one.problem("rejected", "it has no image")
        for name in PROBES:
            handlers = [key for key in HANDLERS if get(one.body, name, key) is not None]
            if name in one.body and len(handlers) != 1:
                yield one.problem("rejected", f"{name} needs one of {', '.join(HANDLERS)}", name)
    types = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}
    for item in objects.of("Service"):
        kind = get(item.body, "spec", "type") or "ClusterIP"
        yield from _word(item, ("spec", "type"), kind, types)
        ports = rows(item.body, "spec", "ports")
        for place, port in ports if len(ports) > 1 else []:
            if "name" not in port:
                what = f"port {port.get('port')} needs a name, as there are several"
                yield Problem("rejected", item, place, what)


def _word(item: Item, place: Place, given: str, allowed: set[str]) -> Iterator[Problem]:
    if given not in allowed:
        what = f"{place[-1]} is {given}, and has to be {' or '.join(sorted(allowed))}"
        yield Problem("rejected", item, place, what)


def mounts(objects: Objects) -> Iterator[Problem]:
    """Mounts and volumes are in two lists, which are changed at different times."""
    for pod, one in objects.containers:
        volumes = {volume.get("name") for _, volume in rows(pod.spec, "volumes")}
        templates = rows(pod.item.body, "spec", "volumeClaimTemplates")
        volumes |= {get(claim, "metadata", "name") for _, claim in templates}
        paths = set()
        for place, mount in rows(one.body, "volumeMounts"):
            name, path = mount.get("name"), mount.get("mountPath")
            if name not in volumes:
                what = f"it mounts {name}, which the pod does not declare"
                yield one.problem("mount-without-volume", what, *place, "name")
            if path in paths:
                what = f"it mounts two volumes at {path}"
                yield one.problem("rejected", what, *place, "mountPath")
            paths.add(path)


def amounts(objects: Objects) -> Iterator[Problem]:
    """`400MB` is no quantity, and `512m` of memory is half a byte: both read well."""
    for _, one in objects.containers:
        requests, limits = one.amounts
        for key, given in (("requests", requests), ("limits", limits)):
            for name, amount in given.items():
                number = quantity(amount)
                if number is None or (name == "memory" and 0 < number < 1024):
                    size = "not a quantity" if number is None else f"{number} bytes"
                    what = f"{name} {amount!r} is {size}"
                    yield one.problem("quantity", what, "resources", key, name)
        for name in requests.keys() & limits.keys():
            request, limit = quantity(requests[name]), quantity(limits[name])
            if request is not None and limit is not None and limit < request:
                what = f"{name} limit {limits[name]} < request {requests[name]}"
                yield one.problem("limit-below-request", what, "resources", "limits", name)
