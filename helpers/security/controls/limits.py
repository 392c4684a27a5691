"""Limits: a conversation that costs too much ends early, whatever was said in it.

LangChain's middleware counts calls. What it does not have is a limit on what comes in, and that
has to stand before any work of the model: the time to read a prompt grows faster than its length.
"""

from collections.abc import Callable
from typing import Any, Final

from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    ModelCallLimitMiddleware,
    ToolCallLimitMiddleware,
    hook_config,
)
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.runtime import Runtime

from helpers.agent import Caller
from helpers.security.controls.around import OnIncoming, Update
from helpers.security.controls.marking import clean

CountTokens = Callable[[str], int]

MOST_TOKENS: Final = 600
"""Tokens of a customer's message; the longest golden question has fewer than 100."""

MOST_CHARACTERS: Final = 4_000
"""Characters of a tool's result that the model may read; the longest document has about 1,500."""

MODEL_CALLS: Final = 8
TOOL_CALLS: Final = 6
"""Calls for one message: a request in two steps needs two tools and three calls of the model."""

_BYTES_PER_TOKEN: Final = 3
"""Fewer than in English or in most languages' UTF-8: an estimate that errs towards too many."""

TOO_LONG: Final = "Your message is too long for me. Please ask in fewer words."
EMPTY: Final = "I did not get any words. What would you like to know?"
_CUT: Final = " [The rest was cut off.]"


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, from its bytes: rather too many than too few.

    It needs no model, so it is as fast for a megabyte as for a line. A provider's own counter is
    exact and may be used in its place.
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)


class LimitInput(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Answers a message that is too long, or without a visible word, and calls no model."""

    def __init__(
        self, most_tokens: int = MOST_TOKENS, count: CountTokens = estimated_tokens
    ) -> None:
        """A message may have `most_tokens` by `count`. Raises ValueError for less than 1."""
        super().__init__()
        if most_tokens < 1:
            raise ValueError(f"{most_tokens} tokens let no message through: allow at least 1.")
        self._most_tokens, self._count = most_tokens, count

    @hook_config(can_jump_to=["end"])
    def before_agent(self, state: AgentState[Any], runtime: Runtime[Caller]) -> Update:
        """End the turn when the message cannot be worked on."""
        last = state["messages"][-1] if state["messages"] else None
        if not isinstance(last, HumanMessage):
            return None
        if self._count(last.text) > self._most_tokens:
            return {"messages": [AIMessage(TOO_LONG)], "jump_to": "end"}
        if not clean(last.text).strip():
            return {"messages": [AIMessage(EMPTY)], "jump_to": "end"}
        return None


class LimitResults(OnIncoming):
    """Cuts what comes in after `most_characters`, and says so at the cut: one result of a tool
    must not fill the model's context. Place it before other controls on incoming text.
    """

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        super().__init__()
        self._most_characters = most_characters

    def changed(self, text: str) -> str:
        """The text, cut where it is too long."""
        return text if len(text) <= self._most_characters else text[: self._most_characters] + _CUT


def limit_calls(
    *, model_calls: int = MODEL_CALLS, tool_calls: int = TOOL_CALLS
) -> list[AgentMiddleware[Any, Any, Any]]:
    """LangChain's limits on the calls that one message may cause; the turn ends when one is met."""
    return [
        ModelCallLimitMiddleware(run_limit=model_calls, exit_behavior="end"),
        ToolCallLimitMiddleware(run_limit=tool_calls, exit_behavior="continue"),
    ]
