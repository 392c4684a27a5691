# Written by `course build` from solutions/src/05_serve_with_fastapi.py: change it there.
# The exercise's own cell.
import asyncio
from collections.abc import Coroutine
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect


async def while_connected(request: Request, work: Coroutine[Any, Any, str]) -> str:
    """The result of `work`, which is cancelled when the client leaves before it has ended."""
    async def gone() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(0.05)

    working, watching = asyncio.create_task(work), asyncio.create_task(gone())
    try:
        await asyncio.wait([working, watching], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)
ANSWER = while_connected
