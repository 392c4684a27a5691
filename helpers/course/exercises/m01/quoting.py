"""What an agent answers with a wrapper around its model, for exercise 01.6."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    wrap_model_call,
)
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller, Retriever, build_agent
from helpers.agent.prompt import Style
from helpers.course.exercises.m01.retrievers import index
from helpers.evaluate import run, score
from helpers.models import chat_model
from helpers.shop import Question
from helpers.testbed import ScriptedModel
from helpers.testbed.replies import Reply

Middleware = AgentMiddleware[Any, Caller, Any]
Quote = Callable[
    [ModelRequest[Caller], Callable[[ModelRequest[Caller]], ModelResponse[Any]]],
    ModelResponse[Any] | AIMessage,
]

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


def spoken(
    quote: Quote | Middleware, turns: Sequence[Sequence[Reply]], retriever: Retriever
) -> tuple[list[str], str]:
    """The tools that were called in a conversation, and what the customer reads at its end.

    Each turn is what the model says after the customer has spoken; the last of it has no call.
    """
    agent = build_agent(
        model=ScriptedModel(replies=[reply for turn in turns for reply in turn], then="Done."),
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
