"""A client that calls an ASGI app in this process: no port, no thread, chunks as they are sent."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp


@dataclass
class Seen:
    """What a client saw of one response."""

    status: int = 0
    request_id: str = ""
    body: bytearray = field(default_factory=bytearray)

    def answer(self) -> tuple[str, str | None]:
        """A streamed answer's words, and the kind of the problem with it, if any."""
        if self.status != 200:
            kind = json.loads(self.body).get("type", "") if self.body else ""
            return "", kind.rpartition(":")[2] or str(self.status)
        words: list[str] = []
        failed = None
        for event in self.body.decode().split("\n\n"):
            name, _, data = event.partition("\ndata: ")
            if name == "event: token":
                words.append(json.loads(data)["text"])
            elif name == "event: error":
                failed = json.loads(data)["type"].rpartition(":")[2]
        return "".join(words), failed


async def post(app: ASGIApp, path: str, body: dict[str, Any], key: str) -> Seen:
    """One POST of JSON with an API key, to its answer's end."""
    seen, sent = Seen(), json.dumps(body).encode()
    messages = [{"type": "http.request", "body": sent, "more_body": False}]
    never = asyncio.get_running_loop().create_future()

    async def receive() -> Any:
        return messages.pop() if messages else await never

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            seen.request_id = dict(message["headers"]).get(b"x-request-id", b"").decode()
        else:
            seen.body += message.get("body", b"")

    headers = {
        "content-type": "application/json",
        "content-length": str(len(sent)),
        "authorization": f"Bearer {key}",
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    try:
        await app(scope, receive, send)
    except Exception:
        if not seen.status:  # else the client was told, and only the server's log tells more
            raise
    return seen
