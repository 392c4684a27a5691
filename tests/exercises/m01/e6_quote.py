import re
from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    wrap_model_call,
)
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from helpers.agent.context import this_turn
from helpers.authoring.answers import right, wrong

Model = Callable[[ModelRequest[Any]], ModelResponse[Any]]
Request = ModelRequest[Any]


def results(request: Request) -> list[ToolMessage]:
    """The tools' messages since the customer spoke, in order."""
    turn: list[ToolMessage] = []
    for message in reversed(request.messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, ToolMessage):
            turn.insert(0, message)
    return turn


def found(request: Request) -> list[ToolMessage]:
    return [message for message in results(request) if message.artifact != []]


def texts_found(request: Request) -> list[str]:
    return [str(message.text) for message in found(request)]


def in_a_message(text: str, response: ModelResponse[Any]) -> AIMessage:
    return AIMessage(text)


def quoting(
    texts_of: Callable[[Request], Sequence[str]] = texts_found,
    *,
    join: Callable[[Sequence[str]], str] = " ".join,
    passes: Callable[[ModelResponse[Any], Sequence[str]], bool] = lambda response, texts: (
        bool(response.result[-1].tool_calls) or not texts  # type: ignore[union-attr]
    ),
    made: Callable[[str, ModelResponse[Any]], Any] = in_a_message,
) -> object:
    """An answer that is right but for these."""

    @wrap_model_call
    def quote(request: Request, handler: Model) -> Any:
        response = handler(request)
        texts = texts_of(request)
        return response if passes(response, texts) else made(join(texts), response)

    return quote


@wrong("The model's words, unchanged.", slip="models-words")
def models_words() -> object:
    return quoting(passes=lambda response, texts: True)


@wrong("Quotes the whole document.", slip="whole-document")
def whole_document() -> object:
    def texts(request: Request) -> list[str]:
        return [
            m.artifact[0].text if isinstance(m.artifact, list) else m.text for m in found(request)
        ]

    return quoting(texts)


@wrong("No space between two texts.", slip="joined")
def no_space() -> object:
    return quoting(join="".join)


@wrong("A line for each text.")
def lines() -> object:
    return quoting(join="\n".join)


@wrong("Two spaces between two texts.")
def two_spaces() -> object:
    return quoting(join="  ".join)


@wrong("A space at the end.")
def a_space_at_the_end() -> object:
    return quoting(join=lambda texts: "".join(f"{text} " for text in texts))


@wrong("Friendly words around the texts.", slip="around")
def friendly_words() -> object:
    return quoting(join=lambda texts: f"Of course! {' '.join(texts)} Anything else?")


@wrong("Quotation marks around the texts.", slip="around")
def in_marks() -> object:
    return quoting(join=lambda texts: f'"{" ".join(texts)}"')


@wrong("The model's words, and then the texts.", slip="around")
def words_first() -> object:
    def made(text: str, response: ModelResponse[Any]) -> AIMessage:
        return AIMessage(f"{response.result[-1].text} {text}")

    return quoting(made=made)


@wrong("Only what a search has said.", slip="one-alone")
def searches_only() -> object:
    return quoting(lambda request: [m.text for m in found(request) if m.name == "search_documents"])


@wrong("Quotes the last tool alone.")
def last_tool_only() -> object:
    return quoting(lambda request: texts_found(request)[-1:])


@wrong("Quotes the first tool alone.")
def first_tool_only() -> object:
    return quoting(lambda request: texts_found(request)[:1])


@wrong("Only the results after the model's last call.")
def last_call_only() -> object:
    def texts(request: Request) -> list[str]:
        last = max(n for n, m in enumerate(request.messages) if not isinstance(m, ToolMessage))
        after = request.messages[last:]
        return [m.text for m in after if isinstance(m, ToolMessage) and m.artifact != []]

    return quoting(texts)


@wrong("The last tool speaks first.", slip="backwards")
def backwards() -> object:
    return quoting(lambda request: texts_found(request)[::-1])


@wrong("Answers without asking the model.", slip="asks-otherwise")
def without_the_model() -> object:
    @wrap_model_call
    def quote(request: Request, handler: Model) -> Any:
        texts = texts_found(request)
        return AIMessage(" ".join(texts)) if texts else handler(request)

    return quote


@wrong("Asks the model twice.", slip="asks-otherwise")
def asks_twice() -> object:
    @wrap_model_call
    def quote(request: Request, handler: Model) -> Any:
        if handler(request).result[-1].tool_calls or not texts_found(request):  # type: ignore[union-attr]
            return handler(request)
        return AIMessage(" ".join(texts_found(request)))

    return quote


