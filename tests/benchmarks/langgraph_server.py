"""Run LangGraph's development server once and store its answers for notebook 11.

    uv venv langgraph-env
    uv pip install --python langgraph-env "langgraph-cli[inmem]" langchain langchain-openai
    python -m tests.benchmarks.langgraph_server langgraph-env/bin/langgraph

The server has an environment of its own: `langgraph-api` needs protobuf below 7, and its licence
(Elastic-2.0) is not that of the course. The graph is the one that the notebook writes, its model a
server of the testbed. Stored are the versions, the date, the seconds until the server was ready and
each HTTP answer, in `helpers/operate/data/langgraph_server.json`.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient

from helpers.operate.testing.langgraph import KEPT_HEADERS, STORED, asked
from helpers.testbed import OpenAIServer, openai_server, process

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "src" / "11_operate_and_improve.py"
NAMES = ("langgraph-cli", "langgraph-api", "langgraph-runtime-inmem", "langgraph", "langgraph-sdk")


def written(cell: str) -> str:
    """What a cell of the notebook writes with `%%writefile`."""
    text = NOTEBOOK.read_text("utf-8").split(f'# %% name="{cell}"')[1].split("\n# %%", 1)
    body = text[1].split("\n# %%")[0].split("\n\n# %% [")[0]
    lines = body.split("\n")[1:]  # without the magic's own line
    return "\n".join(line.removeprefix("# ").removeprefix("#") for line in lines).strip() + "\n"


def reply(body: dict[str, Any]) -> Any:
    """The notebook's model: first a call of the tool, then an answer."""
    last = body["messages"][-1]
    if last["role"] == "user":
        return {"name": "track", "args": {"order": last["content"].split()[-1]}}
    return "It is on its way, and will arrive on Thursday."


class Recording(httpx.AsyncHTTPTransport):
    """Keeps each exchange in `kept`."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, read all of the answer, and keep both."""
        answer = await super().handle_async_request(request)
        content = await answer.aread()
        headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        self.kept.append(
            {
                "asked": asked(request.method, request.url.path, request.content),
                "status": answer.status_code,
                "headers": headers,
                "text": content.decode(),
            }
        )
        return httpx.Response(answer.status_code, headers=headers, content=content)


async def converse(client: LangGraphClient, upstream: OpenAIServer) -> None:
    """The calls of the notebook's cells, in order."""
    await client.assistants.search()
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "support", input=question("Where is order 12"))
    stream = client.runs.stream(
        thread, "support", input=question("And order 14"), stream_mode=["updates", "messages-tuple"]
    )
    async for _ in stream:
        pass
    await client.threads.get_state(thread)
    upstream.delay_s = 1.0  # long enough for a second message while the first is answered
    first = await client.runs.create(thread, "support", input=question("Where is order 15"))
    for strategy in ("reject", "enqueue"):
        try:
            second = await client.runs.create(
                thread,
                "support",
                input=question("Where is order 16"),
                multitask_strategy=strategy,
            )
        except Exception as error:
            print(type(error).__name__, error)
    await client.runs.join(thread, first["run_id"])
    await client.runs.join(thread, second["run_id"])
    await client.threads.get_state(thread)
    await client.threads.get_history(thread, limit=3)


def question(text: str) -> dict[str, Any]:
    """The input of a run."""
    return {"messages": [{"role": "user", "content": text}]}


async def record(url: str, upstream: OpenAIServer) -> list[dict[str, Any]]:
    """The exchanges of the conversation."""
    transport = Recording()
    async with httpx.AsyncClient(base_url=url, transport=transport, timeout=60) as http:
        await converse(LangGraphClient(http), upstream)
    return transport.kept


def main(command: str) -> None:
    """Start the server, talk to it, store what it said."""
    python = Path(command).with_name("python")
    script = f"from importlib.metadata import version; print(*map(version, {NAMES}))"
    said = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as name, openai_server(reply) as upstream:
        folder = Path(name)
        (folder / "graph.py").write_text(written("choose-graph"))
        (folder / "langgraph.json").write_text(written("server-file"))
        began = time.perf_counter()
        dev = [command, "dev", "--no-browser", "--no-reload", "--port", "{port}"]
        env = {"MODEL_URL": upstream.url}
        with process(dev, ready="/ok", env=env, cwd=folder, start_s=120) as server:
            ready_s, memory_mb = time.perf_counter() - began, server.memory_mb()
            exchanges = asyncio.run(record(server.url, upstream))
    stored = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "versions": dict(zip(NAMES, said.stdout.split(), strict=True)),
        "ready_s": round(ready_s, 1),
        "memory_mb": round(memory_mb),
        "exchanges": exchanges,
    }
    STORED.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    print(len(exchanges), "exchanges,", stored["ready_s"], "s until ready")


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()))  # the server runs in another folder
