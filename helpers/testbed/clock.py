"""A clock that stands still until it is moved, for code that takes its clock as an argument."""

import asyncio
from datetime import UTC, datetime


class Clock:
    """Time in seconds, which passes only while someone sleeps on it.

    Its methods stand for `time.time`, `time.monotonic`, `time.sleep` and `asyncio.sleep`.

    Args:
        start: seconds since 1970; by default a moment in November 2026.
    """

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self._start = start
        self._passed = 0.0

    def time(self) -> float:
        """Seconds since 1970."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._passed

    def now(self) -> datetime:
        """The moment in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def sleep(self, seconds: float) -> None:
        """Let seconds pass, at once. Raises ValueError for a negative number."""
        if seconds < 0:
            raise ValueError("A clock does not go backwards: give 0 seconds or more.")
        self._passed += seconds

    async def asleep(self, seconds: float) -> None:
        """Let seconds pass, and others run."""
        self.sleep(seconds)
        await asyncio.sleep(0)
