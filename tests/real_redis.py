"""A real Redis of a test's own."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis.asyncio import Redis

_WAIT_S = 10.0


@contextmanager
def redis_server() -> Iterator["tuple[str, subprocess.Popen[bytes]]"]:
    """A Redis of its own on a free loopback port, which keeps nothing: its address and process."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("COURSE_REQUIRE_REDIS"):
            pytest.fail("COURSE_REQUIRE_REDIS is set, and redis-server is not installed.")
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server).")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            asyncio.run(_answers(port))
            yield f"redis://127.0.0.1:{port}/0", process
        finally:
            process.kill()
            process.wait()


async def _answers(port: int) -> None:
    end = time.monotonic() + _WAIT_S
    while time.monotonic() < end:
        async with Redis(port=port, socket_timeout=1) as redis:
            try:
                if await redis.ping():
                    return
            except Exception:  # still loading, or not listening yet
                await asyncio.sleep(0.01)
    pytest.fail("Redis does not answer")
