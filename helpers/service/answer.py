"""An answer from its admission to its end: places, budgets, deadline, figures, clean-up."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import Receive

from helpers.models import prices
from helpers.models.errors import UnknownPrice
from helpers.service import tokens
from helpers.service.budget import Reservation
from helpers.service.conversations import Conversation
from helpers.service.disconnect import ClientLeft, Ping, until_client_leaves
from helpers.service.errors import Problem, of_model
from helpers.service.parts import Parts
from helpers.service.turn import AnswerPath, Event, Message, Outcome, Turn


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
    """One request being answered, once: by `events` as they happen, or by `whole`."""

    def __init__(self, parts: Parts, asked: Asked) -> None:
        """Nothing is taken yet."""
        self.outcome = Outcome()
        self.turn = asked.turn
        self._asked = asked
        self._parts = parts
        self._arrived = time.perf_counter()
        self._deadline = asyncio.get_running_loop().time() + parts.settings.deadline_seconds
        self._conversation: Conversation | None = None
        self._entered: float | None = None
        self._ended = "stopping"

    @property
    def request_id(self) -> str:
        """The request's id."""
        return str(self.turn.request_id)

    @property
    def conversation_id(self) -> str | None:
        """The conversation's id, for the caller to go on with."""
        return self._asked.conversation_id

    @asynccontextmanager
    async def events(
        self, receive: Receive, ping: Ping | None = None
    ) -> AsyncIterator[AsyncGenerator[Event]]:
        """The events of the answer, from `start` to `done`, as they happen.

        On entry the answer takes conversation, budget and place. `start` comes with the engine's
        first event: until then every refusal and failure can still be a status code. However the
        block ends, the model's work is stopped and everything taken is given back.

        Args:
            receive: the request's channel, whose body has been read.
            ping: called when nothing else was sent for a while.

        Raises:
            Problem: a refusal or failure.
            ClientLeft: nobody waits for the answer any more.
        """
        # What was taken is given back outside the limits: neither the deadline nor a client that
        # leaves may interrupt that.
        async with AsyncExitStack() as taken:
            taken.callback(self._observe)
            async with self._limits(receive, ping):
                self.turn = await taken.enter_async_context(self._admitted())
                taken.push_async_callback(self._rewind)
                engine = self._parts.engines[self._asked.path]
                stream = engine.events(self.turn, self.outcome)
                yield self._from_start_to_done(await taken.enter_async_context(aclosing(stream)))

    async def whole(self, receive: Receive) -> Outcome:
        """Wait for the whole answer. Raises as `events` does."""
        async with self.events(receive) as events:
            async for _ in events:
                pass
        return self.outcome

    def failure(self, error: BaseException) -> Event:
        """What `events` raised, as the stream's last event. Raises what is no failure again."""
        if isinstance(error, Problem):
            problem = error
        elif isinstance(error, asyncio.CancelledError):
            # The server's patience with a shutdown is over. Better said than cut off in silence:
            # the stream is ended in good order, and with it the task that was to be cancelled.
            if task := asyncio.current_task():
                task.uncancel()
            problem = Problem("stopping", "The service is stopping. Ask again.", retry_after=5)
        elif isinstance(error, Exception):
            self._parts.log.error(
                "unexpected", request_id=self.request_id, error=type(error).__name__, exc_info=error
            )
            problem = Problem("internal", "It is not your fault. Report the request's id.")
        else:
            raise error
        self._parts.metrics.problems.labels(problem.kind).inc()
        return Event("error", problem.document(self.request_id))

    def usage(self) -> dict[str, Any]:
        """Tokens, dollars and seconds so far; None for what is not known.

        It has the `tier` that answered where the agent has tiers, and no such member otherwise.
        """
        found = {
            "input_tokens": self.outcome.input_tokens,
            "output_tokens": self.outcome.output_tokens,
            "cost_usd": self._cost(),
            "seconds": round(time.perf_counter() - self._arrived, 3),
        }
        return found if self.outcome.tier is None else {**found, "tier": self.outcome.tier}

    async def _from_start_to_done(self, stream: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """The engine's events, between the service's own."""
        first = await anext(stream, None)
        start = {"request_id": self.request_id, "conversation_id": self.conversation_id}
        yield Event("start", start)
        if first:
            yield first
        async for event in stream:
            yield event
        self._keep()
        yield Event("usage", self.usage())
        reason = self.outcome.finish_reason or "stop"
        yield Event("done", {"request_id": self.request_id, "finish_reason": reason})
        self._ended = "done"

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[Turn]:
        """Take what the answer needs, what is cheapest to refuse first, for as long as it runs."""
        parts, turn = self._parts, self.turn
        await parts.rate.hit(turn.customer)
        async with AsyncExitStack() as taken:
            said: list[Message] = []
            if self.conversation_id is not None:
                found = parts.conversations.begin(turn.customer, self.conversation_id)
                taken.push_async_callback(parts.conversations.end, found)
                self._conversation = found
                said = found.said
                turn = replace(turn, thread=found.thread, resume_from=found.resume_from)
                if self._asked.path == "plain":
                    turn = replace(turn, messages=(*said, *turn.messages))
            most = tokens.estimate(text for _, text in (*said, *self.turn.messages))
            most += turn.max_tokens
            if self._asked.path == "agent":
                most += parts.settings.agent_tokens
            reservation = await parts.budgets.reserve(turn.customer, most)
            taken.push_async_callback(self._settle, reservation)
            await parts.gate.enter(turn.customer)
            self._entered = entered = time.perf_counter()
            taken.callback(lambda: parts.gate.leave(turn.customer, time.perf_counter() - entered))
            yield turn

    @asynccontextmanager
    async def _limits(self, receive: Receive, ping: Ping | None) -> AsyncIterator[None]:
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

    def _keep(self) -> None:
        """Keep what was said, now that it was answered in full."""
        self._parts.requests.add(self.request_id, self.turn.customer)
        if self._conversation is not None:
            question = self.turn.messages[-1]
            answer = Message("assistant", self.outcome.answer)
            self._conversation.said += [question, answer]
            self._conversation.resume_from = None

    async def _rewind(self) -> None:
        """Let the conversation go on from before a turn that the agent did not end well."""
        agent = self._parts.agent
        if self._conversation and self._asked.path == "agent" and agent and self._ended != "done":
            self._conversation.resume_from = await agent.rewind(self.turn)

    async def _settle(self, reservation: Reservation) -> None:
        try:
            await self._parts.budgets.settle(reservation, self._used())
        except Problem as problem:  # the customer was charged for the most it could have been
            self._parts.log.error("not settled", problem=problem.kind)

    def _used(self) -> int:
        """The tokens to charge; estimated where the model was stopped before it said."""
        known = (self.outcome.input_tokens or 0) + (self.outcome.output_tokens or 0)
        written_by_the_model = self.outcome.tier in (None, "model")
        if self._ended == "done" and (known or not written_by_the_model):
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
