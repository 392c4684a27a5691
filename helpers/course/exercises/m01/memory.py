"""What an agent remembers of its conversations, for exercise 01.4."""

from collections.abc import Callable, Sequence

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller, build_agent
from helpers.testbed import ScriptedModel

Configure = Callable[[Caller, str], RunnableConfig]


def remembered(configure: Configure, turns: Sequence[tuple[Caller, str, str]]) -> list[str]:
    """What people said, as the model reads it at the last of these turns.

    Each turn is a caller, a conversation and a text.
    """
    model = ScriptedModel(then="Done.")
    agent = build_agent(model=model, tools=[])
    for caller, conversation, text in turns:
        config = configure(caller, conversation)
        agent.invoke({"messages": [HumanMessage(text)]}, config, context=caller)
    return [message.text for message in model.prompts[-1] if isinstance(message, HumanMessage)]
