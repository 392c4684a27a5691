# Written by `course build` from notebooks/src/06_scale_with_ray.py: edit it there.

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray.data
from fastapi import FastAPI
from langchain.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langchain.tools import BaseTool, tool
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from numpy.typing import NDArray
from ray import serve
from ray.exceptions import RayActorError
from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from agent import ABOUT_GOODS, NOT_FOUND, Agent, Caller, make_agent
from service import make_app

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


@serve.deployment(
    max_ongoing_requests=64, ray_actor_options={"num_cpus": 0.2}, user_config={"threshold": 0.5}
)
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


@ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)
class Conversations:
    """Holds the checkpoints of all conversations."""

    def __init__(self) -> None:
        self.saver = InMemorySaver()

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of the saver."""
        return getattr(self.saver, method)(*args)


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


Words = AsyncIterator[tuple[str, str]]  # "token" or "done", and a text


def search_by_handle(library: DeploymentHandle[Any]) -> BaseTool:
    """The tool that looks up one sentence, in another deployment."""

    @tool(extras={"examples": ABOUT_GOODS, "verbatim": ["query"], "default": True})
    async def search_documents(query: str) -> str:
        """Search the shop's documents: products, delivery, returns, warranty, repairs, care."""
        found: str = await library.best.remote(query)
        return found or NOT_FOUND

    return search_documents


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


MakeModel = Callable[[], BaseChatModel]


@serve.deployment(
    num_replicas=2,
    max_ongoing_requests=16,
    ray_actor_options={"num_cpus": 0.2},
    health_check_period_s=2,
    graceful_shutdown_timeout_s=20,
)
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


@serve.deployment(
    num_replicas=2,
    max_ongoing_requests=200,
    ray_actor_options={"num_cpus": 0.2},
    health_check_period_s=2,
    graceful_shutdown_timeout_s=30,
)
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
