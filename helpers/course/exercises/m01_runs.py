"""What the cases of module 01 do with a learner's object: run it inside an agent, and look.

Where a case is about what happens around the model, a scripted one speaks; the choice of a tool
is made by the course's own model.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, AgentState, ToolCallRequest, wrap_tool_call
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from helpers.agent import Caller, Passage
from helpers.agent.tools import make_tools
from helpers.course.exercises.scripted import Scripted, calling
from helpers.models import chat_model, embeddings
from helpers.shop import Order, Orders, UnknownOrder, documents, open_orders, questions
from helpers.shop.questions import Part

Told = ToolMessage | Command[None]
Middleware = AgentMiddleware[AgentState[Any], Caller]
Guard = Callable[[ToolCallRequest, Callable[[ToolCallRequest], Told]], Told]
Configure = Callable[[Caller, str], RunnableConfig]
Turn = tuple[str, Sequence[Sequence[tuple[str, str]]]]
"""The name of a conversation; then, step by step, the tools that the model calls, each with the
value of its first argument."""


class NoDocuments:
    """A search that finds nothing, for cases that are not about documents."""

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """No passage."""
        return []


class BusyOnce(Orders):
    """An order book whose first lookup fails."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = True

    def get(self, order_id: str, customer_id: str) -> Order:
        """The order, from the second lookup on."""
        if self._busy:
            self._busy = False
            raise UnknownOrder(order_id)
        return super().get(order_id, customer_id)


def arguments(tool: BaseTool) -> dict[str, object]:
    """What a model sees of a tool: its name and the names of its arguments."""
    function = convert_to_openai_tool(tool)["function"]
    seen = function.get("parameters", {}).get("properties", {})
    return {"name": function["name"], "arguments": sorted(seen)}


def told(tool: BaseTool, customer: str | None) -> str:
    """What a tool without arguments says when the agent calls it for this customer."""
    model = Scripted(says=[calling((tool.name, {}))])
    agent = create_agent(model, [tool], context_schema=Caller)
    state = agent.invoke({"messages": [HumanMessage("Mine?")]}, context=Caller(customer))
    return next(m.text for m in state["messages"] if isinstance(m, ToolMessage))


_PATIENCE = 12
"""Pieces of text after which no call is expected: some hosted models speak before they call."""


def chosen(added: BaseTool, requests: Sequence[str]) -> Iterator[str]:
    """The tool that the model calls first, of the shop's and this one; "" where it answers."""
    tools = make_tools(NoDocuments(), open_orders(), threshold=0.0)
    model = chat_model().bind_tools([*tools, added])
    for request in requests:
        called, spoken = "", 0
        for chunk in model.stream(request):
            pieces = getattr(chunk, "tool_call_chunks", [])
            called = next((piece["name"] for piece in pieces if piece["name"]), "")
            spoken += bool(chunk.text)
            if called or spoken > _PATIENCE:
                break  # the rest of an answer takes seconds, and is not looked at
        yield called


def remembered(configure: Configure, turns: Sequence[tuple[Caller, str, str]]) -> list[str]:
    """What people said, as the model reads it at the last of these turns.

    Each turn is a caller, a conversation and a text.
    """
    model = Scripted()
    agent = create_agent(model, checkpointer=InMemorySaver(), context_schema=Caller)
    for caller, conversation, text in turns:
        config = configure(caller, conversation)
        agent.invoke({"messages": [HumanMessage(text)]}, config, context=caller)
    return [message.text for message in model.heard[-1] if isinstance(message, HumanMessage)]


def acted(
    guard: Guard | Middleware, turns: Sequence[Turn], customer: str, *, busy: bool = False
) -> tuple[list[str], ToolMessage]:
    """The orders that were refunded in these turns, and the last message of a tool."""
    orders = BusyOnce() if busy else open_orders()
    before = len(orders.refunds())
    says = []
    for _, steps in turns:
        says += [calling(*(_call(tool, value) for tool, value in calls)) for calls in steps]
        says.append(AIMessage("Done."))
    middleware: Middleware
    middleware = guard if isinstance(guard, AgentMiddleware) else wrap_tool_call(guard)
    agent = create_agent(
        Scripted(says=says),
        make_tools(NoDocuments(), orders, threshold=0.0),
        middleware=[middleware],
        checkpointer=InMemorySaver(),
        context_schema=Caller,
    )
    messages: list[BaseMessage] = []
    for name, _ in turns:
        config = RunnableConfig(configurable={"thread_id": name})
        state = agent.invoke(
            {"messages": [HumanMessage("Please.")]}, config, context=Caller(customer)
        )
        messages = state["messages"]
    refunded = [refund.order_id for refund in orders.refunds()[before:]]
    return refunded, [m for m in messages if isinstance(m, ToolMessage)][-1]


def _call(tool: str, value: str) -> tuple[str, dict[str, str]]:
    return tool, {"reason" if tool == "hand_over" else "order_id": value}


@cache
def best_scores(part: Part) -> tuple[list[float], list[float]]:
    """The best passage's score for each question of a part: answerable, unanswerable."""
    from helpers.agent.retrieval import DocumentIndex

    index = DocumentIndex(documents(), embeddings(), embeddings_name="local")

    def scores(*kinds: str) -> list[float]:
        asked = [one.question for one in questions(part) if one.kind in kinds]
        return [index.search(question, 1)[0].score for question in asked]

    return scores("single_fact", "conditional"), scores("unanswerable")
