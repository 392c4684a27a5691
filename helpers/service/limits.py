"""How many requests a customer may send: a moving window, in memory or shared by Redis.

By the library `limits`. Its moving window charges only the requests that it lets pass; its fixed
window charges refused ones too, and lets twice the number through around the turn of a window.
"""

import time
from typing import Any

from limits import parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from helpers.service.errors import Problem
from helpers.service.store import counting


class RateLimit:
    """The rate limit of every customer."""

    def __init__(self, rate: str, storage: Storage) -> None:
        """`rate` as `limits` writes it, such as "60/minute"; `storage` keeps the counts."""
        self._rate = parse(rate)
        self._limiter = MovingWindowRateLimiter(storage)

    async def hit(self, customer: str) -> None:
        """Count a request. Raises `Problem` 429 when the customer has sent too many."""
        with counting():
            if await self._limiter.hit(self._rate, customer):
                return
            window = await self._limiter.get_window_stats(self._rate, customer)
        raise Problem(
            "rate-limited",
            f"At most {self._rate}: wait, then try again.",
            retry_after=window.reset_time - time.time(),
        )


def storage(store: str, redis: Any) -> Storage:
    """Where `store` says that counts are kept; `redis` is its client, None for memory."""
    if redis is None:
        return MemoryStorage()
    return RedisStorage(
        f"async+{store}", implementation="redispy", connection_pool=redis.connection_pool
    )
