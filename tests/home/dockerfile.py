"""Tries the Dockerfile: the image of a new project is built, and a pod of it answers."""

import copy
import re
import tempfile
import time
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import yaml

from helpers.authoring.alone import run_alone
from helpers.course.home.project import new_project
from helpers.deploy.image import make_base, size_mb, write_packages
from helpers.deploy.podman import Podman
from helpers.deploy.subset import needed
from helpers.testbed import free_port, openai_server
from tests.deploy.tools import own_podman
from tests.home.kubernetes import Object, rendered

NAME = "Shop_2.x"  # a cluster takes no capital, underscore or full stop
CLUSTER_NAME = "shop-2-x"
IMAGE = f"localhost/{CLUSTER_NAME}:1.0.0-dev"


def try_dockerfile() -> None:
    """From the packages of this environment: no registry and no index are asked."""
    with (
        own_podman() as one,
        tempfile.TemporaryDirectory(prefix="elsewhere-") as folder,
        openai_server(replies=["It weighs 1.6 kg."]) as model,
    ):
        project = Path(folder, NAME)
        new_project(project)
        packages = needed(*dependencies(project))
        make_base(one, packages=packages)
        write_packages(project / "packages", packages)
        one.build(project, IMAGE, args={"PACKAGES": "copy", "BASE": "localhost/base"})
        assert not {"streamlit", "pandas", "ray", "pytest"} & {*packages}
        assert size_mb(one, IMAGE) < 700
        key, port = new_key(project), free_port()
        secret = {
            "KEYS_JSON": (project / "keys.json").read_text("utf-8"),
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": model.url,
        }
        one.play(yaml.safe_dump(pod(rendered(project / "k8s/overlays/dev"), secret, port)))
        try:
            answers(f"http://127.0.0.1:{port}", key, one)
        finally:
            one.stop(CLUSTER_NAME, grace_s=5)
        assert one.pods() == []
    assert model.chats[-1]["model"] == "gpt-4.1-mini"


def dependencies(project: Path) -> list[str]:
    """The names of the packages that the service needs, as pyproject.toml has them."""
    text = (project / "pyproject.toml").read_text("utf-8")
    return [
        re.split(r"[<>=\[]", line)[0] for line in tomllib.loads(text)["project"]["dependencies"]
    ]


def new_key(project: Path) -> str:
    """The key of a customer, made by the project's own command."""
    code = "import runpy; runpy.run_path('serve.py', run_name='__main__')"
    done = run_alone(code, "--new-key", "C-0042", path=project, cwd=project)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def pod(objects: list[Object], secret: dict[str, str], port: int) -> Object:
    """The Deployment's pod for podman: with this machine's network, so on a free port."""
    by_kind = {one["kind"]: one for one in objects}
    spec: Object = copy.deepcopy(by_kind["Deployment"]["spec"]["template"]["spec"])
    (container,) = spec["containers"]
    # podman keeps its Secrets and ConfigMaps elsewhere, and asks no probes.
    settings = {**by_kind["ConfigMap"]["data"], **secret}
    container["env"] = [{"name": name, "value": value} for name, value in settings.items()]
    for not_podmans in ("envFrom", "ports", "lifecycle", "resources"):
        del container[not_podmans]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        del container[probe]
    container |= {"image": f"localhost/{container['image']}", "imagePullPolicy": "Never"}
    command = ["python3", "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", str(port)]
    container["command"] = command
    metadata = {"name": by_kind["Deployment"]["metadata"]["name"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {**spec, "hostNetwork": True},
    }


def answers(url: str, key: str, one: Podman) -> None:
    """It becomes ready, knows who has a key, and answers from the documents in the image."""
    with closing(httpx.Client(base_url=url, timeout=10)) as client:
        ready = status(client, "/readyz", one)
        assert ready == 200, one.logs(CLUSTER_NAME)
        assert client.get("/livez").status_code == 200
        question = {"message": "How heavy is the Otter pan?"}
        assert client.post("/chat", json=question).status_code == 401
        headers = {"Authorization": f"Bearer {key}"}
        reply: Any = client.post("/chat", json=question, headers=headers).json()
        assert reply == {"answer": "It weighs 1.6 kg."}, one.logs(CLUSTER_NAME)
    said = one.logs(CLUSTER_NAME)
    assert '"service": "started"' in said
    assert "GET /readyz" not in said, "a cluster asks that every two seconds"


def status(client: httpx.Client, path: str, one: Podman) -> int:
    """The status of a path once the server listens; 0 where its pod ended or 60 seconds passed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and "Running" in one.run("pod", "ps", "--format={{.Status}}"):
        try:
            return client.get(path).status_code
        except httpx.TransportError:
            time.sleep(0.2)
    return 0
