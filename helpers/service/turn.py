"""One request to be answered, and what has come of it so far."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

AnswerPath = Literal["agent", "plain"]


class Message(NamedTuple):
    """One message of a conversation; `role` is "user", "assistant" or "system"."""

    role: str
    text: str


class Event(NamedTuple):
    """Something that happened while a request was answered; `data` becomes JSON."""

    name: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """What is to be answered, for whom.

    Attributes:
        request_id: also the id of the run in a trace.
        customer: for whom the agent acts.
        messages: the conversation so far; the last one is to be answered.
        thread: where the agent keeps the conversation; None when the caller keeps it, and
            `messages` is all there is.
        resume_from: the checkpoint of the thread to go on from; None for its latest.
        max_tokens: of the answer.
        temperature: None for the model's own.
        before: what the agent has said, called and read in the conversation so far, as LangChain's
            messages; empty where the engine keeps that by `thread`.
    """

    request_id: UUID
    customer: str
    messages: tuple[Message, ...]
    max_tokens: int
    thread: str | None = None
    resume_from: str | None = None
    temperature: float | None = None
    before: tuple[Any, ...] = ()


@dataclass
class Outcome:
    """What has come of a turn so far; an engine writes it as it goes.

    Attributes:
        text: the pieces of the answer.
        input_tokens: of all calls to the model; None as long as the model has not said.
        output_tokens: likewise.
        finish_reason: why the model stopped, None as long as it has not.
        first_token: when the first piece came, by `time.perf_counter`.
        tier: who wrote the answer, as a middleware of the agent has marked it in
            `response_metadata["tier"]`, such as "cache" or "model"; None where none marks answers.
    """

    text: list[str] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    passages: list[dict[str, Any]] = field(default_factory=list)
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str | None = None
    first_token: float | None = None
    tier: str | None = None

    @property
    def answer(self) -> str:
        """The text so far."""
        return "".join(self.text)

    def token(self, text: str) -> Event:
        """Add a piece of the answer, and give its event."""
        if self.first_token is None:
            self.first_token = time.perf_counter()
        self.text.append(text)
        return Event("token", {"text": text})

    def count(self, input_tokens: int, output_tokens: int) -> None:
        """Add the tokens of a call to the model."""
        self.input_tokens = (self.input_tokens or 0) + input_tokens
        self.output_tokens = (self.output_tokens or 0) + output_tokens


class Engine(Protocol):
    """Whatever answers: the agent, or a model alone."""

    def events(self, turn: Turn, outcome: Outcome) -> AsyncGenerator[Event]:
        """The `tool`, `sources` and `token` events of an answer, each also written to `outcome`.

        Closing the iterator stops the model's work. A failure is raised; an answer that broke off
        is a failure.
        """
        ...
