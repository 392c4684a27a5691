"""`course serve-check`: what it counts on a good service, and that it sees a bad one."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import pytest

from helpers.evaluate.checklist import item
from helpers.paths import ROOT
from helpers.service.check import command
from helpers.service.check.fake_model import FakeModel
from helpers.service.check.faults import caller_faults, model_faults
from helpers.service.check.load import load
from helpers.service.check.profiling import Profile
from tests.service.serving import cheap_agent, serving


@contextmanager
def bad_service(reply: bytes) -> Iterator[httpx2.AsyncClient]:
    """A client of a service that gives every request the same reply."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False)
    finally:
        server.shutdown()
        server.server_close()


_STREAM = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: token\ndata: "


@pytest.mark.parametrize(
    ("reply", "errors", "lost"),
    [
        (b"HTTP/1.0 500 Error\r\n\r\n", 4, 0),
        (b"HTTP/1.0 503 Busy\r\n\r\n", 4, 0),  # no Retry-After
        (b"", 0, 4),
        (_STREAM + b'{"text":"half"}\n\n', 0, 4),
        (_STREAM + b'{"text":"of somebody else"}\n\nevent: done\ndata: {}\n\n', 0, 4),
        (_STREAM + b'{"text":"half"}\n\nevent: error\ndata: {}\n\n', 4, 0),
    ],
)
def test_load_sees_what_goes_wrong(reply: bytes, errors: int, lost: int) -> None:
    with bad_service(reply) as client:
        found = asyncio.run(load("bad", client, clients=2, requests=4, retry=False))
    assert (found.answered, found.errors, found.lost) == (0, errors, lost)


def test_load_sees_a_dead_service() -> None:
    client = httpx2.AsyncClient(base_url="http://127.0.0.1:1", trust_env=False)
    found = asyncio.run(load("dead", client, clients=2, requests=4, retry=False))
    assert (found.answered, found.lost) == (0, 4)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.0 500 Error\r\n\r\nInternal Server Error",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"",
        _STREAM + b'{"text":"half"}\n\n',
    ],
)
def test_faults_see_what_is_not_clear(reply: bytes) -> None:
    with bad_service(reply) as client:
        found = asyncio.run(caller_faults(client))
    assert not any(each.clear for each in found)


def test_the_services_own_faults_are_clear(model: FakeModel) -> None:
    hurried = {"silence_seconds": 0.7, "deadline_seconds": 2, "attempts": 1}
    with serving(model, make_agent=cheap_agent, path="agent", **hurried) as running:

        async def all_of_them() -> list[command.Finding]:
            async with running.async_client() as client:
                return [*await caller_faults(client), *await model_faults(client, model)]

        found = asyncio.run(all_of_them())
    assert [each for each in found if not each.clear] == []
    assert len(found) >= 20


def test_figures_are_those_of_the_checklist() -> None:
    report = command.Report((), (), 0)
    for name, figures in (
        ("load", command.load_figures(report)),
        ("failure_modes", command.fault_figures(report)),
    ):
        assert {each.figure for each in item(name).thresholds} == set(figures)
        assert item(name).command == command.COMMAND


def test_no_evidence_in_fast_mode(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 1
    assert "fast mode" in capsys.readouterr().err


def test_a_report_for_people_and_programs() -> None:
    report = command.Report((), (command.Finding("f", "502", False, 0.1),), 0)
    assert any("NO" in line for line in command.as_lines(report))
    assert json.loads(json.dumps(command.as_json(report)))["faults_without_a_clear_error"] == 1


def _profile_alone() -> Profile:
    """In a process of its own: a profiler counts what earlier tests left running in this one."""
    code = (
        "import json; from helpers.service.check.profiling import profile;"
        " found = profile('plain', requests=10, chunks=16);"
        " print(json.dumps([found.milliseconds, found.by_library]))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Profile("plain", *json.loads(done.stdout.splitlines()[-1]))


def test_a_profile_adds_up() -> None:
    found = _profile_alone()
    assert found.milliseconds > 0
    assert sum(found.by_library.values()) == pytest.approx(found.milliseconds)
    assert found.by_library["HTTP client"] > 0
    assert "LangGraph" not in found.by_library
