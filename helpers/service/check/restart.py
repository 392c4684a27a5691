"""A restart in the middle of streams: SIGTERM while answers are being written."""

import asyncio

import httpx2

from helpers.service.check.load import Load, load
from helpers.service.check.process import Process


async def restart_under_load(
    service: Process, client: httpx2.AsyncClient, *, streams: int
) -> tuple[Load, int]:
    """Stop the service while streams run; what came of them, and the process's exit status."""
    running = asyncio.create_task(
        load("SIGTERM during streams", client, clients=streams, requests=streams, retry=False)
    )
    await asyncio.sleep(0.5)
    status = await asyncio.to_thread(service.stop)
    return await running, status
