"""The shop's order book: customers, orders, refunds and tickets in SQLite."""

import re
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from helpers.shop.records import TODAY, Customer, Item, Order, Refund, Ticket
from helpers.shop.refund_rules import amount_to_pay
from helpers.shop.seed import generate

_ORDER_ID: Final = re.compile(r"FH-\d{5}", re.ASCII)

_SCHEMA: Final = """
CREATE TABLE customers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL UNIQUE, street TEXT NOT NULL, town TEXT NOT NULL, postcode TEXT NOT NULL
);
CREATE TABLE orders (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers (id),
    status TEXT NOT NULL
        CHECK (status IN ('processing', 'shipped', 'delivered', 'returned', 'cancelled')),
    delivery TEXT NOT NULL, delivery_fee INTEGER NOT NULL CHECK (delivery_fee >= 0),
    carrier TEXT, tracking TEXT UNIQUE, ordered_on TEXT NOT NULL, expected_on TEXT,
    shipped_on TEXT, delivered_on TEXT, returned_on TEXT, cancelled_on TEXT
);
CREATE INDEX orders_of_customer ON orders (customer_id);
CREATE TABLE items (
    order_id TEXT NOT NULL REFERENCES orders (id), line INTEGER NOT NULL,
    product_id TEXT NOT NULL, title TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0),
    price INTEGER NOT NULL CHECK (price > 0), PRIMARY KEY (order_id, line)
);
CREATE TABLE refunds (
    number INTEGER PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id),
    amount INTEGER NOT NULL CHECK (amount > 0)
);
CREATE INDEX refunds_of_order ON refunds (order_id);
CREATE TABLE tickets (
    number INTEGER PRIMARY KEY, customer_id TEXT REFERENCES customers (id), reason TEXT NOT NULL
);
"""

_COLUMNS: Final = tuple(
    field.name for field in fields(Order) if field.name not in {"items", "total", "refunded"}
)


class UnknownOrder(LookupError):  # noqa: N818 - the name says it to whoever catches it
    """This customer has no such order; the message is a sentence for the customer.

    It is the same for an order that does not exist and for one of somebody else: otherwise
    anybody could find out which order numbers are in use.
    """

    def __init__(self, order_id: str) -> None:
        super().__init__(
            f"There is no order {order_id} on your account."
            if _ORDER_ID.fullmatch(order_id)
            else "This is not an order number; order numbers look like FH-10234."
        )


