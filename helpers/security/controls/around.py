"""The two places that text controls stand at, so that each control says only what it changes.

An agent may be called synchronously or asynchronously, and LangChain has a hook for each; both are
written here once.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    ModelRequest,
    ModelResponse,
)
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.runtime import Runtime

from helpers.agent import Caller

Control = AgentMiddleware[AgentState[Any], Caller, Any]
Request = ModelRequest[Caller]
Response = ModelResponse[Any]
Update = dict[str, Any] | None
Message = TypeVar("Message", bound=BaseMessage)


class AroundModel(AgentMiddleware[AgentState[Any], Caller, Any]):
    """A control around the model: `before` changes what it reads, `after` what it says."""

    def before(self, request: Request) -> Request:
        """The request that the model gets."""
        return request

    def after(self, request: Request, message: AIMessage) -> AIMessage:
        """The message that the agent goes on with; `request` is the one before `before`."""
        return message

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], Response]
    ) -> Response | AIMessage:
        """Call the model between `before` and `after`."""
        return self._judged(request, handler(self.before(request)))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response | AIMessage:
        """Call the model between `before` and `after`."""
        return self._judged(request, await handler(self.before(request)))

    def _judged(self, request: Request, response: Response) -> Response | AIMessage:
        said = response.result[-1]
        if not isinstance(said, AIMessage):
            return response
        changed = self.after(request, said)
        return response if changed is said else changed


class OnIncoming(AgentMiddleware[AgentState[Any], Caller, Any]):
    """A control on what comes in: the person's message, and what the tools return.

    `changed` is what the agent reads in the place of each new text, and what the conversation
    keeps. Several such controls see a text in the order in which they stand in the list. (LangChain
    runs `before_model` first to last; its `wrap_tool_call` would run last to first on the way
    back.) A message with parts that are no text keeps its text alone when that is changed.
    """

    def changed(self, text: str) -> str:
        """The text after this control."""
        raise NotImplementedError

    def before_model(self, state: AgentState[Any], runtime: Runtime[Caller]) -> Update:
        """Change what has come in since the model last spoke."""
        texts = [(message, self.changed(message.text)) for message in incoming(state["messages"])]
        changed = [with_text(message, text) for message, text in texts if text != message.text]
        return {"messages": changed} if changed else None


def incoming(messages: Sequence[AnyMessage]) -> list[HumanMessage | ToolMessage]:
    """What has come in since the model last spoke: a person's message, or results of tools."""
    new: list[HumanMessage | ToolMessage] = []
    for message in reversed(messages):
        if not isinstance(message, HumanMessage | ToolMessage):
            break
        new.append(message)
    return new[::-1]


def with_text(message: Message, text: str) -> Message:
    """The same message with other words; id, artifact and status stay."""
    return message.model_copy(update={"content": text})
