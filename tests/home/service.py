"""Tries service.py: served by uvicorn in a process of its own, with the agent of agent.py."""

import asyncio
import hashlib
import json
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from helpers.authoring.alone import run_alone
from helpers.course.home import PROGRAMS
from helpers.testbed import Clients, free_port, openai_server
from helpers.testbed.clients import Seen
from helpers.testbed.openai_server import OpenAIServer
from helpers.testbed.replies import CutOff, Fault, Reply
from tests.home.alone import MODEL

SERVING = """
import logging, os, sys
from pathlib import Path
import uvicorn
from langgraph.checkpoint.memory import InMemorySaver
from agent import make_agent, order_tool
import service

orders = {("FH-00001", "ann"), ("FH-00002", "bob")}

def describe(order_id, customer_id):
    if (order_id, customer_id) not in orders:
        raise LookupError(f"You have no order {order_id}.")
    return f"{order_id} is on its way."

logging.basicConfig(format="%(message)s", stream=sys.stdout)
logging.getLogger("service").setLevel(logging.INFO)
app = service.make_app(
    make_agent(model, [order_tool(describe)], InMemorySaver()),
    json.loads(os.environ["CUSTOMERS"]), rate="20/minute", running=1, waiting=1,
)
Path("pid").write_text(str(os.getpid()))
uvicorn.run(app, port=int(os.environ["PORT"]), access_log=False, log_level="warning",
            timeout_graceful_shutdown=10)
"""
CUSTOMERS = ("ann", "bob", "cat", "dan", "eve")
RATE = 20
LONG = " ".join(f"word{n}" for n in range(20))
START_S = 30


def key(customer: str) -> str:
    """A customer's key in this test."""
    return f"the-key-of-{customer}"


def digest(customer: str) -> str:
    """The SHA-256 of a customer's key."""
    return hashlib.sha256(key(customer).encode()).hexdigest()


def replies(body: dict[str, Any]) -> Reply | Fault:
    """A model that looks up orders, tells what was said before, and breaks off."""
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    last = body["messages"][-1]
    if last["role"] == "tool":
        return f"Told: {last['content']}"
    if found := re.search(r"FH-\d{5}", last["content"]):
        return {"name": "lookup_order", "args": {"order_id": found[0]}}
    known: dict[str, Reply | Fault] = {
        "Long?": LONG,
        "Story?": "and " * 60,
        "Before?": " + ".join(said),
        "Broken?": CutOff("It weighs too much", after=2),
    }
    return known.get(last["content"], "Hello.")


class Customer:
    """Somebody with a key, who asks the service."""

    def __init__(self, clients: Clients, name: str) -> None:
        self.clients = clients
        self.headers = {"Authorization": f"Bearer {key(name)}"}

    async def ask(self, message: str, conversation: str = "1", path: str = "/chat") -> Seen:
        """What the customer sees of one answer."""
        body = {"message": message, "conversation": conversation}
        return await self.clients.ask(body, path=path, headers=self.headers)

    async def stream(self, message: str, conversation: str = "1") -> Seen:
        """The same as a stream."""
        return await self.ask(message, conversation, "/chat/stream")

    async def say(self, message: str, conversation: str = "1") -> str:
        """The answer in one piece."""
        seen = await self.ask(message, conversation)
        assert seen.status == 200, seen
        return str(seen.body["answer"])


@asynccontextmanager
async def served(model: OpenAIServer, folder: Path) -> AsyncIterator[tuple[Clients, Any, int]]:
    """Clients of the running service, the task that ends with its process, and its pid."""
    port = free_port()
    env = {
        "OPENAI_BASE_URL": model.url,
        "OPENAI_API_KEY": "none",
        "PORT": str(port),
        "CUSTOMERS": json.dumps({digest(one): one for one in CUSTOMERS}),
    }
    process = asyncio.create_task(
        asyncio.to_thread(run_alone, MODEL + SERVING, path=PROGRAMS, cwd=folder, env=env)
    )
    try:
        async with Clients(f"http://127.0.0.1:{port}") as clients, asyncio.timeout(START_S):
            while (await clients.ask(path="/readyz")).status != 200:
                assert not process.done(), process.result().stderr
                await asyncio.sleep(0.05)
        async with Clients(f"http://127.0.0.1:{port}") as clients:
            yield clients, process, int((folder / "pid").read_text())
    finally:
        if not process.done() and (folder / "pid").exists():
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        await process


