"""The stored run of LangGraph's server: what it answers, and that the SDK can read it."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError

from helpers.operate.testing.langgraph import STORED, asked, langgraph_server, replay


def client_of(exchanges: list[dict[str, Any]]) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=replay(exchanges))
    return httpx.AsyncClient(transport=transport, base_url="http://stored")


def exchange(key: str, text: str) -> dict[str, Any]:
    return {"asked": key, "status": 200, "headers": {"content-type": "text/plain"}, "text": text}


def test_the_order_of_keys_in_a_body_makes_no_difference() -> None:
    assert asked("POST", "/a", b'{"x": 1, "y": 2}') == asked("POST", "/a", b'{"y":2,"x":1}')
    assert asked("GET", "/a", b"") == "GET /a"


def test_equal_requests_get_their_answers_in_order_and_others_a_sentence() -> None:
    async def texts() -> list[str]:
        async with client_of([exchange("GET /a", "one"), exchange("GET /a", "two")]) as client:
            found = [(await client.get("/a")).text for _ in range(3)]
            missing = await client.get("/b")
            assert missing.status_code == 404
            return [*found, missing.json()["detail"]]

    *found, detail = asyncio.run(texts())
    assert found == ["one", "two", "two"]
    assert "LANGGRAPH_URL" in detail


def test_the_sdk_reads_the_stored_run() -> None:
    """What the notebook shows: two runs in one thread, and a second message that is refused."""

    def question(text: str) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": text}]}

    async def talk() -> Any:
        exchanges = json.loads(STORED.read_text("utf-8"))["exchanges"]
        async with client_of(exchanges) as http:
            client = LangGraphClient(http)
            thread = (await client.threads.create())["thread_id"]
            another = question("Where is order 16")
            with pytest.raises(ConflictError):
                await client.runs.create(
                    thread, "support", input=another, multitask_strategy="reject"
                )
            return await client.runs.wait(thread, "support", input=question("Where is order 12"))

    assert asyncio.run(talk())["messages"][-1]["content"].startswith("It is on its way")


def test_a_server_of_ones_own_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANGGRAPH_URL", "http://127.0.0.1:9")
    with langgraph_server() as url:
        assert url == "http://127.0.0.1:9"
    assert "http://127.0.0.1:9" in capsys.readouterr().out
