"""The agent's path: LangGraph's stream, as the service's events."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.prebuilt import ToolNode

from helpers.agent import Agent, Caller, Passage
from helpers.service.engines.fairness import TakeTurns, Waiting
from helpers.service.engines.model import as_langchain, why_it_ended
from helpers.service.engines.streamed_text import StreamedText
from helpers.service.turn import Event, Outcome, Turn

_REQUEST = "request_id"


class AgentEngine:
    """Answers by the agent.

    Attributes:
        tools: the names of the agent's tools.
    """

    def __init__(self, agent: Agent) -> None:
        """`agent` is shared by all requests; its checkpointer keeps their threads apart."""
        self._agent = agent
        node = agent.nodes["tools"].bound if "tools" in agent.nodes else None
        self.tools = frozenset(node.tools_by_name if isinstance(node, ToolNode) else ())
        self._waiting = Waiting()
        kept = agent.checkpointer
        self._kept = kept if isinstance(kept, BaseCheckpointSaver) else None

    async def events(self, turn: Turn, outcome: Outcome) -> AsyncGenerator[Event]:
        """See `Engine`."""
        streamed = StreamedText()
        thread = turn.thread or str(turn.request_id)
        stream: Any = self._agent.astream(
            {"messages": [*turn.before, *as_langchain(turn.messages)]},
            _config(turn, thread, TakeTurns(self._waiting)),
            context=Caller(turn.customer),
            stream_mode=["messages", "updates"],
        )
        self._waiting.streams += 1
        waits = True
        try:
            async for mode, part in stream:
                if waits and outcome.first_token is not None:
                    self._waiting.streams -= 1
                    waits = False
                if mode == "messages":
                    message, _ = part
                    if not isinstance(message, AIMessageChunk):
                        continue
                    if reason := why_it_ended(message):
                        outcome.finish_reason = reason
                    if text := message.text:
                        for piece in streamed.add(message.id or "", text):
                            yield outcome.token(piece)
                    continue
                for message in _new_messages(part):
                    for event in _events(message, streamed, outcome):
                        yield event
        finally:
            self._waiting.streams -= waits
            await stream.aclose()
            if turn.thread is None:
                await self.forget(thread)

    async def forget(self, thread: str) -> None:
        """Drop what is kept of a thread."""
        if self._kept:
            await self._kept.adelete_thread(thread)

    async def kept(self, thread: str) -> tuple[BaseMessage, ...]:
        """What was said, called and read in a thread: `Turn.before` of its next turn elsewhere."""
        state = await self._agent.aget_state({"configurable": {"thread_id": thread}})
        return tuple(state.values.get("messages", ()))

    async def rewind(self, turn: Turn) -> str | None:
        """The checkpoint that the thread's next turn has to go on from; None for its latest.

        A turn that did not end well may have left a question without an answer, or a tool call
        without its result, which a model refuses to go on from. So the next turn goes on from
        where this one began; where it was the first, the thread is dropped.
        """
        if turn.thread is None or not self._kept:
            return None
        config: RunnableConfig = {"configurable": {"thread_id": turn.thread}}
        wanted = {"source": "input", _REQUEST: str(turn.request_id)}
        async for checkpoint in self._kept.alist(config, filter=wanted):
            if before := checkpoint.parent_config:
                return str(before["configurable"]["checkpoint_id"])
            await self.forget(turn.thread)
            return None
        return turn.resume_from


def _config(turn: Turn, thread: str, turns: TakeTurns) -> RunnableConfig:
    place: dict[str, Any] = {"thread_id": thread}
    if turn.resume_from:
        place["checkpoint_id"] = turn.resume_from
    return {
        "run_id": turn.request_id,
        "callbacks": [turns],
        "configurable": place,
        "metadata": {_REQUEST: str(turn.request_id)},
    }


def _new_messages(update: dict[str, Any]) -> Sequence[BaseMessage]:
    """The messages that a step of the graph has added."""
    return [
        message
        for change in update.values()
        if isinstance(change, dict)
        for message in change.get("messages", ())
    ]


def _events(message: BaseMessage, streamed: StreamedText, outcome: Outcome) -> Sequence[Event]:
    if isinstance(message, ToolMessage):
        return _tool_ended(message, outcome)
    if not isinstance(message, AIMessage):
        return []
    if usage := message.usage_metadata:
        outcome.count(usage["input_tokens"], usage["output_tokens"])
    events = []
    for call in message.tool_calls:
        started = {"name": call["name"], "args": call["args"], "status": "started"}
        outcome.tool_calls.append({**started, "id": call["id"]})
        events.append(Event("tool", started))
    if message.tool_calls:
        streamed.next_step()
        outcome.finish_reason = None
    else:
        outcome.finish_reason = outcome.finish_reason or "stop"  # words that no model wrote
        outcome.tier = message.response_metadata.get("tier", outcome.tier)
        events += [outcome.token(piece) for piece in streamed.finish(message.text)]
    return events


def _tool_ended(message: ToolMessage, outcome: Outcome) -> Sequence[Event]:
    status = "ok" if message.status == "success" else "refused"
    call: dict[str, Any] = next(
        (each for each in outcome.tool_calls if each.get("id") == message.tool_call_id),
        {"name": message.name, "args": {}},
    )
    call["status"] = status
    events = [Event("tool", {"name": call["name"], "args": call["args"], "status": status})]
    artifact = message.artifact
    if isinstance(artifact, list) and artifact and isinstance(artifact[0], Passage):
        # The model was given the first passage alone to read.
        found = [_passage(artifact[0])]
        outcome.passages += found
        events.append(Event("sources", {"passages": found}))
    return events


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "document": passage.document,
        "title": passage.title,
        "text": " ".join(passage.sentences),
        "score": round(float(passage.score), 4),
    }
