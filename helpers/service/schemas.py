"""What requests and answers of the chat look like, with an example of each."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
ConversationId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_QUESTION = "How much does the Alta 2 tent weigh?"


def _example(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class ChatRequest(BaseModel):
    """A message to the agent."""

    model_config = _example(message=_QUESTION, conversation_id="c-1")

    message: Text = Field(description="what you would ask the shop")
    conversation_id: ConversationId | None = Field(
        default=None, description="of the conversation to go on with; left out, a new one begins"
    )


class Passage(BaseModel):
    """Sentences of a document that the answer rests on."""

    document: str
    title: str
    text: str
    score: float = Field(description="how well the document fits, above 1 at most by a little")


class ToolCall(BaseModel):
    """A tool that the agent called."""

    name: str
    args: dict[str, Any]
    status: Literal["started", "ok", "refused"]


class Usage(BaseModel):
    """What the answer took; null for what is not known."""

    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float
    tier: str | None = Field(
        default=None, description="which tier wrote the answer, such as cache; left out without any"
    )


class ChatAnswer(BaseModel):
    """The agent's answer, with what it rests on and what it took."""

    model_config = _example(
        request_id="019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21",
        conversation_id="c-1",
        answer="Alta 2 tent: It weighs 2.1 kg.",
        passages=[
            {
                "document": "alta-2-tent",
                "title": "Alta 2 tent",
                "text": "It weighs 2.1 kg.",
                "score": 0.97,
            }
        ],
        tool_calls=[{"name": "search_documents", "args": {"query": _QUESTION}, "status": "ok"}],
        usage={"input_tokens": 96, "output_tokens": 14, "cost_usd": 0.0000061, "seconds": 0.8},
    )

    request_id: str
    conversation_id: str
    answer: str
    passages: list[Passage]
    tool_calls: list[ToolCall]
    usage: Usage


class Feedback(BaseModel):
    """A rating of one answer."""

    model_config = _example(
        request_id="019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21", score=1, comment="That was it."
    )

    request_id: UUID = Field(description="of the answer, from its body, event or header")
    score: Literal[-1, 1]
    comment: str | None = Field(default=None, max_length=2000)


class ProblemDocument(BaseModel):
    """A refusal or failure, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:fernhill:problem:rate-limited",
                    "title": "Too many requests",
                    "status": 429,
                    "detail": "At most 60 per 1 minute: wait, then try again.",
                    "message": "At most 60 per 1 minute: wait, then try again.",
                    "request_id": "019ab0c5-2f4e-7c31-9a55-0a6f3d1d8e21",
                    "retry_after": 12,
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    message: str = Field(description="the detail, where OpenAI's clients look for it")
    request_id: str | None
    errors: list[dict[str, str]] | None = Field(
        default=None, description="each mistake of a request"
    )
    retry_after: int | None = Field(default=None, description="seconds")
