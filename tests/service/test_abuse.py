"""Requests that are wrong, huge, slow or from strangers."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from helpers.service.check.fake_model import FakeModel
from helpers.service.keys import KeyRing, KeysError, add_key, issue, read_keys
from tests.service.serving import QUESTION, Running, cheap_agent, events, serving

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 422, "invalid"),
        (b"{", 400, "bad-request"),
        (b"null", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"\xff\xfe", 400, "bad-request"),
        (b"[" * 30_000, 400, "bad-request"),
        (b'{"message": null}', 422, "invalid"),
        (b'{"message": 3}', 422, "invalid"),
        (b'{"message": ["a"]}', 422, "invalid"),
        (b'{"message": ""}', 422, "invalid"),
        (b'{"message": "   "}', 422, "invalid"),
        (b'{"message": "\\ud800"}', 422, "invalid"),
        (b'{"message": "a", "role": "system"}', 422, "invalid"),
        (b'{"message": "a", "conversation_id": "../C-0007/x"}', 422, "invalid"),
        (b'{"message": "a", "conversation_id": NaN}', 422, "invalid"),
        (json.dumps({"message": "x" * 4001}).encode(), 422, "too-long"),
        (json.dumps({"message": "x" * 70_000}).encode(), 413, "too-large"),
    ],
)
def test_bad_bodies(shared: Running, body: bytes, status: int, kind: str) -> None:
    for path in ("/v1/chat", "/v1/chat/stream"):
        with shared.client() as client:
            reply = client.post(path, content=body, headers=JSON)
        assert reply.status_code == status
        problem = reply.json()
        assert problem["type"] == f"urn:fernhill:problem:{kind}"
        assert problem["status"] == status
        assert problem["request_id"] == reply.headers["x-request-id"]
        assert reply.headers["content-type"] == "application/problem+json"


HALF = b'"\\ud83d"'
HALVES = [
    ("/v1/chat", b'{"message": ' + HALF + b"}"),
    ("/v1/chat", b'{"message": "a", ' + HALF + b": 1}"),
    ("/v1/chat/stream", b'{"message": "a", "conversation_id": ' + HALF + b"}"),
    ("/v1/chat", b'{"message": "\xed\xa0\xbd"}'),  # not in an escape, but in bytes
]
for _body in (
    b'{"model": "plain", "messages": [{"role": "user", "content": %s}]}',
    b'{"model": "plain", "messages": [{"role": "user", "content": [%s]}]}'
    % b'{"type": "text", "text": %s}',
    b'{"model": %s, "messages": [{"role": "user", "content": "a"}]}',
    b'{"model": "plain", "messages": [{"role": %s, "content": "a"}]}',
    b'{"model": "plain", "user": %s, "messages": [{"role": "user", "content": "a"}]}',
    b'{"model": "plain", "stream": true, "messages": [{"role": "user", "content": %s}]}',
):
    HALVES.append(("/v1/chat/completions", _body % HALF))
_ID = b'"request_id": "019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21", "score": 1'
HALVES += [
    ("/v1/feedback", b"{" + _ID + b', "comment": ' + HALF + b"}"),
    ("/v1/feedback", b"{" + _ID + b", " + HALF + b": 1}"),
]


@pytest.mark.parametrize(("path", "body"), HALVES)
def test_half_an_emoji_is_the_callers_mistake(shared: Running, path: str, body: bytes) -> None:
    with shared.client() as client:
        reply = client.post(path, content=body, headers=JSON)
    assert reply.status_code == 422
    assert reply.json()["type"] == "urn:fernhill:problem:invalid"


def test_a_whole_emoji_in_two_escapes_is_taken(shared: Running) -> None:
    with shared.client() as client:
        reply = client.post("/v1/chat", content=b'{"message": "\\ud83c\\udfd5"}', headers=JSON)
    assert reply.json()["answer"].split()[0] == "\U0001f3d5"


def test_what_was_sent_is_not_repeated(shared: Running) -> None:
    with shared.client() as client:
        reply = client.post("/v1/chat", json={"message": 3, "secret": "hunter2"})
    assert "hunter2" not in reply.text


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"model": "plain", "messages": []}, "/messages"),
        ({"model": "plain", "messages": [{"role": "tool", "content": "x"}]}, "/messages/0/role"),
        ({"model": "plain", "messages": [{"role": "assistant", "content": "x"}]}, "last message"),
        ({"model": "plain", "messages": [{"role": "user", "content": "x"}], "n": 2}, "/n"),
        ({"model": "plain", "messages": [{"role": "user", "content": "x"}] * 41}, "at most 40"),
        ({"model": "plain", "messages": [{"role": "user", "content": "x" * 3999}] * 9}, "tokens"),
    ],
)
def test_bad_completions(shared: Running, body: dict[str, object], detail: str) -> None:
    with shared.client() as client:
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 422
    assert detail in reply.json()["detail"]


def test_a_huge_body_in_chunks_is_refused_before_it_has_come(shared: Running) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield b"x" * 10_000

    with shared.client() as client:
        reply = client.post("/v1/chat", content=body(), headers=JSON)
    assert reply.status_code == 413
    assert reply.json()["type"].endswith(":too-large")


def test_a_small_body_in_chunks_is_taken(shared: Running) -> None:
    with shared.client() as client:
        reply = client.post("/v1/chat", content=iter([b'{"mess', b'age": "a"}']), headers=JSON)
    assert reply.status_code == 200


def test_a_body_that_trickles_in_is_cut_off(model: FakeModel) -> None:
    with serving(model, body_seconds=0.3) as running:
        port = int(running.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as slow:
            head = f"POST /v1/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.key}\r\n"
            slow.sendall(
                f"{head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{".encode()
            )
            slow.settimeout(5)
            reply = slow.recv(4096).decode()
    assert reply.startswith("HTTP/1.1 408")
    assert "urn:fernhill:problem:too-slow" in reply or "application/problem+json" in reply


def test_too_many_headers_or_no_http_at_all_do_no_harm(shared: Running) -> None:
    port = int(shared.url.rpartition(":")[2])
    for junk in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"A" * 100_000):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.settimeout(5)
            with suppress(OSError):  # the server may hang up
                stranger.sendall(junk)
                stranger.shutdown(socket.SHUT_WR)
                stranger.recv(4096)
    with shared.client() as client:
        assert client.get("/livez").status_code == 200


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Basic abc",
        "Bearer nonsense",
        "Bearer fh_",
        "Bearer fh__",
        "Bearer fh_000000000000_x",
        "Bearer \xff\xfe",
    ],
)
def test_strangers_are_told(shared: Running, header: str | None) -> None:
    with shared.client() as client:
        del client.headers["authorization"]
        headers = {} if header is None else {"Authorization": header.encode("latin-1")}
        for method, path in (("POST", "/v1/chat"), ("GET", "/v1/models"), ("POST", "/v1/feedback")):
            body = {"json": QUESTION} if path == "/v1/chat" else {}
            if path == "/v1/feedback":
                body = {"json": {"request_id": "019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21", "score": 1}}
            reply = client.request(method, path, headers=headers, **body)
            assert reply.status_code == 401
            assert reply.headers["www-authenticate"] == "Bearer"
            assert reply.json()["type"].rpartition(":")[2] in {"no-key", "bad-key"}


def test_a_key_with_another_secret_or_prefix_is_none() -> None:
    key, kept = issue("C-0042")
    ring = KeyRing([kept])
    assert ring.find(key) == kept
    prefix, name, secret = key.split("_", 2)
    for wrong in (
        f"{prefix}_{name}_{secret}x",
        f"{prefix}_{name}_{secret[:-1]}",
        f"x_{name}_{secret}",
    ):
        assert ring.find(wrong) is None
    assert secret not in kept.model_dump_json()


def test_a_file_of_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    with pytest.raises(KeysError, match="course serve --issue"):
        read_keys(file)
    issued = [issue(customer) for customer in ("C-0001", "C-0002")]
    for _, kept in issued:
        add_key(file, kept)
    assert read_keys(file) == [kept for _, kept in issued]
    assert all(key.split("_", 2)[2] not in file.read_text() for key, _ in issued)
    assert file.stat().st_mode & 0o077 == 0
    file.write_text('[{"id": 1}]')
    with pytest.raises(KeysError, match="no file of keys"):
        read_keys(file)


# --- nobody hears what another said --------------------------------------------------------------


@pytest.mark.parametrize(("path", "turns"), [("plain", 2), ("agent", 1)])
def test_two_hundred_interleaved_conversations_do_not_mix(
    model: FakeModel, path: str, turns: int
) -> None:
    places = {"running": 20, "waiting": 500, "per_customer": 500, "wait_seconds": 100}
    with serving(model, make_agent=cheap_agent, path=path, **places) as running:

        async def talk(client: httpx2.AsyncClient, number: int) -> list[str]:
            said = []
            for turn in range(turns):
                # Both customers use the same ids.
                message = f"Does the Alta 2 weigh n{number} t{turn}"
                body = {"message": message, "conversation_id": f"c{number // 2}"}
                reply = await client.post("/v1/chat/stream", json=body)
                assert reply.status_code == 200
                said.append(reply.text)
            return said

        async def all_of_them() -> list[list[str]]:
            async with (
                running.async_client(timeout=120) as mine,
                running.async_client(running.other_key, timeout=120) as theirs,
            ):
                return await asyncio.gather(
                    *(talk((mine, theirs)[number % 2], number) for number in range(200))
                )

        answers = asyncio.run(all_of_them())
    for number, said in enumerate(answers):
        for turn, text in enumerate(said):
            words = "".join(data["text"] for name, data in events(text) if name == "token")
            assert words.split()[-2:] == [f"n{number}", f"t{turn}"]
    for request in model.requests:
        numbers = {m["content"].split()[-2] for m in request["messages"] if m["role"] == "user"}
        assert len(numbers) == 1, numbers


def test_a_conversation_takes_one_message_at_a_time(model: FakeModel) -> None:
    model.fault = "slow"
    body = {"message": "one two three", "conversation_id": "c"}
    with serving(model) as running:

        async def twice() -> list[int]:
            async with running.async_client() as client:
                asked = (client.post("/v1/chat", json=body) for _ in range(2))
                return sorted(reply.status_code for reply in await asyncio.gather(*asked))

        assert asyncio.run(twice()) == [200, 409]


def test_old_conversations_and_long_ones_end(model: FakeModel) -> None:
    with serving(model, max_conversations=2, max_messages=4) as running, running.client() as client:

        def ask(conversation: str) -> int:
            body = {"message": "one", "conversation_id": conversation}
            return int(client.post("/v1/chat", json=body).status_code)

        assert [ask(name) for name in ("a", "b", "c")] == [200] * 3
        assert len(running.parts.conversations) == 2
        assert [ask("c"), ask("c")] == [200, 409]
        assert ask("a") == 200  # forgotten, so it begins anew
        assert len(model.requests[-1]["messages"]) == 1


def test_a_slow_reader_slows_down_nobody_else(model: FakeModel) -> None:
    model.chunks = 2000
    with serving(model, running=2) as running:
        port = int(running.url.rpartition(":")[2])
        body = json.dumps(QUESTION)
        with socket.create_connection(("127.0.0.1", port)) as slow:
            head = (
                f"POST /v1/chat/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.key}"
            )
            head += f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            slow.sendall(f"{head}{body}".encode())
            time.sleep(0.2)
            with running.client() as client:
                assert client.post("/v1/chat", json=QUESTION).status_code == 200
