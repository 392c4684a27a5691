"""The shop's order book for all replicas: one owner, and every call of a turn is done once.

An order book in each replica would pay the same refund once a replica. So one actor owns it, and
the agents' tools ask it. A turn that another replica answers from its beginning, because the
first one died, makes its calls again: those it had made before are answered from the journal, and
nothing is paid twice.
"""

from collections import Counter, OrderedDict
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ray

from helpers.shop import Order, Refund, Ticket, open_orders

_NAME = "fernhill-orders"
_MOST_TURNS = 10_000
_PATIENCE_S = 10.0


class Attempt:
    """One replica's try to answer a turn; it numbers the calls that are alike."""

    def __init__(self, turn: str) -> None:
        """`turn` is the request's id, the same for each try."""
        self.turn = turn
        self._calls: Counter[str] = Counter()

    def number(self, call: str) -> int:
        """How often this try has made such a call before."""
        self._calls[call] += 1
        return self._calls[call] - 1


ATTEMPT: ContextVar[Attempt] = ContextVar("attempt")
"""Set around an answer; the tools that run in it find it there."""


@dataclass(frozen=True)
class _Refused:
    """An exception on its way: pickled itself, it would be made again from its message."""

    kind: type[Exception]
    args: tuple[Any, ...]

    def error(self) -> Exception:
        """The exception as it was raised."""
        found = self.kind.__new__(self.kind)
        found.args = self.args
        return found


class OrderBook:
    """The order book and its journal: what each call of a turn gave or raised."""

    def __init__(self) -> None:
        self._orders: Any = open_orders()
        self._journal: OrderedDict[str, dict[tuple[str, int], Any]] = OrderedDict()

    def call(self, turn: str, number: int, method: str, args: tuple[Any, ...]) -> Any:
        """What a call gave, or `_Refused`: made now, or by an earlier try."""
        made = self._journal.setdefault(turn, {})
        self._journal.move_to_end(turn)
        if len(self._journal) > _MOST_TURNS:
            self._journal.popitem(last=False)
        key = (repr((method, args)), number)
        if key not in made:
            try:
                made[key] = getattr(self._orders, method)(*args)
            except Exception as refused:  # the tool's own, told to the customer by the agent
                made[key] = _Refused(type(refused), refused.args)
        return made[key]


def order_book() -> Any:
    """The actor of the cluster's order book, made when there is none; it outlives its maker."""
    return (
        ray.remote(OrderBook)
        .options(
            name=_NAME,
            namespace=_NAME,
            get_if_exists=True,
            lifetime="detached",
            num_cpus=0,
            max_concurrency=1,
        )
        .remote()
    )


def close_order_book() -> None:
    """End the actor; what was refunded is forgotten, as at the end of `course serve`."""
    with suppress(ValueError):  # no replica has made it
        ray.kill(ray.get_actor(_NAME, namespace=_NAME))


class RemoteOrders:
    """What the tools need of an order book, asked of its owner.

    Tools run in threads of their own, so they may wait for an answer.
    """

    def __init__(self, book: Any) -> None:
        """`book` is the actor that `order_book` gives."""
        self._book = book

    def get(self, order_id: str, customer_id: str) -> Order:
        """See `Orders`."""
        found: Order = self._call("get", order_id, customer_id)
        return found

    def refund(self, order_id: str, customer_id: str, amount: Decimal | None = None) -> Refund:
        """See `Orders`."""
        paid: Refund = self._call("refund", order_id, customer_id, amount)
        return paid

    def open_ticket(self, customer_id: str | None, reason: str) -> Ticket:
        """See `Orders`."""
        opened: Ticket = self._call("open_ticket", customer_id, reason)
        return opened

    def _call(self, method: str, *args: Any) -> Any:
        attempt = ATTEMPT.get()
        number = attempt.number(repr((method, args)))
        asked = self._book.call.remote(attempt.turn, number, method, args)
        found = ray.get(asked, timeout=_PATIENCE_S)
        if isinstance(found, _Refused):
            raise found.error()
        return found
