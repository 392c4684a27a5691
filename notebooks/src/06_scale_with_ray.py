# %% [markdown] name="title"
# # 06 Scale with Ray
#
# After this notebook you can build an index and serve an agent with Ray, on one machine or on a
# hundred, and you can say what a killed process, a lost machine and a new version cost your users.
#
# **105 minutes (the machine works for about 6 minutes). Level: Python, `async`/`await`. Before it:
# modules 01 and 05.**

# %% [markdown] name="picture"
# ```mermaid
# flowchart LR
#     client([client]) --> proxy["Ray's HTTP proxy"] --> gateway
#     gateway["Gateway<br>FastAPI: keys, limits, gate"]
#     gateway --> support["Support<br>agent and model"] --> library["Library<br>index, embeddings"]
#     support <--> memory[("Conversations<br>one actor")]
#     documents[(documents)] --> workers["Ray Data:<br>workers that embed"]
#     workers --> files[("index files")]
#     files --> library
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="saturate-text"
# ## When does one process stop being enough?
#
# Module 01 ended in a program, [agent.py](../helpers/course/home/programs/agent.py), and module 05
# in [service.py](../helpers/course/home/programs/service.py). `earlier_programs` lets this
# notebook, and the processes that it starts, import both.

# %% name="programs"
from helpers.course import earlier_programs

os.environ["COURSE_MODEL"] = model
print(earlier_programs())

# %% [markdown] name="one-process-text"
# Here is that service in one process. Its model is slow on purpose: like a GPU, it writes up to
# four answers at full speed, and with eight at a time each takes twice as long. So what you measure
# does not depend on your machine's cores.

# %% name="one-process"
import tempfile
from pathlib import Path

drawer = tempfile.TemporaryDirectory()
folder = Path(drawer.name)
_ = (folder / "one_process.py").write_text('''
from agent import make_agent
from helpers.testbed import SlowModel
from service import digest, make_app

model = SlowModel(token_s=0.03, full_speed=4)
app = make_app(make_agent(model, []), {digest("key"): "C-0042"}, rate="9999/minute", running=64)
''')

# %% [markdown] name="rising-text"
# Two to sixteen clients send one request after another, each as soon as the last one is answered.
# From how many clients on do the answers per second stop rising?

# %% name="rising"
import sys

from helpers.testbed import Clients, closed_loop, process, summary

command = [sys.executable, "-m", "uvicorn", "one_process:app", "--port", "{port}"]
headers = {"Authorization": "Bearer key"}
loads = {}
with process(command, cwd=folder) as service:
    async with Clients(service.url, "/chat/stream", headers=headers) as clients:
        for count in [2, 4, 8, 16]:
            loads[f"{count} clients"] = await closed_loop(  # noqa: F704
                clients, {"message": "Hi"}, concurrency=count, seconds=1.5 if fast else 4)

# %% name="saturation"
import pandas as pd

from helpers.course import show

columns = ["load", "answered", "lost", "answered_per_s", "first_token_p95_s", "whole_p95_s"]
rising = pd.DataFrame(summary(loads))
show.table(rising[columns], caption="One process under rising load")

# %% [markdown] name="saturation-notes" only="instructor"
# Before the table appears, take guesses: from how many clients on do the answers per second stop
# rising? The cell `rising` takes about a quarter of a minute. The answer is four, as many as the
# model writes at full speed. The mistake here is to call the model slow because the last row is:
# the requests wait for each other. Then ask what happens to a conversation when this process dies.

# %% [markdown] name="killed-text"
# Beyond four clients, the answers per second stay the same, and everyone waits longer. More
# *replicas* of the model would help, and they need not be on the same machine. One process has a
# second limit: when it dies, everything in it is gone.

# %% name="killed"
import asyncio

with process(command, cwd=folder) as service:
    async with Clients(service.url, "/chat/stream", headers=headers) as clients:
        load = asyncio.create_task(
            closed_loop(clients, {"message": "Hi"}, concurrency=8, seconds=2))
        await asyncio.sleep(1)  # noqa: F704
        service.popen.kill()
        alone = await load  # noqa: F704
print(alone.count("answered"), "answered,", alone.count("lost", "no answer"), "cut,",
      alone.count("not reached"), "tries to reach a service that is gone")

# %% [markdown] name="ray-text"
# ## What does Ray add to Python?
#
# Ray runs functions and objects in other processes, on any machine of a *cluster*, and can restart
# them when they die. `ray.cluster_utils.Cluster` makes a cluster on one machine: each *node* is a
# set of processes. Three variables stop Ray's usage statistics, keep it on the loopback address and
# silence its log. (The second is how Ray stays on one machine where it supports no cluster, on
# Windows and macOS.)

# %% name="cluster"
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
               "RAY_BACKEND_LOG_LEVEL": "fatal"}
os.environ["PYTHONPATH"] += os.pathsep + str(folder)  # for files that this notebook writes
import ray
from ray.cluster_utils import Cluster


def twice(start):
    """Try again once: Ray gives a node 30 seconds, and a busy machine may need more."""
    try:
        return start()
    except Exception:
        return start()

# %% name="init"
small = {"num_cpus": 2, "object_store_memory": 300 * 2**20, "include_log_monitor": False}
head = {"include_dashboard": False, "no_monitor": True}
cluster = twice(lambda: Cluster(initialize_head=True, head_node_args=small | head))
second = twice(lambda: cluster.add_node(**small))
_ = ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
print(ray.cluster_resources()["CPU"], "CPUs on", len(ray.nodes()), "nodes")

# %% [markdown] name="resources-text"
# These CPUs are *logical*: Ray counts what tasks ask for. It does not measure or limit what they
# use. A task asks for one CPU, and so does a replica of Serve; `num_cpus` changes that.
#
# A *task* is a function that runs in some worker process; `.remote()` returns at once, with a
# reference to the result. An *actor* is an object in a process of its own, which keeps its state.

# %% name="task"
@ray.remote
def words(text):
    """How many words a text has, and who counted them."""
    return len(text.split()), os.getpid()


references = [words.remote("How heavy is the tent?") for _ in range(3)]
print(ray.get(references), "and this process is", os.getpid())

# %% name="actor"
@ray.remote(max_restarts=1, max_task_retries=1)
class Counter:
    """Counts calls."""

    def __init__(self):
        self.calls = 0

    def call(self):
        self.calls += 1
        return self.calls, os.getpid()


counter = Counter.remote()
print(ray.get([counter.call.remote() for _ in range(3)]))

# %% [markdown] name="actor-killed-text"
# Kill the actor's process, as an operating system does when it runs out of memory. `max_restarts`
# says how many times Ray may restart the actor, and `max_task_retries` how many times it may repeat
# a call. What do you expect the next call to return?

# %% name="actor-killed"
import signal

calls, pid = ray.get(counter.call.remote())
print("before:", calls)
os.kill(pid, signal.SIGKILL)
print("after:", ray.get(counter.call.remote()))

