"""The image and the manifests of a new project have its name, its files, and no fault."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.authoring.alone import run_alone
from helpers.course.home.cluster import cluster_name, fitted
from helpers.course.home.project import new_project
from helpers.deploy import check_folder
from helpers.scale import rayservice
from tests.home.kubernetes import OVERLAYS, VERSIONS, passes_the_schemas, rendered

NAMES = {
    "shop": "shop",
    "support-agent": "support-agent",
    "Shop_2.x": "shop-2-x",
    "MyShop": "myshop",
    "my.shop": "my-shop",
    "a": "a",
    "a--b..c": "a-b-c",
    "24-7": "app-24-7",
    "1e5": "app-1e5",
    "0x1F": "app-0x1f",
    "2026-11-27": "app-2026-11-27",
    # words that YAML does not read as text, and names that are taken
    "null": "app-null",
    "True": "app-true",
    "on": "app-on",
    "y": "app-y",
    "default": "app-default",
    "kube-system": "app-kube-system",
    "deny-all": "app-deny-all",
    "monitoring": "app-monitoring",
    f"{'x' * 46}-y": "x" * 46,
    "x" * 200: "x" * 47,
}


@pytest.mark.parametrize(("project", "name"), NAMES.items())
def test_a_projects_name_as_a_cluster_takes_it(project: str, name: str) -> None:
    assert cluster_name(project) == name
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,45}[a-z0-9])?", name)
    assert yaml.safe_load(f"{{name: {name}}}") == {"name": name}


@pytest.mark.parametrize("project", ["shop", "Shop_2.x", "24-7", "null", "deny-all", "x" * 200])
def test_both_environments_pass_every_check(project: str, tmp_path: Path) -> None:
    new_project(tmp_path / project)
    name = cluster_name(project)
    for overlay, namespace in zip(OVERLAYS, (f"{name}-dev", name), strict=True):
        folder = tmp_path / project / "k8s/overlays" / overlay
        assert check_folder(folder, VERSIONS) == []
        objects = rendered(folder)
        passes_the_schemas(objects)
        assert {one["metadata"]["namespace"] for one in objects} == {namespace}
        (settings,) = (one for one in objects if one["kind"] == "ConfigMap")
        assert re.fullmatch(rf"{name}-\w{{10}}", settings["metadata"]["name"])
        named = {one["metadata"]["name"] for one in objects if one is not settings}
        assert named == {name, "deny-all"}
    manifest = (tmp_path / project / "k8s/rayservice.yaml").read_text("utf-8")
    assert rayservice.problems(manifest) == []
    assert yaml.safe_load(manifest)["metadata"]["name"] == name


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learner") / "Desk.2"
    new_project(folder)
    return folder


def test_no_manifest_has_the_placeholders_name(written: Path) -> None:
    manifests = [path.read_text("utf-8") for path in (written / "k8s").rglob("*.yaml")]
    assert len(manifests) == 10
    assert all("shop" not in text for text in manifests)


def test_the_readme_has_the_names_of_the_manifests(written: Path) -> None:
    readme = (written / "README.md").read_text("utf-8")
    section = readme.partition("## Run it on Kubernetes")[2].partition("\n## ")[0]
    objects = {one["kind"]: one for one in rendered(written / "k8s/overlays/dev")}
    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert f"docker build -t {container['image']} ." in section
    assert f"kind load docker-image {container['image']}\n" in section
    (secret,) = (each["secretRef"]["name"] for each in container["envFrom"] if "secretRef" in each)
    namespace = objects["Deployment"]["metadata"]["namespace"]
    assert f"kubectl -n {namespace} create secret generic {secret} " in section
    assert f"rollout status deployment/{objects['Deployment']['metadata']['name']} " in section
    assert f"port-forward service/{objects['Service']['metadata']['name']} 8000:80" in section
    assert re.search(
        r"\| \[k8s/base/budget\.yaml\].*: PodDisruptionBudget, ServiceAccount \|", readme
    )
    for path in re.findall(r"(?:-k|kustomize) (k8s\S+)", section):
        assert (written / path / "kustomization.yaml").is_file()


def test_its_ci_validates_what_the_overlays_give(written: Path) -> None:
    text = (written / ".github/workflows/ci.yml").read_text("utf-8")
    steps = yaml.safe_load(text)["jobs"]["manifests"]["steps"]
    commands = [step["run"] for step in steps if "run" in step and "pip" not in step["run"]]
    # The programs of this environment, under the names that the commands call.
    path = str(Path(sys.executable).parent)
    words = ["bash", "-e", "-c", f'PATH="{path}:$PATH"\n' + "\n".join(commands)]
    done = subprocess.run(words, cwd=written, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"INFO prod\.yaml passed for resource deployment/desk-2 ", done.stdout)
    broken = written / "prod.yaml"
    broken.write_text(broken.read_text("utf-8").replace("readinessProbe", "readinesProbe"), "utf-8")
    last = subprocess.run(
        ["bash", "-e", "-c", f'PATH="{path}:$PATH"\n{commands[-1]}'],
        cwd=written,
        capture_output=True,
        check=False,
    )
    assert last.returncode != 0
    for name in ("dev.yaml", "prod.yaml"):
        (written / name).unlink()


FAULTS = [
    ("Dockerfile", "app:app", "serve:app"),
    ("Dockerfile", '"8000"]', '"8080"]'),
    ("Dockerfile", "USER 10001", "USER 1000"),
    ("Dockerfile", "COPY orders.json ./\n", ""),
    (".dockerignore", "!documents\n", ""),
    ("k8s/base/service.yaml", "app: desk-2", "app: desk"),
    ("k8s/base/service.yaml", "targetPort: http", "targetPort: web"),
    ("k8s/base/deployment.yaml", "labels: {app: desk-2}", "labels: {app: desk}"),
    ("k8s/base/deployment.yaml", "path: /livez", "path: /health"),
    ("k8s/base/deployment.yaml", "configMapRef: {name: desk-2}", "configMapRef: {name: desk}"),
    ("k8s/base/deployment.yaml", "image: desk-2", "image: desk"),
    ("k8s/base/deployment.yaml", "serviceAccountName: desk-2", "serviceAccountName: desk"),
    ("k8s/base/deployment.yaml", 'port: "8000"', 'port: "9000"'),
    ("k8s/base/deployment.yaml", "replicas: 2", "replicas: [2"),
    ("k8s/base/budget.yaml", "matchLabels: {app: desk-2}", "matchLabels: {app: desk}"),
    ("k8s/base/network.yaml", "{port: http}", "{port: web}"),
    ("k8s/base/kustomization.yaml", ", network.yaml", ""),
    ("k8s/overlays/prod/hpa.yaml", "Deployment, name: desk-2", "Deployment, name: desk"),
    ("k8s/overlays/prod/kustomization.yaml", "Deployment, name: desk-2", "Deployment, name: desk"),
    ("k8s/overlays/dev/kustomization.yaml", "namespace: desk-2-dev", "namespace: desk-2"),
]

# One process for all of them: what takes long is to import the service.
TRY = """
import json, pathlib, pytest, os
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
missed = []
for name, right, wrong in [["README.md", "#", "#"], *json.loads(sys.argv[1])]:
    file = pathlib.Path(name)
    text = file.read_text("utf-8")
    assert right in text, (name, right)
    file.write_text(text.replace(right, wrong), "utf-8")
    sys.modules.pop("test_kubernetes", None)  # it reads the files when it is imported
    found = pytest.main(["-q", "-p", "no:cacheprovider", "tests/test_kubernetes.py"])
    file.write_text(text, "utf-8")
    if (found == 0) != (name == "README.md"):
        missed.append([name, wrong])
pathlib.Path("missed.json").write_text(json.dumps(missed))
"""


@pytest.mark.slow
def test_its_own_tests_find_what_does_not_fit(written: Path) -> None:
    done = run_alone(TRY, json.dumps(FAULTS), path=written, cwd=written)
    assert done.returncode == 0, done.stdout + done.stderr
    missed = written / "missed.json"
    assert json.loads(missed.read_text("utf-8")) == []
    missed.unlink()


def test_a_program_that_cannot_be_fitted_is_an_error() -> None:
    with pytest.raises(ValueError, match="Dockerfile does not have the line"):
        fitted("Dockerfile", "COPY . .\n", "shop", ["chat.py"])
    assert fitted("Dockerfile", "COPY . .\n", "shop", []) == "COPY . .\n"
