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
#     client([client]) --> proxy["Ray's HTTP proxy"] --> gateway["Gateway<br>FastAPI: keys, limits, gate"]
#     gateway --> support["Support<br>agent and model"] --> library["Library<br>index, embeddings"]
#     support <--> memory[("Conversations<br>one actor")]
#     documents[(documents)] --> workers["Ray Data:<br>workers that embed"] --> files[("index files")] --> library
# ```

# %% name="parameters" tags=["parameters"]
import os

model = os.environ.get("COURSE_MODEL", "local")  # which model answers
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% [markdown] name="saturate-text"
# ## When does one process stop being enough?
#
# Module 01 ended in a program, [agent.py](../helpers/course/home/programs/agent.py), and module 05
# in [service.py](../helpers/course/home/programs/service.py). `earlier_programs` lets this notebook,
# and the processes that it starts, import both.

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
# Two to sixteen clients ask again and again, each as soon as it has its answer. Where do more
# clients stop getting more answers?

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

# %% [markdown] name="killed-text"
# From four clients on the answers per second stay the same, and everyone waits longer. More
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
# Ray runs functions and objects in other processes, on any machine of a *cluster*, and starts them
# again when they die. `ray.cluster_utils.Cluster` makes a cluster on one machine: each *node* is a
# set of processes. Two variables keep Ray on the loopback address and stop its usage statistics.

# %% name="cluster"
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
               "RAY_BACKEND_LOG_LEVEL": "fatal"}
os.environ["PYTHONPATH"] += os.pathsep + str(folder)  # for files that this notebook writes
import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

small = {"object_store_memory": 300 * 2**20, "include_log_monitor": False}
cluster = Cluster(initialize_head=True, head_node_args={
    "num_cpus": 2, "include_dashboard": False, "no_monitor": True, **small})
second = cluster.add_node(num_cpus=2, **small)
_ = ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
print(ray.cluster_resources()["CPU"], "CPUs on", len(ray.nodes()), "nodes")

# %% [markdown] name="resources-text"
# These CPUs are *logical*: Ray counts what tasks ask for, and does
# not measure or limit what they use.
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
# Kill the actor's process as an operating system does that runs out of memory. `max_restarts` says
# how often Ray may start it again, `max_task_retries` how often it may repeat a call. What do you
# expect the next call to return?

# %% name="actor-killed"
import signal

calls, pid = ray.get(counter.call.remote())
print("before:", calls)
os.kill(pid, signal.SIGKILL)
print("after:", ray.get(counter.call.remote()))

# %% [markdown] name="store-text"
# The call is answered, by another process, and it counts from one: **Ray brings the process back,
# not its memory.** What must survive belongs elsewhere. You will need this below.
#
# What is copied? An argument is put into the *object store*, shared memory of the node, once for
# each call. `ray.put` puts it there once for all.

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

# %% [markdown] name="store-notes" only="instructor"
# Ask what happens to a list that a task appends to. It was copied by pickle: the caller's list does
# not change. An array is not copied in the worker, and so it is read-only there.

# %% [markdown] name="index-text"
# ## How do you build an index with many workers?
#
# The index has a vector for each sentence, and for each question that the course wrote for it
# (module 01). `titled` is from `agent.py`.

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
# pool of actors, and each holds its own model. What you build for the index and for the service is
# in one file, [serve_app.py](../helpers/course/home/programs/serve_app.py).

# %% name="embed" app="serve_app.py"
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ray.data
from langchain_core.embeddings import Embeddings

MakeEmbeddings = Callable[[], Embeddings]
Batch = dict[str, Any]  # a name -> an array with a value for each row


class Embed:
    """A worker that turns texts into vectors."""

    def __init__(self, make_embeddings: MakeEmbeddings) -> None:
        self.model = make_embeddings()

    def __call__(self, batch: Batch) -> Batch:
        """The batch with a `vector` for each `text`."""
        vectors = self.model.embed_documents([str(text) for text in batch["text"]])
        return {**batch, "vector": np.array(vectors, dtype=np.float32)}

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
# Blocks are ready in any order, so the writer sorts. Texts become JSON and vectors an array:
# a pickle file would run whatever code it holds when you load it.

# %% name="write" app="serve_app.py"
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


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
    return texts, vectors

