"""The way to the model: tries again before the first word, and stops asking one that fails.

Retries (`tenacity`) sit in the HTTP transport, below every client: a request that was not answered
at all is sent again, one whose answer has begun never is, since the caller has seen its words. The
transport also evens out an answer's chunks (`chunks`), which LangChain would fail on. The circuit
breaker (`purgatory`) sits around a whole call, so that a model that breaks off in the
middle of its answers opens it too.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Protocol

import httpx2
from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import Context, ExcludeType
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from helpers.models import errors
from helpers.service.chunks import ChunkReader, DataLines, UnusableChunk

AS_SENT = {"as_sent": True}
"""Extensions of a request whose answer the caller reads by `chunks` itself."""

_WORTH_A_RETRY = frozenset({500, 502, 503, 504})
_LOST = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ReadError, httpx2.RemoteProtocolError)

# What says nothing about the model's health: the caller left, or asked for what cannot be.
_NOT_ITS_FAULT: ExcludeType = [
    asyncio.CancelledError,
    GeneratorExit,
    errors.ContextOverflow,
    errors.EmptyPrompt,
    errors.RequestRefused,
]


class _Refused(Exception):  # noqa: N818 - a signal between two lines of this module
    """The server answered with a status that is worth a retry."""


class RetryingTransport(httpx2.AsyncBaseTransport):
    """A transport that sends a request again when no answer to it has begun."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, attempts: int) -> None:
        """`attempts` counts the first one."""
        self._inner = inner
        self._attempts = attempts

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The first answer worth having, or the last one."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            retry=retry_if_exception_type((*_LOST, _Refused)),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                response = await self._inner.handle_async_request(request)
                last = attempt.retry_state.attempt_number == self._attempts
                if response.status_code in _WORTH_A_RETRY and not last:
                    await response.aclose()
                    raise _Refused
                if _is_event_stream(response) and not request.extensions.get("as_sent"):
                    response.stream = _EvenChunks(response.stream)
                return response
        raise AssertionError("the last attempt returns or raises")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _is_event_stream(response: httpx2.Response) -> bool:
    kind = response.headers.get("content-type", "").lower()
    encoded = response.headers.get("content-encoding", "identity") != "identity"
    return kind.startswith("text/event-stream") and not encoded


class _EvenChunks(httpx2.AsyncByteStream):
    """The events of an answer in OpenAI's shape; one that cannot be used becomes its `error`."""

    def __init__(self, sent: Any) -> None:
        self._sent = sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        lines, reader = DataLines(), ChunkReader()
        async for part in self._sent:
            found: list[bytes] = []
            for data in lines.feed(part):
                try:
                    chunk = reader.read(data)
                except UnusableChunk as reason:
                    said = json.dumps({"error": {"message": f"The model {reason}."}})
                    yield b"".join([*found, f"data: {said}\n\n".encode()])
                    return
                if data == b"[DONE]":
                    found.append(b"data: [DONE]\n\n")
                elif chunk is not None:
                    even = json.dumps(chunk).encode() if reader.changed else data
                    found.append(b"data: " + even + b"\n\n")
            if found:
                yield b"".join(found)

    async def aclose(self) -> None:
        await self._sent.aclose()


def http_client(
    *, attempts: int, connect_seconds: float, silence_seconds: float, connections: int
) -> httpx2.AsyncClient:
    """The client of the whole service: making one costs more than a request.

    Args:
        attempts: tries to send a request.
        connect_seconds: for a connection.
        silence_seconds: between two pieces of an answer.
        connections: open at the same time.
    """
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=0)
    inner = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)
    return httpx2.AsyncClient(
        transport=RetryingTransport(inner, attempts),
        timeout=httpx2.Timeout(silence_seconds, connect=connect_seconds),
        trust_env=False,
    )


class Breaker(Protocol):
    """What the service uses of `purgatory`'s breaker, whose own class is private."""

    context: Context

    async def __aenter__(self) -> object:
        """Raises `OpenedState` while the circuit is open."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Counts an error, or that all went well."""


async def circuit_breaker(failures: int, seconds: float) -> Breaker:
    """A breaker that opens after so many failures in a row, for so long.

    While it is open, entering it raises `purgatory`'s `OpenedState`.
    """
    factory = AsyncCircuitBreakerFactory(failures, seconds, exclude=_NOT_ITS_FAULT)
    return await factory.get_breaker("model")


Handler = Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]


class GuardedModel(AgentMiddleware[AgentState[Any], Any, Any]):
    """Puts the circuit breaker around the agent's calls to its model."""

    def __init__(self, breaker: Breaker) -> None:
        """`breaker` is shared by all who call this model."""
        super().__init__()
        self._breaker = breaker

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Handler
    ) -> ModelResponse[Any] | AIMessage:
        """Call the model unless the circuit is open; an answer that broke off is a failure."""
        async with self._breaker:
            response = await handler(request)
            message = response if isinstance(response, AIMessage) else response.result[-1]
            if isinstance(request.model, ChatOpenAI) and not message.response_metadata.get(
                "finish_reason"
            ):
                raise broke_off(request.model.model_name)
            return response


def broke_off(model: str) -> errors.ModelError:
    """The error for an answer that ended without its end."""
    return errors.ProviderFailed(f"The answer of {model} broke off in the middle: try again.")
