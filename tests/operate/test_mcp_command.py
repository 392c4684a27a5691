"""`course mcp`, tried with the SDK's own client over both transports, and with bad options."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from helpers.operate import command_mcp
from helpers.paths import ROOT
from helpers.shop import open_orders

COMMAND = [sys.executable, "-m", "helpers.cli", "mcp"]
TOKEN = "a-token-of-twenty-letters"
PATIENCE = timedelta(seconds=120)

with open_orders() as book:
    OWN, OTHER = book.order_ids("C-0042")[0], book.order_ids("C-0007")[0]

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("lookup_order", {"order_id": OWN}),
    ("lookup_order", {"order_id": OTHER}),
    ("lookup_order", {"order_id": "FH-99999", "customer_id": "C-0007"}),
    ("lookup_order", {"order_id": "17"}),
    ("lookup_order", {"order_id": OTHER, "customer_id": "C-0007"}),
    ("search_documents", {"query": "How heavy is the Alta 2 tent?"}),
    ("search_documents", {"query": "Who is the king of France?"}),
    ("search_documents", {"query": ""}),
    ("hand_over", {"reason": "the pole is broken"}),
    ("issue_refund", {"order_id": OWN}),
]


async def spoken(session: ClientSession) -> tuple[dict[str, Any], list[Any]]:
    """The tools, and what the calls above get, all at once."""
    await session.initialize()
    listed = {tool.name: tool for tool in (await session.list_tools()).tools}
    results = await asyncio.gather(*(session.call_tool(name, args) for name, args in CALLS))
    said = [
        " ".join(getattr(block, "text", "") for block in result.content)
        if result.isError
        else result.structuredContent
        for result in results
    ]
    return listed, said


def judge(listed: dict[str, Any], said: list[Any], customer: str) -> None:
    """The contract: what `customer` may see, and nothing else."""
    arguments = {name: list(tool.inputSchema["properties"]) for name, tool in listed.items()}
    assert arguments == {
        "search_documents": ["query"],
        "lookup_order": ["order_id"],
        "hand_over": ["reason"],
    }
    reads = {name for name, tool in listed.items() if tool.annotations.readOnlyHint}
    assert reads == {"search_documents", "lookup_order"}
    assert all(tool.outputSchema for tool in listed.values())
    mine, other = (0, 1) if customer == "C-0042" else (1, 0)
    order_id = CALLS[mine][1]["order_id"]
    assert said[mine]["id"] == order_id
    assert "customer_id" not in said[mine]
    assert said[other] == f"There is no order {CALLS[other][1]['order_id']} on your account."
    assert said[2] == "There is no order FH-99999 on your account."
    assert said[3].startswith("order_id: ")
    assert isinstance(said[4], dict) == (customer == "C-0007")
    assert "2.1 kg" in said[5]["text"]
    assert said[6] == {"text": None, "document": None}
    assert said[7].startswith("query: ")
    assert re.fullmatch(r"T-\d{4}", said[8]["ticket"])
    assert said[9] == "Unknown tool: issue_refund"


@pytest.mark.slow
async def test_stdio_serves_one_customer_and_says_nothing_but_the_protocol() -> None:
    strange: list[Any] = []

    async def heard(message: Any) -> None:
        strange.append(message)  # a line that is no message comes as an exception

    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "--customer", "C-0042"], cwd=ROOT
    )
    async with (
        stdio_client(server) as (read, write),
        ClientSession(read, write, PATIENCE, message_handler=heard) as session,
    ):
        listed, said = await spoken(session)
    judge(listed, said, "C-0042")
    assert not strange


@contextmanager
def serving(*words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command over HTTP, and the line that says where."""
    env = {**os.environ, "COURSE_MCP_TOKEN": TOKEN}
    with subprocess.Popen(
        [*COMMAND, "--http", "--port", "0", *words],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            yield process, process.stderr.readline()
        finally:
            process.kill()


async def over_http(url: str) -> tuple[dict[str, Any], list[Any]]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        httpx.AsyncClient(headers=headers, timeout=120) as client,
        streamable_http_client(url, http_client=client) as (read, write, _),
        ClientSession(read, write, PATIENCE) as session,
    ):
        return await spoken(session)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_http_wants_the_token_and_ctrl_c_ends_it_quietly() -> None:
    with serving("--customer", "C-0007") as (process, line):
        assert line.startswith("Fernhill's tools for C-0007: http://127.0.0.1:")
        url = line.split()[-1]
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            reply = httpx.post(url, json={}, headers=headers, timeout=120)
            assert reply.status_code == 401
        listed, said = asyncio.run(over_http(url))
        judge(listed, said, "C-0007")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--customer", "C-9999"], "There is no customer 'C-9999'"),
        (["--customer", ""], "There is no customer ''"),
        (["--port", "8765"], "add --http"),
        (["--token", TOKEN], "add --http"),
        (["--http", "--port", "70000"], "70000 is no port"),
        (["--http", "--port", "-1"], "-1 is no port"),
        (["--http", "--token", "short"], "at least 16"),
        (["--http", "--token", "with a space in it"], "no space"),
        (["--http", "--token", "ü" * 20], "at least 16"),
        (["--http", "--customer", "nobody"], "There is no customer 'nobody'"),
    ],
)
def test_bad_options_get_one_sentence(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_mcp.mcp(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("course mcp: ")
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [["--port", "many"], ["--nothing"], ["stdio"]])
def test_what_argparse_does_not_know(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_mcp.mcp(words)
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_a_busy_port_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert command_mcp.mcp(["--http", "--port", str(port), "--token", TOKEN]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"course mcp: port {port} cannot be used (")
    assert err.count("\n") == 1


def test_a_bad_token_of_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_MCP_TOKEN", "short")
    assert command_mcp.mcp(["--http"]) == 2
    assert "remove the variable" in (err := capsys.readouterr().err)
    assert "COURSE_MCP_TOKEN" in err


def test_stdio_that_is_closed_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert command_mcp.mcp([]) == 2
    assert capsys.readouterr().err.startswith("course mcp: standard input or output is closed")


def test_a_token_is_made_where_none_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_MCP_TOKEN", raising=False)
    made = {command_mcp._token(None) for _ in range(3)}
    assert len(made) == 3
    assert all(len(token) >= 32 for token in made)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_ends_stdio_at_once_while_the_client_stays() -> None:
    with subprocess.Popen(
        [*COMMAND],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert '"result"' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)  # standard input is still open
        finally:
            process.kill()
        assert process.returncode == -signal.SIGINT
        _, err = process.communicate()
    assert err == ""
