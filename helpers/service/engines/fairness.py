"""Streams take turns on the event loop."""

import asyncio
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler

_ITERATIONS = 3
"""Of the loop, until LangGraph has handed a chunk from the model's task to the stream's reader."""
_EVERY = 4
"""Chunks of a stream between two pauses when nobody waits for a first token."""


class Waiting:
    """How many streams have begun and have sent no token yet."""

    def __init__(self) -> None:
        self.streams = 0


class TakeTurns(AsyncCallbackHandler):
    """Lets the loop's other tasks run between the chunks of a model.

    A model's chunks may arrive many at a time: from a fast server, from a cache, after a pause.
    Taking one that has arrived does not suspend a task, so that an agent would make events of all
    of them, for tens of milliseconds, before the first is sent and before any other stream goes on.
    As long as a stream waits for its first token, all of them pause after each chunk; otherwise
    only now and then, for what else the loop has to do, since each pause takes CPU time.
    """

    run_inline = True  # in the model's own task, which is the one that has to pause
    # Nothing but the chunks is listened to; what is not ignored is prepared for each handler.
    ignore_chain = True
    ignore_agent = True
    ignore_retriever = True
    ignore_retry = True
    ignore_custom_event = True
    ignore_chat_model = True

    def __init__(self, waiting: Waiting) -> None:
        """`waiting` is shared by all streams of the loop."""
        self._waiting = waiting
        self._chunks = 0

    async def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        """A chunk has come."""
        self._chunks += 1
        if self._waiting.streams or self._chunks % _EVERY == 0:
            for _ in range(_ITERATIONS):
                await asyncio.sleep(0)
