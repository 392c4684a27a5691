"""Probes, and what a new version does to requests."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from helpers.deploy.objects import Container, Objects, Pod, get, rows
from helpers.deploy.rules.registry import Problem, finds
from helpers.deploy.rules.scaling import of_pods
from helpers.deploy.sources import Place

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HANDLERS = ("httpGet", "tcpSocket", "grpc", "exec")
_SLOW_START = 60
"""Seconds in which a model may load; a shorter patience is warned of."""


def _patience(probe: Mapping[str, Any]) -> int:
    """Seconds of failing until a probe counts as failed."""
    return int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))


@finds
def probes(objects: Objects) -> Iterator[Problem]:
    """Who gets requests, and who is restarted."""
    for pod in objects.pods:
        if not pod.stays:
            continue
        if objects.services_of(pod) and not any("readinessProbe" in c.body for c in pod.running):
            place = pod.running[0].place if pod.running else pod.place
            what = "no container has a readinessProbe, and a Service sends requests to it"
            yield Problem("no-readiness", pod.item, place, what)
        for one in pod.running:
            yield from _ports(pod, one)
            yield from _liveness(pod, one)


def _ports(pod: Pod, one: Container) -> Iterator[Problem]:
    for name in _PROBES:
        handlers = [key for key in _HANDLERS if get(one.body, name, key) is not None]
        if name in one.body and len(handlers) != 1:
            what = f"{one.name}: {name} has {len(handlers)} of {', '.join(_HANDLERS)}"
            yield Problem("probe-handler", pod.item, (*one.place, name), what)
        for handler in handlers:
            port = get(one.body, name, handler, "port")
            keys = ("name", "containerPort")
            own = {str(row.get(key)) for _, row in rows(one.body, "ports") for key in keys}
            if port is None or str(port) in own or (str(port).isdigit() and not own):
                continue
            what = f"{one.name}: {name} asks port {port}, which the container does not declare"
            here = (*one.place, name, handler, "port")
            # A port may be open without being declared; a name that is not declared is no port.
            yield Problem("probe-port", pod.item, here, what, sure=not str(port).isdigit())


def _liveness(pod: Pod, one: Container) -> Iterator[Problem]:
    live, ready = one.body.get("livenessProbe"), one.body.get("readinessProbe")
    if live is None:
        return
    place: Place = (*one.place, "livenessProbe")
    same = ready and all(live.get(key) == ready.get(key) for key in _HANDLERS)
    if ready and same and _patience(live) <= _patience(ready):
        what = f"{one.name}: liveness asks the same as readiness, and gives up as soon"
        yield Problem("liveness-like-readiness", pod.item, place, what)
    seconds = int(live.get("initialDelaySeconds", 0)) + _patience(live)
    if "startupProbe" not in one.body and seconds < _SLOW_START:
        what = f"{one.name} has no startupProbe, and {seconds} s to start"
        yield Problem("liveness-kills-start", pod.item, place, what)


@finds
def endings(objects: Objects) -> Iterator[Problem]:
    """The time that a pod has to end in."""
    for pod in objects.pods:
        grace = int(pod.spec.get("terminationGracePeriodSeconds", 30))
        for one in pod.running:
            hook = get(one.body, "lifecycle", "preStop") or {}
            words = " ".join(map(str, get(hook, "exec", "command") or []))
            slept = re.search(r"\bsleep (\d+)", words)
            seconds = int(get(hook, "sleep", "seconds") or (slept and slept[1]) or 0)
            if seconds and grace <= seconds:
                what = f"{one.name}: preStop takes {seconds} s, and the grace period is {grace} s"
                place = (*one.place, "lifecycle", "preStop")
                if "terminationGracePeriodSeconds" in pod.spec:
                    place = (*pod.place, "terminationGracePeriodSeconds")
                yield Problem("grace-too-short", pod.item, place, what)


@finds
def strategies(objects: Objects) -> Iterator[Problem]:
    """Whether pods are left while a new version comes."""
    for pod in objects.pods:
        if pod.item.kind != "Deployment":
            continue
        strategy = get(pod.item.body, "spec", "strategy") or {}
        count = objects.replicas(pod.item)
        served = bool(objects.services_of(pod))
        if strategy.get("type") == "Recreate":
            if count > 1 and served:
                what = f"Recreate ends all {count} pods before a new one starts"
                place: Place = ("spec", "strategy", "type")
                yield Problem("rollout-without-pods", pod.item, place, what)
            continue
        rolling = strategy.get("rollingUpdate") or {}
        down, surge = (rolling.get(key, "25%") for key in ("maxUnavailable", "maxSurge"))
        place = ("spec", "strategy", "rollingUpdate", "maxUnavailable")
        if of_pods(down, count, up=False) >= count > 0 and served:
            what = f"maxUnavailable is {down} of {count} pods"
            # Who runs one pod is told so by another rule, and accepts gaps.
            yield Problem("rollout-without-pods", pod.item, place, what, sure=count > 1)
        if of_pods(down, 100, up=False) == 0 and of_pods(surge, 100, up=True) == 0:
            what = "maxUnavailable and maxSurge are both 0"
            yield Problem("rollout-stuck", pod.item, place, what)
