"""A kubelet that runs one container's probes, in a time that passes at once.

It follows what Kubernetes documents:
[fields of a probe](https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes)
and [restarts](https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts).

- The first probe comes `initialDelaySeconds` after the container's start, the next one every
  `periodSeconds`. One that takes longer than a period delays the next.
- With a startup probe, the other two begin when it has succeeded, and their delays with them.
- A probe fails when nobody listens, when no answer is there after `timeoutSeconds`, or when the
  status is not from 200 to 399. A TCP probe only connects.
- `failureThreshold` failures in a row of the startup or liveness probe end the container: SIGTERM,
  then, after the grace period, SIGKILL. The grace period is the probe's own
  `terminationGracePeriodSeconds`, else the pod's. A new container follows at once the first time,
  then after 10, 20, 40, ... at most 300 s; a container that has run for 10 minutes resets this.
- The container is ready, and so gets requests, after `successThreshold` successes in a row of the
  readiness probe, and no longer after `failureThreshold` failures in a row. Without one it is ready
  once it has started. It is not before, and not after its end.

It does less than a kubelet: one container, no hooks, probes by httpGet and tcpSocket alone, no
extra readiness probes outside their period, and a delay that is shorter than a period counts.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

_FIELDS = {  # with the default and the least value
    "initialDelaySeconds": (0, 0),
    "periodSeconds": (10, 1),
    "timeoutSeconds": (1, 1),
    "successThreshold": (1, 1),
    "failureThreshold": (3, 1),
}
_GRACE = "terminationGracePeriodSeconds"
_KINDS = ("startupProbe", "readinessProbe", "livenessProbe")
_RESET_S, _FIRST_WAIT_S, _LONGEST_WAIT_S = 600, 10, 300


class Answer(NamedTuple):
    """What a container answers to a request, and after how many seconds; inf is never."""

    status: int
    seconds: float


class Process(Protocol):
    """What runs in a container. Times are seconds since it was started."""

    def listens(self, at: float) -> bool:
        """Whether its port is open."""

    def get(self, path: str, at: float) -> Answer:
        """Its answer to a request for a path, when its port is open."""

    def ends_within(self, at: float) -> float:
        """How many seconds it takes to end after SIGTERM; inf where it does not."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the container, in seconds since the pod began."""

    at: float
    what: Literal["started", "ready", "not ready", "stopping", "ended"]
    why: str = ""

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.what}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True)
class _Probe:
    name: str
    path: str | None
    initialDelaySeconds: int  # noqa: N815 - as Kubernetes calls them
    periodSeconds: int  # noqa: N815
    timeoutSeconds: int  # noqa: N815
    successThreshold: int  # noqa: N815
    failureThreshold: int  # noqa: N815
    grace: int | None

    def succeeds(self, process: Process, at: float) -> tuple[bool, float]:
        """Whether it succeeds when it is run at a moment, and how long that takes."""
        if not process.listens(at):
            return False, 0.0
        if self.path is None:
            return True, 0.0
        answer = process.get(self.path, at)
        in_time = answer.seconds <= self.timeoutSeconds
        good = in_time and 200 <= answer.status < 400
        return good, min(answer.seconds, self.timeoutSeconds)

    def results(
        self, process: Process, born: float, since: float, until: float
    ) -> Iterator[tuple[float, bool]]:
        """When each probe from `since` on is over, and whether it succeeded."""
        at = since + self.initialDelaySeconds
        while at < until:
            good, took = self.succeeds(process, at - born)
            if at + took >= until:
                return
            yield at + took, good
            at += max(self.periodSeconds, took)

    def gives_up(
        self, process: Process, born: float, since: float, until: float
    ) -> tuple[float, bool]:
        """When it has failed too often, or (a startup probe) succeeded; `until` where neither."""
        failures = 0
        for at, good in self.results(process, born, since, until):
            failures = 0 if good else failures + 1
            if failures == self.failureThreshold or (good and self.name == "startupProbe"):
                return at, good
        return until, True


def run(
    container: Mapping[str, Any],
    start: Callable[[int], Process],
    seconds: float,
    *,
    grace: int = 30,
) -> list[Event]:
    """What happens to a container in so many seconds.

    Args:
        container: as in a pod's `containers`: its probes, and `ports` where a probe names one.
        start: makes the process of the container's first start (0), of its first restart (1), ...
        seconds: after which nobody looks any more.
        grace: the pod's `terminationGracePeriodSeconds`.

    Raises:
        ValueError: the API server would not accept a probe, or it is of a kind that is not run
            here; the message says which.
    """
    probes = {name: _read(name, container) for name in _KINDS if container.get(name) is not None}
    events: list[Event] = []
    born, starts, wait = 0.0, 0, 0
    while born < seconds:
        ended = _live(probes, start(starts), born, seconds, grace, events)
        wait = 0 if ended - born >= _RESET_S else wait
        born = ended + wait
        wait = min(max(2 * wait, _FIRST_WAIT_S), _LONGEST_WAIT_S)
        starts += 1
    return sorted(events, key=lambda event: event.at)


