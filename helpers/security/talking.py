"""A few words with a target: for transcripts, where `attack` is for rates."""

from collections.abc import Iterator

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller
from helpers.security.attacks.material import Planted
from helpers.security.attacks.target import Setting, Target


def transcript(
    target: Target, text: str, customer: str | None = None, planted: Planted | None = None
) -> Iterator[str]:
    """One conversation line by line: what was said, which tools were called, what they returned.

    Args:
        target: the agent; it is built anew.
        text: what the person writes.
        customer: who is logged in; None: nobody.
        planted: what an attacker has left for the agent to read.
    """
    state = target.build(Setting(planted=planted)).invoke(
        {"messages": [HumanMessage(text)]},
        RunnableConfig(configurable={"thread_id": "transcript"}),
        context=Caller(customer),
    )
    who = {"human": "person", "ai": "agent", "tool": "tool"}
    for message in state["messages"]:
        made = message.tool_calls if isinstance(message, AIMessage) else []
        calls = [call["name"] for call in made]
        said = f"calls {', '.join(calls)}" if calls else message.text
        leak = "  <- the code is in it" if target.canary.leaked(said) else ""
        yield f"{who[message.type]}: {' '.join(said.split())}{leak}"