# %% [markdown] name="actor-notes" only="instructor"
# Ask before the cell runs: five, one, or an error? Wait ten seconds for a hand for each. The
# mistake here is to take a restart for a recovery. Write "the process, not its memory" on the
# board, and leave it there until the section on conversations. After the cell `store`, ask what
# happens to a list that a task appends to. The answer: Ray copies it with pickle, so the caller's
# list does not change. The worker reads an array in place, without a copy, so the array is
# read-only there.

# %% [markdown] name="store-text"
# A new process answers the call, and it counts from one: **Ray brings the process back, not its
# memory.** What must survive belongs elsewhere. You need this below.
#
# What is copied? Ray puts a large argument (over 100 kB) into the *object store*, memory that the
# processes of a node share. It does so once for each call. `ray.put` does it once for all calls.

# %% name="store"
import time

import numpy as np


@ray.remote
def total(array):
    return array.sum(), array.flags.writeable


def seconds(argument):
    """How long four tasks take that get this argument; the best of three times."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        ray.get([total.remote(argument) for _ in range(4)])
        times.append(time.perf_counter() - began)
    return min(times)


big = np.ones(5_000_000)  # 40 MB
by_value, by_reference = seconds(big), seconds(ray.put(big))
print(f"by value {by_value:.2f} s, by reference {by_reference:.2f} s")
print("a task may write into the array:", ray.get(total.remote(big))[1])

# %% [markdown] name="index-text"
# ## How do you build an index with many workers?
#
# The index has a vector for each sentence of the documents, and one for each question that the
# course wrote for a sentence (module 01). `titled` is from `agent.py`.

# %% name="texts"
from agent import titled
from langchain_core.documents import Document

from helpers.agent.expected import expected_questions
from helpers.shop import documents

expected, rows = expected_questions(), []
for page in documents()[: 3 if fast else 12]:
    whole = Document(page.text, metadata={"title": page.title})
    for text in titled(whole, expected.get(page.id, {})):
        sentence = text.metadata["sentence"]
        rows.append({"place": len(rows), "text": text.page_content, "sentence": sentence})
print(len(rows), "texts; the first:", rows[0])

# %% [markdown] name="embed-text"
# Ray Data divides the rows into blocks and runs `map_batches` over them. Given a class, it makes a
# pool of actors, and each holds its own model. The code that you
# build for the index and the service is in one file,
# [serve_app.py](../helpers/course/home/programs/serve_app.py).

# %% name="embed" app="serve_app.py"
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ray.data
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

MakeEmbeddings = Callable[[], Embeddings]
Batch = dict[str, Any]  # a name -> an array with a value for each row


def unit(vectors: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """The vectors with length 1, so that the product of two is their cosine."""
    rows = np.array(vectors, dtype=np.float32)
    found: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


class Embed:
    """A worker that turns texts into vectors."""

    def __init__(self, make_embeddings: MakeEmbeddings) -> None:
        self.model = make_embeddings()

    def __call__(self, batch: Batch) -> Batch:
        """The batch with a `vector` for each `text`."""
        vectors = self.model.embed_documents([str(text) for text in batch["text"]])
        return {**batch, "vector": unit(vectors)}

# %% name="embedded" app="serve_app.py"
def embedded(
    rows: Sequence[Mapping[str, Any]], make_embeddings: MakeEmbeddings, workers: int
) -> Iterable[dict[str, Any]]:
    """The rows with their vectors, in the order in which they are ready."""
    texts = ray.data.from_items(list(rows), override_num_blocks=4 * workers)
    vectors = texts.map_batches(
        Embed,
        fn_constructor_args=(make_embeddings,),
        batch_size=16,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=0.5,
    )
    found: Iterable[dict[str, Any]] = vectors.iter_rows()
    return found

# %% [markdown] name="write-text"
# Blocks finish in any order, so `write_index` sorts the rows. It saves the texts as JSON and the
# vectors as a plain array. It does not use pickle: loading a pickle file runs whatever code the
# file contains.

# %% name="write" app="serve_app.py"
import json
from pathlib import Path


def write_index(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `texts.json` and `vectors.npy`, in the rows' order."""
    texts, vectors = [], []
    for row in sorted(rows, key=lambda row: row["place"]):
        texts.append({"text": row["text"], "sentence": row["sentence"]})
        vectors.append(row["vector"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "texts.json").write_text(json.dumps(texts, indent=1), "utf-8")
    np.save(folder / "vectors.npy", np.stack(vectors))


def read_index(folder: Path) -> tuple[list[dict[str, str]], NDArray[np.float32]]:
    """The texts, and a vector of length 1 for each."""
    texts = json.loads((folder / "texts.json").read_text("utf-8"))
    vectors = np.load(folder / "vectors.npy", allow_pickle=False)
    if len(texts) != len(vectors):
        raise ValueError(f"{folder} has {len(texts)} texts and {len(vectors)} vectors.")
    return texts, vectors

# %% [markdown] name="serial-text"
# First build the index without Ray Data, with one worker in this process.

# %% name="serial"
import logging

from helpers.models import embeddings

logging.getLogger("ray.data").setLevel(logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False  # below is one of our own

table = pd.DataFrame(rows)
table["vector"] = list(Embed(embeddings)({"text": table.text})["vector"])
write_index(folder / "serial", table.to_dict("records"))

# %% [markdown] name="kill-worker-text"
# Then build it with two workers. As soon as the first row arrives, the loop kills one of them. It
# does nothing to recover.

# %% name="kill-worker"
import psutil


def kill_one(title):
    """Kill the first process of this notebook's cluster whose title contains this."""
    for child in psutil.Process().children(recursive=True):
        if title in child.name() + " ".join(child.cmdline()):
            child.kill()
            return child.pid


done, dead = [], None
for row in show.progress(embedded(rows, embeddings, workers=2), label="texts", total=len(rows)):
    done.append(row)
    dead = dead or kill_one("MapWorker")
write_index(folder / "index", done)

# %% name="same"
for name in ["texts.json", "vectors.npy"]:
    serial = (folder / "serial" / name).read_bytes()
    parallel = (folder / "index" / name).read_bytes()
    print(name, len(parallel), "bytes, the same:", serial == parallel)
print("killed: process", dead)

# %% [markdown] name="index-notes" only="instructor" then="06.1" needs="What does Ray add to Python?"
# Ask what the killed worker has cost: no text, and no line of code. Then ask what happens when your
# own code fails on one document; wait for "the whole run ends". Exercise 06.1 uses actors and
# references from the section before, and this question; its statement explains `ray.wait`. Its
# check is slow to start: it starts Ray in the lab's own process, next to the cluster of this
# notebook.

# %% [markdown] name="poison-text"
# Ray ran the lost batches again, in a new worker. That helps when a process or a machine dies. It
# does not help when your own code fails on a document: the exception ends the whole run. Catch it
# in the worker and report the document. In exercise 1 of the lab you handle both cases in a loop.
#
# ## How do you serve a class?
#
# Ray Serve is the part of Ray that answers requests. A *deployment* is a class of which Serve runs
# *replicas*, each in an actor. `serve.run` starts them and returns a *handle*: a call through it
# goes to one of the replicas. `@serve.batch` gathers calls that arrive together, and your method
# gets a list.

# %% name="embedder"
from ray import serve


@serve.deployment(max_ongoing_requests=64)  # at the same time; the default is 5
class Embedder:
    """Turns a text into a vector."""

    def __init__(self):
        self.model = embeddings()

    async def alone(self, text):
        return (await self.model.aembed_documents([text]))[0]

    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.005)
    async def together(self, texts):
        return await self.model.aembed_documents(texts)

# %% [markdown] name="start-text"
# Serve can run an HTTP proxy on each node. Here it runs one, on a free port of the head node.

# %% name="start"
from helpers.testbed import free_port

logging.getLogger("ray.serve").setLevel(logging.ERROR)
port = free_port()
serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
handle = serve.run(Embedder.bind(), name="embedder", route_prefix=None)
vector = await handle.together.remote("How heavy is the Alta 2?")  # noqa: F704
print(len(vector), "numbers")

# %% [markdown] name="batch-text"
# What does batching gain? The next cell sends 64 texts at the same moment, each in its own call. It
# measures each method three times and keeps the best rate.

# %% name="batch"
async def texts_per_second(method, count=64):
    """Vectors a second, through a method of the handle."""
    began = time.perf_counter()
    calls = []
    for number in range(count):
        calls.append(method.remote(f"Is number {number} heavy?"))
    await asyncio.gather(*calls)
    return count / (time.perf_counter() - began)


rates = {"alone": 0.0, "together": 0.0}
for _ in range(3):
    for name in rates:
        rates[name] = max(rates[name], await texts_per_second(getattr(handle, name)))  # noqa: F704
gain = rates["together"] / rates["alone"]
show.bars(rates, x="texts a second",
          title=f"In batches of 16: {gain:.1f} times as many a second")
serve.delete("embedder")

# %% [markdown] name="batch-gain-text"
# Do not be surprised by a gain near 1. A batch pays where sixteen texts take about as long as one:
# on a GPU. On a busy CPU they take sixteen times as long, and a batch saves only the calls.

# %% [markdown] name="batch-notes" only="instructor"
# On two cores, expect little or no gain: here a batch saves only calls to the engine. A GPU
# computes sixteen texts in about the time of one. Ask what a batch costs. The answer: the first
# text waits for others, up to the time limit of the batch.

# %% [markdown] name="library-text"
# ## How do you serve the parts apart?
#
# The first deployment of the shop's service finds the sentence. Serve calls `reconfigure` with the
# `user_config`, at the start and whenever it changes. It calls `check_health` regularly, and
# replaces a replica that fails three times in a row. This check notices an index that was made with
# another model.

# %% name="library" app="serve_app.py"
@serve.deployment(max_ongoing_requests=64, ray_actor_options={"num_cpus": 0.2},
                  user_config={"threshold": 0.5})
class Library:
    """Finds the sentence that answers a question."""

    def __init__(self, folder: Path, make_embeddings: MakeEmbeddings) -> None:
        self.texts, self.vectors = read_index(folder)
        self.model = make_embeddings()

    def reconfigure(self, config: Mapping[str, Any]) -> None:
        """Take a new `user_config`."""
        self.threshold = float(config["threshold"])

    @serve.batch(max_batch_size=16, batch_wait_timeout_s=0.005)
    async def embed(self, questions: list[str]) -> list[Any]:
        """A vector for each question; callers pass one question and get its vector."""
        return list(unit(await self.model.aembed_documents(questions)))

    async def best(self, question: str) -> str:
        """The best sentence, with its title; empty where none is good enough."""
        vector: Any = await self.embed(question)
        scores = self.vectors @ vector
        place = int(scores.argmax())
        return self.texts[place]["sentence"] if scores[place] >= self.threshold else ""

    async def check_health(self) -> None:
        """Fail unless the model is the one that the index was made with."""
        (vector,) = unit(await self.model.aembed_documents([self.texts[0]["text"]]))
        if self.vectors[0] @ vector < 0.99:
            raise RuntimeError("The index was made with another embedding model: build it again.")

# %% [markdown] name="memory-text"
# ## Where does the conversation live?
#
# With two replicas of the agent, a customer's second message may reach the other one, which has not
# seen the first. And you saw that a restart clears an actor's memory. So the replicas keep no
# conversation: one actor keeps them all. (If that actor dies, they are lost. In production they go
# to a database.)

# %% name="memory" app="serve_app.py"
from langgraph.checkpoint.memory import InMemorySaver


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
class Conversations:
    """Holds the checkpoints of all conversations."""

    def __init__(self) -> None:
        self.saver = InMemorySaver()

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of the saver."""
        return getattr(self.saver, method)(*args)

# %% [markdown] name="saver-text"
# LangGraph calls these four methods of a *checkpointer*. Here the first three ask the actor. With a
# name and `get_if_exists`, every replica gets the same actor. A name is known in its *namespace*,
# which differs from one start of Serve to the next, unless you give it. An actor dies with the
# process that made it, here a replica, unless it is *detached*.

# %% name="saver" app="serve_app.py"
from langgraph.checkpoint.base import BaseCheckpointSaver


class ActorSaver(BaseCheckpointSaver[Any]):
    """A checkpointer that asks the actor."""

    def __init__(self) -> None:
        super().__init__()
        shared: Any = Conversations
        options = {"name": "conversations", "namespace": "shop", "lifetime": "detached"}
        self.actor = shared.options(**options, get_if_exists=True).remote()

    async def aget_tuple(self, config: Any) -> Any:
        """The newest checkpoint of a conversation."""
        return await self.actor.call.remote("get_tuple", config)

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        """Keep a checkpoint."""
        return await self.actor.call.remote("put", config, checkpoint, metadata, new_versions)

    async def aput_writes(self, config: Any, writes: Any, task_id: str, path: str = "") -> None:
        """Keep what one step has written."""
        await self.actor.call.remote("put_writes", config, writes, task_id, path)

    def get_next_version(self, current: Any, channel: None) -> str:
        """The version that comes after `current`."""
        return InMemorySaver().get_next_version(current, channel)

# %% [markdown] name="memory-notes" only="instructor" then="06.3" needs="What does Ray add to Python?"
# Ask what may stay in a replica and what may not; wait twenty seconds. What can be worked out again
# may stay. What the next message needs goes to this actor, which all replicas find by its name.
# Then ask what dies with the actor: all conversations, so in production they go to a database.
# Exercise 06.3 uses such an actor. New in it: a request that comes again.

# %% [markdown] name="search-tool-text"
# The agent's search tool asks the library through its handle. `ABOUT_GOODS` contains the examples
# by which the course's small model chooses a tool (module 01).

# %% name="search-tool" app="serve_app.py"
from collections.abc import AsyncIterator

from agent import ABOUT_GOODS, NOT_FOUND
from langchain.tools import BaseTool, tool
from ray.serve.handle import DeploymentHandle

Words = AsyncIterator[tuple[str, str]]  # "token" or "done", and a text


def search_by_handle(library: DeploymentHandle[Any]) -> BaseTool:
    """The tool that looks up one sentence, in another deployment."""

    @tool(extras={"examples": ABOUT_GOODS, "verbatim": ["query"], "default": True})
    async def search_documents(query: str) -> str:
        """Search the shop's documents: products, delivery, returns, warranty, repairs, care."""
        found: str = await library.best.remote(query)
        return found or NOT_FOUND

    return search_documents

# %% [markdown] name="turn-text"
# Each message has an id. When a replica dies in the middle of an answer, the gateway sends the same
# message to another replica. That one finds the id in the conversation and continues from the last
# checkpoint: LangGraph does this when it gets `None` instead of a message. So a tool whose result
# is saved, such as a refund, does not run twice.

# %% name="turn" app="serve_app.py"
from agent import Agent
from langchain.messages import AIMessage, AnyMessage, HumanMessage


async def begun(agent: Agent, thread: Any, message: HumanMessage) -> list[AnyMessage]:
    """The messages of the turn that has begun with this one; none where it has not."""
    known = (await agent.aget_state(thread)).values.get("messages", [])
    for place, one in enumerate(known):
        if one.id == message.id:
            return list(known[place:])
    return []


def said_with_calls(turn: list[AnyMessage]) -> str:
    """What the model wrote before it called tools, which the client has read."""
    return "".join(one.text for one in turn if isinstance(one, AIMessage) and one.tool_calls)

# %% [markdown] name="support-text"
# `Support` streams an answer word by word: its method is an async generator. Serve asks each
# replica for its health every `health_check_period_s` seconds. A replica that it replaces gets
# nothing new, and has `graceful_shutdown_timeout_s` seconds to finish its streams.

# %% name="support" app="serve_app.py"
from agent import Caller, make_agent
from langchain.messages import AIMessageChunk
from langchain_core.language_models import BaseChatModel

MakeModel = Callable[[], BaseChatModel]


@serve.deployment(num_replicas=2, max_ongoing_requests=16, ray_actor_options={"num_cpus": 0.2},
                  health_check_period_s=2, graceful_shutdown_timeout_s=20)
class Support:
    """The agent, with a model of its own."""

    def __init__(self, make_model: MakeModel, library: DeploymentHandle[Any]) -> None:
        self.agent = make_agent(make_model(), [search_by_handle(library)], ActorSaver())

    async def answer(self, message: HumanMessage, thread: Any, caller: Caller) -> Words:
        """("token", words) while the model writes, at the end ("done", the whole answer)."""
        done = await begun(self.agent, thread, message)
        if text := said_with_calls(done):
            yield "token", text
        answer = done[-1].text if done else ""
        turn: Any = None if done else {"messages": [message]}
        modes: Any = ["messages", "values"]
        parts: Any = self.agent.astream(turn, thread, context=caller, stream_mode=modes)
        async for mode, part in parts:
            if mode == "values":
                answer = part["messages"][-1].text
            elif isinstance(part[0], AIMessageChunk) and part[0].text:
                yield "token", part[0].text
        yield "done", answer

# %% [markdown] name="unread-text"
# The gateway gets the second answer from the beginning, and passes on only what is new. The second
# answer must begin with what the client has already read. With the course's model it always does.

# %% name="unread" app="serve_app.py"
async def unread(answer: Words, sent: str) -> AsyncIterator[tuple[str, Any]]:
    """An answer in LangGraph's form, without the text that was sent before."""
    text = ""
    async for name, words in answer:
        if name == "done":
            yield "values", {"messages": [AIMessage(words)]}
            return
        text += words
        if not text.startswith(sent[: len(text)]):
            raise RuntimeError("The new answer differs from what the client has read.")
        if len(text) > len(sent):
            yield "messages", (AIMessageChunk(content=text[len(sent) :]), {})
            sent = text

# %% [markdown] name="remote-text"
# The service of module 05 takes an agent and calls its `astream`. So give it an object that has
# this one method and asks `Support` through a streaming handle. When the replica dies, Ray raises
# `RayActorError`. The object then asks again, and leaves out what the client has already read.

# %% name="remote" app="serve_app.py"
import uuid

from ray.exceptions import RayActorError

TRIES = 3


class RemoteAgent:
    """Streams as an agent does; a replica of `Support` answers."""

    def __init__(self, support: DeploymentHandle[Any]) -> None:
        self.support = support.options(stream=True)

    async def astream(
        self, turn: Any, thread: Any, *, context: Caller, stream_mode: Sequence[str]
    ) -> AsyncIterator[tuple[str, Any]]:
        """The parts of an answer, in LangGraph's form; also where a replica dies."""
        message = HumanMessage(turn["messages"][-1].text, id=uuid.uuid4().hex)
        sent = ""
        for tries_left in reversed(range(TRIES)):
            try:
                answer: Any = self.support.answer.remote(message, thread, context)
                async for part in unread(answer, sent):
                    sent += part[1][0].text if part[0] == "messages" else ""
                    yield part
                return
            except RayActorError:
                if not tries_left:
                    raise

# %% [markdown] name="gateway-text"
# The last deployment speaks HTTP. `@serve.ingress` puts an ASGI app in front of a deployment, here
# the whole service of module 05: keys, limits, gate, events, metrics. Without an argument, it lets
# each replica build its app in `__serve_build_asgi_app__`, after `__init__` has stored the handle.

# %% name="gateway" app="serve_app.py"
from fastapi import FastAPI
from service import make_app


@serve.deployment(num_replicas=2, max_ongoing_requests=200, ray_actor_options={"num_cpus": 0.2},
                  health_check_period_s=2, graceful_shutdown_timeout_s=30)
@serve.ingress()
class Gateway:
    """The service of module 05; its agent answers in other processes."""

    def __init__(
        self, support: DeploymentHandle[Any], customers: Mapping[str, str], limits: dict[str, Any]
    ) -> None:
        self.support, self.customers, self.limits = support, customers, limits

    def __serve_build_asgi_app__(self) -> FastAPI:
        agent: Any = RemoteAgent(self.support)
        return make_app(agent, self.customers, **self.limits)

# %% [markdown] name="application-text"
# You pass one bound deployment to the `bind` of another, and its constructor gets a handle:
# `Support` gets a handle of `Library`, and `Gateway` one of `Support`.

# %% name="application" app="serve_app.py"
from ray.serve import Application


def application(
    folder: Path,
    make_model: MakeModel,
    make_embeddings: MakeEmbeddings,
    customers: Mapping[str, str],
    **limits: Any,
) -> Application:
    """Gateway, agent and index, composed; `limits` are those of `make_app`, for each gateway."""
    library = Library.bind(folder, make_embeddings)  # type: ignore[attr-defined]
    support = Support.bind(make_model, library)  # type: ignore[attr-defined]
    whole: Application = Gateway.bind(support, customers, limits)  # type: ignore[attr-defined]
    return whole

# %% [markdown] name="run-text"
# Serve starts five replicas on the cluster, each in its own process: one library, two agents and
# two gateways. Here the model is the real one, not the slow one.

# %% name="run"
from service import digest

from helpers.models import chat_model

customers = {digest("key"): "C-0042"}
limits = {"rate": "99999/minute", "running": 16, "waiting": 16}
shop = application(folder / "index", chat_model, embeddings, customers, **limits)
serve.run(shop, name="shop")
clients = Clients(f"http://127.0.0.1:{port}", "/chat/stream", headers=headers)
for message in ["How heavy is the Alta 2 tent?", "Do you sell kayaks?"]:
    seen = await clients.ask({"message": message})  # noqa: F704
    print(seen.status, f"{seen.waited:.1f} s", seen.texts, seen.body)

# %% [markdown] name="conversation-notes" only="instructor" then="06.2" needs="How do you serve a class?"
# This section has the most code of the module. First draw its four parts: the gateway, which speaks
# HTTP; the agent (`Support`), which calls the model; the library, which searches; and the actor,
# which keeps the conversations. Then explain `Support` and `RemoteAgent`. Ask which parts may die
# without loss; wait one minute. The answer: all but the actor. When you are late, run the cells
# `search-tool` and `unread` without comment. Exercise 06.2 uses handles, `bind` and `stream=True`
# from this section, and deployments.

# %% [markdown] name="same-client-text"
# The client is the one from module 05, and it cannot tell the difference. The library found nothing
# about kayaks above its threshold. The words of the draft went out as the model wrote them. The
# whole answer at the end replaces them, and says that the agent does not know (module 05).
#
# ## What does a client see when the queue is full?
#
# `max_ongoing_requests` is how many requests one replica works on at a time. `max_queued_requests`
# is how many may wait for a replica, at the proxy and at each handle. Serve refuses the rest. Six
# clients ask a deployment that takes one request and lets one wait. It has the usual form of
# `@serve.ingress`: with a FastAPI app whose routes are methods of the class.

# %% name="full"
api = FastAPI()


@serve.deployment(max_ongoing_requests=1, max_queued_requests=1)
@serve.ingress(api)
class Slow:
    """Takes half a second for each request."""

    @api.get("/")
    async def answer(self):
        await asyncio.sleep(0.5)
        return "done"


serve.run(Slow.bind(), name="slow", route_prefix="/slow")
asked = await asyncio.gather(*(clients.ask(path="/slow/") for _ in range(6)))  # noqa: F704
refusal = next(seen for seen in asked if seen.status == 503)
print(sorted(seen.status for seen in asked))
print(refusal.body, "- Retry-After:", refusal.headers.get("retry-after"))
serve.delete("slow")

# %% [markdown] name="full-text"
# By default the proxy refuses with 503, in plain text, and does not say when to try again
# (`backpressure_config` can add a `Retry-After`). So let the gateway take more requests than its
# own gate lets in: above, 200, and 16 running with 16 waiting. The gate of module 05 then refuses
# with `Retry-After` and a problem document.
#
# Where a queue *behind* the gateway is full, the handle raises `BackPressureError` there, at the
# first word. Ask for that word before you send the status, or the client gets 200 and nothing.
#
# **A limit in a replica is a limit for each replica**: two gateways let in twice
# as many requests, and allow a customer up to twice the rate. Give `RateLimit` a Redis storage to
# count once for all of them.

# %% [markdown] name="full-notes" only="instructor" then="06.4" needs="Where does the conversation live?"
# Ask before the cell `full` runs how many of six get an answer; wait ten seconds. The answer is
# two. The mistake here is to count the one in the replica and forget the one in the queue. Ask what
# a client should do after this 503, which does not say how long to wait. Exercise 06.4 uses the
# usual form of `@serve.ingress` from the class `Slow`, the length of a queue, and the rule of the
# section before: a replica keeps nothing that another one needs.

# %% [markdown] name="break-text"
# ## What breaks, and who notices?
#
# Eight clients ask without a pause, and the model is slow, as in the first section. Meanwhile:
#
# 1. a new version is deployed;
# 2. a replica of the agent is killed, and then one of the gateway;
# 3. a whole node dies;
# 4. a version is deployed that does not start.
#
# Which of these do you expect the clients to notice?

# %% name="versions"
def slow_model():
    """A model that writes 8 words, one in 100 milliseconds."""
    from helpers.testbed import SlowModel

    return SlowModel(token_s=0.1, full_speed=4)


def broken_model():
    """What a wrong setting does."""
    raise LookupError("there is no such model")


def deploy(make_model):
    """Deploy the application with this model; say it when that fails."""
    new = application(folder / "index", make_model, embeddings, customers, **limits)
    try:
        serve.run(new, name="shop")
    except RuntimeError as error:
        print(str(error).strip().splitlines()[0])

# %% [markdown] name="kill-text"
# Serve's replicas are actors in the namespace `serve`. A name contains application and deployment,
# like `shop#Support#`. `ray.kill` ends the process at once.

# %% name="kill"
def kill_replica(deployment):
    """Kill the process of one replica."""
    for actor in ray.util.list_named_actors(all_namespaces=True):
        if f"#{deployment}#" in actor["name"]:
            ray.kill(ray.get_actor(actor["name"], namespace="serve"))
            return

# %% [markdown] name="settle-text"
# After each event, `settled` waits until Serve reports that all parts are healthy again, and at
# least four seconds. A version that does not start stays *unhealthy*, so it comes last.

# %% name="settled"
async def settled(patience_s=60):
    """Wait until every deployment of the shop is healthy."""
    began = time.perf_counter()
    await asyncio.sleep(4)  # until Serve has noticed
    while time.perf_counter() - began < patience_s:
        parts = serve.status().applications["shop"].deployments.values()
        if all(part.status == "HEALTHY" for part in parts):
            return
        await asyncio.sleep(0.2)

# %% name="events"
deploy(slow_model)
events = {
    "new version": lambda: deploy(slow_model),
    "agent killed": lambda: kill_replica("Support"),
    "gateway killed": lambda: kill_replica("Gateway"),
    "node lost": lambda: cluster.remove_node(second, allow_graceful=False),
    "broken version": lambda: deploy(broken_model),
}
if fast:
    del events["broken version"]  # Serve tries each replica three times

# %% [markdown] name="clients-text"
# The clients ask until all events are over. Each question is a conversation of its own, so this
# run does not show what happens to a conversation when its actor dies with its node: it is lost.

# %% name="customers"
seen, over = [], False


async def customer(number):
    """Ask until all is over."""
    while not over:
        body = {"message": "Hi", "conversation": f"{number}-{len(seen)}"}
        seen.append(await clients.ask(body, client=f"client {number}"))

# %% name="break-run"
asking = asyncio.gather(*[customer(number) for number in range(8)])
moments, healthy = {}, {}
for name, event in events.items():
    await asyncio.sleep(1)  # noqa: F704
    moments[name] = clients.now
    await asyncio.to_thread(event)  # noqa: F704
    if name != "broken version":
        await settled()  # noqa: F704
        healthy[name] = clients.now - moments[name]
over = True
await asking  # noqa: F704
print(len(seen), "requests")

# %% [markdown] name="timeline-text"
# Each point is a request, placed at the moment when it ended.

# %% name="timeline"
points = {"answered": ([], []), "not answered": ([], [])}
for one in seen:
    xs, ys = points["answered" if one.outcome == "answered" else "not answered"]
    xs.append(one.ended)
    ys.append(one.took)
lost = len(points["not answered"][0])
show.scatter(points, marks=moments, x="seconds", y="seconds a request takes",
             title=f"{lost} of {len(seen)} requests were not answered")

# %% name="broken-table"
requests = pd.DataFrame(seen)
requests["seconds"] = requests.ended - requests.sent
requests["failed"] = requests.outcome != "answered"
names = list(moments)
edges = [*moments.values(), np.inf]
requests["event"] = pd.cut(requests.ended, edges, labels=names)
by_event = requests.groupby("event", observed=False)
broken = pd.DataFrame({
    "requests": by_event.size(),
    "not answered": by_event.failed.sum(),
    "slowest": by_event.seconds.max(),
    "healthy after": pd.Series(healthy),
}).loc[names]
show.table(broken, caption="What eight clients saw", units={"slowest": "s", "healthy after": "s"})

# %% [markdown] name="broken-notes" only="instructor"
# Start the cell `break-run` first: it takes about two minutes, or more on a busy machine. While it
# runs, let pairs write down for each of the four events in the list whether clients notice. The
# mistake here is to look at machines, not at connections. Ask which part holds the client's
# connection, and compare the killed agent with the killed gateway in this table. Figures differ
# from run to run: let neighbours compare theirs.

# %% [markdown] name="alone-text"
# Compare the single process from the beginning, which no one restarted. Most of its requests are
# tries to reach a port where no one listens:

# %% name="alone"
asked_alone = len(alone.seen)
unanswered = asked_alone - alone.count("answered")
print(unanswered, "of", asked_alone, "requests were not answered")

# %% [markdown] name="broken-text"
# A killed agent costs a pause: the gateway asks another one. A killed gateway cuts its streams. A
# lost node does both, for the replicas that were on it.
#
# By default Serve stops one replica (of more than nine, a fifth), waits until the new one is ready,
# and goes on with the next. So a version that does not start costs you one replica of two. **Where
# there is only one, it costs you that one**: the library of this notebook would be gone. Give two
# replicas to any deployment that others need, or set `max_surge_percent`: Serve then starts the new
# replica first.

# %% [markdown] name="whole-text"
# A stream that was cut and resumed must read like any other. Where a gateway dies before it has
# sent a status, the proxy answers 500 for it.

# %% name="whole"
texts, failures = set(), set()
for one in seen:
    if one.outcome == "answered":
        texts.add("".join(one.texts))
    else:
        failures.add((one.outcome, one.status, one.error))
print("answers:", texts)
print("what clients saw of the others:", failures)

# %% [markdown] name="scale-text"
# ## When does Ray start another replica?
#
# With an `autoscaling_config`, Serve compares the number of requests in progress per replica with
# `target_ongoing_requests`. Six clients ask a deployment that waits half a second. How
# many replicas should there be, and after how long?

# %% name="waits"
@serve.deployment(max_ongoing_requests=10, ray_actor_options={"num_cpus": 0.1}, autoscaling_config={
    "min_replicas": 1, "max_replicas": 2 if fast else 3, "target_ongoing_requests": 2,
    "upscale_delay_s": 1, "downscale_delay_s": 2, "look_back_period_s": 2,
    "metrics_interval_s": 0.5})
class Waits:
    """Half a second of waiting, as for a model elsewhere."""

    async def __call__(self, request):
        await asyncio.sleep(0.5)
        return "done"


serve.delete("shop")
_ = serve.run(Waits.bind(), name="waits", route_prefix="/waits")

# %% name="scale"
async def waiting(until):
    """One client of `Waits`."""
    while clients.now < until:
        await clients.ask(path="/waits")


busy_s, idle_s = (10, 6) if fast else (20, 12)
began = clients.now
busy = asyncio.gather(*[waiting(began + busy_s) for _ in range(6)])
at, running, clients_at = [], [], []
while clients.now < began + busy_s + idle_s:
    app = serve.status().applications["waits"]
    states = app.deployments["Waits"].replica_states
    at.append(clients.now - began)
    running.append(states.get("RUNNING", 0))
    clients_at.append(6 if at[-1] < busy_s else 0)
    await asyncio.sleep(0.25)  # noqa: F704

# %% name="scaled"
more = np.array(running) > 1
grown = at[int(more.argmax())]  # the first moment with more than one
show.line({"replicas": (at, running), "clients": (at, clients_at)}, x="seconds", y="count",
          title=f"The second replica answers after {grown:.1f} s")
serve.delete("waits")

# %% [markdown] name="scaled-text"
# Six requests at two a replica make three replicas. One second of the time is `upscale_delay_s`;
# most of the rest is the start of a process and its imports. A replica that loads a model of
# several gigabytes takes minutes: **autoscaling follows a load that rises slowly, not a burst.**
# Against a burst you have the gate.

# %% [markdown] name="scaled-notes" only="instructor"
# Ask for both numbers before the cells run: replicas and seconds. The cell `scale` takes half a
# minute. The mistake here is to count on autoscaling in a burst. Ask which control of module 05
# helps until the new replica answers. When you are late, skip the section on evaluation in
# parallel.

# %% [markdown] name="exam-text"
# ## Can you evaluate in parallel?
#
# The golden questions of module 02 do not depend on each other. So distribute them
# over actors, each with an agent of its own. When the first answer is ready, kill one actor: Ray
# restarts it and repeats its unfinished calls.

# %% name="examiner"
from helpers.agent import build_agent
from helpers.evaluate import score_answer
from helpers.shop import questions


class Examiner:
    """Asks the agent questions, one after another."""

    def __init__(self):
        self.agent = build_agent()

    def ask(self, question):
        turn = {"messages": [HumanMessage(question.question)]}
        thread = {"configurable": {"thread_id": question.id}}
        done = self.agent.invoke(turn, thread, context=Caller(question.customer))
        return done["messages"][-1].text


sample = questions("dev")[:: 40 if fast else 8]
serial = Examiner()
answers = []
for question in sample:
    answers.append(serial.ask(question))

# %% name="exam"
Remote = ray.remote(max_restarts=2, max_task_retries=2)(Examiner)
workers = [Remote.remote(), Remote.remote()]
calls = []
for number, question in enumerate(sample):
    calls.append(workers[number % 2].ask.remote(question))
ray.wait(calls, num_returns=1)
print("killed:", kill_one("Examiner"))
shared_out = ray.get(calls)
print("the same answers:", shared_out == answers)

# %% name="exam-scores"
right = 0
for question, answer in zip(sample, shared_out, strict=True):
    score = score_answer(question, answer)
    right += score.right
print(right, "of", len(sample), "right")

# %% [markdown] name="deploy-text"
# ## How does this get onto a real cluster?
#
# You need a `.py` file and a config file. `serve build` makes the config file from the code. It
# lists the settings that the code sets, and you can change them there without touching the code.

# %% name="library-file"
here = Path.cwd()
os.chdir(folder)  # what the cells below write goes there
Path("k8s").mkdir()
_ = Path("library_main.py").write_text(f'''
from pathlib import Path
from helpers.models import embeddings
from serve_app import Library

app = Library.bind(Path({str(folder / "index")!r}), embeddings)
''')

# %% name="serve-build"
import subprocess

serve_command = str(Path(sys.executable).with_name("serve"))
build = [serve_command, "build", "library_main:app", "--output-path", "library.yaml"]
subprocess.run(build, capture_output=True, check=True)
made = Path("library.yaml").read_text("utf-8")
print(made)

# %% [markdown] name="serve-run-text"
# `serve run` with such a file deploys it on a running cluster. Run it a second time with another
# `user_config`: will the replica be replaced?

# %% name="serve-run"
import yaml


def serve_run(threshold):
    """Deploy the library with this threshold; the names of its replicas."""
    config = yaml.safe_load(made)
    config["applications"][0] |= {"name": "library", "route_prefix": None}
    config["applications"][0]["deployments"][0]["user_config"]["threshold"] = threshold
    Path("library.yaml").write_text(yaml.safe_dump(config))
    run = [serve_command, "run", "--non-blocking", "--address", cluster.address, "library.yaml"]
    subprocess.run(run, capture_output=True, check=True)
    time.sleep(2)  # until Serve has read it
    while serve.status().applications["library"].status != "RUNNING":
        time.sleep(0.2)
    actors = ray.util.list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in actors if "#Library#" in actor["name"]]