async def try_keys(clients: Clients) -> None:
    """Only a key opens, and each customer sees own orders and own conversations."""
    for shown in ("", "Bearer guess", f"Bearer {digest('ann')}", f"Basic {key('ann')}"):
        for path in ("/chat", "/chat/stream"):
            headers = {"Authorization": shown} if shown else {}
            refused(await clients.ask({"message": "Hi"}, path=path, headers=headers), 401)
    ann, bob = Customer(clients, "ann"), Customer(clients, "bob")
    assert await ann.say("Where is FH-00001?") == "Told: FH-00001 is on its way."
    assert await bob.say("Where is FH-00001?") == "You have no order FH-00001."
    assert await bob.say("Where is FH-00002?", "2") == "Told: FH-00002 is on its way."
    assert await ann.say("Before?") == "Where is FH-00001? + Before?"
    assert await bob.say("Before?", "2") == "Where is FH-00002? + Before?"
    assert await ann.say("Before?", "2") == "Before?"
    seen = await ann.stream("Before?", "2")
    assert (seen.texts, seen.outcome) == (["Before?", " +", " Before?"], "answered")
    assert seen.body == {"text": "Before? + Before?"}
    seen = await bob.stream("Where is FH-00001?", "3")
    assert seen.body == {"text": "You have no order FH-00001."}  # not what the model wrote


def refused(seen: Seen, status: int) -> str:
    """What the problem document of a refusal says."""
    assert (seen.status, seen.outcome) == (status, "refused"), seen
    assert seen.headers["content-type"] == "application/problem+json"
    assert seen.body["status"] == status
    assert seen.body["title"]
    return str(seen.body["detail"])


async def try_mistakes(clients: Clients) -> None:
    """What does not fit is refused by a problem document, and asks no model."""
    headers = Customer(clients, "cat").headers
    bodies: list[Any] = [
        {},
        {"message": ""},
        {"message": "x" * 2001},
        {"message": 7},
        {"message": "Hi", "conversation": "../bob"},
        ["Hi"],
    ]
    for body in bodies:
        refused(await clients.ask(body, headers=headers), 422)
    assert refused(await clients.ask({"message": ""}, headers=headers), 422).startswith("message: ")
    http = clients.http
    for content in (b"{", b'{"message": "\\ud83d"}'):
        json_headers = {**headers, "Content-Type": "application/json"}
        response = await http.post("/chat", content=content, headers=json_headers)
        assert (response.status_code, response.json()["status"]) == (422, 422)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 1000

    response = await http.post("/chat", content=pieces(), headers=headers)
    assert (response.status_code, response.json()["status"]) == (413, 413)
    response = await http.post("/chat", json={"message": "x" * 40_000}, headers=headers)
    assert response.status_code == 413
    for path, status in (("/nothing", 404), ("/chat", 405)):
        response = await http.get(path)
        assert (response.status_code, response.json()["status"]) == (status, status)
        assert response.headers["content-type"] == "application/problem+json"


async def try_limit(clients: Clients) -> None:
    """Exactly the rate is let through, and others are not affected."""
    dan = Customer(clients, "dan")
    for _ in range(RATE):
        assert (await dan.ask("")).status == 422  # counted, too, and no model is asked
    seen = await dan.stream("Hi")
    refused(seen, 429)
    assert 1 <= int(seen.headers["retry-after"]) <= 60
    assert await Customer(clients, "eve").say("Hi") == "Hello."


async def try_failures(clients: Clients) -> None:
    """A model that breaks off is an event in a stream, a status otherwise, and tells nothing."""
    cat = Customer(clients, "cat")
    seen = await cat.stream("Broken?", "broken")
    assert (seen.status, seen.texts, seen.outcome) == (200, ["It", " weighs"], "error event")
    assert (seen.body["status"], seen.body["title"]) == (502, "Bad Gateway")
    assert refused(await cat.ask("Broken?", "broken"), 502) == seen.body["detail"]
    assert "127.0.0.1" not in str(seen.body)
    assert await cat.say("Before?", "broken") == "Broken? + Broken? + Before?"


