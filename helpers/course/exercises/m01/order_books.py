"""An order book that changes while a tool uses it, for exercise 01.2."""

import contextlib
import threading

from helpers.shop import Order, Orders

_PATIENCE_S = 0.2


class ChangingOrders(Orders):
    """A copy of the shop's order book, whose orders can be given other numbers and owners."""

    def __init__(self, *, add: int = 0) -> None:
        """Open a copy whose order numbers are `add` larger than the shop's."""
        super().__init__()
        self._meeting: threading.Barrier | None = None
        with self._transaction():
            self._connection.execute("PRAGMA defer_foreign_keys = ON")
            for table, column in (("orders", "id"), ("items", "order_id"), ("refunds", "order_id")):
                self._connection.execute(
                    f"UPDATE {table} SET {column} = 'FH-' || (substr({column}, 4) + ?)", (add,)
                )

    def give(self, customer_id: str, *order_ids: str) -> None:
        """Make these the orders of this customer, whichever customer had them."""
        with self._transaction():
            for order_id in order_ids:
                self._connection.execute(
                    "UPDATE orders SET customer_id = ? WHERE id = ?", (customer_id, order_id)
                )

    def meet(self, callers: int) -> None:
        """From now on let so many callers read at the same time: each waits for the others."""
        self._meeting = threading.Barrier(callers)

    def get(self, order_id: str, customer_id: str) -> Order:
        """The order, after the others have come."""
        self._wait()
        return super().get(order_id, customer_id)

    def order_ids(self, customer_id: str) -> list[str]:
        """The ids, after the others have come."""
        self._wait()
        return super().order_ids(customer_id)

    def all_orders(self) -> list[Order]:
        """All orders, after the others have come."""
        self._wait()
        return super().all_orders()

    def _wait(self) -> None:
        if self._meeting is not None:
            with contextlib.suppress(threading.BrokenBarrierError):  # the others do not come
                self._meeting.wait(_PATIENCE_S)
