"""A store of numbers that all workers of a service share, as Redis is one."""

import asyncio
import threading
from dataclasses import dataclass


class OverBudget(Exception):  # noqa: N818 - named after what happened
    """More tokens are asked for than a budget has left."""


@dataclass
class Spent:
    """How many tokens a request has used so far."""

    tokens: int = 0


class Store:
    """Whole numbers by key. Each call is atomic by itself; two calls are not.

    Each call takes a moment, in which others run. Workers on several event loops may share it.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._one_by_one = threading.Lock()

    async def get(self, key: str) -> int:
        """The number under this key, 0 where there is none."""
        await asyncio.sleep(0)
        with self._one_by_one:
            return self._numbers.get(key, 0)

    async def set(self, key: str, value: int) -> None:
        """Write a number, whatever was there."""
        await asyncio.sleep(0)
        with self._one_by_one:
            self._numbers[key] = value

    async def add(self, key: str, amount: int) -> int:
        """Add an amount, which may be negative; returns the sum."""
        await asyncio.sleep(0)
        with self._one_by_one:
            self._numbers[key] = self._numbers.get(key, 0) + amount
            return self._numbers[key]

    async def compare_and_set(self, key: str, old: int, new: int) -> bool:
        """Write `new` if the number is still `old`; else write nothing and return False."""
        await asyncio.sleep(0)
        with self._one_by_one:
            if self._numbers.get(key, 0) != old:
                return False
            self._numbers[key] = new
            return True
