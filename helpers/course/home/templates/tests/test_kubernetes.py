"""The Dockerfile and the manifests in k8s fit together, and fit the service."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from fakes import agent_of, book, scripted
from service import make_app

HERE = Path(__file__).parents[1]
DOCKERFILE = (HERE / "Dockerfile").read_text("utf-8")
BASE, OVERLAYS = HERE / "k8s/base", sorted((HERE / "k8s/overlays").iterdir())

Object = dict[str, Any]


def settings(folder: Path) -> Object:
    """A folder's kustomization."""
    found: Object = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    return found


def objects(folder: Path) -> Iterator[Object]:
    """The objects in the files that a folder's kustomization names."""
    for name in settings(folder)["resources"]:
        if name.endswith(".yaml"):
            yield from yaml.safe_load_all((folder / name).read_text("utf-8"))


def the(kind: str, folder: Path = BASE) -> Object:
    """The one object of this kind."""
    (found,) = (one for one in objects(folder) if one["kind"] == kind)
    return found


DEPLOYMENT = the("Deployment")
NAME = DEPLOYMENT["metadata"]["name"]
TEMPLATE = DEPLOYMENT["spec"]["template"]
(CONTAINER,) = TEMPLATE["spec"]["containers"]
PORTS = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}


def reaches(selector: Object) -> bool:
    """Whether a selector finds the Deployment's pods."""
    return bool(selector.items() <= TEMPLATE["metadata"]["labels"].items())


def test_every_file_is_in_a_kustomization() -> None:
    for folder in (BASE, *OVERLAYS):
        there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert there == {name for name in settings(folder)["resources"] if name.endswith(".yaml")}
    assert all("../../base" in settings(folder)["resources"] for folder in OVERLAYS)


def test_selectors_find_the_pods() -> None:
    assert reaches(DEPLOYMENT["spec"]["selector"]["matchLabels"])
    assert reaches(the("Service")["spec"]["selector"])
    assert reaches(the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"])
    policies = [one["spec"] for one in objects(BASE) if one["kind"] == "NetworkPolicy"]
    assert all(reaches(spec["podSelector"].get("matchLabels", {})) for spec in policies)
    assert any("ingress" in spec for spec in policies)


def test_ports_have_the_names_that_others_call_them() -> None:
    (port,) = the("Service")["spec"]["ports"]
    assert port["targetPort"] in PORTS
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert CONTAINER[probe]["httpGet"]["port"] in PORTS
    rules = [rule for one in objects(BASE) for rule in one.get("spec", {}).get("ingress", [])]
    assert all(port["port"] in PORTS for rule in rules for port in rule["ports"])
    scraped = TEMPLATE["metadata"]["annotations"]["prometheus.io/port"]
    assert int(scraped) in PORTS.values()


def test_what_the_pods_refer_to_is_there() -> None:
    assert TEMPLATE["spec"]["serviceAccountName"] == the("ServiceAccount")["metadata"]["name"]
    made = {one["name"] for one in settings(BASE)["configMapGenerator"]}
    maps = [each["configMapRef"]["name"] for each in CONTAINER["envFrom"] if "configMapRef" in each]
    assert maps
    assert made.issuperset(maps)


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda folder: folder.name)
def test_an_overlay_changes_what_the_base_has(folder: Path) -> None:
    found = settings(folder)
    assert CONTAINER["image"] in {image["name"] for image in found["images"]}
    for each in found.get("configMapGenerator", []):
        assert each["name"] in {one["name"] for one in settings(BASE)["configMapGenerator"]}
    for patch in found.get("patches", []):
        kind = patch["target"]["kind"]
        assert the(kind)["metadata"]["name"] == patch["target"]["name"]
    for one in objects(folder):
        if one["kind"] == "HorizontalPodAutoscaler":
            assert one["spec"]["scaleTargetRef"]["kind"] == "Deployment"
            assert one["spec"]["scaleTargetRef"]["name"] == NAME


def test_environments_have_different_namespaces() -> None:
    assert len({settings(folder)["namespace"] for folder in OVERLAYS}) == len(OVERLAYS)


def test_the_probes_ask_for_paths_of_the_service() -> None:
    app = make_app(agent_of(scripted(), book()), {})
    paths = FastAPI.openapi(app)["paths"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert CONTAINER[probe]["httpGet"]["path"] in paths


def test_the_container_listens_where_its_manifest_says() -> None:
    (words,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    command = json.loads(words)
    assert command[command.index("--host") + 1] == "0.0.0.0"
    assert int(command[command.index("--port") + 1]) in PORTS.values()
    module, _, variable = command[command.index("uvicorn") + 1].partition(":")
    assert re.search(rf"^{variable} = ", (HERE / f"{module}.py").read_text("utf-8"), re.MULTILINE)


def test_the_user_is_the_same_and_not_root() -> None:
    (user,) = re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE)
    assert int(user) == TEMPLATE["spec"]["securityContext"]["runAsUser"] > 0


def test_the_image_gets_the_files_that_the_service_reads() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    copied = re.findall(r"^COPY (?!--from)(\S+) ", last, re.MULTILINE)
    assert {"*.py", "orders.json", "documents"} <= {*copied}
    assert all(list(HERE.glob(pattern)) for pattern in copied)
    allowed = (HERE / ".dockerignore").read_text("utf-8").splitlines()
    assert {f"!{pattern}" for pattern in copied} <= {*allowed}
