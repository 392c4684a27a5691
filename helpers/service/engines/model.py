"""The plain path by LangChain: any chat model, without the agent around it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from helpers.service.turn import Event, Message, Outcome, Turn
from helpers.service.upstream import Breaker, broke_off

_KINDS = {"user": HumanMessage, "assistant": AIMessage, "system": SystemMessage}


def as_langchain(messages: tuple[Message, ...]) -> list[BaseMessage]:
    """Messages as LangChain's."""
    return [_KINDS[message.role](message.text) for message in messages]


def why_it_ended(message: BaseMessage) -> str | None:
    """Why the model stopped, as providers name it; None as long as it has not said."""
    said = message.response_metadata
    reason = said.get("finish_reason") or said.get("stop_reason")
    return str(reason) if reason else None


class ModelEngine:
    """Streams from one shared LangChain chat model."""

    def __init__(self, model: BaseChatModel, breaker: Breaker) -> None:
        """`model` is shared by all requests, since making its clients costs more than a request."""
        self._model = model
        self._breaker = breaker

    async def events(self, turn: Turn, outcome: Outcome) -> AsyncGenerator[Event]:
        """See `Engine`."""
        options: dict[str, Any] = {"max_tokens": turn.max_tokens}
        if turn.temperature is not None:
            options["temperature"] = turn.temperature
        async with self._breaker:
            stream = self._model.astream(
                as_langchain(turn.messages), {"run_id": turn.request_id}, **options
            )
            async for chunk in stream:
                if chunk.usage_metadata:
                    usage = chunk.usage_metadata
                    outcome.count(usage["input_tokens"], usage["output_tokens"])
                if reason := why_it_ended(chunk):
                    outcome.finish_reason = reason
                if text := chunk.text:
                    yield outcome.token(text)
                    await asyncio.sleep(0)  # chunks may come in bursts: see `fairness`
            if outcome.finish_reason is None:
                raise broke_off("the model")
