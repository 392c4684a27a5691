"""Chunks as other servers send them: what is harmless is answered, what is not is a 502."""

import copy
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from helpers.service.check.fake_model import FakeModel
from helpers.service.chunks import ChunkReader, DataLines, UnusableChunk
from tests.service.serving import cheap_agent, events, serving

Chunks = list[dict[str, Any]]
Sent = Iterable[dict[str, Any] | bytes]
ENGINES = [
    pytest.param({"passthrough": True}, id="http"),
    pytest.param({"passthrough": False}, id="langchain"),
    pytest.param({"path": "agent", "make_agent": cheap_agent}, id="agent"),
]
TENT = "\U0001f3d5"
QUESTION = f"Does the tent {TENT} weigh 2 kg?"


def data(text: str) -> bytes:
    return f"data: {text}\n\n".encode()


def choices(chunks: Chunks) -> Chunks:
    return [choice for chunk in chunks for choice in chunk["choices"]]


def error_is_null(chunks: Chunks) -> Sent:
    return [{**chunk, "error": None} for chunk in chunks]


def no_delta_at_the_end(chunks: Chunks) -> Sent:
    for choice in choices(chunks):
        if choice["finish_reason"]:
            del choice["delta"]
    return chunks


def null_delta_at_the_end(chunks: Chunks) -> Sent:
    for choice in choices(chunks):
        if choice["finish_reason"]:
            choice["delta"] = None
    return chunks


def content_in_parts(chunks: Chunks) -> Sent:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    for choice in choices(chunks):
        if text := choice["delta"].get("content"):
            half = len(text) // 2
            texts = [{"type": "text", "text": part} for part in (text[:half], text[half:])]
            choice["delta"]["content"] = [thought, *texts]
    return chunks


def nulls_and_blanks_between(chunks: Chunks) -> Sent:
    for chunk in chunks:
        yield from (data("null"), data(""), b": ping\n\n", b"event: message\nid: 1\n", chunk)


def choices_are_null(chunks: Chunks) -> Sent:
    return [{"id": "x", "choices": None, "usage": None}, *chunks, {"id": "x"}]


def other_line_ends(chunks: Chunks) -> Sent:
    ends = ("\r\n\r\n", "\n", "\r\r")
    return [
        f"data:{json.dumps(chunk)}{ends[number % 3]}".encode()
        for number, chunk in enumerate(chunks)
    ]


def an_emoji_in_two_escapes(chunks: Chunks) -> Sent:
    for chunk in chunks:
        found = [each["delta"].get("content") or "" for each in chunk["choices"]]
        if TENT not in "".join(found):
            yield chunk
            continue
        for half in ("\\ud83c", "\\udfd5 "):
            part = copy.deepcopy(chunk)
            part["choices"][0]["delta"]["content"] = "HALF"
            yield data(json.dumps(part).replace("HALF", half))


def bytes_one_by_one(chunks: Chunks) -> Sent:
    whole = "".join(f"data: {json.dumps(each, ensure_ascii=False)}\n\n" for each in chunks)
    return (bytes([each]) for each in whole.encode())


def a_tool_call_without_index(chunks: Chunks) -> Sent:
    for choice in choices(chunks):
        for call in choice["delta"].get("tool_calls") or ():
            del call["index"]
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return chunks


def nulls_in_the_delta(chunks: Chunks) -> Sent:
    for choice in choices(chunks):
        choice["delta"] = {"role": None, "content": None, "tool_calls": None} | choice["delta"]
        choice["logprobs"] = None
    return chunks


HARMLESS: list[Callable[[Chunks], Sent]] = [
    error_is_null,
    no_delta_at_the_end,
    null_delta_at_the_end,
    content_in_parts,
    nulls_and_blanks_between,
    choices_are_null,
    other_line_ends,
    an_emoji_in_two_escapes,
    bytes_one_by_one,
    a_tool_call_without_index,
    nulls_in_the_delta,
]


@pytest.mark.parametrize("engine", ENGINES)
def test_harmless_chunks_end_no_answer(model: FakeModel, engine: dict[str, Any]) -> None:
    with serving(model, **engine) as running, running.client() as client:
        for edit in HARMLESS:
            model.edit = edit
            reply = client.post("/v1/chat/stream", json={"message": QUESTION})
            found = events(reply.text)
            said = "".join(each["text"] for name, each in found if name == "token")
            last, end = found[-1]
            assert (edit.__name__, said.strip()) == (edit.__name__, QUESTION)
            assert (edit.__name__, last, end.get("finish_reason")) == (
                edit.__name__,
                "done",
                "stop",
            )
            assert dict(found)["usage"]["output_tokens"] > 0


