"""Tries serve_app.py without a cluster: its index, its deployments in one process, cut streams."""

import json
from typing import Any

from helpers.testbed import openai_server
from helpers.testbed.replies import Reply
from tests.home.alone import run

START = """
import asyncio, os
from pathlib import Path
import httpx2
from fastapi.testclient import TestClient
from langchain.messages import AIMessageChunk, HumanMessage
from langchain_openai import OpenAIEmbeddings
from ray.exceptions import ActorDiedError
import serve_app
from agent import Caller
from service import digest
from serve_app import *

def client():
    "Each deployment has a loop of its own here, and a kept connection belongs to one loop."
    return httpx2.AsyncClient(limits=httpx2.Limits(max_keepalive_connections=0))

def embed():
    return OpenAIEmbeddings(model="any", check_embedding_ctx_length=False,
                            http_async_client=client())

def make():
    return init_chat_model("openai:any", max_retries=0, http_async_client=client())

def refused(call, *args):
    try:
        return call(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

told = {}
"""

LAMP = [
    "Lamp: The lamp weighs 2 kg.",
    "Lamp: It takes bulbs of 40 W.",
    "Delivery: We deliver in three days.",
]

INDEX = """
texts = json.loads(os.environ["TEXTS"])
batch = {"place": np.arange(3), "text": np.array(texts, dtype=object)}
vectors = Embed(embed)({**batch, "sentence": batch["text"]})["vector"]
rows = [{"place": n, "text": np.str_(text), "sentence": f"{text}!", "vector": vector}
        for n, (text, vector) in enumerate(zip(texts, vectors))]
write_index(Path("a/index"), [rows[1], rows[2], rows[0]])
found, kept = read_index(Path("a/index"))
told["index"] = [found, kept.dtype.name, bool((kept == vectors).all())]
told["files"] = sorted(path.name for path in Path("a/index").iterdir())

write_index(Path("unsafe"), rows)
np.save("unsafe/vectors.npy", np.array([print], dtype=object), allow_pickle=True)
told["pickle"] = refused(read_index, Path("unsafe"))
"""

LIBRARY = """
# Serve gathers calls in a real replica only.
gathered = Library.func_or_class.embed.__wrapped__
async def one_by_one(self, question):
    return (await gathered(self, [question]))[0]

Library.func_or_class.embed = one_by_one
library = Library.options(user_config={"threshold": 0.6}).bind(Path("a/index"), embed)
handle = serve.run(library, name="library", _local_testing_mode=True)

async def at_once(questions):
    return await asyncio.gather(*(handle.best.remote(one) for one in questions))

asked = [texts[n % 3] for n in range(12)] + ["Who rules Norway?"]
told["best"] = asyncio.run(at_once(asked))
handle.reconfigure.remote({"threshold": 1.1}).result()
told["threshold"] = asyncio.run(at_once(texts[:1]))

write_index(Path("other"), [{**row, "vector": np.roll(row["vector"], 1)} for row in rows])
for name in ("a/index", "other"):
    health = Library.func_or_class(Path(name), embed).check_health
    told[f"health of {name}"] = refused(asyncio.run, health())
"""

SUPPORT = """
serve_app.ActorSaver = InMemorySaver  # the actor needs a cluster
library = Library.bind(Path("a/index"), embed)
support = serve.run(Support.bind(make, library), name="s", _local_testing_mode=True)
one = {"configurable": {"thread_id": "one"}}

async def ask(text, thread):
    words, whole = "", ""
    async for mode, part in RemoteAgent(support).astream(
        {"messages": [HumanMessage(text)]}, thread, context=Caller("ann"), stream_mode=["any"]
    ):
        if mode == "messages":
            words += part[0].text
        else:
            whole = part["messages"][-1].text
    return words, whole

told["said"] = [asyncio.run(ask(text, one)) for text in (texts[0], "Who rules Norway?", "Before?")]

async def again(cut):
    "An answer that is cut after so many parts, then asked for again; at last what is remembered."
    thread = {"configurable": {"thread_id": f"cut-{cut}"}}
    message = HumanMessage(texts[0], id=f"message-{cut}")
    plain = Support.func_or_class(make, handle)
    handle.reconfigure.remote({"threshold": 0.5})
    answer = plain.answer(message, thread, Caller("ann"))
    for _ in range(cut):
        await anext(answer)
    await answer.aclose()
    parts = [part async for part in plain.answer(message, thread, Caller("ann"))]
    state = await plain.agent.aget_state(thread)
    return parts, [one.type for one in state.values["messages"]]

told["again"] = [asyncio.run(again(cut)) for cut in (1, 3, 7)]
"""

