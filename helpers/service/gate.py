"""The gate: how many requests are answered at once, how many wait, and for how long.

A model answers a few requests at a time; more at once make all of them slow. So few run, some
wait in the order of their arrival, for a limited time, and the rest is told at once to come back.
One customer may hold a limited number of places, so that nobody waits behind a single script.
"""

import asyncio
from collections import Counter, deque

from helpers.service.errors import Problem

_WEIGHT = 0.2
"""Of the newest request in the moving average of how long a request runs."""


class Gate:
    """Places for requests. Take one by `enter` before any work, and give it back by `leave`.

    Attributes:
        running: requests that have a place.
    """

    def __init__(
        self, *, running: int, waiting: int, wait_seconds: float, per_customer: int
    ) -> None:
        """See `Settings` for the numbers."""
        self.running = 0
        self._most_running = running
        self._most_waiting = waiting
        self._patience = wait_seconds
        self._each = per_customer
        self._held: Counter[str] = Counter()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._typical_seconds = 1.0

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    @property
    def full(self) -> bool:
        """Whether the next request would be refused."""
        return self.running >= self._most_running and self.waiting >= self._most_waiting

    async def enter(self, customer: str) -> None:
        """Take a place, after waiting for it if need be.

        Raises:
            Problem: 429 when the customer holds too many places; 503 when the queue is full, or
                no place became free in time.
        """
        if self._held[customer] >= self._each:
            raise Problem(
                "too-many-at-once",
                f"You have {self._each} requests under way: wait for one of them to end.",
                retry_after=self._typical_seconds,
            )
        if self.full:
            raise Problem("queue-full", "Try again later.", retry_after=self._forecast())
        self._held[customer] += 1
        if self.running < self._most_running:
            self.running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException as gone:
            self._give_up(customer, turn)
            if isinstance(gone, TimeoutError):
                raise Problem(
                    "waited-too-long",
                    f"No place became free within {self._patience:g} seconds. Try again later.",
                    retry_after=self._forecast(),
                ) from None
            raise

    def leave(self, customer: str, seconds: float) -> None:
        """Give a place back, which was held for that long."""
        self._typical_seconds += _WEIGHT * (seconds - self._typical_seconds)
        self._release(customer)
        self._pass_on()

    def _give_up(self, customer: str, turn: asyncio.Future[None]) -> None:
        self._release(customer)
        if turn in self._queue:
            self._queue.remove(turn)
        elif not turn.cancelled():  # its turn had come in the same moment
            self._pass_on()

    def _release(self, customer: str) -> None:
        self._held[customer] -= 1
        if not self._held[customer]:
            del self._held[customer]

    def _pass_on(self) -> None:
        """Give a free place to the first who waits."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1

    def _forecast(self) -> float:
        """Seconds until the queue has gone by, as requests have been running so far."""
        return self._typical_seconds * (1 + self.waiting) / self._most_running
