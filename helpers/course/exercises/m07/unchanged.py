"""What differs from the given manifests where they had no fault, for exercise 07.1.

Two ways to write the same count as the same: an absent field and one with its default, a port's
name and its number, a quantity in another notation, lists of named things in another order.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from helpers.course.exercises.words import brief
from helpers.deploy.objects import get, rows
from helpers.deploy.rules.scaling import quantity

GIVEN = Path(__file__).with_name("given")
_POD = ("spec", "template", "spec")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

# Fields that may change: their faults are judged by the other cases. A field's place is its kind
# and the names on the way to it, with the name of a thing in a list where it has one.
_JUDGED = re.compile(
    r"Deployment/spec/(selector/.*|template/metadata/labels/app)"
    r"|Deployment/spec/template/spec/terminationGracePeriodSeconds"
    r"|Deployment/.*/containers/agent/(image|env/MODEL_(URL|API_KEY)/.*|resources/limits/memory)"
    r"|Deployment/.*/containers/agent/livenessProbe/httpGet/path"
    r"|Deployment/.*/readinesProbe/.*"
    r"|Service/spec/(selector/.*|ports/http/targetPort)"
    r"|HorizontalPodAutoscaler/spec/scaleTargetRef/name"
    r"|PodDisruptionBudget/spec/(minAvailable|maxUnavailable|selector(/.*)?)"
    r"|NetworkPolicy/spec(/.*)?"
)
# What the API server fills in, by the end of a field's place.
_DEFAULTS = {
    re.compile(f".*/{place}"): value
    for place, value in {
        r"\w+Probe/initialDelaySeconds": 0,
        r"\w+Probe/periodSeconds": 10,
        r"\w+Probe/timeoutSeconds": 1,
        r"\w+Probe/successThreshold": 1,
        r"\w+Probe/failureThreshold": 3,
        "httpGet/scheme": "HTTP",
        "httpGet/path": "/",
        "containers/[^/]+/imagePullPolicy": "IfNotPresent",
        "containers/[^/]+/(stdin|stdinOnce|tty)": False,
        "containers/[^/]+/securityContext/privileged": False,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "template/spec/restartPolicy": "Always",
        "template/spec/dnsPolicy": "ClusterFirst",
        "template/spec/schedulerName": "default-scheduler",
        "template/spec/enableServiceLinks": True,
        "template/spec/(hostNetwork|hostPID|hostIPC|shareProcessNamespace)": False,
        "strategy/type": "RollingUpdate",
        "Deployment/spec/minReadySeconds": 0,
        "Deployment/spec/paused": False,
        "Deployment/spec/progressDeadlineSeconds": 600,
        "Deployment/spec/revisionHistoryLimit": 10,
        "Service/spec/type": "ClusterIP",
        "Service/spec/sessionAffinity": "None",
        "Service/spec/internalTrafficPolicy": "Cluster",
        "Service/spec/ipFamilyPolicy": "SingleStack",
        "Service/spec/publishNotReadyAddresses": False,
        "Service/spec/ports/[^/]+/protocol": "TCP",
        "HorizontalPodAutoscaler/spec/minReplicas": 1,
        "PodDisruptionBudget/spec/unhealthyPodEvictionPolicy": "IfHealthyBudget",
    }.items()
}


def changes(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each field without a fault whose value is another one now, as a sentence.

    Objects that are missing or new are left out: another case tells those.
    """
    given = _given()
    found: list[str] = []
    for body in objects:
        name = f"{body.get('kind')} {get(body, 'metadata', 'name')}"
        if name in given:
            found += _differing(name, _fields(body), given[name])
    return found


def _differing(name: str, now: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    whole = set()  # what is there on one side alone, told once
    for place in sorted({*now, *before}):
        if _JUDGED.fullmatch(place):
            continue
        default = next((one for end, one in _DEFAULTS.items() if end.fullmatch("/" + place)), None)
        new, old = now.get(place, default), before.get(place, default)
        if new == old and type(new) is type(old):
            continue
        part = _whole(place, now if place not in before else before, now, before)
        if part == place:
            yield f"{name}, {place.partition('/')[2]}: {_word(new)}, and was {_word(old)}"
        elif part not in whole:
            whole.add(part)
            told = "is new" if place in now else "is missing"
            yield f"{name}, {part.partition('/')[2]} {told}"


def _whole(
    place: str, there: Mapping[str, Any], now: Mapping[str, Any], before: Mapping[str, Any]
) -> str:
    """The largest part around a value that is there on one side alone; else its own place."""
    other = before if there is now else now
    names = place.split("/")
    for end in range(3, len(names)):
        part = "/".join(names[:end])
        if not any(one.startswith(f"{part}/") for one in other):
            return part
    return place


def _word(value: object) -> str:
    return "not there" if value is None else str(value) if isinstance(value, str) else brief(value)


@cache
def _given() -> dict[str, dict[str, Any]]:
    """The fields of the given objects, with the name of one probe corrected."""
    found = {}
    for file in sorted(GIVEN.glob("*.yaml")):
        for body in yaml.safe_load_all(file.read_text("utf-8")):
            for _, box in rows(body, *_POD, "containers"):
                box["readinessProbe"] = box.pop("readinesProbe")
            found[f"{body['kind']} {body['metadata']['name']}"] = _fields(body)
    return found


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Each value of an object, by its place."""
    return dict(_values(body, str(body.get("kind")), _port_numbers(body)))


def _port_numbers(body: Mapping[str, Any]) -> dict[Any, Any]:
    """The numbers of the containers' ports, by their names."""
    boxes = [box for _, box in rows(body, *_POD, "containers")]
    ports = [port for box in boxes for _, port in rows(box, "ports")]
    return {port.get("name"): port.get("containerPort") for port in ports}


def _values(value: Any, place: str, ports: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    above, _, key = place.rpartition("/")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(inner, f"{place}/{name}", ports)
    elif isinstance(value, list):
        if key == "ports" and "/containers/" in place:
            # Names of ports mean nothing but to those who use them, where numbers are compared.
            for one in value:
                port = f"{get(one, 'protocol') or 'TCP'} {get(one, 'containerPort')}"
                yield f"{place}/{port}", port
                for key in ("hostPort", "hostIP"):
                    if get(one, key) is not None:
                        yield f"{place}/{port}/{key}", get(one, key)
        else:
            for number, one in enumerate(value):
                name = get(one, "name") if isinstance(one, Mapping) else None
                yield from _values(one, f"{place}/{name or number}", ports)
    elif above.endswith(("/requests", "/limits")):
        yield place, _amount(value)
    elif key == "port" and above.endswith(("Probe/httpGet", "Probe/tcpSocket")):
        yield place, ports.get(value, value)
    else:
        yield place, value


def _amount(value: object) -> object:
    """A quantity, written in one way."""
    amount, mebi = quantity(value), 1024**2
    if amount is None:
        return value
    return f"{amount / mebi:f}Mi" if amount and not amount % mebi else f"{amount.normalize():f}"
