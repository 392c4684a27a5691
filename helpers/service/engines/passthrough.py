"""The plain path by HTTP alone: from a server that speaks OpenAI's API, with nothing between.

Half of what a streamed request costs in Python is making objects of the chunks and handing them
through callbacks. A service that only passes the words on can leave that out; see
`tests/benchmarks/service.py` for what it saves.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx2

from helpers.models import errors
from helpers.models.translate import translate
from helpers.service.turn import Event, Outcome, Turn
from helpers.service.upstream import Breaker, broke_off

_OVERFLOW = re.compile(r"context|too long|maximum.*tokens", re.IGNORECASE)
_STATUSES: dict[int, type[errors.ModelError]] = {
    401: errors.KeyRefused,
    403: errors.KeyRefused,
    404: errors.UnknownModel,
    429: errors.RateLimited,
}


class PassthroughEngine:
    """Streams from `POST {url}/chat/completions`."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        breaker: Breaker,
        *,
        url: str,
        model: str,
        key: str | None = None,
        system: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Prepare the request.

        Args:
            client: shared by all requests.
            breaker: shared by all who call this model.
            url: the server's base URL, which ends in `/v1`.
            model: its name there.
            key: for the server, where it wants one.
            system: the system prompt of a conversation that brings none.
            extra: more fields of each request.
        """
        self._client = client
        self._breaker = breaker
        self._url = httpx2.URL(f"{url}/chat/completions")
        self._model = model
        self._system = system
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._body = {
            **(extra or {}),
            "model": model,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    async def events(self, turn: Turn, outcome: Outcome) -> AsyncGenerator[Event]:
        """See `Engine`."""
        messages = [{"role": role, "content": text} for role, text in turn.messages]
        if self._system and not any(message.role == "system" for message in turn.messages):
            messages.insert(0, {"role": "system", "content": self._system})
        body = {
            **self._body,
            "messages": messages,
            "max_tokens": turn.max_tokens,
        }
        if turn.temperature is not None:
            body["temperature"] = turn.temperature
        async with self._breaker:
            try:
                async with self._client.stream(
                    "POST", self._url, content=json.dumps(body), headers=self._headers
                ) as response:
                    if response.status_code != 200:
                        raise _failure(response.status_code, await response.aread(), self._model)
                    async for data in _data_lines(response):
                        if piece := _read(data, outcome, self._model):
                            yield outcome.token(piece)
            except httpx2.TransportError as error:
                raise translate(error, self._model, str(self._url)) or error from error
            if outcome.finish_reason is None:
                raise broke_off(self._model)


async def _data_lines(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The `data:` lines of a stream of events, as they arrive."""
    rest = b""
    async for chunk in response.aiter_raw():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


def _read(data: bytes, outcome: Outcome, model: str) -> str:
    """The text of one chunk; what else it says goes into the outcome."""
    if data == b"[DONE]":
        return ""
    try:
        chunk = json.loads(data)
    except ValueError as error:
        raise errors.ProviderFailed(f"{model} sent a chunk that is no JSON.") from error
    if "error" in chunk:
        raise errors.ProviderFailed(f"{model} failed in the middle ({str(chunk['error'])[:160]}).")
    if usage := chunk.get("usage"):
        outcome.input_tokens = usage["prompt_tokens"]
        outcome.output_tokens = usage["completion_tokens"]
    if not chunk.get("choices"):
        return ""
    choice = chunk["choices"][0]
    outcome.finish_reason = choice.get("finish_reason") or outcome.finish_reason
    return choice["delta"].get("content") or ""


def _failure(status: int, body: bytes, model: str) -> errors.ModelError:
    said = body[:300].decode(errors="replace")
    if status == 400 and _OVERFLOW.search(said):
        return errors.ContextOverflow(f"The request is too long for {model} ({said}).")
    kind = _STATUSES.get(status)
    kind = kind or (errors.RequestRefused if status < 500 else errors.ProviderFailed)
    return kind(f"{model} answered {status} ({said}).")
