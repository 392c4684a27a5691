"""The cluster: once a process, stopped at the end, and a sentence for what cannot be used."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from ray import serve

from helpers.paths import ROOT
from helpers.scale import ClusterError, DeploymentError, RayError, RunningRay, join_ray, start_ray
from helpers.scale import cluster as room


@pytest.fixture
def not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has no cluster yet."""
    monkeypatch.setattr(room, "_running", None)
    monkeypatch.delenv("COURSE_RAY", raising=False)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


def refused(address: str) -> str:
    began = time.monotonic()
    with pytest.raises(ClusterError) as problem:
        join_ray(address)
    assert time.monotonic() - began < 8
    return str(problem.value)


@pytest.mark.usefixtures("not_started")
def test_nothing_listens_at_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address = f"127.0.0.1:{sock.getsockname()[1]}"
    said = refused(address)
    assert said.startswith(f"No Ray cluster answers at {address} (")
    assert "RAY_ADDRESS" in said


@pytest.mark.usefixtures("not_started")
def test_what_listens_says_nothing(listener: int) -> None:
    assert f"127.0.0.1:{listener} (timed out)" in refused(f"127.0.0.1:{listener}")


@pytest.mark.usefixtures("not_started")
def test_what_listens_is_a_web_server() -> None:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert "something else listens there" in refused(f"127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("not_started")
@pytest.mark.parametrize(
    "address", ["", "6379", "127.0.0.1", "127.0.0.1:", "a:b", "h:0", "h:65536", "http://h:6379/"]
)
def test_no_address(address: str) -> None:
    said = refused(address)
    assert f"{address!r} is not the address of a Ray cluster: write host:port" in said


@pytest.mark.usefixtures("not_started")
def test_a_port_that_is_taken(listener: int) -> None:
    with pytest.raises(ClusterError, match=rf"127.0.0.1:{listener} cannot be had .*another port"):
        start_ray(port=listener)


@pytest.mark.usefixtures("not_started")
@pytest.mark.parametrize("nodes", [1, 2])
def test_too_little_shared_memory(nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    free = nodes * room.STORE_MB * 2**20 - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.setattr(room, "_SHARED_MEMORY", ROOT)
    with pytest.raises(ClusterError, match=rf"Ray needs {nodes * room.STORE_MB} MB .*--shm-size"):
        start_ray(nodes=nodes)


@pytest.mark.usefixtures("not_started")
def test_a_start_that_fails_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def start(*args: object) -> RunningRay:
        tries.append(args)
        raise RuntimeError("a long story\nthe node did not come up.")

    monkeypatch.setattr(room, "_start", start)
    with pytest.raises(ClusterError, match=r"in two tries \(the node did not come up\)"):
        start_ray()
    assert len(tries) == 2


def test_a_second_start_is_the_same_cluster(ray_cluster: RunningRay) -> None:
    assert start_ray(nodes=3) is ray_cluster
    assert join_ray("nowhere:1") is ray_cluster


def test_everything_listens_on_loopback(ray_cluster: RunningRay) -> None:
    assert ray_cluster.address.startswith("127.0.0.1:")
    assert ray_cluster.url.startswith("http://127.0.0.1:")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_another_version_is_named_and_the_same_one_joins(ray_cluster: RunningRay) -> None:
    code = f"""
import ray
from helpers.scale import RayError, join_ray, start_ray
mine, ray.__version__ = ray.__version__, "2.50.0"
try:
    join_ray({ray_cluster.address!r})
except RayError as error:
    print(error)
ray.__version__ = mine
joined = start_ray()
print(joined.address, joined.url)
try:
    joined.add_node()
except RayError as error:
    print(error)
joined.stop()
"""
    where = json.dumps({"address": ray_cluster.address, "url": ray_cluster.url})
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "COURSE_RAY": where},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    other, joined, nodes = done.stdout.splitlines()
    assert f"The cluster at {ray_cluster.address} runs Ray 2." in other
    assert "this environment Ray 2.50.0" in other
    assert "install the same versions on both sides" in other
    assert joined == f"{ray_cluster.address} {ray_cluster.url}"
    assert nodes.startswith("Cannot add a node: the cluster at")


@serve.deployment(max_constructor_retry_count=1, ray_actor_options={"num_cpus": 0.1})
class Broken:
    def __init__(self) -> None:
        raise ValueError("there is no model at /nowhere")


@serve.deployment(ray_actor_options={"num_cpus": 1000})
class TooLarge:
    pass


def test_a_deployment_that_does_not_start(ray_cluster: RunningRay) -> None:
    with pytest.raises(DeploymentError) as problem:
        ray_cluster.serve(Broken.bind(), name="broken")
    said = "Broken of 'broken' did not start: ValueError: there is no model at /nowhere."
    assert str(problem.value) == said
    ray_cluster.delete("broken")


def test_a_deployment_that_finds_no_place(ray_cluster: RunningRay) -> None:
    with pytest.raises(RayError, match=r"TooLarge of 'large' did not run within 1 s: .*CPUs"):
        ray_cluster.serve(TooLarge.bind(), name="large", limit_s=1)
    serve.delete("large", _blocking=False)
