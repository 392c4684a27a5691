"""Limits: a conversation that costs too much ends early, whatever was said in it.

LangChain's middleware counts calls. What it does not have is a limit on what comes in, and that
has to stand before any work of the model: the time to read a prompt grows faster than its length.
"""

import os
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
from helpers.models.local import chat_server
from helpers.security.controls.around import OnIncoming, Update
from helpers.security.controls.marking import clean

CountTokens = Callable[[str], int]

MOST_TOKENS: Final = 600
"""Tokens of a customer's message; the longest golden question has fewer than 100."""

MOST_BYTES: Final = 4 * MOST_TOKENS
"""The limit for a hosted model, whose tokens are bounded by bytes: as many words of English, which
has four bytes a token."""

MOST_CHARACTERS: Final = 4_000
"""Characters of a tool's result that the model may read; the longest document has about 1,500."""

MODEL_CALLS: Final = 8
TOOL_CALLS: Final = 6
"""Calls for one message: a request in two steps needs two tools and three calls of the model."""

_BYTES_COUNTED: Final = 16
"""For each token allowed: a longer message is refused uncounted, since only runs of spaces have as
many bytes a token, and a tokenizer takes seconds for a megabyte."""

TOO_LONG: Final = "Your message is too long for me. Please ask in fewer words."
EMPTY: Final = "I did not get any words. What would you like to know?"
_CUT: Final = " [The rest was cut off.]"


def estimated_tokens(text: str) -> int:
    """The most tokens that a text can have: its bytes in UTF-8.

    The tokenizers of today's models work on bytes or fall back to them, so that a token is at least
    one byte (not so where a tokenizer first writes one sign as several: U+FDFA becomes eighteen).
    English has four bytes a token, Chinese 1.6, emoji 1.5, Base64 1.25, and digits one, which is
    why no smaller bound holds. It needs no model and is as fast for a megabyte as for a line.
    """
    return len(text.encode("utf-8", "surrogatepass"))


def model_tokens(text: str) -> int:
    """The tokens of a text: counted by the local model's own tokenizer, some ms for a kilobyte.

    Where `COURSE_MODEL` names a hosted model, whose tokenizer is not at hand, `estimated_tokens`.
    """
    if _is_hosted():
        return estimated_tokens(text)
    # Half of a surrogate pair has no bytes to send; it is counted as a question mark.
    return len(chat_server().tokens(text.encode("utf-8", "replace").decode()))


def _is_hosted() -> bool:
    return os.environ.get("COURSE_MODEL", "").strip() not in ("", "local")


class LimitInput(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Answers a message that is too long, or without a visible word, and calls no model.

    Only what may be either is counted: a message of no more bytes than tokens are allowed is short
    enough for any tokenizer, and one of sixteen times as many is too long.
    """

    def __init__(self, most_tokens: int | None = None, count: CountTokens = model_tokens) -> None:
        """A message may have `most_tokens` by `count`, which for a hosted model should be its own:
        the provider's counter, or `model.get_num_tokens` where its package has the vocabulary.

        Args:
            most_tokens: by default `MOST_TOKENS`, or `MOST_BYTES` for a hosted model.
            count: the tokens of a text.

        Raises:
            ValueError: `most_tokens` is less than 1.
        """
        super().__init__()
        if most_tokens is None:
            hosted = count is model_tokens and _is_hosted()
            most_tokens = MOST_BYTES if hosted else MOST_TOKENS
        if most_tokens < 1:
            raise ValueError(f"{most_tokens} tokens let no message through: allow at least 1.")
        self._most_tokens, self._count = most_tokens, count

    @hook_config(can_jump_to=["end"])
    def before_agent(self, state: AgentState[Any], runtime: Runtime[Caller]) -> Update:
        """End the turn when the message cannot be worked on."""
        last = state["messages"][-1] if state["messages"] else None
        if not isinstance(last, HumanMessage):
            return None
        if self._is_too_long(last.text):
            return {"messages": [AIMessage(TOO_LONG)], "jump_to": "end"}
        if not clean(last.text).strip():
            return {"messages": [AIMessage(EMPTY)], "jump_to": "end"}
        return None

    def _is_too_long(self, text: str) -> bool:
        most = estimated_tokens(text)
        if most <= self._most_tokens:
            return False
        return most > self._most_tokens * _BYTES_COUNTED or self._count(text) > self._most_tokens


class LimitResults(OnIncoming):
    """Cuts what comes in after `most_characters`, and says so at the cut: one result of a tool
    must not fill the model's context. Place it before other controls on incoming text. Characters
    are no tokens: 4,000 digits are 4,000 tokens, which the model's own context limit then refuses.
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
