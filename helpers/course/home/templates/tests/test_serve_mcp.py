import asyncio
from typing import Any

import pytest
from mcp.server.fastmcp import FastMCP
from mcp.shared.memory import create_connected_server_and_client_session as connected
from starlette.testclient import TestClient

import serve_mcp
from service import digest

CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "lookup_order", "arguments": {"order_id": "FH-00001"}},
}


def call(server: FastMCP[None], name: str, **arguments: Any) -> Any:
    """What a client gets: structure, or the words of an error."""

    async def asked() -> Any:
        async with connected(server) as session:
            result = await session.call_tool(name, arguments)
            return str(result.content) if result.isError else result.structuredContent

    return asyncio.run(asked())


@pytest.mark.usefixtures("shop")
def test_a_customer_sees_the_own_order_and_the_documents() -> None:
    server = serve_mcp.stdio_server("ann")
    order = call(server, "lookup_order", order_id="FH-00001")
    assert (order["items"], order["status"], order["paid"]) == (["Lamp"], "delivered", "40.00")
    assert "no order FH-00002" in call(server, "lookup_order", order_id="FH-00002")
    assert call(server, "search_documents", query="The lamp is green.")["text"] is not None
    assert call(server, "search_documents", query="Which king?")["text"] is None


@pytest.mark.usefixtures("shop")
def test_without_a_customer_no_order_is_shown() -> None:
    said = call(serve_mcp.stdio_server(None), "lookup_order", order_id="FH-00001")
    assert "Please log in first" in said


@pytest.mark.usefixtures("shop")
def test_over_http_the_key_says_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {digest("key of ann"): "ann", digest("key of bob"): "bob"}
    monkeypatch.setattr(serve_mcp, "known_customers", lambda: keys)
    app = serve_mcp.key_server().streamable_http_app()
    found = {}
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        for key in ("key of ann", "key of bob", "wrong"):
            headers = {
                "Authorization": f"Bearer {key}",
                "Accept": "application/json, text/event-stream",
            }
            answer = client.post("/mcp", json=CALL, headers=headers)
            found[key] = (answer.status_code, "Lamp" in answer.text)
        assert client.post("/mcp", json=CALL).status_code == 401
    assert found == {"key of ann": (200, True), "key of bob": (200, False), "wrong": (401, False)}


@pytest.mark.usefixtures("shop")
def test_what_is_missing_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve_mcp.main(["--customer", "bob"]) == 2
    assert "no customer bob: it has ann." in capsys.readouterr().err
    monkeypatch.delenv("EMBEDDINGS")
    assert serve_mcp.main(["--customer", "ann"]) == 2
    assert capsys.readouterr().err.startswith("Set EMBEDDINGS")
