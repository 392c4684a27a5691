"""What stands in for a model and its embeddings: no key, no network, the same on every run."""

import json
import math
import zlib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from langchain.messages import AIMessage, AIMessageChunk, AnyMessage, ToolCall
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from agent import Agent, Search, make_agent, order_tool, refund_tool, search_tool, titled
from orders import Order, OrderBook


class ScriptedModel(GenericFakeChatModel):
    """Replies one message after another, and keeps what it was sent."""

    seen: list[list[AnyMessage]] = Field(default_factory=list)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """The same model: its script says which tools it calls."""
        return self

    def _generate(self, messages: Any, *more: Any, **kwargs: Any) -> ChatResult:
        self.seen.append(list(messages))
        return super()._generate(messages, *more, **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        """The message's words one by one, or its calls."""
        reply = self._generate(*args).generations[0].message
        assert isinstance(reply, AIMessage)
        called = [
            ToolCallChunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=n)
            for n, call in enumerate(reply.tool_calls)
        ]
        yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=called))
        for n, word in enumerate(reply.text.split(" ")):
            yield ChatGenerationChunk(message=AIMessageChunk(content=f" {word}" if n else word))
        if reply.usage_metadata:
            end = AIMessageChunk(content="", usage_metadata=reply.usage_metadata)
            yield ChatGenerationChunk(message=end)


def scripted(*replies: AIMessage | str) -> ScriptedModel:
    return ScriptedModel(messages=iter(replies))


def calls(name: str, *args: dict[str, str]) -> AIMessage:
    """A message that calls a tool once for each dictionary of arguments."""
    made = [ToolCall(name=name, args=each, id=f"{name}-{n}") for n, each in enumerate(args)]
    return AIMessage("", tool_calls=made)


class WordEmbeddings(Embeddings):
    """Counts words: texts that share words are near each other, and nothing else is known.

    Vectors have length 1.
    """

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        counts = [0.0] * 512
        for word in text.lower().split():
            counts[zlib.crc32(word.strip(".?!:").encode()) % 512] += 1
        length = math.hypot(*counts) or 1.0
        return [count / length for count in counts]


def book() -> OrderBook:
    """Orders of two customers: one that was delivered, one that was not."""
    day, items = date(2026, 10, 5), ["Lamp"]
    return OrderBook(
        [
            Order(
                id="FH-00001",
                customer="ann",
                placed=day,
                delivered=day,
                items=items,
                paid=Decimal("40.00"),
            ),
            Order(
                id="FH-00002",
                customer="bob",
                placed=day,
                delivered=None,
                items=items,
                paid=Decimal("25.50"),
            ),
        ]
    )


def agent_of(model: ScriptedModel, orders: OrderBook) -> Agent:
    """The agent with all its tools, on two sentences about a lamp."""
    page = Document("The lamp weighs 2 kg. It takes bulbs of 40 W.", metadata={"title": "Lamp"})
    search = Search(titled(page, {}), WordEmbeddings())
    tools = [search_tool(search, 0.3), order_tool(orders.describe), refund_tool(orders.pay)]
    return make_agent(model, tools, InMemorySaver())