# %% name="user-config"
replicas = {}
for threshold in [0.5, 0.99]:
    replicas[threshold] = serve_run(threshold)
    handle = serve.get_app_handle("library")
    found = await handle.best.remote("How heavy is the Alta 2?")  # noqa: F704
    print(threshold, found or "nothing")
print("the same replica:", replicas[0.5] == replicas[0.99])

# %% [markdown] name="yaml-text"
# With `serve.run` in Python, every call is a new version: all replicas are replaced, and what a
# file has set goes back to what the code says. With a file, Serve compares the new settings with
# the old ones, and replaces replicas only where it must. The next file belongs to the module's
# program. It imports `ray_main.py`, which gives the application its models. `course new` writes a
# `ray_main.py` for your own project.

# %% name="serve-yaml" app="serve.yaml"
# %%writefile serve.yaml
# http_options:
#   host: 127.0.0.1
#   port: 8000
# applications:
#   - name: shop
#     route_prefix: /
#     import_path: ray_main:app
#     deployments:
#       - name: Gateway
#         num_replicas: 2
#       - name: Support
#         num_replicas: 2
#         max_ongoing_requests: 16
#       - name: Library
#         num_replicas: 2
#         user_config:
#           threshold: 0.5

# %% [markdown] name="keys-text"
# Ray's schema rejects a wrong value, but accepts a key that it does not know. So a mistyped
# `num_replica` has no effect, and Ray does not tell you. Compare the keys yourself.

