"""Clients of an HTTP server that tell what they saw, of answers in one piece and of streams."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import httpx2

Outcome: TypeAlias = Literal[
    "answered",  # to its end
    "refused",  # with a status of 300 and above
    "error event",  # a stream that ended with one
    "lost",  # an answer that was cut, or did not end in time
    "no answer",  # the request was sent, and no status came
    "not reached",  # no connection was made
]


@dataclass
class Seen:
    """What one client saw of one request. Moments are seconds since the clients began.

    Attributes:
        client: its name.
        sent: when the request was sent.
        first: when the first text came, or an answer in one piece; None where neither did.
        ended: when the connection ended.
        status: the HTTP status; 0 where none came.
        outcome: what became of it.
        error: the client's own error, where there was one.
        texts: the texts of a stream's events, in order.
        body: an answer in one piece, or the data of the last event.
        headers: of the answer, in lower case.
    """

    client: str
    sent: float
    first: float | None = None
    ended: float = 0.0
    status: int = 0
    outcome: Outcome = "not reached"
    error: str = ""
    texts: list[str] = field(default_factory=list)
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def waited(self) -> float | None:
        """Seconds to the first text; None where none came."""
        return None if self.first is None else self.first - self.sent

    @property
    def took(self) -> float:
        """Seconds to the end."""
        return self.ended - self.sent


Reader: TypeAlias = Callable[[httpx2.ServerSentEvent], tuple[str, Outcome | None]]


def read_event(event: httpx2.ServerSentEvent) -> tuple[str, Outcome | None]:
    """The text in an event of a stream, and how the stream ends, if it ends with this event.

    It knows OpenAI's chunks up to `[DONE]`, and events named `token` (or not named) with a `text`,
    up to one named `done`, or `error`. Other events have no text.
    """
    data = _json(event.data)
    if event.event == "done" or event.data == "[DONE]":
        return "", "answered"
    if event.event == "error" or (isinstance(data, dict) and data.get("error")):
        return "", "error event"
    if event.event not in ("token", "message"):
        return "", None
    if not isinstance(data, dict):
        return event.data, None
    choices = data.get("choices") or [{}]
    return data.get("text") or choices[0].get("delta", {}).get("content") or "", None


class Clients:
    """Clients of one server, with one clock. Use it as `async with Clients(url) as clients:`.

    Args:
        url: the server's address.
        path: where requests go, if they do not say otherwise.
        headers: sent with every request, such as an API key.
        name_header: a header in which each client says its name.
        patience_s: seconds that a client gives a request, from sending it to the answer's end.
        reader: reads the events of streams.
    """

    def __init__(
        self,
        url: str,
        path: str = "/chat",
        *,
        headers: Mapping[str, str] | None = None,
        name_header: str | None = None,
        patience_s: float = 60.0,
        reader: Reader = read_event,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no address: it must begin with http:// or https://.")
        self.url = url
        self.path = path
        self._name_header = name_header
        self._patience_s = patience_s
        self._reader = reader
        # No connection is kept, and no proxy of the environment used: each client is a stranger.
        self.http = httpx2.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=patience_s,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
            verify=url.startswith("https://"),
        )
        self._began = time.perf_counter()

    async def __aenter__(self) -> "Clients":
        self._began = time.perf_counter()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    @property
    def now(self) -> float:
        """Seconds since the clients began."""
        return time.perf_counter() - self._began

    async def ask(
        self,
        body: Any = None,
        *,
        path: str | None = None,
        client: str = "client",
        headers: Mapping[str, str] | None = None,
    ) -> Seen:
        """Post a body as JSON, or get a path without one, and read the answer to its end.

        What happens is told, not raised: a broken connection is an outcome. Cancelling it closes
        the connection, as a client does that leaves.
        """
        seen = Seen(client, sent=self.now)
        name = {self._name_header: client} if self._name_header else {}
        try:
            async with (
                asyncio.timeout(self._patience_s),
                self.http.stream(
                    "GET" if body is None else "POST",
                    path or self.path,
                    json=body,
                    headers={**name, **(headers or {})},
                ) as response,
            ):
                await self._read(seen, response)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            seen.error = repr(error)
        except (httpx2.RequestError, TimeoutError) as error:
            seen.error = repr(error)
            if not seen.status:
                seen.outcome = "no answer"
        seen.ended = self.now
        return seen

    async def _read(self, seen: Seen, response: httpx2.Response) -> None:
        seen.status = response.status_code
        seen.headers = dict(response.headers)
        seen.outcome = "lost" if response.is_success else "refused"
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            seen.body = _json((await response.aread()).decode("utf-8", "replace"))
            if response.is_success:
                seen.outcome, seen.first = "answered", self.now
            return
        async for event in httpx2.EventSource(response):
            seen.body = _json(event.data)
            text, outcome = self._reader(event)
            if text:
                seen.first = self.now if seen.first is None else seen.first
                seen.texts.append(text)
            seen.outcome = outcome or seen.outcome


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
