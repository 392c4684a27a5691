"""The local service inside the test's own process, with prices of its own."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langsmith import Client

from helpers.sockets import listen
from helpers.tracing.app import create_app
from helpers.tracing.server import HOST
from helpers.tracing.store import Store

KEY = "test-key"
PRICED, UNPRICED = "priced-1", "unpriced-1"
# US dollars a token, in and out, of the one model that has a price here.
PROMPT_PRICE, COMPLETION_PRICE = 0.000_001, 0.000_004


def pricer(model: str, usage: Any) -> float | None:
    if model != PRICED:
        return None
    return usage["input_tokens"] * PROMPT_PRICE + usage["output_tokens"] * COMPLETION_PRICE


@dataclass(frozen=True)
class Running:
    """A service that answers: its address, and the store below it."""

    url: str
    store: Store

    def client(self, **options: Any) -> Client:
        return Client(api_url=self.url, api_key=KEY, **options)


@contextlib.contextmanager
def serving(path: Path) -> Iterator[Running]:
    store = Store(path)
    app = create_app(store, key=KEY, pricer=pricer)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    sock = listen(HOST)
    sock.listen(16)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield Running(f"http://127.0.0.1:{sock.getsockname()[1]}", store)
    finally:
        server.should_exit = True
        thread.join(10)
        store.close()


def fresh(name: str) -> str:
    """A name that no other test uses."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


class ScriptedModel(BaseChatModel):
    """A chat model that says what it is told, and reports its tokens."""

    answers: list[AIMessage]
    model: str = PRICED
    said: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> "ScriptedModel":
        return self

    def _get_ls_params(self, stop: list[str] | None = None, **_: Any) -> Any:
        return {"ls_provider": "scripted", "ls_model_name": self.model, "ls_model_type": "chat"}

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        answer = self.answers[self.said % len(self.answers)]
        self.said += 1
        return ChatResult(generations=[ChatGeneration(message=answer)])


def answer(text: str, tokens_in: int, tokens_out: int, **options: Any) -> AIMessage:
    usage = {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    return AIMessage(text, usage_metadata=usage, **options)
