"""The page's client: whole answers, refusals, and everything that can end an answer early."""

import json
from typing import Any

import pytest

from helpers.service.page.client import ServiceClient, ServiceProblem
from tests.service.page.scripted import event, scripted

START = event("start", request_id="r-1", conversation_id="c-1")
TOKEN = event("token", text="It weighs")
DONE = event("done", request_id="r-1", finish_reason="stop")
PROBLEM = {"title": "Too many requests", "status": 429, "detail": "Wait.", "retry_after": 12}


def asked(url: str, **more: Any) -> list[str]:
    return [one.name for one in ServiceClient(url, "key-1").ask("How heavy?", **more)]


def test_a_whole_answer_comes_event_by_event() -> None:
    with scripted(START + b": ping\n\n" + TOKEN + DONE) as (url, posted):
        assert asked(f"{url}/", conversation_id="c-1") == ["start", "token", "done"]
    assert posted == [
        {
            "path": "/v1/chat/stream",
            "key": "Bearer key-1",
            "message": "How heavy?",
            "conversation_id": "c-1",
        }
    ]


def test_a_text_may_hold_any_character() -> None:
    """U+2028 and U+0085 end a line for Python, and none in a stream of events."""
    text = "a\u2028b\x85c\x0bd\x1ce\u2029\U0001f3d5"
    data = json.dumps({"text": text}, ensure_ascii=False)
    token = f"event: token\r\ndata: {data}\r\n\r\n".encode()
    with scripted(START + token + DONE) as (url, _):
        _, said, _ = ServiceClient(url, "k").ask("How heavy?")
    assert said.data == {"text": text}


@pytest.mark.parametrize("data", [b"{", b"", b"[]", b"null", b'"text"'])
def test_what_is_no_event_of_the_service_is_an_answer_broken_off(data: bytes) -> None:
    with (
        scripted(START + b"event: token\ndata: " + data + b"\n\n" + DONE) as (url, _),
        pytest.raises(ServiceProblem, match="broke off"),
    ):
        asked(url)


def test_a_page_of_a_proxy_is_no_answer() -> None:
    page = scripted(b"<html></html>", kind="text/html")
    with page as (url, _), pytest.raises(ServiceProblem, match="broke off"):
        asked(url)


def test_a_first_question_names_no_conversation() -> None:
    with scripted(START + DONE) as (url, posted):
        asked(url)
    assert "conversation_id" not in posted[0]


def test_a_refusal_keeps_its_words_and_its_time() -> None:
    body = json.dumps(PROBLEM).encode()
    refusing = scripted(body, status=429, kind="application/problem+json")
    with refusing as (url, _), pytest.raises(ServiceProblem) as found:
        asked(url)
    assert (found.value.title, found.value.detail) == ("Too many requests", "Wait.")
    assert found.value.retry_after == 12


@pytest.mark.parametrize("body", [b"<h1>Bad gateway</h1>", b'"down"', b""])
def test_a_proxy_that_speaks_no_problem_documents_is_reported_by_its_status(body: bytes) -> None:
    proxy = scripted(body, status=502, kind="text/html")
    with proxy as (url, _), pytest.raises(ServiceProblem, match="HTTP status 502"):
        asked(url)


def test_an_error_in_the_middle_ends_the_answer() -> None:
    failed = event("error", title="The model failed", status=502, detail="Try again.")
    with scripted(START + TOKEN + failed) as (url, _):
        events = ServiceClient(url, "k").ask("How heavy?")
        assert [next(events).name, next(events).name] == ["start", "token"]
        with pytest.raises(ServiceProblem, match=r"The model failed\. Try again\."):
            next(events)


@pytest.mark.parametrize("promised", [None, 10_000])
def test_half_an_answer_is_never_taken_for_a_whole_one(promised: int | None) -> None:
    broken = scripted(START + TOKEN, promised=promised)
    with broken as (url, _), pytest.raises(ServiceProblem, match="broke off"):
        asked(url)


def test_nobody_at_the_address() -> None:
    with scripted(b"") as (url, _):
        pass
    client = ServiceClient(url, "k")
    with pytest.raises(ServiceProblem, match="cannot be reached"):
        next(client.ask("How heavy?"))
    with pytest.raises(ServiceProblem, match="cannot be reached"):
        client.rate("r-1", 1)
    assert not client.ready()


def test_feedback_is_posted_and_its_refusal_told() -> None:
    with scripted(b"{}", status=204) as (url, posted):
        ServiceClient(url, "k").rate("r-1", -1)
    assert posted[0]["path"] == "/v1/feedback"
    assert (posted[0]["request_id"], posted[0]["score"]) == ("r-1", -1)
    body = json.dumps({"title": "There is no such request", "detail": "r-1"}).encode()
    with scripted(body, status=404) as (url, _), pytest.raises(ServiceProblem, match="no such"):
        ServiceClient(url, "k").rate("r-1", 1)


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_whether_the_service_is_ready(status: int, ready: bool) -> None:
    with scripted(b"", status=status) as (url, _):
        assert ServiceClient(url, "k").ready() is ready