# %% name="keys"
from ray.serve.schema import DeploymentSchema, ServeDeploySchema

text = Path("serve.yaml").read_text("utf-8").replace("num_replicas", "num_replica", 1)
config = yaml.safe_load(text)
ServeDeploySchema(**config)  # accepts it
for deployment in config["applications"][0]["deployments"]:
    unknown = set(deployment) - set(DeploymentSchema.model_fields)
    print(deployment["name"], "- unknown keys:", unknown or "none")

# %% [markdown] name="manifest-text"
# On Kubernetes, the operator KubeRay starts the cluster and deploys the application on it. You give
# it a `RayService`. Its `serveConfigV2` contains the `applications` of a file like the one above,
# here in short form, and not the `host`: in a pod, 127.0.0.1 is out of reach for everyone else.

# %% name="manifest" app="k8s/rayservice.yaml"
# %%writefile k8s/rayservice.yaml
# apiVersion: ray.io/v1
# kind: RayService
# metadata: {name: shop}
# spec:
#   serveConfigV2: |
#     applications:
#       - {name: shop, route_prefix: /, import_path: ray_main:app}
#   rayClusterConfig:
#     rayVersion: 2.60.0
#     headGroupSpec:
#       rayStartParams: {num-cpus: "0"}
#       template:
#         spec:
#           containers:
#             - name: ray-head
#               image: shop:1.0
#               resources: &size
#                 requests: {cpu: "2", memory: 4Gi}
#                 limits: {cpu: "2", memory: 4Gi}
#               envFrom: [{secretRef: {name: shop}}]

