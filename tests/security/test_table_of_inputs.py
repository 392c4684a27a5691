"""The table of inputs shows what should come, in each row."""

from collections.abc import Callable, Iterator

import pytest

from tests.security.inputs import TABLES, Row


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_row_is_as_it_should_be(table: Callable[[], Iterator[Row]]) -> None:
    found: list[Row] = list(table())
    assert found
    assert [row for row in found if not row.right] == []
