"""The support agent put together, every part of it replaceable."""

from collections.abc import Sequence
from typing import Any

from langchain.agents import AgentState, create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.tools import BaseTool
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from helpers.agent.answerability import THRESHOLD
from helpers.agent.caller import Caller
from helpers.agent.middleware import AnswerEachResult, RefuseUnanswered, ShowExamples
from helpers.agent.passages import Retriever
from helpers.agent.prompt import HOSTED, LOCAL, RESULTS_PROMPT, Style
from helpers.agent.retrieval import fernhill_index
from helpers.agent.tools import make_tools
from helpers.models import chat_model
from helpers.models.chat import LocalChatModel
from helpers.shop import Orders, open_orders

MOST_TOKENS = 160
"""Tokens of an answer at most: a small model that repeats itself must come to an end."""

Agent = CompiledStateGraph[AgentState[Any], Caller, Any, Any]


def style_of(model: BaseChatModel) -> Style:
    """How the course speaks to a model."""
    return LOCAL if isinstance(model, LocalChatModel) else HOSTED


def build_agent(
    *,
    model: BaseChatModel | None = None,
    style: Style | None = None,
    retriever: Retriever | None = None,
    orders: Orders | None = None,
    threshold: float = THRESHOLD,
    tools: Sequence[BaseTool] | None = None,
    prompt: str | None = None,
    middleware: Sequence[AgentMiddleware[Any, Any, Any]] = (),
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> Agent:
    """The support agent; what is not given is the course's own.

    Args:
        model: a chat model with `bind_tools` (`chat_model()`).
        style: how the model is spoken to (`prompt.LOCAL` or `prompt.HOSTED`, by the model).
        retriever: what `search_documents` searches (`fernhill_index()`).
        orders: the order book; refunds change it (a copy of its own in memory).
        threshold: the score below which a search has found nothing.
        tools: instead of the four tools; then the three above are not used.
        prompt: the system prompt, instead of the style's.
        middleware: more middleware, outside the agent's own.
        checkpointer: where conversations are kept, by `thread_id` (in memory).

    Call it with `context=Caller(customer_id)` and a `thread_id` in the config. A thread is one
    conversation of one customer: give each their own.
    """
    model = model or chat_model(max_tokens=MOST_TOKENS)
    local = isinstance(model, LocalChatModel)
    style = style or style_of(model)
    if isinstance(model, LocalChatModel):
        model = model.model_copy(update={"results_prompt": RESULTS_PROMPT})
    if tools is None:
        retriever = retriever or fernhill_index(sentences=style.sentences)
        tools = make_tools(retriever, orders or open_orders(), threshold=threshold)
    own: list[AgentMiddleware[Any, Any, Any]] = [AnswerEachResult()] if local else []
    own += [RefuseUnanswered(), ShowExamples(style)]
    return create_agent(
        model,
        tools,
        system_prompt=style.system if prompt is None else prompt,
        middleware=[*middleware, *own],
        context_schema=Caller,
        checkpointer=checkpointer or InMemorySaver(),
        name="fernhill_support",
    )