def _live(
    probes: Mapping[str, _Probe],
    process: Process,
    born: float,
    until: float,
    grace: int,
    events: list[Event],
) -> float:
    """One container's life; its end."""
    events.append(Event(born, "started"))
    stops, by = until, None
    since, good = born, True
    if startup := probes.get("startupProbe"):
        since, good = startup.gives_up(process, born, born, until)
        if not good:
            stops, by = since, startup
    if good and (live := probes.get("livenessProbe")):
        stops, alive = live.gives_up(process, born, since, until)
        by = None if alive else live
    ended = until
    if by is not None:
        events.append(Event(stops, "stopping", f"the {by.name} failed {by.failureThreshold} times"))
        own = grace if by.grace is None else by.grace
        ended = min(until, stops + min(process.ends_within(stops - born), own))
    ready = False
    if good:
        for at, is_ready in _ready(probes.get("readinessProbe"), process, born, since, ended):
            events.append(Event(at, "ready" if is_ready else "not ready"))
            ready = is_ready
    if ended < until:
        if ready:
            events.append(Event(ended, "not ready"))
        events.append(Event(ended, "ended"))
    return ended


def _ready(
    probe: _Probe | None, process: Process, born: float, since: float, until: float
) -> Iterator[tuple[float, bool]]:
    """The moments at which the container becomes ready, or no longer is."""
    if probe is None:
        if since < until:
            yield since, True
        return
    ready, same = False, 0
    last: bool | None = None
    for at, good in probe.results(process, born, since, until):
        same = same + 1 if good is last else 1
        last = good
        enough = probe.successThreshold if good else probe.failureThreshold
        if good is not ready and same >= enough:
            ready = good
            yield at, ready


def _read(name: str, container: Mapping[str, Any]) -> _Probe:
    probe = container[name]
    if not isinstance(probe, Mapping):
        raise ValueError(f"{name} must be a mapping: give it httpGet and its seconds.")
    asks = [key for key in ("httpGet", "tcpSocket", "exec", "grpc") if probe.get(key) is not None]
    if len(asks) != 1:
        raise ValueError(f"{name} needs exactly one of httpGet and tcpSocket; it has {len(asks)}.")
    if asks[0] in ("exec", "grpc"):
        raise ValueError(f"{name} uses {asks[0]}, which is not run here: use httpGet.")
    if strange := sorted(map(str, probe.keys() - {*_FIELDS, _GRACE, asks[0]})):
        raise ValueError(f"{name} has no field {strange[0]}. Its fields are {', '.join(_FIELDS)}.")
    values = {
        field: _whole(name, field, probe.get(field), default, least)
        for field, (default, least) in _FIELDS.items()
    }
    if name != "readinessProbe" and values["successThreshold"] != 1:
        raise ValueError(f"successThreshold of the {name} must be 1.")
    grace = probe.get(_GRACE)
    if grace is not None:
        if name == "readinessProbe":
            raise ValueError(f"A readinessProbe has no {_GRACE}, because it ends nothing.")
        grace = _whole(name, _GRACE, grace, 0, 1)
    return _Probe(name, _path(name, asks[0], container), **values, grace=grace)


def _whole(name: str, field: str, value: object, default: int, least: int) -> int:
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        given = repr(value) if isinstance(value, str | float | bool) else type(value).__name__
        raise ValueError(f"{field} of the {name} must be a whole number; it is {given}.")
    if value < least:
        raise ValueError(f"{field} of the {name} must be at least {least}; it is {value}.")
    return value


def _path(name: str, kind: str, container: Mapping[str, Any]) -> str | None:
    """The path that is asked for; None where the probe only connects."""
    asked = container[name][kind]
    if not isinstance(asked, Mapping) or asked.get("port") is None:
        raise ValueError(f"{kind} of the {name} needs a port.")
    known = {"host", "port"} | ({"path", "scheme", "httpHeaders"} if kind == "httpGet" else set())
    if strange := sorted(map(str, asked.keys() - known)):
        raise ValueError(f"{kind} of the {name} has no field {strange[0]}.")
    ports = [port for port in container.get("ports") or [] if isinstance(port, Mapping)]
    open_ = {port.get(key) for port in ports for key in ("name", "containerPort")}
    if ports and asked["port"] not in open_:
        raise ValueError(f"{name} asks port {asked['port']}, which the container does not have.")
    return str(asked.get("path") or "/") if kind == "httpGet" else None


def ready_times(events: list[Event], until: float = math.inf) -> list[tuple[float, float]]:
    """From when to when the container was ready, in order."""
    times: list[tuple[float, float]] = []
    began: float | None = None
    for event in events:
        if event.what == "ready":
            began = event.at
        elif event.what == "not ready" and began is not None:
            times.append((began, event.at))
            began = None
    return times if began is None else [*times, (began, until)]
