"""The service as a process: killed, shared by two, bound to its parent, closed to strangers."""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import ROOT
from helpers.tracing.service import Service, ServiceError, running
from helpers.tracing.store import Store
from helpers.tracing.store.schema import WrongVersionError
from tests.tracing.sending import made
from tests.tracing.serving import KEY, Running


def post(url: str, key: str, path: str, body: Any) -> int:
    request = urllib.request.Request(
        url + path,
        data=json.dumps(body).encode(),
        headers={"x-api-key": key, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return int(reply.status)


def batch(size: int, project: str) -> tuple[list[str], dict[str, Any]]:
    runs = [made(project, inputs={"text": "x" * 500}) for _ in range(size)]
    return [run["id"] for run in runs], {"post": runs, "patch": []}


def stored(path: Path) -> set[str]:
    store = Store(path)
    try:
        rows = store.reading().execute(
            "SELECT r.id FROM runs AS r JOIN bodies AS b ON b.id = r.id WHERE b.inputs IS NOT NULL"
        )
        return {row["id"] for row in rows}
    finally:
        store.close()


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "traces.db", set()
    chance = random.Random(7)
    for _ in range(5):
        service = Service(path)
        timer = threading.Timer(chance.uniform(0.05, 0.4), os.kill, [service.pid, signal.SIGKILL])
        try:
            while True:
                ids, body = batch(20, "killed")
                post(service.url, service.key, "/runs/batch", body)
                acknowledged.update(ids)
                if timer.ident is None:
                    timer.start()  # in the middle of a stream of writes
        except (OSError, urllib.error.URLError):
            pass
        timer.join()
        service.stop()
        missing = acknowledged - stored(path)
        assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged runs are gone"
    assert len(acknowledged) > 100, "too few to mean anything"
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()


@pytest.mark.slow
def test_two_services_write_to_one_file(tmp_path: Path) -> None:
    path, sent = tmp_path / "traces.db", []
    with running(path) as one, running(path) as two:

        def write(service: Service) -> None:
            for _ in range(15):
                ids, body = batch(10, "shared")  # both make the project at the same time
                assert post(service.url, service.key, "/runs/batch", body) == 202
                sent.extend(ids)

        threads = [threading.Thread(target=write, args=[service]) for service in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(sent) == 300
    assert stored(path) == set(sent)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM projects").fetchone()[0] == 1
    connection.close()


_PARENT = """
import os, sys, time
from pathlib import Path
from helpers.tracing.service import Service
service = Service(Path(sys.argv[1]))
print(service.pid, flush=True)
if sys.argv[2] == "killed":
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["ends", "killed"])
def test_the_service_stops_with_its_parent(tmp_path: Path, end: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "traces.db"), end],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    if end == "killed":
        parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 30
    while alive(pid):
        assert time.monotonic() < deadline, "the service lives on without its parent"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")  # a dead process that nobody has waited for counts as gone
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_without_a_key_it_says_what_starts_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "helpers.tracing.server", str(tmp_path / "traces.db")]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "`course traces` starts the service" in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServiceError, match=r"did not start.*in use"):
            Service(tmp_path / "traces.db", port=taken.getsockname()[1])


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(WrongVersionError, match="move the file away"):
        Store(path)


@pytest.fixture
def raw(service: Running) -> Iterator[Any]:
    def send(path: str, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(service.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return send


def test_only_who_has_the_key_and_the_right_address_gets_in(raw: Any) -> None:
    assert raw("/sessions", **{"x-api-key": KEY})[0] == 200
    assert raw("/sessions")[0] == 401
    assert raw("/sessions", **{"x-api-key": KEY + "x"})[0] == 401
    # A page of the web whose name was pointed at this machine has another host.
    assert raw("/sessions", Host="evil.example", **{"x-api-key": KEY})[0] == 400


def test_both_ways_to_write_the_endpoint(raw: Any) -> None:
    for prefix in ("", "/api/v1", "/v1"):
        assert raw(f"{prefix}/sessions", **{"x-api-key": KEY})[0] == 200


def test_an_oversized_body_is_refused(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers.tracing.api import ingest

    monkeypatch.setattr(ingest, "LARGEST_BODY", 1000)
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(service.url, KEY, "/runs/batch", batch(10, "large")[1])
    assert caught.value.code == 413
