"""The two local servers: one of each kind per process, started on first use, stopped at exit.

A server does not survive a fork: its threads stay in the parent. Any use in the child raises
`ForkedProcess`; start child processes by spawning them instead.
"""

import atexit
import os
import threading
from collections.abc import Callable
from pathlib import Path

from helpers.loading import getting_ready
from helpers.models import weights
from helpers.models.errors import ForkedProcess
from helpers.models.server import LocalServer
from helpers.models.settings import Settings

CHAT_MODEL = "smollm2-135m-instruct"
EMBEDDING_MODEL = "all-minilm-l6-v2"

_lock = threading.Lock()
_running: dict[str, LocalServer] = {}


def _after_fork() -> None:
    # The lock may have been held by a thread that does not exist in the child.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _server(alias: str, path: Callable[[], Path], *, embedding: bool) -> LocalServer:
    with _lock:
        refuse_after_fork()
        server = _running.get(alias)
        if server is None:
            settings = Settings.from_environment()
            with getting_ready():
                server = LocalServer(alias, path(), settings, embedding=embedding)
            _running[alias] = server
    return server


def refuse_after_fork() -> None:
    """Raise `ForkedProcess` in a child of the process that started a server."""
    for alias, server in _running.items():
        if server.pid != os.getpid():
            raise ForkedProcess(
                f"The local model {alias} was started before this process was forked and cannot "
                "answer here: start child processes with "
                'multiprocessing.get_context("spawn"), or fork before the first use of a model.'
            )


def chat_server() -> LocalServer:
    """The local chat model's server; its `url` is an OpenAI-compatible base URL on loopback."""
    return _server(CHAT_MODEL, weights.chat_weights, embedding=False)


def embedding_server() -> LocalServer:
    """The local embedding model's server; its `url` serves `/embeddings` on loopback."""
    return _server(EMBEDDING_MODEL, weights.embedding_weights, embedding=True)


def stop() -> None:
    """Stop both servers and free their memory; the next `chat_model()` starts them anew.

    Chat models made before this keep the old address: make new ones.
    """
    with _lock:
        for alias, server in list(_running.items()):
            del _running[alias]
            if server.pid == os.getpid():
                server.close()


atexit.register(stop)
