"""The service of a project of `course new`, on a cluster, as its README runs it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.authoring.alone import run_alone
from helpers.course.home.project import new_project
from helpers.scale import RunningRay
from helpers.testbed import Clients, openai_server
from helpers.testbed.openai_server import OpenAIServer
from tests.home.serve_app import searching_model

DEPLOYING = """
import contextlib, io, json, os, sys
import ray, ray_main, serve
from ray.serve.scripts import cli

env = {name: os.environ[name] for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PYTHONPATH")}
ray.init(log_to_driver=False, logging_level="error", runtime_env={"env_vars": env})

said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    early = ray_main.main([])
    built = ray_main.main(["--build-index"])
    serve.main(["--new-key", "C-0042"])
    ready = ray_main.main([])
with contextlib.redirect_stdout(sys.stderr):
    cli(["run", "--non-blocking", "serve.yaml"], standalone_mode=False)
print(json.dumps([early, built, ready, said.getvalue()]))
"""


@pytest.fixture
def model() -> Iterator[OpenAIServer]:
    with openai_server(replies=searching_model) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, model: OpenAIServer) -> tuple[Path, dict[str, str]]:
    """A written project for the cluster of the tests, and the variables of its processes."""
    folder = tmp_path / "shop-agent"
    new_project(folder)
    env = {"MODEL": "openai:any", "EMBEDDINGS": "openai:any", "OPENAI_API_KEY": "none"}
    env["OPENAI_BASE_URL"] = model.url
    config = yaml.safe_load((folder / "serve.yaml").read_text("utf-8"))
    (application,) = config["applications"]
    # The cluster runs already, elsewhere; so its processes are told what a terminal would tell.
    application["runtime_env"] = {"env_vars": {**env, "PYTHONPATH": str(folder)}}
    application["route_prefix"] = "/home"
    for deployment in application["deployments"]:
        deployment["num_replicas"] = 2 if deployment["name"] == "Support" else 1
    (folder / "serve.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return folder, env


async def answering(clients: Clients) -> None:
    """Wait until the service is ready."""
    async with asyncio.timeout(480):  # two minutes, unless other tests share the cores
        while (await clients.ask(path="/home/readyz")).status != 200:
            await asyncio.sleep(0.1)


async def kill_agents() -> None:
    """Kill each replica of the agent, so also the one that was there first."""
    import ray

    for actor in ray.util.list_named_actors(all_namespaces=True):
        if "shop#Support#" in actor["name"]:
            handle = ray.get_actor(actor["name"], namespace=actor["namespace"])
            await asyncio.to_thread(ray.kill, handle)


async def asked(url: str, key: str, model: OpenAIServer) -> dict[str, Any]:
    """What a client of the service sees: a refusal, many at once, and a stream that is cut."""
    headers = {"Authorization": f"Bearer {key}"}
    seen: dict[str, Any] = {}
    async with Clients(url, "/home/chat/stream", headers=headers) as clients:
        await answering(clients)
        other = {"Authorization": "Bearer guess"}
        seen["refused"] = await clients.ask({"message": "Hi"}, headers=other)
        material = {"message": "The Otter pan is made of cast iron."}
        seen["first"] = await clients.ask({**material, "conversation": "1"})
        seen["before"] = await clients.ask({"message": "Before?", "conversation": "1"})
        model.token_s = 0.1
        cut = [
            asyncio.create_task(clients.ask({**material, "conversation": f"cut-{n}"}))
            for n in range(4)
        ]
        async with asyncio.timeout(120):
            while model.in_flight < 4:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # some words have been sent
        await kill_agents()
        seen["cut"] = await asyncio.gather(*cut)
        model.token_s = 0
        seen["after"] = await clients.ask({"message": "Before?", "conversation": "1"})
    return seen


@pytest.mark.slow
def test_the_projects_service_answers_on_a_cluster_and_survives_a_killed_replica(
    project: tuple[Path, dict[str, str]], model: OpenAIServer, ray_cluster: RunningRay
) -> None:
    folder, env = project
    env = {**env, "RAY_ADDRESS": ray_cluster.address, "PYTHONPATH": str(folder)}
    done = run_alone(DEPLOYING, path=folder, cwd=folder, env=env)
    assert done.stdout, done.stderr  # the command ends with 0 also where it fails
    early, built, ready, said = json.loads(done.stdout.splitlines()[-1])
    assert (early, built, ready) == (2, 0, 0), said
    try:
        key = next(line for line in said.splitlines() if len(line) == 43 and " " not in line)
        seen = asyncio.run(asked(ray_cluster.url, key, model))
    finally:
        ray_cluster.delete("shop")
    assert (seen["refused"].status, seen["refused"].outcome) == (401, "refused")
    sentence = "Told: Otter pan: The Otter pan is made of cast iron."
    for answer in (seen["first"], *seen["cut"]):
        assert answer.outcome == "answered", answer
        assert "".join(answer.texts).startswith(sentence), answer
        assert answer.body["text"] == "".join(answer.texts)
    assert seen["before"].body["text"] == "The Otter pan is made of cast iron. + Before?"
    assert seen["after"].body["text"] == "The Otter pan is made of cast iron. + Before? + Before?"
    assert model.abandoned == 4  # all were in the middle of an answer
