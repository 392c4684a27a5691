"""The local chat model: LangChain's OpenAI client on the engine inside this process.

Answers, streaming and token counts come over the engine's HTTP API on loopback. Which tool is
called, and with what, is decided by `helpers.models.calls`; see there for how.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import httpx2
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, run_in_executor
from langchain_core.tools import BaseTool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, model_validator

from helpers.models import decoding, json_answers
from helpers.models.arguments import Call
from helpers.models.calls import Ask, decide
from helpers.models.errors import EmptyPrompt
from helpers.models.local import CHAT_MODEL, chat_server, refuse_after_fork
from helpers.models.messages import as_chunk, as_result, rendered
from helpers.models.tools import EXTRAS, card
from helpers.models.translate import Translated

# A model of this size that has not ended by then repeats itself.
_MOST_TOKENS = 512
# Seconds; long enough for a full context on one slow core.
_TIMEOUT = 180

Decision = Call | Ask | None


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


class LocalChatModel(Translated, ChatOpenAI):
    """SmolLM2-135M-Instruct, with tool calls decided by `helpers.models.calls`.

    Each message makes at most one tool call. After the calls, the results of the tools and the
    person's question are put into one user turn by `results_prompt`, because the model's own
    chat template drops tool messages; results of earlier questions are left out, since this
    model answers the better the less it is given. A message that only calls a tool, without the
    model having written anything, reports 0 tokens: this model has read and written none.

    Takes the fields of `ChatOpenAI`, such as `max_tokens`; an `extra_body` is merged with the
    course's own. Making one starts the local server when it does not run yet.
    """

    # Of sixteen wordings, this one kept the facts of 10 of 12 results; the bare result and the
    # question under it kept 5.
    results_prompt: str = "Repeat in your own words: {results}\n\n{question}"
    # The chat template's own system prompt, used when there is none, costs this model its
    # knowledge: with it, the capital of France is "L'Étoile".
    default_system_prompt: str = "You are a helpful assistant."

    @model_validator(mode="before")
    @classmethod
    def _local(cls, values: dict[str, Any]) -> dict[str, Any]:
        server = chat_server()
        client, async_client = _clients()
        defaults = {
            "model": CHAT_MODEL,
            "base_url": server.url,
            "api_key": "local",
            "temperature": 0,
            "seed": server.settings.seed,
            "stream_usage": True,
            "max_retries": 0,
            "max_tokens": _MOST_TOKENS,
            "timeout": _TIMEOUT,
            "http_client": client,
            "http_async_client": async_client,
            "use_responses_api": False,
            "profile": {"max_input_tokens": server.settings.context, "tool_calling": True},
        }
        body = {"cache_prompt": server.settings.prompt_cache, **(values.get("extra_body") or {})}
        return {**defaults, **values, "extra_body": body}

    def _get_request_payload(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(*args, **kwargs)
        wanted = payload.get("response_format")
        if isinstance(wanted, type) and issubclass(wanted, BaseModel):
            schema = wanted.model_json_schema()
            payload["response_format"] = json_answers.bounded_class(wanted)
        elif isinstance(wanted, dict) and "schema" in wanted.get("json_schema", {}):
            schema = wanted["json_schema"]["schema"]
            payload["response_format"] = json_answers.bounded(wanted)
        else:
            return payload
        last = payload["messages"][-1]
        content = f"{last['content']}\n\n{json_answers.instruction(schema)}"
        payload["messages"][-1] = {**last, "content": content}
        return payload

    def _create_chat_result(self, *args: Any, **kwargs: Any) -> ChatResult:
        result = super()._create_chat_result(*args, **kwargs)
        for generation in result.generations:
            extra = generation.message.additional_kwargs
            if "parsed" in extra:
                extra["parsed"] = json_answers.plain(extra["parsed"])
        return result

    @property
    def _llm_type(self) -> str:
        return "course-local"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """No: what LangChain would load elsewhere is a client of a server that is not there."""
        return False

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        # A trace that names OpenAI as the provider would be given OpenAI's price.
        params = super()._get_ls_params(stop, **kwargs)
        params["ls_provider"] = "local"
        return params

    def get_token_ids(self, text: str) -> list[int]:
        """The model's own tokens of a text."""
        return chat_server().tokens(text)

    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Any = None, **kwargs: Any
    ) -> int:
        """Tokens of the prompt that these messages become; tools add none."""
        turns = self._get_request_payload(self._rendered(messages))["messages"]
        return len(chat_server().tokens(chat_server().prompt(turns)))

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools, with what their `extras` say to the local model.

        Raises `BadTool` when a tool's extras cannot be used; see `helpers.models.tools`.
        """
        bound: Any = super().bind_tools(tools, **kwargs)
        for original, formatted in zip(tools, bound.kwargs["tools"], strict=True):
            extras = getattr(original, "extras", None) or {}
            formatted["extras"] = {key: extras[key] for key in EXTRAS if key in extras}
            card(formatted)  # a mistake in the extras is reported now, not at the first question
        return bound  # type: ignore[no-any-return]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        decision, kwargs = self._decide(messages, kwargs)
        if decision is None:
            return super()._generate(self._rendered(messages), stop, run_manager, **kwargs)
        if isinstance(decision, Ask) or not decision.missing:
            return as_result(decision, None)
        options = decoding.options(decision, self.extra_body or {})
        return as_result(decision, super()._generate(decoding.prompt(decision), **options))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        decision, kwargs = await run_in_executor(None, self._decide, messages, kwargs)
        if decision is None:
            return await super()._agenerate(self._rendered(messages), stop, run_manager, **kwargs)
        if isinstance(decision, Ask) or not decision.missing:
            return as_result(decision, None)
        options = decoding.options(decision, self.extra_body or {})
        return as_result(decision, await super()._agenerate(decoding.prompt(decision), **options))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        decision, rest = self._decide(messages, kwargs)
        if decision is None:
            yield from super()._stream(self._rendered(messages), stop, run_manager, **rest)
            return
        chunk = as_chunk(self._generate(messages, **kwargs))
        if run_manager:
            run_manager.on_llm_new_token(chunk.text, chunk=chunk)
        yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        decision, rest = await run_in_executor(None, self._decide, messages, kwargs)
        if decision is None:
            turns = self._rendered(messages)
            async for chunk in super()._astream(turns, stop, run_manager, **rest):
                yield chunk
            return
        chunk = as_chunk(await self._agenerate(messages, **kwargs))
        if run_manager:
            await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
        yield chunk

    def _decide(
        self, messages: list[BaseMessage], kwargs: dict[str, Any]
    ) -> tuple[Decision, dict[str, Any]]:
        """The next step, and the arguments of a model call without what belongs to tools."""
        refuse_after_fork()
        if not any(message.text.strip() for message in messages):
            raise EmptyPrompt("The request holds no text: write a question first.")
        ours = {"tools", "tool_choice", "parallel_tool_calls"}
        rest = {key: value for key, value in kwargs.items() if key not in ours}
        return decide(messages, kwargs.get("tools", ()), kwargs.get("tool_choice")), rest

    def _rendered(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        return rendered(messages, self.results_prompt, self.default_system_prompt)
