"""The local chat model: LangChain's OpenAI client on the engine inside this process.

Answers, streaming and token counts come over the engine's HTTP API on loopback. Tool calls are
decided by `helpers.models.routing`, and their arguments by `helpers.models.arguments`.
"""

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx2
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, run_in_executor
from langchain_core.tools import BaseTool
from langchain_openai import ChatOpenAI

from helpers.models import arguments, routing
from helpers.models.local import CHAT_MODEL, chat_server
from helpers.models.tools import EXTRAS, ToolCard, card

_ARGUMENTS_PROMPT = "Extract the values for the tool {name} from the request, as JSON."


@dataclass(frozen=True)
class _Call:
    card: ToolCard
    words: str
    values: dict[str, Any]
    schema: dict[str, Any] | None


@lru_cache(maxsize=1)
def _clients() -> tuple[httpx2.Client, httpx2.AsyncClient]:
    """The connections of this process, shared by all local chat models.

    The engine's HTTP server may close a connection that a client wants to use again after a
    stream, so none is kept; on loopback a new one costs half a millisecond. Without kept
    connections the asynchronous client also serves one event loop after another. Proxy settings
    are ignored: nothing here leaves the machine.
    """
    limits = httpx2.Limits(max_keepalive_connections=0)
    return (
        httpx2.Client(limits=limits, trust_env=False, verify=False),
        httpx2.AsyncClient(limits=limits, trust_env=False, verify=False),
    )


class LocalChatModel(ChatOpenAI):
    """SmolLM2-135M-Instruct with `bind_tools`; see `helpers.models.routing` for how it chooses.

    Each message makes at most one tool call. After the calls, the results of the tools and the
    person's question are put into one user turn by `results_prompt`, because the model's own
    chat template drops tool messages.
    """

    results_prompt: str = "{results}\n\n{question}"
    # The chat template's own system prompt, used when there is none, costs this model its
    # knowledge: with it, the capital of France is "L'Étoile".
    default_system_prompt: str = "You are a helpful assistant."

    @property
    def _llm_type(self) -> str:
        return "course-local"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools, with the `examples`, `verbatim` and `written` of their `extras`."""
        bound: Any = super().bind_tools(tools, **kwargs)
        for original, formatted in zip(tools, bound.kwargs["tools"], strict=True):
            extras = getattr(original, "extras", None) or {}
            formatted["extras"] = {key: extras[key] for key in EXTRAS if key in extras}
            card(formatted)  # a wrong description is the author's mistake: say so now
        return bound  # type: ignore[no-any-return]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = _next_call(messages, kwargs)
        if call is None:
            return super()._generate(self._rendered(messages), stop, run_manager, **kwargs)
        if call.schema is None:
            return _result(call, {}, None)
        reply = super()._generate(_decoding(call), **kwargs, **_shape(call.schema))
        return _result(call, _values(reply), _usage(reply))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = await run_in_executor(None, _next_call, messages, kwargs)
        if call is None:
            return await super()._agenerate(self._rendered(messages), stop, run_manager, **kwargs)
        if call.schema is None:
            return _result(call, {}, None)
        reply = await super()._agenerate(_decoding(call), **kwargs, **_shape(call.schema))
        return _result(call, _values(reply), _usage(reply))

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        messages, *rest = args
        if "tools" in kwargs:
            call = _next_call(messages, {**kwargs})
            if call is not None:
                kwargs.pop("stream_usage", None)
                yield _chunk(self._generate(messages, *rest, **kwargs))
                return
        _next_call(messages, kwargs)
        yield from super()._stream(self._rendered(messages), *rest, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        messages, *rest = args
        if "tools" in kwargs:
            call = await run_in_executor(None, _next_call, messages, {**kwargs})
            if call is not None:
                kwargs.pop("stream_usage", None)
                yield _chunk(await self._agenerate(messages, *rest, **kwargs))
                return
        _next_call(messages, kwargs)
        async for chunk in super()._astream(self._rendered(messages), *rest, **kwargs):
            yield chunk

    def _rendered(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The conversation as the model's chat template takes it: no tools, no tool turns."""
        last = _last_human(messages)
        results = [m.text for m in messages[last:] if isinstance(m, ToolMessage)]
        turns: list[BaseMessage] = []
        if not isinstance(messages[0], SystemMessage):
            turns.append(SystemMessage(self.default_system_prompt))
        for place, message in enumerate(messages):
            if isinstance(message, ToolMessage):
                continue
            if isinstance(message, AIMessage) and (message.tool_calls or not message.text):
                continue
            if place == last and results:
                text = self.results_prompt.format(
                    results="\n\n".join(results), question=message.text
                )
                turns.append(HumanMessage(text))
            else:
                turns.append(message)
        return turns


