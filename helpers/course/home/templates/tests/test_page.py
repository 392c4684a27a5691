import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from streamlit.testing.v1 import AppTest

import page as script

PAGE = Path(script.__file__)
STREAM = httpx2.stream
Handler = Callable[[httpx2.Request], httpx2.Response]


def event(name: str, **data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def streamed(*events: str) -> httpx2.Response:
    headers = {"content-type": "text/event-stream"}
    return httpx2.Response(200, headers=headers, text="".join(events))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Handler], AppTest]]:
    """Opens the page on a service that answers by a function of the request."""
    clients: list[httpx2.Client] = []

    def on(handler: Handler) -> AppTest:
        clients.append(httpx2.Client(transport=httpx2.MockTransport(handler)))
        monkeypatch.setattr(httpx2, "stream", clients[-1].stream)
        return AppTest.from_file(PAGE, default_timeout=30).run()

    monkeypatch.setenv("SERVICE_URL", "http://service.test/")
    monkeypatch.setenv("SERVICE_KEY", "key-1")
    yield on
    for client in clients:
        client.close()


def asked(page: AppTest, question: str) -> AppTest:
    page.chat_input[0].set_value(question).run()
    assert not page.exception
    return page


def shown(page: AppTest) -> list[tuple[str, str]]:
    """Who says what on the page."""
    return [(message.name, message.text[0].value) for message in page.chat_message]


def test_answers_stay_and_belong_to_one_conversation(
    opened: Callable[[Handler], AppTest],
) -> None:
    seen: list[httpx2.Request] = []

    def service(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return streamed(event("token", text="On"), event("done", text=f"Answer {len(seen)}."))

    page = asked(asked(opened(service), "First?"), "Second?")
    assert shown(page) == [
        ("user", "First?"),
        ("assistant", "Answer 1."),
        ("user", "Second?"),
        ("assistant", "Answer 2."),
    ]
    assert not page.error
    assert not page.button
    first, second = (json.loads(request.content) for request in seen)
    assert first["conversation"] == second["conversation"]
    assert (first["message"], second["message"]) == ("First?", "Second?")
    assert {str(request.url) for request in seen} == {"http://service.test/chat/stream"}
    assert {request.headers["authorization"] for request in seen} == {"Bearer key-1"}


def test_two_visitors_have_two_conversations(opened: Callable[[Handler], AppTest]) -> None:
    names: list[str] = []

    def service(request: httpx2.Request) -> httpx2.Response:
        names.append(json.loads(request.content)["conversation"])
        return streamed(event("done", text="Hello."))

    for _ in range(2):
        asked(opened(service), "Hi")
    assert names[0] != names[1]


def test_what_was_cut_off_stays_and_can_be_asked_again(
    opened: Callable[[Handler], AppTest],
) -> None:
    replies = [
        streamed(event("done", text="Hello.")),
        streamed(event("token", text="It weighs")),
        streamed(event("token", text="It"), event("done", text="It weighs 2 kg.")),
    ]
    page = asked(opened(lambda request: replies.pop(0)), "Hi")
    asked(page, "How heavy is it?")
    assert shown(page)[2:] == [("user", "How heavy is it?"), ("assistant", "It weighs")]
    assert [error.value for error in page.error] == ["The answer was cut off."]
    page.button[0].click().run()
    assert shown(page)[1:] == [
        ("assistant", "Hello."),
        ("user", "How heavy is it?"),
        ("assistant", "It weighs 2 kg."),
    ]
    assert not page.error
    assert not page.button
    assert not replies


def refused(status: int, detail: str, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers=headers, json={"status": status, "detail": detail})


def lost(error: type[Exception]) -> Handler:
    def service(request: httpx2.Request) -> httpx2.Response:
        raise error("no route")

    return service


@pytest.mark.parametrize(
    ("service", "says"),
    [
        (lambda _: refused(401, "no"), "The service does not know this key: check SERVICE_KEY."),
        (
            lambda _: refused(503, "All places are taken.", **{"retry-after": "2"}),
            "All places are taken. Ask again in 2 seconds.",
        ),
        (lambda _: httpx2.Response(413, text="Too large"), "The service answers with status 413."),
        (lambda _: httpx2.Response(500, json=[]), "The service answers with status 500."),
        (lambda _: streamed(event("error", status=502, detail="Try again.")), "Try again."),
        (lambda _: streamed(), "The answer was cut off."),
        (
            lambda _: streamed("event: done\ndata: {\n\n"),
            "http://service.test/ does not answer as the service does: check SERVICE_URL.",
        ),
        (
            lambda _: streamed(event("done")),
            "http://service.test/ does not answer as the service does: check SERVICE_URL.",
        ),
        (
            lambda _: httpx2.Response(200, text="<html>"),
            "No connection to the service at http://service.test/: ",
        ),
        (
            lost(httpx2.ConnectError),
            "No connection to the service at http://service.test/: no route.",
        ),
        (
            lost(httpx2.ReadTimeout),
            "The service at http://service.test/ does not answer. Try again later.",
        ),
    ],
)
def test_a_failure_is_one_sentence_and_the_question_stays(
    service: Handler, says: str, opened: Callable[[Handler], AppTest]
) -> None:
    page = asked(opened(service), "How heavy is it?")
    (error,) = page.error
    assert error.value.startswith(says)
    assert ("user", "How heavy is it?") in shown(page)
    assert page.button[0].label == "Ask again"


@pytest.mark.parametrize("url", ["here", "http://:-1", "ftp://here", "http://["])
def test_an_address_that_is_none(
    url: str, opened: Callable[[Handler], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(lambda request: refused(500, "Not asked."))
    monkeypatch.setenv("SERVICE_URL", url)
    monkeypatch.setattr(httpx2, "stream", STREAM)
    assert asked(page, "Hi").error[0].value.startswith(f"No connection to the service at {url}: ")


@pytest.mark.parametrize("key", ["", " \n", "clé"])
def test_without_a_key_it_says_what_to_set(
    key: str, opened: Callable[[Handler], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_KEY", key)
    page = opened(lambda request: refused(500, "Not asked."))
    assert page.error[0].value.startswith("Set SERVICE_KEY to a key of the service")
    assert not page.chat_input