@wrong("Asks the model for something else.", slip="asks-otherwise")
def another_prompt() -> object:
    @wrap_model_call
    def quote(request: Request, handler: Model) -> Any:
        response = handler(request.override(system_prompt="Say only OK."))
        texts = texts_found(request)
        return (
            response if response.result[-1].tool_calls or not texts else AIMessage(" ".join(texts))
        )  # type: ignore[union-attr]

    return quote


@wrong("Asks the model without its tools or earlier turns.", slip="asks-otherwise")
def asks_about_this_turn() -> object:
    @wrap_model_call
    def quote(request: Request, handler: Model) -> Any:
        response = handler(request.override(messages=list(this_turn(request.messages))))
        texts = texts_found(request)
        return (
            response if response.result[-1].tool_calls or not texts else AIMessage(" ".join(texts))
        )  # type: ignore[union-attr]

    return quote


@wrong("The model's next calls are dropped.", slip="drops-calls")
def drops_calls() -> object:
    return quoting(passes=lambda response, texts: not texts)


@wrong("Keeps the calls, and quotes as well.")
def quotes_and_calls() -> object:
    def made(text: str, response: ModelResponse[Any]) -> AIMessage:
        return response.result[-1].model_copy(update={"content": text})  # type: ignore[return-value]

    return quoting(passes=lambda response, texts: not texts, made=made)


@wrong("Quotes what an earlier question found.", slip="earlier-turns")
def earlier_turns_too() -> object:
    def texts(request: Request) -> list[str]:
        told = [m for m in request.messages if isinstance(m, ToolMessage)]
        return [m.text for m in told if m.artifact != []]

    return quoting(texts)


@wrong("This turn begins at the first message of the customer.", slip="earlier-turns")
def from_the_first_message() -> object:
    def texts(request: Request) -> list[str]:
        first = next(n for n, m in enumerate(request.messages) if isinstance(m, HumanMessage))
        told = [m for m in request.messages[first:] if isinstance(m, ToolMessage)]
        return [m.text for m in told if m.artifact != []]

    return quoting(texts)


@wrong("Quotes that nothing was found.", slip="quotes-nothing")
def nothing_found_too() -> object:
    return quoting(lambda request: [m.text for m in results(request)])


@wrong("An empty answer where no text is left.", slip="empty")
def empty_answer() -> object:
    return quoting(passes=lambda response, texts: bool(response.result[-1].tool_calls))  # type: ignore[union-attr]


@wrong("Leaves a refusal to the model.", slip="no-refusal")
def successes_only() -> object:
    return quoting(lambda request: [m.text for m in found(request) if m.status == "success"])


@wrong("A tool without an artifact is left out.")
def truthy_artifacts() -> object:
    return quoting(lambda request: [m.text for m in results(request) if m.artifact])


@wrong("A tool without an artifact is left out, unless it refuses.")
def truthy_artifacts_or_errors() -> object:
    return quoting(
        lambda request: [m.text for m in results(request) if m.artifact or m.status == "error"]
    )


@wrong("A search that found nothing silences the other tools.")
def all_or_nothing() -> object:
    def texts(request: Request) -> list[str]:
        told = results(request)
        return [] if any(m.artifact == [] for m in told) else [m.text for m in told]

    return quoting(texts)


@wrong("The same text twice is quoted once.")
def each_text_once() -> object:
    return quoting(lambda request: list(dict.fromkeys(texts_found(request))))


@wrong("Space inside a text is tidied up.")
def tidies_up() -> object:
    return quoting(join=lambda texts: " ".join(" ".join(texts).split()))


@wrong("Each text is stripped.")
def strips() -> object:
    return quoting(join=lambda texts: " ".join(text.strip() for text in texts))


@wrong("A long answer is cut.")
def cuts_long_answers() -> object:
    return quoting(join=lambda texts: " ".join(texts)[:1500])


@wrong("The reply that passes is made again, without what it cost.", slip="remade")
def makes_the_reply_again() -> object:
    def made(text: str, response: ModelResponse[Any]) -> AIMessage:
        reply = response.result[-1]
        calls = reply.tool_calls  # type: ignore[union-attr]
        return AIMessage(reply.text if calls or not text else text, tool_calls=calls)

    return quoting(passes=lambda response, texts: False, made=made)


@wrong("The title in front of a text is cut.")
def cuts_the_title() -> object:
    return quoting(join=lambda texts: " ".join(re.sub(r"^[^:]*: ", "", text) for text in texts))


@wrong("The content in the place of the text.")
def by_content() -> object:
    return quoting(lambda request: [str(m.content) for m in found(request)])


@wrong("Remembers the texts of the turn before.")
def remembers() -> object:
    kept: list[str] = []

    def texts(request: Request) -> list[str]:
        kept.extend(text for text in texts_found(request) if text not in kept)
        return kept if texts_found(request) else []

    return quoting(texts)


