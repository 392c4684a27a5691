"""What an agent remembers of its conversations, for exercise 01.4; a scripted model answers."""

import asyncio
from collections.abc import Callable, Sequence

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from helpers.agent import Agent, Caller
from helpers.testbed import SlowModel

Configure = Callable[[Caller, str], RunnableConfig]
Turn = tuple[Caller, str, str]
"""Who speaks, in which conversation, and what is said."""


def _agent() -> Agent:
    """An agent that thinks for a moment, so that turns at the same time overlap."""
    model = SlowModel(answer="Noted.", delay_s=0.01)
    return create_agent(model, [], context_schema=Caller, checkpointer=InMemorySaver())


def remembered(configure: Configure, turns: Sequence[Turn]) -> list[str]:
    """What people have said in the conversation of the last turn, as the agent remembers it."""
    agent = _agent()
    said: list[str] = []
    for caller, conversation, text in turns:
        config = configure(caller, conversation)
        state = agent.invoke({"messages": [HumanMessage(text)]}, config, context=caller)
        said = _said(state["messages"])
    return said


async def remembered_at_once(
    configure: Configure, rounds: Sequence[Sequence[Turn]]
) -> list[list[str]]:
    """The same for every turn of the last round; the turns of a round happen at the same time.

    All configs of a round are made before its first turn begins.
    """
    agent = _agent()
    states = []
    for turns in rounds:
        configs = [configure(caller, conversation) for caller, conversation, _ in turns]
        waiting = [
            agent.ainvoke({"messages": [HumanMessage(text)]}, config, context=caller)
            for (caller, _, text), config in zip(turns, configs, strict=True)
        ]
        states = await asyncio.gather(*waiting)
    return [_said(state["messages"]) for state in states]


def _said(messages: Sequence[BaseMessage]) -> list[str]:
    return [message.text for message in messages if isinstance(message, HumanMessage)]
