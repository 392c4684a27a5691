"""An answer from its admission to its end: places, budgets, deadline, figures, clean-up."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import Receive

from helpers.models import prices
from helpers.models.errors import UnknownPrice
from helpers.service import tokens
from helpers.service.budget import Reservation
from helpers.service.conversations import Conversation
from helpers.service.errors import Problem, of_model
from helpers.service.parts import Parts
from helpers.service.streaming import ClientLeft, until_client_leaves
from helpers.service.turn import AnswerPath, Event, Message, Outcome, Turn

WriteEvent = Callable[[Event], Awaitable[None]]
Ping = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A turn with what only the service needs to know of it.

    Attributes:
        turn: what is to be answered.
        path: who answers.
        key_id: of the API key, for the log.
        conversation_id: of a conversation that the service keeps; None when the caller keeps it.
    """

    turn: Turn
    path: AnswerPath
    key_id: str
    conversation_id: str | None = None


class Answer:
    """One request being answered.

    `begin` takes what the answer needs and waits for the model's first sign of life; until then
    every refusal and failure can be a status code. The rest comes by `rest`. Whatever happens,
    `close` has to be called once.
    """

    def __init__(self, parts: Parts, asked: Asked) -> None:
        """Nothing is taken yet."""
        self.outcome = Outcome()
        self.turn = asked.turn
        self._asked = asked
        self._parts = parts
        self._arrived = time.perf_counter()
        self._deadline = asyncio.get_running_loop().time() + parts.settings.deadline_seconds
        self._conversation: Conversation | None = None
        self._reservation: Reservation | None = None
        self._entered: float | None = None
        self._stream: AsyncGenerator[Event] | None = None
        self._events: list[Event] = []
        self._ended = "stopping"

    @property
    def request_id(self) -> str:
        """The request's id."""
        return str(self.turn.request_id)

    @property
    def conversation_id(self) -> str | None:
        """The conversation's id, for the caller to go on with."""
        return self._asked.conversation_id

    async def begin(self, receive: Receive) -> None:
        """Take conversation, budget and place, and wait for the first event.

        Raises:
            Problem: a refusal or failure, to be answered by its status.
            ClientLeft: nobody waits for the answer any more.
        """
        async with self._bounded(receive):
            await self._admit()
            engine = self._parts.engines[self._asked.path]
            self._stream = stream = engine.events(self.turn, self.outcome)
            first = await anext(stream, None)
            start = {"request_id": self.request_id, "conversation_id": self.conversation_id}
            self._events = [Event("start", start), *([first] if first else [])]

    async def rest(self, receive: Receive, write: WriteEvent, ping: Ping | None = None) -> None:
        """Write the events of the answer, from `start` to `done`, as they happen.

        Raises `Problem` and `ClientLeft` as `begin` does.
        """
        assert self._stream is not None
        async with self._bounded(receive, ping):
            for event in self._events:
                await write(event)
            async for event in self._stream:
                await write(event)
            self._keep()
            await write(Event("usage", self.usage()))
            reason = self.outcome.finish_reason or "stop"
            await write(Event("done", {"request_id": self.request_id, "finish_reason": reason}))
        self._ended = "done"

    def usage(self) -> dict[str, Any]:
        """Tokens, dollars and seconds so far; None for what is not known."""
        return {
            "input_tokens": self.outcome.input_tokens,
            "output_tokens": self.outcome.output_tokens,
            "cost_usd": self._cost(),
            "seconds": round(time.perf_counter() - self._arrived, 3),
        }

    async def close(self) -> None:
        """Stop the model's work, and give back whatever was taken."""
        if self._stream is not None:
            await self._stream.aclose()
        if self._entered is not None:
            self._parts.gate.leave(self.turn.customer, time.perf_counter() - self._entered)
        if self._conversation is not None:
            await self._let_go(self._conversation)
        if self._reservation is not None:
            try:
                await self._parts.budgets.settle(self._reservation, self._used())
            except Problem as problem:  # the customer was charged for the most it could have been
                self._parts.log.error("not settled", problem=problem.kind)
        self._observe()

    @asynccontextmanager
    async def _bounded(self, receive: Receive, ping: Ping | None = None) -> AsyncIterator[None]:
        """End the block at the deadline or when the client leaves, and name what failed."""
        seconds = self._parts.settings.ping_seconds
        try:
            async with (
                until_client_leaves(receive, ping, seconds),
                asyncio.timeout_at(self._deadline),
            ):
                yield
        except ClientLeft:
            self._ended = "left"
            raise
        except Exception as error:
            problem = self._named(error)
            self._ended = problem.kind if problem else "internal"
            if problem is None or problem is error:
                raise
            self._parts.log.warning("model failed", request_id=self.request_id, reason=str(error))
            raise problem from error

    def _named(self, error: Exception) -> Problem | None:
        if isinstance(error, Problem):
            return error
        if isinstance(error, TimeoutError):
            limit = self._parts.settings.deadline_seconds
            return Problem("deadline", f"It was stopped after {limit:g} seconds. Ask for less.")
        return of_model(error)

    async def _admit(self) -> None:
        """Take what the answer needs, what is cheapest to refuse first."""
        parts, turn = self._parts, self.turn
        await parts.rate.hit(turn.customer)
        said: list[Message] = []
        if self.conversation_id is not None:
            found = parts.conversations.begin(turn.customer, self.conversation_id)
            self._conversation = found
            said = found.said
            self.turn = replace(turn, thread=found.thread, resume_from=found.resume_from)
            if self._asked.path == "plain":
                self.turn = replace(self.turn, messages=(*said, *turn.messages))
        most = tokens.estimate(text for _, text in (*said, *turn.messages)) + turn.max_tokens
        if self._asked.path == "agent":
            most += parts.settings.agent_tokens
        self._reservation = await parts.budgets.reserve(turn.customer, most)
        await parts.gate.enter(turn.customer)
        self._entered = time.perf_counter()

    def _keep(self) -> None:
        """Keep what was said, now that it was answered in full."""
        self._parts.requests.add(self.request_id, self.turn.customer)
        if self._conversation is not None:
            question = self.turn.messages[-1]
            answer = Message("assistant", self.outcome.answer)
            self._conversation.said += [question, answer]
            self._conversation.resume_from = None

    async def _let_go(self, conversation: Conversation) -> None:
        agent = self._parts.agent
        if self._asked.path == "agent" and agent and self._stream and self._ended != "done":
            conversation.resume_from = await agent.rewind(self.turn)
        await self._parts.conversations.end(conversation)

    def _used(self) -> int:
        """The tokens to charge; estimated where the model was stopped before it said."""
        if self._stream is None:
            return 0
        known = (self.outcome.input_tokens or 0) + (self.outcome.output_tokens or 0)
        if self._ended == "done" and known:
            return known
        if self.outcome.first_token is None:
            return known
        read = tokens.estimate(text for _, text in self.turn.messages)
        return max(known, read + len(self.outcome.text))

    def _cost(self) -> float | None:
        read, written = self.outcome.input_tokens, self.outcome.output_tokens
        if self._parts.priced_as is None or read is None or written is None:
            return None
        usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
        try:
            return prices.cost(self._parts.priced_as, usage)  # type: ignore[arg-type]
        except UnknownPrice:
            return None

    def _observe(self) -> None:
        """Figures and one line of log, at the end."""
        self._parts.metrics.answered(
            path=self._asked.path,
            ended=self._ended,
            outcome=self.outcome,
            arrived=self._arrived,
            entered=self._entered,
            cost=self._cost(),
        )
        usage = self.usage()
        said: dict[str, Any] = {}
        if self._parts.settings.log_messages:
            said = {"question": self.turn.messages[-1].text, "answer": self.outcome.answer}
        self._parts.log.info(
            "answer",
            request_id=self.request_id,
            key=self._asked.key_id,
            path=self._asked.path,
            ended=self._ended,
            tools=[call["name"] for call in self.outcome.tool_calls],
            **usage,
            **said,
        )
