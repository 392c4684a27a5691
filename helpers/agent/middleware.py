"""What happens around a model call: help that a small model needs, and the refusal.

A call whose words are thrown away is made quietly: LangGraph does not stream it, and the local
model, which decides on tools without writing, may write one token only.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.messages.ai import add_usage
from langgraph.constants import TAG_NOSTREAM

from helpers.agent.caller import Caller
from helpers.agent.context import this_turn
from helpers.agent.prompt import REFUSAL, Style
from helpers.models.chat import LocalChatModel

Request = ModelRequest[Caller]
Response = ModelResponse[Any]
Handler = Callable[[Request], Response]
AsyncHandler = Callable[[Request], Awaitable[Response]]
SEARCH = "search_documents"


class AnswerEachResult(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Lets the model answer from one tool result at a time, and joins what it says.

    For a small model, which repeats one of two results and drops the other, or repeats its last
    answer. The tools are chosen as ever, with the whole conversation in view; when no further one
    is wanted, the model answers from each result alone and without the earlier turns.

    What a tool refuses or asks back is said in the tool's own words, behind the rest: this model
    makes "Nothing has been paid back" into a promise to pay.
    """

    def wrap_model_call(self, request: Request, handler: Handler) -> Response | AIMessage:
        """Answer from each result of this turn."""
        alone, refused = _each_alone(request)
        if not alone and not refused:
            return handler(request)
        response = handler(_quiet(request))
        if _calls(response):
            return response
        return _joined(response, [handler(one) for one in alone], refused)

    async def awrap_model_call(
        self, request: Request, handler: AsyncHandler
    ) -> Response | AIMessage:
        """Answer from each result of this turn."""
        alone, refused = _each_alone(request)
        if not alone and not refused:
            return await handler(request)
        response = await handler(_quiet(request))
        if _calls(response):
            return response
        return _joined(response, [await handler(one) for one in alone], refused)


class RefuseUnanswered(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Says "I do not know" when the search found nothing and the model wants no other tool.

    A small model that is told that nothing was found writes an answer all the same.
    """

    def wrap_model_call(self, request: Request, handler: Handler) -> Response | AIMessage:
        """Let the model call a tool, or refuse."""
        if not nothing_found(request.messages):
            return handler(request)
        return _refused(handler(_quiet(request)))

    async def awrap_model_call(
        self, request: Request, handler: AsyncHandler
    ) -> Response | AIMessage:
        """Let the model call a tool, or refuse."""
        if not nothing_found(request.messages):
            return await handler(request)
        return _refused(await handler(_quiet(request)))


class ShowExamples(AgentMiddleware[AgentState[Any], Caller, Any]):
    """Puts a style's examples in front of the conversation, for the model alone to see."""

    def __init__(self, style: Style) -> None:
        """`style` holds the examples."""
        super().__init__()
        self._style = style

    def wrap_model_call(self, request: Request, handler: Handler) -> Response | AIMessage:
        """Call the model with the examples in front."""
        return handler(self._shown(request))

    async def awrap_model_call(
        self, request: Request, handler: AsyncHandler
    ) -> Response | AIMessage:
        """Call the model with the examples in front."""
        return await handler(self._shown(request))

    def _shown(self, request: Request) -> Request:
        results = _results(this_turn(request.messages))
        examples = self._style.examples if results else self._style.small_talk
        return request.override(messages=[*examples, *request.messages])


def nothing_found(messages: Sequence[AnyMessage]) -> bool:
    """Whether all that this turn's tools returned is a search that found nothing."""
    results = _results(this_turn(messages))
    return bool(results) and all(
        result.name == SEARCH and result.status == "success" and not result.artifact
        for result in results
    )


def _quiet(request: Request) -> Request:
    """The same request with words that nobody is shown."""
    model = request.model
    changes: dict[str, Any] = {"tags": [*(model.tags or []), TAG_NOSTREAM]}
    if isinstance(model, LocalChatModel):
        changes["max_tokens"] = 1
    return request.override(model=model.model_copy(update=changes))


def _each_alone(request: Request) -> tuple[list[Request], list[str]]:
    """A request for each result of this turn, and the words of those that are refusals.

    Both are empty where one result, and no refusal, is the first thing in the conversation.
    """
    turn = this_turn(request.messages)
    results = _results(turn)
    refused = [str(result.text) for result in results if result.status == "error"]
    answered = [result for result in results if result.status != "error"]
    if not refused and len(answered) < 2 and len(turn) == len(request.messages):
        return [], []
    alone = [request.override(messages=[turn[0], result], tools=[]) for result in answered]
    return alone, refused


def _results(turn: Sequence[AnyMessage]) -> list[ToolMessage]:
    return [message for message in turn if isinstance(message, ToolMessage)]


def _last(response: Response) -> AIMessage:
    message = response.result[-1]
    assert isinstance(message, AIMessage)
    return message


def _calls(response: Response) -> bool:
    return bool(_last(response).tool_calls)


def _refused(response: Response) -> Response | AIMessage:
    if _calls(response):
        return response
    return _last(response).model_copy(update={"content": REFUSAL})


def _joined(asked: Response, answers: Sequence[Response], refused: Sequence[str]) -> AIMessage:
    """One message from answers and refusals, with the tokens of all calls."""
    first = _last(asked)
    usage = first.usage_metadata
    for answer in answers:
        usage = add_usage(usage, _last(answer).usage_metadata)
    words = "\n".join(dict.fromkeys([*(_last(answer).text for answer in answers), *refused]))
    return first.model_copy(update={"content": words, "usage_metadata": usage})
