"""An instant model: a small server in the shapes of OpenAI's API, with faults to switch on.

It has no model behind it. It answers at once with the last message's own words, so that a test
can see whose answer came, and all time that passes is the service's. Where tools are offered, it
first calls `search_documents`, so that an agent goes round its loop.

Shapes: https://platform.openai.com/docs/api-reference/chat (chunk object, `include_usage`).
"""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

_T = TypeVar("_T")

Fault = Literal[
    "none",  # it answers
    "silent",  # it takes the request and says nothing
    "slow",  # it waits before each chunk
    "refuses",  # it answers 500
    "busy",  # it answers 429
    "bad key",  # it answers 401
    "flaky",  # it answers 503 every other time
    "hangs up",  # it closes the connection in the middle
    "stops short",  # it ends the stream in good order, in the middle
    "garbage",  # it sends what is no JSON, in the middle
    "reports",  # it sends an error as a chunk, in the middle
]

Edit = Callable[[list[dict[str, Any]]], Iterable[dict[str, Any] | bytes]]
"""Chunks as another server would send them: objects, or bytes that are sent as they are."""

_STATUSES = {"refuses": 500, "busy": 429, "bad key": 401}
_TOOL = "search_documents"


class FakeModel:
    """The server, in a thread of its own.

    Attributes:
        url: its base URL, as a client of OpenAI's API takes it.
        fault: what it does wrong from now on.
        edit: changes the chunks of each streamed answer, tool calls included; None for none.
        chunks: pieces of an answer at least; the words are repeated until there are as many.
        seconds: between two pieces; also what `slow` waits at least.
        requests: bodies that it was sent.
        working: answers that it is writing now.
        abandoned: answers whose reader left before their end.
    """

    def __init__(self, *, chunks: int = 1, seconds: float = 0.0) -> None:
        self.fault: Fault = "none"
        self.edit: Edit | None = None
        self.chunks = chunks
        self.seconds = seconds
        self.requests: list[dict[str, Any]] = []
        self.working = 0
        self.abandoned = 0
        # A thread and a loop of its own: whoever makes it may be on a loop already.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def stop(self) -> None:
        """Stop listening, drop all connections; from now on nobody answers at `url`."""
        if self._thread.is_alive():
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if head.startswith("GET"):
                _send(writer, 200, {"object": "list", "data": [{"id": "fake", "object": "model"}]})
            else:
                length = int(head.lower().partition("content-length:")[2].split("\r\n")[0])
                await self._answer(json.loads(await reader.readexactly(length)), reader, writer)
            await writer.drain()
        writer.close()

    async def _answer(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.requests.append(body)
        fault = self.fault
        status = _STATUSES.get(fault, 200)
        if fault == "flaky" and len(self.requests) % 2:
            status = 503
        if status != 200:
            _send(writer, status, {"error": {"message": f"The fault {fault}.", "code": status}})
            return
        if not body.get("stream"):
            _send(writer, 200, _completion(body, self._pieces(body)))
            return
        self.working += 1
        writing = asyncio.ensure_future(self._stream(body, fault, writer))
        leaving = asyncio.ensure_future(reader.read())
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                self.abandoned += 1
        finally:
            self.working -= 1
            for task in (writing, leaving):
                task.cancel()

    async def _stream(
        self, body: dict[str, Any], fault: Fault, writer: asyncio.StreamWriter
    ) -> None:
        if fault == "silent":
            await asyncio.Event().wait()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        chunks = [*_chunks(body, self._pieces(body))]
        sent = [_event(each) for each in (self.edit(chunks) if self.edit else chunks)]
        # In the middle of words, which have been shown; a tool's choice is never half made.
        middle = -1 if _calls_a_tool(body) else len(sent) // 2
        for number, chunk in enumerate(sent):
            if number == middle and fault == "hangs up":
                writer.transport.abort()
                return
            if number == middle and fault == "stops short":
                break
            if number == middle and fault == "garbage":
                chunk = b"data: <html>\n\n"
            if number == middle and fault == "reports":
                chunk = _event({"error": {"message": "The fault reports.", "code": 500}})
            if seconds := max(self.seconds, 0.2 if fault == "slow" else 0):
                await writer.drain()
                await asyncio.sleep(seconds)
            _chunk(writer, chunk)
        _chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _pieces(self, body: dict[str, Any]) -> list[str]:
        """The words of the last question, repeated until there are enough."""
        words = [f"{word} " for word in _question(body).split()]
        most = max(self.chunks, len(words))
        while len(words) < self.chunks:
            words += words
        return words[:most]


def _question(body: dict[str, Any]) -> str:
    """The last question of a person."""
    return str([each["content"] for each in body["messages"] if each["role"] == "user"][-1])


def _calls_a_tool(body: dict[str, Any]) -> bool:
    offered = {each["function"]["name"] for each in body.get("tools") or ()}
    return _TOOL in offered and body["messages"][-1]["role"] != "tool"


def _call(body: dict[str, Any]) -> dict[str, Any]:
    arguments = json.dumps({"query": _question(body)})
    return {
        "id": "call_1",
        "type": "function",
        "function": {"name": _TOOL, "arguments": arguments},
    }


def _usage(body: dict[str, Any], pieces: list[str]) -> dict[str, int]:
    read = sum(len(str(each["content"]).split()) for each in body["messages"])
    return {
        "prompt_tokens": read,
        "completion_tokens": len(pieces),
        "total_tokens": read + len(pieces),
    }


def _completion(body: dict[str, Any], pieces: list[str]) -> dict[str, Any]:
    calls = _calls_a_tool(body)
    message: dict[str, Any] = {"role": "assistant", "content": None if calls else "".join(pieces)}
    if calls:
        message["tool_calls"] = [_call(body)]
    reason = "tool_calls" if calls else "stop"
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": _usage(body, pieces),
    }


def _chunks(body: dict[str, Any], pieces: list[str]) -> Iterator[dict[str, Any]]:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    head = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": body["model"],
    }
    if _calls_a_tool(body):
        yield chunk({"role": "assistant", "tool_calls": [{"index": 0, **_call(body)}]})
        yield chunk({}, "tool_calls")
    else:
        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces:
            yield chunk({"content": piece})
        yield chunk({}, "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": _usage(body, pieces)}


def _send(writer: asyncio.StreamWriter, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    writer.write(
        f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
        + data
    )


def _event(chunk: dict[str, Any] | bytes) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


@contextmanager
def fake_model(*, chunks: int = 1, seconds: float = 0.0) -> Iterator[FakeModel]:
    """A server for the duration of a block."""
    model = FakeModel(chunks=chunks, seconds=seconds)
    try:
        yield model
    finally:
        model.stop()