USAGES: list[tuple[Any, int | None]] = [
    ({"prompt_tokens": 5}, None),
    ({"prompt_tokens": 5, "completion_tokens": None, "total_tokens": None}, None),
    ({"prompt_tokens": "5", "completion_tokens": 7}, None),
    ({}, None),
    ("5", None),
    ({"prompt_tokens": 5, "total_tokens": 12}, 7),
    ({"prompt_tokens": 5, "completion_tokens": 7, "completion_tokens_details": [1]}, 7),
    ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"x": "y"}}, 7),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_usage_that_says_half_is_not_known(model: FakeModel, engine: dict[str, Any]) -> None:
    usage: Any = None

    def edit(chunks: Chunks) -> Sent:
        return [{**chunk, "usage": usage} if "usage" in chunk else chunk for chunk in chunks]

    model.edit = edit
    calls = 2 if engine.get("path") == "agent" else 1
    with serving(model, **engine) as running, running.client() as client:
        for usage, written in USAGES:
            reply = client.post("/v1/chat", json={"message": QUESTION})
            assert (usage, reply.status_code) == (usage, 200)
            found = reply.json()["usage"]["output_tokens"]
            assert (usage, found) == (usage, written and written * calls)


UNUSABLE: list[bytes] = [
    data("[]"),
    data('"text"'),
    data("7"),
    data("[" * 100_000),
    data('{"choices": {}}'),
    data('{"choices": [3]}'),
    data('{"choices": [{"delta": []}]}'),
    data('{"choices": [{"delta": {"content": 3}}]}'),
    data('{"choices": [{"delta": {"content": {"text": "x"}}}]}'),
    data('{"choices": [{"delta": {}, "finish_reason": 3}]}'),
    data('{"choices": [{"delta": {"tool_calls": 3}}]}'),
    data('{"choices": [{"delta": {"tool_calls": [null]}}]}'),
    data('{"choices": [{"delta": {"tool_calls": [{"index": 0, "function": 3}]}}]}'),
    data('{"choices": [{"delta": {"tool_calls": [{"index": "0", "function": {}}]}}]}'),
    data('{"choices": [{"delta": {"tool_calls": [{"function": {"name": 3}}]}}]}'),
    b'data: {"choices": [{"delta": {"content": "\xf0\x9f"}}]}\n\n',
    data('{"error": "overloaded"}'),
    data('{"error": {"message": "\\ud800"}}'),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_chunks_that_cannot_be_used_are_the_models_failure(
    model: FakeModel, engine: dict[str, Any]
) -> None:
    bad = b""
    model.edit = lambda chunks: [*chunks[: len(chunks) // 2], bad]
    with (
        serving(model, breaker_failures=1000, **engine) as running,
        running.client() as client,
    ):
        for bad in UNUSABLE:
            whole = client.post("/v1/chat", json={"message": QUESTION})
            kind = whole.json()["type"].rpartition(":")[2]
            assert (bad, whole.status_code, kind) == (bad, 502, "model-failed")
            reply = client.post("/v1/chat/stream", json={"message": QUESTION})
            if reply.status_code == 200:
                last, end = events(reply.text)[-1]
                assert (bad, last, end["type"]) == (
                    bad,
                    "error",
                    "urn:fernhill:problem:model-failed",
                )
            else:
                assert (bad, reply.status_code) == (bad, 502)


def test_half_an_emoji_that_stays_alone_becomes_a_sign() -> None:
    reader = ChunkReader()

    def said(text: str, reason: str | None = None) -> str:
        choice = {"delta": {"content": text}, "finish_reason": reason}
        chunk = reader.read(json.dumps({"choices": [choice]}).encode())
        assert chunk is not None
        return str(chunk["choices"][0]["delta"].get("content"))

    assert said("a\ud83c") == "a"
    assert said("b") == "\ufffdb"
    assert said("\udfd5") == "\ufffd"
    assert said("\ud83c") == ""
    assert said("", "stop") == "\ufffd"
    assert said("caf\u00e9 \U0001f3d5", "stop") == "caf\u00e9 \U0001f3d5"


def test_a_chunk_in_openais_shape_is_passed_on_as_it_came() -> None:
    reader = ChunkReader()
    delta = {"role": "assistant", "content": "a"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    for found in (
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    ):
        assert reader.read(json.dumps(found).encode()) == found
        assert not reader.changed
    assert reader.read(b'{"choices": null}') == {"choices": []}
    assert reader.changed


def test_calls_without_an_index_are_kept_apart() -> None:
    reader = ChunkReader()

    def index(**call: Any) -> int:
        chunk = reader.read(json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]}).encode())
        assert chunk is not None
        return int(chunk["choices"][0]["delta"]["tool_calls"][0]["index"])

    assert index(id="a", function={"name": "f"}) == 0
    assert index(function={"arguments": "{"}) == 0
    assert index(id="b", function={"name": "f"}) == 1
    assert index(function=None) == 1


def test_an_error_that_is_none_is_no_error() -> None:
    nothings: list[Any] = [None, "", {}, False]
    for nothing in nothings:
        assert ChunkReader().read(json.dumps({"error": nothing}).encode()) == {"choices": []}
    with pytest.raises(UnusableChunk, match="failed in the middle"):
        ChunkReader().read(b'{"error": "x"}')


def test_lines_are_cut_wherever_the_bytes_were_cut() -> None:
    body = "data: caf\u00e9\r\ndata:2\n\n: ping\ndata: \u2028\x85\r\rdata: cut off".encode()
    expected = ["caf\u00e9", "2", "\u2028\x85"]
    for size in range(1, len(body)):
        lines = DataLines()
        parts = [body[start : start + size] for start in range(0, len(body), size)]
        assert [each.decode() for part in parts for each in lines.feed(part)] == expected
