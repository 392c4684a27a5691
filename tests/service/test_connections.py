"""Connections before their request is known: large heads, half-sent ones, too many, HTTP/1.0."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from helpers.service.check.fake_model import FakeModel
from tests.service.serving import QUESTION, Running, events, serving, until

HALF = b"GET /livez HTTP/1.1\r\nHost: x\r\nX: "


@contextmanager
def connected(running: Running) -> Iterator[socket.socket]:
    port = int(running.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as found:
        found.settimeout(5)
        yield found


def read(stranger: socket.socket) -> bytes:
    """All that comes until the connection ends."""
    said = b""
    with suppress(ConnectionResetError):
        while part := stranger.recv(65_536):
            said += part
    return said


def alive(running: Running) -> bool:
    with running.client(timeout=2) as client:
        return bool(client.get("/livez").status_code == 200)


def post(running: Running, path: str, version: str, more: str = "") -> bytes:
    body = json.dumps({"message": "one two three four"})
    return (
        f"POST {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {running.key}\r\n{more}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def test_a_large_head_is_refused_as_it_comes(shared: Running) -> None:
    with connected(shared) as stranger:
        stranger.sendall(HALF + b"x" * 17_000)
        said = read(stranger)
    assert said.startswith(b"HTTP/1.1 431 ")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["type"].endswith(":head-too-large")
    with connected(shared) as stranger:
        started = time.perf_counter()
        with pytest.raises(OSError):  # noqa: PT011 - reset, or a broken pipe
            stranger.sendall((b"X: " + b"x" * 1000 + b"\r\n") * 40_000)
        assert time.perf_counter() - started < 2
    assert alive(shared)


def test_a_large_head_of_a_second_request_is_refused_too(shared: Running) -> None:
    with connected(shared) as stranger:
        stranger.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert stranger.recv(4096).startswith(b"HTTP/1.1 200")
        stranger.sendall(HALF + b"x" * 17_000)
        assert read(stranger).startswith(b"HTTP/1.1 431 ")


def test_a_head_within_the_limit_and_a_body_beyond_it_are_taken(shared: Running) -> None:
    with shared.client() as client:
        for _ in range(2):  # on one connection
            body = {"message": "one two", "conversation_id": "c" * 65}
            more = {"X-Long": "x" * 15_000}
            assert client.post("/v1/chat", json=body, headers=more).status_code == 422
            long = client.post("/v1/chat", content=b"{" + b" " * 60_000, headers=more)
            assert long.status_code in {400, 422}
            assert client.post("/v1/chat", content=b"x" * 200_000).status_code == 413
            assert client.post("/v1/chat", json=QUESTION, headers=more).status_code == 200


@pytest.fixture(scope="module")
def impatient() -> Iterator[Running]:
    model = FakeModel(chunks=4)
    with serving(model, head_seconds=0.3, max_connections=20) as running:
        yield running
    model.stop()


ONE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "sent"),
    [(b"", b""), (b"", b"\r\n"), (b"", b"G"), (b"", HALF), (ONE, b"G"), (ONE, HALF)],
)
def test_half_a_head_is_not_waited_for(impatient: Running, before: bytes, sent: bytes) -> None:
    with connected(impatient) as stranger:
        if before:
            stranger.sendall(before)
            stranger.recv(4096)
        stranger.sendall(sent)
        started = time.perf_counter()
        said = read(stranger)
        assert time.perf_counter() - started < 2
    if sent.strip():
        assert said.startswith(b"HTTP/1.1 408 ")
        assert b":too-slow" in said
    else:
        assert not said


def test_a_head_that_trickles_in_is_cut_off(impatient: Running) -> None:
    with connected(impatient) as stranger:
        started = time.perf_counter()
        with suppress(OSError):
            for byte in HALF * 20:
                stranger.sendall(bytes([byte]))
                time.sleep(0.02)
        assert time.perf_counter() - started < 2


def test_a_body_that_trickles_in_after_its_answer_is_cut_off(impatient: Running) -> None:
    with connected(impatient) as stranger:
        stranger.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n")
        assert stranger.recv(4096).startswith(b"HTTP/1.1 200")
        started = time.perf_counter()
        with suppress(OSError):
            for _ in range(200):
                stranger.sendall(b"x")
                time.sleep(0.02)
        assert time.perf_counter() - started < 2


def test_the_limit_is_the_heads_alone(impatient: Running) -> None:
    """An answer may take longer, and so may the time between two requests."""
    with impatient.client() as client:
        for _ in range(2):
            assert client.post("/v1/chat", json=QUESTION).status_code == 200
            time.sleep(0.4)


def test_half_sent_heads_take_no_place_from_others(model: FakeModel) -> None:
    with serving(model, head_seconds=30, max_connections=20) as running, ExitStack() as stack:
        strangers = [stack.enter_context(connected(running)) for _ in range(40)]
        for each in strangers:
            with suppress(OSError):
                each.sendall(HALF)
        assert all(alive(running) for _ in range(5))
        assert read(strangers[0]).startswith(b"HTTP/1.1 503 ")


def test_who_is_being_answered_is_not_cut_off(model: FakeModel) -> None:
    model.chunks, model.seconds = 20, 0.05
    with serving(model, max_connections=2) as running:
        with connected(running) as one, connected(running) as two:
            for each in (one, two):
                each.sendall(post(running, "/v1/chat/stream", "1.1", "Connection: close\r\n"))
            assert until(lambda: running.parts.gate.running == 2)
            with connected(running) as third:
                assert b":too-many-connections" in read(third)
            assert b"event: done" in read(one)
            assert b"event: done" in read(two)
        assert alive(running)


@pytest.mark.skipif(os.name != "posix", reason="descriptors are limited otherwise there")
def test_half_of_the_descriptors_are_left_for_the_rest() -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256));"
        "from helpers.service.connections import limited; from helpers.service import Settings;"
        "print(limited(Settings()).most_connections)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 128


# --- HTTP/1.0 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [b"", b"\r\n"])
def test_an_old_client_gets_no_chunks(shared: Running, lead: bytes) -> None:
    answers = []
    for path in ("/v1/chat", "/v1/chat/stream"):
        request = lead + post(shared, path, "1.0")
        with connected(shared) as old:
            for part in (request[:40], request[40:]):
                old.sendall(part)
                time.sleep(0.02)
            head, _, body = read(old).partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0]
        assert b"transfer-encoding" not in head.lower()
        answers.append(body.decode())
    assert json.loads(answers[0])["answer"] == "one two three four "
    found = events(answers[1])
    assert [name for name, _ in found] == ["start", *["token"] * 4, "usage", "done"]


def test_a_client_of_today_gets_chunks(shared: Running) -> None:
    with connected(shared) as client:
        client.sendall(post(shared, "/v1/chat/stream", "1.1", "Connection: close\r\n"))
        said = read(client)
    assert b"transfer-encoding: chunked" in said
    assert said.endswith(b"0\r\n\r\n")
