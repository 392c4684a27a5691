"""An agent whose model says what a test tells it to, with controls around it."""

from collections.abc import Sequence
from typing import Any

from langchain.tools import BaseTool, tool
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from helpers.agent import Agent, Caller, build_agent
from helpers.course.exercises.scripted import Scripted, calling, saying

CONFIG = RunnableConfig(configurable={"thread_id": "t"})


def returning(text: str) -> BaseTool:
    """A tool `read` that always returns this text."""

    @tool
    def read() -> str:
        """Read."""
        return text

    return read


def agent_with(
    controls: Sequence[Any], says: Sequence[AIMessage] = (), tools: Sequence[BaseTool] = ()
) -> tuple[Agent, Scripted]:
    """The agent and its model; `says` are the model's replies, one after another."""
    model = Scripted(says=list(says))
    return build_agent(model=model, tools=list(tools), middleware=list(controls)), model


def answered(
    controls: Sequence[Any],
    text: str = "Hello.",
    says: Sequence[AIMessage] = (),
    tools: Sequence[BaseTool] = (),
    customer: str | None = "C-0029",
) -> tuple[list[AnyMessage], Scripted]:
    """The conversation after one message, and the model with what it has read."""
    agent, model = agent_with(controls, says, tools)
    state = agent.invoke({"messages": [HumanMessage(text)]}, CONFIG, context=Caller(customer))
    return state["messages"], model


def read_of(result: str, controls: Sequence[Any]) -> tuple[str, str]:
    """What the model reads of a tool's result, and what the conversation keeps of it."""
    messages, model = answered(
        controls, says=[calling(("read", {})), saying("Done.")], tools=[returning(result)]
    )
    kept = next(m.text for m in messages if isinstance(m, ToolMessage))
    return next(m.text for m in model.heard[-1] if isinstance(m, ToolMessage)), kept
