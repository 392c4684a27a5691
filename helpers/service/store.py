"""Where requests and tokens are counted, and what happens when it cannot be reached."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from helpers.service.errors import Problem
from helpers.service.starting import StartError

_RETRY_SECONDS = 5
_SILENCE_SECONDS = 2.0


@asynccontextmanager
async def open_store(store: str) -> AsyncIterator[Any]:
    """The client of the Redis that a setting names, None for memory, open for a block.

    Raises `StartError` when nobody answers there.
    """
    if store.startswith("memory://"):
        yield None
        return
    redis: Any = Redis.from_url(
        store, socket_timeout=_SILENCE_SECONDS, socket_connect_timeout=_SILENCE_SECONDS
    )
    try:
        await redis.ping()
    except AuthenticationError as error:
        raise StartError(
            f"The store {_place(store)} does not take this name and password: write them as in "
            "redis://NAME:PASSWORD@HOST:PORT/0."
        ) from error
    except (RedisError, OSError) as error:
        raise StartError(
            f"Nobody answers at the store {_place(store)}: start Redis there, or set "
            "COURSE_SERVICE_STORE to memory:// for a single process."
        ) from error
    else:
        yield redis
    finally:
        await redis.aclose()


def _place(store: str) -> str:
    """A store's address without the name and password in it."""
    found = urlsplit(store)
    host = found.netloc.rpartition("@")[2]
    return f"{found.scheme}://{host}{found.path}"


@contextmanager
def counting() -> Iterator[None]:
    """Raise `Problem` 503 when the store fails: requests that nobody counts are not let through."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise Problem(
            "store-down",
            "Requests and tokens cannot be counted now. Try again later.",
            retry_after=_RETRY_SECONDS,
        ) from error
