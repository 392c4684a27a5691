"""What stands behind the service in a replay: model, documents, order book, guard, memory, price.

An incident changes these, never a metric: what Prometheus shows follows from them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.tools import BaseTool, ToolException
from langchain_core.messages import AIMessage, AnyMessage

from helpers.agent import HOSTED, THRESHOLD, Agent, DocumentIndex, Passage, build_agent, make_tools
from helpers.agent.context import question
from helpers.agent.expected import Expected
from helpers.shop import Document, Order, Orders, documents
from helpers.testbed.replay.model import SupportModel, chosen_call
from helpers.testbed.replay.vectors import LocalEmbeddings

BLOCKED = "I cannot help with that request."
"""What a customer reads whom the guard has blocked."""

PRICED_AS = "openai:gpt-4.1-mini"
"""The model whose price a day's tokens have."""

GUEST = "GUEST-"
"""How the customer id of a visitor who is not logged in begins."""

MEGABYTE = 1_000_000
_BASE_MEMORY = 210 * MEGABYTE
_EMBEDDINGS = LocalEmbeddings()
_ATTACK = re.compile(r"\b(?:ignore (?:all|your|previous)|system prompt|developer mode)\b", re.I)


class ShopSearch:
    """The agent's search, over documents that can be exchanged while the service runs.

    Each search is made once: it takes longer than all else that a replayed answer does.
    """

    def __init__(self) -> None:
        """Search the shop's documents."""
        self._index, self._found = _shop_index(), _FOUND

    def exchange(self, of: Sequence[Document], expected: Expected) -> None:
        """Search these documents from now on."""
        self._index = DocumentIndex(of, _EMBEDDINGS, sentences=HOSTED.sentences, expected=expected)
        self._found = {}

    def restore(self) -> None:
        """Search the shop's documents again."""
        self._index, self._found = _shop_index(), _FOUND

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """See `helpers.agent.Retriever`."""
        if (query, k) not in self._found:
            self._found[query, k] = self._index.search(query, k)
        return self._found[query, k]


_FOUND: dict[tuple[str, int], list[Passage]] = {}
"""What was found in the shop's own documents, for every day of this process."""


@cache
def _shop_index() -> DocumentIndex:
    return DocumentIndex(documents(), _EMBEDDINGS, sentences=HOSTED.sentences)


class ShopOrders(Orders):
    """An order book of its own, whose carriers can stop answering."""

    def __init__(self) -> None:
        super().__init__()
        self.unanswered: Callable[[str], bool] = lambda carrier: False

    def get(self, order_id: str, customer_id: str) -> Order:
        """See `Orders.get`; raises `ToolException` when its carrier does not answer."""
        order = super().get(order_id, customer_id)
        if order.carrier and self.unanswered(order.carrier):
            raise ToolException(f"Order {order.id}: The carrier does not answer. Try again later.")
        return order


class Guard(AgentMiddleware[AgentState[Any], Any, Any]):
    """Blocks what matches its pattern, before the model reads it.

    Attributes:
        pattern: what it blocks.
        blocked: is called whenever it has blocked something.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pattern = _ATTACK
        self.blocked: Callable[[], None] = lambda: None

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[..., Any]
    ) -> ModelResponse[Any] | AIMessage:
        """Call the model, or say that this cannot be answered."""
        if blocked := self.blocks(request.messages):
            return AIMessage(blocked)
        found: ModelResponse[Any] = await handler(request)
        return found

    def blocks(self, messages: Sequence[AnyMessage]) -> str | None:
        """What to say instead of an answer to the last question; None for what may pass."""
        if not self.pattern.search(question(messages)):
            return None
        self.blocked()
        return BLOCKED


@dataclass
class World:
    """See the module.

    Attributes:
        seed: of everything that is left to chance.
        priced_as: the model whose price the tokens have.
        kept_a_request: bytes that every answer leaves behind in memory.
        memory: bytes of the process.
        index_age_days: days since the documents' index was built.
    """

    seed: int = 0
    priced_as: str = PRICED_AS
    kept_a_request: float = 0.0
    memory: float = float(_BASE_MEMORY)
    index_age_days: float = 0.5
    orders: ShopOrders = field(default_factory=ShopOrders)
    guard: Guard = field(default_factory=Guard)
    search: ShopSearch = field(default_factory=ShopSearch)

    def __post_init__(self) -> None:
        self.model = SupportModel(seed=self.seed)
        self.random = Random(self.seed + 1)

    def agent(self, middleware: Sequence[AgentMiddleware[Any, Any, Any]] = ()) -> Agent:
        """The course's agent, on this world."""
        return build_agent(
            model=self.model, tools=self.tools(), middleware=[self.guard, *middleware]
        )

    def tools(self) -> list[BaseTool]:
        """The course's tools, on this world."""
        return make_tools(self.search, self.orders, threshold=THRESHOLD, embeddings=_EMBEDDINGS)

    def prepare(self, texts: Sequence[str]) -> None:
        """Make the searches of a day's questions, where they have not been made before.

        One after another, because NumPy's threads keep spinning for a while after each product of
        matrices: spread over the day, that took as much CPU time as all the rest.
        """
        calls = [chosen_call(text) for text in texts]
        queries = [args["query"].strip() for _, args in calls if "query" in args]
        _EMBEDDINGS.prepare(queries)
        for query in queries:
            self.search.search(query)

    def answered(self) -> None:
        """One more request was answered."""
        self.memory += self.kept_a_request

    def close(self) -> None:
        """Close the order book."""
        self.orders.close()


def customer_of(name: str) -> str | None:
    """The customer for whom a key stands, None for a visitor who is not logged in."""
    return None if name.startswith(GUEST) else name
