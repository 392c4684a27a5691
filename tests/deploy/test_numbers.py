"""The numbers of the manifests: what follows from a measurement, and by which rule."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from helpers.deploy.measure import last_arrival, start_seconds
from helpers.deploy.numbers import Both, block, numbers, places, read, save
from helpers.deploy.rollout import VARIANTS, Rolled
from helpers.faults import EquipmentError
from helpers.testbed import Seen
from helpers.testbed.measured import Measured

MEASURED = Measured(
    memory=[90, 120, 110],
    cpu=[100, 300, 310, 320, 330, 340, 350, 360, 370, 990],
    starts=[23.2, 24.1],
    per_pod=40,
    busiest=100,
    longest=9.3,
    last_arrival=0.2,
)


def test_known_values() -> None:
    assert numbers(MEASURED, places=6) == {
        "replicas": 5,  # 100 / 30 is 4 pods, and one more
        "maxReplicas": 17,
        "averageValue": 4,
        "cpu": "500m",  # 1.25 * 370
        "memory": "160Mi",  # 1.25 * 120
        "memory limit": "192Mi",
        "failureThreshold": 19,  # of 2 s each, for 1.5 * 24.1 s
        "preStop": 5,
        "streams": 12,
        "terminationGracePeriodSeconds": 17,
    }


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"busiest": 0}, "replicas", 2),
        ({"busiest": 30}, "replicas", 2),
        ({"busiest": 31}, "replicas", 3),
        ({"busiest": 0}, "maxReplicas", 4),
        ({"memory": [128]}, "memory", "160Mi"),
        ({"memory": [129]}, "memory", "176Mi"),
        ({"cpu": [0]}, "cpu", "50m"),
        ({"cpu": [400]}, "cpu", "500m"),
        ({"cpu": [401]}, "cpu", "550m"),
        ({"starts": [24.0]}, "failureThreshold", 18),
        ({"starts": [20.1]}, "failureThreshold", 16),
        ({"starts": [20.0]}, "failureThreshold", 15),
        ({"starts": [0.5]}, "failureThreshold", 15),
        ({"last_arrival": 5.0}, "preStop", 6),
        ({"last_arrival": 5.0}, "terminationGracePeriodSeconds", 18),
    ],
)
def test_each_boundary(change: dict[str, Any], field: str, value: Any) -> None:
    assert numbers(replace(MEASURED, **change), places=6)[field] == value


def test_a_pod_with_one_place_is_scaled_on_it() -> None:
    assert numbers(MEASURED, places=1)["averageValue"] == 1


@pytest.mark.parametrize("last", [4.0, 6.5])
@pytest.mark.parametrize("busiest", [0, 90, 91])
def test_the_rules_are_those_that_the_lab_asks_for(last: float, busiest: int) -> None:
    measured = replace(MEASURED, last_arrival=last, busiest=busiest)
    asked = import_module("helpers.course.exercises.m07.solved.e3").size(measured)
    ours = numbers(measured, places=4)
    assert asked["resources"]["requests"] == {"cpu": ours["cpu"], "memory": ours["memory"]}
    assert asked["resources"]["limits"] == {"memory": ours["memory limit"]}
    assert asked["startupProbe"]["failureThreshold"] == ours["failureThreshold"]
    assert asked["lifecycle"]["preStop"]["sleep"]["seconds"] == ours["preStop"]
    same = ("replicas", "terminationGracePeriodSeconds")
    assert [asked[key] for key in same] == [ours[key] for key in same]


@pytest.mark.parametrize(
    "missing", [{"memory": []}, {"cpu": []}, {"starts": []}, {"per_pod": 0}], ids=str
)
def test_what_was_not_measured_has_no_numbers(missing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="measure them first"):
        numbers(replace(MEASURED, **missing), places=4)


def test_a_measurement_is_kept_and_read(tmp_path: Path) -> None:
    both = Both(MEASURED, replace(MEASURED, per_pod=60), slots=4)
    save(both, tmp_path / "measured.yaml")
    assert read(tmp_path / "measured.yaml") == both


@pytest.mark.parametrize("text", [None, "", "{", "service: {memory: [1]}"])
def test_a_file_without_a_measurement_is_told(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "measured.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(
        EquipmentError, match=r"has no measurement of a pod: run `course rollout --save"
    ):
        read(file)


def test_the_pods_of_the_service_share_the_places_of_the_model() -> None:
    few = replace(MEASURED, busiest=10)
    assert places(Both(few, MEASURED, slots=4)) == 10  # 5 pods of 4 places, for 2
    assert places(Both(MEASURED, few, slots=1)) == 1


def test_the_block_names_measurement_rule_and_value() -> None:
    said = block(Both(MEASURED, replace(MEASURED, memory=[400]), slots=4)).splitlines()
    assert said[0] == "Numbers for the manifests"
    limits = [line.split("  ") for line in said if "memory limit" in line]
    assert [(row[0], row[-1].strip()) for row in limits] == [
        ("service", "192Mi"),
        ("model", "608Mi"),
    ]
    assert "peak 120 MiB" in said[2]
    assert "1.25 x" in said[2]


def test_starts_and_the_last_arrival_come_from_a_rollout() -> None:
    def seen(sent: float, pod: str) -> Seen:
        return Seen("c", sent, sent, sent + 1, 200, "answered", headers={"x-pod": pod})

    events = [
        (1.0, "pod-c starts"),
        (3.5, "pod-c is ready"),
        (3.6, "pod-a drains"),
        (4.6, "pod-a is told to stop"),
    ]
    rolled = Rolled(
        VARIANTS[-1], [seen(3.0, "pod-a"), seen(4.1, "pod-a"), seen(9, "pod-b")], events
    )
    assert start_seconds(rolled) == [2.5]
    assert last_arrival(rolled) == 0.5
    assert last_arrival(Rolled(VARIANTS[-1], [seen(3.0, "pod-a")], events)) == 0
