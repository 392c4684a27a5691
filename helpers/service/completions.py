"""OpenAI's chat completions: their requests, and the service's events in their shapes.

https://platform.openai.com/docs/api-reference/chat: the chat completion object, the chunk object,
and streaming with `stream_options`. What the agent's tools do has no place in those shapes: they
are the agent's own, and a client is not asked to run them.
"""

import json
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from helpers.service.answer import Answer
from helpers.service.turn import AnswerPath, Event, Message

MODELS: dict[str, AnswerPath] = {"fernhill-agent": "agent", "plain": "plain"}
"""Who answers, by the name that a client asks for."""

_EXAMPLE: JsonDict = {
    "model": "fernhill-agent",
    "messages": [{"role": "user", "content": "How much does the Alta 2 tent weigh?"}],
    "stream": False,
}


class TextPart(BaseModel):
    """A part of a message; there are only texts here."""

    type: Literal["text"]
    text: str


class RefusalPart(BaseModel):
    """A part of what an assistant has said before."""

    type: Literal["refusal"]
    refusal: str

    @property
    def text(self) -> str:
        """Its words."""
        return self.refusal


class CompletionMessage(BaseModel):
    """A message of the conversation. A tool's result is not among them: the agent has its own."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart | RefusalPart] | None = Field(
        default=None, description="only an assistant's may be null or left out"
    )
    refusal: str | None = Field(default=None, description="what an assistant said instead")

    @model_validator(mode="after")
    def _says_something(self) -> "CompletionMessage":
        if self.content is None and self.role != "assistant":
            raise ValueError(f"a message of the {self.role} needs a content")
        return self

    @property
    def text(self) -> str:
        """All of its text."""
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or self.refusal or ""


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool | None = None


class ResponseFormat(BaseModel):
    """What an answer is made of: words, and nothing else here."""

    type: str


def _no_tools(tools: list[Any] | None) -> list[Any] | None:
    if tools:
        raise ValueError("the agent has its own tools: leave yours out")
    return tools


def _words(wanted: ResponseFormat | None) -> ResponseFormat | None:
    if wanted is not None and wanted.type != "text":
        raise ValueError("answers are words: leave it out, or ask for the type text")
    return wanted


def _last_is_asked(messages: list[CompletionMessage]) -> list[CompletionMessage]:
    if messages[-1].role != "user" or not messages[-1].text.strip():
        raise ValueError("the last message must be the user's, with a text")
    return messages


class CompletionRequest(BaseModel):
    """A request as OpenAI's clients send it; fields that do not apply here are ignored.

    A null says the same as a field that is left out.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    model: str = Field(description="`fernhill-agent`, or `plain` for the model without the agent")
    messages: Annotated[
        list[CompletionMessage], Field(min_length=1), AfterValidator(_last_is_asked)
    ] = Field(description="the agent leaves out system messages: its instructions are its own")
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, gt=0, description="of an answer of `plain`")
    max_completion_tokens: int | None = Field(default=None, gt=0, description="the same")
    temperature: float | None = Field(default=None, ge=0, le=2, description="of `plain`")
    n: Literal[1] | None = None
    tools: Annotated[list[Any] | None, AfterValidator(_no_tools)] = None
    functions: Annotated[list[Any] | None, AfterValidator(_no_tools)] = None
    response_format: Annotated[ResponseFormat | None, AfterValidator(_words)] = None


def conversation(messages: Sequence[CompletionMessage], path: AnswerPath) -> tuple[Message, ...]:
    """The messages as the engines take them; an assistant's without words are left out."""
    roles = {"developer": "system"}
    spoken = (each for each in messages if each.text or each.role != "assistant")
    found = (Message(roles.get(each.role, each.role), each.text) for each in spoken)
    return tuple(each for each in found if path == "plain" or each.role != "system")


def completion(answer: Answer, model: str) -> dict[str, Any]:
    """The chat completion object of a whole answer."""
    return {
        "id": f"chatcmpl-{answer.request_id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": answer.outcome.answer,
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": answer.outcome.finish_reason or "stop",
            }
        ],
        "usage": _usage(answer.usage()),
    }


def _usage(usage: dict[str, Any]) -> dict[str, int]:
    read, written = usage["input_tokens"] or 0, usage["output_tokens"] or 0
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


class ChunkEncoder:
    """The service's events as the chunks of a streamed completion, ready for the wire."""

    def __init__(self, request_id: str, model: str, *, include_usage: bool) -> None:
        """`include_usage` as in `stream_options`."""
        head = {
            "id": f"chatcmpl-{request_id}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }
        # Most of a chunk never changes, and is made into text once.
        self._head = json.dumps(head, separators=(",", ":"))[:-1]
        self._no_usage = ',"usage":null' if include_usage else ""
        self._include_usage = include_usage
        self._usage = ""

    def __call__(self, event: Event) -> bytes:
        """What of an event goes over the wire; nothing of one that has no place there."""
        if event.name == "token":
            return self._chunk({"content": event.data["text"]})
        if event.name == "start":
            return self._chunk({"role": "assistant", "content": ""})
        if event.name == "usage":
            self._usage = json.dumps(_usage(event.data), separators=(",", ":"))
            return b""
        if event.name == "done":
            end = self._chunk({}, event.data["finish_reason"])
            if self._include_usage:
                end += f'data: {self._head},"choices":[],"usage":{self._usage}}}\n\n'.encode()
            return end + b"data: [DONE]\n\n"
        if event.name == "error":
            # The shape by which OpenAI's clients know a failure in the middle of a stream.
            return f"data: {json.dumps({'error': event.data})}\n\n".encode()
        return b""

    def _chunk(self, delta: dict[str, str], reason: str | None = None) -> bytes:
        said = json.dumps(delta, separators=(",", ":"))
        return (
            f'data: {self._head},"choices":[{{"index":0,"delta":{said},"logprobs":null,'
            f'"finish_reason":{json.dumps(reason)}}}]{self._no_usage}}}\n\n'
        ).encode()