# %% [markdown] name="serial-text"
# First the index without Ray: one worker, in this process.

# %% name="serial"
import logging

from helpers.models import embeddings

logging.getLogger("ray.data").setLevel(logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False  # below is one of our own

table = pd.DataFrame(rows)
table["vector"] = list(Embed(embeddings)({"text": table.text})["vector"])
write_index(folder / "serial", table.to_dict("records"))

# %% [markdown] name="kill-worker-text"
# Then with two workers. As soon as the first rows are there, one worker is killed. The loop does
# not know it.

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

# %% [markdown] name="poison-text"
# Ray has run the lost batches again, in a new worker. That helps against a machine that dies. A
# document on which your own code fails would fail again each time, and end the whole run: catch it
# in the worker and report it, as in exercise 1 of the lab.
#
# ## How do you serve a class?
#
# A *deployment* is a class, and Serve runs *replicas* of it, each in an actor. `serve.run` starts
# it and returns a *handle*: a call through a handle goes to one of the replicas. `@serve.batch`
# gathers calls that arrive together, and your method gets a list.

# %% name="embedder"
from ray import serve


@serve.deployment(max_ongoing_requests=64)
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
# Serve has one HTTP proxy a node. Here there is one, on a free port of the head node.

# %% name="start"
from helpers.testbed import free_port

logging.getLogger("ray.serve").setLevel(logging.ERROR)
port = free_port()
serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
handle = serve.run(Embedder.bind(), name="embedder", route_prefix=None)
vector = await handle.together.remote("How heavy is the Alta 2?")  # noqa: F704
print(len(vector), "numbers")

# %% [markdown] name="batch-text"
# What does the batch bring? Sixty-four texts at the same moment, each in a call of its own. Three
# rounds, one after the other, and the best of each.

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

# %% [markdown] name="batch-notes" only="instructor"
# On two cores the gain is small: what a batch saves here is the calls of the engine. A GPU computes
# sixteen texts in about the time of one. Ask what a batch costs: the first text waits for the last.

# %% [markdown] name="library-text"
# ## How do you serve the parts apart?
#
# The first part of the shop's service finds the sentence. `reconfigure` gets the deployment's
# `user_config`, also a new one while the replica runs. Serve calls `check_health` again and again,
# and replaces a replica that fails it. This one notices an index that was made with another model.

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
        return await self.model.aembed_documents(questions)

    async def best(self, question: str) -> str:
        """The best sentence, with its title; empty where none is good enough."""
        vector: Any = await self.embed(question)
        scores = self.vectors @ np.array(vector)
        place = int(scores.argmax())
        return self.texts[place]["sentence"] if scores[place] >= self.threshold else ""

    async def check_health(self) -> None:
        """Fail unless the model is the one that the index was made with."""
        vector = (await self.model.aembed_documents([self.texts[0]["text"]]))[0]
        if float(self.vectors[0] @ np.array(vector)) < 0.99:
            raise RuntimeError("The index was made with another embedding model: build it again.")

# %% [markdown] name="memory-text"
# ## Where does the conversation live?
#
# With two replicas of the agent, a customer's second message may reach the other one, which has not
# seen the first. And you saw what a restart leaves of an actor's memory. So the replicas keep no
# conversation: one actor keeps them all.

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
# LangGraph calls these four methods of a *checkpointer*, and this one asks the actor. By its name,
# `get_if_exists` gives every replica the same actor.

# %% name="saver" app="serve_app.py"
from langgraph.checkpoint.base import BaseCheckpointSaver


class ActorSaver(BaseCheckpointSaver[Any]):
    """A checkpointer that asks the actor."""

    def __init__(self) -> None:
        super().__init__()
        options: Any = Conversations.options(name="conversations", get_if_exists=True)  # type: ignore[attr-defined]
        self.actor = options.remote()

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

# %% [markdown] name="search-tool-text"
# The agent's search tool asks the library through its handle. `ABOUT_GOODS` are the examples by
# which the course's small model chooses a tool (module 01).

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
# Each message has an id. When a replica dies in mid-answer, the same message comes again to another
# one. It finds the id in the conversation and goes on from the last checkpoint, for which LangGraph
# takes `None` instead of a message. So a tool that has run, such as a refund, does not run twice.

# %% name="turn" app="serve_app.py"
from agent import Agent
from langchain.messages import HumanMessage


async def begun(agent: Agent, thread: Any, message: HumanMessage) -> tuple[bool, str]:
    """Whether a turn with this message has begun, and the last words of the conversation."""
    known = (await agent.aget_state(thread)).values.get("messages", [])
    for one in known:
        if one.id == message.id:
            return True, known[-1].text
    return False, ""

# %% [markdown] name="support-text"
# `Support` streams an answer word by word: its method is an async generator.

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
        again, answer = await begun(self.agent, thread, message)
        turn: Any = None if again else {"messages": [message]}
        modes: Any = ["messages", "values"]
        parts: Any = self.agent.astream(turn, thread, context=caller, stream_mode=modes)
        async for mode, part in parts:
            if mode == "values":
                answer = part["messages"][-1].text
            elif isinstance(part[0], AIMessageChunk) and part[0].text:
                yield "token", part[0].text
        yield "done", answer

# %% [markdown] name="unread-text"
# The gateway gets the second answer from the beginning, and passes on only what is new. What the
# client has already read must be its beginning; with the course's model it always is.

# %% name="unread" app="serve_app.py"
from langchain.messages import AIMessage


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
# `RayActorError`. Then it asks again, and leaves out what the client has already read.

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
# The last deployment is HTTP. `@serve.ingress` puts an ASGI app in front of a deployment, here the
# whole service of module 05: keys, limits, gate, events, metrics. Without an argument it asks the
# replica for its app, once the replica has its handle.

# %% name="gateway" app="serve_app.py"
from fastapi import FastAPI
from service import make_app


@serve.deployment(num_replicas=2, max_ongoing_requests=200, ray_actor_options={"num_cpus": 0.2},
                  health_check_period_s=2, graceful_shutdown_timeout_s=30)
@serve.ingress()
class Gateway:
    """The service of module 05; its agent answers in other processes."""

    def __init__(
        self, support: DeploymentHandle[Any], customers: Mapping[str, str], limits: Mapping[str, Any]
    ) -> None:
        self.support, self.customers, self.limits = support, customers, limits

    def __serve_build_asgi_app__(self) -> FastAPI:
        agent: Any = RemoteAgent(self.support)
        return make_app(agent, self.customers, **self.limits)

# %% [markdown] name="application-text"
# Handles are arguments: `bind` gives `Support` the library's, and `Gateway` that of `Support`.

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
# Serve starts the library, then the others, in five processes on two nodes. The real model answers.

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

# %% [markdown] name="same-client-text"
# The client is the one of module 05, and it cannot tell the difference. *Do you sell kayaks?* is
# refused, because the library found nothing above its threshold.
#
# ## What does a client see when the queue is full?
#
# `max_ongoing_requests` is what one replica works on at a time, `max_queued_requests` what waits
# for a replica. Everything above is refused. Six clients ask a deployment that takes one and lets
# one wait.

# %% name="full"
@serve.deployment(max_ongoing_requests=1, max_queued_requests=1)
class Slow:
    """Takes half a second for each request."""

    async def __call__(self, request):
        await asyncio.sleep(0.5)
        return "done"


serve.run(Slow.bind(), name="slow", route_prefix="/slow")
asked = await asyncio.gather(*(clients.ask(path="/slow") for _ in range(6)))  # noqa: F704
refusal = next(seen for seen in asked if seen.status == 503)
print(sorted(seen.status for seen in asked))
print(refusal.body, "- Retry-After:", refusal.headers.get("retry-after"))
serve.delete("slow")

# %% [markdown] name="full-text"
# The proxy refuses with 503, in plain text, and does not say when to try again. So let the gateway
# take more requests than its own gate lets in (above: 200 and 32). The gate of module 05 then
# refuses with `Retry-After` and a problem document. **A limit in a replica is a limit for each
# replica**: two gateways let twice as many in, and count a customer's rate twice. Give
# `RateLimit` a Redis storage to count once for all of them.

# %% [markdown] name="break-text"
# ## What breaks, and who notices?
#
# Eight clients ask all the time, and the model is the slow one from the beginning. Meanwhile:
#
# 1. a new version is deployed;
# 2. a replica of the agent is killed, and then one of the gateway;
# 3. a whole node dies;
# 4. a version is deployed that does not start.
#
# What do you expect: which of these do the clients notice?

# %% name="versions"
def slow_model():
    """A model that writes 8 words, one in 30 milliseconds."""
    from helpers.testbed import SlowModel

    return SlowModel(token_s=0.03, full_speed=4)


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
# Serve's replicas are named actors. `ray.kill` ends the process at once.

# %% name="kill"
def kill_replica(deployment):
    """Kill the process of one replica."""
    for actor in ray.util.list_named_actors(all_namespaces=True):
        if f"#{deployment}#" in actor["name"]:
            ray.kill(ray.get_actor(actor["name"], namespace="serve"))
            return

# %% [markdown] name="settle-text"
# After each event, `settled` waits until Serve reports that all parts are healthy again. A version
# that does not start stays *unhealthy*, so it comes last.

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
    del events["broken version"]  # Serve tries it three times

# %% [markdown] name="clients-text"
# The clients ask until all is over. Each question is a conversation of its own.

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
# Each point is a request, at the moment when it ended.

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

# %% [markdown] name="alone-text"
# And the one process from the beginning, which no one restarted:

# %% name="alone"
asked_alone = len(alone.seen)
unanswered = asked_alone - alone.count("answered")
print(unanswered, "of", asked_alone, "requests were not answered")

# %% [markdown] name="broken-text"
# Serve replaces replicas one after another and waits for the new one. So a version that does not
# start takes one replica of two, and **where there is only one, it takes that**: the library of
# this notebook would be gone. Give two replicas to whatever all others need.

# %% [markdown] name="whole-text"
# A stream that was cut and resumed must read like any other.

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
# With an `autoscaling_config`, Serve compares the requests that are under way with
# `target_ongoing_requests` a replica. Six clients ask a deployment that waits half a second. How
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
serve.run(Waits.bind(), name="waits", route_prefix="/waits")

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
# Most of that time is the start of a process and its imports. A replica that loads a model of
# several gigabytes takes minutes: **autoscaling follows a load that rises slowly, and no burst.**
# For the burst there is the gate.

# %% [markdown] name="exam-text"
# ## Can you evaluate in parallel?
#
# The golden questions of module 02 do not depend on each other. So share them out to actors, each
# with an agent of its own. One is killed at its first answer: Ray restarts it and repeats its calls.

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
# A `.py` file and a config file. `serve build` makes the config from the file, with every setting
# that you may change without touching the code.

# %% name="library-file"
_ = (folder / "library_main.py").write_text(f'''
from pathlib import Path
from helpers.models import embeddings
from serve_app import Library

app = Library.bind(Path({str(folder / "index")!r}), embeddings)
''')

# %% name="serve-build"
import subprocess

build = ["serve", "build", "library_main:app", "--app-dir", str(folder)]
made = subprocess.run(build, capture_output=True, text=True, check=True).stdout
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
    (folder / "library.yaml").write_text(yaml.safe_dump(config))
    run = ["serve", "run", "--non-blocking", "--address", cluster.address, "library.yaml"]
    subprocess.run(run, cwd=folder, capture_output=True, check=True)
    actors = ray.util.list_named_actors(all_namespaces=True)
    return [actor["name"] for actor in actors if "#Library#" in actor["name"]]

# %% name="user-config"
first = serve_run(threshold=0.5)
handle = serve.get_app_handle("library")
print("0.5: ", await handle.best.remote("How heavy is the Alta 2?"))  # noqa: F704
second_run = serve_run(threshold=0.99)
print("0.99:", await handle.best.remote("How heavy is the Alta 2?") or "nothing")  # noqa: F704
print("the same replica:", first == second_run)

# %% [markdown] name="yaml-text"
# With `serve.run` in Python, every call is a new version, and all replicas are replaced: you saw it
# above. With a file, Serve compares. This file belongs to the program. `ray_main.py` gives it the
# models; `course new` writes one for your own project.

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
# Ray's schema refuses a wrong value, and accepts a key that it does not know. So a mistyped
# `num_replica` changes nothing, and no one is told. Compare the keys yourself.

# %% name="keys"
from ray.serve.schema import DeploymentSchema, ServeDeploySchema

text = Path("serve.yaml").read_text("utf-8").replace("num_replicas", "num_replica", 1)
config = yaml.safe_load(text)
ServeDeploySchema(**config)  # accepts it
for deployment in config["applications"][0]["deployments"]:
    unknown = set(deployment) - set(DeploymentSchema.model_fields)
    print(deployment["name"], "- unknown keys:", unknown or "none")

# %% [markdown] name="manifest-text"
# On Kubernetes the operator KubeRay starts the cluster and deploys the application in it. You give
# it a `RayService`. The `serveConfigV2` is the file from above.

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
#                 limits: {memory: 4Gi}

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
drawer.cleanup()

# %% [markdown] name="package-text"
# `course ray serve` runs the course's whole service this way ([helpers/scale](../helpers/scale/)):
# the same settings, keys and limits, Redis or one actor for what replicas must share, and OpenAI's
# API, so that the `openai` client and `ChatOpenAI` work with it unchanged. `course ray check` puts
# it under load and breaks its parts. `course ray eval` evaluates in parallel and resumes.

# %% [markdown] name="measured-text"
# ## What you measured
#
# The times are this machine's. What to remember is which rows have a loss.

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
# `ray_actor_options={"num_gpus": 1}`, or `0.5` for two replicas on one GPU (Ray counts, it does not
# divide the memory). `ray.serve.llm` deploys vLLM engines with OpenAI's API; your `Support` then
# calls it as any hosted model. `RAY_ADDRESS` says which cluster a command or a script uses.
#
# - **Every port is an open door.** Who reaches the dashboard, the job API or the ports between
#   nodes can run code. Bind them to a private network, put a firewall around it, and turn on token
#   authentication. Here Ray listens on loopback, but for one port of each replica, which this
#   version binds to every interface.
# - **The head node** is single: with it goes the cluster, unless its state is kept in Redis (KubeRay's
#   `gcsFaultToleranceOptions`). Conversations go to a database, with LangGraph's Postgres or Redis
#   checkpointer in the place of `ActorSaver`.
#
# **Where it breaks.** Ray keeps no data consistent: a call that is repeated may act twice. A tool
# that moves money needs a key by which the bank recognises the repetition. A client whose gateway
# dies loses its stream and has to ask again. A hosted model writes another answer the second time,
# and then a cut stream ends in an error. Ray gives no tenant a fence against another one.

# %% [markdown] name="keep"
# ## Keep this
#
# ```python
# @serve.deployment(num_replicas=2, max_ongoing_requests=16, graceful_shutdown_timeout_s=20)
# class Support:
#     def __init__(self, library):                      # a handle
#         self.agent = make_agent(library, ActorSaver())  # nothing to remember in here
#     async def answer(self, message, thread):
#         async for part in self.agent.astream(message, thread):
#             yield part
#
# serve.run(Gateway.bind(Support.bind(Library.bind())))
# ```
#
# **The figure:** requests that were not answered while a replica died and a version changed.
# **The pitfall:** Ray restarts the process, not its memory. **In a review meeting:** say what the
# next cell prints.

# %% name="sentence-to-say"
safe = broken.loc[["new version", "agent killed"]].sum()
cost, of = int(safe["not answered"]), int(safe["requests"])
cut = broken.loc["gateway killed", "not answered"]
print(f"A new version and a killed replica cost {cost} of {of} requests.")
print(f"A killed gateway cut {cut} streams.")
print(f"With one process, {unanswered} requests went nowhere within a second.")

# %% [markdown] name="without"
# ## Without the course
#
# In an empty folder: `pip install "ray[serve]" pyarrow langchain langchain-openai`, and Ray's own
# switch `RAY_USAGE_STATS_ENABLED=0`. Write the classes above into `app.py`, end it with
# `app = Gateway.bind(...)`, and run `serve run app:app`. Several nodes on one laptop:
# `ray.cluster_utils.Cluster`. On real machines: `ray start --head` on one and
# `ray start --address HEAD:6379` on the others, then `serve deploy serve.yaml`. For a test without
# a cluster: `serve.run(app, _local_testing_mode=True)`. `course new ../my-agent` writes all of it
# as a project with tests.

# %% [markdown] name="quiz-text"
# ## Quiz
#
# Questions on what you have just built.

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
