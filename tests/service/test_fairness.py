"""Streams of the agent take turns, also when all of a model's chunks are there at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.utils.uuid import uuid7

from helpers.agent import Caller
from helpers.service.engines import AgentEngine
from helpers.service.turn import Message, Outcome, Turn

CHUNKS = 64


class Burst(BaseChatModel):
    """A model whose chunks have all arrived: taking one never suspends.

    `log` gets the thread's customer for each chunk that is taken.
    """

    log: list[str]

    @property
    def _llm_type(self) -> str:
        return "burst"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise AssertionError("the agent streams")

    async def _astream(
        self, messages: list[BaseMessage], *_: Any, **__: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for number in range(CHUNKS):
            self.log.append(str(messages[-1].text))
            yield ChatGenerationChunk(message=AIMessageChunk(content=f" word{number}"))


async def _read(engine: AgentEngine, name: str, log: list[str]) -> int:
    """Read a stream to its end; how many chunks its model gave before the first token came."""
    turn = Turn(uuid7(), name, (Message("user", name),), max_tokens=CHUNKS)
    taken = 0
    async for event in engine.events(turn, outcome := Outcome()):
        if event.name == "token" and not taken:
            taken = log.count(name)
    assert len(outcome.text) == CHUNKS
    return taken


def _streams(names: Sequence[str]) -> tuple[list[int], list[str]]:
    model = Burst(log=[])
    log = model.log
    engine = AgentEngine(create_agent(model, context_schema=Caller))

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(_read(engine, name, log) for name in names))

    return asyncio.run(all_of_them()), log


def test_the_first_token_does_not_wait_for_the_rest() -> None:
    (taken,), _ = _streams(["one"])
    assert 1 <= taken <= 4


def test_no_stream_waits_for_the_whole_of_another() -> None:
    taken, log = _streams(["one", "two", "three"])
    assert all(1 <= each <= 4 for each in taken)
    last = len(log) - 1 - log[::-1].index("one")
    assert {"two", "three"} <= set(log[:last])
    assert log.index("three") < CHUNKS