# %% name="manifest-workers" app="k8s/rayservice.yaml"
# %%writefile -a k8s/rayservice.yaml
#     workerGroupSpecs:
#       - groupName: workers
#         replicas: 2
#         minReplicas: 2
#         maxReplicas: 6
#         template:
#           spec:
#             containers:
#               - name: ray-worker
#                 image: shop:1.0
#                 resources: *size
#                 envFrom: [{secretRef: {name: shop}}]

# %% [markdown] name="manifest-check-text"
# The course cannot run an operator here. It checks the file against a trimmed copy of KubeRay's own
# schema ([rayservice.py](../helpers/scale/rayservice.py)), which finds unknown fields too.

# %% name="manifest-check"
from helpers.scale import rayservice

manifest = Path("k8s/rayservice.yaml").read_text("utf-8")
print(rayservice.problems(manifest) or "nothing wrong")
print(rayservice.problems(manifest.replace("maxReplicas", "maxReplica")))

# %% [markdown] name="stop-text"
# Stop what you started.

# %% name="stop"
await clients.http.aclose()  # noqa: F704
serve.shutdown()
ray.shutdown()
cluster.shutdown()
os.chdir(here)
drawer.cleanup()

# %% [markdown] name="package-text"
# `course ray serve` runs the course's whole service this way ([helpers/scale](../helpers/scale/)),
# with the same settings, keys and limits. It keeps what replicas must share in Redis or in one
# actor. It also offers OpenAI's API, so the `openai` client and `ChatOpenAI` work with it
# unchanged. `course ray check` puts it under load and breaks its parts. `course ray eval` evaluates
# in parallel, and resumes a run that was interrupted.

