"""The plain path by HTTP alone: from a server that speaks OpenAI's API, with nothing between.

Half of what a streamed request costs in Python is making objects of the chunks and handing them
through callbacks. A service that only passes the words on can leave that out; see
`tests/benchmarks/service.py` for what it saves.
"""

import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx2

from helpers.models import errors
from helpers.models.translate import translate
from helpers.service.chunks import ChunkReader, DataLines, UnusableChunk
from helpers.service.turn import Event, Outcome, Turn
from helpers.service.upstream import AS_SENT, Breaker, broke_off

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
                    "POST",
                    self._url,
                    content=json.dumps(body),
                    headers=self._headers,
                    extensions=AS_SENT,
                ) as response:
                    if response.status_code != 200:
                        raise _failure(response.status_code, await response.aread(), self._model)
                    lines, reader = DataLines(), ChunkReader()
                    async for part in response.aiter_raw():
                        for data in lines.feed(part):
                            if piece := _read(reader, data, outcome):
                                yield outcome.token(piece)
            except UnusableChunk as reason:
                raise errors.ProviderFailed(f"{self._model} {reason}.") from reason
            except httpx2.TransportError as error:
                raise translate(error, self._model, str(self._url)) or error from error
            if outcome.finish_reason is None:
                raise broke_off(self._model)


def _read(reader: ChunkReader, data: bytes, outcome: Outcome) -> str:
    """The text of one chunk; what else it says goes into the outcome."""
    chunk = reader.read(data)
    if chunk is None:
        return ""
    if usage := chunk.get("usage"):
        outcome.input_tokens = usage["prompt_tokens"]
        outcome.output_tokens = usage["completion_tokens"]
    if not chunk["choices"]:
        return ""
    (choice,) = chunk["choices"]
    outcome.finish_reason = choice.get("finish_reason") or outcome.finish_reason
    return choice["delta"].get("content") or ""


def _failure(status: int, body: bytes, model: str) -> errors.ModelError:
    said = body[:300].decode(errors="replace")
    if status == 400 and _OVERFLOW.search(said):
        return errors.ContextOverflow(f"The request is too long for {model} ({said}).")
    kind = _STATUSES.get(status)
    kind = kind or (errors.RequestRefused if status < 500 else errors.ProviderFailed)
    return kind(f"{model} answered {status} ({said}).")
