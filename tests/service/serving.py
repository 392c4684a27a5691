"""The service under uvicorn inside the test's own process, on a free loopback port."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx2
from fastapi import FastAPI

from helpers.agent import DocumentIndex, Passage, build_agent, fernhill_index
from helpers.service import Settings, create_app, issue
from helpers.service.check.fake_model import FakeModel
from helpers.service.lifecycle import MakeAgent
from helpers.service.parts import Parts
from helpers.service.server import Server
from helpers.sockets import listen

CUSTOMER, OTHER = "C-0042", "C-0007"
QUESTION = {"message": "How much does the Alta 2 tent weigh?"}


@lru_cache(maxsize=1)
def index() -> DocumentIndex:
    return fernhill_index(sentences=3)


def agent(**parts: Any) -> Any:
    """The support agent, on an index that all tests share."""
    return build_agent(retriever=index(), **parts)


class OneDocument:
    """A search that always finds the same, for tests of anything but the search."""

    def search(self, query: str, k: int = 3) -> list[Passage]:
        return [Passage("d", "Title", "It is so.", ("It is so.",), "It is so.", 1.0)]


def cheap_agent(**parts: Any) -> Any:
    return build_agent(retriever=OneDocument(), **parts)


@dataclass(frozen=True)
class Running:
    """A service that answers."""

    url: str
    key: str
    other_key: str
    app: FastAPI

    @property
    def parts(self) -> Parts:
        found: Parts = self.app.state.parts
        return found

    def headers(self, key: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {key or self.key}"}

    def client(self, key: str | None = None, **options: Any) -> httpx2.Client:
        options = {"timeout": 20, "trust_env": False, **options}
        return httpx2.Client(base_url=self.url, headers=self.headers(key), **options)

    def async_client(self, key: str | None = None, **options: Any) -> httpx2.AsyncClient:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
        options = {"timeout": 20, "trust_env": False, "limits": limits, **options}
        return httpx2.AsyncClient(base_url=self.url, headers=self.headers(key), **options)

    def metric(self, name: str, **labels: str) -> float:
        return self.parts.metrics.registry.get_sample_value(name, labels) or 0.0


@contextlib.contextmanager
def serving(
    model: FakeModel | None = None, *, make_agent: MakeAgent = agent, **settings: Any
) -> Iterator[Running]:
    """A service with two customers; the plain path on `model` unless the settings say otherwise."""
    (key, kept), (other_key, other) = issue(CUSTOMER), issue(OTHER)
    chosen: dict[str, Any] = {
        "path": "plain",
        "keys": (kept, other),
        "upstream_url": model.url if model else None,
        "upstream_model": "fake",
        "rate": "100000/minute",
        "daily_tokens": 10_000_000,
        **settings,
    }
    made = Settings(**chosen)
    app = create_app(made, make_agent=make_agent)
    server = Server(app, made)
    sock = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield Running(f"http://127.0.0.1:{sock.getsockname()[1]}", key, other_key, app)
    finally:
        server.should_exit = True
        thread.join(15)
        sock.close()
    assert not thread.is_alive()


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream: name and data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line[:1] not in ":")
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def names(text: str) -> list[str]:
    return [name for name, _ in events(text)]


def until(condition: Any, seconds: float = 10) -> bool:
    """Whether the condition became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())
