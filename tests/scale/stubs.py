"""What the workers of these tests hold: embeddings and agents without a model; some die."""

import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, HumanMessage

from helpers.agent.build import Agent


class StubEmbeddings(Embeddings):
    """A vector of each text's digest; words in the text make it fail or end its process."""

    model = "stub"

    def embed_query(self, text: str) -> list[float]:
        if "unreadable" in text:
            raise RuntimeError("no such word")
        if "endless" in text:
            return [float("nan")] * 8
        marker = Path(os.environ.get("COURSE_STUB_DIED", "none"))
        if "always deadly" in text or ("deadly" in text and not marker.exists()):
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return (np.frombuffer(hashlib.sha256(text.encode()).digest()[:8], np.uint8) / 255).tolist()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


class OtherEmbeddings(StubEmbeddings):
    """Another model."""

    model = "other"

    def embed_query(self, text: str) -> list[float]:
        return super().embed_query(text)[::-1]


def stub_agents() -> Callable[[], Agent]:
    """Agents that answer how often they were asked: what an order book does to later answers."""
    return lambda: cast(Agent, _StubAgent())


def no_agents() -> Callable[[], Agent]:
    """What a broken set-up does in a worker."""
    raise RuntimeError("the weights are damaged")


class _StubAgent:
    """Notes each question in the file `STUB_ASKED`; dies, or fails, where that says so."""

    def __init__(self) -> None:
        self._asked = 0

    def invoke(self, state: Any, config: Any, *, context: Any) -> Any:
        self._asked += 1
        question = state["messages"][0].text
        noted = Path(os.environ["COURSE_STUB_ASKED"])
        before = noted.read_text().splitlines() if noted.exists() else []
        with noted.open("a") as file:
            file.write(f"{question}\n")
        if "always deadly" in question or ("deadly" in question and question not in before):
            os.kill(os.getpid(), signal.SIGKILL)
        if "failing" in question:
            raise RuntimeError("no such tool")
        answer = f"30 days, {context.customer_id}, number {self._asked}"
        return {"messages": [HumanMessage(question), AIMessage(answer)]}