REMOTE = """
class Replicas:
    "Answers as a handle does, each time by the next script; an exception in it ends the stream."

    def __init__(self, *scripts):
        self.scripts, self.messages, self.answer = list(scripts), [], self

    def options(self, stream):
        assert stream
        return self

    async def remote(self, message, thread, caller):
        self.messages.append(message)
        for words in self.scripts.pop(0):
            if isinstance(words, Exception):
                raise words
            yield ("token", words)
        yield ("done", "The whole.")

async def read_by_a_client(replicas):
    "What the client reads, how it ends, how often a replica was asked, with how many ids."
    read, end = [], ""
    try:
        async for mode, part in RemoteAgent(replicas).astream(
            {"messages": [HumanMessage("Hi")]}, {}, context=Caller(), stream_mode=["any"]
        ):
            if mode == "messages":
                read.append(part[0].text)
            else:
                end = part["messages"][-1].text
    except Exception as error:
        end = f"{type(error).__name__}: {error}"
    ids = {message.id for message in replicas.messages}
    return ["".join(read), end.splitlines()[0], len(replicas.messages), len(ids - {None})]

died, words = ActorDiedError(), ["It ", "weighs ", "2 ", "kg."]
scripts = {f"cut {n}": ([*words[:n], died], words) for n in range(5)} | {
    "twice": (["It ", "weighs ", died], ["It ", died], words),
    "other pieces": (["It wei", died], ["It", " weighs", " 2 kg."]),
    "read to the end": ([*words, died], []),
    "differs": (["It ", "weighs ", died], ["It ", "has 2 kg."]),
    "dies always": (["It ", died], ["It ", died], [died], words),
    "fails": (["It ", ValueError("wrong")], words),
}
told["remote"] = {
    name: asyncio.run(read_by_a_client(Replicas(*each))) for name, each in scripts.items()
}
"""

WHOLE = """
apps, make_app = [], serve_app.make_app
def recorded(*args, **limits):
    apps.append(make_app(*args, **limits))
    return apps[-1]

serve_app.make_app = recorded
whole = application(Path("a/index"), make, embed, {digest("key"): "ann"}, rate="2/minute")
serve.run(whole, name="whole", _local_testing_mode=True)
http, asked = TestClient(apps[0]), {"message": texts[0]}
told["http"] = []
for key in ("guess", "key", "key", "key"):
    headers = {"Authorization": f"Bearer {key}"}
    reply = http.post("/chat/stream", json=asked, headers=headers)
    told["http"].append([reply.status_code, reply.text])
print(json.dumps(told))
"""

ANSWER = f"Told: {LAMP[0]}!"
NOTHING = "Sorry, I do not know: our documents do not answer that."


def searching_model(body: dict[str, Any]) -> Reply:
    """A model that searches for each message, and says what was found, or what was said before."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return f"Told: {last['content']}"
    if last["content"] == "Before?":
        said = [message["content"] for message in body["messages"] if message["role"] == "user"]
        return " + ".join(said[-3:])
    return {"name": "search_documents", "args": {"query": last["content"]}}


def try_serve_app() -> None:
    """The index, the library, the agent in two deployments, cut streams, and HTTP over all."""
    code = START + INDEX + LIBRARY + SUPPORT + REMOTE + WHOLE
    with openai_server(replies=searching_model) as server:
        told = run(code, server.url, TEXTS=json.dumps(LAMP), RAY_ADDRESS="127.0.0.1:1")
    index_and_library(told)
    agent(told)
    cut_streams(told["remote"])
    over_http(told["http"])
    searched = [one["function"] for one in server.chats[0]["tools"]]
    assert [tool["name"] for tool in searched] == ["search_documents"]
    assert list(searched[0]["parameters"]["properties"]) == ["query"]


def index_and_library(told: dict[str, Any]) -> None:
    """Files without code in them, a threshold that changes, a model that does not fit."""
    kept = [{"text": text, "sentence": f"{text}!"} for text in LAMP]
    assert told["index"] == [kept, "float32", True]
    assert told["files"] == ["texts.json", "vectors.npy"]
    assert told["pickle"].startswith("ValueError: ")
    assert told["best"] == [f"{LAMP[n % 3]}!" for n in range(12)] + [""]
    assert told["threshold"] == [""]
    assert told["health of a/index"] is None
    assert told["health of other"].startswith("RuntimeError: ")
    assert "build it again" in told["health of other"]


def agent(told: dict[str, Any]) -> None:
    """Answers, a refusal, memory; a turn that begins again does not search again."""
    answered, refused, before = told["said"]
    assert answered == [ANSWER, ANSWER]
    assert refused[1] == NOTHING
    assert before[1].split(" + ")[-1] == "Before?"
    assert LAMP[0] in before[1]
    for parts, remembered in told["again"]:
        words = "".join(text for name, text in parts if name == "token")
        assert words in (ANSWER, "")
        assert parts[-1] == ["done", ANSWER]
        assert remembered == ["human", "ai", "tool", "ai"]


def cut_streams(remote: dict[str, Any]) -> None:
    """Whoever reads sees each word once, or an error; at most three replicas are asked."""
    text, end = "It weighs 2 kg.", "The whole."
    for n in range(5):
        assert remote[f"cut {n}"] == [text, end, 2, 1]
    assert remote["twice"] == [text, end, 3, 1]
    assert remote["other pieces"] == [text, end, 2, 1]
    assert remote["read to the end"] == [text, end, 2, 1]
    read, end, asked, _ = remote["differs"]
    assert (read, asked) == ("It weighs ", 2)
    assert end.startswith("RuntimeError: ")
    read, end, asked, _ = remote["dies always"]
    assert (read, asked) == ("It ", 3)
    assert end.startswith("ActorDiedError: ")
    assert remote["fails"] == ["It ", "ValueError: wrong", 1, 1]


def over_http(http: list[tuple[int, str]]) -> None:
    """The composed application: a key opens, the limits are those that it was given."""
    assert [status for status, _ in http] == [401, 200, 200, 429]
    for _, text in http[1:3]:
        assert "event: token" in text
        assert json.dumps({"text": ANSWER})[1:-1] in text.rpartition("event: done")[2]
