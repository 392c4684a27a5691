from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from helpers.authoring.answers import wrong

Model = Callable[[ModelRequest[Any]], ModelResponse[Any]]


def turn_of(request: ModelRequest[Any]) -> list[ToolMessage]:
    """The tools' messages since the customer spoke, in order."""
    turn: list[ToolMessage] = []
    for message in reversed(request.messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, ToolMessage):
            turn.insert(0, message)
    return turn


def quoting(texts_of: Callable[[ModelRequest[Any]], Sequence[str]]) -> object:
    """An answer made of the texts that `texts_of` picks; right but for these."""

    def quote(request: ModelRequest[Any], handler: Model) -> ModelResponse[Any] | AIMessage:
        response = handler(request)
        texts = [] if response.result[-1].tool_calls else texts_of(request)
        return AIMessage(" ".join(texts)) if texts else response

    return quote


@wrong("The model's words, unchanged.")
def model_s_words() -> object:
    def quote(request: ModelRequest[Any], handler: Model) -> ModelResponse[Any]:
        return handler(request)

    return quote


@wrong("Quotes the whole document.")
def whole_document() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in turn_of(request) if m.artifact != []]
        return [m.artifact[0].text if isinstance(m.artifact, list) else m.text for m in results]

    return quoting(texts)


@wrong("Only what a search has said.")
def searches_only() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in turn_of(request) if m.name == "search_documents"]
        return [m.text for m in results if m.artifact]

    return quoting(texts)


@wrong("Answers without asking the model.")
def without_the_model() -> object:
    def quote(request: ModelRequest[Any], handler: Model) -> ModelResponse[Any] | AIMessage:
        texts = [m.text for m in turn_of(request) if m.artifact != []]
        return AIMessage(" ".join(texts)) if texts else handler(request)

    return quote


@wrong("Quotes what an earlier question found.")
def earlier_turns_too() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in request.messages if isinstance(m, ToolMessage)]
        return [m.text for m in results if m.artifact != []]

    return quoting(texts)


@wrong("Quotes that nothing was found.")
def nothing_found_too() -> object:
    return quoting(lambda request: [m.text for m in turn_of(request)])


@wrong("Quotes the last tool alone.")
def last_tool_only() -> object:
    return quoting(lambda request: [m.text for m in turn_of(request) if m.artifact != []][-1:])


@wrong("The last tool speaks first.")
def backwards() -> object:
    return quoting(lambda request: [m.text for m in turn_of(request) if m.artifact != []][::-1])


@wrong("Leaves a refusal to the model.")
def successes_only() -> object:
    def texts(request: ModelRequest[Any]) -> list[str]:
        results = [m for m in turn_of(request) if m.status == "success"]
        return [m.text for m in results if m.artifact != []]

    return quoting(texts)