async def try_places(clients: Clients, model: OpenAIServer) -> None:
    """One is answered, one waits, the others are refused at once; who leaves frees a place."""
    eve = Customer(clients, "eve")
    model.token_s = 0.02  # a story takes 1.2 s
    for ask in (eve.stream, eve.ask):
        answered = [asyncio.create_task(ask("Long?", f"long-{n}")) for n in range(2)]
        await until(lambda: model.in_flight == 1)
        await asyncio.sleep(0.05)  # the second one has come, too
        third = await eve.stream("Hi")
        refused(third, 503)
        assert int(third.headers["retry-after"]) >= 1
        assert third.took < 0.2
        assert [one.outcome for one in await asyncio.gather(*answered)] == ["answered"] * 2
    await until(lambda: model.in_flight == 0)
    model.token_s = 0.2  # now it takes longer than `until` waits, on a busy machine too
    leaving = asyncio.create_task(eve.ask("Story?", "left"))
    await until(lambda: model.in_flight == 1)
    leaving.cancel()
    await until(lambda: model.in_flight == 0)
    assert model.abandoned == 1
    assert await eve.say("Hi") == "Hello."
    model.token_s = 0


async def until(true: Callable[[], bool], limit_s: float = 5) -> None:
    """Wait until it is true."""
    async with asyncio.timeout(limit_s):
        while not true():
            await asyncio.sleep(0.01)


async def try_operation(clients: Clients) -> None:
    """Probes without a key, and the count of answers by how they ended."""
    alive, ready = [await clients.ask(path=path) for path in ("/livez", "/readyz")]
    assert (alive.status, alive.body) == (200, {"status": "alive"})
    assert (ready.status, ready.body) == (200, {"status": "ready"})
    lines = str((await clients.ask(path="/metrics")).body).splitlines()
    counts = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    ended = {name: counts[f'chat_answers_total{{ended="{name}"}}'] for name in ENDED}
    assert {name: int(float(count)) for name, count in ended.items()} == ENDED
    first = "gen_ai_server_time_to_first_token_seconds"
    assert int(float(counts[f"{first}_count"])) >= ENDED["done"] + ENDED["error"]


async def try_stop(clients: Clients, model: OpenAIServer, pid: int) -> None:
    """After SIGTERM the answer that has begun is completed."""
    model.token_s = 0.02
    reading = asyncio.create_task(Customer(clients, "bob").stream("Long?", "last"))
    await until(lambda: model.in_flight == 1)
    await asyncio.sleep(0.1)
    os.kill(pid, signal.SIGTERM)
    seen = await reading
    assert (seen.outcome, "".join(seen.texts)) == ("answered", LONG)


# The answers before: try_keys 6 + 2, try_limit 1, try_failures 1 (and 2), try_places 4 + 1 (and 1).
ENDED = {"done": 15, "error": 2, "left": 1}


async def try_all(model: OpenAIServer, folder: Path) -> tuple[int, str]:
    """Try everything on one service; its status and its log."""
    async with served(model, folder) as (clients, process, pid):
        await try_keys(clients)
        asked = len(model.chats)
        await try_mistakes(clients)
        assert len(model.chats) == asked
        await try_limit(clients)
        await try_failures(clients)
        await try_places(clients, model)
        await try_operation(clients)
        await try_stop(clients, model, pid)
        done = await process
    return done.returncode, done.stdout


def try_service() -> None:
    """Keys, mistakes, limits, failures, places, probes, and a stop in the middle of a stream."""
    with (
        openai_server(replies=replies) as model,
        tempfile.TemporaryDirectory(prefix="elsewhere-") as folder,
    ):
        status, log = asyncio.run(try_all(model, Path(folder)))
    assert status in (0, -signal.SIGTERM)  # uvicorn ends by the signal that it has caught
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert lines[0] == {"service": "started"}
    assert lines[-1] == {"service": "stopped"}
    answers = lines[1:-1]
    assert [line["ended"] for line in answers].count("left") == ENDED["left"]
    assert len(answers) == sum(ENDED.values()) + 1
    assert (answers[-1]["customer"], answers[-1]["ended"]) == ("bob", "done")
    assert answers[-1]["seconds"] > 0.2
    assert all(isinstance(line["seconds"], float) for line in answers)
    assert not any(key(name) in log or digest(name) in log for name in CUSTOMERS)
