"""Streams take turns on the event loop, a chunk of the model each."""

import asyncio
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler

_ITERATIONS = 3
"""Of the loop, until LangGraph has handed a chunk from the model's task to the stream's reader."""


class TakeTurns(AsyncCallbackHandler):
    """Lets the loop's other tasks run after each chunk of the model.

    A model's chunks may arrive many at a time: from a fast server, from a cache, after a pause.
    Taking one that has arrived does not suspend a task, so that an agent would make events of all
    of them, for tens of milliseconds, before the first is sent and before any other stream goes on.
    """

    run_inline = True  # in the model's own task, which is the one that has to pause
    # Nothing but the chunks is listened to; what is not ignored is prepared for each handler.
    ignore_chain = True
    ignore_agent = True
    ignore_retriever = True
    ignore_retry = True
    ignore_custom_event = True
    ignore_chat_model = True

    async def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        """A chunk has come."""
        for _ in range(_ITERATIONS):
            await asyncio.sleep(0)
