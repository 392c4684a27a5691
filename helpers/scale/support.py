"""A replica that answers: the service's engines in a process of their own, asked by a stream.

It keeps nothing between two turns. What the agent knows of a conversation comes with the turn and
goes back with the answer, so that any replica can answer the next one.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from functools import partial
from typing import Any, cast

from helpers.agent import build_agent
from helpers.scale.orders import ATTEMPT, Attempt, RemoteOrders, order_book
from helpers.service.engines import AgentEngine, Engines
from helpers.service.errors import Problem, of_model
from helpers.service.lifecycle import local_engines
from helpers.service.logs import make_logger
from helpers.service.settings import Settings
from helpers.service.turn import AnswerPath, Event, Outcome, Turn

Part = str | tuple[str, Any]
"""A piece of the answer; or a name with its data: an event, `end`, or `problem`."""


class Support:
    """One replica; see `Part` for what it streams."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, settings: Settings, environment: Mapping[str, str], version: str
    ) -> None:
        """Start the model; the replica is there when that is done.

        Args:
            settings: of the service.
            environment: the `COURSE_*` variables of the process that deploys.
            version: of the deployment; another one replaces the replicas.
        """
        os.environ.update(environment)
        self.version = version
        self._log = make_logger()
        self._open = AsyncExitStack()
        book = order_book()
        await book.__ray_ready__.remote()  # its start is not a customer's to wait for
        make = partial(build_agent, orders=cast(Any, RemoteOrders(book)))
        made = local_engines(settings, make)
        self._engines: Engines = await self._open.enter_async_context(made)

    async def about(self) -> dict[str, Any]:
        """Who answers here, and what the tokens cost."""
        return {"paths": list(self._engines.by_path), "priced_as": self._engines.priced_as}

    async def reason(self) -> str | None:
        """Why the model cannot answer now, None when it can."""
        return await self._engines.probe()

    async def answer(self, path: AnswerPath, turn: Turn) -> AsyncGenerator[list[Part]]:
        """The answer, in lists of what has come since the last one: each costs Ray a message."""
        parts: list[Part] = []
        came = asyncio.Event()
        work = asyncio.create_task(self._work(path, turn, parts, came))
        work.add_done_callback(lambda _: came.set())
        try:
            while parts or not work.done():
                await came.wait()
                came.clear()
                if parts:
                    sent, parts[:] = parts[:], []
                    yield sent
            work.result()
        finally:
            work.cancel()
            await asyncio.wait([work])  # the model's work has stopped when the stream has

    async def _work(
        self, path: AnswerPath, turn: Turn, parts: list[Part], came: asyncio.Event
    ) -> None:
        ATTEMPT.set(Attempt(str(turn.request_id)))
        kept = turn.thread is not None and path == "agent"
        turn = replace(turn, thread=str(turn.request_id) if kept else None, resume_from=None)
        outcome = Outcome()
        agent = cast(AgentEngine | None, self._engines.agent)
        try:
            async with aclosing(self._engines.by_path[path].events(turn, outcome)) as events:
                async for event in events:
                    parts.append(_part(event))
                    came.set()
            thread = await agent.kept(turn.thread) if agent and turn.thread else ()
            parts.append(("end", _what_came(outcome, thread)))
        except Exception as error:
            problem = error if isinstance(error, Problem) else of_model(error)
            if problem is None:
                raise
            self._log.warning("model failed", request_id=str(turn.request_id), reason=str(error))
            parts.append(("problem", (problem.kind, problem.detail, problem.retry_after)))
        finally:
            if agent and turn.thread:
                await agent.forget(turn.thread)


def _part(event: Event) -> Part:
    return event.data["text"] if event.name == "token" else (event.name, event.data)


def _what_came(outcome: Outcome, thread: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "thread": thread,
        "tool_calls": outcome.tool_calls,
        "passages": outcome.passages,
        "input_tokens": outcome.input_tokens,
        "output_tokens": outcome.output_tokens,
        "finish_reason": outcome.finish_reason,
    }