# %% [markdown] name="deploy-notes" only="instructor" then="06.5" needs="Where does the conversation live?; What does a client see when the queue is full?"
# Ask whether the replica is replaced when only `user_config` changes; wait for a show of hands. The
# answer: not when a file is deployed. The mistake here is a mistyped key, which Ray accepts in
# silence. Run the cell `stop` before exercise 06.5: its check starts a cluster of its own. Exercise
# 06.5 is the gate: it uses the resumed stream of `RemoteAgent`, and the full queue. Its check kills
# and replaces parts, as the section on what breaks does.

# %% [markdown] name="measured-text"
# ## What you measured
#
# The times are those of this machine. What to remember is which events lost requests.

# %% name="measured"
measured = [
    {"what": "an array by value / by reference", "figure": by_value / by_reference},
    {"what": "texts a second, in batches / alone", "figure": gain},
    {"what": "seconds to a second replica", "figure": grown},
]
for event, count in broken["not answered"].items():
    measured.append({"what": f"requests not answered: {event}", "figure": count})
show.table(measured, caption="This notebook's figures")

# %% [markdown] name="production"
# ## In production
#
# Each node is a machine, and a replica that needs a GPU asks for it:
# `ray_actor_options={"num_gpus": 1}`, or `0.5` for two replicas on one GPU (Ray only counts; it
# does not divide the memory). `ray.serve.llm` deploys vLLM engines with OpenAI's API; your
# `Support` then calls it like any hosted model. `RAY_ADDRESS` says which cluster a command or a
# script uses.
#
# - **Every port is an open door.** Anyone who can reach the dashboard, the job API or the ports
#   between nodes can run code. Bind them to a private network, put a firewall around it, and turn
#   on token authentication. Here Ray listens on loopback, except for one port of each replica,
#   which this version of Ray binds to every interface.
# - **There is one head node.** If it dies, the cluster dies too, unless the head's state is kept in
#   Redis (KubeRay's `gcsFaultToleranceOptions`).
# - **Conversations** go to a database, with LangGraph's Postgres or Redis checkpointer in place of
#   `ActorSaver`.
#
# **Where it breaks.** Ray does not keep your data consistent: a call that is repeated may act
# twice. A tool that moves money needs a key by which the bank recognises a repeated call. A client
# whose gateway dies loses its stream and has to ask again. A hosted model may write a different
# answer the second time, and then a cut stream ends in an error. Ray does not isolate tenants from
# each other.

