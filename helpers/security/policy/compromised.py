"""A chat model that an attacker has taken over: it does what it is told and repeats what it reads.

The local model would often not make the calls that an attack needs. A policy has to hold when the
model does, so the model's part is played by this one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import PrivateAttr

from helpers.security.policy.policies import Call


class CompromisedModel(BaseChatModel):
    """Makes the calls of each step in one message, step by step, then says all it has read."""

    _steps: list[list[Call]] = PrivateAttr(default_factory=list)

    def obey(self, *steps: Sequence[Call]) -> None:
        """Have these calls made from now on; those of one step stand in one message."""
        self._steps = [list(step) for step in steps]

    @property
    def _llm_type(self) -> str:
        return "compromised"

    def bind_tools(
        self,
        tools: Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool],
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model: it calls what it was told to, whatever is bound."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self._steps:
            step = self._steps.pop(0)
            calls = [
                {"name": call.tool, "args": call.given, "id": f"{len(messages)}-{place}"}
                for place, call in enumerate(step)
            ]
            reply = AIMessage("", tool_calls=calls)
        else:
            read = [each.text for each in messages if isinstance(each, ToolMessage)]
            reply = AIMessage("\n".join(read) or "I have read nothing.")
        return ChatResult(generations=[ChatGeneration(message=reply)])
