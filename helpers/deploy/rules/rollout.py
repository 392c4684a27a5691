"""Probes, and what a new version does to requests."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from helpers.deploy.finding import Problem
from helpers.deploy.objects import Objects, get, rows
from helpers.deploy.rules.accepted import HANDLERS, PROBES
from helpers.deploy.rules.scaling import of_pods

_SLOW_START = 60
"""Seconds in which a model may load; a shorter patience is warned of."""


def _patience(probe: Mapping[str, Any]) -> int:
    """Seconds of failing until a probe counts as failed."""
    return int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))


def readiness(objects: Objects) -> Iterator[Problem]:
    """Without a readiness probe a pod gets requests as soon as its process runs."""
    for pod in objects.pods:
        asked = any("readinessProbe" in one.body for one in pod.running)
        if pod.stays and pod in objects.served and not asked:
            place = pod.running[0].place if pod.running else pod.place
            what = "no container has a readinessProbe, and a Service sends requests to it"
            yield Problem("no-readiness", pod.item, place, what)


def probe_ports(objects: Objects) -> Iterator[Problem]:
    """A probe of a port that nothing listens on fails for ever, and looks like a slow start."""
    for _, one in objects.containers:
        keys = ("name", "containerPort")
        own = {str(row.get(key)) for _, row in rows(one.body, "ports") for key in keys}
        for name, handler in ((name, handler) for name in PROBES for handler in HANDLERS):
            port = get(one.body, name, handler, "port")
            if port is None or str(port) in own or (str(port).isdigit() and not own):
                continue
            what = f"{name} asks port {port}, which the container does not declare"
            # A port may be open without being declared; a name that is not declared is no port.
            sure = not str(port).isdigit()
            yield one.problem("probe-port", what, name, handler, "port", sure=sure)


def liveness(objects: Objects) -> Iterator[Problem]:
    """A liveness probe that is too strict turns a busy minute, or a slow start, into an outage."""
    for pod, one in objects.containers:
        live, ready = one.body.get("livenessProbe"), one.body.get("readinessProbe")
        if live is None or one.first or not pod.stays:
            continue
        same = ready and all(live.get(key) == ready.get(key) for key in HANDLERS)
        if ready and same and _patience(live) <= _patience(ready):
            what = "liveness asks the same as readiness, and gives up as soon"
            yield one.problem("liveness-like-readiness", what, "livenessProbe")
        seconds = int(live.get("initialDelaySeconds", 0)) + _patience(live)
        if "startupProbe" not in one.body and seconds < _SLOW_START:
            what = f"it has no startupProbe, and {seconds} s to start"
            yield one.problem("liveness-kills-start", what, "livenessProbe")


def endings(objects: Objects) -> Iterator[Problem]:
    """The grace period begins with preStop and not after it, which few expect."""
    for pod, one in objects.containers:
        grace = int(pod.spec.get("terminationGracePeriodSeconds", 30))
        hook = get(one.body, "lifecycle", "preStop") or {}
        words = " ".join(map(str, get(hook, "exec", "command") or []))
        slept = re.search(r"\bsleep (\d+)", words)
        seconds = int(get(hook, "sleep", "seconds") or (slept and slept[1]) or 0)
        if seconds and grace <= seconds:
            what = f"preStop takes {seconds} s, and the grace period is {grace} s"
            place = (*one.place, "lifecycle", "preStop")
            if "terminationGracePeriodSeconds" in pod.spec:
                place = (*pod.place, "terminationGracePeriodSeconds")
            yield Problem("grace-too-short", pod.item, place, what)


def strategies(objects: Objects) -> Iterator[Problem]:
    """A rollout that stops the old pods before new ones are ready is an outage, each time."""
    for pod in objects.pods:
        if pod.item.kind != "Deployment":
            continue
        strategy = get(pod.item.body, "spec", "strategy") or {}
        count, served = objects.replicas(pod.item), pod in objects.served
        if strategy.get("type") == "Recreate":
            if count > 1 and served:
                what = f"Recreate ends all {count} pods before a new one starts"
                yield Problem("rollout-without-pods", pod.item, ("spec", "strategy", "type"), what)
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
