"""What happens around a model call: the refusal that needs no model, and the examples."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.messages.ai import add_usage

from helpers.agent.caller import Caller
from helpers.agent.context import this_turn
from helpers.agent.prompt import REFUSAL, Style

Request = ModelRequest[Caller]
Response = ModelResponse[Any]


def nothing_found(messages: Sequence[AnyMessage]) -> bool:
    """Whether all that this turn's tools returned is a search that found nothing."""
    results = [m for m in this_turn(messages) if isinstance(m, ToolMessage)]
    return bool(results) and all(
        result.name == "search_documents" and result.status == "success" and not result.artifact
        for result in results
    )


class RefuseUnanswered(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Says "I do not know" instead of what the model writes when the search found nothing.

    A small model that is told that nothing was found writes an answer all the same. It is still
    asked, because it may want another tool.
    """

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], Response]
    ) -> Response | AIMessage:
        """Let the model call a tool, or refuse."""
        return _refused(request, handler(request))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response | AIMessage:
        """Let the model call a tool, or refuse."""
        return _refused(request, await handler(request))


def _refused(request: Request, response: Response) -> Response | AIMessage:
    message = _last(response)
    if message.tool_calls or not nothing_found(request.messages):
        return response
    return message.model_copy(update={"content": REFUSAL})


class AnswerEachResult(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Lets the model answer from one tool result at a time, and joins what it says.

    For a small model, which repeats one of two results and drops the other, or repeats its last
    answer. The tools are called as ever, with the whole conversation in view: only when the model
    has answered is it asked again, for each result alone and without the earlier turns.
    """

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], Response]
    ) -> Response | AIMessage:
        """Answer from each result of this turn."""
        response = handler(request)
        alone = _each_alone(request, response)
        return _joined([response, *map(handler, alone)]) if alone else response

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response | AIMessage:
        """Answer from each result of this turn."""
        response = await handler(request)
        alone = _each_alone(request, response)
        return _joined([response, *[await handler(one) for one in alone]]) if alone else response


def _each_alone(request: Request, response: Response) -> list[Request]:
    """A request for each result of this turn, when the model has answered with more in view."""
    turn = this_turn(request.messages)
    results = _results(turn)
    first = len(turn) == len(request.messages)
    if not results or (first and len(results) == 1) or _last(response).tool_calls:
        return []
    return [request.override(messages=[turn[0], result], tools=[]) for result in results]


def _results(turn: Sequence[AnyMessage]) -> list[AnyMessage]:
    return [message for message in turn if isinstance(message, ToolMessage)]


def _last(response: Response) -> AIMessage:
    message = response.result[-1]
    assert isinstance(message, AIMessage)
    return message


def _joined(responses: Sequence[Response]) -> AIMessage:
    """One message from the answers but the first, with the tokens of all."""
    first, *rest = map(_last, responses)
    usage = first.usage_metadata
    for message in rest:
        usage = add_usage(usage, message.usage_metadata)
    words = "\n".join(dict.fromkeys(message.text for message in rest))
    return first.model_copy(update={"content": words, "usage_metadata": usage})


class ShowExamples(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Puts a style's examples in front of the conversation, for the model alone to see."""

    def __init__(self, style: Style) -> None:
        """`style` holds the examples."""
        super().__init__()
        self._style = style

    def wrap_model_call(
        self, request: Request, handler: Callable[[Request], Response]
    ) -> Response | AIMessage:
        """Call the model with the examples in front."""
        return handler(self._shown(request))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response | AIMessage:
        """Call the model with the examples in front."""
        return await handler(self._shown(request))

    def _shown(self, request: Request) -> Request:
        results = _results(this_turn(request.messages))
        examples = self._style.examples if results else self._style.small_talk
        return request.override(messages=[*examples, *request.messages])
