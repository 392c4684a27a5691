"""The numbers of a Deployment, each from a measurement: the rules of exercise 07.3, and two floors.

    measured = read(FILE)
    numbers(measured.service, places=places(measured))["replicas"]

`course rollout` measures, prints what follows, and says by which rule. The manifests of
`solutions/07_run_on_kubernetes/k8s` contain what follows from the file beside them.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from helpers import outfile
from helpers.columns import aligned
from helpers.faults import EquipmentError
from helpers.paths import ROOT
from helpers.testbed.measured import Measured

FILE = ROOT / "solutions" / "07_run_on_kubernetes" / "k8s" / "measured.yaml"
"""The measurement that the course's own manifests rest on."""

PERIOD_S = 2
LEAST_PAUSE_S = 5
"""Of preStop: the proxies of a cluster learn one after another that a pod is gone."""
LEAST_START_S = 30
"""For a start on a busy node: here the service took 5 s, and 20 s beside other work."""

_HEAD = """\
# What `course rollout --save FILE` measured of a pod of the service and of one of the model's
# server, both from the image, with eight clients. The fields: helpers/testbed/measured.py.
# `busiest` is the busiest minute of the shop's day of traffic, and `slots` the number of answers
# that a pod of the model writes at the same time. The manifests contain what
# helpers/deploy/numbers.py makes of it; a test compares them.
"""


@dataclass(frozen=True)
class Both:
    """The measurements of a pod of the service and of one of the model's server.

    Attributes:
        service: of the service; `longest` and `last_arrival` are those of its streams.
        model: of the model's server.
        slots: answers that a pod of the model writes at the same time.
    """

    service: Measured
    model: Measured
    slots: int


def numbers(measured: Measured, *, places: int) -> dict[str, Any]:
    """The fields of a Deployment and of its autoscaler that follow from a measurement.

    Args:
        measured: of one pod.
        places: requests that one pod answers at the same time.

    Raises:
        ValueError: something was not measured.
    """
    if not (measured.memory and measured.cpu and measured.starts and measured.per_pod > 0):
        raise ValueError("memory, cpu, starts and per_pod are needed: measure them first")
    peak = max(measured.memory)
    usual = sorted(measured.cpu)[-1 - len(measured.cpu) // 10]
    pause = max(LEAST_PAUSE_S, math.floor(measured.last_arrival) + 1)
    streams = math.ceil(1.25 * measured.longest)
    busy = math.ceil(measured.busiest / (0.75 * measured.per_pod))
    return {
        "replicas": max(2, busy + 1),
        "maxReplicas": max(4, 4 * busy + 1),
        "averageValue": max(1, math.floor(0.75 * places)),
        "cpu": f"{max(50, _up(1.25 * usual, 50))}m",
        "memory": f"{_up(1.25 * peak, 16)}Mi",
        "memory limit": f"{_up(1.5 * peak, 16)}Mi",
        "failureThreshold": math.ceil(max(LEAST_START_S, 1.5 * max(measured.starts)) / PERIOD_S),
        "preStop": pause,
        "streams": streams,
        "terminationGracePeriodSeconds": pause + streams,
    }


def places(both: Both) -> int:
    """Requests that a pod of the service answers at once: its share of the model's places."""
    pods = {
        name: numbers(one, places=both.slots)["replicas"]
        for name, one in (("service", both.service), ("model", both.model))
    }
    return max(1, both.slots * int(pods["model"]) // int(pods["service"]))


def block(both: Both) -> str:
    """The numbers for the manifests as a table: what was measured, the rule, what it comes to."""
    rows = [["for", "field", "measured", "rule", "value"]]
    share = places(both)
    for name, one, at_once in (
        ("service", both.service, share),
        ("model", both.model, both.slots),
    ):
        found = numbers(one, places=at_once)
        usual = sorted(one.cpu)[-1 - len(one.cpu) // 10]
        memory, rate = f"peak {max(one.memory)} MiB", f"{one.per_pod}/min a pod"
        rows += [
            [name, field, seen, rule, str(found[key])]
            for key, field, seen, rule in (
                ("memory", "memory request", memory, "1.25 x, in 16 MiB"),
                ("memory limit", "memory limit", memory, "1.5 x, in 16 MiB"),
                ("cpu", "CPU request", f"90% of seconds <= {usual}m", "1.25 x, in 50m"),
                (
                    "failureThreshold",
                    f"startupProbe, every {PERIOD_S} s",
                    f"ready in {max(one.starts):.1f} s",
                    f"1.5 x, at least {LEAST_START_S} s",
                ),
                (
                    "preStop",
                    "preStop seconds",
                    f"last arrival {one.last_arrival:.1f} s",
                    f"1 s more, at least {LEAST_PAUSE_S}",
                ),
                ("streams", "seconds to finish", f"longest {one.longest:.1f} s", "1.25 x"),
                ("terminationGracePeriodSeconds", "grace period", "the last two", "their sum"),
                (
                    "replicas",
                    "replicas",
                    f"{one.busiest}/min, {rate}",
                    "75% full, and one more; at least 2",
                ),
                ("maxReplicas", "HPA maximum", rate, "4 x the busiest minute"),
                ("averageValue", "HPA target", f"{at_once} at once", "75% full"),
            )
        ]
    rows.append(
        ["service", "RUNNING", f"{both.slots} at once a model pod", "its share", str(share)]
    )
    return "\n".join(["Numbers for the manifests", *aligned(rows)])


def read(file: Path) -> Both:
    """The measurement in a file.

    Raises:
        EquipmentError: there is none.
    """
    try:
        found = yaml.safe_load(file.read_text("utf-8"))
        return Both(Measured(**found["service"]), Measured(**found["model"]), found["slots"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise EquipmentError(
            f"{file} has no measurement of a pod: run `course rollout --save {file}`."
        ) from error


def save(both: Both, file: Path) -> None:
    """Write a measurement, from which the numbers can be computed again. Raises OutError."""
    content: Mapping[str, Any] = asdict(both)
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=100)
    outfile.save(file, (_HEAD + text).encode(), is_measurement)


def is_measurement(content: bytes) -> bool:
    """Whether a file was written by `save`, so that a newer one may replace it."""
    return content.startswith(_HEAD.encode())


def _up(number: float, step: int) -> int:
    return step * math.ceil(number / step)
