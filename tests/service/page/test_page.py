"""The page as Streamlit runs it: what is shown of answers, of refusals and of half an answer."""

import json
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from helpers.service.page.command import PAGE
from helpers.service.page.names import KEY_VARIABLE, URL_VARIABLE
from tests.service.page.scripted import event, scripted

SECONDS = 30
START = event("start", request_id="r-1", conversation_id="c-1")
HOSTILE = "![x](http://example.com/?q=secret) <script>alert(1)</script> **2.1 kg**"
PASSAGE = {"document": "alta-2-tent", "title": "Alta 2 tent", "text": "2.1 kg.", "score": 1.0}
ANSWER = (
    START
    + event("tool", name="search_documents", args={}, status="started")
    + event("tool", name="search_documents", args={}, status="ok")
    + event("tool", name="lookup_order", args={}, status="started")
    + event("tool", name="lookup_order", args={}, status="refused")
    + event("sources", passages=[PASSAGE])
    + event("token", text="It weighs ")
    + event("token", text=HOSTILE)
    + event("usage", input_tokens=96, output_tokens=14, cost_usd=None, seconds=0.8)
    + event("done", request_id="r-1", finish_reason="stop")
)


@pytest.fixture(autouse=True)
def _no_clients_of_other_tests() -> Iterator[None]:
    import streamlit as st

    yield
    st.cache_resource.clear()


def opened(monkeypatch: pytest.MonkeyPatch, url: str, key: str = "key-1") -> AppTest:
    monkeypatch.setenv(URL_VARIABLE, url)
    monkeypatch.setenv(KEY_VARIABLE, key)
    return AppTest.from_file(str(PAGE), default_timeout=SECONDS).run()


def asked(page: AppTest, question: str = "How heavy is the Alta 2?") -> AppTest:
    return page.chat_input[0].set_value(question).run()


def test_without_a_key_the_page_says_where_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(monkeypatch, "http://127.0.0.1:1", key="")
    assert "course serve" in page.info[0].value
    assert page.chat_input[0].disabled
    assert not page.exception


def test_an_answer_with_its_steps_sources_and_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(ANSWER) as (url, posted):
        page = asked(opened(monkeypatch, url))
        assert not page.exception
        texts = [one.value for one in page.text]
        captions = [one.value for one in page.caption]
        assert texts[:2] == ["How heavy is the Alta 2?", f"It weighs {HOSTILE}"]
        assert texts[2] == "Alta 2 tent (alta-2-tent)\n2.1 kg."
        assert "The agent searches the documents: done" in captions
        assert "The agent looks up an order: refused" in captions
        assert "96 tokens read, 14 written, 0.8 s, no price" in captions
        assert not any(HOSTILE in one.value for one in page.markdown), "shown as plain text alone"
        asked(page, "And in pounds?")
    messages = [one for one in posted if one["path"] == "/v1/chat/stream"]
    assert [one.get("conversation_id") for one in messages] == [None, "c-1"]


def test_a_new_conversation_forgets_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(ANSWER) as (url, posted):
        page = asked(opened(monkeypatch, url))
        page.sidebar.button[0].click().run()
        assert not page.text
        asked(page)
    assert "conversation_id" not in posted[-1]


@pytest.mark.parametrize(
    ("status", "document", "told"),
    [
        (
            429,
            {"title": "Too many requests", "detail": "At most 60.", "retry_after": 12},
            ["Too many requests", "At most 60", "Try again in 12 s."],
        ),
        (
            401,
            {"title": "The API key is not valid", "detail": "Ask for one."},
            ["The API key is not valid", "Ask for one"],
        ),
        (503, {"title": "The service is busy", "detail": "[x](http://evil)"}, ["\\[x\\]"]),
    ],
)
def test_a_refusal_is_told_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, status: int, document: dict[str, object], told: list[str]
) -> None:
    with scripted(json.dumps(document).encode(), status=status) as (url, _):
        page = asked(opened(monkeypatch, url))
    assert not page.exception
    for words in told:
        assert words in page.error[0].value


def test_half_an_answer_is_shown_as_half(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(START + event("token", text="It weighs"), promised=9999) as (url, _):
        page = asked(opened(monkeypatch, url))
    assert [one.value for one in page.text][1] == "It weighs"
    assert "broke off" in page.error[0].value
    assert "not the whole answer" in page.error[0].value
    assert not page.get("feedback"), "there is no answer to rate"


def test_a_service_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(b"") as (url, _):
        pass
    page = opened(monkeypatch, url)
    assert "The service is not ready." in [one.value for one in page.caption]
    page = asked(page)
    assert "cannot be reached" in page.error[0].value
    assert not page.exception
