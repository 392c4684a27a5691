"""`course ray serve` under load, while its replicas, a node and it itself are ended."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from openai import OpenAI
from ray import serve

from helpers.paths import ROOT
from helpers.scale import RunningRay
from helpers.scale.app import SUPPORT, redeploy
from helpers.scale.check import CLIENTS, client, kill_replica, under_load
from helpers.service import Settings, issue
from helpers.service.check.fake_model import FakeModel, fake_model
from helpers.service.check.load import load
from helpers.service.keys import add_key
from tests.service.serving import names, until

REQUESTS = 120 if os.environ.get("COURSE_FAST") else 500
CHUNKS = 8


@dataclass(frozen=True)
class Service:
    cluster: RunningRay
    url: str
    key: str
    model: FakeModel
    process: "subprocess.Popen[str]"

    def settings(self) -> Settings:
        """What the replicas were deployed with."""
        return Settings(upstream_url=self.model.url)


@pytest.fixture(scope="module")
def service(ray_cluster: RunningRay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    key, kept = issue("C-0042")
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    add_key(keys, kept)
    calm = {
        "RATE": "1000000/minute",
        "DAILY_TOKENS": "1000000000",
        "PER_CUSTOMER": "200",
        "SHUTDOWN_SECONDS": "10",
    }
    port = ray_cluster.url.rpartition(":")[2]
    with fake_model(chunks=CHUNKS) as model:
        words = ["ray", "serve", "--address", ray_cluster.address, "--port", port]
        words += ["--upstream", model.url, "--keys", str(keys)]
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.cli", *words],
            cwd=ROOT,
            env=os.environ
            | {f"COURSE_SERVICE_{name}": value for name, value in calm.items()}
            | {"COURSE_TIME_FACTOR": "4"},  # other tests share the cores
            stdout=subprocess.PIPE,
            stderr=(keys.parent / "log").open("w"),
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Serving on "), (keys.parent / "log").read_text()
            yield Service(ray_cluster, line.split()[2].rstrip(";"), key, model, process)
        finally:
            process.terminate()
            process.wait(40)


def test_it_answers_as_course_serve_does(service: Service) -> None:
    with httpx2.Client(
        base_url=service.url, headers={"Authorization": f"Bearer {service.key}"}, timeout=20
    ) as asking:
        assert asking.get("/readyz").json() == {"ready": True}
        assert httpx2.get(f"{service.url}/v1/models").status_code == 401
        question = {"message": "How much does the Alta 2 tent weigh?", "conversation_id": "c-1"}
        told = asking.post("/v1/chat/stream", json=question)
        assert names(told.text)[0] == "start"
        assert names(told.text)[-2:] == ["usage", "done"]
        assert {"tool", "sources", "token"} <= {*names(told.text)}
        # Any replica answers the next turn, and has read what was said.
        asking.post("/v1/chat", json={**question, "message": "And the Alta 3?"})
        said = [each["content"] for each in service.model.requests[-1]["messages"]]
        assert question["message"] in said
        figures = asking.get("/metrics").text
        assert "gen_ai_client_operation_duration_seconds_count{" in figures


def test_openai_client_works_unchanged_with_one_event_a_token(service: Service) -> None:
    openai = OpenAI(base_url=f"{service.url}/v1", api_key=service.key)
    assert "plain" in {model.id for model in openai.models.list()}
    stream = openai.chat.completions.create(
        model="plain", messages=[{"role": "user", "content": "one two"}], stream=True
    )
    texts = [text for chunk in stream if (text := chunk.choices[0].delta.content)]
    assert len(texts) == CHUNKS
    assert "".join(texts) == "one two " * (CHUNKS // 2)


def test_nothing_is_lost_through_a_killed_replica_and_a_redeploy(service: Service) -> None:
    service.model.seconds = 0.1

    def break_it() -> str:
        killed = kill_replica(SUPPORT, "Support")
        redeploy(service.cluster, service.settings(), version="2")
        return killed

    async def main() -> None:
        async with client(service.url, service.key) as asking:
            phase = await under_load("broken", asking, REQUESTS, break_it)
        found = phase.load
        assert phase.told == "1 of 2 ended at once"
        assert (found.lost, found.errors, found.reasons) == (0, 0, [])
        assert found.answered >= REQUESTS

    asyncio.run(main())


def replicas_running() -> int:
    support = serve.status().applications[SUPPORT].deployments["Support"]
    return support.replica_states.get("RUNNING", 0)


def test_a_killed_node_loses_nothing(service: Service) -> None:
    service.model.seconds = 0.1
    node = service.cluster.add_node(cpus=2)

    def break_it() -> str:
        redeploy(service.cluster, service.settings(), version="3")
        service.cluster.kill_node(node)
        return f"lost a replica: {until(lambda: replicas_running() < 2, 15)}"

    async def main() -> None:
        async with client(service.url, service.key) as asking:
            phase = await under_load("node", asking, 40, break_it)
            after = await load("after", asking, clients=CLIENTS, requests=40, retry=True)
        assert phase.told == "lost a replica: True"
        # A call that the node took and had not answered may be told as an error, once.
        assert phase.load.lost == 0, phase.load.reasons
        assert phase.load.errors <= 2, phase.load.reasons
        assert (after.answered, after.lost, after.errors) == (40, 0, 0)

    asyncio.run(main())


def test_sigterm_finishes_streams_and_then_refuses(service: Service) -> None:
    service.model.seconds = 0.4

    async def main() -> None:
        async with client(service.url, service.key) as asking:
            streams = asyncio.create_task(
                load("stopped", asking, clients=4, requests=4, retry=False)
            )
            await asyncio.sleep(1)
            service.process.terminate()
            async with asyncio.timeout(10):
                while (await asking.get("/readyz")).status_code == 200:
                    await asyncio.sleep(0.05)
            late = await asking.post("/v1/chat", json={"message": "Hi"})
            assert late.status_code == 503
            assert late.json()["type"] == "urn:fernhill:problem:stopping"
            assert int(late.headers["retry-after"]) > 0
            found = await streams
        assert (found.answered, found.lost, found.errors) == (4, 0, 0)

    asyncio.run(main())
    assert service.process.wait(40) == 0
