"""The manifests that exercise 07.1 gives."""

from pathlib import Path

import pytest

from helpers.authoring.committed import NoCommitError, export
from helpers.course.exercises.m07 import manifests
from helpers.paths import ROOT

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
    for look in ("checked", "runs", "ends", "probes", "way", "network"):
        assert getattr(manifests, look)(found)
