"""The check of a RayService manifest: its schema, and what a schema cannot say."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.scale.rayservice import SCHEMA, is_rayservice, problems
from helpers.scale.serve_config import main

SERVE = """
http_options:
  host: 0.0.0.0
applications:
- name: shop
  import_path: serve_app:app
  route_prefix: /
"""


def pod(name: str) -> dict[str, Any]:
    amounts = {"cpu": "1", "memory": "2Gi"}
    return {
        "spec": {
            "containers": [
                {
                    "name": name,
                    "image": "registry.example/shop:1.0",
                    "resources": {"requests": amounts, "limits": dict(amounts)},
                    "env": [
                        {
                            "name": "COURSE_SERVICE_KEYS",
                            "valueFrom": {"secretKeyRef": {"name": "shop-keys", "key": "keys"}},
                        }
                    ],
                }
            ]
        }
    }


GOOD: dict[str, Any] = {
    "apiVersion": "ray.io/v1",
    "kind": "RayService",
    "metadata": {"name": "shop"},
    "spec": {
        "serveConfigV2": SERVE,
        "rayClusterConfig": {
            "rayVersion": "2.60.0",
            "headGroupSpec": {"rayStartParams": {"num-cpus": "0"}, "template": pod("ray-head")},
            "workerGroupSpecs": [
                {
                    "groupName": "workers",
                    "replicas": 2,
                    "minReplicas": 1,
                    "maxReplicas": 3,
                    "rayStartParams": {},
                    "template": pod("ray-worker"),
                }
            ],
        },
    },
}
CLUSTER = ("spec", "rayClusterConfig")
HEAD = (*CLUSTER, "headGroupSpec")
GROUP = (*CLUSTER, "workerGroupSpecs", 0)
WORKER = (*GROUP, "template", "spec", "containers", 0)
PROBE = {"httpGet": {"path": "/-/healthz", "port": 8000}}


def changed(*steps: Any, value: Any = None) -> str:
    """The good manifest with a value at a place; None takes the key out."""
    content = copy.deepcopy(GOOD)
    place = content
    for step in steps[:-1]:
        place = place[step]
    if value is None:
        del place[steps[-1]]
    else:
        place[steps[-1]] = value
    return yaml.safe_dump(content)


def test_a_good_manifest_has_no_problem() -> None:
    assert problems(yaml.safe_dump(GOOD)) == []
    assert problems(changed(*WORKER, "readinessProbe", value=PROBE)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed("spec", "serveConfig", value=SERVE), "spec.serveConfig is not a field"),
        (changed(*GROUP, "minReplica", value=1), "did you mean minReplicas?"),
        (changed(*WORKER, "imagePolicy", value="Always"), "did you mean imagePullPolicy?"),
        (changed(*WORKER, "resources", "limit", value={}), "did you mean limits?"),
        (changed(*GROUP, "replicas", value="two"), "'two' is not of type 'integer'"),
        (changed(*GROUP, "groupName"), "'groupName' is a required property"),
        (changed(*CLUSTER, "headGroupSpec"), "'headGroupSpec' is a required property"),
        (changed(*HEAD, "rayStartParams", value={"num-cpus": 0}), "0 is not of type 'string'"),
        (changed("apiVersion", value="ray.io/v2"), "apiVersion"),
        (changed(*WORKER, "resources", "limits", "memory", value="2Gib"), "2Gib"),
    ],
)
def test_the_schema(text: str, said: str) -> None:
    (found,) = problems(text)
    assert said in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed("spec", "serveConfigV2"), "spec.serveConfigV2 is empty"),
        (changed("spec", "serveConfigV2", value="a: ["), "spec.serveConfigV2: line 1"),
        (
            changed("spec", "serveConfigV2", value=f"{SERVE}  num_replica: 1\n"),
            "applications[0].num_replica is not known",
        ),
        (
            changed("spec", "serveConfigV2", value=SERVE.replace("0.0.0.0", "127.0.0.1")),
            "http_options.host is 127.0.0.1",
        ),
        (changed(*CLUSTER, "rayVersion"), "rayVersion is missing"),
        (changed(*WORKER, "image"), "image is missing"),
        (changed(*WORKER, "image", value="host:5000/shop"), "changes under the same name"),
        (changed(*WORKER, "image", value="shop:latest"), "changes under the same name"),
        (changed(*WORKER, "image", value="rayproject/ray:2.59.0"), "rayVersion is 2.60.0"),
        (changed(*WORKER, "resources"), "resources.limits has no cpu and no memory"),
        (changed(*WORKER, "resources", "limits", "memory"), "resources.limits has no memory"),
        (
            changed(*HEAD, "template", "spec", "containers", 0, "resources", "requests"),
            "headGroupSpec.template.spec.containers[0].resources.requests has no cpu",
        ),
        (changed(*HEAD, "template", "spec", "containers", value=[]), "containers is empty"),
        (changed(*GROUP, "replicas", value=4), "does not hold"),
        (changed(*GROUP, "minReplicas", value=3), "does not hold"),
        (changed(*WORKER, "livenessProbe", value={}), "livenessProbe needs exactly one of"),
        (
            changed(*WORKER, "livenessProbe", value={**PROBE, "exec": {"command": ["true"]}}),
            "livenessProbe needs exactly one of",
        ),
        (
            changed(*WORKER, "readinessProbe", value={"tcpSocket": {"port": 8000}}),
            "readinessProbe replaces KubeRay's own",
        ),
    ],
)
def test_what_a_schema_cannot_say(text: str, said: str) -> None:
    assert any(said in each for each in problems(text)), problems(text)


@pytest.mark.parametrize("image", ["shop@sha256:" + "0" * 64, "rayproject/ray:2.60.0-py311"])
def test_an_image_that_does_not_change(image: str) -> None:
    assert problems(changed(*WORKER, "image", value=image)) == []


@pytest.mark.parametrize("text", ["", "- a", "a: [", "kind: RayService"])
def test_what_is_no_manifest(text: str) -> None:
    assert problems(text)


def test_all_problems_come_in_one_go() -> None:
    content = yaml.safe_load(changed(*WORKER, "image"))
    content["spec"]["serveConfigV2"] = ""
    assert len(problems(yaml.safe_dump(content))) == 2


def test_the_schema_names_its_source() -> None:
    comment = json.loads(SCHEMA.read_text(encoding="utf-8"))["$comment"]
    assert "ray-project/kuberay" in comment
    assert "v1.7.0" in comment
    assert "ray-operator/config/crd/bases/ray.io_rayservices.yaml" in comment


def test_the_command_knows_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rayservice.yaml"
    file.write_text(yaml.safe_dump(GOOD))
    assert is_rayservice(file.read_text())
    assert main([str(file)]) == 0
    file.write_text(changed(*WORKER, "image"))
    assert main([str(file)]) == 1
    assert "image is missing" in capsys.readouterr().out
