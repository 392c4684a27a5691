"""LangChain chat models with no model behind them: one follows a script, one takes its time."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from helpers.testbed.replies import Breaks, FallsSilent, Turn, UsedUp, as_turn, words

Answer: TypeAlias = str | Breaks | FallsSilent
"""What a slow model writes: a text, to its end or with what goes wrong in its middle."""

Written: TypeAlias = Generator[tuple[float | None, ChatGenerationChunk | None], None, None]
"""Pairs of a pause in seconds, if any, and what is written after it, if anything."""

_SILENCE_S = 86_400.0


class ModelInPieces(BaseChatModel):
    """A chat model that writes chunks, each after a pause; the rest follows from these."""

    model_name: str = ""

    @property
    def _llm_type(self) -> str:
        return self.model_name

    def _written(self, messages: list[BaseMessage], **kwargs: Any) -> Written:
        raise NotImplementedError

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds)

    async def _apause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model, which is told with every prompt what it might call."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        with closing(self._written(messages, **kwargs)) as written:
            for pause, chunk in written:
                if pause is not None:
                    self._pause(pause)
                if chunk is not None:
                    yield chunk

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        with closing(self._written(messages, **kwargs)) as written:
            for pause, chunk in written:
                if pause is not None:
                    await self._apause(pause)
                if chunk is not None:
                    yield chunk

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, **kwargs))

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, **kwargs))


class ScriptedModel(ModelInPieces):
    """Gives the replies of a script one after another, whatever it is asked.

    Attributes:
        replies: see `helpers.testbed.replies`; also LangChain's messages, and exceptions, which it
            raises.
        then: its reply when the script is used up; without one it raises `UsedUp`.
        prompts: the prompts that it was given, in order.
        offered: the names of the tools that came with each of them.
    """

    model_name: str = "scripted"
    replies: Sequence[Any] = ()
    then: Any = None
    prompts: list[list[BaseMessage]] = Field(default_factory=list)
    offered: list[list[str]] = Field(default_factory=list)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def model_post_init(self, context: Any, /) -> None:
        """Refuse at once what is no reply."""
        super().model_post_init(context)
        for reply in (*self.replies, *(() if self.then is None else (self.then,))):
            if not isinstance(reply, BaseException):
                _turn(reply)

    def _written(self, messages: list[BaseMessage], **kwargs: Any) -> Written:
        with self._lock:
            place = len(self.prompts)
            self.prompts.append(list(messages))
            self.offered.append([tool["function"]["name"] for tool in kwargs.get("tools", ())])
        reply = self.replies[place] if place < len(self.replies) else self.then
        if reply is None:
            raise UsedUp(
                f"The script of this model is used up: it has {len(self.replies)} replies, and this"
                f" is call {place + 1}. Give it more `replies`, or a reply as `then`."
            )
        if isinstance(reply, BaseException):
            raise reply
        for chunk in _chunks(_turn(reply), messages, f"call_{place + 1}"):
            yield None, chunk


class SlowModel(ModelInPieces):
    """Writes a text at a given pace, and counts the answers that it writes at the same time.

    A reader that leaves a stream, or cancels a call, ends its answer at once.

    Attributes:
        answer: what it writes, or a function from the prompt to that: a text, or `Breaks` or
            `FallsSilent` for a model that fails in the middle of its answer.
        delay_s: seconds before the first word.
        token_s: seconds a word.
        full_speed: answers that it writes at that pace; with twice as many at the same time, each
            word takes twice as long. Without a number any.
        calls: answers that it began.
        in_flight: answers that it writes now; `most_in_flight` at the same time so far.
    """

    model_name: str = "slow"
    answer: Answer | Callable[[list[BaseMessage]], Answer] = (
        "The Alta 2 weighs 2.1 kg without pegs."
    )
    delay_s: float = 0.0
    token_s: float = 0.0
    full_speed: int | None = None
    calls: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    def _written(self, messages: list[BaseMessage], **kwargs: Any) -> Written:
        answer = self.answer(messages) if callable(self.answer) else self.answer
        text = answer if isinstance(answer, str) else answer.text
        with self._counted():
            if self.delay_s:
                yield self.delay_s * self._slower(), None
            for place, chunk in enumerate(_chunks(Turn(text), messages, "call")):
                if not isinstance(answer, str) and place == answer.after:
                    yield from self._failing(answer)
                yield (self.token_s * self._slower() if chunk.text else None), chunk

    def _failing(self, answer: Breaks | FallsSilent) -> Written:
        if isinstance(answer, Breaks):
            yield self.token_s * self._slower(), None
            raise answer.error
        while True:
            yield _SILENCE_S, None

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.calls += 1
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            with self._lock:
                self.in_flight -= 1

    def _slower(self) -> float:
        return max(1.0, self.in_flight / (self.full_speed or self.in_flight))


class HeldModel(SlowModel):
    """A `SlowModel` whose clock the caller holds: it writes a word only when `let` lets it.

    So a test can let it write one word and look whether that word arrives, without any seconds.
    """

    _permits: Any = PrivateAttr(default_factory=lambda: threading.Semaphore(0))

    def let(self, words: int = 1) -> None:
        """Let it write so many words, whichever answer comes first."""
        self._permits.release(words)

    def _pause(self, seconds: float) -> None:
        if seconds >= _SILENCE_S:  # it takes no word from the others
            super()._pause(seconds)
        else:
            self._permits.acquire()

    async def _apause(self, seconds: float) -> None:
        if seconds >= _SILENCE_S:
            await super()._apause(seconds)
            return
        # Asked again and again: the answers may be written on several event loops.
        while not self._permits.acquire(blocking=False):
            await asyncio.sleep(0.002)


def _turn(reply: Any) -> Turn:
    if isinstance(reply, AIMessage):
        keys = ("name", "args", "id")
        calls = [{key: call.get(key) for key in keys} for call in reply.tool_calls]
        return Turn(reply.text, calls)
    return as_turn(reply)


def _chunks(turn: Turn, messages: list[BaseMessage], prefix: str) -> Iterator[ChatGenerationChunk]:
    """A reply in pieces: a word or a tool call each, and what it cost, with a token a word."""
    pieces = [AIMessageChunk(content=word) for word in words(turn.text)]
    for index, call in enumerate(turn.calls):
        made = tool_call_chunk(
            name=call["name"],
            args=json.dumps(dict(call["args"])),
            id=str(call.get("id") or f"{prefix}_{index}"),
            index=index,
        )
        pieces.append(AIMessageChunk(content="", tool_call_chunks=[made]))
    read, wrote = sum(len(words(message.text)) for message in messages), len(pieces)
    usage = UsageMetadata(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)
    reason = "tool_calls" if turn.calls else "stop"
    last = AIMessageChunk(
        content="",
        usage_metadata=usage,
        response_metadata={"finish_reason": reason},
        chunk_position="last",
    )
    for piece in (*pieces, last):
        yield ChatGenerationChunk(message=piece)
