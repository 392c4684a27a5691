"""The support agent's loop written out: an answer costs half of what it costs by LangGraph.

Guard, model, tools, order book and documents are those that `World.agent` gives to the course's
agent, and a test compares the two, answer by answer. What is left out is LangGraph's bookkeeping:
steps, checkpoints, callbacks.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import closing
from types import SimpleNamespace
from typing import Any

from langchain.tools import ToolException
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    ToolCall,
    ToolMessage,
)

from helpers.agent import REFUSAL, Caller, Passage
from helpers.agent.middleware import nothing_found
from helpers.service.turn import Event, Outcome, Turn
from helpers.service.upstream import Breaker
from helpers.testbed.replay import World, customer_of

Watch = Callable[[Turn, Outcome], None]


class ReplayedAgent:
    """An engine (`Engine`) and what it keeps of its conversations (`Threads`)."""

    def __init__(self, world: World, breaker: Breaker, watch: Watch) -> None:
        """`watch` is called with every answer that has ended well."""
        self._world, self._breaker, self._watch = world, breaker, watch
        self._tools = {tool.name: tool for tool in world.tools()}
        self._threads: dict[str, list[AnyMessage]] = {}

    async def events(self, turn: Turn, outcome: Outcome) -> AsyncGenerator[Event]:
        """See `Engine`."""
        asked = [HumanMessage(message.text) for message in turn.messages]
        said: list[AnyMessage] = [*self._threads.get(turn.thread or "", ()), *asked]
        if blocked := self._world.guard.blocks(said):
            said.append(AIMessage(blocked))
            yield outcome.token(blocked)
        else:
            async for event in self._agent(said, turn, outcome):
                yield event
        outcome.finish_reason = "stop"
        if turn.thread:
            self._threads[turn.thread] = said
        self._watch(turn, outcome)

    async def forget(self, thread: str) -> None:
        """Drop what is kept of a thread."""
        self._threads.pop(thread, None)

    async def rewind(self, turn: Turn) -> str | None:
        """There is nothing to undo: only an answer that ended well is kept."""
        return None

    async def _agent(
        self, said: list[AnyMessage], turn: Turn, outcome: Outcome
    ) -> AsyncGenerator[Event]:
        """Ask the model, call its tool, ask it again; the messages are added to `said`."""
        async for part in self._model(said, outcome):
            if isinstance(part, str):  # it answers without a tool
                yield outcome.token(part)
                continue
            said.append(AIMessage("", tool_calls=[part]))
            for event in self._called(part, said, turn, outcome):
                yield event
        if outcome.tool_calls:
            unanswered = nothing_found(said)
            async for part in self._model(said, outcome):
                if isinstance(part, str) and not unanswered:
                    yield outcome.token(part)
            if unanswered:
                yield outcome.token(REFUSAL)
        said.append(AIMessage(outcome.answer))

    def _called(
        self, call: ToolCall, said: list[AnyMessage], turn: Turn, outcome: Outcome
    ) -> Iterator[Event]:
        """Call a tool, and add its result to `said`."""
        event = {"name": call["name"], "args": call["args"], "status": "started"}
        outcome.tool_calls.append({**event, "id": call["id"]})
        yield Event("tool", event)
        result = self._result(call, said, turn)
        said.append(result)
        status = "ok" if result.status == "success" else "refused"
        outcome.tool_calls[-1]["status"] = status
        yield Event("tool", {**event, "status": status})
        if isinstance(result.artifact, list) and result.artifact:
            outcome.passages.append(_passage(result.artifact[0]))
            yield Event("sources", {"passages": outcome.passages[-1:]})

    async def _model(
        self, said: Sequence[AnyMessage], outcome: Outcome
    ) -> AsyncGenerator[str | ToolCall]:
        """One call of the model: the tool call that it makes, or the pieces that it writes."""
        async with self._breaker:
            with closing(self._world.model.written(said, tools=True)) as written:
                for pause, chunk in written:
                    if pause is not None:
                        await asyncio.sleep(pause)
                    message = chunk.message if chunk else None
                    if not isinstance(message, AIMessageChunk):
                        continue
                    for call in message.tool_calls:
                        yield call
                    if message.text:
                        yield message.text
                    if usage := message.usage_metadata:
                        outcome.count(usage["input_tokens"], usage["output_tokens"])

    def _result(self, call: ToolCall, said: Sequence[AnyMessage], turn: Turn) -> ToolMessage:
        """What a tool returns, or the words with which it refuses."""
        tool: Any = self._tools[call["name"]]
        runtime = SimpleNamespace(
            context=Caller(customer_of(turn.customer)),
            state={"messages": said},
            tool_call_id=call["id"],
        )
        fields: Any = {"tool_call_id": call["id"], "name": call["name"]}
        try:
            text, artifact = tool.func(**call["args"], runtime=runtime)
        except ToolException as refused:
            return ToolMessage(str(refused), status="error", **fields)
        return ToolMessage(text, artifact=artifact, **fields)


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "document": passage.document,
        "title": passage.title,
        "text": " ".join(passage.sentences),
        "score": round(float(passage.score), 4),
    }
