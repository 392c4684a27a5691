"""A chat model that says what a case tells it to: for cases about what happens around a model."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import Field


def calling(*calls: tuple[str, dict[str, Any]]) -> AIMessage:
    """A reply that calls tools: a name and the arguments for each."""
    made = [{"name": name, "args": args, "id": uuid4().hex[:8]} for name, args in calls]
    return AIMessage("", tool_calls=made)


def saying(text: str) -> AIMessage:
    """A reply in words, which ends the turn."""
    return AIMessage(text)


class Scripted(BaseChatModel):
    """Gives the replies of `says` one after another, then "Done."; `heard` keeps each prompt."""

    says: list[AIMessage] = Field(default_factory=list)
    heard: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
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
        place = len(self.heard)
        self.heard.append(list(messages))
        reply = self.says[place] if place < len(self.says) else AIMessage("Done.")
        return ChatResult(generations=[ChatGeneration(message=reply)])
