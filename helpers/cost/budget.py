"""Budgets in dollars that hold while many answers are being written at once.

What an answer costs is known at its end. So the most that it may cost is *reserved* before, in one
step that refuses what does not fit, and *settled* to what it did cost after.

    budget = Budget(Decimal("0.50"), window_s=86_400, store=RedisStore(redis))
    reservation = await budget.reserve("C-1001", Decimal("0.002"))   # or BudgetSpent
    ...
    await budget.settle(reservation, meter_says)

A budget is exceeded only by answers that cost more than they reserved. Where that happens, say by
which factor at most (`overrun`): near the limit, answers then wait for each other, and the budget
is exceeded by the last one at most.
"""

import contextlib
import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Literal, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

Decision = Literal["go on", "degrade", "ask", "stop"]
"""What to do with the next question: answer it, answer it more cheaply, let a person allow it, or
refuse it."""

_NANO = 1_000_000_000
# Beyond, the numbers of Redis' Lua are not exact.
_MOST_USD = 2**53 // _NANO // 4


class BudgetSpent(Exception):  # noqa: N818 (named after what happened)
    """What was asked for does not fit into the budget.

    Attributes:
        retry_after_s: seconds until it may fit; None when it never will.
    """

    def __init__(self, message: str, retry_after_s: float | None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BudgetUnreachable(Exception):  # noqa: N818 (named after what happened)
    """The store of the budgets does not answer."""


@dataclass(frozen=True)
class Reservation:
    """Dollars set aside for one answer; `id` is empty where the store was gone and let it pass."""

    key: str
    id: str
    at_most: Decimal


@dataclass(frozen=True)
class Account:
    """What a store says of one account, after a step.

    Attributes:
        done: whether the step was taken.
        spent: nano-dollars settled in this window.
        held: nano-dollars of open reservations.
        ends_in_s: seconds to the end of the window.
    """

    done: bool
    spent: int
    held: int
    ends_in_s: float


@dataclass(frozen=True)
class Step:
    """One step on an account; money in nano-dollars.

    Attributes:
        name: "take" (reserve), "pay" (settle; of 0 to release) or "look".
        window_s: length of a window.
        lapse_s: how long a reservation holds.
        id: of the reservation.
        held: what it holds; more than `at_most` where answers overrun.
        at_most: what fits when no other reservation is open.
        limit: of the window.
        paid: what the answer did cost.
    """

    name: Literal["take", "pay", "look"]
    window_s: float
    lapse_s: float
    id: str = ""
    held: int = 0
    at_most: int = 0
    limit: int = 0
    paid: int = 0


class Store(Protocol):
    """Where the accounts are. A step is atomic.

    A window begins with the first money on an account and lasts `window_s`. A reservation that is
    open at its end counts in the next one. One that lapsed counts no more, and is still charged
    when it is settled within a further window; settling twice charges once.
    """

    async def step(self, key: str, step: Step) -> Account:
        """Take a step on an account."""
        ...


@dataclass
class _Entry:
    spent: int = 0
    ends: float = 0.0
    open: dict[str, tuple[int, float]] = field(default_factory=dict)  # amount, when it lapses


class MemoryStore:
    """Accounts of this process, also across its threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds. The default does not jump when the machine's clock is set."""
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._sweep_at = 1024

    async def step(self, key: str, step: Step) -> Account:
        """See `Store`."""
        with self._lock:
            now = self._clock()
            entry = self._entries.get(key) or _Entry()
            _pass_time(entry, now, step)
            holding = [amount for amount, lapses in entry.open.values() if lapses > now]
            held, done = sum(holding), True
            if step.name == "take":
                fits = entry.spent + held + step.held <= step.limit
                alone = not holding and entry.spent + step.at_most <= step.limit
                if done := fits or alone:
                    entry.open[step.id] = (step.held, now + step.lapse_s)
                    held += step.held
            elif step.name == "pay" and (done := step.id in entry.open):
                amount, lapses = entry.open.pop(step.id)
                held -= amount if lapses > now else 0
                entry.spent += step.paid
            if done and step.name != "look":
                self._entries[key] = entry
                self._sweep(now)
            return Account(done, entry.spent, held, entry.ends - now)

    def _sweep(self, now: float) -> None:
        if len(self._entries) < self._sweep_at:
            return
        live = {key: each for key, each in self._entries.items() if each.open or each.ends > now}
        self._entries, self._sweep_at = live, max(1024, 2 * len(live))


def _pass_time(entry: _Entry, now: float, step: Step) -> None:
    """Begin a new window where the old one is over, and forget what lapsed long ago.

    A clock that was set back would make ends and lapses late: none is later than from now on.
    """
    if entry.ends <= now:
        entry.spent, entry.ends = 0, now + step.window_s
    entry.ends = min(entry.ends, now + step.window_s)
    entry.open = {
        id_: (amount, min(lapses, now + step.lapse_s))
        for id_, (amount, lapses) in entry.open.items()
        if lapses + step.window_s > now
    }


# The same step as MemoryStore's, by the clock of the Redis server: no client's clock counts.
# KEYS: account. ARGV: name, window and lapse in ms, id, held, at_most, limit, paid.
_STEP = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, lapse = tonumber(ARGV[2]), tonumber(ARGV[3])
local spent, ends, held, count, open = 0, 0, 0, 0, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local name, value = all[i], all[i + 1]
  if name == 'spent' then spent = tonumber(value)
  elseif name == 'ends' then ends = tonumber(value)
  else
    local amount, lapses = string.match(value, '(%d+):(%d+)')
    amount, lapses = tonumber(amount), tonumber(lapses)
    if lapses > now + lapse then
      lapses = now + lapse
      redis.call('HSET', KEYS[1], name, string.format('%.0f:%.0f', amount, lapses))
    end
    if lapses + window <= now then redis.call('HDEL', KEYS[1], name)
    else
      open[name] = lapses > now and amount or 0
      if lapses > now then held = held + amount; count = count + 1 end
    end
  end
end
if ends <= now then spent = 0; ends = now + window end
if ends > now + window then ends = now + window end
local done = 1
local id = 'r:' .. ARGV[4]
if ARGV[1] == 'take' then
  local limit = tonumber(ARGV[7])
  local fits = spent + held + tonumber(ARGV[5]) <= limit
  if fits or (count == 0 and spent + tonumber(ARGV[6]) <= limit) then
    redis.call('HSET', KEYS[1], id, ARGV[5] .. ':' .. string.format('%.0f', now + lapse))
    held = held + tonumber(ARGV[5])
  else done = 0 end
elseif ARGV[1] == 'pay' then
  if open[id] then
    redis.call('HDEL', KEYS[1], id)
    held = held - open[id]
    spent = spent + tonumber(ARGV[8])
  else done = 0 end
end
if done == 1 and ARGV[1] ~= 'look' then
  redis.call('HSET', KEYS[1], 'spent', string.format('%.0f', spent),
    'ends', string.format('%.0f', ends))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', window * 2 + lapse))
end
return {done, string.format('%.0f', spent), string.format('%.0f', held), ends - now}
"""


class RedisStore:
    """Accounts that several processes share; Redis runs each step as one, and drops idle keys."""

    def __init__(self, redis: Redis, prefix: str = "course:budget:") -> None:
        """Give the client a `socket_timeout` and a short `retry`: answers wait for them."""
        self._prefix = prefix
        self._step = redis.register_script(_STEP)

    async def step(self, key: str, step: Step) -> Account:
        """See `Store`."""
        times = [math.ceil(1000 * step.window_s), math.ceil(1000 * step.lapse_s)]
        args = [step.name, *times, step.id, step.held, step.at_most, step.limit, step.paid]
        done, spent, held, ends = await self._step(keys=[self._prefix + key], args=args)
        return Account(bool(done), int(spent), int(held), ends / 1000)


class Budget:
    """One limit for each key, such as a customer, a conversation or "all".

    Attributes:
        unchecked: steps that passed although the store was gone (`when_down="allow"`).
    """

    def __init__(
        self,
        limit_usd: Decimal,
        window_s: float,
        store: Store | None = None,
        *,
        degrade_at: float = 0.8,
        ask_at: float | None = None,
        overrun: float = 1.0,
        lapse_s: float = 300.0,
        when_down: Literal["refuse", "allow"] = "refuse",
    ) -> None:
        """A budget of `limit_usd` in each window of `window_s` seconds.

        Args:
            limit_usd: for each key; 0 stops everything.
            window_s: seconds from the first money on a key to its next beginning.
            store: this process' memory by default.
            degrade_at: from this share on, the decision is "degrade".
            ask_at: from this share on it is "ask"; None for never.
            overrun: the factor by which an answer may cost more than it reserved.
            lapse_s: a reservation whose client died counts no more after so many seconds. Take
                more than the longest answer.
            when_down: what happens without the store: `BudgetUnreachable`, or unchecked answers.

        Raises:
            TypeError: the limit is no Decimal.
            ValueError: a number cannot be used; the message names it.
        """
        self._limit = _nano(limit_usd, "limit_usd")
        for name, value, least in (
            ("window_s", window_s, 0.001),
            ("lapse_s", lapse_s, 0.001),
            ("overrun", overrun, 1.0),
        ):
            if not (math.isfinite(value) and value >= least):
                raise ValueError(f"{name} is {value}: give a finite number, {least} or more.")
        if not 0 <= degrade_at <= (1 if ask_at is None else ask_at) <= 1:
            raise ValueError(
                f"degrade_at is {degrade_at} and ask_at {ask_at}: give shares of the limit from 0 "
                "to 1, ask_at not below degrade_at."
            )
        if when_down not in ("refuse", "allow"):
            raise ValueError(f'when_down is {when_down!r}: give "refuse" or "allow".')
        self._limit_usd, self._window_s, self._lapse_s = limit_usd, window_s, lapse_s
        self._store = store or MemoryStore()
        self._degrade_at, self._ask_at, self._overrun = degrade_at, ask_at, overrun
        self._when_down = when_down
        self.unchecked = 0

    async def reserve(self, key: str, at_most: Decimal) -> Reservation:
        """Set aside the most that an answer may cost.

        Raises:
            BudgetSpent: it does not fit; the error says when to come back.
            BudgetUnreachable: the store is gone.
        """
        most = _nano(at_most, "at_most")
        if most > self._limit:
            raise BudgetSpent(
                f"An answer of up to ${at_most} never fits into the budget of "
                f"${self._limit_usd}: allow it fewer tokens, or raise the budget.",
                None,
            )
        id_ = uuid.uuid4().hex
        held = math.ceil(most * self._overrun)
        step = Step("take", self._window_s, self._lapse_s, id_, held, most, self._limit)
        with self._reaching():
            found = await self._store.step(key, step)
            if not found.done:
                raise self._spent(key, at_most, found, found.spent + most <= self._limit)
            return Reservation(key, id_, at_most)
        return Reservation(key, "", at_most)

    async def settle(self, reservation: Reservation, actual: Decimal) -> bool:
        """Charge what an answer cost instead of what was reserved, also where that is more.

        Returns whether it was charged: False when the reservation was settled or released before,
        or was made without a store.

        Raises BudgetUnreachable when the store is gone; the reservation lapses there.
        """
        paid = _nano(actual, "actual")
        if not reservation.id:
            return False
        step = Step("pay", self._window_s, self._lapse_s, reservation.id, paid=paid)
        with self._reaching():
            return (await self._store.step(reservation.key, step)).done
        return False

    async def release(self, reservation: Reservation) -> bool:
        """Give back what was reserved for an answer that cost nothing; see `settle`."""
        return await self.settle(reservation, Decimal(0))

    async def committed(self, key: str) -> Decimal:
        """Dollars that are spent or reserved in this window.

        Raises BudgetUnreachable when the store is gone, whatever `when_down` says.
        """
        with self._reaching(always=True):
            found = await self._store.step(key, Step("look", self._window_s, self._lapse_s))
        return Decimal(found.spent + found.held) / _NANO

    async def decide(self, key: str) -> Decision:
        """What to do with the next question, by the share of the limit that is committed.

        Raises BudgetUnreachable when the store is gone, or with `when_down="allow"` says "go on".
        """
        with self._reaching():
            found = await self._store.step(key, Step("look", self._window_s, self._lapse_s))
            share = (found.spent + found.held) / self._limit if self._limit else 1.0
            if share >= 1:
                return "stop"
            if self._ask_at is not None and share >= self._ask_at:
                return "ask"
            return "degrade" if share >= self._degrade_at else "go on"
        return "go on"

    def _spent(self, key: str, at_most: Decimal, found: Account, soon: bool) -> BudgetSpent:
        left = Decimal(max(0, self._limit - found.spent - found.held)) / _NANO
        when = min(1.0, found.ends_in_s) if soon else found.ends_in_s
        reason = "answers in progress hold the rest; " if soon else ""
        return BudgetSpent(
            f"An answer of up to ${at_most} does not fit: ${left:f} of the budget of "
            f"${self._limit_usd} of {key!r} are left; {reason}come back in {when:.0f} s.",
            when,
        )

    @contextlib.contextmanager
    def _reaching(self, *, always: bool = False) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            if self._when_down == "allow" and not always:
                self.unchecked += 1
                return
            raise BudgetUnreachable(
                "The store of the budgets does not answer, so that nothing may be spent: start "
                'Redis, or set when_down="allow" to answer without a budget meanwhile.'
            ) from error


def _nano(usd: Decimal, name: str) -> int:
    """Dollars in whole nano-dollars, rounded up: a local answer costs some 20,000 of them."""
    if not isinstance(usd, Decimal):
        raise TypeError(f'{name} is {usd!r}: give a Decimal, as Decimal("0.50").')
    if not usd.is_finite() or not 0 <= usd <= _MOST_USD:
        raise ValueError(f"{name} is {usd}: give dollars from 0 to {_MOST_USD:,}.")
    return int((usd * _NANO).to_integral_value(ROUND_CEILING))
