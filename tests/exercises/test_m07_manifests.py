"""The manifests that exercise 07.1 gives."""

import json
from pathlib import Path

import pytest
import yaml

from helpers.authoring.committed import NoCommitError, export
from helpers.course.exercises.m07 import manifests
from helpers.paths import ROOT

BOX = "/spec/template/spec/containers/0"
GIVEN = ROOT / "helpers" / "course" / "exercises" / "m07" / "given"


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.glob("*.yaml")}


def test_the_lab_shows_what_the_check_uses(tmp_path: Path) -> None:
    try:
        export(ROOT, tmp_path)  # not the learner's own copy, which may have been edited
    except NoCommitError as error:
        pytest.skip(str(error))
    committed = tmp_path / GIVEN.relative_to(ROOT)
    assert texts(tmp_path / "labs" / "07_run_on_kubernetes") == texts(committed) != {}


def test_a_check_leaves_the_given_files_as_they_are() -> None:
    before = texts(GIVEN)
    found = manifests.rendered("resources: [agent.yaml, network.yaml, scaling.yaml]")
    assert found.names == manifests.OBJECTS
    assert len(found.findings) >= 10
    assert texts(GIVEN) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "KUSTOMIZATION must be a text, in YAML; this is None."),
        ("", "has no keys: begin with `resources:`"),
        ("resources: [", "correct the YAML"),
        ("resources: [mine.yaml]", "there is no"),
        ("resources: [https://example.com/a.yaml]", "nothing is fetched here"),
        ("resources: [agent.yaml]\npatchez: []", "cannot be rendered"),
        ("resources: [agent.yaml]\npatches: [{path: /etc/passwd}]", "cannot"),
    ],
)
def test_what_renders_nothing_says_why(text: object, said: str) -> None:
    with pytest.raises(manifests.NotRendered) as error:
        manifests.rendered(text)
    assert said in str(error.value)
    assert "course-lab-" not in str(error.value)


@pytest.mark.parametrize(
    "path",
    [
        "Deployment /spec/strategy",
        "Deployment /spec/template/spec/containers/0/startupProbe",
        "Deployment /spec/template/spec/containers/0/startupProbe/periodSeconds",
        "Deployment /spec/template/spec/containers/0/resources",
        "Deployment /spec/template/spec/terminationGracePeriodSeconds",
        "Service /spec/ports",
        "HorizontalPodAutoscaler /spec/metrics",
        "HorizontalPodAutoscaler /spec/minReplicas",
        "PodDisruptionBudget /spec/selector",
        "NetworkPolicy /spec/egress",
    ],
)
def test_a_value_of_a_wrong_type_is_a_finding_and_ends_no_case(path: str) -> None:
    kind, _, place = path.partition(" ")
    found = manifests.rendered(
        "resources: [agent.yaml, network.yaml, scaling.yaml]\npatches:\n"
        f"  - target: {{kind: {kind}}}\n    patch: |-\n"
        f"      - {{op: add, path: {place}, value: [wrong]}}\n"
    )
    assert any("[schema-value]" in line for line in found.findings)
    for look in ("checked", "runs", "ends", "probes", "way", "network", "unchanged"):
        assert getattr(manifests, look)(found)


# Fields without a fault, with a value that changes what the object does.
CHANGED: dict[str, tuple[str, str, object]] = {
    "liveness by HTTPS": ("Deployment", f"{BOX}/livenessProbe/httpGet/scheme", "HTTPS"),
    "liveness of one failure": ("Deployment", f"{BOX}/livenessProbe/failureThreshold", 1),
    "liveness of many": ("Deployment", f"{BOX}/livenessProbe/failureThreshold", 60),
    "liveness at once": ("Deployment", f"{BOX}/livenessProbe/terminationGracePeriodSeconds", 1),
    "a slow start": ("Deployment", f"{BOX}/startupProbe/timeoutSeconds", 60),
    "a CPU limit": ("Deployment", f"{BOX}/resources/limits/cpu", "250m"),
    "hardly any storage": ("Deployment", f"{BOX}/resources/limits/ephemeral-storage", "1Mi"),
    "no pull": ("Deployment", f"{BOX}/imagePullPolicy", "Never"),
    "a paused rollout": ("Deployment", "/spec/paused", True),
    "an hour for each pod": ("Deployment", "/spec/minReadySeconds", 3600),
    "a node that is not there": ("Deployment", "/spec/template/spec/nodeSelector", {"gpu": "a"}),
    "another user": ("Deployment", "/spec/template/spec/securityContext/runAsUser", 10002),
    "a label more": ("Deployment", "/spec/template/metadata/labels/team", "b"),
    "an annotation": ("Deployment", "/spec/template/metadata/annotations", {"a": "b"}),
    "a volume": ("Deployment", "/spec/template/spec/volumes", [{"name": "v", "emptyDir": {}}]),
    "a load balancer": ("Service", "/spec/type", "LoadBalancer"),
    "a node's port": ("Service", "/spec/type", "NodePort"),
    "one pod for each client": ("Service", "/spec/sessionAffinity", "ClientIP"),
    "no scaling up": (
        "HorizontalPodAutoscaler",
        "/spec/behavior",
        {"scaleUp": {"selectPolicy": "Disabled"}},
    ),
    "eviction of what is not ready": (
        "PodDisruptionBudget",
        "/spec/unhealthyPodEvictionPolicy",
        "AlwaysAllow",
    ),
    "a token": ("ServiceAccount", "/automountServiceAccountToken", True),
}


def changes_after(kind: str, path: str, value: object) -> list[str]:
    patch = json.dumps([{"op": "add", "path": path, "value": value}])
    text = {"resources": ["agent.yaml", "network.yaml", "scaling.yaml"]}
    patches = {"patches": [{"target": {"kind": kind, "name": "agent"}, "patch": patch}]}
    return manifests.unchanged(manifests.rendered(yaml.safe_dump(text | patches)))


@pytest.fixture(scope="module")
def unsolved() -> list[str]:
    return manifests.unchanged(
        manifests.rendered("resources: [agent.yaml, network.yaml, scaling.yaml]")
    )


@pytest.mark.parametrize("name", CHANGED)
def test_a_field_without_a_fault_may_not_change(name: str, unsolved: list[str]) -> None:
    kind, path, value = CHANGED[name]
    (more,) = set(changes_after(kind, path, value)) - set(unsolved)
    assert more.startswith(f"{kind} agent, ")


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", f"{BOX}/livenessProbe/failureThreshold", 3),
        ("Deployment", f"{BOX}/startupProbe/httpGet/port", 8000),
        ("Deployment", f"{BOX}/resources/requests", {"cpu": "0.25", "memory": 600 * 1024**2}),
        ("Deployment", f"{BOX}/imagePullPolicy", "IfNotPresent"),
        ("Deployment", "/spec/strategy/type", "RollingUpdate"),
        ("Deployment", "/spec/template/spec/nodeSelector", {}),
        ("Service", "/spec/type", "ClusterIP"),
        ("Service", "/spec/ports/0/protocol", "TCP"),
    ],
)
def test_the_same_in_other_words_is_no_change(
    kind: str, path: str, value: object, unsolved: list[str]
) -> None:
    assert changes_after(kind, path, value) == unsolved
