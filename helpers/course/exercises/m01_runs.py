"""What the cases of module 01 do with a learner's object: run it inside the agent, and look.

Where a case is about what happens around the model, a scripted one speaks. Where it is about the
model's own choices and words, the course's model does.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
    wrap_model_call,
    wrap_tool_call,
)
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.types import Command

from helpers.agent import (
    Caller,
    DocumentIndex,
    Passage,
    Retriever,
    build_agent,
    fernhill_index,
    make_tools,
)
from helpers.agent.prompt import Style
from helpers.course.exercises.scripted import Scripted, calling
from helpers.evaluate import run, score
from helpers.models import chat_model
from helpers.shop import Order, Orders, Question, UnknownOrder, open_orders, questions
from helpers.shop.questions import Part

Told = ToolMessage | Command[None]
Middleware = AgentMiddleware[Any, Caller, Any]
Guard = Callable[[ToolCallRequest, Callable[[ToolCallRequest], Told]], Told]
Quote = Callable[
    [ModelRequest[Caller], Callable[[ModelRequest[Caller]], ModelResponse[Any]]],
    ModelResponse[Any] | AIMessage,
]
Configure = Callable[[Caller, str], RunnableConfig]
Turn = tuple[str, Sequence[Sequence[tuple[str, str]]]]
"""The name of a conversation; then, step by step, the tools that the model calls, each with the
value of its first argument."""

BOOTS = Passage(
    document="warranty",
    title="Warranty",
    text="Tents have a guarantee of 5 years. Footwear has a guarantee of 1 year.",
    sentences=("Footwear has a guarantee of 1 year.",),
    best="Footwear has a guarantee of 1 year.",
    score=0.9,
)


FRIENDLY = Style(
    system=(
        "You are the friendly support agent of Fernhill, a shop for outdoor gear. Answer in one "
        "warm sentence."
    ),
    examples=(),
    small_talk=(),
    sentences=1,
)
"""How a shop may like its agent to speak, and what makes the local model lose the facts."""


class OnePassage:
    """A search that always finds `BOOTS`."""

    def search(self, query: str, k: int = 3) -> list[Passage]:
        """The one passage."""
        return [BOOTS]


class NoDocuments:
    """A search that finds nothing."""

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


@cache
def index() -> DocumentIndex:
    """The shop's index, made once."""
    return fernhill_index()


# --- 01.2 -----------------------------------------------------------------------------------------


def arguments(tool: BaseTool) -> dict[str, object]:
    """What a model sees of a tool: its name and the names of its arguments."""
    function = convert_to_openai_tool(tool)["function"]
    seen = function.get("parameters", {}).get("properties", {})
    return {"name": function["name"], "arguments": sorted(seen)}


def told(tool: BaseTool, customer: str | None) -> str:
    """What a tool without arguments says when the agent calls it for this customer."""
    agent = build_agent(model=Scripted(says=[calling((tool.name, {}))]), tools=[tool])
    config = RunnableConfig(configurable={"thread_id": "chat-1"})
    asked = HumanMessage("Mine, please.")
    state = agent.invoke({"messages": [asked]}, config, context=Caller(customer))
    return next(m.text for m in state["messages"] if isinstance(m, ToolMessage))


_PATIENCE = 12
"""Pieces of text after which no call is expected: some hosted models speak before they call."""


def chosen(added: BaseTool, requests: Sequence[str]) -> Iterator[str]:
    """The tool that the model calls first, of the shop's and this one; "" where it answers.

    Raises ValueError when this tool takes arguments, which nobody has asked for.
    """
    if arguments(added)["arguments"]:
        raise ValueError(f"{added.name} takes arguments: see the first case.")
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


# --- 01.3 -----------------------------------------------------------------------------------------


@cache
def best_scores(part: Part) -> tuple[list[float], list[float]]:
    """The best passage's score for each question of a part: answerable, unanswerable."""

    def scores(*kinds: str) -> list[float]:
        asked = [one.question for one in questions(part) if one.kind in kinds]
        return [index().search(question, 1)[0].score for question in asked]

    return scores("single_fact", "conditional"), scores("unanswerable")


# --- 01.4 -----------------------------------------------------------------------------------------


def remembered(configure: Configure, turns: Sequence[tuple[Caller, str, str]]) -> list[str]:
    """What people said, as the model reads it at the last of these turns.

    Each turn is a caller, a conversation and a text.
    """
    model = Scripted()
    agent = build_agent(model=model, tools=[])
    for caller, conversation, text in turns:
        config = configure(caller, conversation)
        agent.invoke({"messages": [HumanMessage(text)]}, config, context=caller)
    return [message.text for message in model.heard[-1] if isinstance(message, HumanMessage)]


# --- 01.5 -----------------------------------------------------------------------------------------


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
    agent = build_agent(
        model=Scripted(says=says),
        retriever=NoDocuments(),
        orders=orders,
        middleware=[middleware],
    )
    messages: list[BaseMessage] = []
    for name, steps in turns:
        config = RunnableConfig(configurable={"thread_id": name})
        asked = HumanMessage(_request(steps))
        messages = agent.invoke({"messages": [asked]}, config, context=Caller(customer))["messages"]
    refunded = [refund.order_id for refund in orders.refunds()[before:]]
    return refunded, [m for m in messages if isinstance(m, ToolMessage)][-1]


def _request(steps: Sequence[Sequence[tuple[str, str]]]) -> str:
    """What the customer says: the refunds that the model is going to call for are asked for."""
    refunds = [value for calls in steps for tool, value in calls if tool == "issue_refund"]
    return f"Please refund {' and '.join(dict.fromkeys(refunds))}." if refunds else "Please."


def _call(tool: str, value: str) -> tuple[str, dict[str, str]]:
    return tool, {"reason" if tool == "hand_over" else "order_id": value}


# --- 01.6 -----------------------------------------------------------------------------------------


def spoken(
    quote: Quote | Middleware, turns: Sequence[Sequence[AIMessage]], retriever: Retriever
) -> tuple[list[str], str]:
    """The tools that were called in a conversation, and what the customer reads at its end.

    Each turn is what the model says after the customer has spoken; the last of it has no call.
    """
    agent = build_agent(
        model=Scripted(says=[reply for turn in turns for reply in turn]),
        retriever=retriever,
        threshold=0.0,
        middleware=[_around_model(quote)],
    )
    config = RunnableConfig(configurable={"thread_id": "chat-1"})
    messages: list[BaseMessage] = []
    for _ in turns:
        asked = HumanMessage("Tell me.")
        messages = agent.invoke({"messages": [asked]}, config, context=Caller("C-0029"))["messages"]
    return [str(m.name) for m in messages if isinstance(m, ToolMessage)], messages[-1].text


def _around_model(quote: Quote | Middleware) -> Middleware:
    return quote if isinstance(quote, AgentMiddleware) else wrap_model_call(quote)


@cache
def _answers() -> InMemoryCache:
    """What the model has said: the same prompt needs no second answer, at temperature 0."""
    return InMemoryCache()


def right_answers(quote: Quote | Middleware, asked: Sequence[Question]) -> list[bool]:
    """Whether each question is answered rightly by the friendly agent with this around its model.

    The model writes 16 tokens at most: words that are replaced need not be finished.
    """
    agent = build_agent(
        model=chat_model(max_tokens=16, cache=_answers()),
        style=FRIENDLY,
        retriever=index(),
        middleware=[_around_model(quote)],
    )
    scores = [score(question, run(agent, [question])[0]) for question in asked]
    return [bool(one.answer and one.answer.right) for one in scores]