@wrong("Writes into the tools' messages.", slip="changes-messages")
def writes_into_messages() -> object:
    def texts(request: Request) -> list[str]:
        for message in found(request):
            message.name = "quoted"
        return texts_found(request)

    return quoting(texts)


@wrong("Returns a text.", slip="no-reply")
def a_text() -> object:
    return quoting(made=lambda text, response: text)


@wrong("The customer's side of the conversation says it.")
def a_human_message() -> object:
    return quoting(made=lambda text, response: ModelResponse(result=[HumanMessage(text)]))


@wrong("No decorator.", slip="no-decorator")
def no_decorator() -> object:
    def quote(request: Request, handler: Model) -> Any:
        response = handler(request)
        texts = texts_found(request)
        return (
            response if response.result[-1].tool_calls or not texts else AIMessage(" ".join(texts))
        )  # type: ignore[union-attr]

    return quote


@wrong("An async function.", slip="async")
def an_async_function() -> object:
    @wrap_model_call
    async def quote(request: Request, handler: Any) -> Any:
        response = await handler(request)
        texts = texts_found(request)
        return (
            response if response.result[-1].tool_calls or not texts else AIMessage(" ".join(texts))
        )

    return quote


@right("A new message.")
def a_new_message() -> object:
    return quoting()


@right("A response with the copy of the reply.")
def a_response() -> object:
    def made(text: str, response: ModelResponse[Any]) -> ModelResponse[Any]:
        reply = response.result[-1].model_copy(update={"content": text})
        return ModelResponse(result=[*response.result[:-1], reply])

    return quoting(made=made)


@right("Writes into the reply itself.")
def writes_into_the_reply() -> object:
    def made(text: str, response: ModelResponse[Any]) -> ModelResponse[Any]:
        response.result[-1].content = text
        return response

    return quoting(made=made)


@right("Leaves out searches by their name.")
def by_name() -> object:
    def texts(request: Request) -> list[str]:
        told = [m for m in this_turn(request.messages) if m.type == "tool"]
        return [m.text for m in told if not (m.name == "search_documents" and m.artifact == [])]

    return quoting(texts)


@right("Reads the messages of the state, and joins as it goes.")
def from_the_state() -> object:
    def joined(texts: Sequence[str]) -> str:
        whole = ""
        for text in texts:
            whole = f"{whole} {text}" if whole else text
        return whole

    def texts(request: Request) -> list[str]:
        return texts_found(request.override(messages=list(request.state["messages"])))

    return quoting(texts, join=joined)


@right("Content in blocks.")
def content_in_blocks() -> object:
    return quoting(made=lambda text, response: AIMessage([{"type": "text", "text": text}]))


@right("A class with a method.")
def a_class() -> object:
    class Quote(AgentMiddleware):
        def wrap_model_call(self, request: Request, handler: Model) -> Any:
            response = handler(request)
            reply = response.result[-1]
            texts = texts_found(request)
            if getattr(reply, "tool_calls", None) or len(texts) == 0:
                return reply
            return AIMessage(content=" ".join(texts), usage_metadata=reply.usage_metadata)  # type: ignore[union-attr]

    return Quote()


EQUIVALENT = {
    "line 8, statement 4 dropped: def quote(": "a conversation begins with a HumanMessage, "
    "which empties the list"
}


@wrong("Leaves out what has an empty artifact of any kind.")
def leaves_out_empty_artifacts() -> object:
    return quoting(
        lambda request: [m.text for m in results(request) if m.artifact is None or m.artifact]
    )


@wrong("Leaves out an empty tuple, too.")
def leaves_out_empty_tuples() -> object:
    return quoting(lambda request: [m.text for m in results(request) if m.artifact not in ([], ())])


@wrong("Leaves out empty texts.")
def leaves_out_empty_texts() -> object:
    return quoting(lambda request: [text for text in texts_found(request) if text])


def changed_for_a_while(change: Callable[[Request], None]) -> object:
    """The right answer; the model gets the changed request, which is put back afterwards."""

    @wrap_model_call
    def quote(request: Request, handler: Model) -> Any:
        messages, system = list(request.messages), request.system_message
        change(request)
        response = handler(request)
        request.messages[:] = messages
        object.__setattr__(request, "system_message", system)
        texts = texts_found(request)
        return (
            response if response.result[-1].tool_calls or not texts else AIMessage(" ".join(texts))
        )  # type: ignore[union-attr]

    return quote


@wrong("Cuts the messages while the model speaks.", slip="asks-otherwise")
def cuts_for_a_while() -> object:
    def change(request: Request) -> None:
        del request.messages[:-1]

    return changed_for_a_while(change)


@wrong("Takes the system prompt away while the model speaks.", slip="asks-otherwise")
def no_system_for_a_while() -> object:
    return changed_for_a_while(lambda request: object.__setattr__(request, "system_message", None))