# %% [markdown] name="keep"
# ## Keep this
#
# ```python
# @serve.deployment(num_replicas=2, max_ongoing_requests=16, max_queued_requests=16)
# class Support:
#     def __init__(self, library):   # a handle
#         self.agent = create_agent(model, [search_by(library)], checkpointer=outside)
#     async def answer(self, message, thread):
#         async for chunk, _ in self.agent.astream(message, thread, stream_mode="messages"):
#             yield chunk.text
#
# api = FastAPI()
#
# @serve.deployment(num_replicas=2, max_ongoing_requests=100)  # the default is 5
# @serve.ingress(api)
# class Gateway:
#     def __init__(self, support):
#         self.support = support.options(stream=True)
#     @api.post("/chat")
#     async def chat(self, asked: Asked):
#         words = self.support.answer.remote(asked.message, asked.thread)
#         try:
#             first = await anext(words)     # before the status goes out
#         except BackPressureError:          # Support's queue is full
#             raise HTTPException(503, headers={"Retry-After": "1"})
#         async def stream():                # a killed Support cuts it; RemoteAgent above resumes
#             yield first
#             async for word in words:
#                 yield word
#         return StreamingResponse(stream(), media_type="text/plain")
#
# app = Gateway.bind(Support.bind(Library.bind()))   # serve.run(app), or: serve run app:app
# ```
#
# **The figure:** how many requests were not answered while a replica died and a version changed.
# **The pitfall:** Ray restarts the process, not its memory. **In a review meeting:** say what the
# next cell prints.

