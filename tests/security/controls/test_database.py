"""Own records in SQL: injections that work on strings glued together, and statements that are bad
as a whole."""

import sqlite3
from pathlib import Path

import pytest

from helpers.security.controls.database import MOST_ROWS, VIEWS, OwnRecords, QueryRefused
from helpers.shop import Orders

CUSTOMER = "C-0042"

INJECTIONS = {
    "always true": "x' OR '1'='1",
    "comment": "x' OR 1=1 --",
    "another table": "x' UNION SELECT email, name FROM customers --",
    "another table's text": "x' UNION SELECT id, customer_id FROM orders --",
    "schema": "x' UNION SELECT name, sql FROM sqlite_master --",
    "subquery": "x' OR (SELECT count(*) FROM customers) > 0 --",
}
"""Values for the place of the status in the statement below."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    Orders(path).close()
    return path


@pytest.fixture(scope="module")
def own(shop: Path) -> set[str]:
    with Orders(shop) as orders:
        return set(orders.order_ids(CUSTOMER))


def glued(status: str, table: str) -> str:
    return f"SELECT id, status FROM {table} WHERE status = '{status}'"


def test_a_look_up_with_a_value(shop: Path) -> None:
    rows = OwnRecords(shop, CUSTOMER).query(
        "SELECT id, status FROM my_orders WHERE status = ? ORDER BY id", ["delivered"]
    )
    with Orders(shop) as orders:
        expected = [
            {"id": order.id, "status": "delivered"}
            for order in (orders.get(one, CUSTOMER) for one in orders.order_ids(CUSTOMER))
            if order.status == "delivered"
        ]
    assert rows == expected
    assert rows


def test_joins_and_sums_over_the_views_work(shop: Path) -> None:
    rows = OwnRecords(shop, CUSTOMER).query(
        "SELECT o.id, sum(i.price * i.quantity) AS pence FROM my_orders o JOIN my_items i"
        " ON i.order_id = o.id WHERE o.status = :status GROUP BY o.id",
        {"status": "delivered"},
    )
    assert rows
    assert all(isinstance(row["pence"], int) and row["pence"] > 0 for row in rows)


@pytest.mark.parametrize("name", INJECTIONS)
def test_an_injection_works_on_strings_glued_together(shop: Path, own: set[str], name: str) -> None:
    connection = sqlite3.connect(shop)
    rows = connection.execute(glued(INJECTIONS[name], "orders")).fetchall()
    connection.close()
    assert {row[0] for row in rows} - own


@pytest.mark.parametrize("name", INJECTIONS)
def test_as_a_value_it_is_only_text(shop: Path, name: str) -> None:
    rows = OwnRecords(shop, CUSTOMER).query(
        "SELECT id, status FROM my_orders WHERE status = ?", [INJECTIONS[name]]
    )
    assert rows == []


@pytest.mark.parametrize("name", INJECTIONS)
def test_glued_together_it_stays_among_the_own_records(
    shop: Path, own: set[str], name: str
) -> None:
    try:
        rows = OwnRecords(shop, CUSTOMER).query(glued(INJECTIONS[name], "my_orders"))
    except QueryRefused:
        return
    assert {row["id"] for row in rows} <= own


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM customers",
        "SELECT id FROM orders",
        "SELECT count(*) FROM customers",
        "SELECT 1 FROM customers",
        "SELECT rowid FROM customers",
        "SELECT name, sql FROM sqlite_master",
        "SELECT sql FROM sqlite_temp_master",
        "SELECT * FROM pragma_table_info('customers')",
        "SELECT customer_id FROM my_orders",
        "SELECT * FROM my_orders ORDER BY (SELECT email FROM customers)",
        "SELECT * FROM customers AS my_orders",
        "SELECT email FROM (SELECT * FROM customers) AS my_orders",
        # A subquery that is named like a view, which SQLite reports as if it were the view.
        "WITH my_orders AS (SELECT * FROM customers) SELECT * FROM my_orders LIMIT 1",
        "WITH my_orders AS (SELECT * FROM main.orders) SELECT id FROM my_orders LIMIT 1",
        "WITH my_items AS (SELECT count(*) AS n FROM customers) SELECT n FROM my_items",
        "DELETE FROM orders",
        "UPDATE orders SET customer_id = 'C-0042'",
        "INSERT INTO refunds VALUES (1, 'FH-10093', 5)",
        "DROP TABLE orders",
        "CREATE TEMP VIEW mine AS SELECT * FROM customers",
        "CREATE TABLE temp.mine AS SELECT 1",
        "ATTACH '/tmp/other.sqlite' AS other",
        "VACUUM INTO '/tmp/copy.sqlite'",
        "PRAGMA table_list",
        "PRAGMA query_only = 0",
        "BEGIN",
        "REINDEX",
        "SELECT 1; SELECT 2",
        "SELECT load_extension('evil')",
        "SELECT zeroblob(1000000000)",
        "SELECT printf('%1000000000d', 1)",
        "SELECT randomblob(8)",
        "not even SQL",
        "SELECT '\ud800'",
        "SELECT 1 \0",
    ],
)
def test_a_statement_that_does_anything_else_is_refused(shop: Path, statement: str) -> None:
    before = shop.read_bytes()
    with pytest.raises(QueryRefused):
        OwnRecords(shop, CUSTOMER).query(statement)
    assert shop.read_bytes() == before


def test_every_column_of_the_shop_but_those_of_the_views_is_closed(shop: Path) -> None:
    connection = sqlite3.connect(shop)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE sql > ''")]
    columns = [
        (table, row[1])
        for table in tables
        for row in connection.execute(f"PRAGMA table_info({table})")
    ]
    connection.close()
    assert len(columns) > 30
    for table, column in columns:
        with pytest.raises(QueryRefused):
            OwnRecords(shop, CUSTOMER).query(f"SELECT {column} FROM {table}")


def test_another_customer_sees_none_of_it(shop: Path, own: set[str]) -> None:
    for view, column in zip(VIEWS, ("id", "order_id", "order_id"), strict=True):
        rows = OwnRecords(shop, "C-0007").query(f"SELECT {column} FROM {view}")
        assert not {row[column] for row in rows} & own
    assert OwnRecords(shop, "C-0007' OR '1'='1").query("SELECT id FROM my_orders") == []


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT count(*) FROM my_items a, my_items b, my_items c, my_items d, my_items e, my_items"
         " f, my_items g, my_items h", "steps"),
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n", "SELECT"),
        ("SELECT 1 FROM my_items a, my_items b, my_items c, my_items d", f"{MOST_ROWS} rows"),
        ("SELECT '" + "x" * 200_000 + "'", "too big|too large|not run"),
    ],
)  # fmt: skip
def test_what_is_allowed_and_endless_is_stopped(shop: Path, statement: str, reason: str) -> None:
    with pytest.raises(QueryRefused, match=reason):
        OwnRecords(shop, CUSTOMER).query(statement)


@pytest.mark.parametrize("values", [["x" * 200_000], [2**70], ["a", "b"], []])
def test_a_value_that_cannot_be_used_is_refused(shop: Path, values: list[str | int]) -> None:
    with pytest.raises(QueryRefused):
        OwnRecords(shop, CUSTOMER).query("SELECT id FROM my_orders WHERE status = ?", values)


def test_a_missing_file_is_an_error_and_not_an_empty_shop(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        OwnRecords(tmp_path / "none.sqlite", CUSTOMER).query("SELECT id FROM my_orders")
    assert not (tmp_path / "none.sqlite").exists()
