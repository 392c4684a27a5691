"""Names and fixed words: what an API server refuses although it fits the schema."""

import re
from collections import Counter
from collections.abc import Iterator

from helpers.deploy.objects import Objects, get, rows
from helpers.deploy.render import Item
from helpers.deploy.rules.registry import Problem, finds
from helpers.deploy.sources import Place

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
# Kinds whose names may hold more: `system:node-reader` is a ClusterRole.
_FREE = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
_PULL = {"Always", "IfNotPresent", "Never"}


@finds
def names(objects: Objects) -> Iterator[Problem]:
    """Names of objects, containers and ports."""
    for item, place, name, pattern, most in _all_names(objects):
        if not pattern.fullmatch(name) or len(name) > most:
            what = f"the name {name!r} is not allowed (at most {most} characters)"
            yield Problem("bad-name", item, place, what)


def _all_names(objects: Objects) -> Iterator[tuple[Item, Place, str, re.Pattern[str], int]]:
    for item in objects.items:
        pattern, most = (_LABEL, 63) if item.kind == "Service" else (_SUBDOMAIN, 253)
        if item.name and item.kind not in _FREE:
            yield item, ("metadata", "name"), item.name, pattern, most
    for pod in objects.pods:
        for one in pod.containers:
            yield pod.item, (*one.place, "name"), str(one.body.get("name", "")), _LABEL, 63
            for place, port in rows(one.body, "ports"):
                name = str(port.get("name", "unnamed"))
                yield pod.item, (*one.place, *place, "name"), name, _LABEL, 15


@finds
def twice(objects: Objects) -> Iterator[Problem]:
    """Two objects, containers, ports or variables of one name."""
    seen = set()
    for item in (*objects.items, *objects.unknown):
        key = item.api.rpartition("/")[0], item.kind, item.namespace, item.name
        if key in seen and item.name:
            yield Problem("duplicate", item, (), f"another {item.kind} has this name")
        seen.add(key)
    for pod in objects.pods:
        counts = Counter(one.body.get("name") for one in pod.containers)
        for one in pod.containers:
            if counts[one.body.get("name")] > 1:
                what = f"another container is called {one.body.get('name')}"
                yield Problem("duplicate", pod.item, (*one.place, "name"), what)
            for part, rule in (("ports", "duplicate"), ("env", "duplicate-env")):
                before = set()
                for place, row in rows(one.body, part):
                    if (name := row.get("name")) in before and name is not None:
                        what = f"{one.name} has {name} twice in {part}"
                        yield Problem(rule, pod.item, (*one.place, *place), what)
                    before.add(name)
    for item in objects.of("Service"):
        ports = rows(item.body, "spec", "ports")
        for place, port in ports if len(ports) > 1 else []:
            if "name" not in port:
                yield Problem(
                    "port-without-name", item, place, f"port {port.get('port')} has no name"
                )


@finds
def fixed_words(objects: Objects) -> Iterator[Problem]:
    """Words of which the schema says only that they are texts."""
    for pod in objects.pods:
        policy = pod.spec.get("restartPolicy", "Always")
        allowed = {"Always", "OnFailure", "Never"}
        if pod.item.kind != "Pod":
            allowed = {"Always"} if pod.stays else {"OnFailure", "Never"}
        if policy not in allowed and (pod.stays or "restartPolicy" in pod.spec):
            what = f"restartPolicy is {policy}: {_one_of(allowed)}"
            yield Problem("fixed-word", pod.item, (*pod.place, "restartPolicy"), what)
        for one in pod.containers:
            policy = one.body.get("imagePullPolicy", "Always")
            if policy not in _PULL:
                what = f"imagePullPolicy is {policy}: {_one_of(_PULL)}"
                yield Problem("fixed-word", pod.item, (*one.place, "imagePullPolicy"), what)
    types = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}
    for item in objects.of("Service"):
        if (kind := get(item.body, "spec", "type")) and kind not in types:
            what = f"type is {kind}: {_one_of(types)}"
            yield Problem("fixed-word", item, ("spec", "type"), what)


def _one_of(words: set[str]) -> str:
    return f"it has to be {' or '.join(sorted(words))}"