class Orders:
    """The order book. One object may be used from several threads at once.

    Amounts are pounds. Every change is one transaction, so two refunds that race, in one process
    or in two that share a file, cannot pay more than the order's total.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        """Open the file at `path`, made from the seed when it is new; None: a copy in memory.

        Raises `ValueError` when the file cannot be opened or holds something else.
        """
        self._lock = threading.RLock()
        self._connection = _connect(path)
        try:
            self._fill_when_new(path)
        except BaseException:
            self.close()
            raise

    def _fill_when_new(self, path: Path | str | None) -> None:
        with self._transaction():
            version = self._value("PRAGMA user_version")
            if version == _data_version():
                return
            if version != 0 or self._value("SELECT count(*) FROM sqlite_master") != 0:
                raise ValueError(
                    f"{path} was not made by this version of the shop. "
                    "Delete it, and it is made anew."
                )
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._fill()
            self._connection.execute(f"PRAGMA user_version = {_data_version()}")

    def _fill(self) -> None:
        customers, orders = generate()
        self._connection.executemany(
            "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(c.id, c.name, c.email, c.phone, c.street, c.town, c.postcode) for c in customers],
        )
        self._connection.executemany(
            f"INSERT INTO orders ({', '.join(_COLUMNS)}) "
            f"VALUES ({', '.join(':' + name for name in _COLUMNS)})",
            [{name: _stored(getattr(order, name)) for name in _COLUMNS} for order in orders],
        )
        self._connection.executemany(
            "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)",
            [
                (o.id, line, i.product_id, i.title, i.quantity, _pence(i.price))
                for o in orders
                for line, i in enumerate(o.items, start=1)
            ],
        )
        self._connection.executemany(
            "INSERT INTO refunds (order_id, amount) VALUES (?, ?)",
            [(o.id, _pence(o.refunded)) for o in orders if o.refunded],
        )

    def get(self, order_id: str, customer_id: str) -> Order:
        """The order of this customer; small letters and space around the id do not matter.

        Raises `UnknownOrder` when it is missing or somebody else's.
        """
        asked = order_id.strip().upper()
        found = self._orders("WHERE id = ? AND customer_id = ?", (asked, customer_id))
        if not found:
            raise UnknownOrder(asked)
        return found[0]

    def order_ids(self, customer_id: str) -> list[str]:
        """The ids of a customer's orders, oldest first; empty for an unknown customer."""
        rows = self._rows("SELECT id FROM orders WHERE customer_id = ? ORDER BY id", (customer_id,))
        return [row["id"] for row in rows]

    def all_orders(self) -> list[Order]:
        """Every order, oldest first: for reports and tests, never for a customer's request."""
        return self._orders("", ())

    def customer(self, customer_id: str) -> Customer:
        """The customer with this id. Raises `KeyError` when there is none."""
        rows = self._rows("SELECT * FROM customers WHERE id = ?", (customer_id,))
        if not rows:
            raise KeyError(f"There is no customer {customer_id!r}; ids are C-0001 to C-0150.")
        return Customer(**dict(rows[0]))

    def all_customers(self) -> list[Customer]:
        """Every customer, by id: for reports and tests."""
        return [Customer(**dict(row)) for row in self._rows("SELECT * FROM customers ORDER BY id")]

    def refund(self, order_id: str, customer_id: str, amount: Decimal | None = None) -> Refund:
        """Pay back `amount` pounds of an order, or for None all that the rules allow.

        An order that was still being processed is cancelled with it. Raises `UnknownOrder` as
        `get` does, and `RefundRefused` when the rules forbid it.
        """
        with self._transaction():
            order = self.get(order_id, customer_id)
            paid = amount_to_pay(order, amount)
            number = self._connection.execute(
                "INSERT INTO refunds (order_id, amount) VALUES (?, ?)", (order.id, _pence(paid))
            ).lastrowid
            if order.status == "processing":
                self._connection.execute(
                    "UPDATE orders SET status = 'cancelled', cancelled_on = ?, expected_on = NULL "
                    "WHERE id = ?",
                    (TODAY.isoformat(), order.id),
                )
        return Refund(id=f"RF-{number:04}", order_id=order.id, amount=paid)

    def refunds(self) -> list[Refund]:
        """Every refund, in the order in which they were made: for reports and tests."""
        return [
            Refund(f"RF-{row['number']:04}", row["order_id"], _pounds(row["amount"]))
            for row in self._rows("SELECT number, order_id, amount FROM refunds ORDER BY number")
        ]

    def open_ticket(self, customer_id: str | None, reason: str) -> Ticket:
        """Hand a conversation over to a person; `customer_id` None: nobody is logged in."""
        with self._transaction():
            number = self._connection.execute(
                "INSERT INTO tickets (customer_id, reason) VALUES (?, ?)", (customer_id, reason)
            ).lastrowid
        return Ticket(id=f"T-{number:04}", customer_id=customer_id, reason=reason)

    def tickets(self) -> list[Ticket]:
        """Every ticket, oldest first: for reports and tests."""
        return [
            Ticket(f"T-{row['number']:04}", row["customer_id"], row["reason"])
            for row in self._rows("SELECT number, customer_id, reason FROM tickets ORDER BY number")
        ]

    def close(self) -> None:
        """Close the database; a copy in memory is gone after that."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing; others wait, in this process and outside it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _value(self, query: str) -> Any:
        return self._rows(query)[0][0]

    def _orders(self, where: str, values: Sequence[Any]) -> list[Order]:
        """Orders by a condition that is a constant of this module; `values` fill its gaps."""
        with self._lock:
            rows = self._rows(f"SELECT * FROM orders {where} ORDER BY id", values)
            ids = f"SELECT id FROM orders {where}"
            items: dict[str, list[Item]] = {row["id"]: [] for row in rows}
            for row in self._rows(
                f"SELECT * FROM items WHERE order_id IN ({ids}) ORDER BY order_id, line", values
            ):
                items[row["order_id"]].append(
                    Item(row["product_id"], row["title"], row["quantity"], _pounds(row["price"]))
                )
            refunded = dict(
                self._connection.execute(
                    f"SELECT order_id, sum(amount) FROM refunds WHERE order_id IN ({ids}) "
                    "GROUP BY order_id",
                    values,
                )
            )
        return [_order(row, tuple(items[row["id"]]), refunded.get(row["id"], 0)) for row in rows]


def open_orders(path: Path | str | None = None) -> Orders:
    """The shop's order book: the file at `path`, or for None a copy of its own in memory.

    A new file is filled from the seed; an existing one keeps what happened to it. Raises
    `ValueError` for a file that holds something else.
    """
    return Orders(path)


def _connect(path: Path | str | None) -> sqlite3.Connection:
    try:
        # Transactions are begun by hand; the lock of `Orders` is what makes threads safe.
        connection = sqlite3.connect(
            ":memory:" if path is None else path, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise ValueError(f"{path} cannot be opened ({error}): does its folder exist?") from error
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("SELECT count(*) FROM sqlite_master")  # reads the file's head
    except sqlite3.Error as error:
        connection.close()
        raise ValueError(f"{path} is no order book ({error}): choose another path.") from error
    connection.row_factory = sqlite3.Row
    return connection


@cache
def _data_version() -> int:
    """A number for the data that this version of the shop makes; it goes into each file."""
    return zlib.crc32(repr((_SCHEMA, generate())).encode()) >> 1  # SQLite keeps 31 bits


def _order(row: sqlite3.Row, items: tuple[Item, ...], refunded: int) -> Order:
    fields = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates its values
    for name in fields:
        if name.endswith("_on") and fields[name] is not None:
            fields[name] = date.fromisoformat(fields[name])
    fee = _pounds(fields.pop("delivery_fee"))
    total = fee + sum((i.price * i.quantity for i in items), Decimal(0))
    return Order(**fields, items=items, delivery_fee=fee, total=total, refunded=_pounds(refunded))


def _pence(amount: Decimal) -> int:
    return int(amount * 100)


def _pounds(pence: int) -> Decimal:
    return Decimal(pence).scaleb(-2)


def _stored(value: str | date | Decimal | None) -> str | int | None:
    """A field of an order as SQLite keeps it: sums in pence, dates as text."""
    if isinstance(value, Decimal):
        return _pence(value)
    return value.isoformat() if isinstance(value, date) else value
