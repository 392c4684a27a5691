"""A daily budget of tokens for each customer, exact also when requests race.

How many tokens an answer takes is known at its end. So the most it can take is *reserved* before,
in one atomic step that refuses when it does not fit, and at the end the reservation is *settled*
to what was used. Between the two, nobody else can spend the same tokens.

An answer that took more than its reservation (the agent may call its model more often than
foreseen) is charged in full; the customer's next request is then refused sooner.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from redis.asyncio import Redis

from helpers.service.errors import Problem
from helpers.service.store import counting


@dataclass(frozen=True)
class Reservation:
    """Tokens set aside for one request, on the account of a customer and a day."""

    account: str
    tokens: int


class Ledger(Protocol):
    """Where the accounts are."""

    async def take(self, account: str, tokens: int, limit: int) -> bool:
        """Add tokens to an account unless that exceeds the limit, in one step; whether it did."""
        ...

    async def add(self, account: str, tokens: int) -> None:
        """Add tokens, or with a minus give some back."""
        ...

    async def spent(self, account: str) -> int:
        """Tokens on an account."""
        ...


class MemoryLedger:
    """Accounts of this process. Between an `await` and the next nothing else runs: each is atomic.

    The accounts of earlier days are dropped when a new day's first one is opened.
    """

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()

    async def take(self, account: str, tokens: int, limit: int) -> bool:
        """See `Ledger`."""
        if account not in self._spent:
            day = _day_of(account)
            for old in [each for each in self._spent if _day_of(each) < day]:
                del self._spent[old]
        if self._spent[account] + tokens > limit:
            return False
        self._spent[account] += tokens
        return True

    async def add(self, account: str, tokens: int) -> None:
        """See `Ledger`."""
        self._spent[account] += tokens

    async def spent(self, account: str) -> int:
        """See `Ledger`."""
        return self._spent[account]


_TAKE = """
local spent = tonumber(redis.call('GET', KEYS[1]) or '0')
if spent + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
_KEEP_SECONDS = int(timedelta(days=2).total_seconds())


class RedisLedger:
    """Accounts that several processes share; Redis runs each script as one step."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take = redis.register_script(_TAKE)

    async def take(self, account: str, tokens: int, limit: int) -> bool:
        """See `Ledger`."""
        return bool(await self._take(keys=[account], args=[tokens, limit, _KEEP_SECONDS]))

    async def add(self, account: str, tokens: int) -> None:
        """See `Ledger`."""
        await self._redis.incrby(account, tokens)

    async def spent(self, account: str) -> int:
        """See `Ledger`."""
        return int(await self._redis.get(account) or 0)


class Budgets:
    """The daily budgets of all customers."""

    def __init__(
        self,
        ledger: Ledger,
        daily_tokens: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`clock` gives the present with its time zone."""
        self._ledger = ledger
        self._daily = daily_tokens
        self._clock = clock

    async def reserve(self, customer: str, tokens: int) -> Reservation:
        """Set tokens aside. Raises `Problem` 429, until midnight UTC, when they do not fit."""
        now = self._clock()
        account = _account(customer, now)
        with counting():
            taken = await self._ledger.take(account, tokens, self._daily)
            spent = 0 if taken else await self._ledger.spent(account)
        if not taken:
            left = max(0, self._daily - spent)
            midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
            raise Problem(
                "budget-spent",
                f"This request may take {tokens} tokens, and {left} of today's {self._daily} are "
                "left. Ask for less, or come back after midnight UTC.",
                retry_after=(midnight - now).total_seconds(),
            )
        return Reservation(account, tokens)

    async def settle(self, reservation: Reservation, used: int) -> None:
        """Charge what was used instead of what was set aside, on the day of the reservation."""
        if used == reservation.tokens:
            return
        with counting():
            await self._ledger.add(reservation.account, used - reservation.tokens)

    async def spent(self, customer: str) -> int:
        """What a customer has used or set aside today."""
        return await self._ledger.spent(_account(customer, self._clock()))


def _account(customer: str, now: datetime) -> str:
    return f"service:tokens:{now.astimezone(UTC):%Y-%m-%d}:{customer}"


def _day_of(account: str) -> str:
    return account.split(":")[2]