# %% name="sentence-to-say"
safe = broken.loc[["new version", "agent killed"]].sum()
cost, of = int(safe["not answered"]), int(safe["requests"])
cut = broken.loc["gateway killed", "not answered"]
print(f"A new version and a killed replica cost {cost} of {of} requests.")
print(f"A killed gateway cut {cut} streams.")
gone = alone.count("lost", "no answer")
print(f"One process that died cut {gone} answers, and then no one was served.")

# %% [markdown] name="without"
# ## Without the course
#
# In an empty folder, run `pip install "ray[data,serve]" langchain langchain-openai`, and set Ray's
# own switch `RAY_USAGE_STATS_ENABLED=0`. Put "Keep this" into `app.py`, with your own model, body
# `Asked`, search, checkpointer and `Library`, and run `serve run app:app`. (`BackPressureError` is
# in `ray.serve.exceptions`.) `ray.init(address="local")` starts a cluster of its own, where
# `ray.init()` may join one that runs on the machine. For several nodes on one laptop, use
# `ray.cluster_utils.Cluster`. On real machines, run `ray start --head` on one and `ray start
# --address HEAD:6379` on the others, then `serve deploy serve.yaml`, which talks to the dashboard.
# For a test without a cluster, use `serve.run(app, _local_testing_mode=True)`. `course new
# ../my-agent` writes all of this as a project with tests.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions about what you have just built.

# %% name="quiz"
from helpers.course import quiz

quiz("06")

# %% [markdown] name="links"
# ## Next
#
# - The lab: [labs/06_scale_with_ray.ipynb](../labs/06_scale_with_ray.ipynb), five exercises.
# - Then module 07, Kubernetes.
# - Ray: [key concepts](https://docs.ray.io/en/latest/ray-core/key-concepts.html),
#   [Ray Data](https://docs.ray.io/en/latest/data/data.html),
#   [Serve](https://docs.ray.io/en/latest/serve/key-concepts.html),
#   [its fault tolerance](https://docs.ray.io/en/latest/serve/production-guide/fault-tolerance.html),
#   [security](https://docs.ray.io/en/latest/ray-security/index.html),
#   [KubeRay](https://docs.ray.io/en/latest/cluster/kubernetes/index.html).
# - The paper: Moritz and others, 2018, *Ray: A Distributed Framework for Emerging AI Applications*,
#   [arXiv:1712.05889](https://arxiv.org/abs/1712.05889).
