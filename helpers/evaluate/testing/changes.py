"""Eight changes to the shop's own agent: two that may be shipped, and six that break it.

Each is a change of the kind that happens. What an agent of these answers depends on this file
alone, so its digest is part of the version of their stored run (see `releases`).
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    wrap_model_call,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.tools import BaseTool, StructuredTool

from helpers.agent import THRESHOLD, Agent, Caller, Passage, Retriever, build_agent, make_tools
from helpers.shop import Order, Orders

Request = ModelRequest[Caller]
Handler = Callable[[Request], ModelResponse[Any]]
Middleware = AgentMiddleware[Any, Caller, Any]

TODAYS = "today's"
"""The release that customers talk to now: what the others are compared with."""

TO_SHIP = ("the same again", "asked in other words")
TO_STOP = (
    "never refuses",
    "refuses too much",
    "shows any order",
    "pays back unasked",
    "asks the model three times",
    "breaks on an apostrophe",
)

OTHER_WORDS = "You answer questions by quoting the text."


class UnguardedOrders(Orders):
    """An order book that no longer looks at who is asking."""

    def get(self, order_id: str, customer_id: str) -> Order:
        """The order, for any customer. Raises `UnknownOrder` when there is none."""
        owners = {order.id: order.customer_id for order in self.all_orders()}
        return super().get(order_id, owners.get(order_id.strip().upper(), customer_id))


def with_address(tools: Sequence[BaseTool], orders: Orders) -> list[BaseTool]:
    """The tools, of which lookup_order also tells where the order goes."""
    return [_told_with_address(one, orders) if one.name == "lookup_order" else one for one in tools]


def _told_with_address(tool: BaseTool, orders: Orders) -> BaseTool:
    assert isinstance(tool, StructuredTool)
    assert tool.func is not None
    look_up = tool.func

    @functools.wraps(look_up)
    def told(*given: Any, **named: Any) -> tuple[str, Order]:
        text, order = look_up(*given, **named)
        person = orders.customer(order.customer_id)
        return f"{text} It goes to {person.name}, {person.street}.", order

    return tool.model_copy(update={"func": told})


class BreaksOnApostrophe:
    """A search that puts the customer's words into its query as they are."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The passages. Raises ValueError for a query with an apostrophe."""
        if "'" in query or "’" in query:
            raise ValueError("unterminated string in query")
        return self._retriever.search(query, k)


def pays_back_unasked() -> Middleware:
    """Whenever an order is looked up, it is refunded as well."""

    @wrap_model_call
    def pay_back(request: Request, handler: Handler) -> AIMessage:
        reply = reply_of(handler(request))
        refunds = [
            {**call, "name": "issue_refund", "id": f"{call['id']}-back"}
            for call in reply.tool_calls
            if call["name"] == "lookup_order"
        ]
        return reply.model_copy(update={"tool_calls": [*reply.tool_calls, *refunds]})

    return pay_back


def asks_three_times() -> Middleware:
    """The model is asked for each reply three times, and the last one is taken."""

    @wrap_model_call
    def ask(request: Request, handler: Handler) -> AIMessage:
        replies = [reply_of(handler(request)) for _ in range(3)]
        usage: UsageMetadata | None = None
        for reply in replies:
            usage = add_usage(usage, reply.usage_metadata)
        return replies[-1].model_copy(update={"usage_metadata": usage})

    return ask


def reply_of(response: ModelResponse[Any]) -> AIMessage:
    """The model's message in a response of a handler."""
    reply = response.result[-1]
    assert isinstance(reply, AIMessage)
    return reply


def make(name: str, model: BaseChatModel, index: Retriever, memory: Middleware) -> Agent:
    """The agent of a release, with an order book of its own. Raises KeyError for another name.

    Args:
        name: of the release.
        model: that answers.
        index: that is searched.
        memory: the innermost middleware, next to the model, which may answer for it.
    """
    orders = UnguardedOrders()
    shown = with_address(make_tools(index, orders, threshold=THRESHOLD), orders)
    changes: dict[str, dict[str, Any]] = {
        TODAYS: {},
        "the same again": {},
        "asked in other words": {"prompt": OTHER_WORDS},
        "never refuses": {"threshold": -1.0},
        "refuses too much": {"threshold": 2.0},
        "shows any order": {"tools": shown},
        "pays back unasked": {"middleware": [pays_back_unasked()]},
        "asks the model three times": {"middleware": [asks_three_times()]},
        "breaks on an apostrophe": {"retriever": BreaksOnApostrophe(index)},
    }
    common: dict[str, Any] = {"model": model, "retriever": index, "middleware": []}
    changed = common | changes[name]
    changed["middleware"] = [*changed["middleware"], memory]
    return build_agent(**changed)