def _last_human(messages: Sequence[BaseMessage]) -> int:
    places = [i for i, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return places[-1] if places else 0


def _next_call(messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> _Call | None:
    """Take the tools out of the arguments of a model call, and decide on the next tool call."""
    cards = [card(tool) for tool in kwargs.pop("tools", ())]
    choice = kwargs.pop("tool_choice", None)
    kwargs.pop("parallel_tool_calls", None)
    said = [message.text for message in messages if isinstance(message, HumanMessage)]
    if not cards or not said or choice == "none":
        return None
    made = [
        call["name"]
        for message in messages[_last_human(messages) :]
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]
    step = _step(said[-1], cards, made, choice)
    if step is None:
        return None
    values = arguments.found(step.card, step.words, [said[-1], *reversed(said[:-1])])
    return _Call(step.card, step.words, values, arguments.missing(step.card, values))


def _step(
    text: str, cards: Sequence[ToolCard], made: Sequence[str], choice: Any
) -> routing.Step | None:
    if isinstance(choice, Mapping):
        name = choice.get("function", choice).get("name")
        return next((routing.Step(c, text) for c in cards if c.name == name), None)
    left = [step for step in routing.plan(text, cards) if step.card.name not in made]
    if left:
        return left[0]
    if choice == "required":
        return routing.nearest(text, [c for c in cards if c.name not in made] or cards)
    return None


def _decoding(call: _Call) -> list[BaseMessage]:
    return [
        SystemMessage(_ARGUMENTS_PROMPT.format(name=call.card.name)),
        HumanMessage(call.words),
    ]


def _shape(schema: Mapping[str, Any]) -> dict[str, Any]:
    # llama.cpp's own field: OpenAI's `response_format` would make the client parse the reply too.
    return {"extra_body": {"json_schema": dict(schema), "cache_prompt": False}, "max_tokens": 256}


def _values(reply: ChatResult) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(reply.generations[0].message.text)
    return values


def _usage(reply: ChatResult) -> UsageMetadata | None:
    message = reply.generations[0].message
    return message.usage_metadata if isinstance(message, AIMessage) else None


def _result(call: _Call, decoded: dict[str, Any], usage: UsageMetadata | None) -> ChatResult:
    message = AIMessage(
        content="",
        tool_calls=[
            {
                "name": call.card.name,
                "args": {**decoded, **call.values},
                "id": f"call_{uuid.uuid4().hex[:24]}",
                "type": "tool_call",
            }
        ],
        usage_metadata=usage or UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0),
        response_metadata={
            "finish_reason": "tool_calls",
            "model_name": CHAT_MODEL,
            "model_provider": "openai",
        },
    )
    return ChatResult(generations=[ChatGeneration(message=message)])


def _chunk(result: ChatResult) -> ChatGenerationChunk:
    message = result.generations[0].message
    assert isinstance(message, AIMessage)
    call = message.tool_calls[0]
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            tool_call_chunks=[
                {
                    "name": call["name"],
                    "args": json.dumps(call["args"], ensure_ascii=False),
                    "id": call["id"],
                    "index": 0,
                    "type": "tool_call_chunk",
                }
            ],
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
            chunk_position="last",
        )
    )


def local_chat_model(**overrides: Any) -> LocalChatModel:
    """The local chat model, its server running; `overrides` are fields of `ChatOpenAI`."""
    server = chat_server()
    client, async_client = _clients()
    extra_body = {"cache_prompt": server.settings.prompt_cache, **overrides.pop("extra_body", {})}
    defaults: dict[str, Any] = {
        "model": CHAT_MODEL,
        "base_url": server.url,
        "api_key": "local",
        "temperature": 0,
        "seed": server.settings.seed,
        "stream_usage": True,
        "max_retries": 0,
        "http_client": client,
        "http_async_client": async_client,
        "use_responses_api": False,
    }
    return LocalChatModel(**{**defaults, **overrides}, extra_body=extra_body)
