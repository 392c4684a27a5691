"""The threat map is whole, and each of its tests exists."""

import ast
from functools import cache

import pytest

from helpers.paths import ROOT
from helpers.security.threats import Exposure, threat_rows, threats

ROWS = [row for threat in threats() for row in threat.rows]


@cache
def functions_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_the_ten_risks_are_there_in_order() -> None:
    assert [threat.id for threat in threats()] == [f"LLM{n:02}" for n in range(1, 11)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.test.rpartition("::")[2])
def test_the_test_of_each_row_exists(row: Exposure) -> None:
    file, _, name = row.test.partition("::")
    assert name in functions_in(file)


def test_no_test_stands_for_two_exposures() -> None:
    assert len({row.test for row in ROWS}) == len(ROWS)


def test_the_table_has_a_row_for_each_exposure() -> None:
    assert len(threat_rows()) == len(ROWS)
    assert all(all(row.values()) for row in threat_rows())
